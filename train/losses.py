"""The losses that every model can be taught with; the VAE's and the GAN's own are in `train.objectives`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from restoration.colour import to_rgb
from restoration.network import Light

from .perceptual import Perceptual


def log_mse(prediction: Tensor, truth: Tensor, floor: float) -> Tensor:
    """Mean over photos of the logarithm of each one's squared error: PSNR, up to sign and scale.

    Every photo counts alike, however badly it was damaged. Below the ``floor`` there is no more reward.
    """
    error = functional.mse_loss(prediction, truth, reduction="none").mean((1, 2, 3))
    return (error + floor).log().mean()


def chroma_deviation(prediction: Tensor, truth: Tensor) -> Tensor:
    """How far each photo's standard deviation of Cb and Cr is from the truth's.

    A squared error answers doubt with grey; matching moments, as style transfer does (Huang and Belongie 2017), asks
    for as much colour as the truth has and leaves open where.
    """
    return functional.l1_loss(prediction.std((2, 3)), truth.std((2, 3)))


class Content(nn.Module):
    """The weighted losses of one configuration, by name.

    ``detail`` is the `log_mse` of the luminance as faded as it came; ``perceptual`` looks at ``features``, one of
    `train.perceptual.BACKBONES`.
    """

    def __init__(self, weights: Mapping[str, float], features: str | None = None) -> None:
        super().__init__()
        names = ("detail", "chroma_mse", "chroma_deviation", "perceptual")
        if unknown := weights.keys() - names:
            raise SystemExit(f"There is no loss called {min(unknown)}; choose from {', '.join(names)}.")
        if ("perceptual" in weights) != (features is not None):
            raise SystemExit("A perceptual loss and its features belong together; give both or neither.")
        self.weights = dict(weights)
        self.perceptual = Perceptual(features) if features else None

    def forward(self, light: Light, chroma: Tensor, faded: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """``chroma`` ``[B, 2, H, W]``, the ``faded`` luminance ``[B, 1, H, W]`` and the ``truth`` ``[B, 3, H, W]``."""
        pairs = (light.detail, chroma), (faded, truth[:, 1:])
        losses: dict[str, Callable[[], Tensor]] = {
            "detail": lambda: log_mse(light.detail, faded, floor=3e-5),
            "chroma_mse": lambda: functional.mse_loss(chroma, truth[:, 1:]),
            "chroma_deviation": lambda: chroma_deviation(chroma, truth[:, 1:]),
            "perceptual": lambda: self.perceptual(*(to_rgb(torch.cat(each, 1)) for each in pairs)),  # type: ignore[misc]
        }
        return {name: weight * losses[name]() for name, weight in self.weights.items()}
