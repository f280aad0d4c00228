"""What Gradio gets wrong stays put right."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import safehttpx
from gradio_client import Client, handle_file

from tests.conftest import EXAMPLES
from ui.hardening import gradio_patches

COFFEE = EXAMPLES / "coffee.jpg"


def test_a_call_without_a_session_does_not_end_the_queue(url: str, client: Client) -> None:
    config = httpx.get(f"{url}/config").json()
    wanted = next(each["id"] for each in config["dependencies"] if each["api_name"] == "sweep")
    call = {"fn_index": wanted, "data": [None] * 8, "session_hash": ""}
    for _ in range(3):
        httpx.post(f"{url}/gradio_api/queue/join", json=call)
    assert client.predict(handle_file(COFFEE), api_name="/degrade")


def test_programs_leave_no_sessions_behind() -> None:
    """In a process of our own, where they can be counted."""
    import app

    app.demo.queue()
    _, address, _ = app.demo.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = Client(address, verbose=False, download_files=False)
        sent = client.predict(handle_file(COFFEE), api_name="/degrade")[0]
        call = {"data": [{"path": sent["path"], "meta": {"_type": "gradio.FileData"}}, *[None] * 11]}
        api = f"{address}gradio_api/call/degrade"
        before = len(app.demo.state_holder.session_data)
        for _ in range(3):
            event = httpx.post(api, json=call).json()["event_id"]
            assert "event: " in httpx.get(f"{api}/{event}", timeout=60).text
        assert len(app.demo.state_holder.session_data) == before
    finally:
        app.demo.close()


# --- Photos at web addresses ------------------------------------------------------------------------------------------


class _Host(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        packed = gzip.compress(b"photo") if self.path == "/packed" else b""
        self.send_response(200)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        try:
            if packed:
                self.wfile.write(packed)
            elif self.path == "/photo":
                self.wfile.write(self.headers["Accept-Encoding"].encode())
            else:
                while True:
                    self.wfile.write(bytes(100_000))
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def fetched(address: str) -> bytes:
    """By Gradio's own client of other hosts, for which this one counts as public."""
    transport = safehttpx.AsyncSecureTransport("127.0.0.1")
    return asyncio.run(safehttpx.get(address, _transport=transport)).content


def test_a_photo_of_another_host_is_fetched_as_it_is(host: str) -> None:
    assert fetched(f"{host}/photo") == b"identity"


def test_an_answer_without_end_is_cut_off(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradio_patches, "MAX_BYTES", 1_000_000)
    with pytest.raises(httpx.ReadError, match="too much"):
        fetched(f"{host}/endless")
    monkeypatch.setattr(gradio_patches, "MAX_BYTES", 10**12)
    monkeypatch.setattr(gradio_patches, "PATIENCE", 0.5)
    with pytest.raises(httpx.ReadError, match="too slow"):
        fetched(f"{host}/endless")


def test_an_answer_that_is_packed_is_refused(host: str) -> None:
    with pytest.raises(httpx.DecodingError):
        fetched(f"{host}/packed")
