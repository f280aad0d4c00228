"""A variational autoencoder with skips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..types import ModelSpec
from ._luminance import LuminanceNetwork, convolution, evidence, zeroed


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        convolution(inputs, outputs), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, inplace=True),
        convolution(outputs, outputs), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, inplace=True),
    )  # fmt: skip


class VAE(LuminanceNetwork):
    """VAE-UNet: predicts a luminance residual and two chroma planes.

    The encoder ends in a gaussian latent (``latent`` dimensions at each sixteenth of the side) that is all the
    decoder's deepest stage sees; transposed convolutions climb back, joined by the encoder's features at each size.
    `predict` decodes the mean; `sample` draws (Kingma and Welling 2014, "Auto-encoding variational Bayes").
    """

    def __init__(self, *, widths: Sequence[int], latent: int) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(2)
        self.encoders = nn.ModuleList(_block(a, b) for a, b in zip([12, *widths[:-1]], widths, strict=True))
        self.pool = nn.MaxPool2d(2)
        self.moments = nn.Conv2d(widths[-1], 2 * latent, 1)
        self.from_latent = nn.Conv2d(latent, widths[-1], 1)
        steps = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in steps)
        self.decoders = nn.ModuleList(_block(2 * b, b) for _, b in steps)
        self.head = zeroed(nn.ConvTranspose2d(widths[0], 3, 4, stride=2, padding=1))

    def encode(self, y: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """``[B, 1, H, W]`` -> mean and log-variance ``[B, latent, H/16, W/16]``, and the skips, deepest first."""
        features = self.unshuffle(evidence(y))
        skips: list[Tensor] = []
        for level, encoder in enumerate(self.encoders):
            features = encoder(self.pool(features) if level else features)
            skips.insert(0, features)
        mean, log_variance = self.moments(features).chunk(2, 1)
        return mean, log_variance.clamp(-10, 10), skips[1:]

    def decode(self, y: Tensor, z: Tensor, skips: list[Tensor]) -> Tensor:
        """A latent and the skips -> ``[B, 3, H, W]`` Y, Cb, Cr."""
        features = self.from_latent(z)
        for up, decoder, skip in zip(self.ups, self.decoders, skips, strict=True):
            features = decoder(torch.cat([up(features), skip], 1))
        planes = self.head(features)
        return torch.cat([y + planes[:, :1], planes[:, 1:]], 1)

    def sample(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Decode a draw from the posterior: Y, Cb, Cr, and the mean and log-variance that it was drawn with."""
        mean, log_variance, skips = self.encode(y)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decode(y, z, skips), mean, log_variance

    def predict(self, y: Tensor) -> Tensor:
        mean, _, skips = self.encode(y)
        return self.decode(y, mean, skips)


def build(config: Mapping[str, Any]) -> VAE:
    return VAE(**config)


SPEC = ModelSpec(
    id="vae",
    title="VAE",
    summary="A variational autoencoder with skips; the mean of its latent restores the photo.",
    build=build,
    weights="vae.safetensors",
)
