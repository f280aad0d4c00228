"""What each model is taught: one file per model, each with an ``OBJECTIVE``."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from restoration import weights
from restoration.models import model as find_model
from restoration.network import LuminanceNetwork
from restoration.network.encoder import ENCODER_WEIGHTS

from .. import optimisers
from ..losses import Content

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
        rate = settings["learning_rate"]
        self.optimisers = {"network": optimisers.muon_and_adamw(network, rate, network.heads())}

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


def build_objective(name: str, config: Mapping[str, Any]) -> Objective:
    """A fresh network of a configuration, and its teachers, which are what train/objectives/NAME.py says."""
    if importlib.util.find_spec(f"train.objectives.{name}") is None:
        raise SystemExit(f"train/objectives/{name}.py is missing; write what the {name} is taught as its OBJECTIVE.")
    network = cast(LuminanceNetwork, find_model(name).build(config["network"]))
    network.encoder.load_state_dict(dict(weights.load(ENCODER_WEIGHTS).tensors))
    network = network.to(memory_format=torch.channels_last)
    return importlib.import_module(f"train.objectives.{name}").OBJECTIVE(network, config["objective"])
