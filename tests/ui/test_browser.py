"""The app in Chromium, as a visitor meets it; nothing that no test foresees may stand in the browser's console."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from restoration import PRESETS, Degradation, Look, Photo, Recipe, Restorer, image, metrics, pipeline
from restoration.degradations import CONTROLS
from restoration.types import Inpainting, drawn_sha256
from restoration.weights import restorers
from tests.conftest import EXAMPLES
from tests.ui.conftest import PATIENCE, Visit
from tests.ui.words import SENTENCES
from ui.texts import i18n, number, text

pytestmark = pytest.mark.browser

sync_api = pytest.importorskip("playwright.sync_api", reason='needs playwright: pip install -e ".[dev]"')
if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = sync_api.expect
expect.set_options(timeout=PATIENCE)

COFFEE = EXAMPLES / "coffee.jpg"
TITLES = {entry.model: entry.title for entry in restorers()}
TABS = ("tab_restore", "tab_blind", "tab_compare", "tab_robustness", "tab_batch", "about_tab")
RADIOS = ("mode", "fit", "upscale")
LANGUAGES = pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])


# --- What a visitor does ----------------------------------------------------------------------------------------------


def say(key: str, french: bool = False) -> str:
    return text(key, french)


def send(page: Page, path: Path = COFFEE) -> None:
    """Upload a photo, and wait until the networks' view of it is there."""
    page.locator("#photo input[type=file]").set_input_files(path)
    seen(page.locator("#preview img"))


def choose(page: Page, *models: str, scale: int = 0, french: bool = False) -> None:
    """Which models, and how large."""
    for name, title in TITLES.items():
        page.locator("#models").get_by_label(title).set_checked(name in models)
    page.get_by_label(say(f"upscale_{scale}", french), exact=True).check()


def restore(page: Page) -> None:
    """Restore, and wait for what follows the pictures: the downloads."""
    page.locator("#restore").click()
    expect(page.locator("#restore-measures table")).to_be_visible()
    expect(page.locator(".file-preview:visible a").first).to_be_visible()


def open_tab(page: Page, key: str, french: bool = False) -> None:
    """By its own button or, where there is no room for it, by the overflow menu."""
    tab = page.get_by_role("tab", name=say(key, french), exact=True)
    if not tab.is_visible():
        page.get_by_role("button", name="More tabs").click()
        tab = page.locator(".overflow-dropdown").get_by_role("button", name=say(key, french), exact=True)
    tab.click()


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


def contents(page: Page, address: str) -> bytes:
    """The file behind an address, as the visitor gets it."""
    response = page.request.get(address)
    assert response.ok
    return response.body()


def drawn_as(picture: Locator) -> str:
    """Whether each pixel is a square, where it is drawn larger: pixelated."""
    return str(picture.evaluate("img => getComputedStyle(img).imageRendering"))


def photo_at(page: Page, picture: Locator, folder: Path) -> Photo:
    """A picture on the page, which must be a PNG with words for those who do not see it."""
    assert picture.get_attribute("alt")
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


def table(page: Page, selector: str) -> list[list[str]]:
    """The lines of a table of measures."""
    return [line.locator("th, td").all_inner_texts() for line in page.locator(f"{selector} tbody tr").all()]


def expect_strengths(page: Page, degradation: Degradation) -> None:
    """Until every slider's number is the degradation's."""
    for control in CONTROLS:
        page.wait_for_function(
            "([css, value]) => Math.abs(document.querySelector(css).value - value) < 1e-9",
            arg=[f"#control-{control} input[type=number]", getattr(degradation, control)],
        )


def settings(page: Page) -> dict[str, Any]:
    """Every control that a recipe sets."""
    chosen = {name: page.locator("fieldset", has_text=say(name)).locator("label.selected") for name in RADIOS}
    return {
        **{control: page.locator(f"#control-{control} input[type=number]").input_value() for control in CONTROLS},
        **{name: labels.all_inner_texts() for name, labels in chosen.items()},
        "seed": int(page.get_by_label("Seed", exact=True).input_value()),
        "grayscale": page.get_by_label("Grayscale", exact=True).is_checked(),
        "models": [title for title in TITLES.values() if page.locator("#models").get_by_label(title).is_checked()],
        "engine": page.get_by_label("Upscale with").input_value(),
    }


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer("cpu")


@pytest.fixture(scope="module")
def truth() -> Photo:
    """The photo that most tests send, 128x128."""
    return image.fit(image.load(COFFEE))


# --- The photo and its damage -----------------------------------------------------------------------------------------


def test_the_preview_follows_the_controls(visit: Visit, truth: Photo, tmp_path: Path) -> None:
    page = visit()
    send(page)
    preview, presets = page.locator("#preview img"), page.get_by_role("radio", name=re.compile("original|heavy"))
    drawn = PRESETS["original"].draw(0)
    wait_for_picture(page, preview, drawn.apply(truth, 0), tmp_path)
    expect(presets.first).to_be_checked()

    before = seen(preview)
    slider = page.locator("#control-gaussian input[type=range]")
    for _ in range(3):
        slider.press("ArrowRight")
    expect(preview).not_to_have_attribute("src", before)
    moved = Degradation(**{**drawn.__dict__, "gaussian": 0.06})
    wait_for_picture(page, preview, moved.apply(truth, 0), tmp_path)
    expect(page.locator("#control-gaussian input[type=number]")).to_have_value("0.06")
    for preset in presets.all():  # what is set by hand is no preset's
        expect(preset).not_to_be_checked()


def test_presets_and_seeds_set_the_controls(visit: Visit, truth: Photo, tmp_path: Path) -> None:
    page = visit()
    send(page)
    preview = page.locator("#preview img")
    page.get_by_label("antique", exact=True).check()
    expect_strengths(page, PRESETS["antique"].draw(0))
    wait_for_picture(page, preview, PRESETS["antique"].draw(0).apply(truth, 0), tmp_path)

    seed = page.get_by_label("Seed", exact=True)
    page.get_by_role("button", name=say("dice")).click()
    expect(seed).not_to_have_value("0")
    rolled = int(seed.input_value())
    expect_strengths(page, PRESETS["antique"].draw(rolled))
    wait_for_picture(page, preview, PRESETS["antique"].draw(rolled).apply(truth, rolled), tmp_path)

    seed.press("ControlOrMeta+a")
    seed.press_sequentially("1234")  # faster than each draw
    expect_strengths(page, PRESETS["antique"].draw(1234))
    wait_for_picture(page, preview, PRESETS["antique"].draw(1234).apply(truth, 1234), tmp_path)

    page.get_by_label("off", exact=True).check()
    expect_strengths(page, Degradation())
    wait_for_picture(page, preview, truth, tmp_path)


def test_an_example_is_a_photo_too(visit: Visit, truth: Photo, tmp_path: Path) -> None:
    page = visit()
    page.locator(".gallery-item").nth(2).click()
    preview, drawn = page.locator("#preview img"), PRESETS["original"].draw(0)
    wait_for_picture(page, preview, drawn.apply(truth, 0), tmp_path)


@LANGUAGES
def test_a_file_that_is_no_picture_is_one_clear_sentence(visit: Visit, french: bool) -> None:
    """Also after an example, whose click makes Gradio build the component anew."""
    page = visit(french=french)
    page.locator(".gallery-item").first.click()
    seen(page.locator("#preview img"))
    for remove in page.get_by_role("button", name=re.compile("Remove Image|Supprimer")).all():
        remove.click()
    text_file = {"name": "photo.png", "mimeType": "image/png", "buffer": b"words " * 40}
    page.locator("#photo input[type=file]").set_input_files(text_file)
    says = "photo.png n'est pas une image lisible" if french else "photo.png is not a picture"
    expect(page.get_by_test_id("toast-text").filter(has_text=says).first).to_be_visible()


@LANGUAGES
def test_what_is_missing_is_said_in_the_visitors_language(visit: Visit, french: bool) -> None:
    page = visit(french=french)
    for tab, button, says in (
        ("tab_restore", "run", "no_photo"),
        ("tab_compare", "compare_run", "no_photo"),
        ("tab_robustness", "sweep_run", "no_photo"),
        ("tab_batch", "batch_run", "batch_none"),
    ):
        open_tab(page, tab, french)
        page.get_by_role("button", name=say(button, french), exact=True).click()
        toast = page.get_by_test_id("toast-text").filter(has_text=say(says, french))
        expect(toast).to_be_visible()
        page.get_by_test_id("toast-close").first.click()
        expect(toast).to_have_count(0)


# --- Restore ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", TITLES)
def test_one_model_restores_enlarges_and_is_measured(
    visit: Visit, restorer: Restorer, truth: Photo, tmp_path: Path, model: str
) -> None:
    page = visit()
    send(page)
    choose(page, model, scale=4)
    restore(page)

    assert shows(page, page.locator("#result-reference img"), truth, tmp_path)
    degraded = photo_at(page, page.locator("#result-degraded img"), tmp_path)
    restored = photo_at(page, page.locator(f"#result-{model} img"), tmp_path)
    enlarged = photo_at(page, page.locator(f"#result-{model}-large img"), tmp_path)
    assert np.array_equal(degraded.pixels, PRESETS["original"].draw(0).apply(truth, 0).pixels)
    assert np.array_equal(restored.pixels, restorer.restore(degraded, model).photo.pixels)
    assert (enlarged.width, enlarged.height) == (512, 512)
    for other in TITLES.keys() - {model}:
        expect(page.locator(f"#result-{other}")).to_be_hidden()

    before, after = metrics.compare(degraded, truth), metrics.compare(restored, truth)
    first, second = table(page, "#restore-measures")
    assert first[:3] == ["Degraded", f"{before.psnr_luminance:.2f}", f"{before.psnr:.2f}"]
    assert second[0] == TITLES[model]
    gain = after.psnr_luminance - before.psnr_luminance
    assert second[1].split() == [f"{after.psnr_luminance:.2f}", "▲", f"+{gain:.2f}", "better"]
    error = number(after.ciede2000 - before.ciede2000, 2, False, sign=True)
    assert second[4].split() == [f"{after.ciede2000:.2f}", "▲", error, "better"]
    assert second[5] == "yes"
    assert re.fullmatch(r"\d+ ms, ×4: \d+ ms", second[6])
    head = page.locator("#restore-measures thead th").all_inner_texts()
    assert head[0] == "Photo"
    assert "Did it help?" in head
    assert (
        say("fell_back").strip() in page.locator("#restore-measures").inner_text()
    )  # the better engine is not at hand here

    expect(page.locator("#slider img")).to_have_count(2)
    for picture in page.locator("#slider img").all():
        seen(picture)
        assert drawn_as(picture) == "pixelated"
    rendered = {kind: drawn_as(page.locator(f"#result-{kind} img")) for kind in ("degraded", model, f"{model}-large")}
    assert rendered == {"degraded": "pixelated", model: "pixelated", f"{model}-large": "auto"}
    links = page.locator(".file-preview:visible a")
    kinds = ("original.png", "degraded.png", f"{model}.png", f"{model}_x4.png", "sheet.png", "recipe.json")
    expect(links).to_have_count(len(kinds))
    addresses = [link.get_attribute("href") or "" for link in links.all()]
    assert [address.rpartition("/")[2] for address in addresses] == [f"coffee_{kind}" for kind in kinds]
    assert list(json.loads(contents(page, addresses[-1]))["models"]) == [model]


def test_the_slider_shows_the_model_that_is_asked_for(visit: Visit) -> None:
    page = visit()
    send(page)
    choose(page, "vae", "cnn")
    restore(page)
    after = page.locator("#slider img").last
    before = seen(after)
    page.locator("fieldset", has_text=say("slider_model")).get_by_label("CNN").check()
    expect(after).not_to_have_attribute("src", before)
    assert contents(page, seen(after)) == contents(page, seen(page.locator("#result-cnn img")))


def test_scratches_are_shown_corrected_and_mended(visit: Visit, restorer: Restorer, tmp_path: Path) -> None:
    whole = image.load(EXAMPLES / "astronaut.jpg", reduce_to=None)
    cracked = Degradation(scratches=6, grayscale=True).apply(whole, 3)
    image.save(cracked, tmp_path / "cracked.png")
    page = visit()
    send(page, tmp_path / "cracked.png")
    expect(page.locator("#mending")).to_be_hidden()
    page.get_by_label(say("mode_damaged")).check()
    page.locator("#mending").get_by_role("button", name=say("mending")).click()
    page.locator("#find-scratches").click()
    expect(page.locator("#scratches-told")).to_contain_text("looks damaged")
    expect(page.get_by_label(say("scratches_mend"))).to_be_checked()

    canvas = page.locator("#scratches-editor canvas")
    page.wait_for_function("document.querySelector('#scratches-editor canvas').width === 512")

    def draw(*places: tuple[float, float]) -> None:
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box
        page.mouse.move(box["x"] + places[0][0] * box["width"], box["y"] + places[0][1] * box["height"])
        page.mouse.down()
        for x, y in places[1:]:
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
        page.mouse.up()

    draw((0.4, 0.9), (0.6, 0.9))
    page.get_by_label(say("scratches_eraser")).check()
    page.locator("#scratches-editor input[type=range]").fill("10")
    draw(*((x, y / 20) for y in range(9) for x in (0.02, 0.98)))  # nothing of the upper part stays red
    draw((0.4, 0.9), (0.6, 0.9))
    page.get_by_role("button", name=say("scratches_undo")).click()  # but the stroke does
    choose(page, "cnn")
    restore(page)
    assert "Mended: " in page.locator("#restore-measures").inner_text()
    given = photo_at(page, page.locator("#result-degraded img"), tmp_path)
    assert np.array_equal(given.pixels, cracked.pixels)
    (address,) = [
        each.get_attribute("href")
        for each in page.locator(".file-preview:visible a").all()
        if "mask" in (each.get_attribute("href") or "")
    ]
    (tmp_path / "mask.png").write_bytes(contents(page, address or ""))
    mask = image.load(tmp_path / "mask.png", reduce_to=None)
    marked = mask.pixels[..., 0] > 127
    assert not marked[:200].any()
    assert marked[457:464, 210:300].all()
    recipe = Recipe(
        size="own", inpaint=Inpainting(mask=drawn_sha256(mask)), look=Look(colour="auto"), models={"cnn": None}
    )
    expected = pipeline.run(restorer, cracked, recipe, drawn=mask).restored["cnn"].photo
    assert shows(page, page.locator("#result-cnn img"), expected, tmp_path)


def test_a_photo_that_is_damaged_already_is_restored_whole(
    visit: Visit, restorer: Restorer, truth: Photo, tmp_path: Path
) -> None:
    page = visit()
    send(page)
    page.get_by_label(say("mode_damaged")).check()
    for unseen in (page.locator("#by-hand"), page.locator("#preview"), page.get_by_label("pad", exact=True)):
        expect(unseen).to_be_hidden()
    expect(page.locator("#look")).to_be_visible()
    expect(page.get_by_label(say("upscale_0"), exact=True)).to_be_checked()
    choose(page, "cnn")
    page.locator("#restore").click()
    expect(page.locator("#result-degraded")).to_contain_text(re.compile(r"Restoring - \d"))
    expect(page.locator(".file-preview:visible a").first).to_be_visible()

    expect(page.locator("#result-reference")).to_be_hidden()
    given, restored = (page.locator(f"#result-{kind} img") for kind in ("degraded", "cnn"))
    whole = image.load(COFFEE, reduce_to=None)
    assert shows(page, given, whole, tmp_path)
    assert shows(page, restored, restorer.restore_whole(whole, "cnn").photo, tmp_path)
    assert restored.get_attribute("alt") == "CNN 600×400"
    before, after = page.locator("#slider img").all()
    assert contents(page, seen(before)) == contents(page, seen(given))
    assert contents(page, seen(after)) == contents(page, seen(restored))
    assert {drawn_as(picture) for picture in (given, restored, before, after)} == {"auto"}

    judged = page.locator("#restore-measures").inner_text()
    assert "Its own colours were kept." in judged
    assert "PSNR" not in judged
    assert "SSIM" not in judged
    assert say("fell_back").strip() not in judged  # as nothing was enlarged
    for line in table(page, "#restore-measures"):
        assert re.fullmatch(r"(hardly any|a little|visible|strong) \([\d.]+\)", line[1])
        assert re.fullmatch(r"(sharp|a little soft|soft|blurred) \([\d.]+\)", line[2])
    assert [line[0] for line in table(page, "#restore-measures")] == ["Your photo", "CNN"]

    page.get_by_role("button", name=say("samples")).click()
    page.get_by_role("button", name=say("samples_run")).click()
    samples = page.locator(".gallery-container img:visible, .grid-container img:visible")
    expect(samples).to_have_count(8)
    seen(samples.first)
    assert samples.first.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [128, 128]

    page.get_by_label(say("mode_degrade")).check()  # and everything is as it was
    expect(page.locator("#look")).to_be_hidden()
    expect(page.get_by_label("pad", exact=True)).to_be_visible()
    wait_for_picture(page, page.locator("#preview img"), PRESETS["original"].draw(0).apply(truth, 0), tmp_path)


def test_the_vae_draws_eight_samples_and_a_map(visit: Visit) -> None:
    page = visit()
    send(page)
    choose(page, "vae")
    restore(page)
    page.get_by_role("button", name=say("samples")).click()
    page.get_by_role("button", name=say("samples_run")).click()
    samples = page.locator(".gallery-container img:visible, .grid-container img:visible")
    expect(samples).to_have_count(8)
    addresses = {seen(picture) for picture in samples.all()}
    assert len({contents(page, address) for address in addresses}) == 8
    assert [picture.get_attribute("alt") for picture in samples.all()] == [f"sample {place}" for place in range(1, 9)]
    where = page.get_by_role("img", name=say("samples_map"))
    seen(where)
    whole = "img => img.getBoundingClientRect().bottom <= img.closest('.block').getBoundingClientRect().bottom + 1"
    assert where.evaluate(whole)


# --- The other tabs ---------------------------------------------------------------------------------------------------


def test_compare_shows_all_models_and_marks_the_best(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    send(page)
    open_tab(page, "tab_compare")
    page.locator("#compare").click()
    candidates = ("degraded", *TITLES)
    shown = {name: page.locator(f"#compare-{name} img") for name in ("original", *candidates)}
    photos = {name: photo_at(page, picture, tmp_path) for name, picture in shown.items()}
    lines = table(page, "#compare-measures")
    assert [line[0] for line in lines] == ["Degraded", *TITLES.values()]
    scores = {TITLES[name]: metrics.psnr(photos[name], photos["original"]) for name in TITLES}
    for title, *cells in lines[1:]:
        assert ("★ best" in cells[1]) == (max(scores.values()) - scores[title] < 0.05)  # a smaller lead is none

    maps = page.get_by_role("img", name=re.compile("^Where .* differs from the original: [\\d.]+ levels"))
    expect(maps).to_have_count(0)
    page.get_by_label(say("error_maps")).check()
    expect(maps).to_have_count(len(candidates))
    difference = np.abs(photos["vae"].pixels.astype(float) - photos["original"].pixels).mean()
    expect(maps.nth(1)).to_have_attribute("alt", re.compile(f"VAE .*: {difference:.1f} levels"))
    page.get_by_label(say("error_maps")).uncheck()
    expect(maps).to_have_count(0)


def test_robustness_draws_a_plot_and_writes_a_table(visit: Visit) -> None:
    page = visit()
    send(page)
    open_tab(page, "tab_robustness")
    page.locator("#sweep").click()
    seen(page.locator("#plot img"))
    seen(page.locator("#strip img"))
    alt = page.locator("#plot img").get_attribute("alt") or ""
    assert all(title in alt for title in ("Degraded", *TITLES.values()))
    assert page.locator("#strip img").get_attribute("alt")
    for title in TITLES.values():
        expect(page.locator("#verdict")).to_contain_text(re.compile(rf"\b{title} (never )?helped"))
    address = page.locator(".file-preview:visible a[href$='.csv']").get_attribute("href") or ""
    lines = list(csv.DictReader(io.StringIO(contents(page, address).decode("utf-8-sig"))))
    strengths, candidates = ({line[column] for line in lines} for column in list(lines[0])[:2])
    assert len(lines) == 8 * (1 + len(TITLES))
    assert len(strengths) == 8
    assert candidates == {"Degraded", *TITLES.values()}


def test_a_batch_restores_what_it_can_and_says_what_it_cannot(visit: Visit, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as album:
        album.write(EXAMPLES / "chelsea.jpg", "pets/chelsea.jpg")
    (tmp_path / "notes.txt").write_text("no photo " * 20)
    page = visit()
    open_tab(page, "tab_batch")
    files = page.locator("#batch-files input[type=file]")
    files.set_input_files([COFFEE, tmp_path / "album.zip", tmp_path / "notes.txt"])
    expect(page.locator("#batch-files .file-preview tr")).to_have_count(3)
    page.locator("#batch").click()
    summary = page.locator("#batch-summary")
    expect(summary).to_contain_text("2 of 3 restored.")
    expect(summary.locator("li")).to_have_count(1)
    expect(summary.locator("li")).to_contain_text("notes.txt: notes.txt is not a picture")
    address = page.locator("#batch-zip a").first.get_attribute("href") or ""
    restored = zipfile.ZipFile(io.BytesIO(contents(page, address)))
    assert sorted(restored.namelist()) == ["batch.jsonl", "coffee.jpg", "pets/chelsea.jpg"]
    assert restored.read("coffee.jpg").startswith(b"\xff\xd8")


@LANGUAGES
def test_about_draws_and_scores_every_model(visit: Visit, french: bool) -> None:
    page = visit(french=french)
    open_tab(page, "about_tab", french)
    about = page.locator(".about")
    expect(about).to_be_visible()
    for title in TITLES.values():
        expect(about.get_by_role("img", name=text("about_d_title", french, model=title))).to_be_visible()
        expect(about.get_by_role("row", name=re.compile(rf"^{title} \d"))).to_be_visible()


# --- The recipe -------------------------------------------------------------------------------------------------------


def test_a_recipes_link_reopens_the_app_in_the_same_state(visit: Visit) -> None:
    page = visit()
    send(page)
    page.get_by_label("heavy", exact=True).check()
    page.get_by_label("Seed", exact=True).press_sequentially("7")  # after the 0 that stands there
    expect_strengths(page, PRESETS["heavy"].draw(7))
    page.get_by_label("pad", exact=True).check()
    choose(page, "vae", "gan", scale=2)
    page.get_by_label("Upscale with").click()
    page.get_by_role("option", name=say("engine_bicubic")).click()
    restore(page)
    page.get_by_role("button", name=say("recipe"), exact=False).click()
    address = page.locator("#recipe-link textarea, #recipe-link input")
    expect(address).to_have_value(re.compile(r"\?recipe=[\w-]+$"))
    link = address.input_value()

    reopened = visit(link)
    expect(reopened.get_by_text(say("recipe_loaded"))).to_be_visible()
    expect_strengths(reopened, PRESETS["heavy"].draw(7))  # the values come just after the words
    assert settings(reopened) == settings(page)
    send(reopened)
    restore(reopened)
    for picture in ("degraded", "vae", "gan", "gan-large"):
        here, there = (seen(each.locator(f"#result-{picture} img")) for each in (page, reopened))
        assert contents(page, here) == contents(reopened, there)


def test_a_whole_photos_recipe_sets_how_it_is_to_look(visit: Visit, url: str) -> None:
    look = Look(colour="new", colour_strength=1.5, tone=0.25, sample=5)
    recipe = Recipe(size="own", look=look, seed=11, models={"vae": None})
    page = visit(f"{url}?recipe={recipe.to_link()}")
    expect(page.get_by_label(say("mode_damaged"))).to_be_checked()
    expect(page.locator("#preview")).to_be_hidden()
    page.locator("#look button").first.click()
    expect(page.get_by_label(say("colour_new"), exact=True)).to_be_checked()
    for label, value in (("look_strength", "1.5"), ("look_tone", "0.25"), ("look_sample", "5")):
        expect(page.locator("#look .block", has_text=say(label)).locator("input[type=number]")).to_have_value(value)
    expect(page.get_by_label(say("upscale_0"), exact=True)).to_be_checked()


# --- Words, widths, keys ----------------------------------------------------------------------------------------------


WORDS = """() => {
  const said = [document.body.innerText];
  for (const each of document.querySelectorAll("body *"))
    for (const name of ["alt", "aria-label", "placeholder", "title"])
      if (each.hasAttribute(name)) said.push(each.getAttribute(name));
  return said.join("\\n");
}"""


CUT_OFF = """() => [...document.querySelectorAll("img, button:not([tabindex='-1']), input, table, p")]
  .filter(each => each.checkVisibility() && !each.closest(".wide"))  // what scrolls on its own may be wide
  .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
  .map(each => each.outerHTML.slice(0, 200))"""


def run_everything(page: Page, french: bool) -> Iterator[str]:
    """Each tab in turn, with a result where it has any."""
    send(page)
    choose(page, "vae", "cnn", french=french)
    restore(page)
    yield "tab_restore"
    open_tab(page, "tab_blind", french)
    page.locator("#blind-photo input[type=file]").set_input_files(COFFEE)
    seen(page.locator("#blind-photo img"))
    page.locator("#blind-run").click()
    page.locator("#blind-keep-0").click()
    expect(page.locator("#blind-told table")).to_be_visible()
    yield "tab_blind"
    for tab, button, shown in (
        ("tab_compare", "#compare", "#compare-measures table"),
        ("tab_robustness", "#sweep", "#strip img"),
    ):
        open_tab(page, tab, french)
        page.locator(button).click()
        expect(page.locator(shown)).to_be_visible()
        yield tab
    for tab in ("tab_batch", "about_tab"):
        open_tab(page, tab, french)
        expect(page.locator("#batch" if tab == "tab_batch" else ".about")).to_be_visible()
        yield tab


@LANGUAGES
def test_every_tab_speaks_the_visitors_language(visit: Visit, french: bool) -> None:
    page = visit(french=french)
    expect(page.get_by_role("tab")).to_have_text([say(tab, french) for tab in TABS])
    page.get_by_role("button", name=say("recipe", french)).click()
    keys = {key for key in SENTENCES if "_" in key} - {*CONTROLS}  # a recipe's JSON names controls by their key
    others = {pair[not french] for pair in SENTENCES.values() if len(pair[0]) > 9 and pair[0] != pair[1]}
    for tab in run_everything(page, french):
        said = page.evaluate(WORDS)
        assert "__i18n__" not in said, tab
        assert "[object Object]" not in said, tab
        assert not re.search(r"\bundefined\b|\bNaN\b", said), tab
        lines = set(said.split("\n"))
        assert not lines & others, tab  # no sentence of the other language
        assert not lines & keys, tab  # no key in the place of its sentence
        if tab == "tab_restore":
            head = page.locator("#restore-measures thead th").all_inner_texts()
            assert head[0] == say("photo_column", french)
            assert head[-2:] == [say("helped", french), say("time", french)]
            assert say("better", french) in page.locator("#restore-measures tbody").inner_text()
            assert say("best", french) in page.locator("#restore-measures tbody").inner_text()


@LANGUAGES
def test_gradio_finds_every_sentence(visit: Visit, french: bool) -> None:
    """A key that is also a section of its own translations would be "[object Object]"; a dot would lead into one."""
    with gr.Blocks() as demo:
        for key in SENTENCES:
            gr.Textbox(label=i18n(key), elem_id=f"sentence-{key}")
        gr.Button(elem_id="restore")  # by which a page is known to be there
    _, address, _ = demo.launch(i18n=i18n, prevent_thread_lock=True, quiet=True)
    try:
        page = visit(address, french=french)
        expect(page.locator("#sentence-run label")).to_have_text(say("run", french))
        labels = "boxes => boxes.map(box => [box.id, box.querySelector('label span').textContent])"
        shown = dict(page.locator("[id^=sentence-]").evaluate_all(labels))
        expected = {f"sentence-{key}": pair[french] for key, pair in SENTENCES.items()}
        assert {key: each.split() for key, each in shown.items()} == {
            key: each.split() for key, each in expected.items()
        }
    finally:
        demo.close()


@pytest.mark.parametrize(("theme", "french"), [("light", False), ("dark", True)], ids=["light-en", "dark-fr"])
def test_a_phone_needs_no_sideways_scrolling(visit: Visit, url: str, theme: str, french: bool) -> None:
    page = visit(f"{url}?__theme={theme}", french=french, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    expect(page.locator("#control-gaussian")).to_be_hidden()  # the sliders are folded, so that results are near
    for tab in run_everything(page, french):
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, tab
        assert page.evaluate(CUT_OFF) == [], tab


def test_every_picture_of_a_result_has_words(visit: Visit) -> None:
    page = visit()
    counts = {"tab_restore": 5, "tab_blind": 4, "tab_compare": 6, "tab_robustness": 3}  # with what the networks get
    for tab in run_everything(page, french=False):
        results = page.locator(".result img:visible")
        expect(results).to_have_count(counts.get(tab, 0))
        assert all(picture.get_attribute("alt") for picture in results.all()), tab
    open_tab(page, "tab_restore")  # where everything still is, with the photo beside it
    expect(page.locator("#photo")).to_be_visible()
    expect(page.locator(".result img:visible")).to_have_count(counts["tab_restore"])


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit()
    page.on("filechooser", lambda chooser: None)  # from now on, so that the first Enter does not come too early

    def tab_to(selector: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("css => document.activeElement.matches(css)", selector):
                return
        pytest.fail(f"Tab never reaches {selector}")

    tab_to("#photo button")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(COFFEE)
    preview = page.locator("#preview img")
    before = seen(preview)
    tab_to("input[type=radio][value=heavy]")
    page.keyboard.press("Space")
    expect(preview).not_to_have_attribute("src", before)
    before = seen(preview)
    tab_to("#control-gaussian input[type=range]")
    page.keyboard.press("ArrowRight")
    expect(preview).not_to_have_attribute("src", before)
    tab_to("[role=tab]")
    tab_to("#models input")
    tab_to("#restore")
    page.keyboard.press("Enter")
    expect(page.locator("#restore-measures table")).to_be_visible()
    seen(page.locator("#result-vae img"))


# --- What strangers may try -------------------------------------------------------------------------------------------


def test_a_link_from_a_stranger_runs_nothing(visit: Visit, url: str) -> None:
    """Its names are shown in messages, of which Gradio makes HTML."""
    tag = '<img src="x" onerror="window.hacked = 1"><script>window.hacked = 1</script>'
    for recipe in (Recipe(models={tag: None}), Recipe(models={"vae": None}, versions={tag: "1"})):
        page = visit(f"{url}?recipe={recipe.to_link()}")
        expect(page.get_by_text("‹img src").first).to_be_visible()
        assert page.evaluate("window.hacked") is None


def test_a_photo_that_the_browser_cannot_show_is_seen_as_the_networks_see_it(visit: Visit, tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    Image.open(COFFEE).save(tmp_path / "a.heic")
    page = visit()
    send(page, tmp_path / "a.heic")
    expect(page.get_by_text(say("photo_unshown")).first).to_be_visible()
