"""Content alone first, then a patch discriminator joins: one step of it to two of the generator, as in the original.

Most of the time without an opponent, and a short end with one: the "NoGAN" training of DeOldify (Antic 2018). The
opponent judges detail and colour in the tone that the photo came with: tone is learned apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from restoration.network import LuminanceNetwork

from ..losses import Content, PatchDiscriminator, adversarial
from . import Losses, Objective


class GANObjective(Objective):
    def __init__(self, network: LuminanceNetwork, settings: Mapping[str, Any]) -> None:
        super().__init__(network, settings)
        self.adversarial_content = Content(settings["adversarial_content"], settings["features"])
        self.discriminator = PatchDiscriminator(settings["discriminator_width"])
        self.optimisers["discriminator"] = [self.adam(self.discriminator.parameters())]

    def players(self, step: int, progress: float) -> Sequence[str]:
        plays = progress >= self.settings["adversarial_from"] and step % 2 == 0
        return ("discriminator", "network") if plays else ("network",)

    def forward(self, degraded: Tensor, faded: Tensor, truth: Tensor, progress: float, player: str) -> Losses:
        with torch.set_grad_enabled(player == "network"):
            light = self.network.light(degraded)
            chroma = self.network.colouriser(light.restored.detach(), light.seen)
        fake = torch.cat([light.detail, chroma], 1)
        if player == "discriminator":
            real = torch.cat([faded, truth[:, 1:]], 1)
            return {
                "real": adversarial(self.discriminator(degraded, real), real=True),
                "fake": adversarial(self.discriminator(degraded, fake), real=False),
            }
        if progress < self.settings["adversarial_from"]:
            return self.content(light, chroma, faded, truth)
        judged = adversarial(self.discriminator(degraded, fake), real=True)
        losses = self.adversarial_content(light, chroma, faded, truth)
        return losses | {"adversarial": self.settings["adversarial_weight"] * judged}


OBJECTIVE = GANObjective
