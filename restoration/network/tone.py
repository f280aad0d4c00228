"""Fading, found once on the whole photo and undone: a curve and a slow field, six numbers.

It is apart from detail because a piece of a photo cannot know whether the photo has faded: it may be a piece of sky.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_MOST = 0.85  # of the contrast may be lost; what is left of more is noise
_LEAST = 0.2  # of it must seem lost before any of it is given back
_TAIL = (0.0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4)
_QUANTILES = (*_TAIL, 0.5, *(1 - each for each in reversed(_TAIL)))
_GRID = 4  # places a side whose darkest, mean and lightest are looked at


def undo(tone: Tensor, y: Tensor, strength: float = 1) -> Tensor:
    """Luminance ``[B, 1, H, W]`` as it was before it faded as ``tone`` ``[B, 6]`` says; ``strength`` 0 leaves it alone.

    A faded print mixes each point with a grey, ``s`` of the grey and ``1 - s`` of what was there, where ``s`` is a
    plane and a radial term over the photo; what was there had been bent by a gamma, the more the more it faded.
    """
    amount, grey, bend, across, down, around = tone[:, :, None, None, None].unbind(1)
    height, width = y.shape[2:]
    rows = torch.linspace(-1, 1, height, device=y.device, dtype=y.dtype)[:, None]
    columns = torch.linspace(-1, 1, width, device=y.device, dtype=y.dtype)
    slow = across * columns + down * rows + around * (rows.square() + columns.square() - 1)
    share = (strength * amount * (1 + slow)).clamp(0.0, _MOST)
    return ((y - share * grey) / (1 - share)).clamp(1e-4, 1.0).pow((strength * amount * bend).exp())


class ToneEstimator(nn.Module):
    """Says how a photo ``[B, 1, H, W]`` has faded, from its histogram and from what is dark and light where.

    Returns the six numbers of `undo`, ``[B, 6]``: the share of contrast lost (0 to 0.85), the grey it was lost to, the
    gamma's bend, and the slow field's three. It is shy: a photo that merely looks faded is better left alone, so less
    than `_LEAST` is nothing. What the encoder sees in the photo did not help: it was learned by heart.
    """

    def __init__(self, *, width: int) -> None:
        super().__init__()
        inputs = len(_QUANTILES) + 3 * _GRID**2
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.last = nn.Linear(width, 6)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, y: Tensor) -> Tensor:
        small = functional.adaptive_avg_pool2d(y, 64)
        levels = small.flatten(1).sort(1).values
        quantiles = levels[:, [round(q * (levels.shape[1] - 1)) for q in _QUANTILES]]
        places = [
            functional.adaptive_avg_pool2d(small, _GRID),
            functional.adaptive_max_pool2d(small, _GRID),
            -functional.adaptive_max_pool2d(-small, _GRID),
        ]
        looked = 4 * (torch.cat([quantiles, *(each.flatten(1) for each in places)], 1) - 0.5)
        found = self.last(self.layers(looked))
        amount = _MOST * (4 * found[:, :1] - 2).sigmoid()
        if not self.training:
            amount = amount * (amount > _LEAST)
        return torch.cat([amount, (found[:, 1:2] + 0.8).sigmoid(), 0.5 * found[:, 2:].tanh()], 1)
