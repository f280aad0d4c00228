"""Two plain CNNs in sequence: the first restores the luminance, the second colours what the first one made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..types import ModelSpec
from ._luminance import LuminanceNetwork, SubpixelHead, convolution, evidence


class _Residual(nn.Module):
    """The original's block: Conv, BatchNorm, ReLU, Conv, BatchNorm, add, ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width), convolution(width, width)
        self.norms = nn.ModuleList([nn.BatchNorm2d(width), nn.BatchNorm2d(width)])

    def forward(self, features: Tensor) -> Tensor:
        inner = functional.relu(self.norms[0](self.first(features)), inplace=True)
        return functional.relu(features + self.norms[1](self.second(inner)), inplace=True)


def _residuals(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(_Residual(width) for _ in range(count)))


class Restorer(nn.Module):
    """CNN1: a luminance residual from residual blocks at a half, a quarter and an eighth of the side.

    Half size by pixel unshuffling, as FFDNet does (Zhang et al. 2018): nothing is lost and four times less is computed.
    What the smaller sizes find is added to what the larger ones saw, as in DRUNet (Zhang et al. 2021, "Plug-and-play
    image restoration with deep denoiser prior"). ``before`` and ``after`` count the blocks at each size on the way down
    and up; the last of ``before`` is the bottom.
    """

    def __init__(self, *, widths: Sequence[int], before: Sequence[int], after: Sequence[int]) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(2)
        self.stem = convolution(12, widths[0])
        self.before = nn.ModuleList(map(_residuals, widths, before))
        self.downs = nn.ModuleList(convolution(a, b, 2, 2) for a, b in pairwise(widths))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in pairwise(widths))
        self.after = nn.ModuleList(map(_residuals, widths, after))
        self.head = SubpixelHead(widths[0], 1)

    def forward(self, y: Tensor) -> Tensor:
        features = self.before[0](self.stem(self.unshuffle(evidence(y))))
        seen: list[Tensor] = []
        for down, blocks in zip(self.downs, self.before[1:], strict=True):
            seen.append(features)
            features = blocks(down(features))
        for up, blocks, larger in zip(reversed(self.ups), reversed(self.after), reversed(seen), strict=True):
            features = blocks(larger + up(features))
        return y + self.head(features)


def _double(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        convolution(inputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
        convolution(outputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
    )  # fmt: skip


class Colouriser(nn.Module):
    """CNN2: two chroma planes ``[B, 2, H, W]`` from the restored luminance ``[B, 1, H, W]``.

    A U-Net at a quarter of the side, bilinear on the way up: colour varies slowly, and what it needs is context.
    """

    def __init__(self, *, widths: Sequence[int]) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(4)
        self.encoders = nn.ModuleList(_double(a, b) for a, b in zip([16, *widths[:-1]], widths, strict=True))
        self.pool = nn.MaxPool2d(2)
        self.decoders = nn.ModuleList(_double(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.head = SubpixelHead(widths[0], 2)

    def forward(self, y: Tensor) -> Tensor:
        features = self.unshuffle(y - 0.5)
        skips: list[Tensor] = []
        for level, encoder in enumerate(self.encoders):
            features = encoder(self.pool(features) if level else features)
            skips.insert(0, features)
        for decoder, skip in zip(self.decoders, skips[1:], strict=True):
            larger = functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            features = decoder(torch.cat([larger, skip], 1))
        return functional.interpolate(self.head(features), scale_factor=2.0, mode="bilinear", align_corners=False)


class CNN(LuminanceNetwork):
    """CNN1 then CNN2. The second sees the first one's luminance alone, and its loss does not reach the first."""

    def __init__(self, *, restore: Mapping[str, Any], colour: Mapping[str, Any]) -> None:
        super().__init__()
        self.restore = Restorer(**restore)
        self.colour = Colouriser(**colour)

    def predict(self, y: Tensor) -> Tensor:
        restored = self.restore(y)
        return torch.cat([restored, self.colour(restored.detach().clamp(0, 1))], 1)


def build(config: Mapping[str, Any]) -> CNN:
    return CNN(**config)


SPEC = ModelSpec(
    id="cnn",
    title="CNN",
    summary="Two plain networks in sequence: one restores the luminance, the other colours it.",
    build=build,
    weights="cnn.safetensors",
)
