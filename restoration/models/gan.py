"""A conditional GAN's generator. Its discriminator lives in `train`: nobody needs it to restore a photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..types import ModelSpec
from ._luminance import LuminanceNetwork, SubpixelHead, convolution, evidence


def _layer(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    conv = convolution(inputs, outputs, kernel, stride)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, inplace=True))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _layer(width, width), convolution(width, width)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.second(self.first(features))


class Generator(LuminanceNetwork):
    """U-Net generator: predicts a luminance residual and two chroma planes.

    Strided 4x4 convolutions go down, ``blocks`` residual blocks work at the bottom, nearest upsampling and 3x3
    convolutions come back (no transposed convolution, hence no checkerboard: Odena et al. 2016), joined by the
    encoder's features (Isola et al. 2017, "Image-to-image translation with conditional adversarial networks").
    """

    def __init__(self, *, widths: Sequence[int], blocks: int) -> None:
        super().__init__()
        self.downs = nn.ModuleList(_layer(a, b, 4, 2) for a, b in zip([3, *widths[:-1]], widths, strict=True))
        self.middle = nn.Sequential(*(_Residual(widths[-1]) for _ in range(blocks)))
        steps = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.ups = nn.ModuleList(_layer(a, b) for a, b in steps)
        self.joins = nn.ModuleList(_layer(2 * b, b) for _, b in steps)
        self.head = SubpixelHead(widths[0], 3)

    def predict(self, y: Tensor) -> Tensor:
        features = evidence(y)
        skips: list[Tensor] = []
        for down in self.downs:
            features = down(features)
            skips.insert(0, features)
        features = self.middle(features)
        for up, join, skip in zip(self.ups, self.joins, skips[1:], strict=True):
            larger = up(functional.interpolate(features, scale_factor=2.0, mode="nearest"))
            features = join(torch.cat([larger, skip], 1))
        planes = self.head(features)
        return torch.cat([y + planes[:, :1], planes[:, 1:]], 1)


def build(config: Mapping[str, Any]) -> Generator:
    return Generator(**config)


SPEC = ModelSpec(
    id="gan",
    title="GAN",
    summary="A U-Net generator taught by a patch discriminator to look real rather than to be safe.",
    build=build,
    weights="gan.safetensors",
)
