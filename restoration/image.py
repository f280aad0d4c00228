"""The only border between files, Pillow pictures and tensors: decoding, limits, orientation, fit and rounding."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps, JpegImagePlugin, TiffImagePlugin

from .types import SIDE, ControlError, Photo, PhotoError

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF")  # the JPEG reader also gives MPO, as many phones write
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif")
"""What a folder is searched for."""
OUTPUT_SUFFIXES = (".png", ".jpg", ".webp")
MAX_PIXELS = 24_000_000
FACTORS = {"JPEG": 50 / 24, "MPO": 50 / 24, "HEIF": 25 / 24, "WEBP": 20 / 24}
"""How many times as many pixels a format may have: a JPEG can be decoded at a fraction of its size, what phones call 24
megapixels, in HEIC, are 24.5, and Pillow holds a WebP four times."""
MAX_BYTES = 200_000_000  # what 24 megapixels take with 16 bits and transparency, uncompressed
MAX_EXIF = 65_536  # bytes, which are a camera's segment; of a longer one Pillow may copy each tag's megabytes
MIN_SIDE = 16
STRIP = 1_000_000  # pixels that are converted at once

# What Pillow would print about a damaged file on its way to the one sentence that says it.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())

Fit = Literal["crop", "squash", "pad"]


def load(path: str | os.PathLike[str], *, reduce_to: int | None = SIDE, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a picture file as it is meant to be seen.

    The contents say what it is, not the name. Its size is checked from the header, before anything is decoded. EXIF
    orientation is applied, transparency is laid on white, 16-bit grey is scaled, CMYK and LAB are converted, and an
    animation gives its first frame. A JPEG may come back at 1/2, 1/4 or 1/8 of its size, both sides at least twice
    ``reduce_to``, which is much quicker; None decodes it whole (but for one of more than ``max_pixels``, which is at
    least halved).

    Raises `PhotoError`, one sentence that names the file, where there is no such file, no picture that we read, a
    damaged one, one of more than ``max_pixels`` (see `FACTORS`) or 200 MB, or with a side under 16 pixels.
    """
    name = Path(path).name
    _register_heif()
    try:
        if os.path.getsize(path) > MAX_BYTES:
            raise PhotoError(
                "photo_too_heavy",
                "{name} has more than {most} MB; save it smaller.",
                name=name,
                most=MAX_BYTES // 10**6,
            )
        with Image.open(path, formats=FORMATS) as picture:
            _check_size(picture, name, max_pixels)
            if picture.format in ("JPEG", "MPO"):
                _decode_reduced(picture, reduce_to, max_pixels)
            picture.load()
            _turn_upright(picture)
            return Photo(_to_rgb(picture, name))
    except (PhotoError, MemoryError):
        raise
    except FileNotFoundError:
        raise PhotoError("photo_missing", "There is no file {name}; check its path.", name=name) from None
    except IsADirectoryError:
        raise PhotoError("photo_folder", "{name} is a folder; name a picture in it.", name=name) from None
    except PermissionError:
        raise PhotoError("photo_forbidden", "{name} may not be read; check its permissions.", name=name) from None
    except Image.UnidentifiedImageError:
        if os.path.getsize(path) == 0:
            raise PhotoError("photo_empty", "{name} is empty; choose another file.", name=name) from None
        raise PhotoError(
            "photo_unknown", "{name} is not a picture that can be read here; save it as PNG or JPEG.", name=name
        ) from None
    except Image.DecompressionBombError:
        raise _too_large(name, "", max_pixels) from None
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them trip over
        raise PhotoError(
            "photo_damaged",
            "{name} is damaged or incomplete ({reason}); get a fresh copy of it.",
            name=name,
            reason=error,
        ) from error


@cache
def _register_heif() -> None:
    """Let Pillow read HEIC, in which iPhones save photos."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def _too_large(name: str, format: str, max_pixels: int) -> PhotoError:
    return PhotoError(
        "photo_too_large",
        "{name} is too large; make it smaller than {most:g} megapixels ({most_jpeg:g} for a JPEG).",
        name=name,
        most=max_pixels * min(1, FACTORS.get(format, 1)) / 1e6,
        most_jpeg=max_pixels * FACTORS["JPEG"] / 1e6,
    )


def _check_size(picture: ImageFile.ImageFile, name: str, max_pixels: int) -> None:
    """Refuse what is too small, or would take too much to decode."""
    format = picture.format or ""
    most = max_pixels * FACTORS.get(format, 1)
    pixels = picture.width * picture.height
    if isinstance(picture, TiffImagePlugin.TiffImageFile):  # its tiles may be larger than the picture
        tile = [picture.tag_v2.get(tag, 0) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH)]
        pixels = max(pixels, tile[0] * tile[1])
    if isinstance(picture, JpegImagePlugin.JpegImageFile) and "progressive" in picture.info:
        pixels = max(pixels, pixels * picture.layers // 3)  # libjpeg holds 2 bytes of each layer at its whole size
    if pixels > most:
        raise _too_large(name, format, max_pixels)
    if any(tile.codec_name == "bmp_rle" for tile in picture.tile):  # a byte of which may stand for 255 rows
        raise Image.UnidentifiedImageError
    if min(picture.size) < MIN_SIDE:
        raise PhotoError(
            "photo_too_small",
            "{name} is {width}x{height} pixels; each side must have at least {least}.",
            name=name,
            width=picture.width,
            height=picture.height,
            least=MIN_SIDE,
        )


def _decode_reduced(picture: Image.Image, reduce_to: int | None, max_pixels: int) -> None:
    """Let libjpeg decode at a fraction of the size."""
    wanted = 2 * reduce_to if reduce_to else min(picture.size)
    if picture.width * picture.height > max_pixels:
        wanted = min(wanted, min(picture.size) // 2)
    picture.draft(picture.mode, (wanted, wanted))


def _turn_upright(picture: Image.Image) -> None:
    """Apply the EXIF orientation; a photo whose EXIF data are damaged, or vast, stays as it is stored."""
    raw = picture.info.get("exif") or picture.info.get("Raw profile type exif") or b""
    if len(raw) > MAX_EXIF:
        return
    try:
        ImageOps.exif_transpose(picture, in_place=True)
    except MemoryError:
        raise
    except Exception as error:  # as above, from the parsers of EXIF and XMP
        logger.debug("EXIF not read: %s", error)


def _to_rgb(picture: Image.Image, name: str) -> np.ndarray:
    """uint8 ``[H, W, 3]``, strip by strip, so that no conversion takes the memory of another whole picture."""
    if picture.mode in ("I", "F"):
        raise PhotoError(
            "photo_32_bits",
            "{name} has 32-bit pixels, which have no agreed white; save it with 8 or 16 bits.",
            name=name,
        )
    convert = _converter(picture)
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    rows = max(1, STRIP // picture.width)
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        whole = bottom - top == picture.height
        pixels[top:bottom] = convert(picture if whole else picture.crop((0, top, picture.width, bottom)))
    return pixels


def _converter(picture: Image.Image) -> Callable[[Image.Image], np.ndarray]:
    """What turns a strip of ``picture`` into RGB, or into grey ``[h, w, 1]``."""
    if picture.mode.startswith("I;16"):
        return _scaled
    if picture.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB", flags=ImageCms.Flags.NOCACHE)  # quicker, on photos
        return lambda strip: np.asarray(ImageCms.applyTransform(strip, transform))
    if picture.has_transparency_data:
        return _laid_on_white
    return lambda strip: np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))


def _scaled(strip: Image.Image) -> np.ndarray:
    levels = np.asarray(strip)
    grey = np.rint(levels / 257).astype(np.uint8)
    grey[levels == strip.info.get("transparency", -1)] = 255
    return grey[..., None]


def _laid_on_white(strip: Image.Image) -> np.ndarray:
    white = Image.new("RGBA", strip.size, "white")
    return np.asarray(Image.alpha_composite(white, strip.convert("RGBA")).convert("RGB"))


def check_fit(how: str) -> None:
    """Raise `ControlError` for a fit that there is not."""
    if how not in get_args(Fit):
        choices = ", ".join(get_args(Fit))
        raise ControlError(
            "fit_unknown", "There is no fit called {name!r}; choose from {choices}.", name=how, choices=choices
        )


def fit(photo: Photo, how: Fit = "crop", side: int = SIDE) -> Photo:
    """``photo`` as a square of ``side`` pixels; a photo of that size comes back as it is.

    ``crop`` takes the largest centred square, ``squash`` ignores the aspect ratio (as the original project did), and
    ``pad`` keeps the whole photo and mirrors its edges into the rest. Resized by an antialiased bicubic filter.
    """
    check_fit(how)
    if (photo.width, photo.height) == (side, side):
        return photo
    picture = Image.fromarray(photo.pixels)
    if how == "pad":
        scale = side / max(picture.size)
        size = [max(1, round(length * scale)) for length in picture.size]
        small = picture.resize((size[0], size[1]), Image.Resampling.BICUBIC)
        rest = side - small.height, side - small.width
        margins = [(extra // 2, extra - extra // 2) for extra in rest]
        return Photo(np.pad(np.asarray(small), [*margins, (0, 0)], mode="symmetric"))
    if how == "crop":
        return Photo(np.array(ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC)))
    return Photo(np.array(picture.resize((side, side), Image.Resampling.BICUBIC)))


def to_tensor(photos: Sequence[Photo]) -> torch.Tensor:
    """Photos of one size -> float32 ``[B, 3, H, W]``, RGB in [0, 1]."""
    import torch

    return torch.from_numpy(np.stack([photo.pixels for photo in photos])).permute(0, 3, 1, 2).float() / 255


def to_photos(images: torch.Tensor) -> list[Photo]:
    """The inverse of `to_tensor`: clamped, and rounded (not floored) to 8 bits."""
    pixels = (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return [Photo(np.ascontiguousarray(each)) for each in pixels]


def encode(photo: Photo, suffix: str = ".png") -> bytes:
    """The file contents of ``photo``: lossless PNG or WebP, or JPEG at quality 95."""
    most = {".webp": 16383, ".jpg": 65500}.get(suffix.lower())
    if most and max(photo.width, photo.height) > most:
        raise PhotoError(
            "photo_too_long",
            "A {suffix} holds {most} pixels a side, not {width}x{height}; write a .png.",
            suffix=suffix,
            most=most,
            width=photo.width,
            height=photo.height,
        )
    buffer = io.BytesIO()
    picture = Image.fromarray(photo.pixels)
    match suffix.lower():
        case ".png":
            picture.save(buffer, "PNG", compress_level=1)  # four times as fast as Pillow's 6, a sixth larger
        case ".webp":
            picture.save(buffer, "WEBP", lossless=True)
        case ".jpg":
            picture.save(buffer, "JPEG", quality=95, subsampling=0)
        case _:
            raise ControlError(
                "suffix_unknown",
                "A picture's name must end in {choices}, not {suffix!r}.",
                choices=", ".join(OUTPUT_SUFFIXES),
                suffix=suffix,
            )
    return buffer.getvalue()


def save(photo: Photo, path: str | os.PathLike[str]) -> None:
    """Write ``photo`` in the format that the path's suffix names; `ControlError` if it names none of ours."""
    write_whole(Path(path), encode(photo, Path(path).suffix))


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file that appears whole or not at all: written aside, then renamed."""
    aside = write_aside(path, contents)
    try:
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_aside(path: Path, contents: bytes) -> Path:
    """Write a file under a passing name beside ``path``, whose folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.part")  # a kill leaves one at most
    aside.unlink(missing_ok=True)
    try:
        with aside.open("xb") as file:  # made anew: a link of that name would be followed
            file.write(contents)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside
