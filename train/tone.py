"""The last stage of a run: `ToneEstimator` learns to undo fading, on photos whose detail the network restored.

A run that starts from a file with a tone keeps that one: how photos look faded does not change with the network.
It sees a photo's histogram and little more, so fading is made anew at every sight, many times faster than the networks
before it see photos, and the photos are those that it will meet: restored ones, whose blacks are not quite black.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import trange

from restoration.degradations.ageing import FIELDS, dust, fading
from restoration.network import LuminanceNetwork, luminance_features
from restoration.network.tone import undo

from .data import Batches, degrade
from .losses import log_mse

STEPS = 2000
PHOTOS = 2000
BATCH = 48
RATE = 2e-3
FLOOR = 1e-3  # 30 dB: about what is left of other damage
SOILED = 0.2
DAMAGE = {"original": 0.7, "light": 0.1, "heavy": 0.1}


def fit(network: LuminanceNetwork, photos: Batches, steps: int = STEPS) -> None:
    """Train ``network.tone`` on the first of ``photos``; nothing else of the network changes."""
    restored = restore(network, photos, min(PHOTOS // photos.batch, steps))
    device = restored.device
    tone = network.tone.train().requires_grad_()
    optimiser = torch.optim.AdamW(tone.parameters(), RATE, betas=(0.9, 0.98))
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / 50, 1 - step / steps))
    torch.manual_seed(photos.seed)
    for step in trange(steps, unit="step", desc="tone"):
        y = restored[torch.randint(len(restored), (BATCH,), device=device)]
        faded = fade(y, 0.5 if step < 0.4 * steps else 0.05)
        loss = log_mse(undo(tone(with_dust(faded)), faded), y, FLOOR)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
    tone.eval().requires_grad_(False)


@torch.inference_mode()
def restore(network: LuminanceNetwork, photos: Batches, count: int) -> Tensor:
    """``count`` batches of photos that had not faded, ``[N, 1, 64, 64]``, damaged otherwise and restored."""
    network.eval()
    device = next(network.parameters()).device
    found = []
    for number in trange(count, unit="batch", desc="photos for the tone"):
        truth = photos[number].to(device).float() / 255
        degraded, _ = degrade(truth, DAMAGE, [photos.seed, number])
        found.append(functional.avg_pool2d(network.detail(luminance_features(degraded)).clamp(0, 1), 2))
    return torch.cat(found).clone()


def fade(y: Tensor, share: float) -> Tensor:
    """``share`` of the photos ``[B, 1, H, W]`` faded at random, the others as they are.

    Few photos that visitors restore have faded, and a doubtful one is to be left alone: so it is one in twenty at the
    end. At the beginning it is half of them, or nothing would ever be undone.
    """
    chance, amount = torch.rand(2, len(y), 1, 1, 1, device=y.device)
    strength = (0.05 + 0.5 * amount) * (chance < share)
    return fading(y, strength, torch.rand(len(y), *FIELDS["fading"], device=y.device)).clamp(0, 1)


def with_dust(y: Tensor) -> Tensor:
    """A fifth of the photos ``[B, 1, H, W]`` with dust on them, as is left of a large photo's: it has not faded, and
    must not be taken for the photo's blacks and whites.
    """
    amount = torch.rand(len(y)) * (torch.rand(len(y)) < SOILED)
    fields = (torch.rand(len(y), *FIELDS[name], device=y.device) for name in ("specks", "hairs"))
    return dust(y, amount.numpy(), *fields).clamp(0, 1)
