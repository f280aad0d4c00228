"""What the years do to a print: kernels that fade, scratch and soil a batch, written as those of `kernels` are.

Sizes are in pixels of a photo whose shorter side is 128, and grow with it: a print has the same cracks at any size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

Array = Any  # a NumPy array or a Torch tensor
MAX_SCRATCHES = 24
MAX_SPECKS, MAX_HAIRS = 128, 8  # of dust, where its amount is 1
SEGMENTS = 16  # of a scratch, each in a direction of its own
FIELDS = {
    "fading": (5,),
    "scratches": (9 + 2 * SEGMENTS, MAX_SCRATCHES),
    "specks": (7, MAX_SPECKS),
    "hairs": (7, MAX_HAIRS),
}
"""The shapes of the uniform fields that the kernels want for each photo."""


def fading(images: Array, strength: Array, uniform: Array) -> Array:
    """Mix ``strength`` ``[B, 1, 1, 1]`` of a light grey into ``images``: blacks rise by more than whites are lost.

    ``uniform`` draws the grey, a mild curve, and how the loss varies from side to side and from middle to corners.
    """
    xp = array_namespace(images)
    grey, bend, direction, tilt, vignette = (uniform[:, part, None, None, None] for part in range(5))
    y, x = ((2 * _whole(images, length) + 1) / length - 1 for length in images.shape[-2:])
    y, turn = y[:, None], 2 * math.pi * direction
    field = 0.2 * tilt * (xp.cos(turn) * x + xp.sin(turn) * y) + (0.2 * vignette - 0.1) * (x**2 + y**2 - 2 / 3)
    lost = (strength * (1 + field)).clip(0, 0.9)
    return lost * (0.5 + 0.4 * grey) + (1 - lost) * images.clip(0, None) ** 2 ** (strength * (bend - 0.5))


def scratches(images: Array, count: np.ndarray, uniform: Array) -> Array:
    """``count`` ``[B]`` thin crooked scratches per photo, bright or dark, from the border or from inside.

    ``uniform`` holds what each is; those beyond a photo's count are not drawn.
    """
    xp = array_namespace(images)
    images = xp.asarray(images, copy=True)
    photos, which = np.nonzero(np.arange(MAX_SCRATCHES) < count[:, None])
    drawn = uniform[photos, :, which]
    is_upright = np.array((drawn[:, 0] < 0.5).tolist(), dtype=bool)
    _scratch_down(images, photos[is_upright], drawn[is_upright])
    _scratch_down(xp.matrix_transpose(images), photos[~is_upright], drawn[~is_upright])  # a view
    return images


def _scratch_down(images: Array, photos: np.ndarray, drawn: Array) -> None:
    """Draw a scratch on each of ``photos``, in place. None lies far from upright: one number a row says where it is."""
    xp = array_namespace(images)
    height, width = images.shape[-2:]
    start, length, place, lean, opacity, tone, thickness = (drawn[:, part, None] for part in range(1, 8))
    bends, wear = drawn[:, 8 : 8 + SEGMENTS] - 0.5, drawn[:, 8 + SEGMENTS :]
    angle = math.pi / 2 * (lean - 0.5) + 0.3 * xp.cumulative_sum(bends, axis=1) + 0.8 * bends
    slope = xp.tan(angle.clip(-1.05, 1.05))
    step = height * (0.15 + length) / SEGMENTS
    way = (_whole(images, height) - height * (1.3 * start - 0.4).clip(0, None)) / step
    passed = (way[..., None] - _whole(images, SEGMENTS)).clip(0, 1)
    middle = width * place + step * (passed * slope[:, None]).sum(-1)
    worn = wear[:, :1] + (passed * (wear[:, None, 1:] - wear[:, None, :-1])).sum(-1)
    steepness = xp.take_along_axis(1 + slope**2, xp.astype(way.clip(0, SEGMENTS - 1), xp.int64), axis=1) ** 0.5
    depth = (0.6 + 0.4 * opacity) * (0.7 + 0.3 * worn) * (way >= 0) * (way < SEGMENTS)
    edge = 0.5 + min(height, width) / 128 * (0.4 + 0.85 * thickness**3) * (0.6 + 0.4 * worn)
    value, columns = _tone(tone, dark=0.35), _whole(images, width)
    for n, photo in enumerate(photos.tolist()):
        distance = abs(columns - middle[n, :, None]) / steepness[n, :, None]
        cover = depth[n, :, None] * (edge[n, :, None] - distance).clip(0, 1)
        images[photo] += cover * (value[n] - images[photo])


def dust(images: Array, amount: np.ndarray, specks: Array, hairs: Array) -> Array:
    """Small specks and a few curved hairs, most of them bright; ``amount`` ``[B]`` is the share of them that is there.

    ``specks`` and ``hairs``, uniform, hold what each is. Both are chains of round bumps. A bump is the product of two
    profiles, so that one matrix product adds up a photo's; where the sum is high, dust lies.
    """
    xp = array_namespace(images)
    images = xp.asarray(images, copy=True)
    scale = min(images.shape[-2:]) / 128
    for photo in np.flatnonzero(amount).tolist():
        speck, hair = (field[photo, :, : math.ceil(amount[photo] * field.shape[-1])] for field in (specks, hairs))
        radius = 0.3 + 1.1 * speck[6] ** 6
        chains = (
            _chains(images, speck, radius=radius, length=5 * radius, turn=6, points=4),
            _chains(images, hair, radius=0.25 + 0 * hair[6], length=4 + 14 * hair[6], turn=3, points=48),
        )
        rows, columns, toned = (xp.concat(each) for each in zip(*chains, strict=True))
        height, tone = rows.T @ columns, rows.T @ toned
        depth = ((height - 0.4) * 2 * scale + 0.4).clip(0, 1)
        images[photo] = images[photo] * (1 - depth) + depth * tone / height.clip(1e-6, None)
    return images


def _chains(images: Array, drawn: Array, radius: Array, length: Array, turn: float, points: int) -> tuple[Array, ...]:
    """Curves of ``points`` bumps: the profiles ``[K, H or W]`` over rows, over columns, and the latter times tone."""
    xp = array_namespace(images)
    scale = min(images.shape[-2:]) / 128
    x, y, angle, bend, curl, tone = (drawn[part, :, None] for part in range(6))
    way = (_whole(images, points) + 0.5) * 2 / points - 1
    heading = 2 * math.pi * angle + turn * ((bend - 0.5) * way + (curl - 0.5) * way**2)
    step, sigma = scale * length[:, None] / points, (scale * radius[:, None]).clip(0.6, None)
    share = (step / sigma / 2.5).clip(None, 1) * scale * radius[:, None] / sigma  # what is finer than a pixel is faint
    profiles = []
    for size, place, part in zip(images.shape[-2:], (y, x), (xp.sin(heading), xp.cos(heading)), strict=True):
        centre = place * size + step * xp.cumulative_sum(part, axis=1)
        away = ((_whole(images, size) - centre[..., None]) / sigma[..., None]).clip(-6, 6)  # beyond, slow denormals
        profiles.append(xp.exp(-0.5 * away**2))
    rows, columns = profiles
    each = rows * share[..., None], columns, columns * _tone(tone, dark=0.2)[..., None]
    return tuple(profile.reshape(-1, profile.shape[-1]) for profile in each)


def _tone(uniform: Array, dark: float) -> Array:
    """Greys of which the share ``dark`` is 0 to 0.25, and the rest 0.75 to 1."""
    return array_namespace(uniform).where(uniform < dark, uniform / dark / 4, 1 - (1 - uniform) / (1 - dark) / 4)


def _whole(images: Array, count: int) -> Array:
    """0, 1, 2, ... beside ``images``."""
    return array_namespace(images).arange(count, dtype=images.dtype, device=device(images))
