"""The controls of a degradation: what each number means, and its range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import ControlError
from .ageing import MAX_HAIRS, MAX_SCRATCHES, MAX_SPECKS


@dataclass(frozen=True, kw_only=True)
class Control:
    """One slider: its neutral value, its range, and what its number means."""

    off: float
    low: float
    high: float
    step: float
    help: str

    def check(self, name: str, value: float) -> None:
        """Raise `ControlError` unless ``value`` is a finite number on this control's scale."""
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise ControlError("control_no_number", name=name, value=value)
        if not self.low <= value <= self.high:  # not a number is neither
            raise ControlError(
                "control_range", name=name, low=self.low, high=self.high, off=self.off, value=str(value)[:20]
            )
        if self.step >= 1 and (value - self.low) % self.step:
            if self.step == 2:
                raise ControlError("control_odd", name=name, value=value)
            raise ControlError("control_whole", name=name, value=value)


CONTROLS: Mapping[str, Control] = {
    "gaussian": Control(off=0, low=0, high=0.3, step=0.005, help="additive gaussian noise, sigma (1 = white)"),
    "salt_pepper": Control(off=0, low=0, high=0.2, step=0.001, help="fraction of pixels lost, all white or all black"),
    "speckle": Control(off=0, low=0, high=0.5, step=0.005, help="multiplicative noise, sigma relative to the pixel"),
    "correlated": Control(off=0, low=0, high=0.3, step=0.005, help="smoothed gaussian noise, sigma before smoothing"),
    "lines": Control(off=0, low=0, high=16, step=1, help="vertical lines, 1 to 4 pixels wide, over the full height"),
    "blur": Control(off=1, low=1, high=21, step=2, help="gaussian blur, odd kernel size in pixels"),
    "jpeg": Control(off=100, low=2, high=100, step=1, help="JPEG quality"),
    "fading": Control(off=0, low=0, high=0.8, step=0.01, help="share of contrast lost, blacks more than whites"),
    "scratches": Control(off=0, low=0, high=MAX_SCRATCHES, step=1, help="thin crooked cracks, bright or dark"),
    "dust": Control(off=0, low=0, high=1, step=0.01, help=f"share of {MAX_SPECKS} specks and {MAX_HAIRS} hairs"),
}
NOISES = ("gaussian", "salt_pepper", "speckle", "correlated", "lines")  # applied in an order that the seed draws
AGEING = ("fading", "scratches", "dust")
