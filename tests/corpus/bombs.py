"""Small files whose pixels, or what decoders make of them, would fill the memory."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from .case import Builders
from .formats import gif, png, run_length_bmp, saved, tiff, webp


def declared(width: int, height: int) -> bytes:
    """A TIFF of one small strip that claims a size."""
    return tiff(width, height, [b"\x80\x0b\x60\x50"], {258: 8, 259: 5, 262: 1, 277: 1, 278: height})


def one_tile(compression: int, data: bytes, side: int = 32_000) -> bytes:
    """A TIFF of 16x16 pixels in a tile of a gigabyte."""
    return tiff(16, 16, [data], {258: 8, 259: compression, 262: 1, 277: 1, 322: side, 323: side})


def heic(size: tuple[int, int], claimed: tuple[int, int]) -> bytes:
    """A picture of ``size`` in a box that claims another."""
    contents = saved(Image.new("RGB", size), "HEIF")
    at = contents.index(b"ispe") + 8
    return contents[:at] + struct.pack(">II", *claimed) + contents[at + 8 :]


HUGE: Builders = {
    "12000x12000.png": lambda: saved(Image.new("1", (12_000, 12_000)), "PNG", optimize=True),
    "12000x12000.gif": lambda: saved(Image.new("L", (12_000, 12_000)), "GIF"),
    "12000x12000.tif": lambda: saved(Image.new("1", (12_000, 12_000)), "TIFF", compression="group4"),
    "16383x1500.webp": lambda: saved(Image.new("RGB", (16_383, 1_500)), "WEBP", lossless=True, method=0),
    "claim.png": lambda: png(2**31 - 1, 2**31 - 1, 2, b""),
    "screen.gif": lambda: gif(65_535, 65_535),
    "frame.gif": lambda: gif(32, 32, 0, 0, 65_535, 65_535),
    "corner.gif": lambda: gif(32, 32, 65_000, 65_000),
    "canvas.webp": lambda: webp(16_383, 16_383),
    "claim.tif": lambda: declared(2**32 - 1, 2**32 - 1),
    "claim.bmp": lambda: run_length_bmp(2**31 - 1, 2**31 - 1, b"\0\1"),
}
"""Small files that claim more pixels than any photo may have: each must be refused as too large."""
GREEDY: Builders = {
    "strip.tif": lambda: tiff(16, 16, [b"\x80\x0b\x60\x50"], {258: 8, 259: 5, 262: 1, 277: 1, 278: 2**32 - 1}),
    "tile, LZW.tif": lambda: one_tile(5, b"\x80\x0b\x60\x50"),
    "tile, runs.tif": lambda: one_tile(32773, b"\x81\0" * 2**23),
    "runs.bmp": lambda: run_length_bmp(6000, 4000, (b"\1\x80\1\x40" * 3000 + b"\0\0") * 4000),
    "jump.bmp": lambda: run_length_bmp(1_500_000, 16, b"\0\2\0\xff\0\1"),
    "CMYK, progressive.jpg": lambda: saved(Image.new("CMYK", (8660, 5773)), "JPEG", progressive=True),
    "claim.heic": lambda: heic((64, 64), (60_000, 60_000)),
    "understated.heic": lambda: heic((2000, 2000), (64, 64)),
    "inflated data.png": lambda: png(16, 16, 2, zlib.compress(bytes(2**28), 1)),
}
"""Files whose decoders take more than the pixels that the header claims: read or refused, in little memory."""
