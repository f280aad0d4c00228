"""A photo restored whole, at its own size: detail in tiles; tone and colour once, small, on the whole of it.

A network sees 128 pixels a side at once in training, so detail, which is local, is restored piece by piece; whether a
photo has faded and what colours it had shows on the whole alone, and small.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from . import image, tiling
from .degradations import luminance
from .guided import Overlay, smoothed
from .models._luminance import LuminanceNetwork, both_ways, evidence, in_gamut, to_ycc
from .models._tone import undo
from .tiling import Progress
from .types import SIDE, Look, Photo

TILE = 512
OVERLAP = 128
STEP = 16
"""A network's sides are multiples of it."""
LONGEST = 8 * SIDE
"""Of the small photo: a longer one is squashed."""
STRIP = 1_000_000
"""Pixels that are put together at once."""


def restore(
    network: LuminanceNetwork,
    photo: Photo,
    look: Look,
    *,
    check: Callable[[Tensor], Tensor],
    chroma_of: Callable[[Tensor], Tensor] | None = None,
    batch: int = 1,
    progress: Progress | None = None,
) -> Photo:
    """``photo`` restored by ``network``, in ``look.colour`` (not auto), at its own size.

    What the network makes goes through ``check``, which raises where it is no numbers. ``chroma_of`` says which
    colours a restored luminance had, where the network's own answer is not wanted.
    """
    device = next(network.parameters()).device
    y = luminance_of(photo)

    def detail(planes: Tensor) -> Tensor:
        return check(both_ways(network.detail, planes.to(device))).cpu()

    restored = tiling.blended(
        evidence(y), detail, tile=TILE, overlap=OVERLAP, step=STEP, batch=batch, progress=progress
    )
    size = small_size(photo.height, photo.width)
    small = detail(evidence(reduced(y, *size))).clamp(0, 1)  # at the size at which it learned what dust is
    tone = check(network.tone(small.to(device))).cpu()
    restored = undo(tone, restored.clamp(0, 1), look.tone)
    if look.colour == "none":
        return painted(restored, None)
    if look.colour == "keep":
        size = photo.height // 2, photo.width // 2
        light = reduced(restored, *size)
        chroma = smoothed(light, own_chroma(photo, *size), radius=4)
    else:
        light = reduced(restored, *size)
        seen = undo(tone, small, look.tone).to(device)
        chroma = check((chroma_of or network.chroma)(seen)).cpu()
    return painted(restored, Overlay(light, look.colour_strength * chroma, photo.height, photo.width))


def luminance_of(photo: Photo) -> Tensor:
    """``[1, 1, H, W]`` in [0, 1]."""
    y = torch.empty(1, 1, photo.height, photo.width)
    for rows in strips(photo.height, photo.width):
        y[:, :, rows] = luminance(image.to_tensor([Photo(photo.pixels[rows])]))
    return y


def own_chroma(photo: Photo, height: int, width: int) -> Tensor:
    """The photo's own Cb, Cr at a smaller size, ``[1, 2, h, w]``: eyes and JPEG see no finer ones."""
    small = Image.fromarray(photo.pixels).resize((width, height), Image.Resampling.BOX)
    return to_ycc(image.to_tensor([Photo(np.array(small))]))[:, 1:]


def painted(y: Tensor, overlay: Overlay | None) -> Photo:
    """The photo of a luminance ``[1, 1, H, W]`` and the colours laid on it; grey where there are none."""
    height, width = y.shape[2:]
    pixels = np.empty((height, width, 3), np.uint8)
    for rows in strips(height, width):
        light = y[:, :, rows]
        rgb = in_gamut(light, overlay.rows(light, rows.start)) if overlay else light.expand(1, 3, -1, -1)
        pixels[rows] = (rgb[0] * 255).round().byte().permute(1, 2, 0).numpy()
    return Photo(pixels)


def small_size(height: int, width: int) -> tuple[int, int]:
    """The size at which tone and colour are found: the shorter side `SIDE`, the other in proportion."""
    scale = SIDE / min(height, width)
    short, long = SIDE, min(LONGEST, round(max(height, width) * scale / STEP) * STEP)
    return (short, long) if height < width else (long, short)


def reduced(planes: Tensor, height: int, width: int) -> Tensor:
    """``[1, C, H, W]`` at another size, antialiased; as it is where it has that size."""
    if planes.shape[2:] == (height, width):
        return planes
    return functional.interpolate(planes, size=(height, width), mode="bilinear", antialias=True)


def strips(height: int, width: int) -> list[slice]:
    rows = max(1, STRIP // width)
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
