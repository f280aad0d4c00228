"""`python -m train.scratches`: the network that finds scratches learns from damage that is drawn anew at every sight.

One process, from top to bottom: pieces, a step, now and then a look at pieces of photos that are left out of training.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Annotated

import safetensors.torch
import torch
import typer
from torch import Tensor
from torch.nn import functional

from restoration.network.scratch_detector import ScratchDetector

from ..__main__ import checkpoint_of, save, warm_average
from ..muon import Muon
from ..photos import find_large, find_photos, split
from .damage import Damage, artefacts
from .pieces import Pieces, held_out

NETWORK = {"widths": [24, 48, 72, 96], "dilations": [2, 4]}
BATCH, RATE = 8, 2e-3
AVERAGED = 0.995
"""How much of the mean of the weights stays at each step; the mean is what is released."""
POSITIVE = 2.0
"""How much a missed pixel of damage weighs beside one of photo that is marked: what is missed stays in the picture."""
EVERY = 200


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy, and one minus the soft Dice of the whole batch (Milletari et al. 2016, "V-Net"): the first says
    how sure to be, the second counts a little damage as much as a lot of photo. Pixels of which nobody could tell are
    left out.
    """
    known, truth = (target != 2).float(), (target == 1).float()
    weight = known * (1 + (POSITIVE - 1) * truth)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, weight, reduction="sum") / known.sum()
    marked = logits.sigmoid() * known
    dice = (2 * (marked * truth).sum() + 100) / (marked.sum() + truth.sum() + 100)
    return 4 * entropy + 1 - dice


@torch.inference_mode()
def measure(network: ScratchDetector, pieces: Pieces, batches: int = 24) -> dict[str, float]:
    """Precision, recall and F1 at one half, and the share marked where there is no damage."""
    hits = marked = true = clean = clean_marked = 0
    for number in range(batches):
        images, target = pieces[number]
        found = network(images.float() / 255) > 0
        known = target != 2
        hits += int((found & (target == 1)).sum())
        marked += int((found & known).sum())
        true += int((target == 1).sum())
        whole = (target == 0).all(3).all(2)[:, 0]
        clean += int(whole.sum()) * target[0].numel()
        clean_marked += int(found[whole].sum())
    precision, recall = hits / max(marked, 1), hits / max(true, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": precision, "recall": recall, "f1": f1, "clean_marked": clean_marked / max(clean, 1)}


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
    checkpoint = checkpoint_of(run, resume)
    run.mkdir(parents=True, exist_ok=True)
    film = Path(photos) / "film-artefacts.tar"
    small_train, small_held = split(find_photos(photos))
    large_train, large_held = held_out(find_large(photos))
    pieces = Pieces(large_train, small_train, Damage(artefacts(film, held_out=False)), BATCH, seed)
    development = Pieces(large_held, small_held, Damage(artefacts(film, held_out=True)), BATCH, 1)

    network, average = (ScratchDetector(**NETWORK).to(memory_format=torch.channels_last) for _ in range(2))
    started_from = ""
    if init:
        network.load_state_dict({name: each.float() for name, each in safetensors.torch.load_file(init).items()})
        started_from = hashlib.sha256(init.read_bytes()).hexdigest()
    average.load_state_dict(network.state_dict())
    average.eval().requires_grad_(False)
    kernels = [each for each in network.parameters() if each.ndim == 4]
    others = [each for each in network.parameters() if each.ndim != 4]
    optimisers = [Muon(kernels, RATE), torch.optim.AdamW(others, RATE, betas=(0.9, 0.99), weight_decay=0)]
    first, seconds = 0, 0.0
    if resume:
        state = torch.load(checkpoint)
        first, seconds, started_from = state["step"], state["seconds"], state["init"]
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        for optimiser, held in zip(optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(held)

    means, learned = (  # the networks' own tensors, no copies
        [each for each in part.state_dict().values() if each.is_floating_point()] for part in (average, network)
    )
    began = time.monotonic() - seconds
    losses: list[float] = []
    for step in range(first, steps):
        images, target = pieces[step]
        images = (images.float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(images)
        loss = loss_of(logits.float(), target)
        for parameter in network.parameters():
            parameter.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = RATE * min((step + 1) / 100, max(0.02, 1 - step / steps))
            optimiser.step()
        warm_average(AVERAGED)(means, learned, step)
        losses.append(loss.item())
        if (step + 1) % EVERY == 0 or step + 1 == steps:
            seconds = time.monotonic() - began
            entry = {"step": step + 1, "seconds": round(seconds), "loss": sum(losses) / len(losses)}
            entry |= measure(average, development)
            losses.clear()
            with (run / "log.jsonl").open("a") as log:
                log.write(json.dumps(entry) + "\n")
            typer.echo(json.dumps(entry))
            state = {"step": step + 1, "steps": steps, "seconds": seconds, "init": started_from}
            state |= {"network": network.state_dict(), "average": average.state_dict()}
            save(checkpoint, state | {"optimisers": [optimiser.state_dict() for optimiser in optimisers]})


if __name__ == "__main__":
    typer.run(main)
