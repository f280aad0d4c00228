"""A program in a process of its own, as long as it is needed."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 300
"""Seconds that a program may take to start."""


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def launched(command: Sequence[str | Path], log: Path, is_ready: Callable[[], bool], **options: Any) -> Iterator[None]:
    """``command`` runs from when ``is_ready`` to the end of the context, and writes what it says into ``log``.

    ``options`` are those of `subprocess.Popen`. Raises SystemExit, with the log, where it does not start.
    """
    with log.open("w") as stream:
        program = subprocess.Popen(command, stdout=stream, stderr=stream, **options)
    try:
        end = time.monotonic() + PATIENCE
        while not is_ready():
            if program.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"The app does not start from {options['cwd']}; see why:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        program.terminate()
        try:
            program.wait(20)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
