"""EXIF data that say how to turn a photo upright, and such as nobody can read."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from .case import Case
from .formats import saved
from .photo import source
from .readable import LOSSY


def turned() -> Iterator[Case]:
    """Stored as a camera holds it, with EXIF that says how to turn it upright; and EXIF that nobody can read."""
    stored = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # which `Image.Transpose` undoes the orientation
    upright = np.asarray(source())
    for format, suffix in (("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("TIFF", ".tif"), ("HEIF", ".heic")):
        for orientation, how in stored.items():
            picture = source() if how is None else source().transpose(Image.Transpose(how))
            contents = saved(picture, format, exif=oriented(orientation))
            yield Case(f"{format} orientation {orientation}{suffix}", contents, upright, LOSSY)
        if format in ("JPEG", "PNG", "WEBP"):
            for name, exif in broken_exif().items():
                yield Case(f"{format} {name}{suffix}", saved(source(), format, exif=exif), upright, LOSSY)


def oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return exif.tobytes()


def broken_exif() -> dict[str, bytes]:
    def entry(kind: int, count: int, value: bytes) -> bytes:
        return b"MM\0*\0\0\0\x08\0\1" + struct.pack(">HHI", 274, kind, count) + value + bytes(4)

    blobs = {
        "EXIF of nothing": b"",
        "EXIF of rubbish": bytes(range(200)),
        "EXIF cut short": b"II*\0\x08\0\0\0\xff\xff\x12\x01",
        "EXIF beyond its end": b"II*\0\xff\xff\xff\xff",
        "EXIF in itself": b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 34665, 4, 1, 8) + struct.pack("<I", 8),
        "orientation 0": entry(3, 1, b"\0\0\0\0"),
        "orientation 9": entry(3, 1, b"\0\x09\0\0"),
        "orientation of text": entry(2, 2, b"6\0\0\0"),
        "orientation of none": entry(3, 0, b"\0\6\0\0"),
        "orientation beyond the end": entry(3, 9999, b"\0\0\xff\xff"),
        "orientation divided by zero": entry(5, 1, b"\0\0\0\0"),
        "orientation of no type": entry(99, 1, b"\0\6\0\0"),
    }
    return {name: b"Exif\0\0" + blob for name, blob in blobs.items()}
