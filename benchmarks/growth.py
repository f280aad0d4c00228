"""What grows with what: time with the photos of a folder, and with the app's visitors."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from restoration import Photo, Restorer, image
from restoration.restorer import CPU_BATCH

from .load import prepared, visit
from .render import MODELS
from .serving import serve
from .upscale import EXAMPLES, ROOT, WATCH, in_turn

MODEL = "vae"
VISITORS = (1, 4, 16, 64)
SECONDS = 10
"""That visitors keep asking."""

Json = dict[str, Any]


def growth(restorer: Restorer, *, full: bool) -> Json:
    """Both, and a plot of them, assets/growth.png."""
    found = {
        "cores": torch.get_num_threads(),
        "photos": folders(restorer, (100, 1000, 10_000) if full else (100, 1000)),
        "visitors": crowds(restorer),
    }
    plot(found, ROOT / "assets" / "growth.png")
    return found


def plot(found: Json, path: Path) -> None:
    """Two plots side by side, all scales logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    folder, crowd = figure.subplots(1, 2)
    for model, runs in found["photos"]["runs"].items():
        seconds = [run["seconds"] for run in runs.values()]
        folder.loglog([int(count) for count in runs], seconds, "o-", label=model.upper())
    folder.legend()
    folder.set(title="restore a folder", xlabel="photos", ylabel="seconds")
    crowds = found["visitors"]
    crowd.loglog([int(count) for count in crowds], [each["wait"] for each in crowds.values()], "o-")
    crowd.set(title="restore in the app", xlabel="visitors at once", ylabel="seconds that each waits")
    for axes in (folder, crowd):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=80)


def folders(restorer: Restorer, counts: Sequence[int]) -> Json:
    """`restore` of folders, whole processes: seconds and peak bytes, by model and count; the largest by `MODEL` alone.

    Beside them the seconds of a photo that the network alone takes, before and after, in batches and one on each core
    (all that a folder could have if files were free); and of one core for what is around it: to decode and fit, to
    encode.
    """
    photos = [image.fit(image.load(path)) for path in EXAMPLES]
    before, runs = {name: network_alone(restorer, name, photos) for name in MODELS}, {}
    for name in MODELS:
        runs[name] = {str(count): one_folder(name, count) for count in (counts if name == MODEL else counts[:2])}
    after = {name: network_alone(restorer, name, photos) for name in MODELS}
    around = in_turn(
        {
            "decode and fit": lambda: [image.fit(image.load(path)) for path in EXAMPLES],
            "encode": lambda: [image.encode(photo) for photo in photos],
        },
        10,
    )
    return {
        "network": {name: {way: (before[name][way] + after[name][way]) / 2 for way in before[name]} for name in MODELS},
        "around": {stage: seconds / len(EXAMPLES) for stage, seconds in around.items()},
        "runs": runs,
    }


def network_alone(restorer: Restorer, name: str, photos: Sequence[Photo]) -> dict[str, float]:
    """Seconds of a photo, by the way."""
    network, cores = restorer.network(name), torch.get_num_threads()
    images = image.to_tensor(photos).to(memory_format=torch.channels_last)

    def one_after_the_other(core: int) -> None:
        with torch.inference_mode():
            for each in images[core::cores].split(1):
                network(each)

    def in_batches() -> None:
        with torch.inference_mode():
            network(images[:CPU_BATCH])

    with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        ways = {"in batches": in_batches, "on each core": lambda: list(pool.map(one_after_the_other, range(cores)))}
        seconds = in_turn(ways, 20)
    return {
        "in batches": seconds["in batches"] / min(CPU_BATCH, len(photos)),
        "on each core": seconds["on each core"] / len(photos),
    }


def one_folder(model: str, count: int) -> Json:
    """One run of the command: its seconds, and its peak bytes."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "photos"
        source.mkdir()
        for number in range(count):
            shutil.copy(EXAMPLES[number % len(EXAMPLES)], source / f"{number:05}.jpg")
        command = [sys.executable, "-m", "restoration", "restore", str(source), "-o", f"{place}/out", "--size", "128"]
        started = time.perf_counter()
        watched = [sys.executable, "-S", "-c", WATCH, *command, "--model", model, "--device", "cpu"]
        told = subprocess.run(watched, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, cwd=ROOT)
        return {"seconds": time.perf_counter() - started, "bytes": int(told.stdout)}


def crowds(restorer: Restorer) -> Json:
    """Restorations per second, and the seconds that visitors wait in the median, by how many come at once.

    All by one model, so that more visitors ask for more of the same.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    found: Json = {}
    with tempfile.TemporaryDirectory() as place:
        seeds = range(0, max(VISITORS) * len(MODELS), len(MODELS))
        crowd = [[prepared(restorer, "restore", seed, Path(place))] for seed in seeds]
        with serve(Path(place), "--device", "cpu", mcp=False) as url:
            asyncio.run(visit(url, crowd[:4], 5))  # loads the networks
            for count in VISITORS:
                answers = asyncio.run(visit(url, crowd[:count], SECONDS))
                good = sum(not each.failure for each in answers)
                took = max(each.ended for each in answers)
                waits = sorted(each.seconds for each in answers)
                found[str(count)] = {"per_second": good / took, "wait": waits[len(waits) // 2],
                                "failures": len(answers) - good}  # fmt: skip
    return found
