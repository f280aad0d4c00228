"""`python -m benchmarks.app`: how long a visitor waits, in Chromium; wants a machine with nothing else to do.

From the command to the app's answer, against the bare imports of torch and gradio in the same run; from there to the
first paint; and from a click to its pictures.
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

from ui.texts import text

from .common import ROOT, Json, write
from .serving import DESK, serve, visited

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHOTO = ROOT / "assets" / "examples" / "coffee.jpg"
STARTS, CLICKS = 5, 9
DRAWN_ANEW = """([css, before]) => {
  const img = document.querySelector(css);
  return img && img.src !== before && img.complete && img.naturalWidth;
}"""


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


def clicks() -> Json:
    """Seconds to the first paint, and milliseconds from each click to its pictures."""
    with visited() as (browser, url):
        page = browser.new_page(viewport=DESK)
        paints = []
        for _ in range(3):
            started = time.perf_counter()
            page.goto(url)
            page.wait_for_selector("#restore")
            paints.append(time.perf_counter() - started)
        found: Json = {"paint": median(paints)}
        page.wait_for_selector("#viewer .choices label >> nth=3")
        page.set_input_files("#photo input[type=file]", PHOTO)
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
                found[key] = typical(page, small("cnn"), lambda: page.click("#restore"))
        slider = page.locator("#control-gaussian input[type=range]")
        found["preview"] = typical(page, small("degraded"), lambda: slider.press("ArrowRight"))
        page.get_by_role("tab", name=text("tab_robustness", False)).click()
        found["sweep"] = typical(page, "#strip img", lambda: page.click("#sweep"))
        return found


def small(kind: str) -> str:
    """Where a picture stands beside the others: it comes when it is made, and enlarged."""
    return f"#viewer .choices label:has(input[value={kind}]) img"


def typical(page: Page, selector: str, act: Callable[[], None]) -> float:
    """Median milliseconds from ``act`` until the picture at ``selector`` is another one, whole and drawn."""
    seconds = []
    for _ in range(CLICKS + 1):
        before = page.evaluate("css => document.querySelector(css)?.src", selector)
        started = time.perf_counter()
        act()
        page.wait_for_function(DRAWN_ANEW, arg=[selector, before])
        seconds.append(time.perf_counter() - started)
        page.wait_for_timeout(700)  # what follows the pictures, such as the measures, is not part of the next click
    return 1000 * median(seconds[1:])


if __name__ == "__main__":
    write("app", {"cores": os.cpu_count(), **starts(), **clicks()})
