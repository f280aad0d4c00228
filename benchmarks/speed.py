"""`make bench`: how quick everything is on the machine that runs it; wants one with nothing else to do.

What is compared runs in turns within one run, after a round of warming up, on the example photos; medians are told.
Times differ from machine to machine, so what counts are ratios.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from restoration import Restorer, image, metrics
from restoration.degradations import PRESETS
from restoration.models import _original
from restoration.recipe import library_versions
from restoration.restorer import CPU_BATCH

from . import pixels
from .common import PHOTOS, ROOT, Json, in_turn, write
from .load import enlarged
from .markdown import MODELS

BATCHES = (1, 8, 32)

Run = Callable[[], Any]


def examples(count: int) -> Tensor:
    """``[count, 3, 128, 128]``, degraded."""
    photos = [image.fit(image.load(PHOTOS[n % len(PHOTOS)])) for n in range(count)]
    degraded = [PRESETS["original"].draw(n).apply(photo, n) for n, photo in enumerate(photos)]
    return image.to_tensor(degraded).to(memory_format=torch.channels_last)


def in_parts(network: nn.Module, images: Tensor) -> Tensor:
    """As `Restorer.restore_batch` does it on a CPU."""
    return torch.cat([network(part) for part in images.split(CPU_BATCH)])


def originals() -> dict[str, nn.Module]:
    """The original project's in their own shapes; how quick they are does not depend on what they were taught."""
    networks = {name: spec.build({}) for name, spec in _original.SPECS.items() if name != "cnn1"}
    for network in networks.values():
        network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return networks


def operations(network: nn.Module, images: Tensor) -> int:
    """Floating-point operations of one call; a multiplication and an addition are two."""
    with FlopCounterMode(display=False) as counter:
        network(images)
    return int(counter.get_total_flops())


def convolutions() -> nn.Module:
    """A stack of same-sized convolutions, 64 planes of 64 x 64: the most that a network can do here."""
    stack = nn.Sequential(*(nn.Conv2d(64, 64, 3, padding=1) for _ in range(8)))
    return stack.requires_grad_(False).to(memory_format=torch.channels_last)


def planes(batch: int) -> Tensor:
    return torch.rand(batch, 64, 64, 64).to(memory_format=torch.channels_last)


def filters() -> dict[str, Run]:
    """What restores the luminance of a photo without a network."""
    import cv2
    from skimage.restoration import denoise_tv_chambolle

    grey = np.rint(examples(1)[0, 0].numpy() * 255).astype(np.uint8)
    return {
        "OpenCV's non-local means": lambda: cv2.fastNlMeansDenoising(grey, None, 10),
        "scikit-image's total variation": lambda: denoise_tv_chambolle(grey / 255, weight=0.1),
    }


def networks(restorer: Restorer, rounds: int) -> Json:
    """Seconds of a batch by threads, batch and candidate, and the operations of each for one photo."""
    ours, theirs, stack = {name: restorer.network(name) for name in MODELS}, originals(), convolutions()
    multiply = partial(torch.matmul, *torch.rand(2, 2048, 2048))  # the most that this machine can do
    found: Json = {
        "operations": {
            **{name: operations(network, examples(1)) for name, network in {**ours, **theirs}.items()},
            "convolutions": operations(stack, planes(1)),
            "matrix product": 2 * 2048**3,
        },
        "seconds": {},
    }
    most = torch.get_num_threads()
    for threads in sorted({1, most}):
        torch.set_num_threads(threads)
        for batch in BATCHES:
            images, features = examples(batch), planes(batch)
            runs: dict[str, Run] = {"matrix product": multiply, "convolutions": partial(in_parts, stack, features)}
            runs |= {name: partial(in_parts, network, images) for name, network in ours.items()}
            if batch == 1:
                runs |= {name: partial(in_parts, network, images) for name, network in theirs.items()} | filters()
            found["seconds"].setdefault(str(threads), {})[str(batch)] = in_turn(runs, max(3, rounds // batch))
    torch.set_num_threads(most)
    return found


def path(restorer: Restorer, rounds: int) -> Json:
    """Seconds of each stage of one photo's way, and of opening larger ones, one of 12 megapixels among them."""
    truth = image.fit(image.load(PHOTOS[0]))
    damage = PRESETS["original"].draw(1)
    degraded = damage.apply(truth, 1)
    restored = restorer.restore(degraded).photo
    larger = restorer.upscale(restored, 4, engine="fast").photo
    with Image.open(PHOTOS[0]) as picture:
        size = f"{picture.width}×{picture.height}"
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.png", Path(folder) / "large.jpg"
        image.save(truth, small)
        large.write_bytes(enlarged(PHOTOS[0], 0))
        stages: dict[str, Run] = {
            "decode": lambda: image.fit(image.load(small)),
            "degrade": lambda: damage.apply(truth, 1),
            "restore": lambda: restorer.restore(degraded),
            "measure": lambda: metrics.compare(restored, truth),
            "encode": lambda: image.encode(restored),
            "enlarge ×4": lambda: restorer.upscale(restored, 4, engine="fast"),
            "encode the enlarged": lambda: image.encode(larger),
            f"decode and fit a JPEG of {size}": lambda: image.fit(image.load(PHOTOS[0])),
            "decode and fit one of 12 megapixels": lambda: image.fit(image.load(large)),
            "the same, all of its pixels": lambda: image.fit(image.load(large, reduce_to=None)),
        }
        return in_turn(stages, rounds)


def start(rounds: int) -> Json:
    """Seconds of whole processes, and those that the heaviest packages take to import, each without what it imports."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        commands: dict[str, list[str]] = {
            "import torch": ["-c", "import torch"],
            "restore": ["-m", "restoration", "restore", str(PHOTOS[0]), "-o", str(out), "--size", "128"],
            "--help": ["-m", "restoration", "--help"],
            "models": ["-m", "restoration", "models"],
        }

        def run(name: str) -> None:
            shutil.rmtree(out, ignore_errors=True)
            subprocess.run([sys.executable, *commands[name]], stdout=subprocess.DEVNULL, check=True, cwd=ROOT)

        seconds = in_turn({name: partial(run, name) for name in commands}, rounds)
        shutil.rmtree(out, ignore_errors=True)
        timed = [sys.executable, "-X", "importtime", *commands["restore"]]
        told = subprocess.run(timed, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, cwd=ROOT, text=True)
    imports: Counter[str] = Counter()
    for microseconds, module in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", told.stderr, re.MULTILINE):
        imports[module.split(".")[0]] += int(microseconds)
    return {"seconds": seconds, "imports": {name: total / 1e6 for name, total in imports.most_common(8)}}


def main() -> None:
    """Measure, and write benchmarks/results/speed.json and pixels.json. On Linux, which tells of memory."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    restorer = Restorer("cpu")
    restorer.prepare(MODELS)
    with torch.inference_mode():
        found: Json = {
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "versions": library_versions(),
            "networks": networks(restorer, 10),
            "path": path(restorer, 20),
            "start": start(5),
        }
    write("speed", found)
    pixels.main(restorer)


if __name__ == "__main__":
    main()
