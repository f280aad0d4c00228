"""What does not get as far as Gradio, and what Gradio's own failures look like."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from benchmarks.serving import serve
from tests.conftest import EXAMPLES
from ui.hardening import request_filter

COFFEE = EXAMPLES / "coffee.jpg"


def sentence(response: httpx.Response) -> str:
    said: str = response.json()["detail"]
    assert said.endswith(".")
    assert "\n" not in said
    return said


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_has_no_more_bytes_than_it_may(url: str, chunked: bool) -> None:
    blank = b" " * 1_000_000
    body = (blank for _ in range(40)) if chunked else blank * 40
    response = httpx.post(f"{url}/gradio_api/call/restore", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert sentence(response) == "A request may have 32 MB here; send less, and photos as uploads."


def test_an_upload_may_have_more(url: str) -> None:
    response = httpx.post(f"{url}/gradio_api/upload", files={"files": ("a.zip", bytes(40_000_000))}, timeout=60)
    assert response.status_code == 200
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as line:
        head = f"POST {request_filter.UPLOADS} HTTP/1.0\r\nContent-Length: {request_filter.MAX_UPLOAD + 1}"
        line.sendall(f"{head}\r\n\r\n".encode())
        answer = line.makefile("rb").read().decode()
    assert " 413 " in answer
    assert "500 MB" in answer


def test_an_upload_that_breaks_off_is_no_error_of_the_app(url: str, log: Path) -> None:
    before = log.read_text()
    head = "Host: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 99999"
    part = '--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\na'
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as line:
        line.sendall(f"POST {request_filter.UPLOADS} HTTP/1.1\r\n{head}\r\n\r\n{part}".encode())
        line.shutdown(socket.SHUT_WR)
        assert not line.recv(1)
    assert httpx.get(url).status_code == 200
    assert log.read_text() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/process_recording"),
        ("GET", "/gradio_api/proxy=https://example.org/a.png"),
        ("GET", "/gradio_api/file=https://example.org/a.png"),
        ("GET", "/gradio_api/file/https://example.org/a.png"),
        ("POST", "/gradio_api/component_server"),
        ("GET", "/gradio_api/custom_component/a/client/b/c"),
        ("GET", "/gradio_api/deep_link?session_hash=a"),
        ("GET", "/gradio_api/dev/reload"),
        ("POST", "/gradio_api/vibe-edit"),
        ("POST", "/gradio_api/stream/a"),
    ],
)
def test_doors_that_this_app_has_no_use_for_are_shut(url: str, method: str, path: str) -> None:
    response = httpx.request(method, url + path)
    assert response.status_code == 404
    assert "There is nothing here" in sentence(response)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("call/nothing", {"data": []}, 404),
        ("call/v2/nothing", {}, 404),
        ("queue/join", {"fn_index": 999, "data": [], "session_hash": "a"}, 404),
        ("call/v2/degrade", {}, 422),
        ("call/v2/degrade", {"photo": None, "extra": 1}, 422),
        ("call/degrade", {"data": "none"}, 422),
    ],
)
def test_a_call_that_cannot_be_is_one_sentence(url: str, path: str, body: dict, status: int) -> None:
    response = httpx.post(f"{url}/gradio_api/{path}", json=body)
    assert response.status_code == status
    assert "/gradio_api/info" in sentence(response)


def test_nothing_passes_by_the_queue(url: str) -> None:
    assert httpx.post(f"{url}/gradio_api/run/degrade", json={"data": []}).status_code == 404


def test_every_answer_is_taken_for_what_it_says_it_is(url: str) -> None:
    for path in ("/", "/config", "/gradio_api/info", "/nothing"):
        assert httpx.get(url + path).headers["x-content-type-options"] == "nosniff"


# --- A disk that is full ----------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 12 MB."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("only root can make a small disk")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_full_disk_is_said_and_the_app_goes_on_when_there_is_room(small_disk: Path) -> None:
    with serve(small_disk, mcp=False) as url:
        response = httpx.post(f"{url}/gradio_api/upload", files={"files": ("a.zip", bytes(20_000_000))})
        assert response.status_code == 507
        assert "disk" in sentence(response)

        (path,) = httpx.post(f"{url}/gradio_api/upload", files={"files": ("a.jpg", COFFEE.read_bytes())}).json()

        def degraded() -> str:
            """What the app answers, as it streams it."""
            call = {"photo": {"path": path, "meta": {"_type": "gradio.FileData"}}}
            event = httpx.post(f"{url}/gradio_api/call/v2/degrade", json=call).json()["event_id"]
            return httpx.get(f"{url}/gradio_api/call/degrade/{event}", timeout=60).text

        assert "event: complete" in degraded()
        filler = small_disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        assert "The disk of the machine that runs this is full" in degraded()
        filler.unlink()
        assert "event: complete" in degraded()
