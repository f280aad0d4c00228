"""Content alone first, then a patch discriminator joins: one step of it to two of the generator, as in the original."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..losses import Content, PatchDiscriminator, adversarial
from . import Losses, Objective


class GANObjective(Objective):
    def __init__(self, network: nn.Module, settings: Mapping[str, Any]) -> None:
        super().__init__(network, settings)
        self.adversarial_content = Content(settings["adversarial_content"], settings["features"])
        self.discriminator = PatchDiscriminator(settings["discriminator_width"])
        self.optimisers["discriminator"] = [self.adam(self.discriminator.parameters())]

    def players(self, step: int, progress: float) -> Sequence[str]:
        plays = progress >= self.settings["adversarial_from"] and step % 2 == 0
        return ("discriminator", "network") if plays else ("network",)

    def forward(self, degraded: Tensor, truth: Tensor, progress: float, player: str) -> Losses:
        with torch.set_grad_enabled(player == "network"):
            prediction = self.network.predict(degraded)  # type: ignore[operator]
        if player == "discriminator":
            return {
                "real": adversarial(self.discriminator(degraded, truth), real=True),
                "fake": adversarial(self.discriminator(degraded, prediction), real=False),
            }
        if progress < self.settings["adversarial_from"]:
            return self.content(prediction, truth)
        judged = adversarial(self.discriminator(degraded, prediction), real=True)
        losses = self.adversarial_content(prediction, truth)
        return losses | {"adversarial": self.settings["adversarial_weight"] * judged}


OBJECTIVE = GANObjective
