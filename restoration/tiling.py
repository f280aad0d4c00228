"""Large photos in bounded memory: overlapping tiles, each processed by itself, their margins cut off again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from .types import Photo

Progress = Callable[[int, int], None]
"""Called after each tile with how many are done, and how many there are."""


def enlarge(
    photo: Photo,
    process: Callable[[Photo], Photo],
    *,
    scale: int,
    tile: int,
    margin: int,
    step: int = 1,
    progress: Progress | None = None,
) -> Photo:
    """``photo`` enlarged ``scale`` times by ``process``, which sees squares of at most ``tile`` pixels a side.

    Each tile is seen with ``margin`` pixels of its surroundings, whose result is thrown away: where the margin is as
    wide as what one result pixel depends on, nothing differs from processing the photo whole. Photos of at most
    ``tile + 2 * margin`` a side are. Tiles and margins start at multiples of ``step`` pixels, of which ``margin`` is
    one. Memory: the result at 3 bytes a pixel, and what one tile takes.
    """
    whole = tile + 2 * margin
    rows, columns = (spans(length, length if length <= whole else tile, step) for length in (photo.height, photo.width))
    result = np.empty((photo.height * scale, photo.width * scale, 3), np.uint8)
    total = len(rows) * len(columns)
    for number, ((top, bottom), (left, right)) in enumerate((row, column) for row in rows for column in columns):
        above, before = min(margin, top), min(margin, left)
        piece = Photo(photo.pixels[top - above : bottom + margin, left - before : right + margin])
        pixels = process(piece).pixels[above * scale :, before * scale :]
        target = result[top * scale : bottom * scale, left * scale : right * scale]
        target[:] = pixels[: target.shape[0], : target.shape[1]]
        if progress:
            progress(number + 1, total)
    return Photo(result)


def spans(length: int, most: int, step: int = 1) -> list[tuple[int, int]]:
    """``length`` cut at multiples of ``step`` into pieces of at most ``most``, as equal as can be: starts and ends."""
    count = -(-length // (most - step + 1))
    cuts = [length * index // count // step * step for index in range(count)]
    return list(pairwise([*cuts, length]))
