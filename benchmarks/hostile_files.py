"""`python -m benchmarks.hostile_files`: what thousands of strange, damaged and malicious files do to `image.load`.

And to the app, over HTTP. Of each file either the right picture or one sentence must come. All files are made here,
from one photo and one seed.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pillow_heif
import typer
from PIL import Image, ImageCms

from restoration import Photo, PhotoError, image
from restoration.image import write_whole

from .serving import serve

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "assets" / "examples" / "astronaut.jpg"
CUTS = 20
FLIPS = 24
HEADER = 100
"""Bytes at the start of a file, which half of the flipped bits are in."""
IN_FLIGHT = 4

Json = dict[str, Any]
Builders = dict[str, Callable[[], bytes]]


@dataclass(frozen=True, eq=False)
class Case:
    """A file, and what may come of it: ``picture`` or a refusal that matches ``says``; of neither, anything honest."""

    name: str
    """What it is, and its suffix: it is the file's name too."""
    contents: bytes
    picture: np.ndarray | None = None
    tolerance: float = 0
    """How far the pixels may be from ``picture``, in levels of 255, on average."""
    size: tuple[int, int] | None = None
    """Width and height, where ``picture`` is 128x128 and shows all of it."""
    says: str | None = None


# --- The photo, in every mode -----------------------------------------------------------------------------------------


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


# --- Files that Pillow writes -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A way to write a photo that is to be read."""

    format: str
    suffix: str
    modes: str
    options: Json
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
)


def saved(picture: Image.Image, format: str, **options: Any) -> bytes:
    """The file; an animation's second frame is black."""
    pillow_heif.register_heif_opener()
    if options.get("save_all"):
        options["append_images"] = [Image.new(picture.mode, picture.size)]
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def readable() -> Iterator[Case]:
    for kind in KINDS:
        for mode in kind.modes.split("/"):
            contents = saved(MODES[mode](source()), kind.format, **kind.options)
            yield Case(f"{kind.title} {mode}{kind.suffix}", contents, seen(mode), kind.tolerance)
    for name, contents in by_hand().items():
        yield Case(name, contents, seen("RGBA" if "RGBA" in name else "RGB"), 1)


def unreadable() -> Iterator[Case]:
    """What Pillow writes besides: in formats that are not read here, and pixels that have no agreed white."""
    Image.init()
    for format in sorted(set(Image.SAVE) - {kind.format for kind in KINDS}):
        suffix = next((suffix for suffix, name in Image.EXTENSION.items() if name == format), "")
        for mode in MODES:
            with suppress(OSError, ValueError, KeyError):  # what this format has no place for
                yield Case(f"{format} {mode}{suffix}", saved(MODES[mode](source()), format), says="not a picture")
    for mode in ("I", "F"):
        yield Case(f"TIFF {mode}.tif", saved(source().convert("L").convert(mode), "TIFF"), says="32-bit")


# --- Files that Pillow does not write ---------------------------------------------------------------------------------


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


# --- Small files ------------------------------------------------------------------------------------------------------


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


def spoiled(case: Case, whole: np.ndarray | None, random: np.random.Generator) -> Iterator[Case]:
    """Its file cut short, with flipped bits, under other names, and among rubbish; ``whole`` is what it shows so far.

    A file that lacks something is refused, or it still shows the very same picture.
    """
    stem, contents = case.name.rsplit(".", 1)[0], case.contents
    for cut in range(CUTS):
        length = len(contents) - 1 - cut if cut < 3 else len(contents) * cut // CUTS
        yield Case(f"{stem}, {length} bytes of it", contents[:length], whole, says="")
    for flip in range(FLIPS):
        damaged = bytearray(contents)
        end = min(HEADER, len(contents)) if flip % 2 else len(contents)
        for place in random.integers(end, size=1 + flip % 3):
            damaged[place] ^= 1 << int(random.integers(8))
        yield Case(f"{stem}, flipped {flip}", bytes(damaged))
    for suffix in (".png", ".jpg", ".GIF", ".txt", ""):
        yield replace(case, name=f"{stem}, renamed{suffix}")
    yield Case(f"{stem}, and rubbish", contents + random.bytes(99), whole, says="")
    yield Case(f"rubbish, and {stem}", random.bytes(99) + contents, whole, says="")


def small() -> Iterator[Case]:
    """All small files: each as it is, and then spoiled."""
    random = np.random.default_rng(0)
    for case in (*readable(), *unreadable(), *turned()):
        yield case
        if not re.search(r"orientation|EXIF", case.name):
            yield from spoiled(case, shown(case), random)
    yield from strange()


def shown(case: Case) -> np.ndarray | None:
    with tempfile.TemporaryDirectory() as folder, suppress(PhotoError):
        (path := Path(folder) / "whole").write_bytes(case.contents)
        return image.load(path).pixels
    return None


# --- Files at the limits ----------------------------------------------------------------------------------------------


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


# --- Bombs ------------------------------------------------------------------------------------------------------------


def declared(width: int, height: int) -> bytes:
    """A TIFF of one small strip that claims a size."""
    return tiff(width, height, [b"\x80\x0b\x60\x50"], {258: 8, 259: 5, 262: 1, 277: 1, 278: height})


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

LARGE = {**LIMITS, **HUGE, **GREEDY}


def expected(name: str) -> Case:
    """What may come of a file of `LARGE`; a JPEG of more than 24 megapixels comes at half its size."""
    if name not in LIMITS:
        return Case(name, b"", says="too large" if name in HUGE else None)
    sizes = {"JPEG": (4330, 2887), "HEIF": (5712, 4284), "WEBP": (5000, 4000)}
    with Image.open(PHOTO) as picture:
        reduced = picture.convert("L" if "grey" in name else "RGB").resize((128, 128), Image.Resampling.BOX)
    return Case(name, b"", np.asarray(reduced.convert("RGB")), LOSSY, sizes.get(name[:4], (6000, 4000)))


def tagged(count: int = 20_000, size: int = 1_000_000) -> bytes:
    """A TIFF of 16x16 pixels, or EXIF data, with thousands of tags that all hold the same bytes."""
    pixels, shared = bytes(256), bytes(size)
    plain = tiff(16, 16, [pixels, shared], {258: 8, 259: 1, 262: 1, 277: 1, 278: 8})
    (ifd,) = struct.unpack("<I", plain[4:8])
    (present,) = struct.unpack("<H", plain[ifd : ifd + 2])
    more = b"".join(struct.pack("<HHII", 40_000 + tag, 7, size, 8) for tag in range(count))
    return plain[:ifd] + struct.pack("<H", present + count) + plain[ifd + 2 : -4] + more + bytes(4)


def segment(marker: int, data: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


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


# --- Reading them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a case."""

    name: str
    outcome: str
    """picture, sentence, another error's name, or died."""
    wrong: str = ""
    """Why that is not right; empty where it is."""
    seconds: float = 0
    bytes: int = 0
    """Peak of memory over what the process had before; 0 where it is not known."""


def fault_of_picture(case: Case, photo: Photo) -> str:
    """Why ``photo`` may not come of ``case``; empty where it may."""
    if case.picture is None:
        sane = min(photo.width, photo.height) >= 16 and photo.width * photo.height <= 25_000_000
        return "it should be refused" if case.says is not None else "" if sane else f"{photo.width}x{photo.height}"
    size = case.size or case.picture.shape[1::-1]
    if (photo.width, photo.height) != size:
        return f"{photo.width}x{photo.height} instead of {size}"
    pixels = photo.pixels
    if case.size:
        pixels = np.asarray(Image.fromarray(pixels).resize((128, 128), Image.Resampling.BOX))
    difference = np.abs(pixels.astype(float) - case.picture).mean()
    return f"another picture, {difference:.1f} levels off" if difference > case.tolerance else ""


def fault_of_sentence(case: Case, sentence: str) -> str:
    """Why ``case`` may not be refused by ``sentence``; empty where it may."""
    if case.says is None and case.picture is not None:
        return f"it should be read: {sentence}"
    if not re.search(case.says or "", sentence):
        return f"not because {case.says}: {sentence}"
    clear = re.fullmatch(r"[^\n]{10,300}\.", sentence) and not re.search(
        r"Traceback|went wrong|/(tmp|home|usr|root)\b", sentence
    )
    return "" if clear else f"no clear sentence: {sentence!r}"


def read(case: Case, path: Path) -> Result:
    """By `image.load`, at full size; what it took, and whether it is right. Linux tells the peak of memory."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    base, started = _memory("VmRSS"), time.perf_counter()
    with redirect_stderr(io.StringIO()) as printed:  # by Python; libtiff writes what it likes
        try:
            found: Photo | Exception = image.load(path, reduce_to=None)
        except Exception as error:
            found = error
    seconds, peak = time.perf_counter() - started, _memory("VmHWM") - base
    match found:
        case Photo():
            outcome, wrong = "picture", fault_of_picture(case, found)
        case PhotoError():
            outcome, wrong = "sentence", fault_of_sentence(case, str(found).replace(path.name, "The photo"))
        case _:
            outcome, wrong = type(found).__name__, repr(found)
    return Result(name=case.name, outcome=outcome, wrong=wrong or printed.getvalue(), seconds=seconds, bytes=peak)


def _memory(entry: str) -> int:
    (kilobytes,) = re.findall(rf"{entry}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) * 1024


def apart(task: str, *names: str) -> Iterator[Result]:
    """What ``task`` of this module prints in a process of its own; where that dies, the last is what it was at."""
    code = f"import sys; from benchmarks import hostile_files; hostile_files.{task}(sys.argv[1:])"
    command = [sys.executable, "-X", "faulthandler", "-c", code, *names]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True) as running,
    ):
        assert running.stdout
        name = task
        for line in running.stdout:
            name, _, found = line.rpartition("\t")
            if found:
                yield Result(**json.loads(found))
        if running.wait():
            errors.seek(0)
            yield Result(name=name, outcome="died", wrong=errors.read()[-3000:])


def read_small(_: Sequence[str] = ()) -> None:
    """In this process, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        for case in small():
            print(case.name, end="\t", flush=True)
            signal.alarm(60)
            path = Path(folder) / case.name
            path.write_bytes(case.contents)
            print_result(read(case, path))
            path.unlink()


def read_large(names: Sequence[str]) -> None:
    """Each is made by one fork of this process and read by another, which has at first what an idle reader has."""
    image.load(PHOTO)
    with tempfile.TemporaryDirectory() as folder:
        for path in (Path(folder) / name for name in names):
            if died := in_fork(partial(make, path)) or in_fork(partial(tell, path)):
                print_result(Result(name=path.name, outcome="died", wrong=f"exit code {died}"))
            path.unlink(missing_ok=True)


def make(path: Path) -> None:
    path.write_bytes(LARGE[path.name]())


def tell(path: Path) -> None:
    print_result(read(expected(path.name), path))


def print_result(result: Result) -> None:
    print(json.dumps(asdict(result)), flush=True)


def in_fork(task: Callable[[], object]) -> int:
    """Run it in a fork of this process, which has 100 seconds and three gigabytes; its exit code."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(100)
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
    try:
        task()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


# --- Over HTTP --------------------------------------------------------------------------------------------------------


def sent(url: str, case: Case) -> Result:
    """The file uploaded to the app, and damaged by /degrade, which gives the photo itself too."""
    started = time.perf_counter()
    with httpx.Client(base_url=f"{url}/gradio_api", timeout=120) as client:
        (path,) = client.post("/upload", files={"files": (case.name, case.contents)}).json()
        photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
        event = client.post("/call/v2/degrade", json={"photo": photo, "fit": "squash"}).json()["event_id"]
        answers = re.findall(r"^event: (\w+)\ndata: (.*)$", client.get(f"/call/degrade/{event}").text, re.MULTILINE)
        seconds, (how, data) = time.perf_counter() - started, answers[-1]
        if how == "complete":
            _, original, _ = json.loads(data)
            with Image.open(io.BytesIO(client.get(f"/file={original['path']}").content)) as picture:
                outcome, wrong = "picture", fault_of_picture(squashed(case), Photo(np.array(picture)))
        else:
            outcome, wrong = "sentence", fault_of_sentence(case, json.loads(data)["error"])
    return Result(name=case.name, outcome=outcome, wrong=wrong, seconds=seconds)


def squashed(case: Case) -> Case:
    """What /degrade gives of it."""
    if case.picture is None:
        return case
    return replace(case, picture=image.fit(Photo(case.picture.copy()), "squash").pixels, size=None)


def heavy() -> Iterator[Case]:
    """All the bombs, and some photos at the limits."""
    for name, build in AMPLIFIED.items():
        yield Case(name, build())
    for name, build in HUGE.items():  # of which a decoder with little memory does not always see the size
        yield Case(name, build(), says="")
    for name in (*GREEDY, "HEIF.heic", "WEBP lossless.webp"):
        yield replace(expected(name), contents=LARGE[name]())


def send_all(url: str) -> Iterator[Result]:
    """Every 33rd small case, several at a time, and then the heavy ones, whose time is their own."""
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        yield from pool.map(partial(sent, url), islice(small(), None, None, 33))
    yield from map(partial(sent, url), heavy())


# --- The benchmark ----------------------------------------------------------------------------------------------------


def summary(results: Sequence[Result]) -> Json:
    slowest = max(results, key=lambda result: result.seconds)
    return {
        "cases": len(results),
        "outcomes": Counter(result.outcome for result in results),
        "wrong": {result.name: result.wrong for result in results if result.wrong},
        "slowest": {"name": slowest.name, "seconds": slowest.seconds},
    }


def main() -> None:
    """Read all files, send some of them to the app, and write benchmarks/results/hostile_files.json."""
    read_here = [*apart("read_small"), *(large := list(apart("read_large", *LARGE)))]
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), mcp=False) as url:
        over_http = list(send_all(url))
    greediest = max(read_here, key=lambda result: result.bytes)
    rows = [*large, *(result for result in over_http if result.name in AMPLIFIED)]
    result: Json = {
        "cores": os.cpu_count(),
        "pillow": version("pillow"),
        "library": {**summary(read_here), "largest": {"name": greediest.name, "bytes": greediest.bytes}},
        "http": {"in_flight": IN_FLIGHT, **summary(over_http)},
        "large": [asdict(row) for row in rows],
    }
    write_whole(ROOT / "benchmarks" / "results" / "hostile_files.json", (json.dumps(result, indent=1) + "\n").encode())
    typer.echo(json.dumps(result, indent=1))


if __name__ == "__main__":
    typer.run(main)
