"""What each model is taught: one file per model, each with an ``OBJECTIVE``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..muon import Muon


class Objective:
    """Owns the optimisers of one model. `step` makes one update from one batch.

    ``modules`` holds everything that learns, ``network`` among it; checkpoints save it whole.
    """

    def __init__(self, network: nn.Module, settings: Mapping[str, Any]) -> None:
        self.network = network
        self.settings = settings
        self.modules = nn.ModuleDict({"network": network})
        kernels = [p for name, p in network.named_parameters() if p.ndim == 4 and "head" not in name]
        rest = [p for p in network.parameters() if all(p is not kernel for kernel in kernels)]
        self.network_optimisers = [Muon(kernels, settings["learning_rate"]), self.adam(rest)]
        self.optimisers = [*self.network_optimisers]

    def adam(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, self.settings["learning_rate"], betas=(0.9, 0.98), fused=True)

    def step(self, degraded: Tensor, truth: Tensor, progress: float) -> dict[str, float]:
        """``degraded`` ``[B, 1, H, W]`` luminance, ``truth`` ``[B, 3, H, W]`` Y, Cb, Cr; progress runs from 0 to 1."""
        return self.descend(self.losses(degraded, truth, progress), self.network_optimisers)

    def losses(self, degraded: Tensor, truth: Tensor, progress: float) -> dict[str, Tensor]:
        raise NotImplementedError

    @staticmethod
    def descend(losses: Mapping[str, Tensor], optimisers: Sequence[torch.optim.Optimizer]) -> dict[str, float]:
        """One step down the sum of the losses; returns each one's value."""
        for optimiser in optimisers:
            optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                nn.utils.clip_grad_norm_(group["params"], 1.0)
            optimiser.step()
        return {name: loss.item() for name, loss in losses.items()}
