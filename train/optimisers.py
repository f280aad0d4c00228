"""How weights move: the optimisers, their step, and the moving average that is released.

Convolutions are Muon's, all else AdamW's. Muon is Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural
networks": momentum whose singular values are all brought near one, here with the AdamW-sized steps of Liu et al. 2025
("Muon is scalable for LLM training"), so that both share a learning rate. `torch.optim.Muon` takes matrices only and
works in bfloat16, which a CPU emulates slowly.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


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
                if not self.state[parameter]:
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


def adamw(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, learning_rate, betas=(0.9, 0.98), fused=True)


def muon_and_adamw(
    network: nn.Module, learning_rate: float, heads: Iterable[nn.Module] = ()
) -> list[torch.optim.Optimizer]:
    """Muon for the kernels that learn, AdamW for the rest and for the ``heads``, as Muon's authors advise."""
    of_heads = {parameter for head in heads for parameter in head.parameters()}
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    kernels = [parameter for parameter in learning if parameter.ndim == 4 and parameter not in of_heads]
    rest = [parameter for parameter in learning if parameter.ndim != 4 or parameter in of_heads]
    return [Muon(kernels, learning_rate), adamw(rest, learning_rate)]


def step(optimisers: Iterable[torch.optim.Optimizer], learning_rate: float) -> None:
    """Each optimiser's step, its gradients clipped to a norm of one."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate
            nn.utils.clip_grad_norm_(group["params"], 1.0)
        optimiser.step()


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """The exponential moving average of a network's weights, as a network of its own.

    It forgets quickly at first, so that it never lags behind a young network.
    """
    return AveragedModel(network, multi_avg_fn=partial(_average, decay), use_buffers=True)


def _average(decay: float, averaged: Any, current: Any, count: Any) -> None:
    get_ema_multi_avg_fn(min(decay, (1 + int(count)) / (10 + int(count))))(averaged, current, count)
