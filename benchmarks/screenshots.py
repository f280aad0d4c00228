"""`python -m benchmarks.screenshots`: the app in Chromium, for the README: assets/screens/*.jpg."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from PIL import Image

from restoration.files import write_atomically
from ui.texts import text

from .common import PHOTOS, ROOT
from .serving import DESK, PHONE, opened, visited

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

SCREENS = ROOT / "assets" / "screens"
QUALITY = 78


def main() -> None:
    """Take them all."""
    with visited(mcp=True) as (browser, url):
        page = shown(browser, url, DESK)
        shot(page, "restore")
        page.locator("#mode input").last.check()
        page.wait_for_selector("#viewer .choices small:not(:empty) >> nth=3", state="attached")
        shot(page, "laboratory")
        for tab, act in TABS.items():
            page.get_by_role("tab", name=text(tab, False)).click()
            act(page)
            shot(page, tab.removeprefix("tab_"))
        shot(shown(browser, f"{url}?__theme=dark", PHONE, french=True), "phone")
        shot(shown(browser, f"{url}?__theme=light", PHONE), "phone_light")


def shown(browser: Browser, url: str, screen: ViewportSize, *, french: bool = False) -> Page:
    """The page, with the example that it opens with."""
    page = opened(browser, url, screen, french=french)
    page.wait_for_selector("#viewer .choices label >> nth=3")
    return page


def vote(page: Page) -> None:
    page.click("#blind-run")
    page.wait_for_selector("#blind-picture-2 img")


def sweep(page: Page) -> None:
    page.click("#sweep")
    page.wait_for_selector("#strip img")


def batch(page: Page) -> None:
    page.set_input_files("#batch-files input[type=file]", PHOTOS[:4])
    page.wait_for_selector("#batch-files .file-preview tr >> nth=3")
    page.click("#batch")
    page.wait_for_selector("#batch-zip a")


def read(page: Page) -> None:
    page.wait_for_selector(".about table")


TABS: dict[str, Callable[[Page], None]] = {
    "tab_blind": vote,
    "tab_robustness": sweep,
    "tab_batch": batch,
    "tab_about": read,
}
"""What is done in each tab."""


def shot(page: Page, name: str) -> None:
    """Write the first screen of the page, once every picture of it is drawn."""
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function(
        "() => [...document.images].every(img => !img.checkVisibility() || (img.complete && img.naturalWidth))"
        " && !document.querySelector('.generating, .progress-text')"
    )
    written = io.BytesIO()
    with Image.open(io.BytesIO(page.screenshot(animations="disabled"))) as screen:
        screen.convert("RGB").save(written, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    write_atomically(SCREENS / f"{name}.jpg", written.getvalue())


if __name__ == "__main__":
    main()
