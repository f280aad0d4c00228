"""The app in a process of its own, and a browser that visits it: for tests, benchmarks and the README's pictures."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.process import free_port, launched

from .common import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""What the browser that playwright drives may be called: the system's own, so that nothing is downloaded."""
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 120_000
"""Milliseconds that anything may take in a browser."""
BROWSER_OPTIONS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@contextmanager
def serve(
    folder: Path, *options: str, mcp: bool = True, is_provoked: bool = False, checkout: Path = ROOT
) -> Iterator[str]:
    """The address of the running app, started with ``options``; ``folder`` gets its files and its log, called ``log``.

    At the end nothing unforeseen may stand in the log, unless it was provoked.
    """
    log, port = folder / "log", free_port()
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "cache")}
    command = [sys.executable, "app.py", "--port", str(port), *options, *(["--mcp"] if mcp else [])]
    with launched(command, log, lambda: " is open: " in log.read_text(), cwd=checkout, env=environment):
        yield f"http://127.0.0.1:{port}"
        assert is_provoked or "Traceback" not in log.read_text(), log.read_text()


@contextmanager
def visited(*, mcp: bool = False) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of the running app, which reaches no network."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        sys.exit(f"There is no browser; install one of: {', '.join(BROWSERS)}.")
    os.environ["HF_HUB_OFFLINE"] = "1"
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder), mcp=mcp) as url,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=BROWSER_OPTIONS) as browser,
    ):
        yield browser, url


def opened(browser: Browser, url: str, screen: ViewportSize, *, french: bool = False) -> Page:
    """The page at ``url``, for a new visitor."""
    page = browser.new_page(viewport=screen, locale="fr-FR" if french else "en-GB")
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    return page
