"""`python -m train MODEL`: the one training loop, for every model, on one processor or several."""

from __future__ import annotations

import importlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
import yaml
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, broadcast
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from restoration.models import model as find_model
from restoration.models._luminance import to_ycc
from restoration.types import RestorationError

from .data import Batches, batches, degrade
from .objectives import Objective
from .photos import PhotoFile, find_photos, split

REPORT_SECONDS = 120


def learning_rate(progress: float) -> float:
    """A short warm-up, then a straight line to zero; a factor of the configured rate."""
    return min(progress / 0.03, (1 - progress) / 0.97)


def warm_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """An exponential moving average that forgets quickly at first, so that it never lags behind a young network."""

    def average(averaged: Any, current: Any, count: Any) -> None:
        get_ema_multi_avg_fn(min(decay, (1 + int(count)) / (10 + int(count))))(averaged, current, count)

    return average


def save(path: Path, state: dict[str, Any]) -> None:
    """Whole or not at all: a kill in mid-write leaves the previous checkpoint."""
    aside = path.with_suffix(".tmp")
    try:
        with aside.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
        os.replace(aside, path)
    except (OSError, RuntimeError) as error:  # torch has its own words for a full disk
        aside.unlink(missing_ok=True)
        reason = next((each.strerror for each in (error, error.__context__) if isinstance(each, OSError)), "no room")
        raise SystemExit(
            f"{path} cannot be written ({reason}); make room, and go on from the last checkpoint with --resume."
        ) from error


class Development:
    """Photos left out of training, always the same crops with the same damage."""

    def __init__(self, photos: Sequence[PhotoFile], device: torch.device) -> None:
        self.truth = Batches(photos, batch=min(128, len(photos)), seed=0)[0].to(device).float() / 255
        self.degraded = degrade(self.truth, {"original": 1}, [0])

    @torch.inference_mode()
    def measure(self, network: nn.Module) -> tuple[dict[str, float], Tensor]:
        """Mean PSNR in dB: luminance and RGB, and RGB without the predicted colour. And pictures to look at."""
        network.eval()
        output = torch.cat([network(batch.expand(-1, 3, -1, -1)) for batch in self.degraded.split(16)])
        predicted, true = to_ycc(output), to_ycc(self.truth)

        def psnr(a: Tensor, b: Tensor) -> float:
            return (-10 * (a - b).square().mean((1, 2, 3)).log10()).mean().item()

        scores = {
            "luminance_gain": psnr(predicted[:, :1], true[:, :1]) - psnr(self.degraded, true[:, :1]),
            "rgb_gain": psnr(output, self.truth) - psnr(self.degraded.expand_as(self.truth), self.truth),
            "colour_gain": psnr(output, self.truth) - psnr(predicted[:, :1].expand_as(self.truth), self.truth),
            "saturation": (predicted[:, 1:].abs().mean() / true[:, 1:].abs().mean()).item(),
        }
        return scores, torch.cat([self.degraded.expand_as(output), output, self.truth], 3)[:8]


def objective_of(name: str, config: Mapping[str, Any]) -> Objective:
    """A fresh network of a configuration, and its teachers."""
    network = find_model(name).build(config["network"]).to(memory_format=torch.channels_last)
    return importlib.import_module(f"train.objectives.{name}").OBJECTIVE(network, config["objective"])


def device_name(accelerator: Accelerator) -> str:
    """What trains, for the card."""
    one = torch.cuda.get_device_name() if accelerator.device.type == "cuda" else f"{os.cpu_count()} CPU cores"
    return one if accelerator.num_processes == 1 else f"{accelerator.num_processes} times {one}"


def turn(
    learner: nn.Module,
    objective: Objective,
    degraded: Tensor,
    truth: Tensor,
    progress: float,
    player: str,
    rate: float,
    backward: Callable[[Tensor], None] = Tensor.backward,
) -> dict[str, Tensor]:
    """One player's step down the sum of its losses. ``learner`` is the objective, wrapped where several share it."""
    for parameter in objective.parameters():
        parameter.grad = None
    losses: dict[str, Tensor] = learner(degraded, truth, progress, player)
    backward(torch.stack(list(losses.values())).sum())
    for optimiser in objective.optimisers[player]:
        for group in optimiser.param_groups:
            group["lr"] = rate
            nn.utils.clip_grad_norm_(group["params"], 1.0)
        optimiser.step()
    return {key: value.detach() for key, value in losses.items()}


def main(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="vae, gan or cnn")],
    photos: Annotated[str, typer.Option(help="Folder of train-*.tar shards or of photos, or kaggle:OWNER/DATASET.")],
    minutes: Annotated[
        float | None,
        typer.Option(help="Length of the run if all steps take as long as those of its first minute [default: 40]."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Length of the run in steps instead.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Photos per step [default: the configuration's].")] = None,
    pause_after: Annotated[float | None, typer.Option(help="Stop after so many minutes; go on with --resume.")] = None,
    run: Annotated[Path | None, typer.Option(help="Where logs and checkpoints go [default: runs/MODEL].")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint.")] = False,
    workers: Annotated[int, typer.Option(help="Processes that cut the crops.")] = 1,
    cpu: Annotated[bool, typer.Option("--cpu", help="Train on the CPU even where there is a GPU.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything random [default: 0].")] = None,
) -> None:
    """Train one model on photos that are degraded anew at every sight."""
    find_model(name)
    run = run or Path("runs") / name
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists() != resume:
        there = "has a checkpoint already; go on with --resume" if not resume else "has no checkpoint to resume from"
        raise SystemExit(f"{run} {there}, or choose another --run.")
    state = torch.load(checkpoint, map_location="cpu") if resume else None
    if state and any(given is not None for given in (minutes, steps, batch, seed)):
        raise SystemExit("A run keeps its --minutes, --steps, --batch and --seed; leave them out with --resume.")
    if state and state["step"] == state["total"]:
        raise SystemExit(f"{run} is finished; export it, or choose another --run.")

    accelerator = Accelerator(
        cpu=cpu,
        mixed_precision="bf16" if torch.cuda.is_available() and not cpu else "no",
        log_with="tensorboard",
        project_dir=run,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],  # a GAN's players take turns
    )
    rank, world = accelerator.process_index, accelerator.num_processes
    if state:
        config, settled = state["config"], state["settled"]
    else:
        config = yaml.safe_load((Path(__file__).parent / "configs" / f"{name}.yaml").read_text())
        config["batch"] = batch or config["batch"]
        settled = {"seed": seed or 0, "seconds": 60 * (minutes or 40), "processes": world}
    if settled["processes"] != world:
        raise SystemExit(f"{run} was started by {settled['processes']} processes, not {world}; go on with as many.")
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"{run} cannot be made ({error.strerror}); choose another --run.") from error
    accelerator.init_trackers("tensorboard")
    torch.manual_seed(settled["seed"])
    torch.set_flush_denormal(True)  # a dead unit's momentum fades into denormals, which slow Muon down fourfold
    objective = objective_of(name, config).to(accelerator.device)
    ema = AveragedModel(objective.network, multi_avg_fn=warm_average(config["ema"]), use_buffers=True)
    step, total, seconds = 0, steps, 0.0
    if state:
        objective.load_state_dict(state["objective"])
        ema.load_state_dict(state["ema"])
        for player, optimisers in objective.optimisers.items():
            for optimiser, saved in zip(optimisers, state["optimisers"][player], strict=True):
                optimiser.load_state_dict(saved)
        step, total, seconds = state["step"], state["total"], state["seconds"]
    learner = accelerator.prepare_model(objective)

    train, held_out = split(find_photos(photos))
    development = Development(held_out, accelerator.device)
    crops = batches(Batches(train, config["batch"], settled["seed"], rank, world), first=step, workers=workers)

    def report(losses: dict[str, Tensor]) -> None:
        """Measure, log and save; all that the run needs to go on as if it had never stopped."""
        scores, pictures = development.measure(ema.module)
        record = {key: value.item() for key, value in losses.items()} | scores
        if not all(map(math.isfinite, record.values())):
            raise SystemExit(f"The {name}'s losses are no longer numbers at step {step}; lower its learning rate.")
        entry = {"seconds": round(seconds), "step": step, "photos": step * config["batch"] * world, **record}
        with (run / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        accelerator.log(record, step=step)
        accelerator.get_tracker("tensorboard").log_images({"degraded, restored, truth": pictures.float()}, step=step)
        bar.set_postfix({key: f"{record[key]:.2f}" for key in ("luminance_gain", "rgb_gain")})
        players = objective.optimisers.items()
        progress_made = {
            "objective": objective.state_dict(),
            "ema": ema.state_dict(),
            "optimisers": {player: [each.state_dict() for each in optimisers] for player, optimisers in players},
            "step": step,
            "total": total,
            "seconds": seconds,
            "photos": entry["photos"],
            "training_photos": len(train),
            "config": config,
            "settled": settled,
            "device": device_name(accelerator),
        }
        save(checkpoint, progress_made)

    bar = tqdm(total=total, initial=step, unit="step", desc=name, disable=not accelerator.is_main_process)
    last, reported = time.monotonic(), seconds
    pause = seconds + 60 * pause_after if pause_after else math.inf
    while (total is None or step < total) and seconds < pause:
        progress = step / total if total else seconds / settled["seconds"]
        torch.manual_seed(hash((settled["seed"], step, rank)))  # the objective's draws follow from the step, too
        truth = next(crops).to(accelerator.device).float().div(255)
        degraded = degrade(truth, config["degradations"], [settled["seed"], step, rank])
        ycc = to_ycc(truth).contiguous(memory_format=torch.channels_last)
        learner.train()
        losses: dict[str, Tensor] = {}
        for player in objective.players(step, progress):
            rate = config["objective"]["learning_rate"] * learning_rate(progress)
            losses |= turn(learner, objective, degraded, ycc, progress, player, rate, accelerator.backward)
        ema.update_parameters(objective.network)
        step += 1
        bar.update()
        now = time.monotonic()
        took, last = now - last, now
        if world > 1:  # one clock for all processes: what hangs on it, they must decide alike
            took = float(broadcast(torch.tensor(took, device=accelerator.device)))
        seconds += took
        if total is None and seconds > min(60, settled["seconds"] / 10):
            total = bar.total = round(step * settled["seconds"] / seconds)
        if accelerator.is_main_process and seconds > reported + REPORT_SECONDS and step != total:
            report(losses)
            reported = seconds
    if accelerator.is_main_process:
        report(losses)
    accelerator.end_training()


if __name__ == "__main__":
    try:
        typer.run(main)
    except RestorationError as error:
        raise SystemExit(str(error)) from None
