"""Two plain CNNs in sequence: the first restores the luminance, the second colours what the first one made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import add

import torch
from torch import Tensor, nn

from ..network import LuminanceNetwork, Residual, SubpixelHead, convolution, resized
from ..network.encoder import CHANNELS, ENCODER_WEIGHTS
from ..types import ModelSpec


def _residuals(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(width) for _ in range(count)))


class Detail(nn.Module):
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

    def forward(self, planes: Tensor) -> Tensor:
        features = self.before[0](self.stem(self.unshuffle(planes)))
        seen: list[Tensor] = []
        for down, blocks in zip(self.downs, self.before[1:], strict=True):
            seen.append(features)
            features = blocks(down(features))
        for up, blocks, larger in zip(reversed(self.ups), reversed(self.after), reversed(seen), strict=True):
            features = blocks(larger + up(features))
        return planes[:, :1] + 0.5 + self.head(features)


def _layer(inputs: int, outputs: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(convolution(inputs, outputs, kernel), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Colouriser(nn.Module):
    """CNN2: two chroma planes ``[B, 2, H, W]`` from the restored luminance ``[B, 1, H, W]`` and what is seen in it.

    The way up of a U-Net whose way down is the encoder, bilinear (Ronneberger et al. 2015); at half size the luminance
    itself joins, for edges.
    """

    def __init__(self, *, widths: Sequence[int], edges: int) -> None:
        super().__init__()
        self.bottom = _layer(CHANNELS[3], widths[0], 1)
        self.joins = nn.ModuleList(map(_layer, map(add, widths, CHANNELS[2::-1]), widths[1:]))
        self.edges = nn.Sequential(nn.PixelUnshuffle(2), _layer(4, edges))
        self.last = _layer(widths[-1] + edges, edges)
        self.head = SubpixelHead(edges, 2)

    def forward(self, y: Tensor, seen: Sequence[Tensor]) -> Tensor:
        features = self.bottom(seen[3])
        for join, skip in zip(self.joins, seen[2::-1], strict=True):
            features = join(torch.cat([resized(features, skip), skip], 1))
        edges = self.edges(y - 0.5)
        return self.head(self.last(torch.cat([resized(features, edges), edges], 1)))


SPEC = ModelSpec(
    id="cnn",
    title="CNN",
    summary="Two plain networks in sequence: one restores the luminance, the other colours it.",
    build=lambda config: LuminanceNetwork(Detail, Colouriser, **config),
    weights="cnn.safetensors",
    encoder=ENCODER_WEIGHTS,
)
