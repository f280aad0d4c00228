"""`python -m benchmarks.screenshots`: the app's tabs in Chromium, for the README: assets/screens/*.jpg."""

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

from restoration.image import write_whole
from ui.texts import text

from .serving import BROWSER_OPTIONS, BROWSERS, serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
SCREENS = ROOT / "assets" / "screens"
EXAMPLES = ROOT / "assets" / "examples"
QUALITY = 78
PATIENCE = 120_000
"""Milliseconds that anything may take."""


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
        page = restored(browser, url, width=1280)
        shot(page, "restore", until="#restore-measures")
        for tab, (act, until) in TABS.items():
            page.get_by_role("tab", name=text(tab, False)).click()
            act(page)
            shot(page, tab.replace("tab", "").strip("_"), until)
        page = restored(browser, f"{url}?__theme=dark", width=390, french=True)
        shot(page, "phone", until="#result-cnn-large", since="[role=tablist]")


def restored(browser: Browser, url: str, width: int, french: bool = False) -> Page:
    """The app with a result, enlarged by the network that the repository has."""
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="fr-FR" if french else "en-GB")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    page.set_input_files("#photo input[type=file]", EXAMPLES / "coffee.jpg")
    page.wait_for_selector("#preview img")
    page.get_by_label(text("engine", french)).click()
    page.get_by_role("option", name=text("engine_fast", french)).click()
    page.click("#restore")
    page.wait_for_selector("#slider img >> nth=1")
    return page


def compare(page: Page) -> None:
    page.click("#compare")
    page.wait_for_selector("#compare-cnn img")
    page.get_by_label(text("error_maps", False)).check()
    page.wait_for_selector("img[src$='cnn_error.png']")


def sweep(page: Page) -> None:
    page.click("#sweep")
    page.wait_for_selector("#strip img")


def batch(page: Page) -> None:
    page.set_input_files("#batch-files input[type=file]", sorted(EXAMPLES.glob("*.jpg"))[:4])
    page.wait_for_selector("#batch-files .file-preview tr >> nth=3")
    page.click("#batch")
    page.wait_for_selector("#batch-zip a")


def read(page: Page) -> None:
    page.wait_for_selector(".about figure")


# What is done in each tab, and the last element that its picture shows.
TABS: dict[str, tuple[Callable[[Page], None], str]] = {
    "tab_compare": (compare, "img[src$='cnn_error.png']"),
    "tab_robustness": (sweep, "#plot"),
    "tab_batch": (batch, "#batch-zip"),
    "about_tab": (read, ".about figure"),
}


def shot(page: Page, name: str, until: str, since: str = "html") -> None:
    """Write the page from the top of ``since`` to the bottom of ``until``, once every picture of it is drawn."""
    page.mouse.move(0, 0)
    page.wait_for_function(
        "() => [...document.images].every(img => !img.checkVisibility() || (img.complete && img.naturalWidth))"
        " && !document.querySelector('.generating, .progress-text')"
    )
    top, bottom, width = page.evaluate(
        """([since, until]) => {
          const [first, last] = [since, until].map(css => document.querySelector(css).getBoundingClientRect());
          return [first.top + scrollY, last.bottom + scrollY + 12, innerWidth];
        }""",
        [since, until],
    )
    with Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled"))) as whole:
        cut = whole.convert("RGB").crop((0, round(top), width, min(round(bottom), whole.height)))
    written = io.BytesIO()
    cut.save(written, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    write_whole(SCREENS / f"{name}.jpg", written.getvalue())


if __name__ == "__main__":
    main()
