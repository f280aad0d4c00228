"""Large photos in bounded memory: overlapping tiles, each processed by itself, then joined again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .types import Photo

Progress = Callable[[int, int], None]  # called after each tile with how many are done, and how many there are


def silent(done: int, total: int) -> None:
    """The progress that nobody watches."""


class Stopped(Exception):
    """What a progress may raise, where whoever asked is content with what is finished."""


def enlarge(
    photo: Photo,
    process: Callable[[Photo], Photo],
    *,
    scale: int,
    tile: int,
    margin: int,
    step: int = 1,
    progress: Progress = silent,
) -> Photo:
    """``photo`` enlarged ``scale`` times by ``process``, which sees squares of at most ``tile`` pixels a side.

    Each tile is seen with ``margin`` pixels of its surroundings, whose result is thrown away: where one result pixel
    depends on no more, the result is that of the whole photo. Photos of at most ``tile + 2 * margin`` a side are
    processed whole. Tiles and margins are multiples of ``step`` pixels. Memory: the result, and what one tile takes.
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
    margin: int,
    fade: int,
    step: int,
    border: int = 0,
    batch: int = 1,
    progress: Progress = silent,
) -> Tensor:
    """``process`` of planes ``[1, C, H, W]`` -> ``[1, 1, H, W]``, by tiles of at most ``tile`` pixels, ``batch`` at
    once.

    Of a tile, ``margin`` pixels are thrown away beside a neighbour, as a network takes a tile's end for the photo's;
    over the next ``fade`` pixels one fades into the other, so that there is no seam. Around the whole, ``border``
    pixels are mirrored. Sides and starts are multiples of ``step``, as the network halves its features.
    """
    height, width = planes.shape[2:]
    beyond = [border + -(length + 2 * border) % step for length in (height, width)]
    padded = functional.pad(planes, (border, beyond[1], border, beyond[0]), "reflect")
    del planes  # large, and no more needed
    spread = [_spread(length, tile, 2 * margin + fade, step) for length in padded.shape[2:]]
    shares = [_shares(starts, side, margin, fade) for starts, side in spread]
    result = torch.zeros_like(padded[0, 0])
    (tops, rows), (lefts, columns) = spread
    places = [(row, column) for row in range(len(tops)) for column in range(len(lefts))]
    for first in range(0, len(places), batch):
        some = places[first : first + batch]
        areas = [
            (slice(tops[row], tops[row] + rows), slice(lefts[column], lefts[column] + columns)) for row, column in some
        ]
        made = process(torch.cat([padded[:, :, down, across] for down, across in areas]))
        for (row, column), area, each in zip(some, areas, made, strict=True):
            result[area] += shares[0][row][:, None] * shares[1][column] * each[0]
        progress(min(first + batch, len(places)), len(places))
    return result[None, None, border : border + height, border : border + width]


def _spread(length: int, most: int, overlap: int, step: int) -> tuple[list[int], int]:
    """Where tiles of at most ``most`` pixels begin, evenly spread over ``length``, and how long they are."""
    if length <= most:
        return [0], length
    count = -(-(length - overlap) // (most - overlap))
    side = -(-(length + (count - 1) * overlap) // (count * step)) * step
    return [index * (length - side) // (count - 1) // step * step for index in range(count)], side


def _shares(starts: Sequence[int], side: int, margin: int, fade: int) -> list[Tensor]:
    """What each of the tiles that begin at ``starts`` counts along its ``side`` pixels; at each pixel they add to 1."""
    at = torch.arange(side) + 0.5
    weights = []
    for index in range(len(starts)):
        before = ((at - margin) / fade).clamp(0, 1) if index else torch.ones(side)
        after = ((side - at - margin) / fade).clamp(0, 1) if index < len(starts) - 1 else torch.ones(side)
        weights.append(before * after)
    total = torch.zeros(starts[-1] + side)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + side] += weight
    return [weight / total[start : start + side] for start, weight in zip(starts, weights, strict=True)]
