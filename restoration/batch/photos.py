"""Which files are photos: those of a folder and of an archive; `is_litter` tells what is none, for uploads too."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from ..image import SUFFIXES, is_picture

LITTER = ("__macosx", "@eadir", "#recycle", "$recycle.bin", "thumbs.db", "ehthumbs.db", "desktop.ini")
"""What systems leave in folders, beside names that begin with a dot."""
HEAD = 16
"""Bytes that tell what a file is."""


def is_litter(name: str) -> bool:
    """Is the file at this relative path a system's own: a thumbnail, or what a Mac keeps beside a file?"""
    parts = PurePosixPath(name.lower()).parts
    return any(part in LITTER or (part.startswith(".") and not part.startswith("..")) for part in parts)


def is_photo(name: str, head: Callable[[], bytes]) -> bool:
    """By its name; where that does not say so, by the ``head`` of its contents."""
    return name.lower().endswith(SUFFIXES) or is_picture(head())


@dataclass
class Found:
    """What a folder holds, and all that is in it."""

    photos: list[Path] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    """How many files are no photos, by their names' suffixes."""
    unreadable: list[Path] = field(default_factory=list)
    """Folders that may not be looked into."""


def search(root: Path, but: Iterable[Path]) -> Found:
    """The photos in ``root`` and in its folders, linked ones too, in the order of their paths.

    Of each folder there is one way only: the folders ``but``, and those above ``root``, have been seen already, and a
    folder's own place comes before the links to it.
    """
    found = Found()
    seen = {_identity(folder) for folder in (*but, *root.resolve().parents) if folder.is_dir()}
    waiting = deque([root])

    def not_read(error: OSError) -> None:
        found.unreadable.append(Path(os.fsdecode(error.filename)))

    while waiting:
        for folder, folders, names in os.walk(waiting.popleft(), onerror=not_read):
            identity = _identity(Path(folder))
            if identity in seen:
                folders.clear()
                continue
            seen.add(identity)
            folders[:] = sorted(name for name in folders if not is_litter(name))
            waiting += [Path(folder, name) for name in folders if Path(folder, name).is_symlink()]
            for path in (Path(folder, name) for name in names if not is_litter(name)):
                is_there = os.path.exists(path)  # of a link to nothing it is told when it is read
                if (os.path.isfile(path) or not is_there) and is_photo(path.name, partial(_head, path)):
                    found.photos.append(path)
                else:
                    found.passed_over[path.suffix.lower()] += 1
    found.photos.sort()
    return found


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _head(path: Path) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        return file.read(HEAD)
    return b""
