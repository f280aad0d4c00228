"""Losses on Y, Cb, Cr predictions ``[B, 3, H, W]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from restoration.models._luminance import convolution, to_rgb

from .perceptual import Perceptual


def luminance_log_mse(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean over photos of the logarithm of each one's squared luminance error: PSNR, up to sign and scale.

    Every photo counts alike, however badly it was damaged. The constant ends the reward at 40 dB.
    """
    error = functional.mse_loss(prediction[:, :1], truth[:, :1], reduction="none").mean((1, 2, 3))
    return (error + 1e-4).log().mean()


def chroma_mse(prediction: Tensor, truth: Tensor) -> Tensor:
    """Plain squared error of Cb and Cr, so that vivid photos weigh more than grey ones."""
    return functional.mse_loss(prediction[:, 1:], truth[:, 1:])


def chroma_deviation(prediction: Tensor, truth: Tensor) -> Tensor:
    """How far each photo's standard deviation of Cb and Cr is from the truth's.

    A squared error answers doubt with grey; matching moments, as style transfer does (Huang and Belongie 2017), asks
    for as much colour as the truth has and leaves open where.
    """
    return functional.l1_loss(prediction[:, 1:].std((2, 3)), truth[:, 1:].std((2, 3)))


def l1(prediction: Tensor, truth: Tensor) -> Tensor:
    return functional.l1_loss(to_rgb(prediction), to_rgb(truth))


def mse(prediction: Tensor, truth: Tensor) -> Tensor:
    return functional.mse_loss(to_rgb(prediction), to_rgb(truth))


def total_variation(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels (Rudin et al. 1992, in its anisotropic form)."""
    return prediction.diff(dim=2).abs().mean() + prediction.diff(dim=3).abs().mean()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    loss.__name__: loss for loss in (luminance_log_mse, chroma_mse, chroma_deviation, l1, mse, total_variation)
}


class Content(nn.Module):
    """The weighted losses of one configuration, by name.

    ``perceptual`` needs ``features``: one of `train.perceptual.BACKBONES`.
    """

    def __init__(self, weights: Mapping[str, float], features: str | None = None) -> None:
        super().__init__()
        if unknown := weights.keys() - {*LOSSES, "perceptual"}:
            raise SystemExit(f"There is no loss called {min(unknown)}; choose from {', '.join(LOSSES)}, perceptual.")
        if ("perceptual" in weights) != (features is not None):
            raise SystemExit("A perceptual loss and its features belong together; give both or neither.")
        self.weights = dict(weights)
        self.losses = {name: LOSSES[name] for name in weights if name in LOSSES}
        if features:
            self.perceptual = Perceptual(features)
            self.losses["perceptual"] = lambda one, other: self.perceptual(to_rgb(one), to_rgb(other))

    def forward(self, prediction: Tensor, truth: Tensor) -> dict[str, Tensor]:
        return {name: self.weights[name] * loss(prediction, truth) for name, loss in self.losses.items()}


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
