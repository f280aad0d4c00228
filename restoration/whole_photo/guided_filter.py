"""Colours found small, laid on a photo along its edges.

Within a few pixels, colour changes where light does, and in proportion: the local linear model of the guided filter
(He et al. 2013, "Guided image filtering"; He and Sun 2015, "Fast guided filter", for finding it small).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

RADIUS = 2  # of the neighbourhood, in pixels of the small photo
EPSILON = 1e-3  # variance of luminance below which an edge counts for nothing, as noise of 3 % should
NOISE = 4e-4  # variance of a photo's own chroma that is its noise, at half its size


def box(planes: Tensor, radius: int) -> Tensor:
    """``[1, C, H, W]``: the mean over ``2 radius + 1`` pixels a side, of those that there are."""
    return functional.avg_pool2d(planes, 2 * radius + 1, 1, radius, count_include_pad=False)


def slopes(y: Tensor, chroma: Tensor) -> Tensor:
    """How much chroma ``[1, C, h, w]`` changes with luminance ``[1, 1, h, w]``, around each pixel."""
    mean, colour = box(y, RADIUS), box(chroma, RADIUS)
    covariance = box(y * chroma, RADIUS) - mean * colour
    variance = box(y * y, RADIUS) - mean * mean
    return box(covariance / (variance + EPSILON), RADIUS)


def smoothed(chroma: Tensor, radius: int) -> Tensor:
    """Chroma ``[1, C, h, w]`` without its noise, each guided by itself: an edge of colour may have none of light."""
    mean = box(chroma, radius)
    variance = box(chroma * chroma, radius) - mean * mean
    kept = variance / (variance + NOISE)
    return box((1 - kept) * mean, radius) + box(kept, radius) * chroma


class Overlay:
    """Chroma ``[1, 2, h, w]``, found for a small luminance ``[1, 1, h, w]``, at the size of the whole photo.

    It is enlarged and follows what the whole luminance has and the small one lacks; at one size it stays as it is.
    """

    def __init__(self, y: Tensor, chroma: Tensor, height: int, width: int) -> None:
        self.small = torch.cat([y, chroma, slopes(y, chroma)], 1)
        self.height, self.width = height, width

    def rows(self, y: Tensor, top: int) -> Tensor:
        """Of the rows ``[1, 1, rows, width]`` of the whole luminance that begin at ``top``: their chroma."""
        rows = y.shape[2]
        scale = self.small.shape[2] / self.height
        at = ((torch.arange(top, top + rows) + 0.5) * scale - 0.5).clamp(0, self.small.shape[2] - 1)
        above = at.long()
        share = (at - above)[:, None]
        below = (above + 1).clamp(max=self.small.shape[2] - 1)
        found = self.small[:, :, above] * (1 - share) + self.small[:, :, below] * share
        small, chroma, slope = functional.interpolate(found, size=(rows, self.width), mode="bilinear").split(
            [1, 2, 2], 1
        )
        return chroma + slope * (y - small)
