"""The blind test in Chromium: a visitor votes, and only then learns whose the pictures are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.serving import serve
from restoration import PRESETS, Restorer, image
from restoration.blind_test.ranking import LEAST
from restoration.blind_test.votes import Folder, Vote
from tests.conftest import EXAMPLES
from tests.ui.conftest import PATIENCE, Visit
from tests.ui.page import open_tab, send, wait_for_opening
from ui.context import TITLES

pytestmark = pytest.mark.browser

sync_api = pytest.importorskip("playwright.sync_api", reason='needs playwright: pip install -e ".[dev]"')
if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = sync_api.expect
expect.set_options(timeout=PATIENCE)

COFFEE = EXAMPLES / "coffee.jpg"
TELLING = re.compile(rf"\b({'|'.join({*TITLES, *TITLES.values()})})\b", re.IGNORECASE)
PLACES = range(len(TITLES))
HTML = (
    "() => [...document.querySelectorAll('[role=tabpanel]')].find(each => each.querySelector('#blind-run')).outerHTML"
)
"""The tab with all that is written in it, seen or unseen."""


@pytest.fixture(scope="module")
def votes(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Where the app keeps them; there are nearly enough for a ranking."""
    restorer, kept = Restorer("cpu"), Folder(tmp_path_factory.mktemp("votes"))
    weights = {name: restorer.weights_sha256(name) for name in TITLES}
    for seed in range(LEAST - 1):
        choice = "gan" if seed % 3 else "cnn"
        kept.add(Vote(weights=weights, shown=(*TITLES,), choice=choice, preset="light", seed=seed, time="2026-01-01"))
    return kept


@pytest.fixture(scope="module")
def voting(votes: Folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that keeps votes."""
    with serve(tmp_path_factory.mktemp("app"), "--votes", str(votes.path.parent), mcp=False) as address:
        yield address


def begin(page: Page, french: bool = False) -> None:
    """Open the tab, and have a photo damaged and restored."""
    send(page)
    open_tab(page, "tab_blind", french)
    page.locator("#blind-run").click()
    for place in PLACES:
        wait_for_picture(page, place)


def wait_for_picture(page: Page, place: int) -> None:
    expect(page.locator(f"#blind-picture-{place} img")).to_be_visible()
    page.wait_for_function(f"() => document.querySelector('#blind-picture-{place} img').naturalWidth === 128")


def pixels(page: Page, place: int, folder: Path) -> np.ndarray:
    """Of a picture, as the visitor gets it."""
    address = page.locator(f"#blind-picture-{place} img").get_attribute("src") or ""
    (folder / "seen.png").write_bytes(page.request.get(address).body())
    found: np.ndarray = image.load(folder / "seen.png", reduce_to=None).pixels
    return found


def test_a_visitor_votes_and_learns_whose_the_pictures_are(
    visit: Visit, voting: str, votes: Folder, restorer: Restorer, tmp_path: Path
) -> None:
    page, before = visit(voting), len(votes.all())
    begin(page)
    for place, letter in zip(PLACES, "ABC", strict=True):
        picture = page.locator(f"#blind-picture-{place} img")
        box = picture.bounding_box()
        assert box
        assert box["width"] >= 300
        assert picture.get_attribute("alt") == f"Restoration {letter}"
        assert (picture.get_attribute("src") or "").endswith(f"/{letter}.png")
    assert not TELLING.search(page.evaluate(HTML))
    shown = [pixels(page, place, tmp_path) for place in PLACES]
    page.get_by_role("button", name="Keep B", exact=True).click()

    told = page.locator("#blind-told")
    expect(told.locator("h3")).to_have_text(re.compile("^You would keep B: "))
    cast = votes.all()[-1]
    assert len(votes.all()) == before + 1
    assert cast.choice == cast.shown[1]
    truth = image.fit(image.load(COFFEE))
    degraded = PRESETS[cast.preset].draw(cast.seed).apply(truth, cast.seed)
    for place, (name, seen) in enumerate(zip(cast.shown, shown, strict=True)):
        named = f"{'ABC'[place]}: {TITLES[name]}"
        expect(page.locator(f"#blind-picture-{place}").get_by_text(named, exact=True)).to_be_visible()
        expect(page.locator(f"#blind-picture-{place} img")).to_have_attribute("alt", named)
        assert np.array_equal(seen, restorer.restore(degraded, name).photo.pixels)
        expect(told.get_by_role("row", name=re.compile(f"^{named}"))).to_be_visible()
    expect(told).to_contain_text(re.compile("PSNR .*SSIM "))
    ranking = page.locator("#blind-ranking")
    expect(ranking).to_contain_text(f"Votes on these versions of the models: {before + 1}, of which for none: 0.")
    for title in TITLES.values():
        expect(ranking.get_by_role("row", name=re.compile(rf"^{title} .*\d+ % \(\d+ to \d+\)"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Keep "))).to_have_count(0)

    page.get_by_role("button", name="Another draw").click()
    expect(page.get_by_role("button", name="Keep A", exact=True)).to_be_visible()
    expect(told).to_have_text("")
    assert not TELLING.search(page.evaluate(HTML))


def test_the_keyboard_is_enough_and_french_is_spoken(visit: Visit, voting: str, votes: Folder) -> None:
    page, before = visit(voting, french=True), len(votes.all())

    def tab_to(selector: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("css => document.activeElement.matches(css)", selector):
                return
        pytest.fail(f"Tab never reaches {selector}")

    wait_for_opening(page)
    tab_to("[role=tab][aria-selected=false]")
    page.keyboard.press("Enter")
    expect(page.locator("#blind-run")).to_be_visible()
    tab_to("#blind-run")
    page.keyboard.press("Enter")
    expect(page.locator("#blind-question")).to_be_focused()
    for place in PLACES:
        wait_for_picture(page, place)
    expect(page.locator("#blind-keep-0")).to_have_text("Garder A")
    tab_to("#blind-none")
    page.keyboard.press("Enter")
    expect(page.locator("#blind-told h3")).to_be_focused()
    expect(page.locator("#blind-told h3")).to_have_text("Vous n'en garderiez aucune")
    expect(page.locator("#blind-ranking")).to_contain_text(re.compile(r"dont pour aucune : 1\."))
    assert votes.all()[-1].choice is None
    assert len(votes.all()) == before + 1


def test_on_a_phone_the_pictures_stand_below_each_other(visit: Visit, voting: str) -> None:
    page = visit(voting, viewport={"width": 390, "height": 844})
    begin(page)
    expect(page.locator("#blind-question")).to_be_focused()  # from then on nothing scrolls
    ends = -1e9
    for place in PLACES:
        picture, button = page.evaluate(
            "all => all.map(css => document.querySelector(css).getBoundingClientRect().toJSON())",
            [f"#blind-picture-{place} img", f"#blind-keep-{place}"],
        )
        assert picture["width"] > 300
        assert ends <= picture["top"] < picture["bottom"] <= button["top"]  # each button under its picture
        ends = button["bottom"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
