"""The app in a process of its own, as its users meet it: over HTTP, as MCP tools, and in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client

from benchmarks.serving import serve


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
