"""Content alone first, then a patch discriminator joins: one step of it to two of the generator, as in the original.

Most of the time without an opponent, and a short end with one: the "NoGAN" training of DeOldify (Antic 2018). The
opponent judges detail and colour in the tone that the photo came with: tone is learned apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from restoration.network import LuminanceNetwork, convolution

from ..losses import Content
from ..optimisers import adamw
from . import Losses, Objective


class PatchDiscriminator(nn.Module):
    """Is this patch a photo? Sees the degraded luminance and the candidate's Y, Cb, Cr; ``[B, 1, H/16, W/16]`` logits.

    Isola et al. 2017; spectral normalisation after Miyato et al. 2018 keeps it from running away.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [4, width, 2 * width, 4 * width, 4 * width]
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.utils.parametrizations.spectral_norm(convolution(a, b, 4, 2)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.utils.parametrizations.spectral_norm(convolution(widths[-1], 1)))

    def forward(self, degraded: Tensor, candidate: Tensor) -> Tensor:
        return self.layers(torch.cat([degraded - 0.5, candidate[:, :1] - 0.5, 4 * candidate[:, 1:]], 1))


def adversarial(logits: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy; real patches are labelled 0.9, as in the original."""
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, 0.9 if real else 0.0))


class GANObjective(Objective):
    def __init__(self, network: LuminanceNetwork, settings: Mapping[str, Any]) -> None:
        super().__init__(network, settings)
        self.adversarial_content = Content(settings["adversarial_content"], settings["features"])
        self.discriminator = PatchDiscriminator(settings["discriminator_width"])
        self.optimisers["discriminator"] = [adamw(self.discriminator.parameters(), settings["learning_rate"])]

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
