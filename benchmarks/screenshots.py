"""`python -m benchmarks.screenshots`: the app in Chromium, for the README: assets/screens/*.jpg."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from restoration.files import write_atomically
from ui.texts import text

from .serving import BROWSER_OPTIONS, BROWSERS, serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

ROOT = Path(__file__).resolve().parent.parent
SCREENS = ROOT / "assets" / "screens"
EXAMPLES = ROOT / "assets" / "examples"
QUALITY = 78
PATIENCE = 120_000
"""Milliseconds that anything may take."""
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


def main() -> None:
    """Take them all."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        sys.exit(f"There is no browser; install one of: {', '.join(BROWSERS)}.")
    os.environ["HF_HUB_OFFLINE"] = "1"
    SCREENS.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as url,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=BROWSER_OPTIONS) as browser,
    ):
        page = opened(browser, url, DESK)
        shot(page, "restore")
        damage(page)
        shot(page, "laboratory")
        for tab, act in TABS.items():
            page.get_by_role("tab", name=text(tab, False)).click()
            act(page)
            shot(page, tab.replace("tab", "").strip("_"))
        shot(opened(browser, f"{url}?__theme=dark", PHONE, french=True), "phone")
        shot(opened(browser, f"{url}?__theme=light", PHONE), "phone_light")


def opened(browser: Browser, url: str, screen: ViewportSize, french: bool = False) -> Page:
    """The page, with the example that it opens with."""
    context = browser.new_context(viewport=screen, locale="fr-FR" if french else "en-GB")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#viewer .choices label >> nth=3")
    return page


def damage(page: Page) -> None:
    page.locator("#mode input").last.check()
    page.wait_for_selector("#viewer .choices small:not(:empty) >> nth=3", state="attached")


def vote(page: Page) -> None:
    page.click("#blind-run")
    page.wait_for_selector("#blind-picture-2 img")


def sweep(page: Page) -> None:
    page.click("#sweep")
    page.wait_for_selector("#strip img")


def batch(page: Page) -> None:
    page.set_input_files("#batch-files input[type=file]", sorted(EXAMPLES.glob("*.jpg"))[:4])
    page.wait_for_selector("#batch-files .file-preview tr >> nth=3")
    page.click("#batch")
    page.wait_for_selector("#batch-zip a")


def read(page: Page) -> None:
    page.wait_for_selector(".about table")


# What is done in each tab.
TABS: dict[str, Callable[[Page], None]] = {
    "tab_blind": vote, "tab_robustness": sweep, "tab_batch": batch, "about_tab": read,
}  # fmt: skip


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
