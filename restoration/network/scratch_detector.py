"""The network that finds scratches: a small U-Net that marks what lies on a photo and hides it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from . import Residual, convolution, resized

SCRATCH_WEIGHTS = "scratches.safetensors"


_Block = partial(Residual, momentum=0.02)


class ScratchDetector(nn.Module):
    """``[B, 3, H, W]`` RGB in [0, 1] -> logits ``[B, 1, H, W]`` that a pixel is damage, H and W multiples of 16.

    A U-Net (Ronneberger et al. 2015) that begins at half size by pixel unshuffling, so that no line is too thin for it.
    Colour helps, as most damage is grey. The dilated blocks at the bottom see how far a crack runs.
    """

    def __init__(self, *, widths: Sequence[int], dilations: Sequence[int]) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(2)
        self.stem = convolution(12, widths[0])
        self.before = nn.ModuleList(map(_Block, widths[:-1]))
        self.downs = nn.ModuleList(convolution(a, b, 3, 2) for a, b in pairwise(widths))
        self.bottom = nn.Sequential(*(_Block(widths[-1], dilation) for dilation in dilations))
        self.ups = nn.ModuleList(convolution(b, a, 1) for a, b in pairwise(widths))
        self.after = nn.ModuleList(map(_Block, widths[:-1]))
        self.head = convolution(widths[0], 4)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, images: Tensor) -> Tensor:
        features = self.stem(self.unshuffle(images - 0.5))
        seen: list[Tensor] = []
        for block, down in zip(self.before, self.downs, strict=True):
            features = block(features)
            seen.append(features)
            features = functional.relu(down(features), inplace=True)
        features = self.bottom(features)
        for up, block, larger in zip(reversed(self.ups), reversed(self.after), reversed(seen), strict=True):
            features = block(larger + resized(up(features), larger))
        return self.shuffle(self.head(features))
