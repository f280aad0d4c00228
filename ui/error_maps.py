"""Where a picture differs from the original, as a picture."""

from __future__ import annotations

import numpy as np

from restoration import Photo

from .files import publish
from .results import Result

WHITE = 64
"""Levels of 255 that an error map shows as white."""


def error_map(photo: Photo, truth: Photo) -> Photo:
    """Where ``photo`` differs from the truth, in grey: red, green and blue averaged, black where they are equal."""
    difference = np.abs(photo.pixels.astype(float) - truth.pixels).mean(2)
    grey = np.rint(np.clip(difference * (255 / WHITE), 0, 255)).astype(np.uint8)
    return Photo(np.repeat(grey[..., None], 3, axis=2))


def error_maps(result: Result) -> dict[str, str]:
    """The path of each picture's error map, by its name; none where there is no original."""
    if "original" not in result.paths:
        return {}
    truth = result.read("original")
    kinds = [kind for kind in result.paths if kind != "original" and result.sizes[kind] == result.sizes["original"]]
    paths = publish({f"{result.name}_{kind}_error.png": error_map(result.read(kind), truth) for kind in kinds})
    return dict(zip(kinds, paths.values(), strict=True))
