"""What damages a photo: controls, kernels, JPEG, and the presets that draw a degradation at random."""

from .controls import CONTROLS, Control
from .jpeg import jpeg_dct
from .kernels import degrade_batch, fade_batch
from .presets import PRESETS, Degradation, preset
from .random_fields import checked_seed

__all__ = [
    "CONTROLS",
    "PRESETS",
    "Control",
    "Degradation",
    "checked_seed",
    "degrade_batch",
    "fade_batch",
    "jpeg_dct",
    "preset",
]
