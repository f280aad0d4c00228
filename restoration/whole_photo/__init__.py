"""A photo restored whole, at its own size: detail in tiles; tone and colour once, small, on the whole of it.

A network sees 128 pixels a side at once in training, so detail, which is local, is restored piece by piece; whether a
photo has faded and what colours it had shows on the whole alone, and small.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .. import image, tiling
from ..colour import in_gamut, luminance, to_ycc
from ..image.strips import row_strips
from ..network import LuminanceNetwork, flip_ensemble, luminance_features
from ..network.tone import undo
from ..tiling import Progress, silent
from ..types import SIDE, Look, Photo
from .guided_filter import Overlay, box, smoothed

TILE = 1088  # most pixels a side that are restored at once: smaller tiles are no quicker, and overlap more
MARGIN = 80
FADE = 32
BORDER = 32  # pixels mirrored around a large photo: zeros, as convolutions pad, made a network invent dots
COLOUR_BORDER = 8  # likewise of the small photo: with none, plain pictures get stains; with more, colours are worse
STEP = 16  # a network's sides are multiples of it
LONGEST = 8 * SIDE  # of the small photo: a longer one is squashed
DOUBT = 6 / 255**2
"""Mean square of a change of detail that the networks make for nothing in large photos, which they know less well."""
NEIGHBOURHOOD = 512  # pixels a side over which a change is judged, so that one damaged corner counts
CELL = 16  # pixels a side of its parts


def restore(
    network: LuminanceNetwork,
    photo: Photo,
    look: Look,
    check: Callable[[Tensor], Tensor],
    chroma_of: Callable[[Tensor], Tensor] | None = None,
    *,
    batch: int = 1,
    progress: Progress = silent,
) -> Photo:
    """``photo`` restored by ``network``, in ``look.colour`` (not auto), at its own size.

    What the network makes goes through ``check``, which raises where it is no numbers. ``chroma_of`` says which
    colours a restored luminance had, where the network's own answer is not wanted.
    """
    device = next(network.parameters()).device
    y = luminance_of(photo)
    size = small_size(photo.height, photo.width)
    small = luminance_features(reduced(y, *size)).to(device)  # at the size at which it learned what dust is
    small = check(flip_ensemble(network.detail, small)).cpu().clamp(0, 1)
    is_small = size == (photo.height, photo.width)
    restored = small if is_small else trusted(y, in_tiles(network, y, check, batch, progress))
    tone = check(network.tone(small.to(device))).cpu()
    restored = undo(tone, restored, look.tone)
    if look.colour == "none":
        return painted(restored, None)
    if look.colour == "keep":
        size = photo.height // 2, photo.width // 2
        light = reduced(restored, *size)
        chroma = smoothed(own_chroma(photo, *size), radius=4)
    else:
        light = reduced(restored, *size)
        border = 0 if is_small else COLOUR_BORDER
        seen = functional.pad(undo(tone, small, look.tone), 4 * [border], "reflect").to(device)
        chroma = check((chroma_of or network.chroma)(seen)).cpu()
        chroma = chroma[:, :, border : border + size[0], border : border + size[1]]
    return painted(restored, Overlay(light, look.colour_strength * chroma, photo.height, photo.width))


def in_tiles(
    network: LuminanceNetwork, y: Tensor, check: Callable[[Tensor], Tensor], batch: int, progress: Progress
) -> Tensor:
    """The detail of a large luminance ``[1, 1, H, W]``, in [0, 1]."""
    device = next(network.parameters()).device

    def detail(planes: Tensor) -> Tensor:
        planes = planes.to(device)
        made = network.detail(planes)
        return check(made.add_(network.detail(planes.flip(3)).flip(3)) / 2).cpu()  # `flip_ensemble` takes more memory

    border = BORDER if min(y.shape[2:]) > SIDE else 0
    tiles = {"tile": TILE, "margin": MARGIN, "fade": FADE, "step": STEP, "border": border, "batch": batch}
    return tiling.blended(luminance_features(y), detail, **tiles, progress=progress).clamp_(0, 1)


def trusted(y: Tensor, restored: Tensor) -> Tensor:
    """``y`` changed towards ``restored``, both ``[1, 1, H, W]``: all the way by a large change, not at all by a small.

    Small changes are mostly glints and grain taken for damage: the positive-part estimator of James and Stein (1961,
    "Estimation with quadratic loss"), around each place as far as `NEIGHBOURHOOD`. At 128 pixels there is no doubt.
    """
    doubt = DOUBT * max(0.0, 1 - SIDE / min(y.shape[2:]))
    if not doubt:
        return restored
    change = functional.avg_pool2d((restored - y).square_(), CELL, ceil_mode=True, count_include_pad=False)
    change = box(change, NEIGHBOURHOOD // CELL // 2)
    share = (1 - doubt / change.clamp(min=1e-12)).clamp(min=0)
    return y.lerp(restored, functional.interpolate(share, size=y.shape[2:], mode="bilinear"))


def luminance_of(photo: Photo) -> Tensor:
    """``[1, 1, H, W]`` in [0, 1]."""
    y = torch.empty(1, 1, photo.height, photo.width)
    for rows in row_strips(photo.height, photo.width):
        y[:, :, rows] = luminance(image.to_tensor([Photo(photo.pixels[rows])]))
    return y


def own_chroma(photo: Photo, height: int, width: int) -> Tensor:
    """The photo's own Cb, Cr at a smaller size, ``[1, 2, h, w]``: eyes and JPEG see no finer ones."""
    return to_ycc(image.to_tensor([image.resized(photo, width, height)]))[:, 1:]


def painted(y: Tensor, overlay: Overlay | None) -> Photo:
    """The photo of a luminance ``[1, 1, H, W]`` and the colours laid on it; grey where there are none."""
    height, width = y.shape[2:]
    pixels = np.empty((height, width, 3), np.uint8)
    for rows in row_strips(height, width):
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
