"""Nothing that a visitor sent or made stays longer than an hour, even where an app was killed, or fills the disk.

Gradio's own `delete_cache` forgets the files of a killed process, and ends at the first file that it cannot delete.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Container, Iterable
from contextlib import suppress
from pathlib import Path

AGE, ROUND = 3000, 60
"""Seconds that a file stays, and between two rounds of deleting."""
MAX_BYTES = 5_000_000_000
"""Of all files together; beyond, the oldest go first."""
PREFIX = "restoration-lab-"


def private_folder() -> Path:
    """A new folder for all temporary files of this process, Gradio's too; what killed apps left is deleted first.

    It lies in GRADIO_TEMP_DIR, or where the system keeps such files, and goes when the process ends.
    """
    temporary = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
    if temporary.name.startswith(PREFIX):  # a notebook's cell, run twice: the first app would delete the second's files
        temporary = temporary.parent
    temporary.mkdir(parents=True, exist_ok=True)
    for left in temporary.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > AGE:  # a living app touches its folder at each round
                shutil.rmtree(left)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=temporary)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = tempfile.tempdir = folder
    return Path(folder)


def keep_clean(folder: Path, kept: Container[str], remembered: Iterable[set[str]] = ()) -> None:
    """Delete what is old in ``folder``, all but the files ``kept``, from now on in a thread of its own.

    ``remembered`` are Gradio's lists of such files, which would grow for ever.
    """

    def rounds() -> None:
        while True:
            delete_old(folder, kept)
            for paths in remembered:
                paths.clear()
            time.sleep(ROUND)

    threading.Thread(target=rounds, daemon=True).start()


def delete_old(folder: Path, kept: Container[str], age: float = AGE, most: int = MAX_BYTES) -> None:
    """Delete the files of ``folder`` that are older than ``age`` seconds, the oldest of more than ``most`` bytes, and
    folders that are empty as long.
    """
    with suppress(OSError):
        os.utime(folder)
    files: list[tuple[float, int, Path]] = []
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder comes before the folder
        with suppress(OSError):
            stat = path.lstat()
            if path.is_dir() and not path.is_symlink():
                if time.time() - stat.st_mtime >= age:
                    path.rmdir()
            elif str(path) not in kept:
                files.append((stat.st_mtime, stat.st_size, path))
    left = sum(size for _, size, _ in files)
    for changed, size, path in sorted(files):
        if time.time() - changed < age and left <= most:
            break
        left -= size
        with suppress(OSError):
            path.unlink()
