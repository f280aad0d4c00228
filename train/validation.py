"""How well a run does while it learns: on photos left out of training, always the same crops with the same damage."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from restoration.colour import to_rgb, to_ycc
from restoration.network import LuminanceNetwork

from .data import Batches, degrade
from .photos import PhotoFile


def psnr(a: Tensor, b: Tensor) -> float:
    """Mean over photos, in dB, of batches ``[B, 1 or 3, H, W]``; a grey one has three equal channels."""
    return (-10 * (a - b).square().mean((1, 2, 3)).log10()).mean().item()


class ValidationSet:
    """Up to 64 photos that are not mirrored, damaged by the presets ``original`` and ``antique``."""

    def __init__(self, photos: Sequence[PhotoFile], device: torch.device) -> None:
        self.truth = Batches(photos, batch=min(64, len(photos)), seed=0, plain_share=0)[0].to(device).float() / 255
        self.original, self.antique = (degrade(self.truth, {name: 1}, [0])[0] for name in ("original", "antique"))

    @torch.inference_mode()
    def measure(self, network: LuminanceNetwork) -> tuple[dict[str, float], Tensor]:
        """Mean gains in dB, and pictures to look at: ``[8, 3, H, 3 W]``, antique, restored and true.

        Gains of luminance and RGB over the degraded photo, of the predicted colour over grey, what the tone costs a
        photo that has not faded, and the gain of the luminance of ``antique``.
        """
        network.eval()
        true_y, true_chroma = to_ycc(self.truth).split((1, 2), 1)
        detail, y, chroma = restored(network, self.original)
        rgb = to_rgb(torch.cat([y, chroma], 1)).clamp(0, 1)
        _, antique_y, antique_chroma = restored(network, self.antique)
        scores = {
            "luminance_gain": psnr(y, true_y) - psnr(self.original, true_y),
            "rgb_gain": psnr(rgb, self.truth) - psnr(self.original, self.truth),
            "colour_gain": psnr(rgb, self.truth) - psnr(y, self.truth),
            "saturation": (chroma.abs().mean() / true_chroma.abs().mean()).item(),
            "tone_cost": psnr(detail, true_y) - psnr(y, true_y),
            "antique_luminance_gain": psnr(antique_y, true_y) - psnr(self.antique, true_y),
        }
        antique_rgb = to_rgb(torch.cat([antique_y, antique_chroma], 1)).clamp(0, 1)
        return scores, torch.cat([self.antique.expand_as(self.truth), antique_rgb, self.truth], 3)[:8]


def restored(network: LuminanceNetwork, degraded: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of photos, each ``[B, ., H, W]``: the detail, the luminance in its restored tone, and the two chroma planes."""
    parts = []
    for batch in degraded.split(16):
        light = network.light(batch)
        chroma = network.colouriser(light.restored, light.seen)
        parts.append((light.detail.clamp(0, 1), light.restored, chroma))
    detail, y, chroma = (torch.cat(each) for each in zip(*parts, strict=True))
    return detail, y, chroma
