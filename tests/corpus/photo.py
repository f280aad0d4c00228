"""The photo that all pictures here are made of, in every mode that Pillow knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

from .case import PHOTO


def source() -> Image.Image:
    with Image.open(PHOTO) as picture:
        return picture.resize((48, 32), Image.Resampling.BICUBIC, box=(160, 60, 304, 156))


def with_alpha(picture: Image.Image) -> Image.Image:
    """Opaque at the left, and gone at the right."""
    picture = picture.convert("RGBA")
    fading = np.linspace(255, 0, picture.width).round().astype(np.uint8)
    picture.putalpha(Image.fromarray(np.broadcast_to(fading, (picture.height, picture.width)).copy()))
    return picture


def with_hole(picture: Image.Image) -> Image.Image:
    """A palette, one of whose colours is transparent."""
    picture = picture.quantize(16)
    picture.info["transparency"] = 3
    return picture


def in_lab(picture: Image.Image) -> Image.Image:
    return ImageCms.profileToProfile(  # type: ignore[return-value]
        picture, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )


def in_16_bits(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)


MODES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "1": lambda picture: picture.convert("1"),
    "L": lambda picture: picture.convert("L"),
    "LA": lambda picture: with_alpha(picture).convert("LA"),
    "P": lambda picture: picture.quantize(64),
    "P, transparent": with_hole,
    "RGB": lambda picture: picture,
    "RGBA": with_alpha,
    "CMYK": lambda picture: picture.convert("CMYK"),
    "YCbCr": lambda picture: picture.convert("YCbCr"),
    "LAB": in_lab,
    "I;16": in_16_bits,
    "F": lambda picture: picture.convert("F"),
}


def seen(mode: str) -> np.ndarray:
    """The photo in that mode as it is meant to be seen, uint8 ``[H, W, 3]``: upright, opaque, on white."""
    if mode == "I;16":
        return np.asarray(source().convert("L").convert("RGB"))
    if mode == "LAB":
        return np.asarray(source())
    pixels = np.asarray(MODES[mode](source()).convert("RGBA")).astype(float)
    opaque = pixels[..., 3:] / 255
    return (pixels[..., :3] * opaque + 255 * (1 - opaque)).round().astype(np.uint8)
