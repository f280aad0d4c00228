"""Has a photo real colours, or is it grey, or toned in one hue as old prints are?"""

from __future__ import annotations

import numpy as np

from .. import image
from ..colour import LUMA
from ..types import Photo

REDUCED = 96  # to which a photo is reduced first: what is finer is the noise of a camera or of JPEG
LEAST = 6.0
"""Levels of 255 by which the chroma of a coloured photo differs, over its most coloured twentieth, from toning."""


def has_any(photo: Photo) -> bool:
    """Has ``photo`` real colours? Sepia, selenium or yellowed paper give each luminance one colour; others are real."""
    return beyond_toning(photo) > LEAST


def beyond_toning(photo: Photo) -> float:
    """By how many levels of 255 the 95th percentile of the pixels differs from the colour that its luminance has."""
    scale = REDUCED / max(photo.width, photo.height)
    width, height = (max(1, min(length, round(length * scale))) for length in (photo.width, photo.height))
    rgb = image.resized(photo, width, height).pixels.astype(float)
    y = (rgb @ np.array(LUMA)).ravel()
    chroma = np.stack([(rgb[..., 2].ravel() - y) / 1.772, (rgb[..., 0].ravel() - y) / 1.402], 1)
    curve = np.stack([np.ones_like(y), y / 255, (y / 255) ** 2, (y / 255) ** 3], 1)
    toned = curve @ np.linalg.lstsq(curve, chroma, rcond=None)[0]
    return float(np.percentile(np.hypot(*(chroma - toned).T), 95))
