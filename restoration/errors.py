"""The errors that a user may read: each is one sentence, and all sentences stand in ``locales``, by their code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

from .files import legible

MAX_FIELD = 300
"""Characters of one value that a sentence shows."""

_BRACKETS = str.maketrans("<>", "‹›")


@cache
def sentences(language: Literal["en", "fr"]) -> Mapping[str, str]:
    """The templates of all errors in a language, by their code; fields stand in braces.

    What is said on the command line alone has no French.
    """
    path = Path(__file__).parent / "locales" / f"{language}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


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

    ``code`` names the sentence in `sentences`, and ``fields`` fill its braces, so that an interface can say it in
    another language. Fields may come from strangers: a long one is cut, one line is made of several, and no page will
    take any for a tag.
    """

    def __init__(self, code: str, **fields: Any) -> None:
        self.code = code
        self.fields = {name: _legible(value) for name, value in fields.items()}
        super().__init__(sentences("en")[code].format(**self.fields))

    def __reduce__(self) -> tuple[Callable[[], RestorationError], tuple[()]]:
        return partial(type(self), self.code, **self.fields), ()  # it crosses between processes


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
    """The machine has too little memory to load ``name``."""
    return MemoryShortage("memory_load", name=name)


class LibraryError(RestorationError):
    """A library that the program needs is not there, lacks one of the system's, or does not fit another."""


def not_loaded(error: Exception) -> RestorationError:
    """What to say where an import failed and, of a missing system library, its Debian package, which is named after the
    file (libgomp.so.1: libgomp1).
    """
    if isinstance(error, MemoryError) or re.search("failed to map segment|annot allocate memory", str(error)):
        return no_room("PyTorch")
    if missing := re.search(r"(lib[\w.+-]+)\.so\.(\d+)\S*: cannot open shared", str(error)):
        name, version = missing.groups()
        package = f"{name.lower()}{'-' * name[-1].isdigit()}{version}"
        return LibraryError("library_missing", file=f"{name}.so.{version}", package=package)
    return LibraryError("library_broken", reason=str(error))


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
