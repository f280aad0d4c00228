"""The batched path of training: the same kernels, with fields drawn where the batch lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .jpeg import jpeg_dct
from .kernels import before_jpeg, fade
from .random_fields import DeviceNoise

if TYPE_CHECKING:
    import torch


def fade_batch(images: torch.Tensor, strengths: Mapping[str, np.ndarray], generator: torch.Generator) -> torch.Tensor:
    """Fading alone on ``[B, C, H, W]``, for who wants the faded photo itself before `degrade_batch` does the rest."""
    return fade(images, strengths, DeviceNoise(generator))


def degrade_batch(
    images: torch.Tensor, strengths: Mapping[str, np.ndarray], generator: torch.Generator, *, grayscale: bool = True
) -> torch.Tensor:
    """The batched path: the kernels of `Degradation.apply` on ``[B, 3, H, W]``, fields drawn on the batch's device.

    JPEG is its lossy part alone (`jpeg_dct`), so H and W must be multiples of 16. Returns ``[B, 1 or 3, H, W]``.
    """
    images = before_jpeg(images, strengths, DeviceNoise(generator), grayscale=grayscale)
    return jpeg_dct((images * 255).round() / 255, strengths["jpeg"])
