"""What travels with a photo beside its pixels: when, where and by what it was taken, how large it is, what it shows.

EXIF data are copied value by value, as bytes. Pillow could write them anew, but it guesses the type of most values and
makes a question mark of every letter that is not English.
"""

from __future__ import annotations

import io
import logging
import struct
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from PIL import ExifTags, ImageFile, TiffImagePlugin

from .types import Details

logger = logging.getLogger(__name__)
MAX_EXIF = 65_533  # bytes, which a JPEG's segment holds; of longer data Pillow may copy each tag's megabytes
MAX_DESCRIPTION = 10_000  # characters, which a JPEG's comment holds in any language
PREFIX = b"Exif\0\0"

Value = tuple[int, int, bytes]  # its type, how many there are of it, and their bytes
Directory = dict[int, Value]

_SIZES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), start=1))  # bytes of one value of each type
_TEXT, _SHORT, _LONG = 2, 3, 4
_Tag = ExifTags.Base
_SUBJECT_AREA = 0x9214
_PHOTOS = (
    "DocumentName ImageDescription Make Model Software DateTime Artist HostComputer Rating RatingPercent Copyright "
    "XPTitle XPComment XPAuthor XPKeywords XPSubject"
)
_FILES = (
    "ExifOffset GPSInfo ExifInteroperabilityOffset MakerNote IPTCNAA ImageResources InterColorProfile "
    "ComponentsConfiguration CompressedBitsPerPixel ExifImageWidth ExifImageHeight SubjectLocation"
)
_OF_PHOTO = frozenset(ExifTags.Base[name] for name in _PHOTOS.split())
"""The rest says how the old file holds its pixels, or belongs to other standards."""
_OF_CAMERA = frozenset(range(_Tag.ExposureTime, _Tag.Gamma)) - {ExifTags.Base[name] for name in _FILES.split()}
_OF_CAMERA -= {_SUBJECT_AREA}
"""All but what holds places in the old file, or in the old picture."""
_OF_PLACE = frozenset(range(32))


def of(picture: ImageFile.ImageFile) -> Details:
    """The details of a file whose pixels Pillow has loaded, and whose EXIF data nobody has changed yet."""
    return Details(exif=_exif(picture), dpi=_dpi(picture), description=_description(picture))


def without_place(details: Details) -> Details:
    """``details`` without the coordinates where the photo was taken."""
    if not details.exif:
        return details
    return replace(details, exif=replace(_read(io.BytesIO(details.exif[len(PREFIX) :])), place={}).tobytes())


def described(details: Details) -> bytes:
    """The EXIF data, with the description in them where they have none: for a format that has no other place for it."""
    if not details.description:
        return details.exif
    exif = _read(io.BytesIO(details.exif[len(PREFIX) :])) if details.exif else _Exif("<")
    text = details.description.encode() + b"\0"
    return replace(exif, photo={_Tag.ImageDescription: (_TEXT, len(text), text)} | exif.photo).tobytes()


def _exif(picture: ImageFile.ImageFile) -> bytes:
    """Empty where there is nothing to keep, or it is damaged or too much."""
    try:
        if isinstance(picture, TiffImagePlugin.TiffImageFile):  # the file itself is built as EXIF data are
            with open(picture.filename, "rb") as file:
                kept = _read(file).tobytes()
        else:
            as_text = picture.info.get("Raw profile type exif", "")  # in a PNG, by ImageMagick
            raw = picture.info.get("exif") or bytes.fromhex("".join(as_text.split("\n")[3:]))
            kept = _read(io.BytesIO(raw.removeprefix(PREFIX))).tobytes() if 0 < len(raw) <= MAX_EXIF else b""
    except MemoryError:
        raise
    except Exception as error:  # whatever damaged bytes lead to
        logger.debug("EXIF not kept: %s", error)
        return b""
    return kept if len(kept) <= MAX_EXIF else b""


def _dpi(picture: ImageFile.ImageFile) -> tuple[float, float] | None:
    """What prints can have and files can hold. Where a TIFF says nothing, Pillow gives 1, and EXIF data say 72."""
    try:
        across, down = map(float, picture.info.get("dpi", ()))
    except (ValueError, TypeError, ArithmeticError):
        return None
    said = all(1 < each < 65_535 and each != 72 for each in (across, down))
    return (across, down) if said else None


def _description(picture: ImageFile.ImageFile) -> str:
    """What a PNG's text says, or a JPEG's comment."""
    found = next((picture.info[key] for key in ("Description", "Comment", "comment") if picture.info.get(key)), "")
    if isinstance(found, bytes):
        try:
            text = found.decode()
        except UnicodeDecodeError:
            text = found.decode("latin-1")
    else:
        text = str(found)
    return "".join(sign for sign in text[:MAX_DESCRIPTION] if sign.isprintable() or sign in "\n\t").strip()


# --- EXIF data --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Exif:
    """What is kept of them: three directories, in one byte order."""

    order: str  # of `struct`: < or >
    photo: Directory = field(default_factory=dict)
    camera: Directory = field(default_factory=dict)
    place: Directory = field(default_factory=dict)

    def tobytes(self) -> bytes:
        """A segment that says that the photo is upright; nothing where nothing is kept."""
        parts = {ExifTags.IFD.Exif: self.camera, ExifTags.IFD.GPSInfo: self.place}
        parts = {pointer: directory for pointer, directory in parts.items() if directory}
        if not (self.photo or parts):
            return b""
        first = self.photo | {_Tag.Orientation: (_SHORT, 1, struct.pack(self.order + "H", 1))}
        first |= {pointer: (_LONG, 1, bytes(4)) for pointer in parts}
        start = 8 + len(_packed(self.order, first, 0))
        rest = b""
        for pointer, directory in parts.items():
            first[pointer] = _LONG, 1, struct.pack(self.order + "I", start + len(rest))
            rest += _packed(self.order, directory, start + len(rest))
        header = (b"II" if self.order == "<" else b"MM") + struct.pack(self.order + "HI", 42, 8)
        return PREFIX + header + _packed(self.order, first, 8) + rest


def _read(file: BinaryIO) -> _Exif:
    """What is to be kept; some error where that is damaged."""
    order = {b"II": "<", b"MM": ">"}[file.read(2)]
    _, start = struct.unpack(order + "HI", file.read(6))
    photo = _directory(file, order, start, _OF_PHOTO | {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo})

    def named_by(pointer: int, kept: frozenset[int]) -> Directory:
        if pointer not in photo:
            return {}
        (there,) = struct.unpack(order + "I", photo.pop(pointer)[2])
        return _directory(file, order, there, kept)

    camera = named_by(ExifTags.IFD.Exif, _OF_CAMERA)
    place = named_by(ExifTags.IFD.GPSInfo, _OF_PLACE)
    if _Tag.ColorSpace in camera:
        camera[_Tag.ColorSpace] = _SHORT, 1, struct.pack(order + "H", 1)  # the pixels are made sRGB
    return _Exif(order, photo, camera, place)


def _directory(file: BinaryIO, order: str, start: int, kept: frozenset[int]) -> Directory:
    """Those entries of the directory at ``start`` whose tags are ``kept``."""
    file.seek(start)
    (length,) = struct.unpack(order + "H", file.read(2))
    table = file.read(12 * length)
    if len(table) < 12 * length:
        raise ValueError("a directory is cut short")
    entries = [entry for entry in struct.iter_unpack(order + "HHI4s", table) if entry[0] in kept and entry[2]]
    if sum(_SIZES[kind] * count for _, kind, count, _ in entries) > MAX_EXIF:  # thousands may name the same bytes
        raise ValueError("a directory is too large")
    found = {}
    for tag, kind, count, value in entries:
        size = _SIZES[kind] * count
        if size > 4:
            file.seek(struct.unpack(order + "I", value)[0])
            value = file.read(size)
            if len(value) < size:
                raise ValueError("a value is cut short")
        found[tag] = kind, count, value[:size]
    return found


def _packed(order: str, directory: Directory, start: int) -> bytes:
    """The directory's bytes, where it is to lie at ``start``."""
    start += 2 + 12 * len(directory) + 4
    entries, values = b"", b""
    for tag, (kind, count, value) in sorted(directory.items()):
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place = struct.pack(order + "I", start + len(values))
            values += value + bytes(len(value) % 2)
        entries += struct.pack(order + "HHI", tag, kind, count) + place
    return struct.pack(order + "H", len(directory)) + entries + bytes(4) + values
