"""Sound files that something happened to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .case import Case

CUTS = 20
FLIPS = 24
HEADER = 100
"""Bytes at the start of a file, which half of the flipped bits are in."""


def spoiled(case: Case, whole: np.ndarray | None, draw: np.random.Generator) -> Iterator[Case]:
    """Its file cut short, with flipped bits, under other names, and among rubbish; ``whole`` is what it shows so far.

    A file that lacks something is refused, or it still shows the very same picture, or says how much of it is missing.
    """
    stem, contents = case.name.rsplit(".", 1)[0], case.contents
    for cut in range(CUTS):
        length = len(contents) - 1 - cut if cut < 3 else len(contents) * cut // CUTS
        yield Case(f"{stem}, {length} bytes of it", contents[:length], whole, says="")
    for flip in range(FLIPS):
        damaged = bytearray(contents)
        end = min(HEADER, len(contents)) if flip % 2 else len(contents)
        for place in draw.integers(end, size=1 + flip % 3):
            damaged[place] ^= 1 << int(draw.integers(8))
        yield Case(f"{stem}, flipped {flip}", bytes(damaged))
    for suffix in (".png", ".jpg", ".GIF", ".txt", ""):
        yield replace(case, name=f"{stem}, renamed{suffix}")
    yield Case(f"{stem}, and rubbish", contents + draw.bytes(99), whole, says="")
    yield Case(f"rubbish, and {stem}", draw.bytes(99) + contents, whole, says="")


def cuts(contents: bytes) -> Iterator[bytes]:
    """Twenty beginnings of a file, most of them near its ends."""
    length = len(contents)
    near = [0, 1, 7, 8, 9, 100, 1000, length - 1, length - 2, length - 22, length - 100]
    for end in [*near, *(length * part // 10 for part in range(1, 10))]:
        yield contents[:end]


def flips(contents: bytes, count: int) -> Iterator[bytes]:
    """One bit changed, at the file's ends, where its structure is, as often as anywhere."""
    draw = random.Random(0)
    for number in range(count):
        edge = draw.choice([draw.randrange(4096), len(contents) - 1 - draw.randrange(4096)])
        at = edge if number % 2 else draw.randrange(len(contents))
        yield contents[:at] + bytes([contents[at] ^ 1 << draw.randrange(8)]) + contents[at + 1 :]
