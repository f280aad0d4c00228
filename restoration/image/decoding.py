"""Decoding a file by Pillow: nothing that is too large, and of a damaged one what it still holds."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

import numpy as np
from PIL import Image, ImageFile, ImageOps, JpegImagePlugin, TiffImagePlugin

from ..errors import Note, PhotoError
from ..metadata import MAX_EXIF
from .strips import strips_of

logger = logging.getLogger(__name__)
FACTORS = {"JPEG": 50 / 24, "MPO": 50 / 24, "HEIF": 25 / 24, "WEBP": 20 / 24, "AVIF": 20 / 24, "JPEG2000": 20 / 24}
"""By how much a format may exceed the limit: a JPEG can be decoded smaller, a HEIC "of 24 megapixels" has 24.5, and the
last three take Pillow many times the memory."""
MIN_SIDE = 16
BLANK = (0, 127, 128)  # levels that decoders leave where they read nothing; in a JPEG grey, of inks its complement
LEAST = 0.5  # the share of a photo that a damaged file must still hold


def check_size(picture: ImageFile.ImageFile, name: str, max_pixels: int) -> None:
    """Refuse what is too small, or would take too much to decode."""
    format = picture.format or ""
    pixels = picture.width * picture.height
    if isinstance(picture, TiffImagePlugin.TiffImageFile):  # its tiles may be larger than the picture
        if picture.tag_v2.get(254, 0) & 1:  # its NewSubfileType: a small preview, before what a camera saw
            raise unread(name, "raw photo")
        tile = [picture.tag_v2.get(tag, 0) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH)]
        pixels = max(pixels, tile[0] * tile[1])
    if isinstance(picture, JpegImagePlugin.JpegImageFile) and "progressive" in picture.info:
        pixels = max(pixels, pixels * picture.layers // 3)  # libjpeg holds 2 bytes of each layer at its whole size
    if pixels > most_pixels(format, max_pixels):
        raise too_large(name, format, max_pixels)
    if any(tile.codec_name == "bmp_rle" for tile in picture.tile):  # a byte of which may stand for 255 rows
        raise Image.UnidentifiedImageError
    if min(picture.size) < MIN_SIDE:
        raise PhotoError("photo_too_small", name=name, width=picture.width, height=picture.height, least=MIN_SIDE)


def most_pixels(format: str, max_pixels: int) -> float:
    """How many pixels a format may have: never more than Pillow opens."""
    return min(max_pixels * FACTORS.get(format, 1), 2 * (Image.MAX_IMAGE_PIXELS or sys.maxsize))


def too_large(name: str, format: str, max_pixels: int) -> PhotoError:
    most, most_jpeg = min(max_pixels, most_pixels(format, max_pixels)), most_pixels("JPEG", max_pixels)
    return PhotoError("photo_too_large", name=name, most=most / 1e6, most_jpeg=most_jpeg / 1e6)


def unread(name: str, format: str) -> PhotoError:
    return PhotoError("photo_format", name=name, format=format)


def reduce_jpeg(
    picture: ImageFile.ImageFile, name: str, reduce_to: int | None, max_pixels: int, may_halve: bool, notes: list[Note]
) -> None:
    """Let libjpeg decode at a fraction of the size; see `image.load`."""
    stored, is_large = picture.size, picture.width * picture.height > max_pixels
    if is_large and not may_halve:
        raise too_large(name, "JPEG", max_pixels)
    wanted = 2 * reduce_to if reduce_to else min(stored)
    if is_large:
        wanted = min(wanted, min(stored) // 2)
    picture.draft(picture.mode, (wanted, wanted))
    if reduce_to is None and picture.size != stored:
        notes.append(Note("photo_halved"))


def note_pages(picture: ImageFile.ImageFile, notes: list[Note]) -> None:
    """Say how many pages of a TIFF are not read."""
    if not isinstance(picture, TiffImagePlugin.TiffImageFile) or not picture.is_animated:
        return
    others = 1
    with suppress(Exception), Image.open(picture.filename, formats=["TIFF"]) as again:  # damage is met while decoding
        others = again.n_frames - 1  # type: ignore[attr-defined]
    notes.append(Note("photo_pages", others=others))


def decode(picture: ImageFile.ImageFile, notes: list[Note]) -> None:
    """Decode ``picture``, or so much of it as a damaged file still holds.

    Pillow's own switch for that, LOAD_TRUNCATED_IMAGES, is one for all threads, and does not say what is missing.
    """
    ends: list[bytes] = []
    if is_jpeg := isinstance(picture, JpegImagePlugin.JpegImageFile):
        # As libjpeg does where a file lacks its end: the marker, after which what is missing becomes grey.
        ends, read = [b"\xff\xd9"], picture.load_read
        picture.load_read = lambda read_bytes: read(read_bytes) or (ends.pop() if ends else b"")  # type: ignore[method-assign]
    try:
        picture.load()
        if ends or not is_jpeg:
            return
    except (OSError, SyntaxError):
        if picture._im is None or not _is_in_rows(picture):
            raise
        picture.tile = []  # no more of it is to be decoded
    blank = [np.isin(np.asarray(strip), BLANK).reshape(strip.height, -1).all(axis=1) for _, strip in strips_of(picture)]
    there = np.flatnonzero(~np.concatenate(blank))
    share = (there[-1] - there[0] + 1) / picture.height if there.size else 0
    if share < LEAST:
        raise OSError(f"{share:.0%} of it can be read")
    is_coarse = share == 1 and "progressive" in picture.info
    notes.append(Note("photo_coarse") if is_coarse else Note("photo_partial", share=min(99, int(100 * share))))


def _is_in_rows(picture: ImageFile.ImageFile) -> bool:
    """Does the file hold the photo row by row, so that its beginning is a part of the photo?"""
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        return bool(picture.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 1)
    return picture.format in ("JPEG", "MPO", "PNG", "BMP") and not picture.info.get("interlace")


def turn_upright(picture: Image.Image) -> None:
    """Apply the EXIF orientation; a photo whose EXIF data are damaged, or vast, stays as it is stored."""
    raw = picture.info.get("exif") or picture.info.get("Raw profile type exif") or b""
    if len(raw) > MAX_EXIF:
        return
    try:
        ImageOps.exif_transpose(picture, in_place=True)
    except MemoryError:
        raise
    except Exception as error:  # the parsers of EXIF and XMP raise whatever damaged data make them trip over
        logger.debug("EXIF not read: %s", error)
