"""Real-ESRGAN's smallest network, x4 and x2; the only file that touches `basicsr`.

Wang et al. 2021, "Real-ESRGAN: Training real-world blind super-resolution with pure synthetic data"; the weights are
realesr-animevideov3 of xinntao/Real-ESRGAN (BSD-3-Clause).
"""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional

from .types import ControlError, Photo, PhotoError

ENGINE = "realesr-animevideov3"
WEIGHTS = "realesr-animevideov3-x4.fp16.safetensors"
MAX_PIXELS = 1024 * 1024
"""Largest input: the network's activations stay under 1.5 GB and the result under 4096x4096."""


def build(config: Mapping[str, Any]) -> nn.Module:
    """Real-ESRGAN's own SRVGGNetCompact: ``[B, 3, H, W]`` RGB in [0, 1] -> ``[B, 3, 4 H, 4 W]``."""
    _restore_functional_tensor()
    from basicsr.archs.srvgg_arch import SRVGGNetCompact

    return cast(nn.Module, SRVGGNetCompact(**config))


def _restore_functional_tensor() -> None:
    """`basicsr` imports one function from a module that torchvision 0.17 removed; the function moved, nothing else."""
    from torchvision.transforms import functional as moved

    shim = types.ModuleType("torchvision.transforms.functional_tensor")
    shim.rgb_to_grayscale = moved.rgb_to_grayscale  # type: ignore[attr-defined]
    sys.modules.setdefault(shim.__name__, shim)


def check_scale(scale: int) -> None:
    """Raise `ControlError` for a scale that is not 2 or 4."""
    if scale not in (2, 4):
        raise ControlError(f"The scale must be 2 or 4, not {scale!r}.")


def check_size(photo: Photo) -> None:
    """Raise `PhotoError` for a photo that is too large."""
    if photo.width * photo.height > MAX_PIXELS:
        raise PhotoError(
            f"A photo of {photo.width}x{photo.height} is too large to upscale; "
            f"reduce it to {MAX_PIXELS:,} pixels (1024x1024) at most."
        )


def enlarge(network: nn.Module, images: Tensor, scale: int) -> Tensor:
    """``[B, 3, H, W]`` -> ``scale`` times larger; x2 is the x4 result reduced by an area filter."""
    larger = network(images).clamp(0, 1)
    return larger if scale == 4 else functional.avg_pool2d(larger, 2)
