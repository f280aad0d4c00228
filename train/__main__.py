"""`python -m train MODEL`: the one training loop, for every model."""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
import yaml
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from restoration.models import model
from restoration.models._luminance import to_ycc

from .data import crops, degrade, split_train_dev


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
    torch.save(state, aside)
    os.replace(aside, path)


@torch.inference_mode()
def develop(network: torch.nn.Module, degraded: Tensor, truth: Tensor) -> dict[str, float]:
    """Mean PSNR in dB on the development photos: luminance and RGB, and RGB without the predicted colour."""
    network.eval()
    output = torch.cat([network(batch.expand(-1, 3, -1, -1)) for batch in degraded.split(16)])
    predicted, true = to_ycc(output), to_ycc(truth)

    def psnr(a: Tensor, b: Tensor) -> float:
        return (-10 * (a - b).square().mean((1, 2, 3)).log10()).mean().item()

    return {
        "luminance_gain": psnr(predicted[:, :1], true[:, :1]) - psnr(degraded, true[:, :1]),
        "rgb_gain": psnr(output, truth) - psnr(degraded.expand_as(truth), truth),
        "colour_gain": psnr(output, truth) - psnr(predicted[:, :1].expand_as(truth), truth),
        "saturation": (predicted[:, 1:].abs().mean() / true[:, 1:].abs().mean()).item(),
    }


def main(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="vae, gan or cnn")],
    photos: Annotated[Path, typer.Option(help="Folder with train-*.tar shards of photos.")],
    minutes: Annotated[float, typer.Option(help="Training time; the schedule is spread over it.")] = 40,
    run: Annotated[Path | None, typer.Option(help="Where logs and checkpoints go [default: runs/MODEL].")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint.")] = False,
    workers: Annotated[int, typer.Option(help="Processes that cut the crops.")] = 1,
    device: str = "cpu",
    seed: int = 0,
) -> None:
    """Train one model on photos that are degraded anew at every sight."""
    config = yaml.safe_load((Path(__file__).parent / "configs" / f"{name}.yaml").read_text())
    run = run or Path("runs") / name
    if (run / "checkpoint.pt").exists() != resume:
        there = "has a checkpoint already; go on with --resume" if not resume else "has no checkpoint to resume from"
        raise SystemExit(f"{run} {there}, or choose another --run.")
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    torch.set_flush_denormal(True)  # a dead unit's momentum fades into denormals, which slow Muon down fourfold
    network = model(name).build(config["network"]).to(device).to(memory_format=torch.channels_last)
    objective = importlib.import_module(f"train.objectives.{name}").OBJECTIVE(network, config["objective"])
    objective.modules.to(device)
    ema = AveragedModel(network, multi_avg_fn=warm_average(config["ema"]), use_buffers=True)
    elapsed, step = 0.0, 0
    if resume:
        state = torch.load(run / "checkpoint.pt", map_location=device)
        objective.modules.load_state_dict(state["modules"])
        ema.load_state_dict(state["ema"])
        for optimiser, saved in zip(objective.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        elapsed, step = state["elapsed"], state["step"]

    train, dev = split_train_dev(photos)
    rng, fields = np.random.default_rng([seed, step]), torch.Generator(device).manual_seed(seed + step)
    # The development photos are always the same crops with the same damage.
    dev_truth = next(crops(dev, batch=128, seed=0, workers=0)).to(device).float() / 255
    dev_fields = torch.Generator(device).manual_seed(0)
    dev_degraded = degrade(dev_truth, {"original": 1}, np.random.default_rng(0), dev_fields)
    batches = crops(train, batch=config["batch"], seed=seed + step, workers=workers)

    bar = tqdm(total=round(minutes * 60), initial=round(elapsed), unit="s", desc=name)
    log = (run / "log.jsonl").open("a")
    next_report = elapsed + 120
    last = time.monotonic()
    while elapsed < minutes * 60:
        progress = elapsed / (minutes * 60)
        for optimiser in objective.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = config["objective"]["learning_rate"] * learning_rate(progress)
        truth = next(batches).to(device).float().div(255)
        degraded = degrade(truth, config["degradations"], rng, fields)
        network.train()
        record = objective.step(degraded, to_ycc(truth).contiguous(memory_format=torch.channels_last), progress)
        ema.update_parameters(network)
        step += 1
        now = time.monotonic()
        elapsed, last = elapsed + now - last, now
        bar.update(int(elapsed) - bar.n)
        if elapsed >= next_report or elapsed >= minutes * 60:
            record |= develop(ema.module, dev_degraded, dev_truth)
            entry = {"seconds": round(elapsed), "step": step, "photos": step * config["batch"], **record}
            log.write(json.dumps(entry) + "\n")
            log.flush()
            state = {
                "modules": objective.modules.state_dict(),
                "ema": ema.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in objective.optimisers],
                "elapsed": elapsed,
                "step": step,
                "training_photos": len(train),
                "config": config,
            }
            save(run / "checkpoint.pt", state)
            next_report = elapsed + 120
            bar.set_postfix({key: f"{record[key]:.2f}" for key in ("luminance_gain", "rgb_gain")})


if __name__ == "__main__":
    typer.run(main)
