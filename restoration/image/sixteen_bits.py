"""16 bits a colour: which of their levels is white, and what Pillow leaves out of them."""

from __future__ import annotations

import sys

import numpy as np
from PIL import Image, TiffImagePlugin

from ..errors import Note, PhotoError
from .strips import strips_of

WHITES = (1023, 4095, 16_383, 65_535)  # in 10, 12, 14 and 16 bits, all of which scanners store as 16


def brighten(picture: TiffImagePlugin.TiffImageFile, name: str, notes: list[Note]) -> None:
    """Scale colours that use 10, 12 or 14 of their 16 bits, which Pillow leaves dark, as it takes their high bytes.

    The low bytes are read here, by taking the file's numbers for those of the other byte order.
    """
    tags = picture.tag_v2
    if picture.mode not in ("RGB", "RGBA") or set(tags.get(TiffImagePlugin.BITSPERSAMPLE, ())) != {16}:
        return
    white = white_level(picture, 256 * highest_level(picture) + 255, notes)
    misread = picture.info["compression"] == "raw" or white < WHITES[-1]
    if misread and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2:  # one colour after the other
        raise PhotoError("photo_16_bits", name=name)
    if white == WHITES[-1]:
        return
    swapped = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
    with Image.open(picture.filename, formats=["TIFF"]) as low:
        for number, tile in enumerate(low.tile):
            assert isinstance(tile.args, tuple)
            layout, *rest = tile.args
            low.tile[number] = tile._replace(args=(layout[:-1] + swapped[layout[-1]], *rest))
        low.load()
        for (rows, strip), (_, low_strip) in zip(strips_of(picture), strips_of(low), strict=True):
            levels = np.asarray(strip).astype(np.uint16) * 256 + np.asarray(low_strip)
            scaled = np.rint(np.minimum(levels, white) * np.float32(255 / white)).astype(np.uint8)
            picture.paste(Image.fromarray(scaled), (0, rows.start))


def highest_level(picture: Image.Image) -> int:
    """The highest level of any pixel, its opacity aside."""
    strips = (np.asarray(strip).reshape(strip.height, strip.width, -1) for _, strip in strips_of(picture))
    return max(int(levels[..., :3].max()) for levels in strips)


def white_level(picture: Image.Image, highest: int, notes: list[Note]) -> int:
    """The level of white where no pixel is above ``highest``: a TIFF may use fewer bits than it has, and say so."""
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return WHITES[-1]
    said = picture.tag_v2.get(281, ())  # its MaxSampleValue
    levels = [highest, *(level for level in np.ravel(said) if isinstance(level, int | np.integer))]
    white = next((white for white in WHITES if max(levels) <= white), WHITES[-1])
    if white < WHITES[-1] and len(levels) == 1:
        notes.append(Note("photo_white", white=white))
    return white
