"""Regressions: detail for the first network, chroma for the second (whose gradient stops at its input)."""

from __future__ import annotations

from torch import Tensor

from . import Losses, Objective


class CNNObjective(Objective):
    def forward(self, degraded: Tensor, faded: Tensor, truth: Tensor, progress: float, player: str) -> Losses:
        light = self.network.light(degraded)
        chroma = self.network.colouriser(light.restored.detach(), light.seen)
        return self.content(light, chroma, faded, truth)


OBJECTIVE = CNNObjective
