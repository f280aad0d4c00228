"""A degradation as a value, and the random recipes that draw one."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..colour import luminance
from ..errors import ControlError
from ..types import Photo
from .controls import AGEING, CONTROLS
from .jpeg import jpeg_round_trip
from .kernels import before_jpeg
from .random_fields import SeededNoise, checked_seed


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """What is done to a photo, in the ranges and units of `CONTROLS`, else `ControlError`. The default does nothing."""

    grayscale: bool = False
    gaussian: float = 0
    salt_pepper: float = 0
    speckle: float = 0
    correlated: float = 0
    lines: int = 0
    blur: int = 1
    jpeg: int = 100
    fading: float = 0
    scratches: int = 0
    dust: float = 0

    def __post_init__(self) -> None:
        if not isinstance(self.grayscale, bool):
            raise ControlError("grayscale_boolean", value=self.grayscale)
        for name, control in CONTROLS.items():
            control.check(name, getattr(self, name))

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Degradation:
        """The inverse of `dataclasses.asdict`; unknown names are refused with `ControlError`."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ControlError("control_unknown", control=unknown[0], controls=", ".join(sorted(known)))
        return cls(**values)

    def apply(self, photo: Photo, seed: int) -> Photo:
        """Damage ``photo``; the same seed gives the same pixels in every process.

        Each random field has a stream of its own, so moving one control leaves the pattern of the others alone.
        """
        strengths = {name: np.array([getattr(self, name)]) for name in CONTROLS}
        pixels = photo.pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255
        pixels = before_jpeg(luminance(pixels) if self.grayscale else pixels, strengths, SeededNoise(seed))
        pixels = np.rint(pixels[0].transpose(1, 2, 0) * 255).astype(np.uint8)
        if self.jpeg != CONTROLS["jpeg"].off:
            pixels = jpeg_round_trip(pixels, int(self.jpeg))
        return Photo(np.ascontiguousarray(np.broadcast_to(pixels, photo.pixels.shape)))


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A random recipe: for each control the probability that it acts, and the range of its uniform draw."""

    summary: str
    ranges: Mapping[str, tuple[float, float, float]]  # control -> probability, lowest, highest

    def draw_many(self, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
        """Strengths for ``count`` photos: control -> float64 ``[count]``."""
        strengths = {}
        for name, control in CONTROLS.items():
            if name in AGEING and name not in self.ranges:  # older presets draw from ``rng`` what they always drew
                strengths[name] = np.full(count, control.off, dtype=float)
                continue
            probability, low, high = self.ranges.get(name, (0, control.off, control.off))
            if control.step >= 1:
                values = rng.integers(0, round((high - low) / control.step) + 1, count) * control.step + low
            else:
                values = rng.uniform(low, high, count)
            strengths[name] = np.where(rng.random(count) < probability, values, control.off)
        return strengths

    def draw(self, seed: int) -> Degradation:
        """The degradation of one photo, in grey; the same seed gives the same strengths in every process."""
        drawn = self.draw_many(np.random.default_rng([checked_seed(seed), zlib.crc32(b"recipe")]), 1)
        values = {name: int(v[0]) if CONTROLS[name].step >= 1 else float(v[0]) for name, v in drawn.items()}
        return Degradation.from_mapping({"grayscale": True, **values})


PRESETS: Mapping[str, Preset] = {
    "original": Preset(
        summary="the original project's random recipe",
        ranges={
            "gaussian": (0.5, 0.01, 0.08),
            "salt_pepper": (0.3, 0.001, 0.01),
            "speckle": (0.5, 0.02, 0.06),
            "correlated": (0.5, 0.05, 0.05),
            "lines": (0.2, 1, 4),
            "blur": (0.5, 3, 7),
            "jpeg": (1.0, 20, 89),
        },
    ),
    "light": Preset(
        summary="a well-kept photo: a little noise, mild JPEG",
        ranges={
            "gaussian": (0.7, 0.005, 0.02),
            "speckle": (0.3, 0.01, 0.03),
            "lines": (0.1, 1, 1),
            "blur": (0.2, 3, 3),
            "jpeg": (1.0, 75, 95),
        },
    ),
    "heavy": Preset(
        summary="a photo from the attic floor: everything, and more of it",
        ranges={
            "gaussian": (0.8, 0.06, 0.14),
            "salt_pepper": (0.6, 0.01, 0.04),
            "speckle": (0.6, 0.06, 0.15),
            "correlated": (0.6, 0.05, 0.12),
            "lines": (0.6, 2, 8),
            "blur": (0.6, 5, 9),
            "jpeg": (1.0, 10, 40),
        },
    ),
    "antique": Preset(
        summary="an old print: faded, scratched and dusty, with its film's grain",
        ranges={
            "gaussian": (0.4, 0.01, 0.04),
            "correlated": (0.7, 0.03, 0.12),
            "blur": (0.5, 3, 5),
            "jpeg": (1.0, 60, 92),
            "fading": (0.8, 0.1, 0.5),
            "scratches": (0.6, 1, 8),
            "dust": (0.7, 0.1, 0.6),
        },
    ),
}


def preset(name: str) -> Preset:
    """The preset called ``name``; raises `ControlError` that lists the presets if there is none."""
    if name not in PRESETS:
        raise ControlError("preset_unknown", name=name, choices=", ".join(PRESETS))
    return PRESETS[name]
