"""Files whose parsers in Python take minutes or gigabytes before a pixel is decoded."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from .case import Builders
from .formats import chunk, saved, segment, tiff
from .photo import source


def tagged(count: int = 20_000, size: int = 1_000_000) -> bytes:
    """A TIFF of 16x16 pixels, or EXIF data, with thousands of tags that all hold the same bytes."""
    pixels, shared = bytes(256), bytes(size)
    plain = tiff(16, 16, [pixels, shared], {258: 8, 259: 1, 262: 1, 277: 1, 278: 8})
    (ifd,) = struct.unpack("<I", plain[4:8])
    (present,) = struct.unpack("<H", plain[ifd : ifd + 2])
    more = b"".join(struct.pack("<HHII", 40_000 + tag, 7, size, 8) for tag in range(count))
    return plain[:ifd] + struct.pack("<H", present + count) + plain[ifd + 2 : -4] + more + bytes(4)


def jpeg(segments: bytes) -> bytes:
    contents = saved(source(), "JPEG")
    return contents[:2] + segments + contents[2:]


def in_jpeg(exif: bytes) -> bytes:
    """In as many segments as it takes."""
    starts = range(0, len(exif), 65_000)
    return jpeg(b"".join(segment(0xE1, b"Exif\0\0" + exif[at : at + 65_000]) for at in starts))


def scans(count: int) -> bytes:
    """A progressive JPEG of one colour and 50 megapixels whose last scan, a few bytes, comes again and again."""
    contents = saved(Image.new("RGB", (8660, 5773), "grey"), "JPEG", progressive=True, subsampling=0)
    tables = contents.rindex(b"\xff\xc4")
    return contents[:-2] + contents[tables:-2] * count + contents[-2:]


def png_with(chunks: bytes) -> bytes:
    contents = saved(source(), "PNG")
    return contents[:33] + chunks + contents[33:]


def gif_with(extension: bytes) -> bytes:
    contents = saved(source().convert("L"), "GIF")
    screen = 13 + 3 * 2 ** ((contents[10] & 7) + 1)
    return contents[:screen] + extension + contents[screen:]


AMPLIFIED: Builders = {
    "tags.tif": tagged,
    "EXIF tags.jpg": lambda: in_jpeg(tagged()),
    "EXIF tags.png": lambda: saved(source(), "PNG", exif=tagged()),
    "EXIF in pieces.jpg": lambda: jpeg(segment(0xE1, b"Exif\0\0.") * 900_000),
    "segments.jpg": lambda: jpeg(segment(0xE5) * 3_000_000),
    "padding.jpg": lambda: jpeg(b"\xff" * 10_000_000),
    "scans.jpg": lambda: scans(200),
    "chunks.png": lambda: png_with(chunk(b"teXt") * 1_000_000),
    "profile.png": lambda: png_with(chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**28), 1))),
    "texts.png": lambda: png_with(chunk(b"zTXt", b"t\0\0" + zlib.compress(bytes(1_000_000), 9)) * 100),
    "comment.gif": lambda: gif_with(b"!\xfe" + (b"\xff" + bytes(255)) * 30_000 + b"\0"),
    "comments.gif": lambda: gif_with(b"!\xfe\1c\0" * 1_500_000),
    "blocks.gif": lambda: gif_with(b"!\1" + b"\1b" * 5_000_000 + b"\0"),
}
"""Files whose parsers in Python take minutes or gigabytes before a pixel is decoded."""
