"""Files and folders: what is written appears whole or not at all, and what a name becomes."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

MAX_NAME = 255
"""Bytes of one name, on nearly every disk."""


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
    aside = path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.part")  # a kill leaves one
    aside.unlink(missing_ok=True)
    try:
        with aside.open("xb") as file:  # made anew: a link of that name would be followed
            file.write(contents)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside


# --- What a name becomes ----------------------------------------------------------------------------------------------


def legible(name: str) -> str:
    """A name or path that can be shown, and written anywhere.

    Its bytes that are no UTF-8 are taken for Western Europe's, as older systems wrote them; what steers a terminal, or
    is no sign at all, becomes an underscore.
    """
    return re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "_", re.sub("[\udc80-\udcff]+", _decoded, name))


def _decoded(escaped: re.Match[str]) -> str:
    return escaped[0].encode("ascii", "surrogateescape").decode("cp1252", "replace")


def shortened(name: str, most: int = MAX_NAME) -> str:
    """As much of a name as ``most`` bytes hold."""
    return name.encode()[:most].decode(errors="ignore")


def result_names(
    photos: Sequence[str],
    endings: Sequence[Sequence[str]],
    is_taken: Callable[[int, str], bool] = lambda index, name: False,
) -> list[list[str]]:
    """For each photo's relative path the paths of its results, one for each of its ``endings``; no two are alike.

    a.jpg with the endings .png and _x4.png gives a.png and a_x4.png. Photos whose results would have one name (a.jpg
    and a.png) keep their suffix in it (a.jpg.png and a.png.png), and are numbered where that is not enough; so are
    those whose names ``is_taken``, given the photo's index and a path, says not to be free. Names that differ in case
    only are alike, as they are on many systems. All are `legible`, and cut where they are too long for a disk.
    """
    paths = [PurePosixPath(*map(shortened, PurePosixPath(legible(photo)).parts)) for photo in photos]

    def named(index: int, stem: str, number: str = "") -> list[str]:
        room = MAX_NAME - max(len(f"{number}{ending}") for ending in endings[index])
        return [str(paths[index].parent / f"{shortened(stem, room)}{number}{ending}") for ending in endings[index]]

    results = [named(index, path.stem) for index, path in enumerate(paths)]
    claims = Counter(_key(name) for names in results for name in names)
    taken = {_key(str(folder)) for path in paths for folder in path.parents}
    clashing = [
        index
        for index, names in enumerate(results)
        if any(claims[_key(name)] > 1 or _key(name) in taken or is_taken(index, name) for name in names)
    ]
    taken |= claims.keys() - {_key(name) for index in clashing for name in results[index]}
    for index in clashing:
        number = 1
        results[index] = named(index, paths[index].name)
        while any(_key(name) in taken or is_taken(index, name) for name in results[index]):
            number += 1
            results[index] = named(index, paths[index].name, f" ({number})")
        taken |= {_key(name) for name in results[index]}
    return results


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
