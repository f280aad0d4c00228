"""What the years do to a print: kernels that fade, scratch and soil a batch, written as those of `degradations` are.

Sizes are in pixels of a photo whose shorter side is 128, and grow with it: a print has the same cracks at any size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

Array = Any  # a NumPy array or a Torch tensor
SEGMENTS = 8  # of a scratch, each in a direction of its own
MAX_SPECKS, MAX_HAIRS = 128, 8  # of dust, where its amount is 1


def fading(images: Array, strength: Array, uniform: Array) -> Array:
    """Mix ``strength`` ``[B, 1, 1, 1]`` of a light grey into ``images``: blacks rise by more than whites are lost.

    ``uniform`` ``[B, 5]`` says which grey, how a mild curve bends the rest, and how the loss varies over the print:
    from side to side in some direction, and from the middle to the corners.
    """
    xp = array_namespace(images)
    grey, bend, direction, tilt, vignette = (uniform[:, part, None, None, None] for part in range(5))
    y, x = (2 * _centres(images, axis) / images.shape[axis] - 1 for axis in (-2, -1))
    y, turn = y[:, None], 2 * math.pi * direction
    field = 0.2 * tilt * (xp.cos(turn) * x + xp.sin(turn) * y) + (0.2 * vignette - 0.1) * (x**2 + y**2 - 2 / 3)
    lost = (strength * (1 + field)).clip(0, 0.9)
    return lost * (0.5 + 0.4 * grey) + (1 - lost) * images.clip(0, None) ** 2 ** (strength * (bend - 0.5))


def scratches(images: Array, count: np.ndarray, uniform: Array) -> Array:
    """``count`` ``[B]`` thin crooked scratches per photo, bright or dark, from the border or from inside.

    ``uniform`` ``[B, 8 + SEGMENTS, N]`` holds what each is; those beyond a photo's count are not drawn. A scratch runs
    down the photo or across it, never far from there, so that two numbers per row (or column) say where it is.
    """
    xp = array_namespace(images)
    images = xp.asarray(images, copy=True)
    photos, which = np.nonzero(np.arange(uniform.shape[-1]) < count[:, None])
    drawn = uniform[photos, :, which]
    is_upright = (drawn[:, 0] < 0.5).tolist()
    start = (1.5 * drawn[:, 1] - 0.5).clip(0, None)
    reach = (0.15 + drawn[:, 2] ** 2) / SEGMENTS
    radius = min(images.shape[-2:]) / 128 * (0.3 + 0.95 * drawn[:, 3] ** 2)
    opacity, value = 0.5 + 0.5 * drawn[:, 4], _tone(drawn[:, 5], dark=0.35)
    lean = (drawn[:, 7, None] - 0.5) * math.pi / 2 + 0.6 * xp.cumulative_sum(drawn[:, 8:] - 0.5, axis=1)
    slope = xp.tan(lean.clip(-1.1, 1.1))
    for n, photo in enumerate(photos.tolist()):
        canvas = images[photo] if is_upright[n] else xp.matrix_transpose(images[photo])  # a view, drawn on in place
        height, width = canvas.shape[-2:]
        way = (_centres(canvas, -2) / height - start[n]) / reach[n]  # in segments
        ahead = way[:, None] - xp.arange(SEGMENTS, dtype=images.dtype, device=device(images))
        middle = drawn[n, 6] * width + reach[n] * height * (ahead.clip(0, 1) * slope[n]).sum(-1)
        steepness = (1 + slope[n][xp.astype(way.clip(0, SEGMENTS - 1), xp.int64)] ** 2) ** 0.5
        depth = opacity[n] * (SEGMENTS - way).clip(0, 1) * (way >= 0)  # it begins at once, and peters out
        distance = abs(_centres(canvas, -1) - middle[:, None]) / steepness[:, None]
        canvas[...] = canvas + depth[:, None] * (radius[n] + 0.5 - distance).clip(0, 1) * (value[n] - canvas)
    return images


def dust(images: Array, amount: np.ndarray, specks: Array, hairs: Array) -> Array:
    """Soft specks and a few curved hairs, most of them bright; ``amount`` ``[B]`` is the share of them that lies there.

    ``specks`` and ``hairs``, uniform ``[B, 6, N]``, hold what each is. All are chains of round bumps. A bump is the
    product of two profiles, so one matrix product adds up a photo's; where the sum is high is dust, with a soft edge.
    """
    xp = array_namespace(images)
    images = xp.asarray(images, copy=True)
    photos = np.flatnonzero(amount)
    size, length = specks[photos, 0] ** 4, hairs[photos, 0]
    bumps = (
        _bumps(images, specks[photos], amount[photos], 0.5 + 2.5 * size, 0.5 + 3 * size, points=2),
        _bumps(images, hairs[photos], amount[photos], 0.5 + 0 * length, 5 + 25 * length, points=32),
    )
    rows, columns, toned = (xp.concat(each, axis=1) for each in zip(*bumps, strict=True))
    height, tone = (xp.matrix_transpose(rows) @ part for part in (columns, toned))
    depth, tone = (3 * height - 0.9).clip(0, 1)[:, None], (tone / height.clip(1e-6, None))[:, None]
    images[photos] = images[photos] * (1 - depth) + depth * tone
    return images


def _bumps(
    images: Array, drawn: Array, amount: np.ndarray, radius: Array, length: Array, *, points: int
) -> tuple[Array, Array, Array]:
    """Chains of ``points`` bumps as their profiles ``[B, K, H or W]``: over rows, over columns, and these times tone."""
    xp = array_namespace(images)
    number = drawn.shape[-1]
    lies = xp.asarray(np.arange(number) < amount[:, None] * number, dtype=images.dtype, device=device(images))
    scale = min(images.shape[-2:]) / 128
    x, y, angle, bend, tone = (drawn[:, part, :, None] for part in range(1, 6))
    heading = 2 * math.pi * angle + 4 * (bend - 0.5) * xp.linspace(
        -1, 1, points, dtype=images.dtype, device=device(images)
    )
    step, sigma = scale * length[..., None] / points, (scale * radius[..., None]).clip(0.6, None)
    share = lies[..., None] * (step / sigma / 2.5).clip(1 / points, 1)  # so that bumps in a row add up to about 1
    profiles = []
    for axis, place, part in ((-2, y, xp.sin(heading)), (-1, x, xp.cos(heading))):
        centre = place * images.shape[axis] + step * xp.cumulative_sum(part, axis=-1)
        profiles.append(xp.exp(-0.5 * ((_centres(images, axis) - centre[..., None]) / sigma[..., None]) ** 2))
    rows, columns = profiles
    parts = rows * share[..., None], columns, columns * _tone(tone, dark=0.2)[..., None]
    return tuple(part.reshape(len(drawn), -1, part.shape[-1]) for part in parts)


def _tone(uniform: Array, dark: float) -> Array:
    """Greys of which the share ``dark`` is 0 to 0.25, and the rest 0.75 to 1."""
    xp = array_namespace(uniform)
    return xp.where(uniform < dark, 0.25 * uniform / dark, 0.75 + 0.25 * (uniform - dark) / (1 - dark))


def _centres(images: Array, axis: int) -> Array:
    """Where the pixels of ``axis`` have their middle, in pixels."""
    return array_namespace(images).arange(images.shape[axis], dtype=images.dtype, device=device(images)) + 0.5
