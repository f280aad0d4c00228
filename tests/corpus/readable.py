"""Photos that are to be read: in every format and mode, by Pillow and as other programs write them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .case import Case
from .formats import adam7, in_rows, png, saved, tiff
from .photo import MODES, seen, source, with_alpha


@dataclass(frozen=True)
class Kind:
    """A way to write a photo that is to be read."""

    format: str
    suffix: str
    modes: str
    options: dict[str, Any]
    tolerance: float = 1

    @property
    def title(self) -> str:
        return " ".join([self.format, *(f"{name}={value}" for name, value in self.options.items())])


LOSSY = 12
KINDS = (
    Kind("JPEG", ".jpg", "L/RGB/CMYK/YCbCr", {}, LOSSY),
    Kind("JPEG", ".jpg", "L/RGB/CMYK/YCbCr", {"progressive": True}, LOSSY),
    Kind("JPEG", ".jpg", "L/RGB/CMYK/YCbCr", {"subsampling": 0, "restart_marker_rows": 1}, LOSSY),
    Kind("JPEG", ".jpeg", "L/RGB/CMYK/YCbCr", {"quality": 30}, LOSSY),
    Kind("MPO", ".jpg", "RGB", {"save_all": True}, LOSSY),
    Kind("PNG", ".png", "1/L/LA/P/P, transparent/RGB/RGBA/I;16", {}),
    Kind("PNG", ".png", "RGB/RGBA", {"save_all": True}),
    Kind("WEBP", ".webp", "RGB/RGBA", {}, LOSSY),
    Kind("WEBP", ".webp", "RGB/RGBA/P, transparent", {"lossless": True}),
    Kind("WEBP", ".webp", "RGB/RGBA", {"save_all": True, "lossless": True}),
    Kind("BMP", ".bmp", "1/L/P/RGB", {}),
    Kind("GIF", ".gif", "1/L/P/P, transparent", {}),
    Kind("GIF", ".gif", "L/P", {"save_all": True, "interlace": 0}),
    Kind("GIF", ".gif", "RGB", {}, LOSSY),
    Kind("TIFF", ".tif", "1/L/LA/P/RGB/RGBA/CMYK/LAB/I;16", {}),
    Kind("TIFF", ".tif", "L/RGB/RGBA/CMYK/I;16", {"compression": "tiff_lzw"}),
    Kind("TIFF", ".tif", "L/RGB/RGBA/CMYK/I;16", {"compression": "tiff_adobe_deflate"}),
    Kind("TIFF", ".tif", "L/RGB/RGBA/CMYK/I;16", {"compression": "packbits"}),
    Kind("TIFF", ".tif", "RGB", {"compression": "lzma"}),
    Kind("TIFF", ".tif", "RGB", {"compression": "zstd"}),
    Kind("TIFF", ".tif", "L/RGB", {"compression": "jpeg"}, LOSSY),
    Kind("TIFF", ".tif", "1", {"compression": "group4"}),
    Kind("TIFF", ".tiff", "RGB", {"save_all": True, "big_tiff": True}),
    Kind("HEIF", ".heic", "L/RGB/RGBA/I;16", {}, LOSSY),
    Kind("HEIF", ".heic", "RGB", {"chroma": "444", "quality": 95}, LOSSY),
    Kind("HEIF", ".heif", "RGB", {"save_all": True}, LOSSY),
    Kind("AVIF", ".avif", "L/RGB/RGBA", {}, LOSSY),
    Kind("AVIF", ".avif", "RGB", {"save_all": True}, LOSSY),
    Kind("JPEG2000", ".jp2", "L/LA/RGB/RGBA/I;16", {}),
    Kind("JPEG2000", ".j2k", "L/RGB", {"irreversible": True, "no_jp2": True}, LOSSY),
)


def readable() -> Iterator[Case]:
    for kind in KINDS:
        for mode in kind.modes.split("/"):
            contents = saved(MODES[mode](source()), kind.format, **kind.options)
            yield Case(f"{kind.title} {mode}{kind.suffix}", contents, seen(mode), kind.tolerance)
    for name, contents in by_hand().items():
        yield Case(name, contents, seen("RGBA" if "RGBA" in name else "RGB"), 1)


def by_hand() -> dict[str, bytes]:
    """Of the same photo: what Pillow reads, but does not write."""
    pixels, faded = np.asarray(source()), np.asarray(with_alpha(source()))
    tiles = [pixels[y : y + 16, x : x + 16].tobytes() for y in (0, 16) for x in (0, 16, 32)]
    return {
        "PNG interlaced RGB.png": png(48, 32, 2, adam7(pixels), interlaced=True),
        "PNG interlaced RGBA.png": png(48, 32, 6, adam7(faded), interlaced=True),
        "PNG 16 bits RGB.png": png(48, 32, 2, in_rows(pixels.repeat(2, 2)), bits=16),
        "PNG 16 bits RGBA.png": png(48, 32, 6, in_rows(faded.repeat(2, 2)), bits=16),
        "TIFF tiled RGB.tif": tiff(48, 32, tiles, {258: 8, 259: 1, 262: 2, 277: 3, 322: 16, 323: 16}),
        "TIFF tiled and deflated RGB.tif": tiff(
            48, 32, [zlib.compress(tile) for tile in tiles], {258: 8, 259: 8, 262: 2, 277: 3, 322: 16, 323: 16}
        ),
        "TIFF planes RGB.tif": tiff(
            48, 32, [pixels[..., band].tobytes() for band in range(3)], {258: 8, 262: 2, 277: 3, 278: 32, 284: 2}
        ),
    }
