"""Muon for convolutions.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks": momentum whose singular values are all
brought near one, here with the AdamW-sized steps of Liu et al. 2025 ("Muon is scalable for LLM training"), so that
both share a learning rate. `torch.optim.Muon` takes matrices only and works in bfloat16, which a CPU emulates slowly.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Muon(torch.optim.Optimizer):
    """Updates kernels ``[out, in, h, w]``, each flattened to ``[out, in h w]``."""

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float, momentum: float = 0.95) -> None:
        super().__init__(list(parameters), {"lr": learning_rate, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure: the loop computes the gradients
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if "average" not in self.state[parameter]:
                    self.state[parameter]["average"] = torch.zeros_like(parameter.grad)
                average = self.state[parameter]["average"]
                average.lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonalise(parameter.grad.lerp(average, group["momentum"]).flatten(1))
                scale = 0.2 * max(update.shape) ** 0.5
                parameter.add_(update.reshape(parameter.shape), alpha=-group["lr"] * scale)


def orthogonalise(matrix: Tensor) -> Tensor:
    """The matrix with its singular values moved to about one, by five Newton-Schulz steps (coefficients: Jordan)."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(5):
        gram = wide @ wide.T
        wide = 3.4445 * wide + (-4.7750 * gram + 2.0315 * gram @ gram) @ wide
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T
