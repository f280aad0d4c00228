"""`python -m train MODEL`: the one training loop, for every model, on one processor or several."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from pathlib import Path
from typing import Annotated, Any, cast

import torch
import typer
import yaml
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, broadcast
from tqdm import tqdm

from restoration import weights
from restoration.colour import to_ycc
from restoration.errors import RestorationError
from restoration.models import model as find_model
from restoration.models import models
from restoration.network import LuminanceNetwork
from restoration.weights.checkpoints import contents_of

from . import checkpoint, optimisers, tone
from .data import Batches, batches, degrade
from .objectives import Losses, build_objective
from .photos import find_large, find_photos, split
from .validation import ValidationSet

CONFIGS = Path(__file__).parent / "configs"
REPORT_SECONDS = 300


def load_config(name: str) -> dict[str, Any]:
    """What train/configs says of a model: its network's sizes, its damage and its objective."""
    path = CONFIGS / f"{name}.yaml"
    if not path.is_file():
        raise SystemExit(f"train/configs/{path.name} is missing; write the settings of the {name} there.")
    return yaml.safe_load(path.read_text())


def learning_rate(peak: float, progress: float) -> float:
    """A short warm-up to the ``peak``, then a straight line to zero."""
    return peak * min(progress / 0.03, (1 - progress) / 0.97)


def main(
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help=f"{', '.join(models())}, or all, which start where we are.")
    ],
    photos: Annotated[
        str, typer.Option(help="Folder of train-*.tar shards, of photos or of zip files, or kaggle:OWNER/DATASET.")
    ],
    minutes: Annotated[
        float | None,
        typer.Option(help="Length of the run if all steps take as long as those of its first minute \\[default: 40]."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Length of the run in steps instead.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Photos per step \\[default: the configuration's].")] = None,
    pause_after: Annotated[float | None, typer.Option(help="Stop after so many minutes; go on with --resume.")] = None,
    init: Annotated[
        Path | None, typer.Option(help="A weights file to start from: what fits of it; what does not is said.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Where logs and checkpoints go \\[default: runs/MODEL].")] = None,
    in_memory: Annotated[bool, typer.Option("--in-memory", help="Decode all photos once, and keep them.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint.")] = False,
    workers: Annotated[int, typer.Option(help="Processes that cut the crops.")] = 1,
    cpu: Annotated[bool, typer.Option("--cpu", help="Train on the CPU even where there is a GPU.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything random \\[default: 0].")] = None,
) -> None:
    """Train one model on photos that are degraded anew at every sight, or all of them, one after the other."""
    if name == "all":
        share, folder = (minutes or 40) / len(models()), run or Path("runs")
        same: dict[str, Any] = {"steps": steps, "batch": batch, "workers": workers, "cpu": cpu, "seed": seed}
        for each in models():
            released = weights.FOLDER / find_model(each).weights
            start = init or (released if released.exists() else None)
            main(each, photos, minutes=share, init=start, run=folder / each, in_memory=True, **same)
        return
    find_model(name)
    run = run or Path("runs") / name
    path = checkpoint.locate(run, resume)
    accelerator = Accelerator(
        cpu=cpu,
        mixed_precision="bf16" if torch.cuda.is_available() and not cpu else "no",
        log_with="tensorboard",
        project_dir=run,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],  # a GAN's players take turns
    )
    device, rank, world = accelerator.device, accelerator.process_index, accelerator.num_processes

    # What a run settles at its beginning, and keeps.
    if resume:
        if any(given is not None for given in (minutes, steps, batch, seed, init)):
            raise SystemExit(
                "A run keeps its --minutes, --steps, --batch, --seed and --init; leave them out with --resume."
            )
        state = torch.load(path, map_location="cpu")
        if state["step"] == state["total"]:
            raise SystemExit(f"{run} is finished; export it, or choose another --run.")
    else:
        config = load_config(name)
        config["batch"] = batch or config["batch"]
        settled = {"seed": seed or 0, "seconds": 60 * (minutes or 40), "processes": world, "fits_tone": True}
        settled["init"] = hashlib.sha256(contents_of(init)).hexdigest() if init else None
        state = {"step": 0, "total": steps, "seconds": 0.0, "begun": None, "config": config, "settled": settled}
    config, settled = state["config"], state["settled"]
    if settled["processes"] != world:
        raise SystemExit(f"{run} was started by {settled['processes']} processes, not {world}; go on with as many.")

    # The network and its teachers, and the average of its weights, which is what is released.
    torch.manual_seed(settled["seed"])
    torch.set_flush_denormal(True)  # a dead unit's momentum fades into denormals, which slow Muon down fourfold
    objective = build_objective(name, config).to(device)
    if init:
        left = checkpoint.start_from(objective.network, init)
        settled["fits_tone"] = any(each.startswith("tone.") for each in left)
        parts = sorted({".".join(each.split(".")[:2]) for each in left if not each.endswith("num_batches_tracked")})
        typer.echo(f"Not in {init}: {', '.join(parts) or 'nothing'}.")
    ema = optimisers.moving_average(objective.network, config["ema"])
    averaged = cast(LuminanceNetwork, ema.module)
    if init and config["keep"]:
        state["begun"] = {key: each.clone() for key, each in averaged.state_dict().items()}
    if resume:
        objective.load_state_dict(state["objective"])
        ema.load_state_dict(state["ema"])
        for player, saved in state["optimisers"].items():
            for optimiser, each in zip(objective.optimisers[player], saved, strict=True):
                optimiser.load_state_dict(each)
    step, total, seconds, begun = (state[key] for key in ("step", "total", "seconds", "begun"))
    del state
    model = accelerator.prepare_model(objective)

    train, held_out = split(find_photos(photos))
    validation = ValidationSet(held_out, device)
    large = find_large(photos)
    dataset = Batches(train, config["batch"], settled["seed"], rank, world, in_memory=in_memory, large=large)
    crops = batches(dataset, first=step, workers=workers)

    accelerator.init_trackers("tensorboard")
    bar = tqdm(total=total, initial=step, unit="step", desc=name, disable=not accelerator.is_main_process)
    last, reported = time.monotonic(), seconds
    report_after = min(REPORT_SECONDS, max(60, settled["seconds"] / 10))
    pause = seconds + 60 * pause_after if pause_after else math.inf
    ends = False
    while not ends:
        # One step: each player's losses, backward, and its optimisers; then the average.
        progress = step / total if total else seconds / settled["seconds"]
        torch.manual_seed(hash((settled["seed"], step, rank)))  # the objective's draws follow from the step, too
        rgb = next(crops).to(device).float().div(255)
        degraded, faded = degrade(rgb, config["degradations"], [settled["seed"], step, rank], dataset.pieces(step))
        truth = to_ycc(rgb).contiguous(memory_format=torch.channels_last)
        model.train()
        losses: Losses = {}
        for player in objective.players(step, progress):
            objective.zero_grad()
            of_player: Losses = model(degraded, faded, truth, progress, player)
            accelerator.backward(sum(of_player.values()))
            optimisers.step(objective.optimisers[player], learning_rate(config["objective"]["learning_rate"], progress))
            losses |= of_player
        ema.update_parameters(objective.network)
        step += 1
        bar.update()

        # The clock, which turns minutes into a number of steps.
        now = time.monotonic()
        took, last = now - last, now
        if world > 1:  # one clock for all processes: what hangs on it, they must decide alike
            took = float(broadcast(torch.tensor(took, device=device)))
        seconds += took
        if total is None and seconds > min(60, settled["seconds"] / 10):
            total = bar.total = max(step, round(step * settled["seconds"] / seconds))
        ends = step == total or seconds >= pause
        if not accelerator.is_main_process or not (ends or seconds > reported + report_after):
            continue

        # Now and then, and at the end: measure, log, and save all that the run needs to go on as if it had not stopped.
        if step == total and begun:
            checkpoint.mix_in(averaged, begun, config["keep"])
        if step == total and settled["fits_tone"]:
            unfaded = Batches(train, config["batch"], settled["seed"])
            tone.fit(averaged, unfaded, min(tone.STEPS, total))  # no longer than a trial run
        scores, pictures = validation.measure(averaged)
        record = {key: value.item() for key, value in losses.items()} | scores
        if not all(map(math.isfinite, record.values())):
            raise SystemExit(f"The {name}'s losses are no longer numbers at step {step}; lower its learning rate.")
        seen = step * config["batch"] * world
        with (run / "log.jsonl").open("a") as log:
            log.write(json.dumps({"seconds": round(seconds), "step": step, "photos": seen, **record}) + "\n")
        accelerator.log(record, step=step)
        accelerator.get_tracker("tensorboard").log_images({"degraded, restored, truth": pictures.float()}, step=step)
        bar.set_postfix({key: f"{record[key]:.2f}" for key in ("luminance_gain", "rgb_gain")})
        players = objective.optimisers.items()
        state = {
            "step": step,
            "total": total,
            "seconds": seconds,
            "begun": begun,
            "objective": objective.state_dict(),
            "ema": ema.state_dict(),
            "optimisers": {player: [each.state_dict() for each in theirs] for player, theirs in players},
            "config": config,
            "settled": settled,
        }
        checkpoint.save(path, state)
        processor = torch.cuda.get_device_name() if device.type == "cuda" else f"{os.cpu_count()} CPU cores"
        training = {
            "photos": seen,
            "minutes": seconds / 60,
            "training_photos": len(train) + len(large),
            "device": processor if world == 1 else f"{world} times {processor}",
            "init": settled["init"],
            "config": config,
        }
        checkpoint.write_weights(run / "weights.safetensors", averaged, name, training)
        reported = seconds
    accelerator.end_training()


if __name__ == "__main__":
    try:
        typer.run(main)
    except RestorationError as error:
        raise SystemExit(str(error)) from None
