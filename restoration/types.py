"""The values that cross files, and the errors a user may read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from .files import legible

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

MAX_FIELD = 300
"""Characters of one value that a sentence shows."""
SIDE = 128
"""Side, in pixels, of the square photos that the networks learned from."""
MAX_SAMPLES = 64
"""Of one photo."""


_BRACKETS = str.maketrans("<>", "‹›")


class _Written(str):
    """What some value looks like; quoted by ``!r`` already."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _legible(value: Any) -> Any:
    """``value`` as a sentence can carry it."""
    if isinstance(value, Path):
        return Path(legible(str(value)))
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 10**18):
        return value
    kind: type[str] = str if isinstance(value, str | Exception) else _Written
    words = legible(" ".join((str(value) if kind is str else repr(value)).split()))
    if len(words) > MAX_FIELD:
        words = f"{words[:MAX_FIELD]}..."
    return kind("".join(sign if sign.isprintable() else "?" for sign in words).translate(_BRACKETS))


class RestorationError(Exception):
    """Base of every error whose message is one sentence for the user: what is wrong, and what to do.

    ``template`` is the sentence in English, its ``fields`` in braces; ``code`` names it, so that an interface can say
    it in another language. Fields may come from strangers: a long one is cut, one line is made of several, and no page
    will take any for a tag.
    """

    def __init__(self, code: str, template: str, **fields: Any) -> None:
        self.code, self.template = code, template
        self.fields = {name: _legible(value) for name, value in fields.items()}
        super().__init__(template.format(**self.fields))

    def __reduce__(self) -> tuple[Callable[..., RestorationError], tuple[Any, ...]]:
        return _again, (type(self), self.code, self.template, self.fields)  # it crosses between processes


def _again(kind: type[RestorationError], code: str, template: str, fields: Mapping[str, Any]) -> RestorationError:
    return kind(code, template, **fields)


class PhotoError(RestorationError):
    """The file is not a photo that we can read, or exceeds a limit."""


class ControlError(RestorationError, ValueError):
    """A control (a degradation's strength, a scale, a name) is outside its range."""


class WeightsError(RestorationError):
    """Weights are missing, damaged, or not those of the network that wants them."""


class OutputError(RestorationError):
    """Results cannot be written where they should go."""


class MemoryShortage(RestorationError):
    """The machine has too little memory for what was asked."""


class Note(RestorationError):
    """A warning, never raised: how a photo's file was read."""


def no_room(name: str) -> MemoryShortage:
    """For what ``name`` is called."""
    return MemoryShortage("memory_load", "There is not enough memory to load {name}; close other programs.", name=name)


class LibraryError(RestorationError):
    """A library that the program needs is not there, lacks one of the system's, or does not fit another."""


def not_loaded(error: Exception) -> RestorationError:
    """What to say where an import failed, with the package of Debian's, which are called by their files' names."""
    if isinstance(error, MemoryError) or re.search("failed to map segment|annot allocate memory", str(error)):
        return no_room("PyTorch")
    if missing := re.search(r"(lib[\w.+-]+)\.so\.(\d+)\S*: cannot open shared", str(error)):
        name, version = missing.groups()
        return LibraryError(
            "library_missing",
            "The system lacks the library {file}; install the package that has it (on Debian and Ubuntu likely by "
            "`apt-get install {package}`).",
            file=f"{name}.so.{version}",
            package=f"{name.lower()}{'-' * name[-1].isdigit()}{version}",
        )
    return LibraryError(
        "library_broken",
        "A library cannot be loaded ({reason}); install the project's requirements again, into a new environment.",
        reason=str(error),
    )


@contextmanager
def loading() -> Iterator[None]:
    """Around imports that a photo or its weights wait for, and are not to be blamed for. A torchvision of another
    PyTorch raises a `RuntimeError`, and Python itself a `SystemError` where memory ends.
    """
    try:
        yield
    except (ImportError, RuntimeError, SystemError) as error:
        raise not_loaded(error) from error


class RecipeMismatch(RestorationError):
    """A warning, never raised: a recipe was replayed with other weights or libraries than it names."""


@dataclass(frozen=True, eq=False)
class Transparency:
    """What a photo that is not opaque was before it was laid on a ground."""

    alpha: np.ndarray
    """Opacity, uint8 ``[H, W]``; an enlarged photo's is enlarged when it is written."""
    ground: int
    """The grey that it was laid on."""


@dataclass(frozen=True, kw_only=True)
class Details:
    """What travels with a photo beside its pixels."""

    exif: bytes = b""
    """A whole segment, which begins with Exif: of an upright photo, in sRGB, without the camera's small picture."""
    dpi: tuple[float, float] | None = None
    """Pixels per inch, across and down, as the file says."""
    description: str = ""
    """What the file says outside its EXIF data that the photo shows."""
    notes: tuple[Note, ...] = field(default=(), compare=False)
    """That a part is missing, say."""
    transparency: Transparency | None = field(default=None, compare=False)
    """None where it is opaque."""


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
    engine: str
    """fast, general, x4plus, x2plus or bicubic; auto in what is asked for only."""
    method: str = ""
    """In words: the network's own factor, and whether its result was reduced."""
    denoise: float | None = None
    """The engine general's denoise strength."""
    precision: str | None = None
    """float32, or float16 on a GPU."""
    tile: int | None = None
    """Side of the tiles that was asked for; None is what suits the engine and the device."""
    weights: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each weights file, by the file's name."""


def _check_range(name: str, value: Any, most: float) -> None:
    """Raise `ControlError` unless ``value`` is a number from 0 to ``most``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ControlError(
            "range", "{name} must be a number from 0 to {most}, not {value!r}.", name=name, most=most, value=value
        )


@dataclass(frozen=True, kw_only=True)
class Inpainting:
    """How scratches are mended, before a photo is restored.

    ``mask`` says where: auto finds them, by the weights of which ``weights_sha256`` is the hash; else it is the
    `drawn_sha256` of a mask that a user drew, which travels beside the recipe. ``sensitivity``, 0 to 1, is how little
    a place has to look like damage to be taken for it.
    """

    mask: str = "auto"
    sensitivity: float = 0.5
    weights_sha256: str | None = None

    def __post_init__(self) -> None:
        """Raise `ControlError` for what cannot be asked for."""
        _check_range("sensitivity", self.sensitivity, 1)
        if not isinstance(self.mask, str) or not re.fullmatch("auto|[0-9a-f]{64}", self.mask):
            raise ControlError("mask_unknown", "A recipe's mask is auto or a SHA-256, not {value!r}.", value=self.mask)


def drawn_sha256(drawn: Photo) -> str:
    """What names a mask that a user drew, in a recipe."""
    shape = f"{drawn.width}x{drawn.height}:".encode()
    return hashlib.sha256(shape + drawn.pixels.tobytes()).hexdigest()


Size = Literal["own", 128]
"""A photo is restored whole, at its own size, or made a square of 128 pixels first, as in the laboratory."""
Colour = Literal["auto", "new", "keep", "none"]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a restored photo is to look, whatever the model.

    ``colour`` is guessed anew (new), the photo's own without its noise (keep) or left away (none); auto keeps real
    colours, and guesses where there are none. ``colour_strength``, 0 to 2, makes it paler or stronger. ``tone``, 0 to
    1, is how much of the fading that is found is undone. ``sample`` takes that one of a model's samples, from 1 on,
    as the colours, which are new then.
    """

    colour: Colour = "new"
    colour_strength: float = 1
    tone: float = 1
    sample: int | None = None

    def __post_init__(self) -> None:
        """Raise `ControlError` for what cannot be asked for."""
        if self.colour not in get_args(Colour):
            raise ControlError(
                "colour_unknown",
                "There is no colour called {name!r}; choose from {choices}.",
                name=self.colour,
                choices=", ".join(get_args(Colour)),
            )
        _check_range("colour_strength", self.colour_strength, 2)
        _check_range("tone", self.tone, 1)
        whole = isinstance(self.sample, int) and not isinstance(self.sample, bool)
        if self.sample is not None and not (whole and 1 <= self.sample <= MAX_SAMPLES):
            raise ControlError(
                "look_sample", "The sample must be a whole number from 1 to {most}, not {value!r}.",
                most=MAX_SAMPLES, value=self.sample,
            )  # fmt: skip
        if self.sample and self.colour in ("keep", "none"):
            raise ControlError(
                "look_sample_kept", "A sample is of colours that are guessed; leave it out, or choose the colour new."
            )


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """What the rest of the package knows of a model.

    ``build`` makes the network from the config that travels with its weights: ``[B, 3, H, W]`` float32 RGB in [0, 1]
    to the same, H and W multiples of 16 (128 for the original project's). ``weights`` is what `weights.load` calls
    them: the file's name in the manifest, or the id of a model of the original project's. ``encoder`` is the file of a
    frozen encoder that the network looks through, as its submodule of that name; other models may share it.
    ``samples`` declares that the network has several answers: `restoration.network.SamplingNetwork`.
    """

    id: str
    title: str
    summary: str
    build: Callable[[Mapping[str, Any]], nn.Module]
    weights: str
    encoder: str | None = None
    samples: bool = False
