"""`python -m train MODEL`: the one training loop, for every model, on one processor or several."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import safetensors.torch
import torch
import typer
import yaml
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, broadcast
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from restoration import weights
from restoration.colour import to_rgb, to_ycc
from restoration.errors import RestorationError
from restoration.files import write_atomically
from restoration.models import model as find_model
from restoration.models import models
from restoration.network import LuminanceNetwork
from restoration.network.encoder import WEIGHTS as ENCODER
from restoration.weights import checkpoints

from . import tone
from .data import Batches, batches, degrade
from .objectives import Objective
from .photos import PhotoFile, find_large, find_photos, split

CONFIGS = Path(__file__).parent / "configs"
REPORT_SECONDS = 300


def learning_rate(progress: float) -> float:
    """A short warm-up, then a straight line to zero; a factor of the configured rate."""
    return min(progress / 0.03, (1 - progress) / 0.97)


def warm_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """An exponential moving average that forgets quickly at first, so that it never lags behind a young network."""

    def average(averaged: Any, current: Any, count: Any) -> None:
        get_ema_multi_avg_fn(min(decay, (1 + int(count)) / (10 + int(count))))(averaged, current, count)

    return average


def checkpoint_of(run: Path, resume: bool) -> Path:
    """Where a run keeps its checkpoint: it must be there to be resumed, and must not be for a run to begin."""
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists() != resume:
        there = "has no checkpoint to resume from" if resume else "has a checkpoint already; go on with --resume"
        raise SystemExit(f"{run} {there}, or choose another --run.")
    return checkpoint


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


class ValidationSet:
    """Photos left out of training, always the same crops with the same damage."""

    def __init__(self, photos: Sequence[PhotoFile], device: torch.device) -> None:
        self.truth = Batches(photos, batch=min(64, len(photos)), seed=0, plain_share=0)[0].to(device).float() / 255
        self.degraded = {name: degrade(self.truth, {name: 1}, [0])[0] for name in ("original", "antique")}

    @torch.inference_mode()
    def measure(self, network: LuminanceNetwork) -> tuple[dict[str, float], Tensor]:
        """Mean gains in dB of photos that are not mirrored, and pictures to look at.

        Luminance and RGB, RGB without the predicted colour, what the tone costs a photo that has not faded, and the
        luminance of the preset `antique`.
        """
        network.eval()
        scores: dict[str, float] = {}
        true = to_ycc(self.truth)
        for name, degraded in self.degraded.items():
            lights = [network.light(batch) for batch in degraded.split(16)]
            chroma = torch.cat([network.colouriser(light.restored, light.seen) for light in lights])
            detail = torch.cat([light.detail for light in lights]).clamp(0, 1)
            restored = torch.cat([light.restored for light in lights])
            output = to_rgb(torch.cat([restored, chroma], 1)).clamp(0, 1)
            gain = psnr(restored, true[:, :1]) - psnr(degraded, true[:, :1])
            if name == "antique":
                scores["antique_luminance_gain"] = gain
                continue
            scores["luminance_gain"] = gain
            scores["rgb_gain"] = psnr(output, self.truth) - psnr(degraded.expand_as(self.truth), self.truth)
            scores["colour_gain"] = psnr(output, self.truth) - psnr(restored.expand_as(self.truth), self.truth)
            scores["saturation"] = (chroma.abs().mean() / true[:, 1:].abs().mean()).item()
            scores["tone_cost"] = psnr(detail, true[:, :1]) - psnr(restored, true[:, :1])
        return scores, torch.cat([degraded.expand_as(output), output, self.truth], 3)[:8]


def psnr(a: Tensor, b: Tensor) -> float:
    """Mean over photos, in dB."""
    return (-10 * (a - b).square().mean((1, 2, 3)).log10()).mean().item()


def start_from(network: nn.Module, path: Path) -> list[str]:
    """Give ``network`` what fits of a weights file; returns the names of what it keeps of its own."""
    held = checkpoints.read(path, checkpoints.contents_of(path))[1]
    own = network.state_dict()
    fitting = {name: each for name, each in held.items() if name in own and each.shape == own[name].shape}
    network.load_state_dict(fitting, strict=False)
    return [name for name in own if name not in fitting and not name.startswith("encoder.")]


def keep(network: nn.Module, start: Mapping[str, Tensor], share: float) -> None:
    """Give ``network`` back a ``share`` of what it began with: the mean of two ends does better than either.

    Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models ...".
    """
    for name, own in network.state_dict().items():
        if own.is_floating_point():
            own.lerp_(start[name].to(own.device), share)


def configuration(name: str) -> dict[str, Any]:
    """What train/configs says of a model: its network's sizes, its damage and its objective."""
    path = CONFIGS / f"{name}.yaml"
    if not path.is_file():
        raise SystemExit(f"train/configs/{path.name} is missing; write the settings of the {name} there.")
    return yaml.safe_load(path.read_text())


def objective_of(name: str, config: Mapping[str, Any]) -> Objective:
    """A fresh network of a configuration, and its teachers.

    One is a file of its own per model, train/objectives/NAME.py; a model without it cannot be trained.
    """
    if importlib.util.find_spec(f"train.objectives.{name}") is None:
        raise SystemExit(f"train/objectives/{name}.py is missing; write what the {name} is taught as its OBJECTIVE.")
    network = cast(LuminanceNetwork, find_model(name).build(config["network"]))
    network.encoder.load_state_dict(dict(weights.load(ENCODER).tensors))
    network = network.to(memory_format=torch.channels_last)
    return importlib.import_module(f"train.objectives.{name}").OBJECTIVE(network, config["objective"])


def train_step(
    learner: nn.Module,
    objective: Objective,
    degraded: Tensor,
    faded: Tensor,
    truth: Tensor,
    progress: float,
    player: str,
    rate: float,
    backward: Callable[[Tensor], None] = Tensor.backward,
) -> dict[str, Tensor]:
    """One player's step down the sum of its losses. ``learner`` is the objective, wrapped where several share it."""
    for parameter in objective.parameters():
        parameter.grad = None
    losses: dict[str, Tensor] = learner(degraded, faded, truth, progress, player)
    backward(torch.stack(list(losses.values())).sum())
    for optimiser in objective.optimisers[player]:
        for group in optimiser.param_groups:
            group["lr"] = rate
            nn.utils.clip_grad_norm_(group["params"], 1.0)
        optimiser.step()
    return {key: value.detach() for key, value in losses.items()}


def half(network: nn.Module) -> dict[str, Tensor]:
    """A network's own tensors in fp16, as they are released: without the encoder, which is a file of its own."""
    tensors = {key: each for key, each in network.state_dict().items() if not key.startswith("encoder.")}
    return {key: each.half().cpu().contiguous() for key, each in tensors.items() if each.is_floating_point()}


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
        for each in models():
            released = weights.FOLDER / find_model(each).weights
            start = init or (released if released.exists() else None)
            main(
                each, photos, minutes=(minutes or 40) / len(models()), steps=steps, batch=batch, seed=seed,
                init=start, run=(run or Path("runs")) / each, in_memory=True, workers=workers, cpu=cpu,
            )  # fmt: skip
        return
    find_model(name)
    run = run or Path("runs") / name
    checkpoint = checkpoint_of(run, resume)
    state = torch.load(checkpoint, map_location="cpu") if resume else None
    if state and any(given is not None for given in (minutes, steps, batch, seed, init)):
        raise SystemExit(
            "A run keeps its --minutes, --steps, --batch, --seed and --init; leave them out with --resume."
        )
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
        config = configuration(name)
        config["batch"] = batch or config["batch"]
        settled = {"seed": seed or 0, "seconds": 60 * (minutes or 40), "processes": world}
        settled["init"] = hashlib.sha256(checkpoints.contents_of(init)).hexdigest() if init else None
        settled["fits_tone"] = True
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
    if init and not state:
        left = start_from(objective.network, init)
        settled["fits_tone"] = any(each.startswith("tone.") for each in left)
        parts = sorted({".".join(each.split(".")[:2]) for each in left if not each.endswith("num_batches_tracked")})
        typer.echo(f"Not in {init}: {', '.join(parts) or 'nothing'}.")
    ema = AveragedModel(objective.network, multi_avg_fn=warm_average(config["ema"]), use_buffers=True)
    begun = {key: each.clone() for key, each in ema.module.state_dict().items()} if init and config["keep"] else None
    step, total, seconds = 0, steps, 0.0
    if state:
        objective.load_state_dict(state["objective"])
        ema.load_state_dict(state["ema"])
        for player, optimisers in objective.optimisers.items():
            for optimiser, saved in zip(optimisers, state["optimisers"][player], strict=True):
                optimiser.load_state_dict(saved)
        step, total, seconds, begun = state["step"], state["total"], state["seconds"], state["begun"]
    learner = accelerator.prepare_model(objective)

    train, held_out = split(find_photos(photos))
    development = ValidationSet(held_out, accelerator.device)
    large = find_large(photos)
    dataset = Batches(train, config["batch"], settled["seed"], rank, world, in_memory=in_memory, large=large)
    crops = batches(dataset, first=step, workers=workers)

    def report(losses: dict[str, Tensor]) -> None:
        """Measure, log and save; all that the run needs to go on as if it had never stopped."""
        scores, pictures = development.measure(cast(LuminanceNetwork, ema.module))
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
        optimisers = {player: [each.state_dict() for each in theirs] for player, theirs in players}
        learned = {"objective": objective.state_dict(), "ema": ema.state_dict(), "optimisers": optimisers}
        reached = {"step": step, "total": total, "seconds": seconds, "begun": begun}
        save(checkpoint, {**learned, **reached, "config": config, "settled": settled})
        processor = torch.cuda.get_device_name() if accelerator.device.type == "cuda" else f"{os.cpu_count()} CPU cores"
        told = {"photos": entry["photos"], "minutes": seconds / 60, "training_photos": len(train) + len(large)}
        told |= {"device": processor if world == 1 else f"{world} times {processor}"}
        told |= {"init": settled["init"], "config": config}
        metadata = {"model": name, "config": json.dumps(config["network"]), "training": json.dumps(told)}
        write_atomically(run / "weights.safetensors", safetensors.torch.save(half(ema.module), metadata))

    bar = tqdm(total=total, initial=step, unit="step", desc=name, disable=not accelerator.is_main_process)
    last, reported = time.monotonic(), seconds
    often = min(REPORT_SECONDS, max(60, settled["seconds"] / 10))
    pause = seconds + 60 * pause_after if pause_after else math.inf
    while (total is None or step < total) and seconds < pause:
        progress = step / total if total else seconds / settled["seconds"]
        torch.manual_seed(hash((settled["seed"], step, rank)))  # the objective's draws follow from the step, too
        truth = next(crops).to(accelerator.device).float().div(255)
        damage = config["degradations"]
        degraded, faded = degrade(truth, damage, [settled["seed"], step, rank], dataset.pieces(step))
        ycc = to_ycc(truth).contiguous(memory_format=torch.channels_last)
        learner.train()
        losses: dict[str, Tensor] = {}
        for player in objective.players(step, progress):
            rate = config["objective"]["learning_rate"] * learning_rate(progress)
            losses |= train_step(learner, objective, degraded, faded, ycc, progress, player, rate, accelerator.backward)
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
        if accelerator.is_main_process and seconds > reported + often and step != total:
            report(losses)
            reported = seconds
    if accelerator.is_main_process:
        if step == total and begun:
            keep(ema.module, begun, config["keep"])
        if step == total and settled["fits_tone"]:
            stage = Batches(train, config["batch"], settled["seed"])
            tone.fit(cast(LuminanceNetwork, ema.module), stage, min(tone.STEPS, total))  # no longer than a trial run
        report(losses)
    accelerator.end_training()


if __name__ == "__main__":
    try:
        typer.run(main)
    except RestorationError as error:
        raise SystemExit(str(error)) from None
