"""A conditional variational autoencoder with skips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..network import SamplingNetwork, convolution, flip_ensemble, layer, resized, zero_init
from ..network.encoder import CHANNELS, ENCODER_WEIGHTS
from ..types import ModelSpec


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*layer(inputs, outputs), *layer(outputs, outputs))


class Detail(nn.Module):
    """A luminance residual by a U-Net: pooling down, transposed convolutions up, the skips of every size joined."""

    def __init__(self, *, widths: Sequence[int]) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(2)
        self.encoders = nn.ModuleList(_block(a, b) for a, b in zip([12, *widths[:-1]], widths, strict=True))
        self.pool = nn.MaxPool2d(2)
        steps = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in steps)
        self.decoders = nn.ModuleList(_block(2 * b, b) for _, b in steps)
        self.head = zero_init(nn.ConvTranspose2d(widths[0], 1, 4, stride=2, padding=1))

    def forward(self, planes: Tensor) -> Tensor:
        features = self.unshuffle(planes)
        skips: list[Tensor] = []
        for level, encoder in enumerate(self.encoders):
            features = encoder(self.pool(features) if level else features)
            skips.insert(0, features)
        for up, decoder, skip in zip(self.ups, self.decoders, skips[1:], strict=True):
            features = decoder(torch.cat([up(features), skip], 1))
        return planes[:, :1] + 0.5 + self.head(features)


class Colouriser(nn.Module):
    """Chroma ``[B, 2, H, W]`` from what is seen in a luminance, and from a latent that says which colours are meant.

    The latent, one for the whole photo, carries what a grey photo does not show. In training an encoder of the true
    colours draws it, and this network's own gaussian learns to cover those draws (Sohn et al. 2015, "Learning
    structured output representation using deep conditional generative models"; Deshpande et al. 2017, "Learning diverse
    image colorization"). It joins at the bottom, and transposed convolutions climb back.
    """

    def __init__(self, *, widths: Sequence[int], latent: int, edges: int) -> None:
        super().__init__()
        self.latent = latent
        self.moments = nn.Linear(CHANNELS[2] + CHANNELS[3], 2 * latent)
        self.from_latent = nn.Linear(latent, widths[0])
        self.bottom = convolution(CHANNELS[3], widths[0], 1)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.decoders = nn.ModuleList(_block(b + skip, b) for b, skip in zip(widths[1:], CHANNELS[2::-1], strict=True))
        self.edges = nn.Sequential(nn.PixelUnshuffle(2), *layer(4, edges))
        self.last = _block(widths[-1] + edges, widths[-1])
        self.head = zero_init(nn.ConvTranspose2d(widths[-1], 2, 4, stride=2, padding=1))

    def moments_of(self, seen: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What is seen -> the latent's mean and log-variance, ``[B, latent]`` each."""
        pooled = torch.cat([features.mean((2, 3)) for features in seen[2:]], 1)
        mean, log_variance = self.moments(pooled).chunk(2, 1)
        return mean, log_variance.clamp(-8, 8)

    def forward(self, y: Tensor, seen: Sequence[Tensor], z: Tensor | None = None) -> Tensor:
        """The latent's mean stands in for a ``z`` ``[B, latent]`` that is not given."""
        z = self.moments_of(seen)[0] if z is None else z
        features = functional.leaky_relu(self.bottom(seen[3]) + self.from_latent(z)[:, :, None, None], 0.2)
        for up, decoder, skip in zip(self.ups, self.decoders, seen[2::-1], strict=True):
            features = decoder(torch.cat([up(features), skip], 1))
        edges = self.edges(y - 0.5)
        return self.head(self.last(torch.cat([resized(features, edges), edges], 1)))


class VAE(SamplingNetwork):
    """Luminance by a U-Net, colour by a conditional variational autoencoder: `chroma` decodes the latent's mean."""

    colouriser: Colouriser

    def draw_chroma(self, y: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Each guess is decoded from a latent of its own."""
        noise = torch.randn(count, self.colouriser.latent, generator=generator).to(y.device)

        def decode(each: Tensor) -> Tensor:
            seen = self.encoder(each)
            mean, log_variance = self.colouriser.moments_of(seen)
            z = mean[:, None] + noise * (0.5 * log_variance[:, None]).exp()  # [photo and mirror, count, latent]
            y, *features = (tensor.repeat_interleave(count, 0) for tensor in (each, *seen))
            return self.colouriser(y, features, z.flatten(0, 1))

        return flip_ensemble(decode, y)


SPEC = ModelSpec(
    id="vae",
    title="VAE",
    summary="A conditional variational autoencoder with skips; the mean of its latent restores the photo.",
    build=lambda config: VAE(Detail, Colouriser, **config),
    weights="vae.safetensors",
    encoder=ENCODER_WEIGHTS,
    samples=True,
)
