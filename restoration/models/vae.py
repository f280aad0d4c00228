"""A conditional variational autoencoder with skips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..degradations import luminance
from ..types import ModelSpec
from ._luminance import LuminanceNetwork, both_ways, convolution, evidence, to_rgb, zeroed


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        convolution(inputs, outputs), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, inplace=True),
        convolution(outputs, outputs), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, inplace=True),
    )  # fmt: skip


class VAE(LuminanceNetwork):
    """VAE-UNet: predicts a luminance residual and two chroma planes.

    The encoder ends in a gaussian latent of ``latent`` dimensions for the whole photo, which joins the decoder at its
    bottom; transposed convolutions climb back, joined by the encoder's features at each size. The skips carry all that
    the grey photo shows, so the latent carries what it does not show: in training, an encoder of the true colours
    draws it, and the network's own gaussian learns to cover those draws (Sohn et al. 2015, "Learning structured output
    representation using deep conditional generative models"; Kohl et al. 2018, "A probabilistic U-Net ...").
    `predict` decodes the mean; other draws give other plausible colours.
    """

    def __init__(self, *, widths: Sequence[int], latent: int) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(2)
        self.encoders = nn.ModuleList(_block(a, b) for a, b in zip([12, *widths[:-1]], widths, strict=True))
        self.pool = nn.MaxPool2d(2)
        self.moments = nn.Linear(widths[-1], 2 * latent)
        self.from_latent = nn.Linear(latent, widths[-1])
        steps = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in steps)
        self.decoders = nn.ModuleList(_block(2 * b, b) for _, b in steps)
        self.head = zeroed(nn.ConvTranspose2d(widths[0], 3, 4, stride=2, padding=1))

    def encode(self, y: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """``[B, 1, H, W]`` -> mean and log-variance ``[B, latent]``, and the features of every size, deepest first."""
        features = self.unshuffle(evidence(y))
        skips: list[Tensor] = []
        for level, encoder in enumerate(self.encoders):
            features = encoder(self.pool(features) if level else features)
            skips.insert(0, features)
        mean, log_variance = self.moments(features.mean((2, 3))).chunk(2, 1)
        return mean, log_variance.clamp(-8, 8), skips

    def decode(self, y: Tensor, z: Tensor, skips: list[Tensor]) -> Tensor:
        """A latent ``[B, latent]`` and the encoder's features -> ``[B, 3, H, W]`` Y, Cb, Cr."""
        features = skips[0] + self.from_latent(z)[:, :, None, None]
        for up, decoder, skip in zip(self.ups, self.decoders, skips[1:], strict=True):
            features = decoder(torch.cat([up(features), skip], 1))
        planes = self.head(features)
        return torch.cat([y + planes[:, :1], planes[:, 1:]], 1)

    def predict(self, y: Tensor) -> Tensor:
        mean, _, skips = self.encode(y)
        return self.decode(y, mean, skips)

    def draw(self, image: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """One photo ``[1, 3, H, W]`` in [0, 1] -> ``[count, 3, H, W]``, each from a latent drawn on the CPU."""
        noise = torch.randn(count, self.from_latent.in_features, generator=generator).to(image.device)

        def decode(y: Tensor) -> Tensor:
            mean, log_variance, skips = self.encode(y)
            z = mean[:, None] + noise * (0.5 * log_variance[:, None]).exp()  # [photo and mirror, count, latent]
            y, *skips = (each.repeat_interleave(count, 0) for each in (y, *skips))
            return self.decode(y, z.flatten(0, 1), skips)

        return to_rgb(both_ways(decode, luminance(image))).clamp(0, 1)


def build(config: Mapping[str, Any]) -> VAE:
    return VAE(**config)


SPEC = ModelSpec(
    id="vae",
    title="VAE",
    summary="A conditional variational autoencoder with skips; the mean of its latent restores the photo.",
    build=build,
    weights="vae.safetensors",
)
