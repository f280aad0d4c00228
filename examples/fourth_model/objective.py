"""What the U-Net is taught: light and shade as they were, and the mean of the colours that there may have been."""

from __future__ import annotations

from torch import Tensor

from . import Losses, Objective


class UNetObjective(Objective):
    def forward(self, degraded: Tensor, faded: Tensor, truth: Tensor, progress: float, player: str) -> Losses:
        light = self.network.light(degraded)
        chroma = self.network.colouriser(light.restored.detach(), light.seen)
        return self.content(light, chroma, faded, truth)


OBJECTIVE = UNetObjective
