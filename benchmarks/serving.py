"""The app in a process of its own, for its tests in a browser and its pictures in the README."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""What the browser that playwright drives may be called: the system's own, so that nothing is downloaded."""
BROWSER_OPTIONS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(
    folder: Path, *options: str, mcp: bool = True, is_provoked: bool = False, checkout: Path = ROOT
) -> Iterator[str]:
    """The address of the running app, started with ``options``; ``folder`` gets its files and its log, called ``log``.

    At the end nothing unforeseen may stand in the log, unless it was provoked.
    """
    log, port = folder / "log", free_port()
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "cache")}
    with log.open("w") as stream:
        command = [sys.executable, "app.py", "--port", str(port), *options, *(["--mcp"] if mcp else [])]
        app = subprocess.Popen(command, cwd=checkout, env=environment, stdout=stream, stderr=stream)
    try:
        for _ in range(2400):
            if " is open: " in log.read_text():
                break
            assert app.poll() is None, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        assert is_provoked or "Traceback" not in log.read_text(), log.read_text()
    finally:
        app.terminate()
        app.wait(20)
