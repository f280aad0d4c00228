"""Two regressions: luminance for the first network, chroma for the second (whose gradient stops at its input)."""

from __future__ import annotations

from torch import Tensor

from . import Losses, Objective


class CNNObjective(Objective):
    def forward(self, degraded: Tensor, truth: Tensor, progress: float, player: str) -> Losses:
        return self.content(self.network.predict(degraded), truth)  # type: ignore[operator]


OBJECTIVE = CNNObjective
