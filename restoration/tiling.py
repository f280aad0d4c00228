"""Large photos in bounded memory: overlapping tiles, each processed by itself, then joined again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

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


def blended(
    planes: Tensor,
    process: Callable[[Tensor], Tensor],
    *,
    tile: int,
    overlap: int,
    step: int,
    batch: int = 1,
    progress: Progress | None = None,
) -> Tensor:
    """``process`` of planes ``[1, C, H, W]`` -> ``[1, 1, H, W]``, ``batch`` tiles ``[B, C, tile, tile]`` at a time.

    Neighbours share at least about ``overlap`` pixels, over the inner half of which one fades into the other, so that
    there is no seam where they differ. Sides and starts are multiples of ``step``: to a network that halves its
    features, other places look different. Borders are mirrored up to them.
    """
    height, width = planes.shape[2:]
    padded = functional.pad(planes, (0, -width % step, 0, -height % step), "reflect")
    sides = [min(tile, length) for length in padded.shape[2:]]
    starts = [_starts(length, side, overlap, step) for length, side in zip(padded.shape[2:], sides, strict=True)]
    shares = [_shares(each, side, overlap) for each, side in zip(starts, sides, strict=True)]
    result = torch.zeros_like(padded[0, 0])
    places = [(row, column) for row in range(len(starts[0])) for column in range(len(starts[1]))]
    for first in range(0, len(places), batch):
        some = places[first : first + batch]
        areas = [
            (slice(starts[0][row], starts[0][row] + sides[0]), slice(starts[1][column], starts[1][column] + sides[1]))
            for row, column in some
        ]
        made = process(torch.cat([padded[:, :, rows, columns] for rows, columns in areas]))
        for (row, column), area, each in zip(some, areas, made, strict=True):
            result[area] += shares[0][row][:, None] * shares[1][column] * each[0]
        if progress:
            progress(min(first + batch, len(places)), len(places))
    return result[None, None, :height, :width]


def _starts(length: int, side: int, overlap: int, step: int) -> list[int]:
    """Where tiles of ``side`` pixels begin, evenly spread over ``length``."""
    if length == side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return [place * (length - side) // (count - 1) // step * step for place in range(count)]


def _shares(starts: Sequence[int], side: int, overlap: int) -> list[Tensor]:
    """What each of the tiles that begin at ``starts`` counts along its ``side`` pixels; at each pixel they add to 1."""
    at = torch.arange(side) + 0.5
    weights = []
    for place in range(len(starts)):
        before = ((at - overlap / 4) / (overlap / 2)).clamp(0, 1) if place else torch.ones(side)
        after = ((side - at - overlap / 4) / (overlap / 2)).clamp(0, 1) if place < len(starts) - 1 else torch.ones(side)
        weights.append(before * after)
    total = torch.zeros(starts[-1] + side)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + side] += weight
    return [weight / total[start : start + side] for start, weight in zip(starts, weights, strict=True)]
