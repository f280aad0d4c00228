"""A small U-Net with plain colours: the least that a model needs. Copy it, and change what you like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..network import LuminanceNetwork, SubpixelHead, convolution, resized
from ..network.encoder import CHANNELS, ENCODER_WEIGHTS
from ..types import ModelSpec


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        convolution(inputs, outputs, 4 if stride == 2 else 3, stride), nn.BatchNorm2d(outputs), nn.SiLU()
    )


class Detail(nn.Module):
    """What is wrong with a luminance, by a U-Net of three sizes: a half, a quarter and an eighth of the side."""

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.downs = nn.ModuleList([_layer(3, width, 2), _layer(width, width, 2), _layer(width, width, 2)])
        self.ups = nn.ModuleList([_layer(2 * width, width), _layer(2 * width, width)])
        self.head = SubpixelHead(width, 1)

    def forward(self, planes: Tensor) -> Tensor:
        half = self.downs[0](planes)
        quarter = self.downs[1](half)
        features = self.downs[2](quarter)
        for up, skip in zip(self.ups, (quarter, half), strict=True):
            features = up(torch.cat([resized(features, skip), skip], 1))
        return planes[:, :1] + 0.5 + self.head(features)


class Colouriser(nn.Module):
    """Colours from what the encoder sees at each of its four sizes, with the edges of the luminance."""

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.seen = nn.ModuleList(convolution(channels, width, 1) for channels in CHANNELS)
        self.edges = _layer(1, width, 2)
        self.mix = _layer(width, width)
        self.head = SubpixelHead(width, 2)

    def forward(self, y: Tensor, seen: Sequence[Tensor]) -> Tensor:
        features = self.edges(y - 0.5)
        for narrow, each in zip(self.seen, seen, strict=True):
            features = features + resized(narrow(each), features)
        return self.head(self.mix(functional.silu(features)))


def build(config: Mapping[str, Any]) -> LuminanceNetwork:
    return LuminanceNetwork(Detail, Colouriser, **config)


SPEC = ModelSpec(
    id="unet",
    title="U-Net",
    summary="A small U-Net, to show how a model is added.",
    build=build,
    weights="unet.safetensors",
    encoder=ENCODER_WEIGHTS,
)
