"""`python -m benchmarks.app`: how long a visitor waits, and how near the first restored picture is, in Chromium.

Wants a machine with nothing else to do. app.json: from the command to the app's answer, against the bare imports of
torch and gradio in the same run; from there to the first paint; and from a click to its pictures. first_result.json:
what lies between a new visitor and the first picture, in clicks, on the screen, by keyboard and in seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from PIL import Image

from ui.texts import text

from .common import EXAMPLES, Json, write
from .serving import DESK, PHONE, opened, serve, visited

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

STARTS, VISITS, PAINTS, CLICKS = 5, 5, 3, 9
DROPPED_SIDE = 1024
"""Of the photo that a new visitor drops, in pixels."""
DRAWN = """([css, before]) => {
  const img = document.querySelector(css);
  return img?.checkVisibility() && img.src !== before && img.complete && img.naturalWidth && performance.now();
}"""
"""Milliseconds of the page's clock, as soon as another picture than ``before`` is drawn."""


def starts() -> Json:
    """Seconds of the bare imports and of the app until it answers, in turn."""
    imports, answers = [], []
    for _ in range(STARTS + 1):  # the first round warms the disk's cache
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import torch, gradio"], check=True)
        imports.append(time.perf_counter() - started)
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            with serve(Path(folder), mcp=False) as url:
                urllib.request.urlopen(url).read()
                answers.append(time.perf_counter() - started)
    return {"imports": median(imports[1:]), "start": median(answers[1:])}


def first_result(browser: Browser, url: str) -> Json:
    """What a new visitor meets on the way to the first restored picture."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "megapixel.png"
        with Image.open(EXAMPLES / "astronaut.jpg") as example:
            example.resize((DROPPED_SIDE, DROPPED_SIDE)).save(photo)
        visits = [dropped(browser, url, photo, DESK) for _ in range(VISITS)]
        phone = dropped(browser, url, photo, PHONE)
    return {
        "cores": os.cpu_count(),
        "clicks": visits[0]["clicks"],
        "desk": visits[0]["place"],
        "phone": phone["place"],
        "tabs": tabs(browser, url),
        **{key: round(median(visit[key] for visit in visits), 2) for key in ("opening", "first", "all")},
    }


def dropped(browser: Browser, url: str, photo: Path, screen: ViewportSize) -> Json:
    """Open the page, drop ``photo``, and wait for everything that comes of it."""
    page = opened(browser, url, screen)
    example = drawn(page, "#viewer .after")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.wait_for_selector("#restore:not(:disabled)")
    page.evaluate("window.clicks = 0; addEventListener('click', () => window.clicks++, true)")
    began = page.evaluate("performance.now()")
    page.set_input_files("#photo input[type=file]", photo)
    first = drawn(page, f"#viewer .after[src*='/{photo.stem}_']")
    box = page.locator("#viewer .after").bounding_box()
    assert box
    last = drawn(page, beside("cnn"))
    clicks = page.evaluate("window.clicks")
    page.close()
    return {
        "opening": (example - paint) / 1000,
        "first": (first - began) / 1000,
        "all": (last - began) / 1000,
        "clicks": clicks,
        "place": {"top": round(box["y"]), "width": round(box["width"])},
    }


def tabs(browser: Browser, url: str) -> int:
    """How often Tab is pressed from the top of the page to Restore."""
    page = opened(browser, url, DESK)
    page.wait_for_selector("#restore:not(:disabled)")
    for presses in range(1, 200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "restore":
            return presses
    sys.exit("Tab does not reach Restore.")


def waits(browser: Browser, url: str) -> Json:
    """Seconds to the first paint, and milliseconds from each click to its pictures."""
    page = opened(browser, url, DESK)
    paints = []
    for _ in range(PAINTS):
        started = time.perf_counter()
        page.goto(url)
        page.wait_for_selector("#restore")
        paints.append(time.perf_counter() - started)
    found: Json = {"paint": median(paints)}
    page.wait_for_selector("#viewer .choices label >> nth=3")
    page.set_input_files("#photo input[type=file]", EXAMPLES / "coffee.jpg")
    page.wait_for_selector("#viewer .after[src*='/coffee_']")
    page.locator("#mode input").last.check()
    page.wait_for_selector("#viewer .choices label >> nth=4")
    page.click("#size > button")
    for models in (["CNN"], ["VAE", "GAN", "CNN"]):
        for name in ("VAE", "GAN", "CNN"):
            page.locator("#models").get_by_label(name).set_checked(name in models)
        for scale in (0, 4):
            page.locator("#scale").get_by_label(text(f"upscale_{scale}", False), exact=True).check()
            key = f"{'all' if len(models) > 1 else 'one'}{f'_x{scale}' if scale else ''}"
            found[key] = typical(page, beside("cnn"), lambda: page.click("#restore"))
    slider = page.locator("#control-gaussian input[type=range]")
    found["preview"] = typical(page, beside("degraded"), lambda: slider.press("ArrowRight"))
    page.get_by_role("tab", name=text("tab_robustness", False)).click()
    found["sweep"] = typical(page, "#strip img", lambda: page.click("#sweep"))
    return found


def typical(page: Page, selector: str, act: Callable[[], None]) -> float:
    """Median milliseconds from ``act`` until the picture at ``selector`` is another one, whole and drawn."""
    seconds = []
    for _ in range(CLICKS + 1):
        before = page.evaluate("css => document.querySelector(css)?.src", selector)
        started = time.perf_counter()
        act()
        drawn(page, selector, before)
        seconds.append(time.perf_counter() - started)
        page.wait_for_timeout(700)  # what follows the pictures, such as the measures, is not part of the next click
    return 1000 * median(seconds[1:])


def drawn(page: Page, selector: str, before: str | None = None) -> float:
    """When the picture at ``selector`` was drawn and no longer ``before``: milliseconds of the page's clock."""
    return float(page.wait_for_function(DRAWN, arg=[selector, before]).json_value())


def beside(kind: str) -> str:
    """Where a picture stands beside the others: it comes when it is made, and enlarged."""
    return f"#viewer .choices label:has(input[value={kind}]) img"


if __name__ == "__main__":
    measured = starts()
    with visited() as visiting:
        write("first_result", first_result(*visiting))
        write("app", {"cores": os.cpu_count(), **measured, **waits(*visiting)})
