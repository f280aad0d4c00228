"""Two regressions: luminance for the first network, chroma for the second (whose gradient stops at its input)."""

from __future__ import annotations

from torch import Tensor

from ..losses import content
from . import Objective


class CNNObjective(Objective):
    def losses(self, degraded: Tensor, truth: Tensor, progress: float) -> dict[str, Tensor]:
        return content(self.network.predict(degraded), truth, self.settings["chroma_weight"])  # type: ignore[operator]


OBJECTIVE = CNNObjective
