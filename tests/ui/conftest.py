"""The app in a process of its own, as its users meet it: over HTTP, as MCP tools, and in a browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client

from tests.conftest import ROOT


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the app writes to its log."""
    return tmp_path_factory.mktemp("app") / "log"


@pytest.fixture(scope="session")
def url(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running app; at the end nothing unforeseen may stand in its log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("cache"))}
    with log.open("w") as stream:
        command = [sys.executable, "app.py", "--port", str(port), "--mcp"]
        app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
    try:
        for _ in range(240):
            assert app.poll() is None, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
        assert "Traceback" not in log.read_text()
    finally:
        app.terminate()
        app.wait(20)


@pytest.fixture(scope="session")
def client(url: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(url, verbose=False, download_files=tmp_path_factory.mktemp("files"))
