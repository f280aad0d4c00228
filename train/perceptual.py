"""How alike two photos are to a network that has learnt to recognise things.

Johnson et al. 2016, "Perceptual losses for real-time style transfer ..."; features are scaled to unit length at each
pixel, as Zhang et al. 2018 found better ("The unreasonable effectiveness of deep features as a perceptual metric").
The features are never SqueezeNet's: LPIPS scores with those, and a score must not be trained for.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .encoder import package

Backbone = tuple[nn.Sequential, tuple[int, ...], Tensor, Tensor]
"""Layers, after which of them features are taken, and the mean and the deviation of the RGB that they expect."""


def vgg16(weights: Path | None = None) -> Backbone:
    """VGG16 as far as the original project went (features[:16]), with ImageNet's weights.

    ``weights`` is a file with another trunk of the same shape, such as `vgg_shift_tolerant.pth` of the package
    stlpips-pytorch; without it torchvision downloads its own at first use.
    """
    from torchvision.models import VGG16_Weights
    from torchvision.models import vgg16 as build

    layers = build(weights=None if weights else VGG16_Weights.IMAGENET1K_V1).features[:16]
    if weights:
        given = torch.load(weights, map_location="cpu", weights_only=True)
        trunk = [each for key, each in given.items() if key.startswith("net.") and not key.endswith("filt")]
        layers.load_state_dict(dict(zip(layers.state_dict(), trunk, strict=False)))
    return layers, (4, 9, 16), torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def efficientnet_lite0() -> Backbone:
    """EfficientNet-Lite0, whose ImageNet weights come as a Python package: nothing is downloaded."""
    network: Any = package()
    layers = nn.Sequential(network._conv_stem, network._bn0, network._swish, *network._blocks[:11])
    return layers, (4, 6, 8, 14), torch.full((3,), 127 / 255), torch.full((3,), 128 / 255)


BACKBONES: dict[str, Callable[[], Backbone]] = {"vgg16": vgg16, "efficientnet-lite0": efficientnet_lite0}


class Perceptual(nn.Module):
    """Mean squared distance of the features of two RGB batches ``[B, 3, H, W]`` in [0, 1], averaged over depths."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, backbone: str) -> None:
        super().__init__()
        layers, cuts, mean, deviation = BACKBONES[backbone]()
        self.stages = nn.ModuleList(layers[a:b] for a, b in pairwise((0, *cuts)))
        self.register_buffer("mean", mean.view(3, 1, 1))
        self.register_buffer("deviation", deviation.view(3, 1, 1))
        self.requires_grad_(False)

    def train(self, mode: bool = True) -> Perceptual:
        """Stays in evaluation mode, whatever the loop says: these features do not learn."""
        return super().train(False)

    def forward(self, prediction: Tensor, truth: Tensor) -> Tensor:
        one, other = ((images - self.mean) / self.deviation for images in (prediction, truth))
        distances = []
        for stage in self.stages:
            one, other = stage(one), stage(other)
            gap = functional.normalize(one, dim=1) - functional.normalize(other, dim=1)
            distances.append(gap.square().sum(1).mean())
        return torch.stack(distances).mean()
