"""The photos to try: good ones, and the same as an old print of them might be."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from restoration import Degradation, image

from .files import keep, publish

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"
NAMES = ("grace_hopper", "astronaut", "china", "coffee", "flower", "chelsea", "motorcycle", "rocket")
OLD = Degradation(grayscale=True, correlated=0.06, blur=5, jpeg=82, fading=0.38)
"""The old print: grey, grainy, soft and faded."""


def photo(name: str, *, damaged: bool) -> str:
    """The path of an example, as it is or as an old print; raises `KeyError` for a name that is none."""
    if name not in NAMES:
        raise KeyError(name)
    return _old(name) if damaged else str(FOLDER / f"{name}.jpg")


def undamaged(path: str) -> str:
    """The path of the photo itself, where ``path`` is that of its old print; else ``path``."""
    name = Path(path).name.removesuffix("_old.png")
    return photo(name, damaged=False) if name in NAMES and path == _old(name) else path


@cache
def _old(name: str) -> str:
    print_of = OLD.apply(image.load(FOLDER / f"{name}.jpg", reduce_to=None), NAMES.index(name))
    (path,) = publish({f"{name}_old.png": print_of}).values()
    keep([path])
    return path
