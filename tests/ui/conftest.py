"""The app in a process of its own, as its users meet it: over HTTP, as MCP tools, and in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gradio_client import Client

from benchmarks.serving import BROWSER_OPTIONS, BROWSERS, serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE = 120_000
"""Milliseconds that a busy machine may take for anything."""
Visit = Callable[..., "Page"]


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the app writes to its log."""
    return tmp_path_factory.mktemp("app") / "log"


@pytest.fixture(scope="session")
def url(log: Path) -> Iterator[str]:
    """The address of the running app; at the end nothing unforeseen may stand in its log."""
    with serve(log.parent) as address:
        yield address


@pytest.fixture(scope="session")
def client(url: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(url, verbose=False, download_files=tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as long as a file's tests run: Playwright's loop would be in the way of others'."""
    playing = pytest.importorskip("playwright.sync_api", reason='needs playwright: pip install -e ".[dev]"')
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"needs a browser, one of: {', '.join(BROWSERS)}")
    playing.expect.set_options(timeout=PATIENCE)
    with playing.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=BROWSER_OPTIONS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Visit]:
    """Opens the app for a new visitor; at the end no page may have reported an error or asked another host."""
    contexts, visited, wrong = [], [], []

    def opened(address: str = url, *, french: bool = False, **options: Any) -> Page:
        context = browser.new_context(
            **{"locale": "fr-FR" if french else "en-GB", "viewport": {"width": 1280, "height": 900}, **options}
        )
        contexts.append(context)
        visited.append(address.partition("?")[0])
        context.set_default_timeout(PATIENCE)
        context.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        context.on("request", lambda asked: wrong.append(asked.url) if foreign(asked.url) else None)
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("#restore", state="attached")
        return page

    def foreign(address: str) -> bool:
        return not address.startswith((*visited, "data:", "blob:"))

    yield opened
    for context in contexts:
        context.close()
    assert not wrong
