"""What a visitor does on the app's page, and what he sees of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from restoration import Degradation, Photo, image
from restoration.degradations import CONTROLS
from restoration.weights import restorers
from tests.conftest import EXAMPLES
from tests.ui.conftest import PATIENCE
from ui.texts import text

sync_api = pytest.importorskip("playwright.sync_api", reason='needs playwright: pip install -e ".[dev]"')
if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = sync_api.expect

COFFEE = EXAMPLES / "coffee.jpg"
TITLES = {entry.model: entry.title for entry in restorers()}
TABS = ("tab_restore", "tab_blind", "tab_robustness", "tab_batch", "tab_about")
LANGUAGES = pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])
VERDICT = "#verdict [data-testid=markdown]"
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def say(key: str, french: bool = False) -> str:
    return text(key, french)


# --- What a visitor does ----------------------------------------------------------------------------------------------


def drop(page: Page, path: Path = COFFEE) -> None:
    """Choose a photo, and no more."""
    page.locator("#photo input[type=file]").set_input_files(path)


def send(page: Page, path: Path = COFFEE, models: int = len(TITLES)) -> None:
    """Choose a photo, and wait until all ``models`` have restored it."""
    wait_for_opening(page)
    drop(page, path)
    wait_for_run(page, path.stem, models)


def send_to_laboratory(page: Page, path: Path = COFFEE) -> None:
    """Choose a photo, and have it damaged."""
    send(page, path)
    damage(page)
    expect(page.locator("#viewer .choices label")).to_have_count(2 + len(TITLES))
    wait_for_run(page, path.stem)


def damage(page: Page, french: bool = False) -> None:
    page.locator("#mode").get_by_label(say("mode_degrade", french)).check()


def choose(page: Page, *models: str, scale: int = 0, french: bool = False) -> None:
    """Which models, and how large."""
    for name, title in TITLES.items():
        page.locator("#models").get_by_label(title).set_checked(name in models)
    unfold(page, "#size")
    page.locator("#scale").get_by_label(say(f"upscale_{scale}", french), exact=True).check()


def unfold(page: Page, accordion: str) -> None:
    """Open an accordion that is closed."""
    button = page.locator(f"{accordion} > button")
    if "open" not in (button.get_attribute("class") or "").split():
        button.click()


def restore(page: Page) -> None:
    """Restore, and wait for all that comes of it."""
    before = shown(page)
    page.locator("#restore").click()
    expect(page.locator("#viewer .after")).not_to_have_attribute("src", before)
    wait_for_rest(page)


def open_tab(page: Page, key: str, french: bool = False) -> None:
    """By its own button or, where there is no room for it, by the overflow menu."""
    tab = page.get_by_role("tab", name=say(key, french), exact=True)
    if not tab.is_visible():
        page.get_by_role("button", name="More tabs").click()
        tab = page.locator(".overflow-dropdown").get_by_role("button", name=say(key, french), exact=True)
    tab.click()


def pick(page: Page, kind: str) -> None:
    """A small picture, to see it large; a finger or a mouse meets it, not the button that is hidden in it."""
    page.locator(f"#viewer .choices label:has(input[value={kind}])").click()


def press_until(page: Page, selector: str, most: int = 120) -> int:
    """How often Tab is pressed until the focus is on ``selector``."""
    for presses in range(1, most + 1):
        page.keyboard.press("Tab")
        if page.evaluate("css => document.activeElement.matches(css)", selector):
            return presses
    pytest.fail(f"{most} times Tab do not reach {selector}")


# --- What a visitor waits for -----------------------------------------------------------------------------------------


def wait_for_opening(page: Page) -> None:
    """Until the page shows the example that it opens with."""
    seen(page.locator("#viewer .after"))
    expect(page.locator(VERDICT)).not_to_be_empty()
    expect(page.locator("#restore")).to_be_enabled()


def wait_for_run(page: Page, stem: str, models: int = len(TITLES)) -> None:
    """Until the photo of this name is restored by all models that it is to be restored by."""
    expect(page.locator("#viewer .after")).to_have_attribute("src", re.compile(rf"/{re.escape(stem)}_[^/]*$"))
    given = "[value=original], [value=degraded], [value=photo]"
    expect(page.locator(f"#viewer .choices input:not({given})")).to_have_count(models)
    wait_for_rest(page)


def wait_for_rest(page: Page) -> None:
    """Until nothing runs any more, and what was made is measured."""
    page.wait_for_function(
        "() => document.querySelector('#restore')?.checkVisibility()"
        " && document.querySelector('#verdict [data-testid=status-tracker]').matches('.hide:not(.translucent)')"
        " && document.querySelector(VERDICT).innerText.trim()".replace("VERDICT", f"'{VERDICT}'")
    )
    seen(page.locator("#viewer .after"))


# --- What a visitor sees ----------------------------------------------------------------------------------------------


def seen(picture: Locator) -> str:
    """The address of a picture, once it is visible, whole and drawn."""
    return drawn(picture)[0]


def drawn(picture: Locator) -> tuple[str, list[int]]:
    """The address of a picture and its size, asked for at once: it may give way to another one at any time."""
    expect(picture).to_be_visible()
    for _ in range(PATIENCE // 100):
        address, is_whole, *size = picture.evaluate(
            "img => [img.src, img.complete, img.naturalWidth, img.naturalHeight]"
        )
        if is_whole and size[0]:
            return address, size
        picture.page.wait_for_timeout(100)
    pytest.fail(f"{address} was never drawn")


def shown(page: Page) -> str:
    """The address of the large picture, as the page writes it."""
    return page.locator("#viewer .after").get_attribute("src") or ""


def contents(page: Page, address: str) -> bytes:
    """The file behind an address, as the visitor gets it."""
    response = page.request.get(address)
    assert response.ok
    return response.body()


def drawn_as(picture: Locator) -> str:
    """Whether each pixel is a square, where it is drawn larger: pixelated."""
    return str(picture.evaluate("img => getComputedStyle(img).imageRendering"))


def small(page: Page, kind: str) -> Locator:
    """The small picture of this kind, below the large one or beside it."""
    return page.locator(f"#viewer .choices label:has(input[value={kind}]) img")


def photo_at(page: Page, picture: Locator, folder: Path) -> Photo:
    """A picture on the page, which must be a PNG with words for those who do not see it."""
    assert picture.evaluate("img => img.alt || img.closest('label')?.innerText.trim()")
    address, size = drawn(picture)
    written = contents(page, address)
    assert written.startswith(b"\x89PNG\r\n\x1a\n")
    (folder / "seen.png").write_bytes(written)
    photo = image.load(folder / "seen.png", reduce_to=None)
    assert size == [photo.width, photo.height]
    return photo


def shows(page: Page, picture: Locator, expected: Photo, folder: Path) -> bool:
    return bool(np.array_equal(photo_at(page, picture, folder).pixels, expected.pixels))


def wait_for_picture(page: Page, picture: Locator, expected: Photo, folder: Path) -> None:
    """Until a picture is exactly the expected one: a slow machine may show the one before for a while."""
    for _ in range(PATIENCE // 200):
        if shows(page, picture, expected, folder):
            return
        page.wait_for_timeout(200)
    pytest.fail("the picture never became the expected one")


def table(page: Page) -> list[list[str]]:
    """The lines of the table of measures."""
    unfold(page, "#numbers")
    expect(page.locator("#measures table")).to_be_visible()
    return [line.locator("th, td").all_inner_texts() for line in page.locator("#measures tbody tr").all()]


def measures(page: Page) -> str:
    """All that stands with the numbers."""
    table(page)
    return page.locator("#measures").inner_text()


def expect_strengths(page: Page, degradation: Degradation) -> None:
    """Until every slider's number is the degradation's."""
    for control in CONTROLS:
        page.wait_for_function(
            "([css, value]) => Math.abs(document.querySelector(css).value - value) < 1e-9",
            arg=[f"#control-{control} input[type=number]", getattr(degradation, control)],
        )


def settings(page: Page) -> dict[str, Any]:
    """Every control of the laboratory that a recipe sets."""
    unfold(page, "#size")
    chosen = {name: page.locator(f"#{name} label.selected") for name in ("mode", "fit", "scale")}
    return {
        **{control: page.locator(f"#control-{control} input[type=number]").input_value() for control in CONTROLS},
        **{name: labels.all_inner_texts() for name, labels in chosen.items()},
        "seed": int(page.locator("#seed input").input_value()),
        "grayscale": page.get_by_label(say("grayscale"), exact=True).is_checked(),
        "models": [title for title in TITLES.values() if page.locator("#models").get_by_label(title).is_checked()],
        "engine": page.get_by_label(say("engine")).input_value(),
    }


def box(each: Locator) -> dict[str, float]:
    """Where something is on the screen."""
    found = each.bounding_box()
    assert found
    return dict(found)


def run_everything(page: Page, french: bool) -> Iterator[str]:
    """Each tab in turn, with a result where it has any: Restore by both of its doors."""
    send(page)
    unfold(page, "#numbers")
    expect(page.locator("#measures th").first).to_be_visible()
    yield "restore"
    damage(page, french)
    expect(page.locator("#viewer .choices label")).to_have_count(2 + len(TITLES))
    wait_for_run(page, COFFEE.stem)
    yield "laboratory"
    open_tab(page, "tab_blind", french)
    page.locator("#blind-run").click()
    expect(page.locator("#blind-picture-0 img")).to_be_visible()
    yield "tab_blind"
    open_tab(page, "tab_robustness", french)
    page.locator("#sweep").click()
    expect(page.locator("#strip img")).to_be_visible()
    yield "tab_robustness"
    for tab in ("tab_batch", "tab_about"):
        open_tab(page, tab, french)
        expect(page.locator("#batch" if tab == "tab_batch" else ".about table >> nth=0")).to_be_visible()
        yield tab


def large_photo(path: Path, width: int, height: int) -> Photo:
    """An example made this large, and written to ``path``."""
    with Image.open(EXAMPLES / "astronaut.jpg") as picture:
        photo = Photo(np.array(picture.convert("RGB").resize((width, height))))
    image.save(photo, path)
    return photo
