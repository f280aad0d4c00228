"""`python -m train.original cnn1 --photos FOLDER`: the original project's networks, taught as it taught them.

Its shapes, losses and optimisers, on the photos and the damage that ours learn from: what its published grid of 32
photos cannot say, these do. What is written has the names and keys of its checkpoints, so `Restorer` reads it.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer
from torch import Tensor, nn, optim
from torch.nn import functional
from tqdm import tqdm

from restoration.colour import luminance
from restoration.models._original import CNN1, CNN2, VAE, Generator

from .checkpoint import save
from .data import Batches, batches, degrade
from .perceptual import vgg16
from .photos import find_photos, split
from .validation import ValidationSet, psnr

REPORT_STEPS = 100
CHECKPOINTS = {"vae": "vae_unet_best.pth", "gan": "gan_best.pth", "cnn1": "epoch_8.pth", "cnn2": "color_epoch_6.pth"}
KEYS = {"vae": "model_state_dict", "gan": "gen_state_dict"}
"""Where its checkpoints keep the network; CNN1's and CNN2's are the network's state alone."""


class VGG(nn.Module):
    """The features of `vgg16`, of RGB ``[B, 3, H, W]`` in [-1, 1]; the original compares them by L1."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, weights: Path | None) -> None:
        super().__init__()
        self.layers, _, mean, deviation = vgg16(weights)
        self.register_buffer("mean", mean.view(3, 1, 1))
        self.register_buffer("deviation", deviation.view(3, 1, 1))
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers((images / 2 + 0.5 - self.mean) / self.deviation)


class Lesson(nn.Module):
    """A network and who teaches it, with their optimisers; `learn` takes one batch in [-1, 1], three planes each."""

    network: nn.Module
    optimisers: list[optim.Optimizer]
    batch = 16
    clip = math.inf

    def learn(self, given: Tensor, truth: Tensor, progress: float) -> Tensor:
        raise NotImplementedError

    def descend(self, loss: Tensor, index: int = 0) -> Tensor:
        self.optimisers[index].zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimisers[index].step()
        return loss.detach()


class CNN1Lesson(Lesson):
    def __init__(self, vgg: VGG) -> None:
        super().__init__()
        self.network, self.vgg = CNN1(), vgg
        self.optimisers = [optim.Adam(self.network.parameters(), 1e-3)]

    def learn(self, given: Tensor, truth: Tensor, progress: float) -> Tensor:
        made = self.network(given)
        loss = functional.l1_loss(made, truth) + 0.5 * functional.mse_loss(made, truth)
        return self.descend(loss + 0.1 * progress * functional.l1_loss(self.vgg(made), self.vgg(truth)))


class CNN2Lesson(Lesson):
    """Learns from what ``cnn1`` made, which learns no more."""

    def __init__(self, cnn1: CNN1) -> None:
        super().__init__()
        self.network, self.cnn1 = CNN2(), cnn1.eval().requires_grad_(False)
        self.optimisers = [optim.Adam(self.network.parameters(), 2e-4)]

    def learn(self, given: Tensor, truth: Tensor, progress: float) -> Tensor:
        self.cnn1.eval()
        made = self.network(luminance(self.cnn1(given) / 2 + 0.5))
        return self.descend(functional.l1_loss(made, truth / 2 + 0.5))


class GANLesson(Lesson):
    """One step of the discriminator, two of the generator."""

    def __init__(self, vgg: VGG) -> None:
        super().__init__()
        self.network, self.vgg = Generator(), vgg
        layers: list[nn.Module] = [nn.Conv2d(6, 64, 4, 2, 1), nn.LeakyReLU(0.2)]
        for width in (64, 128):
            norm = nn.InstanceNorm2d(2 * width, affine=True)
            layers += [nn.Conv2d(width, 2 * width, 4, 2, 1), norm, nn.LeakyReLU(0.2)]
        self.discriminator = nn.Sequential(*layers, nn.Conv2d(256, 1, 3, 1, 1))
        self.optimisers = [
            optim.Adam(self.network.parameters(), 2e-4, (0.5, 0.999)),
            optim.Adam(self.discriminator.parameters(), 5e-5, (0.5, 0.999)),
        ]
        self.rates = [2e-4, 5e-5]

    def judge(self, given: Tensor, candidate: Tensor, label: float) -> Tensor:
        logits = self.discriminator(torch.cat([given, candidate], 1))
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

    def learn(self, given: Tensor, truth: Tensor, progress: float) -> Tensor:
        for optimiser, rate in zip(self.optimisers, self.rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * min(1, 2 - 2 * progress)
        if progress < 0.07:
            return self.descend(40 * functional.l1_loss(self.network(given), truth))
        with torch.no_grad():
            fake = self.network(given)
        self.descend((self.judge(given, truth, 0.9) + self.judge(given, fake, 0.0)) / 2, 1)
        seen = self.vgg(truth)
        for _ in range(2):
            made = self.network(given)
            variation = made.diff(dim=2).abs().mean() + made.diff(dim=3).abs().mean()
            loss = self.judge(given, made, 1.0) + 20 * functional.l1_loss(made, truth)
            loss = self.descend(loss + 0.5 * functional.l1_loss(self.vgg(made), seen) + 0.005 * variation)
        return loss


class VAELesson(Lesson):
    network: VAE
    batch = 32
    clip = 1.0

    def __init__(self, vgg: VGG) -> None:
        super().__init__()
        self.network, self.vgg = VAE(), vgg
        self.optimisers = [optim.AdamW(self.network.parameters(), 2e-4, weight_decay=1e-5)]

    def learn(self, given: Tensor, truth: Tensor, progress: float) -> Tensor:
        mean, log_variance, skips = self.network.encode(given)
        made = self.network.decode(mean + torch.randn_like(mean) * (0.5 * log_variance).exp(), skips)
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
        loss = functional.l1_loss(made, truth) + 0.5 * functional.mse_loss(made, truth)
        loss = loss + 0.1 * functional.l1_loss(self.vgg(made), self.vgg(truth))
        loss = loss + 1e-4 * min(1, 3 * progress) * divergence
        return self.descend(loss)


def lesson_of(name: str, run: Path, vgg: Path | None) -> Lesson:
    if name == "cnn2":
        cnn1 = CNN1()
        cnn1.load_state_dict(torch.load(run / CHECKPOINTS["cnn1"], map_location="cpu"))
        return CNN2Lesson(cnn1)
    return {"vae": VAELesson, "gan": GANLesson, "cnn1": CNN1Lesson}[name](VGG(vgg))


@torch.inference_mode()
def gains(lesson: Lesson, validation: ValidationSet) -> dict[str, float]:
    """Mean gains in dB of luminance and RGB over the degraded photos."""
    lesson.eval()
    degraded, truth = validation.original, validation.truth
    made = torch.cat([_restored(lesson, each) for each in degraded.split(16)]).clamp(0, 1)
    return {
        "luminance_gain": psnr(luminance(made), luminance(truth)) - psnr(degraded, luminance(truth)),
        "rgb_gain": psnr(made, truth) - psnr(degraded, truth),
    }


def _restored(lesson: Lesson, degraded: Tensor) -> Tensor:
    given = degraded.expand(-1, 3, -1, -1) * 2 - 1
    if isinstance(lesson, CNN2Lesson):
        return lesson.network(luminance(lesson.cnn1(given) / 2 + 0.5))
    return lesson.network(given) / 2 + 0.5


def main(
    name: Annotated[Literal["vae", "gan", "cnn1", "cnn2"], typer.Argument(help="CNN2 learns from CNN1, once it has.")],
    photos: Annotated[str, typer.Option(help="As for `python -m train`.")],
    sights: Annotated[int, typer.Option(help="How many crops it sees.")] = 26_660,
    run: Annotated[Path, typer.Option(help="Where its checkpoints go; a run that was begun there is gone on with.")] = (
        Path("runs/original")
    ),
    vgg: Annotated[
        Path | None, typer.Option(help="A trunk for the perceptual loss \\[default: torchvision's].")
    ] = None,
) -> None:
    """Train one of the original's networks on the preset `original`."""
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    run.mkdir(parents=True, exist_ok=True)
    lesson = lesson_of(name, run, vgg).to(memory_format=torch.channels_last)
    train, held_out = split(find_photos(photos))
    validation = ValidationSet(held_out, torch.device("cpu"))
    first, total, aside = 0, sights // lesson.batch, run / f"{name}.resume.pt"
    if aside.exists():
        state = torch.load(aside, map_location="cpu")
        first = state["step"]
        lesson.load_state_dict(state["lesson"])
        for optimiser, saved in zip(lesson.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
    crops = batches(Batches(train, lesson.batch, seed=0, plain_share=0), first=first, workers=0)
    begun = time.monotonic()
    for step in tqdm(range(first + 1, total + 1), initial=first, total=total, desc=name):
        truth = next(crops).float().div(255)
        degraded, _ = degrade(truth, {"original": 1}, [0, step])
        lesson.train()
        given, wanted = (
            (2 * images - 1).contiguous(memory_format=torch.channels_last)
            for images in (degraded.expand(-1, 3, -1, -1), truth)
        )
        loss = lesson.learn(given, wanted, step / total)
        if step % REPORT_STEPS and step != total:
            continue
        save(aside, {"step": step, "lesson": lesson.state_dict(),
                     "optimisers": [each.state_dict() for each in lesson.optimisers]})  # fmt: skip
        network = lesson.network.state_dict()
        save(run / CHECKPOINTS[name], {KEYS[name]: network} if name in KEYS else network)
        entry = {"photos": step * lesson.batch, "loss": float(loss), **gains(lesson, validation)}
        entry["photos_per_second"] = (step - first) * lesson.batch / (time.monotonic() - begun)
        with (run / f"{name}.jsonl").open("a") as log:
            log.write(json.dumps({key: round(value, 4) for key, value in entry.items()}) + "\n")


if __name__ == "__main__":
    typer.run(main)
