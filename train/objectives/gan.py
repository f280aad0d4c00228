"""Content alone first, then a patch discriminator joins: one step of it, two of the generator, as in the original."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ..losses import PatchDiscriminator, adversarial, content
from . import Objective


class GANObjective(Objective):
    def __init__(self, network: nn.Module, settings: Mapping[str, Any]) -> None:
        super().__init__(network, settings)
        self.discriminator = PatchDiscriminator(settings["discriminator_width"])
        self.modules["discriminator"] = self.discriminator
        self.optimisers.append(self.adam(self.discriminator.parameters()))

    def step(self, degraded: Tensor, truth: Tensor, progress: float) -> dict[str, float]:
        if progress < self.settings["adversarial_from"]:
            return super().step(degraded, truth, progress)
        fake = self.network.predict(degraded).detach()  # type: ignore[operator]
        judged = {
            "real": adversarial(self.discriminator(degraded, truth), real=True),
            "fake": adversarial(self.discriminator(degraded, fake), real=False),
        }
        record = self.descend(judged, self.optimisers[2:])
        for _ in range(2):
            record |= super().step(degraded, truth, progress)
        return record

    def losses(self, degraded: Tensor, truth: Tensor, progress: float) -> dict[str, Tensor]:
        prediction = self.network.predict(degraded)  # type: ignore[operator]
        losses = content(prediction, truth, self.settings["chroma_weight"])
        if progress >= self.settings["adversarial_from"]:
            weight = self.settings["adversarial_weight"]
            losses["adversarial"] = weight * adversarial(self.discriminator(degraded, prediction), real=True)
        return losses


OBJECTIVE = GANObjective
