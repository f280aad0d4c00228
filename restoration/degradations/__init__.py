"""What damages a photo: controls, kernels, JPEG, and the presets that draw a degradation at random."""

from .batched import degrade_batch, fade_batch, jpeg_dct
from .controls import CONTROLS, NOISES, Control
from .presets import PRESETS, Degradation, Preset, preset
from .random_fields import checked_seed

__all__ = [
    "CONTROLS",
    "NOISES",
    "PRESETS",
    "Control",
    "Degradation",
    "Preset",
    "checked_seed",
    "degrade_batch",
    "fade_batch",
    "jpeg_dct",
    "preset",
]
