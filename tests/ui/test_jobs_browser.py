"""Batches and stress tests in Chromium: stopped, and found again by a page that lost its connection."""

from __future__ import annotations

import io
import re
import shutil
import socket
import threading
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import EXAMPLES
from tests.ui.conftest import Visit
from tests.ui.page import LANGUAGES, TITLES, contents, expect, open_tab, say, seen, send

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
STOP_AT_ONCE = """() => new Promise((resolve) => {
  new MutationObserver((_, observer) => {
    const stop = document.querySelector("#sweep-stop");
    if (!stop?.checkVisibility()) return;
    observer.disconnect();
    resolve(stop.click());
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
  document.querySelector("#sweep").click();
})"""
"""Before a quick machine is done."""
LINK = re.compile(r"\?job=(batch|robustness)-[\w-]{22}$")


class Line:
    """A way to the app that can be cut."""

    def __init__(self, app: str) -> None:
        self._app = ("127.0.0.1", int(app.rpartition(":")[2]))
        self._is_cut = False
        self._ends: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Line:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Close every connection, and every new one at once."""
        self._is_cut = True
        for end in list(self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def _accept(self) -> None:
        with suppress(OSError):  # when it is closed
            while True:
                near, _ = self._server.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.create_connection(self._app)
                self._ends |= {near, far}
                if self._is_cut:  # while this one came
                    self.cut()
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            self._ends.discard(end)


def copies(folder: Path, count: int) -> list[Path]:
    """A photo under several names: 0.jpg and so on."""
    return [Path(shutil.copy(EXAMPLES / "coffee.jpg", folder / f"{place}.jpg")) for place in range(count)]


def begin_batch(page: Page, paths: list[Path], french: bool = False) -> str:
    """Start a batch; its link, once the page goes by it."""
    open_tab(page, "tab_batch", french)
    page.locator("#batch-files input[type=file]").set_input_files(paths)
    expect(page.locator("#batch-files .file-preview tr")).to_have_count(len(paths))
    page.locator("#batch").click()
    expect(page).to_have_url(LINK)
    return page.url


def restored(page: Page) -> zipfile.ZipFile:
    """The results, when they are there."""
    link = page.locator("#batch-zip a").first
    expect(link).to_be_visible()
    return zipfile.ZipFile(io.BytesIO(contents(page, link.get_attribute("href") or "")))


def rests(page: Page, button: str) -> None:
    """Nothing runs, and something may be run."""
    expect(page.locator(f"{button}-stop")).to_be_hidden()
    expect(page.locator(button)).to_be_enabled()


@LANGUAGES
def test_a_stopped_batch_gives_what_is_finished(visit: Visit, tmp_path: Path, french: bool) -> None:
    page = visit(french=french)
    paths = [*copies(tmp_path, 1), *(EXAMPLES / f"{name}.jpg" for name in ("china", "chelsea"))]
    begin_batch(page, paths, french)
    stop = page.locator("#batch-stop")
    expect(stop).to_have_text(say("stop", french))
    expect(page.locator("#batch")).to_be_disabled()
    stop.click()
    summary = page.locator("#batch-summary")
    said = "[12] sur 3 restaurées. Arrêt demandé" if french else "[12] of 3 restored. It was stopped"
    expect(summary).to_contain_text(re.compile(said))
    names = restored(page).namelist()
    assert names[0] == "0.jpg"
    assert names[-1] == "batch.jsonl"
    assert 2 <= len(names) <= 3
    rests(page, "#batch")


def test_a_page_that_is_closed_and_opened_by_its_link_has_the_result(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    link = begin_batch(page, copies(tmp_path, 6))
    field = page.locator("#batch-link textarea, #batch-link input")
    expect(field).to_have_value(link)
    page.close()
    reopened = visit(link)
    expect(reopened.locator("#batch-stop")).to_be_visible()  # it still goes on, in the tab that it belongs to
    expect(reopened.locator("#batch-summary")).to_contain_text("6 of 6 restored.")
    assert len(restored(reopened).namelist()) == 7
    rests(reopened, "#batch")
    again = visit(link)
    assert len(restored(again).namelist()) == 7


def test_a_connection_that_was_lost_loses_no_result(browser: Browser, url: str, tmp_path: Path) -> None:
    """As when a phone is locked: Gradio reloads the page when the app can be reached again."""
    with Line(url) as line, browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.goto(line.url)
        expect(page.locator("#restore")).to_be_visible()
        begin_batch(page, copies(tmp_path, 8))
        expect(page.locator("#batch-stop")).to_be_visible()
        line.cut()
        expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
        page.wait_for_timeout(3000)
        line.mend()
        expect(page.locator("#batch-summary")).to_contain_text("8 of 8 restored.")
        assert len(restored(page).namelist()) == 9
        rests(page, "#batch")


def test_a_stopped_stress_test_shows_the_models_that_are_done(visit: Visit) -> None:
    page = visit()
    send(page)
    open_tab(page, "tab_robustness")
    steps = page.get_by_label("number input for Severities")
    steps.fill("32")
    steps.blur()
    page.evaluate(STOP_AT_ONCE)
    verdict = page.locator("#sweep-verdict")
    expect(verdict).to_contain_text("It was stopped before")
    rests(page, "#sweep")


def test_a_stress_test_is_found_by_its_link(visit: Visit) -> None:
    page = visit()
    send(page)
    open_tab(page, "tab_robustness")
    page.locator("#sweep").click()
    expect(page).to_have_url(LINK)
    link = page.url
    page.close()
    reopened = visit(link)
    seen(reopened.locator("#plot img"))
    seen(reopened.locator("#strip img"))
    for title in TITLES.values():
        expect(reopened.locator("#sweep-verdict")).to_contain_text(title)
    before = seen(reopened.locator("#plot img"))
    reopened.get_by_label(say("measure"), exact=True).click()
    reopened.get_by_role("option", name=say("ssim"), exact=True).click()
    expect(reopened.locator("#plot img")).not_to_have_attribute("src", before)


@LANGUAGES
def test_a_link_whose_result_has_gone_says_so(visit: Visit, url: str, french: bool) -> None:
    page = visit(f"{url}?job=batch-{'0' * 22}", french=french)
    expect(page.get_by_text(say("job_gone", french).format(minutes=30))).to_be_visible()
    rests(page, "#batch")


def test_another_photo_stops_the_stress_test_of_the_last(visit: Visit) -> None:
    page = visit()
    send(page)
    open_tab(page, "tab_robustness")
    page.locator("#sweep").click()
    expect(page.locator("#sweep-stop")).to_be_visible()
    page.locator("#examples").get_by_label(say("example_flower")).check()
    rests(page, "#sweep")
    expect(page.locator("#plot img")).to_have_count(0)
    expect(page.locator("#sweep-link")).to_be_hidden()
