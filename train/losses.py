"""Losses on Y, Cb, Cr predictions ``[B, 3, H, W]``."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from restoration.models._luminance import convolution


def log_mse(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean over photos of the logarithm of each one's squared error: PSNR, up to sign and scale.

    Every photo counts alike, however badly it was damaged. The constant ends the reward at 40 dB.
    """
    return (functional.mse_loss(prediction, truth, reduction="none").mean((1, 2, 3)) + 1e-4).log().mean()


def content(prediction: Tensor, truth: Tensor, chroma_weight: float) -> dict[str, Tensor]:
    """Luminance in decibels; chroma as plain squared error, so that vivid photos weigh more than grey ones."""
    return {
        "luminance": log_mse(prediction[:, :1], truth[:, :1]),
        "chroma": chroma_weight * functional.mse_loss(prediction[:, 1:], truth[:, 1:]),
    }


def kl_divergence(mean: Tensor, log_variance: Tensor, free_nats: float) -> Tensor:
    """KL of the posterior from a standard normal, in nats per photo.

    A latent channel whose mean KL is below ``free_nats`` is not pushed further down (Kingma et al. 2016, "Improved
    variational inference with inverse autoregressive flow"), so that the decoder cannot learn to ignore it at once.
    """
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)  # [B, C, h, w]
    return kl.mean((0, 2, 3)).clamp(min=free_nats).sum() * kl[0, 0].numel()


class PatchDiscriminator(nn.Module):
    """Is this patch a photo? Sees the degraded luminance and the candidate's Y, Cb, Cr; ``[B, 1, H/8, W/8]`` logits.

    Isola et al. 2017; spectral normalisation after Miyato et al. 2018 keeps it from running away.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [4, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.utils.parametrizations.spectral_norm(convolution(a, b, 4, 2)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.utils.parametrizations.spectral_norm(convolution(widths[-1], 1)))

    def forward(self, degraded: Tensor, candidate: Tensor) -> Tensor:
        return self.layers(torch.cat([degraded - 0.5, candidate[:, :1] - 0.5, 4 * candidate[:, 1:]], 1))


def adversarial(logits: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy; real patches are labelled 0.9, as in the original."""
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, 0.9 if real else 0.0))
