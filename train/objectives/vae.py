"""Half of each batch is decoded from the latent of its true colours, half from the latent that restores a photo."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from restoration.models.vae import VAE
from restoration.network import convolution

from ..optimisers import adamw
from . import Losses, Objective


class Posterior(nn.Module):
    """The latent's gaussian given the true Y, Cb, Cr ``[B, 3, H, W]``: mean and log-variance ``[B, latent]``.

    Looks at a quarter of the side: the latent speaks for the whole photo, so detail is no use to it. Only training
    needs it; restoring has no truth to look at.
    """

    def __init__(self, width: int, latent: int) -> None:
        super().__init__()
        widths = [3, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [convolution(a, b, 4, 2), nn.BatchNorm2d(b), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 2 * latent))

    def forward(self, truth: Tensor) -> tuple[Tensor, Tensor]:
        small = functional.avg_pool2d(torch.cat([truth[:, :1] - 0.5, 4 * truth[:, 1:]], 1), 4)
        mean, log_variance = self.layers(small).chunk(2, 1)
        return mean, log_variance.clamp(-8, 8)


def kl_divergence(mean: Tensor, log_variance: Tensor, prior_mean: Tensor, prior_log_variance: Tensor) -> Tensor:
    """KL of one diagonal gaussian from another, both ``[B, latent]``: nats of each dimension, ``[B, latent]``."""
    distance = (mean - prior_mean).square() / prior_log_variance.exp()
    excess = log_variance - prior_log_variance
    return 0.5 * (distance + excess.exp() - 1 - excess)


def beyond_free_nats(kl: Tensor, free_nats: float) -> Tensor:
    """Nats per photo, of which ``free_nats`` per dimension are not pushed down.

    Kingma et al. 2016, "Improved variational inference with inverse autoregressive flow": else the decoder learns at
    once to ignore a latent that says little yet.
    """
    return kl.mean(0).clamp(min=free_nats).sum()


class VAEObjective(Objective):
    """The hybrid objective of Sohn et al. 2015: without the second half, no mean latent would ever be decoded."""

    network: VAE

    def __init__(self, network: VAE, settings: Mapping[str, Any]) -> None:
        super().__init__(network, settings)
        self.posterior = Posterior(settings["posterior_width"], network.colouriser.latent)
        self.optimisers["network"].append(adamw(self.posterior.parameters(), settings["learning_rate"]))

    def forward(self, degraded: Tensor, faded: Tensor, truth: Tensor, progress: float, player: str) -> Losses:
        light = self.network.light(degraded)
        mean, log_variance = self.network.colouriser.moments_of(light.seen)
        true_mean, true_log_variance = self.posterior(truth)
        drawn = true_mean + torch.randn_like(true_mean) * (0.5 * true_log_variance).exp()
        half = len(truth) // 2
        z = torch.cat([drawn[:half], mean[half:]])
        chroma = self.network.colouriser(light.restored.detach(), light.seen, z)
        kl = kl_divergence(true_mean, true_log_variance, mean, log_variance)
        beta = self.settings["beta"] * min(1, progress / self.settings["beta_warmup"])
        content = self.content(light, chroma, faded, truth)
        return content | {"kl": beta * beyond_free_nats(kl, self.settings["free_nats"])}


OBJECTIVE = VAEObjective
