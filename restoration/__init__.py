"""Restore and colourise damaged photos with a VAE, a GAN and a CNN, and compare them.

    from restoration import Restorer, image

    result = Restorer().restore(image.load("old.jpg"), model="vae")

Names are resolved at first use, so that importing the package does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .errors import ControlError, MemoryShortage, PhotoError, RestorationError, WeightsError
from .types import Look, Photo, Upscaling

if TYPE_CHECKING:
    from . import image, metrics
    from .degradations import PRESETS, Degradation
    from .pipeline import Run, run
    from .recipe import Recipe
    from .restorer import Restoration, Restorer, Samples, Upscaled

__all__ = [
    "PRESETS",
    "ControlError",
    "Degradation",
    "Look",
    "MemoryShortage",
    "Photo",
    "PhotoError",
    "Recipe",
    "Restoration",
    "RestorationError",
    "Restorer",
    "Run",
    "Samples",
    "Upscaled",
    "Upscaling",
    "WeightsError",
    "image",
    "metrics",
    "run",
]

_PLACES = ("degradations", "recipe", "restorer", "pipeline")  # where names are looked for: only the last two need torch


def __getattr__(name: str) -> Any:
    if name in ("image", "metrics"):
        return importlib.import_module(f".{name}", __name__)
    if name in __all__:
        modules = (importlib.import_module(f".{place}", __name__) for place in _PLACES)
        return next(getattr(module, name) for module in modules if hasattr(module, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
