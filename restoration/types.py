"""The values that cross files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from .errors import ControlError, Note

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

SIDE = 128  # side, in pixels, of the square photos that the networks learned from
MAX_SAMPLES = 64  # of one photo


@dataclass(frozen=True, eq=False)
class Transparency:
    """What a photo that is not opaque was before it was laid on a ground."""

    alpha: np.ndarray  # opacity, uint8 ``[H, W]``; an enlarged photo's is enlarged when it is written
    ground: int  # the grey that it was laid on


@dataclass(frozen=True, kw_only=True)
class Details:
    """What travels with a photo beside its pixels."""

    exif: bytes = b""  # a whole segment, from Exif on: of an upright photo in sRGB, without the camera's thumbnail
    dpi: tuple[float, float] | None = None  # pixels per inch, across and down, as the file says
    description: str = ""  # what the file says outside its EXIF data that the photo shows
    notes: tuple[Note, ...] = field(default=(), compare=False)  # that a part is missing, say
    transparency: Transparency | None = field(default=None, compare=False)  # None where it is opaque


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded picture, and what travels with it.

    ``pixels`` is ``[H, W, 3]`` uint8, RGB, upright, and laid on a ground where it is not opaque. The photo takes the
    array over and makes it read-only, so that it can be shared between threads.
    """

    pixels: np.ndarray
    details: Details = Details()

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != "uint8":
            raise TypeError(f"Photo wants uint8 [H, W, 3], got {self.pixels.dtype} {self.pixels.shape}")
        self.pixels.setflags(write=False)

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]


@dataclass(frozen=True, eq=False)
class Mask:
    """Where a photo is damaged, at the photo's size.

    ``pixels`` is ``[H, W]`` uint8: the probability of damage times 255. The mask takes the array over and makes it
    read-only, as a `Photo` does.
    """

    pixels: np.ndarray

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.dtype != "uint8":
            raise TypeError(f"Mask wants uint8 [H, W], got {self.pixels.dtype} {self.pixels.shape}")
        self.pixels.setflags(write=False)


@dataclass(frozen=True, kw_only=True)
class Upscaling:
    """How a photo is enlarged; a result's says what really ran, never merely what was asked for."""

    scale: int
    engine: str  # fast, general, x4plus, x2plus or bicubic; auto in what is asked for only
    method: str = ""  # in words: the network's own factor, and whether its result was reduced
    denoise: float | None = None  # the engine general's denoise strength
    precision: str | None = None  # float32, or float16 on a GPU
    tile: int | None = None  # the tiles' side that was asked for; None is what suits the engine and the device
    weights: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of each weights file, by the file's name


def _check_range(name: str, value: Any, most: float) -> None:
    """Raise `ControlError` unless ``value`` is a number from 0 to ``most``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ControlError("range", name=name, most=most, value=value)


@dataclass(frozen=True, kw_only=True)
class Inpainting:
    """How scratches are mended, before a photo is restored.

    ``mask`` is auto, found by the weights of ``weights_sha256``, or the `drawn_sha256` of a user's mask that travels
    beside the recipe. ``sensitivity``, 0 to 1, is how readily a place is taken for damage. Raises `ControlError`.
    """

    mask: str = "auto"
    sensitivity: float = 0.5
    weights_sha256: str | None = None

    def __post_init__(self) -> None:
        _check_range("sensitivity", self.sensitivity, 1)
        if not isinstance(self.mask, str) or not re.fullmatch("auto|[0-9a-f]{64}", self.mask):
            raise ControlError("mask_unknown", value=self.mask)


def drawn_sha256(drawn: Photo) -> str:
    """What names a mask that a user drew, in a recipe."""
    shape = f"{drawn.width}x{drawn.height}:".encode()
    return hashlib.sha256(shape + drawn.pixels.tobytes()).hexdigest()


Size = Literal["own", 128]  # a photo is restored whole, or made a square of 128 pixels first, as in the laboratory
Colour = Literal["auto", "new", "keep", "none"]


def default_colour(size: Size) -> Colour:
    """Of a `Look` where nothing else is asked for: in the laboratory every photo is taken for a grey one."""
    return "auto" if size == "own" else "new"


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a restored photo is to look, whatever the model. Raises `ControlError` for values out of range.

    ``colour`` is guessed anew (new), the photo's own without its noise (keep) or left away (none); auto keeps real
    colours and guesses where there are none. ``colour_strength``, 0 to 2, makes it paler or stronger. ``tone``, 0 to 1,
    is how much of the fading is undone. ``sample``, from 1 on, takes the colours of that one of a model's samples.
    """

    colour: Colour = "new"
    colour_strength: float = 1
    tone: float = 1
    sample: int | None = None

    def __post_init__(self) -> None:
        if self.colour not in get_args(Colour):
            raise ControlError("colour_unknown", name=self.colour, choices=", ".join(get_args(Colour)))
        _check_range("colour_strength", self.colour_strength, 2)
        _check_range("tone", self.tone, 1)
        whole = isinstance(self.sample, int) and not isinstance(self.sample, bool)
        if self.sample is not None and not (whole and 1 <= self.sample <= MAX_SAMPLES):
            raise ControlError("look_sample", most=MAX_SAMPLES, value=self.sample)
        if self.sample and self.colour in ("keep", "none"):
            raise ControlError("look_sample_kept")


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """What the rest of the package knows of a model.

    ``build`` makes the network from the config that travels with its weights: ``[B, 3, H, W]`` float32 RGB in [0, 1] to
    the same, H and W multiples of 16 (128 for the original project's). ``weights`` names the file in the manifest, or a
    model of the original project's. ``encoder`` is the file of a frozen encoder, the network's submodule of that name,
    that models may share. ``samples`` says that the network is a `restoration.network.SamplingNetwork`.
    """

    id: str
    title: str
    summary: str
    build: Callable[[Mapping[str, Any]], nn.Module]
    weights: str
    encoder: str | None = None
    samples: bool = False
