"""The app under a path of another server, behind nginx by what docs/app.md shows, and behind a stand-in for it."""

from __future__ import annotations

import getpass
import re
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from gradio_client import Client, handle_file

from benchmarks.serving import serve
from deploy.process import free_port
from tests.conftest import EXAMPLES
from tests.reverse_proxy import ReverseProxy
from tests.ui.conftest import Visit
from tests.ui.test_readme import ADDRESS, block

if TYPE_CHECKING:
    from playwright.sync_api import Page

COFFEE = EXAMPLES / "coffee.jpg"
AROUND = """daemon off; user {user}; pid {folder}/pid; error_log {folder}/log;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/1; uwsgi_temp_path {folder}/2; scgi_temp_path {folder}/3;
    add_header Referrer-Policy no-referrer;
    server {{ listen 127.0.0.1:{port}; location = /favicon.ico {{ return 204; }} {block} }}
}}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("app"), "--root-path", "/lab/") as address:
        yield address


@pytest.fixture(scope="module", params=["nginx", "stand-in"])
def url(request: pytest.FixtureRequest, app: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where visitors find the app."""
    if request.param == "stand-in":
        with ReverseProxy(app) as proxy:
            yield proxy.url
        return
    if not shutil.which("nginx"):
        pytest.skip("needs nginx")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    shown = block("docs/app.md", "Behind another server", "nginx").replace(ADDRESS, app)
    settings = AROUND.format(user=getpass.getuser(), folder=folder, port=port, block=shown)
    (folder / "nginx.conf").write_text(settings)
    nginx = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "log"])
    try:
        for _ in range(600):
            assert nginx.poll() is None, (folder / "log").read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/lab/"
    finally:
        nginx.terminate()
        nginx.wait(20)


@pytest.mark.browser
def test_a_visitor_finds_everything_there(visit: Visit, url: str) -> None:
    from tests.ui.page import expect, open_tab, say, seen, send_to_laboratory, unfold

    def taken_home(page: Page, button: str) -> Path:
        with page.expect_download() as download:
            page.locator(button).click()
        return Path(download.value.path())

    page = visit()
    send_to_laboratory(page)
    assert seen(page.locator("#viewer .after")).startswith(f"{url}gradio_api/file=")
    assert "recipe.json" in str(zipfile.ZipFile(taken_home(page, "#save-all")).namelist())
    unfold(page, "#recipes")
    address = page.locator("#recipe-link textarea, #recipe-link input")
    expect(address).to_have_value(re.compile(r"\?recipe=[\w-]+$"))
    assert address.input_value().startswith(f"{url}?recipe=")
    reopened = visit(address.input_value())
    expect(reopened.get_by_text(say("recipe_loaded"))).to_be_visible()
    open_tab(page, "tab_blind")
    page.locator("#blind-run").click()
    expect(page.locator("#blind-picture-0 img")).to_be_visible()
    assert seen(page.locator("#blind-picture-0 img")).startswith(url)


def test_a_program_finds_everything_there(url: str, tmp_path: Path) -> None:
    client = Client(url, verbose=False, download_files=tmp_path)
    restored, *_ = client.predict(handle_file(COFFEE), api_name="/restore")
    assert Path(restored).read_bytes().startswith(b"\x89PNG")
    assert "Model Context Protocol" in httpx.get(f"{url}gradio_api/mcp/").text


def test_an_upload_may_be_large_there(url: str) -> None:
    response = httpx.post(f"{url}gradio_api/upload", files={"files": ("a.zip", bytes(40_000_000))}, timeout=60)
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["", "lab/"])
@pytest.mark.parametrize("door", ["proxy=https://example.org/a.png", "deep_link?session_hash=a"])
def test_doors_that_are_shut_are_shut_there(url: str, path: str, door: str) -> None:
    response = httpx.get(f"{url}{path}gradio_api/{door}")
    assert response.status_code == 404
    assert "There is nothing here" in response.json()["detail"]
