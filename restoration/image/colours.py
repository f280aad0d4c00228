"""A decoded picture as RGB in sRGB with 8 bits, whatever its colours were stored as."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

from ..errors import Note, PhotoError
from ..types import Transparency
from .sixteen_bits import highest_level, white_level
from .strips import strips_of

SCREEN_GAMMA = 0.45455
NEARLY_WHITE = 240  # the level from which on a colour does not show on white
MAX_PROFILE = 4_000_000  # bytes; a press's are the largest, and have less
PROFILED = {"GRAY": ("1", "L", "LA", "I;16", "I;16B", "I;16L"), "RGB": ("P", "PA", "RGB", "RGBA"), "CMYK": ("CMYK",)}
"""The modes that a profile of each colour space is for."""


def to_rgb(picture: Image.Image, name: str, notes: list[Note]) -> tuple[np.ndarray, Transparency | None]:
    """uint8 ``[H, W, 3]``, on a ground where it is not opaque; strip by strip, which takes little memory."""
    if picture.mode in ("I", "F"):
        raise PhotoError("photo_32_bits", name=name)
    convert = _converter(picture, notes)
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    alpha = np.empty(pixels.shape[:2], np.uint8) if picture.has_transparency_data else None
    for rows, strip in strips_of(picture):
        made = convert(strip)
        pixels[rows] = made[..., :3]
        if alpha is not None:
            alpha[rows] = made[..., 3]
    if alpha is None or alpha.min() == 255:
        return pixels, None
    is_seen = alpha[::2, ::2] > 127  # a quarter of them tells
    is_white = is_seen & (pixels[::2, ::2].min(axis=2) >= NEARLY_WHITE)
    ground = 128 if 2 * is_white.sum() > is_seen.sum() else 255  # on which something shows
    for rows, strip in strips_of(Image.fromarray(alpha)):
        colours = Image.fromarray(np.dstack([pixels[rows], alpha[rows]]))
        laid = Image.alpha_composite(Image.new("RGBA", strip.size, (ground, ground, ground)), colours)
        pixels[rows] = np.asarray(laid)[..., :3]
    return pixels, Transparency(alpha, ground)


def _converter(picture: Image.Image, notes: list[Note]) -> Callable[[Image.Image], np.ndarray]:
    """What turns a strip of ``picture`` into RGB, RGBA where it is not opaque, or grey ``[h, w, 1]``."""
    if picture.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        to_srgb = ImageCms.buildTransform(lab, srgb, "LAB", "RGB", flags=ImageCms.Flags.NOCACHE)  # quicker, on photos
        return lambda strip: np.asarray(ImageCms.applyTransform(strip, to_srgb))
    transform = _transform(picture, notes)
    if picture.mode.startswith("I;16"):
        return _scaling(picture, transform, notes)
    recolour = _recolouring(transform) if transform else None
    exponent = _exponent(picture)
    table = np.rint(np.linspace(0, 1, 256) ** exponent * 255).astype(np.uint8)

    def convert(strip: Image.Image) -> np.ndarray:
        if recolour:
            strip = recolour(strip)
        mode = "RGBA" if strip.has_transparency_data else "RGB"
        pixels = np.asarray(strip if strip.mode == mode else strip.convert(mode))
        return pixels if exponent == 1 else np.dstack([table[pixels[..., :3]], pixels[..., 3:]])

    return convert


def _exponent(picture: Image.Image) -> float:
    """The exponent that makes a PNG's levels those of a screen, where its gamma alone says that they differ; else 1."""
    said = picture.info.get("gamma")
    if not said or picture.info.keys() & {"icc_profile", "srgb"}:
        return 1
    exponent = SCREEN_GAMMA / said
    return exponent if 0.2 < exponent < 0.95 or 1.05 < exponent < 5 else 1


def _scaling(
    picture: Image.Image, transform: ImageCms.ImageCmsTransform | None, notes: list[Note]
) -> Callable[[Image.Image], np.ndarray]:
    """What turns a strip of 16-bit grey into 8 bits."""
    white = white_level(picture, highest_level(picture), notes)
    shares = np.minimum(np.arange(65_536) / white, 1) ** _exponent(picture)
    if isinstance(picture, TiffImagePlugin.TiffImageFile) and picture.tag_v2.get(262) == 0:  # its white is 0
        shares = 1 - shares
    levels = np.rint(shares * 65_535).astype(np.uint16)
    table = _greys(transform)[levels][:, None]
    transparent = picture.info.get("transparency")
    if transparent is not None:
        table = np.pad(table.repeat(3, axis=1), [(0, 0), (0, 1)], constant_values=255)
        table[transparent, 3] = 0
    return lambda strip: table[np.asarray(strip)]


def _greys(transform: ImageCms.ImageCmsTransform | None) -> np.ndarray:
    """What each of 65,536 levels is in 8 bits; neutral, whatever a profile makes of them."""
    levels = np.arange(65_536, dtype=np.uint16)
    if transform is None:
        return np.rint(levels / 257).astype(np.uint8)
    return np.asarray(transform.apply(Image.fromarray(levels.reshape(256, 256))))[..., 1].ravel()


# --- Profiles ---------------------------------------------------------------------------------------------------------


@cache
def srgb_profile() -> bytes:
    """The profile of the pixels of a `Photo`, always the same: LittleCMS's, but for the time that it writes into it."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + made[36:]


def _transform(picture: Image.Image, notes: list[Note]) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB from the profile that the picture holds; None where it has none that changes anything."""
    raw = picture.info.get("icc_profile", srgb_profile())
    if raw == srgb_profile():
        return None
    try:
        if len(raw) > MAX_PROFILE:
            raise ValueError("it has too many bytes")
        profile = ImageCms.ImageCmsProfile(io.BytesIO(raw))
        space = profile.profile.xcolor_space.strip()
        if picture.mode not in PROFILED.get(space, ()):
            raise ValueError(f"it is for {space}, not for {picture.mode}")
        given = {"GRAY": "I;16", "CMYK": "CMYK"}.get(space, "RGBA" if picture.has_transparency_data else "RGB")
        srgb = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
        made = "RGBA" if given == "RGBA" else "RGB"
        transform = ImageCms.ImageCmsTransform(profile, srgb, given, made, flags=ImageCms.Flags.NOCACHE)
    except MemoryError:
        raise
    except Exception as error:  # what LittleCMS says of a damaged profile, or Pillow of none
        notes.append(Note("photo_profile", reason=error))
        return None
    return None if _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Is each colour left as it is, to a level? Then the profile is sRGB by another name, and the pixels stay exact."""
    if transform.input_mode not in ("RGB", "RGBA"):
        return False
    levels = np.linspace(0, 255, 33).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(33, -1, 3)
    made = np.asarray(transform.apply(Image.fromarray(colours).convert(transform.input_mode)))[..., :3]
    return bool(np.abs(made.astype(int) - colours).max() <= 1)


def _recolouring(transform: ImageCms.ImageCmsTransform) -> Callable[[Image.Image], Image.Image]:
    """What makes a strip sRGB; its transparency stays."""
    given = transform.input_mode
    if given != "I;16":
        return lambda strip: transform.apply(strip if strip.mode == given else strip.convert(given))
    table = _greys(transform)[::257].tolist()

    def recolour(strip: Image.Image) -> Image.Image:
        if strip.has_transparency_data:
            return strip.convert("LA").point([*table, *range(256)])
        return strip.convert("L").point(table)

    return recolour
