"""`python -m train.scratches`: the network that finds scratches learns from damage that is drawn anew at every sight.

One process, from top to bottom: pieces, a step, now and then a look at pieces of photos that are left out of training.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn
from torch.nn import functional

from restoration.network.scratch_detector import ScratchDetector

from .. import checkpoint, optimisers
from ..photos import find_large, find_photos, split
from .damage import Damage, artefacts
from .pieces import Pieces, confusion, precision_and_recall, split_large

NETWORK = {"widths": [24, 48, 72, 96], "dilations": [2, 4]}
BATCH, RATE = 8, 2e-3
AVERAGED = 0.995
"""How much of the mean of the weights stays at each step; the mean is what is released."""
POSITIVE = 2.0
"""How much a missed pixel of damage weighs beside one of photo that is marked: what is missed stays in the picture."""
EVERY = 200


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy and the soft Dice loss of the whole batch (Milletari et al. 2016, "V-Net").

    Both are ``[B, 1, H, W]``. Cross-entropy calibrates each pixel; Dice weighs the few damaged pixels like the many
    others. Pixels whose target is 2, unknown, are left out.
    """
    known, truth = (target != 2).float(), (target == 1).float()
    weight = known * (1 + (POSITIVE - 1) * truth)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, weight, reduction="sum") / known.sum()
    marked = logits.sigmoid() * known
    dice = (2 * (marked * truth).sum() + 100) / (marked.sum() + truth.sum() + 100)
    return 4 * entropy + 1 - dice


@torch.inference_mode()
def measure(network: nn.Module, pieces: Pieces, batches: int = 24) -> dict[str, float]:
    """Precision, recall and F1 at one half, and the share marked where there is no damage."""
    network.eval()
    counts = np.zeros(3, int)
    clean = clean_marked = 0
    for number in range(batches):
        images, target = pieces[number]
        found = network(images.float() / 255) > 0
        counts += confusion(found, target)
        whole = (target == 0).all(3).all(2)[:, 0]
        clean += found[whole].numel()
        clean_marked += int(found[whole].sum())
    return precision_and_recall(counts) | {"clean_marked": clean_marked / max(clean, 1)}


def main(
    photos: Annotated[str, typer.Option(help="Folder of train-*.tar, large-*.tar and film-artefacts.tar.")],
    steps: Annotated[int, typer.Option(min=1, help="Length of the run.")] = 9000,
    run: Annotated[Path, typer.Option(help="Where log and checkpoint go.")] = Path("runs/scratches"),
    init: Annotated[Path | None, typer.Option(help="A weights file to start from.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint, to --steps.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Train the network that finds scratches."""
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    path = checkpoint.locate(run, resume)
    film = Path(photos) / "film-artefacts.tar"
    small_train, small_held = split(find_photos(photos))
    large_train, large_held = split_large(find_large(photos))
    pieces = Pieces(large_train, small_train, Damage(artefacts(film, held_out=False)), BATCH, seed)
    validation = Pieces(large_held, small_held, Damage(artefacts(film, held_out=True)), BATCH, 1)

    network = ScratchDetector(**NETWORK).to(memory_format=torch.channels_last)
    if init:
        checkpoint.start_from(network, init)
    ema = optimisers.moving_average(network, AVERAGED)
    pair = optimisers.muon_and_adamw(network, RATE)
    first, seconds, started_from = 0, 0.0, hashlib.sha256(init.read_bytes()).hexdigest() if init else ""
    if resume:
        state = torch.load(path)
        first, seconds, started_from = state["step"], state["seconds"], state["init"]
        network.load_state_dict(state["network"])
        ema.module.load_state_dict(state["average"])
        ema.n_averaged.fill_(first)
        for optimiser, saved in zip(pair, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)

    began = time.monotonic() - seconds
    losses: list[float] = []
    for step in range(first + 1, steps + 1):
        images, target = pieces[step - 1]
        images = (images.float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(images)
        loss = loss_of(logits.float(), target)
        network.zero_grad()
        loss.backward()
        optimisers.step(pair, RATE * min(step / 100, max(0.02, 1 - (step - 1) / steps)))
        ema.update_parameters(network)
        losses.append(loss.item())
        if step % EVERY and step < steps:
            continue
        seconds = time.monotonic() - began
        entry = {"step": step, "seconds": round(seconds), "loss": sum(losses) / len(losses)}
        entry |= measure(ema.module, validation)
        losses.clear()
        with (run / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        typer.echo(json.dumps(entry))
        state = {"step": step, "steps": steps, "seconds": seconds, "init": started_from}
        state |= {"network": network.state_dict(), "average": ema.module.state_dict()}
        checkpoint.save(path, state | {"optimisers": [optimiser.state_dict() for optimiser in pair]})
        config = {"network": NETWORK, "batch": BATCH, "steps": step, "rate": RATE}
        training = {"photos": step * BATCH, "minutes": seconds / 60, "init": started_from, "config": config}
        checkpoint.write_weights(run / "weights.safetensors", ema.module, "scratches", training)


if __name__ == "__main__":
    typer.run(main)
