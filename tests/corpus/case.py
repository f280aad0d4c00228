"""A file of the corpus, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
PHOTO = ROOT / "assets" / "examples" / "astronaut.jpg"
Builders = dict[str, Callable[[], bytes]]
"""Files by their names, each made when it is wanted."""


@dataclass(frozen=True, eq=False)
class Case:
    """A file, and what may come of it: ``picture`` or a refusal that matches ``says``; of neither, anything honest."""

    name: str
    """What it is, and its suffix: it is the file's name too."""
    contents: bytes
    picture: np.ndarray | None = None
    tolerance: float = 0
    """How far the pixels may be from ``picture``, in levels of 255, on average."""
    size: tuple[int, int] | None = None
    """Width and height, where ``picture`` is 128x128 and shows all of it."""
    says: str | None = None
