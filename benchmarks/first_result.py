"""`python -m benchmarks.first_result`: how near a visitor's first restored picture is, in Chromium: in clicks, on the
screen, by keyboard and in seconds.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from PIL import Image

from .common import ROOT, Json, write
from .serving import DESK, PHONE, visited

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

SIDE = 1024
"""Of the photo that is dropped, in pixels."""
TIMES = 5
PATIENCE = 120_000
"""Milliseconds that anything may take."""
DRAWN = """css => {
  const img = document.querySelector(css);
  return img?.checkVisibility() && img.complete && img.naturalWidth && performance.now();
}"""
"""Milliseconds of the page's clock, as soon as a picture is drawn."""


def main() -> None:
    """Measure, and write benchmarks/results/first_result.json."""
    with tempfile.TemporaryDirectory() as folder, visited() as (browser, url):
        photo = Path(folder) / "megapixel.png"
        with Image.open(ROOT / "assets" / "examples" / "astronaut.jpg") as example:
            example.resize((SIDE, SIDE)).save(photo)
        runs = [measure(browser, url, photo, DESK) for _ in range(TIMES)]
        phone = measure(browser, url, photo, PHONE)
        results = {
            "cores": os.cpu_count(),
            "clicks": runs[0]["clicks"],
            "desk": runs[0]["place"],
            "phone": phone["place"],
            "tabs": tabs(browser, url),
            **{key: round(median(run[key] for run in runs), 2) for key in ("opening", "first", "all")},
        }
    write("first_result", results)


def opened(browser: Browser, url: str, screen: ViewportSize) -> Page:
    """A page with its example, for a new visitor."""
    page = browser.new_page(viewport=screen)
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    return page


def measure(browser: Browser, url: str, photo: Path, screen: ViewportSize) -> Json:
    """Open the page, drop ``photo``, and wait for everything that comes of it."""
    page = opened(browser, url, screen)
    example = drawn(page, "#viewer .after")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.wait_for_selector("#restore:not(:disabled)")
    page.evaluate("window.clicks = 0; addEventListener('click', () => window.clicks++, true)")
    dropped = page.evaluate("performance.now()")
    page.set_input_files("#photo input[type=file]", photo)
    first = drawn(page, f"#viewer .after[src*='/{photo.stem}_']")
    box = page.locator("#viewer .after").bounding_box()
    assert box
    last = drawn(page, "#viewer .choices label:has(input[value=cnn]) img")
    found = {
        "opening": (example - paint) / 1000,
        "first": (first - dropped) / 1000,
        "all": (last - dropped) / 1000,
        "clicks": page.evaluate("window.clicks"),
        "place": {"top": round(box["y"]), "width": round(box["width"])},
    }
    page.close()
    return found


def drawn(page: Page, selector: str) -> float:
    """Milliseconds of the page's clock when the picture at ``selector`` was drawn."""
    return float(page.wait_for_function(DRAWN, arg=selector).json_value())


def tabs(browser: Browser, url: str) -> int:
    """How often Tab is pressed from the top of the page to Restore."""
    page = opened(browser, url, DESK)
    page.wait_for_selector("#restore:not(:disabled)")
    for presses in range(1, 200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "restore":
            return presses
    sys.exit("Tab does not reach Restore.")


if __name__ == "__main__":
    main()
