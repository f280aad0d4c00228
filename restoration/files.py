"""Files and folders: what is written appears whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def write_atomically(path: Path, contents: bytes) -> None:
    """Write a file that appears whole or not at all: written aside, then renamed."""
    aside = write_aside(path, contents)
    try:
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_aside(path: Path, contents: bytes) -> Path:
    """Write a file under a passing name beside ``path``, whose folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.part")  # a kill leaves one at most
    aside.unlink(missing_ok=True)
    try:
        with aside.open("xb") as file:  # made anew: a link of that name would be followed
            file.write(contents)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside
