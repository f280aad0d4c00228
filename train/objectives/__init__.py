"""What each model is taught: one file per model, each with an ``OBJECTIVE``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from restoration.network import LuminanceNetwork

from ..losses import Content
from ..muon import Muon

Losses = dict[str, Tensor]


class Objective(nn.Module):
    """A network and its teachers as one module, so that a checkpoint, a device or several processes take them whole.

    `forward` gives the losses of one player; the loop adds them up, and steps that player's optimisers.
    """

    network: LuminanceNetwork

    def __init__(self, network: LuminanceNetwork, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        self.content = Content(settings["content"])
        network.tone.requires_grad_(False)  # it learns at the end: see `train.tone`
        heads = {each for head in network.heads() for each in head.parameters()}  # AdamW's, as Muon's authors advise
        learning = [each for each in network.parameters() if each.requires_grad]
        kernels = [each for each in learning if each.ndim == 4 and each not in heads]
        rest = [each for each in learning if each.ndim != 4 or each in heads]
        self.optimisers = {"network": [Muon(kernels, settings["learning_rate"]), self.adam(rest)]}

    def adam(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, self.settings["learning_rate"], betas=(0.9, 0.98), fused=True)

    def players(self, step: int, progress: float) -> Sequence[str]:
        """Whose turns make up this step, in order."""
        return ("network",)

    def forward(self, degraded: Tensor, faded: Tensor, truth: Tensor, progress: float, player: str) -> Losses:
        """``degraded`` and ``faded`` ``[B, 1, H, W]`` luminance, ``truth`` ``[B, 3, H, W]`` Y, Cb, Cr; progress runs
        from 0 to 1. ``faded`` is what the detail of ``degraded`` was, before its tone is restored.

        Here regressions: detail for the first network, chroma for the second, whose gradient stops at its input.
        """
        light = self.network.light(degraded)
        chroma = self.network.colouriser(light.restored.detach(), light.seen)
        return self.content(light, chroma, faded, truth)
