"""Files of each format: as Pillow writes them, and byte by byte what it does not write."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image


def saved(picture: Image.Image, format: str, **options: Any) -> bytes:
    """The file; an animation's second frame is black."""
    pillow_heif.register_heif_opener()
    if options.get("save_all"):
        options["append_images"] = [Image.new(picture.mode, picture.size)]
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, colour: int, data: bytes, *, bits: int = 8, interlaced: bool = False) -> bytes:
    """A PNG of compressed rows; ``colour`` is 0 for grey, 2 for RGB, 6 for RGBA."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND")


def in_rows(pixels: np.ndarray) -> bytes:
    """The rows of a PNG, none of them filtered."""
    return zlib.compress(np.pad(pixels.reshape(len(pixels), -1), ((0, 0), (1, 0))).tobytes(), 1)


def adam7(pixels: np.ndarray) -> bytes:
    """The rows of an interlaced PNG."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [pixels[y::down, x::right] for x, y, right, down in passes]
    rows = [np.pad(part.reshape(len(part), -1), ((0, 0), (1, 0))).tobytes() for part in parts]
    return zlib.compress(b"".join(rows), 1)


def tiff(width: int, height: int, blocks: Sequence[bytes], tags: dict[int, int]) -> bytes:
    """A TIFF whose strips, or tiles where 322 is among the ``tags``, are the ``blocks``."""
    where, lengths = (324, 325) if 322 in tags else (273, 279)
    starts = [8 + sum(map(len, blocks[:place])) for place in range(len(blocks))]
    end = 8 + sum(map(len, blocks))
    entries = {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in {256: width, 257: height, **tags}.items()}
    tables = b""
    for tag, values in ((where, starts), (lengths, [len(block) for block in blocks])):
        table = struct.pack(f"<{len(values)}I", *values)
        value = struct.unpack("<I", table)[0] if len(values) == 1 else end + len(tables)
        entries[tag] = struct.pack("<HHII", tag, 4, len(values), value)
        tables += table
    ifd = struct.pack("<H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    return b"II*\0" + struct.pack("<I", end + len(tables)) + b"".join(blocks) + tables + ifd


def gif(width: int, height: int, left: int = 0, top: int = 0, wide: int = 1, high: int = 1) -> bytes:
    """One frame of a few bytes, at a place on a screen."""
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return b"GIF89a" + screen + b"," + struct.pack("<HHHHB", left, top, wide, high, 0) + b"\x02\x02\x44\x01\0;"


def webp(width: int, height: int) -> bytes:
    """An animation whose only frame is far smaller than its canvas."""

    def block(kind: bytes, data: bytes) -> bytes:
        return kind + struct.pack("<I", len(data)) + data

    def less_one(value: int) -> bytes:
        return struct.pack("<I", value - 1)[:3]

    canvas = block(b"VP8X", b"\2\0\0\0" + less_one(width) + less_one(height)) + block(b"ANIM", bytes(6))
    frame = saved(Image.new("RGB", (16, 16)), "WEBP", lossless=True)[12:]
    body = canvas + block(b"ANMF", bytes(6) + less_one(16) * 2 + bytes(4) + frame)
    return block(b"RIFF", b"WEBP" + body)


def run_length_bmp(width: int, height: int, data: bytes) -> bytes:
    palette = b"".join(bytes((level, level, level, 0)) for level in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(data), 0, 0, 256, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + header + palette + data


def segment(marker: int, data: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
