"""Photos as large as may be."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from .case import PHOTO, Builders
from .exif import oriented
from .formats import adam7, in_rows, png, saved
from .photo import in_16_bits, in_lab


def large(width: int = 6000, height: int = 4000) -> Image.Image:
    """The photo with a grain, which leaves decoders something to do."""
    with Image.open(PHOTO) as picture:
        pixels = np.asarray(picture.resize((width // 8 + 1, height // 8 + 1), Image.Resampling.BICUBIC))
    pixels = pixels.clip(8, 247).repeat(8, 0)[:height].repeat(8, 1)[:, :width]
    grain = np.random.default_rng(0).integers(0, 17, (64, width, 3), np.uint8)
    for top in range(0, height, len(grain)):
        strip = pixels[top : top + len(grain)]
        strip += grain[: len(strip)]
        strip -= 8
    return Image.fromarray(pixels)


def largest() -> Image.Image:
    """For a JPEG."""
    return large(8660, 5773)


def opaque() -> Image.Image:
    """With an alpha channel that hides nothing."""
    return large().convert("RGBA")


def sheer(width: int = 5000) -> Image.Image:
    """With an alpha channel that hides next to nothing."""
    picture = large(width)
    picture.putalpha(254)
    return picture


def in_colours() -> Image.Image:
    return large().quantize(256, Image.Quantize.FASTOCTREE)


def saved_upright(picture: Image.Image, format: str, **options: Any) -> bytes:
    """As a camera stores it that was held upright."""
    return saved(picture.transpose(Image.Transpose.ROTATE_90), format, exif=oriented(6), **options)


LIMITS: Builders = {
    "PNG RGB.png": lambda: saved(large(), "PNG", compress_level=1),
    "PNG RGBA, upright.png": lambda: saved_upright(opaque(), "PNG", compress_level=1),
    "PNG palette, transparent.png": lambda: saved(in_colours(), "PNG", compress_level=1, transparency=b"\xff" * 256),
    "PNG 16 bits grey.png": lambda: saved(in_16_bits(large()), "PNG", compress_level=1),
    "PNG 16 bits RGBA.png": lambda: png(6000, 4000, 6, in_rows(np.asarray(opaque()).repeat(2, 2)), bits=16),
    "PNG interlaced RGBA.png": lambda: png(6000, 4000, 6, adam7(np.asarray(opaque())), interlaced=True),
    "TIFF LZW.tif": lambda: saved(large(), "TIFF", compression="tiff_lzw"),
    "TIFF RGBA in one strip.tif": lambda: saved(opaque(), "TIFF", compression="tiff_lzw", strip_size=2**30),
    "TIFF CMYK.tif": lambda: saved(large().convert("CMYK"), "TIFF", compression="tiff_lzw"),
    "TIFF LAB.tif": lambda: saved(in_lab(large()), "TIFF"),
    "WEBP lossy.webp": lambda: saved(large(5000), "WEBP", method=0),
    "WEBP lossless.webp": lambda: saved(large(5000), "WEBP", lossless=True, method=0, quality=0),
    "WEBP animated RGBA.webp": lambda: saved(large(5000).convert("RGBA"), "WEBP", save_all=True, method=0),
    "AVIF transparent.avif": lambda: saved(sheer(), "AVIF", speed=10),
    "PNG transparent.png": lambda: saved(sheer(6000), "PNG", compress_level=1),
    "GIF.gif": lambda: saved(in_colours(), "GIF"),
    "BMP.bmp": lambda: saved(large(), "BMP"),
    "HEIF.heic": lambda: saved(  # as an iPhone writes it
        large(5712, 4284), "HEIF", quality=50, tile_size=512, enc_params={"preset": "ultrafast"}
    ),
    "JPEG baseline.jpg": lambda: saved(largest(), "JPEG", quality=90),
    "JPEG baseline, upright.jpg": lambda: saved_upright(largest(), "JPEG", quality=90),
    "JPEG progressive.jpg": lambda: saved(largest(), "JPEG", quality=90, progressive=True, subsampling=0),
}
"""Photos as large as may be: each must be read."""
