"""Where the app listens and what it prints, and that no proxy is in its way: in real processes, by a real proxy."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from benchmarks.serving import serve
from tests.conftest import ROOT
from ui import server_address

SCHEMES = ("http", "https", "all", "no")


class _Busy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()

    do_CONNECT = do_GET


@pytest.fixture
def busy() -> Iterator[str]:
    """The address of a proxy that answers nothing but 503."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Busy) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{proxy.server_port}"
        proxy.shutdown()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set here, and by what is tested, is forgotten afterwards."""
    for scheme in SCHEMES:
        for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper()):
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("scheme", ["http", "all"])
def test_no_proxy_stands_between_the_app_and_itself(
    monkeypatch: pytest.MonkeyPatch, busy: str, scheme: str, lower: bool
) -> None:
    name = f"{scheme}_proxy"
    monkeypatch.setenv(name if lower else name.upper(), f"http://{busy}")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    with socket.create_server(("127.0.0.1", 0)) as app:
        here = f"http://127.0.0.1:{app.getsockname()[1]}"
        assert httpx.get(here).status_code == 503
        server_address.pass_by_proxies("127.0.0.1")
        with pytest.raises(httpx.ReadTimeout):  # of the app, which says nothing here
            httpx.get(here, timeout=0.2)
    assert httpx.get("http://a.example").status_code == 503  # other hosts are asked for by the proxy still
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://intranet.example")


@pytest.mark.parametrize(
    ("name", "value"), [("ALL_PROXY", "socks://127.0.0.1:9"), ("https_proxy", "ftp://a"), ("NO_PROXY", "[::1]")]
)
def test_what_is_no_proxy_is_told_and_used_for_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    server_address.pass_by_proxies("127.0.0.1")
    (said,) = caplog.messages
    assert said.startswith("No proxy is used: ")
    httpx.Client().close()


def test_the_app_starts_where_a_proxy_answers_nothing(
    monkeypatch: pytest.MonkeyPatch, busy: str, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{busy}")
    monkeypatch.setenv("NO_PROXY", "")
    with serve(tmp_path) as url:
        pass
    assert (tmp_path / "log").read_text().endswith(f"Restoration Lab is open: {url}/\n")


# --- Where it listens -------------------------------------------------------------------------------------------------


def refused(*options: str, **environment: str) -> str:
    """What the app says that cannot listen there."""
    done = subprocess.run(
        [sys.executable, "app.py", *options],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        says = (
            f"Error: Invalid value for --host, --port: Nothing can listen at port {port} of 127.0.0.1 "
            "(Address already in use); name another port, or an address of this machine."
        )
        assert refused("--port", port) == refused(GRADIO_SERVER_PORT=port) == says


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "10.9.9.9"], "Nothing can listen at 10.9.9.9 (Cannot assign requested address)"),
        (["--host", "nowhere.invalid"], "Nothing can listen at nowhere.invalid ("),
        (["--port", "70000"], "'--port'"),
    ],
)
def test_a_place_that_is_none_is_one_clear_sentence(options: list[str], says: str) -> None:
    assert says in refused(*options)


def test_temporary_files_that_cannot_be_written_are_one_clear_sentence() -> None:
    said = refused(GRADIO_TEMP_DIR=str(ROOT / "README.md" / "below"))
    assert said.startswith("Error: Invalid value for GRADIO_TEMP_DIR: Nothing can be written there (")


@pytest.mark.parametrize(
    ("url", "host", "opened"),
    [
        ("http://127.0.0.1:7860/", "127.0.0.1", "http://127.0.0.1:7860/"),
        ("http://[::]:7860/", "::", "http://[::1]:7860/"),
        ("http://localhost:7860/", server_address.EVERYWHERE, "http://localhost:7860/"),
    ],
)
def test_what_is_printed_can_be_opened(url: str, host: str, opened: str) -> None:
    assert server_address.told(url, host).split()[0] == opened


@pytest.mark.parametrize(
    ("given", "root_path"),
    [("", None), ("/", None), ("lab", "/lab"), ("/lab/", "/lab"), ("https://a.example/lab/", "https://a.example/lab")],
)
def test_a_path_may_be_written_in_any_way(given: str, root_path: str | None) -> None:
    assert server_address.prefix(given) == root_path
