"""What is to be refused: other formats, pixels without an agreed white, and no pictures at all."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from PIL import Image

from .case import PHOTO, Case
from .formats import saved
from .photo import MODES, source
from .readable import KINDS


def unreadable() -> Iterator[Case]:
    """What Pillow writes besides: in formats that are not read here, and pixels that have no agreed white."""
    Image.init()
    for format in sorted(set(Image.SAVE) - {kind.format for kind in KINDS}):
        suffix = next((suffix for suffix, name in Image.EXTENSION.items() if name == format), "")
        for mode in MODES:
            with suppress(OSError, ValueError, KeyError):  # what this format has no place for
                yield Case(
                    f"{format} {mode}{suffix}", saved(MODES[mode](source()), format), says="not a picture|is a PDF"
                )
    for mode in ("I", "F"):
        yield Case(f"TIFF {mode}.tif", saved(source().convert("L").convert(mode), "TIFF"), says="32-bit")


def strange() -> Iterator[Case]:
    """No pictures at all, only the beginnings of some, and pictures too small to be any."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(PHOTO, "photo.jpg")
    no_pictures = {
        "zip.png": packed.getvalue(),
        "page.png": b"<!doctype html><html><body>404</body></html>",
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle r="9"/></svg>',
        "drawing.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\nshowpage\n",
        "sky.fits": b"".join(line.ljust(80) for line in (b"SIMPLE  = T", b"BITPIX  = 8", b"NAXIS = 0", b"END")) * 9,
        "packed.jpg": gzip.compress(PHOTO.read_bytes()[:5000], mtime=0),
        "rubbish.jpg": np.random.default_rng(0).bytes(5000),
        "zeros.png": bytes(5000),
        "words.gif": b"This is no picture. " * 50,
    }
    yield Case("empty.png", b"", says="is empty")
    for name, contents in no_pictures.items():
        yield Case(name, contents, says="not a picture")
    signatures = b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFF\xff\0\0\0WEBPVP8 ", b"II*\0", b"\xff\xd8\xff"
    for place, signature in enumerate((*signatures, b"\0\0\0\x18ftypheic")):
        yield Case(f"signature {place}", signature, says="")
    for width, height in ((1, 1), (1, 10_000), (10_000, 1), (15, 400)):
        contents = saved(Image.new("RGB", (width, height)), "PNG")
        yield Case(f"{width}x{height}.png", contents, says=f"is {width}x{height} pixels")
    yield Case("16x16.png", saved(Image.new("RGB", (16, 16)), "PNG"), np.zeros((16, 16, 3), np.uint8))
    yield Case("16x10000.png", saved(Image.new("RGB", (16, 10_000)), "PNG"), np.zeros((10_000, 16, 3), np.uint8))
