"""Scratches, cracks, dust and stains: found by a small network, and filled from what surrounds them.

`detect` says where damage is, `fill` mends it; in between, a user can correct what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from . import image, tiling
from .errors import PhotoError
from .network.scratch_detector import ScratchDetector
from .types import Mask, Photo

SEEN = 1024
"""Larger photos are reduced to the pixels of a square of this side; adding a pass at half the size did not help."""
RED = (230, 40, 40)  # of what is marked, laid over the photo
STEP = 16  # the network halves its features four times, and begins with half the side


def build(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
    """The network with its weights (see `ScratchDetector`)."""
    with torch.device("meta"):
        network = ScratchDetector(**config)
    network.load_state_dict(dict(tensors), assign=True)
    return network


def detect(photo: Photo, network: nn.Module) -> Mask:
    """Where ``photo`` is damaged, by ``network`` (as `build` makes it).

    Time and memory hardly grow with the photo: it is reduced first (see `SEEN`), never enlarged.
    """
    factor = min(1, SEEN / (photo.width * photo.height) ** 0.5)
    width, height = (max(STEP, round(side * factor)) for side in (photo.width, photo.height))
    images = image.to_tensor([image.resized(photo, width, height)]).to(next(network.parameters()).device)
    padded = functional.pad(images, (0, -width % STEP, 0, -height % STEP), "reflect")
    with torch.inference_mode():
        logits: Tensor = network(padded.contiguous(memory_format=torch.channels_last))
    levels = logits[0, 0, :height, :width].float().sigmoid().mul(255).round().byte().cpu().numpy()
    probable = Image.fromarray(levels).resize((photo.width, photo.height), Image.Resampling.BILINEAR)
    return Mask(np.array(probable))


WIDE = 8  # what is further than so many pixels from the border of its hole is filled at half the size first
TILE, MARGIN = 256, 16
RIM, FITS = 2, 30
"""A mask grows by so many pixels, more where the network saw the photo smaller; of those, such stay as differ from
their filling by so many levels at most. Rims of a crack that were left would run into the filling."""
MOST = 0.5  # of a photo, that may be marked: of more, too little is left to fill it from


def mask_of(given: Photo, photo: Photo) -> Mask:
    """A user's mask, white where ``photo`` is damaged, at the photo's size.

    Raises `PhotoError` for what is no mask of this photo: another shape, colours, or the photo itself.
    """
    across, down = given.width / photo.width, given.height / photo.height
    if min(abs(given.width - photo.width * down), abs(given.height - photo.height * across)) > 1:
        raise PhotoError(
            "mask_shape", width=given.width, height=given.height, photo_width=photo.width, photo_height=photo.height
        )
    spread = given.pixels.max(2) - given.pixels.min(2)
    grey = np.asarray(Image.fromarray(given.pixels).convert("L"))
    if (spread > 40).mean() > 0.002 or ((grey > 40) & (grey < 215)).mean() > 0.25:
        raise PhotoError("mask_photo")
    return Mask(np.array(Image.fromarray(grey).resize((photo.width, photo.height), Image.Resampling.BILINEAR)))


def marked(mask: Mask, sensitivity: float = 0.5) -> np.ndarray:
    """The pixels that are taken for damage, bool ``[H, W]``: none at a ``sensitivity`` of 0, nearly all at 1."""
    return np.asarray(mask.pixels > 255 * (1 - sensitivity))


def picture(found: np.ndarray) -> Photo:
    """A mask to look at and to correct: white where bool ``found`` ``[H, W]`` says; `mask_of` reads it again."""
    return image.grey(np.where(found, 255, 0).astype(np.uint8))


def overlay(photo: Photo, found: np.ndarray) -> Photo:
    """``photo`` with what bool ``found`` ``[H, W]`` marks in red."""
    red = (photo.pixels * 0.3 + np.array(RED) * 0.7).astype(np.uint8)
    return Photo(np.where(found[..., None], red, photo.pixels))


def fill(photo: Photo, mask: Mask, sensitivity: float = 0.5) -> Photo:
    """``photo`` with what ``mask`` marks, and its rim where that is damage too (`RIM`), filled from what surrounds it.

    By scikit-image's biharmonic inpainting: a surface as smooth as can be that goes on as its surroundings come in
    (Chui and Mhaskar 2010, "MRA contextual-recovery extension of smooth functions on manifolds"). The middle of wide
    holes, where it would swing, is filled at half the size. Raises `PhotoError` where most of the photo is marked.
    """
    if mask.pixels.shape != photo.pixels.shape[:2]:
        raise ValueError(f"a mask of {mask.pixels.shape} for a photo of {photo.pixels.shape}")
    hole = marked(mask, sensitivity)
    if hole.mean() > MOST:
        raise PhotoError("mask_most", share=float(hole.mean()))
    if not hole.any():
        return photo
    rim = round(RIM * max(1, (photo.width * photo.height) ** 0.5 / SEEN))
    grown = _dilated(hole, rim)
    if grown.mean() < 0.9:  # else it is everywhere, and little would be left
        misfit = np.abs(_filled(photo.pixels, grown).astype(np.int16) - photo.pixels).max(2) > FITS
        hole |= grown & misfit
    return Photo(_filled(photo.pixels, hole), photo.details)


def _dilated(hole: np.ndarray, by: int) -> np.ndarray:
    """Bool ``hole`` ``[H, W]``, ``by`` pixels larger on every side: dilated by a square."""
    grown = np.pad(hole, by)
    for axis in (0, 1):
        grown = sliding_window_view(grown, 2 * by + 1, axis).max(-1)
    return grown


def _filled(pixels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """``pixels`` ``[H, W, 3]`` with ``hole`` ``[H, W]`` filled: where it is wide, from the photo at half the size."""
    middle = ~_dilated(~hole, WIDE)
    if middle.any() and min(hole.shape) >= 8:
        kept = np.where(hole, 0, 255).astype(np.uint8)
        share = np.asarray(Image.fromarray(kept).reduce(2))
        left = np.asarray(Image.fromarray(np.where(hole[..., None], 0, pixels).astype(np.uint8)).reduce(2))
        mean = (left.astype(np.float32) * 255 / np.maximum(share, 1)[..., None]).clip(0, 255)
        smaller = Image.fromarray(_filled(np.rint(mean).astype(np.uint8), share == 0))
        larger = np.asarray(smaller.resize(hole.shape[::-1], Image.Resampling.BILINEAR))
        pixels, hole = np.where(middle[..., None], larger, pixels), hole & ~middle
    return _inpainted(pixels, hole)


def _inpainted(pixels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """`_filled` for narrow holes, tile by tile: what is further away than the margin hardly matters."""
    from skimage.restoration import inpaint_biharmonic

    result = pixels.copy()
    height, width = hole.shape
    for top, bottom in tiling.spans(height, TILE):
        for left, right in tiling.spans(width, TILE):
            inside = hole[top:bottom, left:right]
            if not inside.any():
                continue
            above, before = max(top - MARGIN, 0), max(left - MARGIN, 0)
            area = slice(above, bottom + MARGIN), slice(before, right + MARGIN)
            if hole[area].all():  # of a photo that is hardly wider than a line
                result[top:bottom, left:right] = pixels[~hole].mean(0).round()
                continue
            filled = inpaint_biharmonic(pixels[area] / 255, hole[area], channel_axis=2)
            mine = filled[top - above :, left - before :][: bottom - top, : right - left]
            result[top:bottom, left:right][inside] = np.rint(mine[inside].clip(0, 1) * 255).astype(np.uint8)
    return result
