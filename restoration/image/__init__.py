"""The only border between files, Pillow pictures and tensors: decoding, limits, colours, fit and rounding."""

from __future__ import annotations

import io
import logging
import os
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, TiffImagePlugin

from .. import metadata
from ..errors import ControlError, Note, PhotoError
from ..files import write_atomically
from ..types import SIDE, Photo, Transparency
from .colours import srgb_profile, to_rgb
from .decoding import check_size, decode, note_pages, reduce_jpeg, too_large, turn_upright, unread
from .sixteen_bits import brighten
from .strips import strips_of

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF", "JPEG2000")  # JPEG includes phones' MPO
JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
SUFFIXES = (*JPEG_SUFFIXES, ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif", ".avif", ".jp2")
"""What a folder is searched for."""
UNREAD = {b"\xff\x0a": "JPEG XL", b"\0\0\0\x0cJXL ": "JPEG XL", b"%PDF": "PDF", b"8BPS": "Photoshop file"}
"""Formats that photos come in all the same, by how their files begin."""
OUTPUT_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MAX_PIXELS = 24_000_000
MAX_SCAN = 100_000_000  # pixels of a photo on one's own machine: A4 at 600 dpi has 35 million, A3 has 70
MAX_BYTES = 200_000_000  # what 24 megapixels take with 16 bits and transparency, uncompressed

logging.getLogger("PIL").addHandler(logging.NullHandler())

Fit = Literal["crop", "squash", "pad"]


def load(
    path: str | os.PathLike[str], *, reduce_to: int | None = SIDE, max_pixels: int = MAX_PIXELS, may_halve: bool = True
) -> Photo:
    """Read a picture file as it is meant to be seen.

    The contents say what it is, not the name. Its size is checked before anything is decoded. EXIF orientation is
    applied; colours become sRGB by the file's profile, or from CMYK or LAB; 16 bits are scaled, also where a TIFF uses
    10, 12 or 14 of them; transparency is laid on a ground and kept aside; of several pages or frames the first is read.
    A JPEG may come at 1/2, 1/4 or 1/8 of its size, both sides at least twice ``reduce_to``, which is much quicker; None
    decodes it whole, but one of more than ``max_pixels`` is at least halved, or refused unless it ``may_halve``. A file
    that is cut short gives what it still holds. The photo brings its `metadata.of`, and notes on how it was read, which
    are logged too.

    Raises `PhotoError`, one sentence with the file's name, where there is no picture that we read, where less than half
    can be decoded, and where it has more than ``max_pixels`` (see `decoding.FACTORS`), more than 200 MB (in proportion
    where ``max_pixels`` exceed 24 million), or a side under 16 pixels.
    """
    name = Path(path).name
    notes: list[Note] = []
    max_bytes = MAX_BYTES * max(1, max_pixels / MAX_PIXELS)
    _register_heif()
    with _errors_in_a_sentence(path, max_pixels):
        if os.path.getsize(path) > max_bytes:
            raise PhotoError("photo_too_heavy", name=name, most=int(max_bytes) // 10**6)
        with Image.open(path, formats=FORMATS) as picture:
            check_size(picture, name, max_pixels)
            if picture.format in ("JPEG", "MPO"):
                reduce_jpeg(picture, name, reduce_to, max_pixels, may_halve, notes)
            note_pages(picture, notes)
            decode(picture, notes)
            found = metadata.of(picture)
            turn_upright(picture)
            if isinstance(picture, TiffImagePlugin.TiffImageFile):
                brighten(picture, name, notes)
            pixels, transparency = to_rgb(picture, name, notes)
    for note in notes:
        logger.warning("%s: %s", name, note)
    return Photo(pixels, replace(found, notes=tuple(notes), transparency=transparency))


@contextmanager
def _errors_in_a_sentence(path: str | os.PathLike[str], max_pixels: int) -> Iterator[None]:
    """Around reading the file at ``path``: a `PhotoError` says what goes wrong, and Pillow prints nothing beside it."""
    name = Path(path).name
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            yield
    except (PhotoError, MemoryError):
        raise
    except FileNotFoundError:
        raise PhotoError("photo_missing", name=name) from None
    except IsADirectoryError:
        raise PhotoError("photo_folder", name=name) from None
    except PermissionError:
        raise PhotoError("photo_forbidden", name=name) from None
    except Image.UnidentifiedImageError:
        with open(path, "rb") as file:
            begins = file.read(8)
        if format := next((named for start, named in UNREAD.items() if begins.startswith(start)), ""):
            raise unread(name, format) from None
        raise (PhotoError("photo_unknown", name=name) if begins else PhotoError("photo_empty", name=name)) from None
    except Image.DecompressionBombError:
        raise too_large(name, "", max_pixels) from None
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them trip over
        raise PhotoError("photo_damaged", name=name, reason=error) from error


@cache
def _register_heif() -> None:
    """Let Pillow read HEIC, in which iPhones save photos."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def is_picture(head: bytes) -> bool:
    """Does a file that begins so look like one that is read here? Cameras' raw files begin as TIFF does, and do not."""
    _register_heif()
    Image.init()
    accepts = [Image.OPEN[format][1] for format in FORMATS if format != "TIFF"]
    return any(accept(head) is True for accept in accepts if accept)


# --- Sizes and tensors ------------------------------------------------------------------------------------------------


def grey(levels: np.ndarray) -> Photo:
    """A grey photo of levels ``[H, W]``, uint8."""
    return Photo(np.repeat(levels[..., None], 3, axis=2))


def resized(photo: Photo, width: int, height: int, filter: Image.Resampling = Image.Resampling.BOX) -> Photo:
    """``photo`` at another size, by one of Pillow's filters; without its details."""
    return Photo(np.array(Image.fromarray(photo.pixels).resize((width, height), filter)))


def check_fit(how: str) -> None:
    """Raise `ControlError` for a fit that there is not."""
    if how not in get_args(Fit):
        raise ControlError("fit_unknown", name=how, choices=", ".join(get_args(Fit)))


def fit(photo: Photo, how: Fit = "crop", side: int = SIDE) -> Photo:
    """``photo`` as a square of ``side`` pixels; a photo of that size comes back as it is.

    ``crop`` takes the largest centred square, ``squash`` ignores the aspect ratio (as the original project did), and
    ``pad`` keeps the whole photo and mirrors its edges into the rest. Resized by an antialiased bicubic filter.
    """
    check_fit(how)
    if (photo.width, photo.height) == (side, side) and photo.details.transparency is None:
        return photo
    picture = Image.fromarray(photo.pixels)
    said = replace(photo.details, dpi=None, transparency=None)  # those were of its old pixels
    if how == "pad":
        scale = side / max(picture.size)
        width, height = (max(1, round(length * scale)) for length in picture.size)
        small = picture.resize((width, height), Image.Resampling.BICUBIC)
        margins = [(extra // 2, extra - extra // 2) for extra in (side - height, side - width)]
        return Photo(np.pad(np.asarray(small), [*margins, (0, 0)], mode="symmetric"), said)
    if how == "crop":
        return Photo(np.array(ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC)), said)
    return Photo(np.array(picture.resize((side, side), Image.Resampling.BICUBIC)), said)


def to_tensor(photos: Sequence[Photo]) -> torch.Tensor:
    """Photos of one size -> float32 ``[B, 3, H, W]``, RGB in [0, 1]."""
    import torch

    return torch.from_numpy(np.stack([photo.pixels for photo in photos])).permute(0, 3, 1, 2).float() / 255


def to_photos(images: torch.Tensor) -> list[Photo]:
    """The inverse of `to_tensor`: clamped, and rounded (not floored) to 8 bits."""
    pixels = (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return [Photo(np.ascontiguousarray(each)) for each in pixels]


# --- Written files ----------------------------------------------------------------------------------------------------


def same_suffix(path: str | os.PathLike[str]) -> str:
    """What the name of a result of ``path`` ends in: a JPEG gives a JPEG, all else a PNG, which loses nothing."""
    return ".jpg" if Path(path).suffix.lower() in JPEG_SUFFIXES else ".png"


def save(photo: Photo, path: str | os.PathLike[str]) -> None:
    """Write ``photo`` in the format that the path's suffix names; `ControlError` if it names none of ours."""
    write_atomically(Path(path), encode(photo, Path(path).suffix))


def encode(photo: Photo, suffix: str = ".png") -> bytes:
    """The file contents of ``photo``: lossless PNG or WebP, or JPEG at quality 95.

    They say that the colours are sRGB, and hold the photo's details; a WebP has no place for the dpi, a JPEG none for
    transparency. The same photo always gives the same bytes.
    """
    suffix = suffix.lower()
    most = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}.get(suffix)
    if most and max(photo.width, photo.height) > most:
        raise PhotoError("photo_too_long", suffix=suffix, most=most, width=photo.width, height=photo.height)
    buffer = io.BytesIO()
    said = photo.details
    picture = Image.fromarray(photo.pixels)
    if said.transparency and suffix in (".png", ".webp"):
        picture = _lifted(photo, said.transparency)
    options: dict[str, Any] = {"icc_profile": srgb_profile(), "exif": said.exif}
    if said.dpi:
        options["dpi"] = said.dpi
    match suffix:
        case ".png":
            texts = PngImagePlugin.PngInfo()
            if said.description:
                texts.add_text("Description", said.description)
            # four times as fast as Pillow's 6, a sixth larger
            picture.save(buffer, "PNG", compress_level=1, pnginfo=texts, **options)
        case ".webp":
            picture.save(buffer, "WEBP", lossless=True, **options | {"exif": metadata.described(said)})
        case ".jpg" | ".jpeg":
            comment = said.description.encode()
            if comment:  # as a segment of its own: Pillow's way finds no room for it after long EXIF data
                options["extra"] = struct.pack(">2sH", b"\xff\xfe", 2 + len(comment)) + comment
            picture.save(buffer, "JPEG", quality=95, subsampling=0, **options)
        case _:
            raise ControlError("suffix_unknown", choices=", ".join(OUTPUT_SUFFIXES), suffix=suffix)
    return buffer.getvalue()


def _lifted(photo: Photo, transparency: Transparency) -> Image.Image:
    """``photo`` as transparent as its file was; what shone through from its ground is taken out of its colours."""
    alpha = Image.fromarray(transparency.alpha).resize((photo.width, photo.height), Image.Resampling.BICUBIC)
    pixels = photo.pixels.copy()
    for rows, strip in strips_of(alpha):
        mixed, opaque = pixels[rows], np.asarray(strip)
        is_mixed = (opaque > 0) & (opaque < 255)
        share = opaque[is_mixed, None] / np.float32(255)
        mixed[is_mixed] = np.rint(((mixed[is_mixed] - transparency.ground * (1 - share)) / share).clip(0, 255))
    picture = Image.fromarray(pixels)
    picture.putalpha(alpha)
    return picture
