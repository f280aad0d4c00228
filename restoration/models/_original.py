"""The original project's networks, exactly: the weights that its users hold run in them.

They take 128x128 pixels in [-1, 1], the luminance on three planes; the wrappers of `SPECS` take RGB in [0, 1].
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..colour import luminance
from ..types import ModelSpec
from ..weights.checkpoints import ORIGINALS, architecture_mismatch


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (inputs, outputs):
        layers += [nn.Conv2d(before, outputs, 3, 1, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers)


class VAE(nn.Module):
    """VAE-UNet: a latent of 64 numbers at the bottom, skips from all four sizes; 43.7 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.enc1, self.enc2, self.enc3, self.enc4 = _block(3, 64), _block(64, 128), _block(128, 256), _block(256, 512)
        self.bottleneck = _block(512, 1024)
        self.fc_mu, self.fc_logvar = nn.Linear(1024 * 8 * 8, 64), nn.Linear(1024 * 8 * 8, 64)
        self.fc_decode = nn.Linear(64, 1024 * 8 * 8)
        self.up4, self.dec4 = nn.ConvTranspose2d(1024, 512, 2, 2), _block(1024, 512)
        self.up3, self.dec3 = nn.ConvTranspose2d(512, 256, 2, 2), _block(512, 256)
        self.up2, self.dec2 = nn.ConvTranspose2d(256, 128, 2, 2), _block(256, 128)
        self.up1, self.dec1 = nn.ConvTranspose2d(128, 64, 2, 2), _block(128, 64)
        self.out = nn.Conv2d(64, 3, 1)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The latent's mean and log variance, ``[B, 64]`` each, and the skips from large to small."""
        skips = []
        for encoder in (self.enc1, self.enc2, self.enc3, self.enc4):
            x = encoder(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        flat = self.bottleneck(x).flatten(1)
        return self.fc_mu(flat), self.fc_logvar(flat), skips

    def decode(self, z: Tensor, skips: list[Tensor]) -> Tensor:
        x = self.fc_decode(z).view(-1, 1024, 8, 8)
        stages = ((self.up4, self.dec4), (self.up3, self.dec3), (self.up2, self.dec2), (self.up1, self.dec1))
        for (up, block), skip in zip(stages, reversed(skips), strict=True):
            x = block(torch.cat([up(x), skip], 1))
        return self.out(x).tanh()

    def forward(self, x: Tensor) -> Tensor:
        mean, _, skips = self.encode(x)
        return self.decode(mean, skips)


class Generator(nn.Module):
    """The conditional GAN's generator, a small U-Net without transposed convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.d1 = nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1), nn.ReLU(inplace=True))
        self.d2, self.d3 = self._down(64, 128), self._down(128, 256)
        self.u1, self.u2 = self._up(256, 128), self._up(256, 64)
        self.u3 = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(128, 3, 3, 1, 1), nn.Tanh())

    @staticmethod
    def _down(inputs: int, outputs: int) -> nn.Sequential:
        norm = nn.InstanceNorm2d(outputs, affine=True)
        return nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1), norm, nn.ReLU(inplace=True))

    @staticmethod
    def _up(inputs: int, outputs: int) -> nn.Sequential:
        convolution, norm = nn.Conv2d(inputs, outputs, 3, 1, 1), nn.InstanceNorm2d(outputs, affine=True)
        return nn.Sequential(nn.Upsample(scale_factor=2), convolution, norm, nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        half = self.d1(x)
        quarter = self.d2(half)
        x = torch.cat([self.u1(self.d3(quarter)), quarter], 1)
        return self.u3(torch.cat([self.u2(x), half], 1))


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first, second = (nn.Conv2d(64, 64, 3, 1, 1) for _ in range(2))
        self.block = nn.Sequential(first, nn.BatchNorm2d(64), nn.ReLU(inplace=True), second, nn.BatchNorm2d(64))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.block(x))


class CNN1(nn.Module):
    """Restores the structure: six residual blocks at full size, and the input added back."""

    def __init__(self) -> None:
        super().__init__()
        self.inp = nn.Conv2d(3, 64, 3, 1, 1)
        self.body = nn.Sequential(*(_Residual() for _ in range(6)))
        self.out = nn.Conv2d(64, 3, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.out(self.body(functional.relu(self.inp(x))))).tanh()


def _double(inputs: int, outputs: int) -> nn.Sequential:
    first, second = nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)
    layers = nn.Sequential(first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True))
    return nn.Sequential(OrderedDict(net=layers))


class CNN2(nn.Module):
    """Rebuilds colour: ``[B, 1, 128, 128]`` luminance in [0, 1] -> RGB in [0, 1], a U-Net."""

    def __init__(self) -> None:
        super().__init__()
        self.inc = _double(1, 32)
        self.down1, self.down2 = (nn.Sequential(nn.MaxPool2d(2), _double(width, 2 * width)) for width in (32, 64))
        self.mid = _double(128, 128)
        self.conv1, self.conv2 = _double(192, 64), _double(96, 32)
        self.out = nn.Conv2d(32, 3, 1)

    def forward(self, y: Tensor) -> Tensor:
        full = self.inc(y)
        half = self.down1(full)
        x = self.mid(self.down2(half))
        for block, skip in ((self.conv1, half), (self.conv2, full)):
            x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = block(torch.cat([x, skip], 1))
        return self.out(x).sigmoid()


NETWORKS = {"vae": VAE, "gan": Generator, "cnn1": CNN1, "cnn2": CNN2}


def check_shapes(path: Path, part: str, tensors: Mapping[str, Tensor]) -> None:
    """Raise `WeightsError` where the tensors of the file at ``path`` are not exactly those of the part."""
    try:
        with torch.device("meta"):  # shapes alone
            NETWORKS[part]().load_state_dict(dict(tensors), assign=True)
    except RuntimeError as error:
        raise architecture_mismatch(path, error) from error


# --- The contract of every model: RGB in [0, 1], of which the luminance is read ---------------------------------------


def _signed(images: Tensor) -> Tensor:
    """The luminance of RGB in [0, 1], on three planes in [-1, 1]."""
    return luminance(images).expand(-1, 3, -1, -1) * 2 - 1


class _Original(nn.ModuleDict):
    """A model's networks, each under the name that its weights' keys begin with; here one alone."""

    def forward(self, images: Tensor) -> Tensor:
        network = next(iter(self.values()))
        return (network(_signed(images)) + 1) / 2


class _OriginalVAE(_Original):
    def draw(self, images: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """``count`` restorations ``[count, 3, 128, 128]`` of one photo, each from its own latent."""
        vae = cast(VAE, self["vae"])
        mean, log_variance, skips = vae.encode(_signed(images))
        noise = torch.randn(count, mean.shape[1], generator=generator).to(images.device)
        z = mean + noise * (0.5 * log_variance).exp()
        return (vae.decode(z, [skip.expand(count, -1, -1, -1) for skip in skips]) + 1) / 2


class _OriginalCNN(_Original):
    """CNN1, then CNN2 on the luminance of what it made."""

    def forward(self, images: Tensor) -> Tensor:
        return self["cnn2"](luminance(super().forward(images)))


def _spec(id: str, what: str, kind: type[_Original] = _Original, *, samples: bool = False) -> ModelSpec:
    return ModelSpec(
        id=id,
        title=ORIGINALS[id].title,
        summary=f"The original project's {what}, with weights of its own.",
        build=lambda config: kind({part: NETWORKS[part]() for part in ORIGINALS[id].parts}),
        weights=id,
        samples=samples,
    )


_ALL = (
    _spec("vae-original", "VAE-UNet", _OriginalVAE, samples=True),
    _spec("gan-original", "GAN generator"),
    _spec("cnn1", "CNN1, which restores and does not colour"),
    _spec("cnn-original", "CNN1 and CNN2 in sequence", _OriginalCNN),
)
SPECS = {spec.id: spec for spec in _ALL}
