"""A conditional GAN's generator. Its discriminator lives in `train`: nobody needs it to restore a photo."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..network import LuminanceNetwork, SubpixelHead, convolution, layer, resized
from ..network.encoder import CHANNELS, ENCODER_WEIGHTS
from ..types import ModelSpec


class _Residual(nn.Module):
    def __init__(self, width: int, inner: int | None = None) -> None:
        super().__init__()
        inner = inner or width
        self.first, self.second = layer(width, inner), convolution(inner, width)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.second(self.first(features))


def _twice(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


class Detail(nn.Module):
    """A luminance residual by a U-Net.

    Strided 4x4 convolutions go down, ``blocks`` residual blocks work at the bottom, nearest upsampling and 3x3
    convolutions come back (no transposed convolution, hence no checkerboard: Odena et al. 2016), joined by the
    features of the way down (Isola et al. 2017, "Image-to-image translation with conditional adversarial networks").
    """

    def __init__(self, *, widths: Sequence[int], blocks: int) -> None:
        super().__init__()
        self.downs = nn.ModuleList(layer(a, b, 4, 2) for a, b in zip([3, *widths[:-1]], widths, strict=True))
        self.middle = nn.Sequential(*(_Residual(widths[-1]) for _ in range(blocks)))
        steps = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.ups = nn.ModuleList(layer(a, b) for a, b in steps)
        self.joins = nn.ModuleList(layer(2 * b, b) for _, b in steps)
        self.head = SubpixelHead(widths[0], 1)

    def forward(self, planes: Tensor) -> Tensor:
        features = planes
        skips: list[Tensor] = []
        for down in self.downs:
            features = down(features)
            skips.insert(0, features)
        features = self.middle(features)
        for up, join, skip in zip(self.ups, self.joins, skips[1:], strict=True):
            features = join(torch.cat([up(_twice(features)), skip], 1))
        return planes[:, :1] + 0.5 + self.head(features)


class Colouriser(nn.Module):
    """Two chroma planes ``[B, 2, H, W]`` from the restored luminance ``[B, 1, H, W]`` and what is seen in it.

    A U-Net on a pretrained encoder, as in DeOldify (Antic 2018): residual blocks at the bottom, nearest upsampling.
    """

    def __init__(self, *, widths: Sequence[int], blocks: int, edges: int) -> None:
        super().__init__()
        self.bottom = nn.Sequential(
            layer(CHANNELS[3], widths[0], 1), *(_Residual(widths[0], widths[0] // 2) for _ in range(blocks))
        )
        self.ups = nn.ModuleList(layer(a, b, 1) for a, b in pairwise(widths))
        self.joins = nn.ModuleList(layer(b + skip, b) for b, skip in zip(widths[1:], CHANNELS[2::-1], strict=True))
        self.edges = nn.Sequential(nn.PixelUnshuffle(2), layer(4, edges))
        self.last = layer(widths[-1] + edges, edges)
        self.head = SubpixelHead(edges, 2)

    def forward(self, y: Tensor, seen: Sequence[Tensor]) -> Tensor:
        features = self.bottom(seen[3])
        for up, join, skip in zip(self.ups, self.joins, seen[2::-1], strict=True):
            features = join(torch.cat([_twice(up(features)), skip], 1))
        edges = self.edges(y - 0.5)
        return self.head(self.last(torch.cat([resized(features, edges), edges], 1)))


SPEC = ModelSpec(
    id="gan",
    title="GAN",
    summary="A U-Net generator taught by a patch discriminator to look real rather than to be safe.",
    build=lambda config: LuminanceNetwork(Detail, Colouriser, **config),
    weights="gan.safetensors",
    encoder=ENCODER_WEIGHTS,
)
