"""Thousands of strange, damaged and malicious files, all made of one photo and one seed, for tests and benchmarks.

Of each either the right picture or one sentence must come.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from restoration import PhotoError, image

from .amplified import AMPLIFIED
from .bombs import GREEDY, HUGE
from .case import PHOTO, Case
from .damage import spoiled
from .exif import turned
from .limits import LIMITS
from .readable import LOSSY, readable
from .unreadable import strange, unreadable

__all__ = ["AMPLIFIED", "GREEDY", "HUGE", "LARGE", "LIMITS", "expected", "small"]


def small() -> Iterator[Case]:
    """All small files: each as it is, and then spoiled."""
    random = np.random.default_rng(0)
    for case in (*readable(), *unreadable(), *turned()):
        yield case
        if not re.search(r"orientation|EXIF", case.name):
            yield from spoiled(case, shown(case), random)
    yield from strange()


def shown(case: Case) -> np.ndarray | None:
    with tempfile.TemporaryDirectory() as folder, suppress(PhotoError):
        (path := Path(folder) / "whole").write_bytes(case.contents)
        return image.load(path).pixels
    return None


LARGE = {**LIMITS, **HUGE, **GREEDY}
"""Photos at the limits, and files that claim to be photos beyond them."""


def expected(name: str) -> Case:
    """What may come of a file of `LARGE`; a JPEG of more than 24 megapixels comes at half its size."""
    if name not in LIMITS:
        return Case(name, b"", says="too large" if name in HUGE else None)
    sizes = {"JPEG": (4330, 2887), "HEIF": (5712, 4284), "WEBP": (5000, 4000), "AVIF": (5000, 4000)}
    with Image.open(PHOTO) as picture:
        reduced = picture.convert("L" if "grey" in name else "RGB").resize((128, 128), Image.Resampling.BOX)
    return Case(name, b"", np.asarray(reduced.convert("RGB")), LOSSY, sizes.get(name[:4], (6000, 4000)))
