"""`make bench`: how quick everything is on the machine that runs it; wants one with nothing else to do.

What is compared runs in turns within one run, after a round of warming up, on the example photos; medians are told.
Times differ from machine to machine, so what counts are ratios. ``--full`` takes more rounds, and the slow ways.
"""

from __future__ import annotations

import copy
import io
import json
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
from typing import Annotated, Any

import numpy as np
import torch
import typer
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from restoration import Restorer, export, image, metrics
from restoration.degradations import PRESETS
from restoration.files import write_atomically
from restoration.models import _original
from restoration.recipe import library_versions
from restoration.restorer import CPU_BATCH

from . import pixels, render
from .growth import growth
from .load import enlarged
from .render import MODELS
from .upscale import EXAMPLES, ROOT, difference, in_turn

BATCHES = (1, 8, 32)

Json = dict[str, Any]
Run = Callable[[], Any]


# --- The networks -----------------------------------------------------------------------------------------------------


def examples(count: int) -> Tensor:
    """``[count, 3, 128, 128]``, degraded."""
    photos = [image.fit(image.load(EXAMPLES[n % len(EXAMPLES)])) for n in range(count)]
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


def product() -> tuple[Run, int]:
    """Of two matrices, and its operations: the most that this machine can do."""
    left, right = torch.rand(2, 2048, 2048)
    return lambda: left @ right, 2 * 2048**3


def filters() -> dict[str, Run]:
    """What restores the luminance of a photo without a network."""
    import cv2
    from skimage.restoration import denoise_tv_chambolle

    grey = np.rint(examples(1)[0, 0].numpy() * 255).astype(np.uint8)
    return {
        "OpenCV's non-local means": lambda: cv2.fastNlMeansDenoising(grey, None, 10),
        "scikit-image's total variation": lambda: denoise_tv_chambolle(grey / 255, weight=0.1),
    }


def networks(restorer: Restorer, rounds: int, *, full: bool) -> Json:
    """Seconds of a batch by threads, batch and candidate, and the operations of each for one photo."""
    ours, theirs, stack = {name: restorer.network(name) for name in MODELS}, originals(), convolutions()
    multiply, count = product()
    found: Json = {
        "operations": {
            **{name: operations(network, examples(1)) for name, network in {**ours, **theirs}.items()},
            "convolutions": operations(stack, planes(1)),
            "matrix product": count,
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
            if batch == 1 or full:
                runs |= {name: partial(in_parts, network, images) for name, network in theirs.items()}
            if batch == 1:
                runs |= filters()
            found["seconds"].setdefault(str(threads), {})[str(batch)] = in_turn(runs, max(3, rounds // batch))
    torch.set_num_threads(most)
    return found


def profile(restorer: Restorer) -> Json:
    """What part of each network's time its operations take, on one photo, by PyTorch's profiler."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    found: Json = {}
    images = examples(1)
    for name in MODELS:
        network = restorer.network(name)
        network(images)
        with profiler(activities=[ProfilerActivity.CPU]) as profiled:
            for _ in range(10):
                network(images)
        own = {each.key.removeprefix("aten::"): each.self_cpu_time_total for each in profiled.key_averages()}
        whole = sum(own.values())
        found[name] = {operation: microseconds / whole for operation, microseconds in own.items()}
    return found


def on_gpu(restorer: Restorer, device: str, rounds: int) -> Json:
    """As `networks`, and the bytes that a batch takes on top of the weights."""
    torch.backends.cudnn.allow_tf32 = False  # as `Restorer` does it
    both = {name: copy.deepcopy(restorer.network(name)) for name in MODELS} | originals()
    both = {name: network.to(device) for name, network in both.items()}
    left, right = torch.rand(2, 4096, 4096, device=device)
    found: Json = {"name": torch.cuda.get_device_name(), "matrix product": 2 * 4096**3, "seconds": {}, "bytes": {}}

    def run(work: Run) -> None:
        work()
        torch.cuda.synchronize()

    for batch in BATCHES:
        images = examples(batch).to(device, memory_format=torch.channels_last)
        runs = {name: partial(run, partial(network, images)) for name, network in both.items()}
        for name, work in runs.items():
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
            work()
            found["bytes"].setdefault(name, {})[str(batch)] = torch.cuda.max_memory_allocated() - before
        runs |= {"matrix product": partial(run, lambda: left @ right)}
        found["seconds"][str(batch)] = in_turn(runs, rounds)
    return found


WATCH = """
import re, sys
from pathlib import Path
from benchmarks import speed
run = speed.alone(sys.argv[1], int(sys.argv[2]))
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
def kilobytes(what):
    return int(re.search(what + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
loaded = kilobytes("VmRSS")
run()
print(loaded * 1024, kilobytes("VmHWM") * 1024)
"""


def alone(name: str, batch: int) -> Run:
    """What restores a batch, all of it loaded; a filter takes one photo, whatever the batch."""
    if name in MODELS:
        restorer = Restorer("cpu")
        restorer.prepare([name])
        return partial(restorer.restore_batch, [image.fit(image.load(EXAMPLES[0]))] * batch, name)
    theirs = originals()
    if name not in theirs:
        return filters()[name]
    images = examples(batch)

    def run() -> Tensor:
        with torch.inference_mode():
            return in_parts(theirs[name], images)

    return run


def memory() -> Json:
    """Peak bytes of a process that has loaded a candidate, and that restores a batch, by candidate and batch."""
    batches = {**dict.fromkeys([*MODELS, *originals()], BATCHES), **dict.fromkeys(filters(), (1,))}
    found: Json = {}
    for name, counts in batches.items():
        for batch in counts:
            command = [sys.executable, "-c", WATCH, name, str(batch)]
            told = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT, text=True).stdout.split()
            found.setdefault(name, {})[str(batch)] = dict(zip(("loaded", "peak"), map(int, told), strict=True))
    return found


def variants(restorer: Restorer, rounds: int) -> Json:
    """Each network in other ways, on one photo: seconds, and the largest difference of a pixel."""
    import onnxruntime
    import openvino

    found: Json = {}
    images = examples(1)
    for name in MODELS:
        network = restorer.network(name)
        contents = export.converted(restorer, name)
        session = onnxruntime.InferenceSession(contents, providers=["CPUExecutionProvider"])
        model = openvino.Core().read_model(io.BytesIO(contents))
        vino = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        runs: dict[str, Callable[[], Tensor]] = {
            "as it runs": partial(network, images),
            "torch.compile": partial(torch.compile(network), images),
            "ONNX Runtime": partial(numpy_run, partial(session.run, None), "images", images),
            "OpenVINO": partial(numpy_run, vino, 0, images),
            "bfloat16": partial(halved, copy.deepcopy(network).bfloat16(), images),
        }
        expected = image.to_photos(network(images))[0].pixels
        gaps = {way: difference(image.to_photos(run())[0].pixels, expected) for way, run in runs.items()}
        seconds = in_turn(runs, rounds)
        found[name] = {way: {"seconds": seconds[way], "difference": gaps[way]} for way in runs}
    return found


def numpy_run(run: Callable[..., Any], name: str | int, images: Tensor) -> Tensor:
    return torch.from_numpy(np.array(run({name: images.numpy()})[0]))


def halved(network: nn.Module, images: Tensor) -> Tensor:
    restored: Tensor = network(images.bfloat16())
    return restored.float()


# --- The whole path ---------------------------------------------------------------------------------------------------


def path(restorer: Restorer, rounds: int) -> Json:
    """Seconds of each stage of one photo's way, and of opening larger ones, one of 12 megapixels among them."""
    truth = image.fit(image.load(EXAMPLES[0]))
    damage = PRESETS["original"].draw(1)
    degraded = damage.apply(truth, 1)
    restored = restorer.restore(degraded).photo
    larger = restorer.upscale(restored, 4, engine="fast").photo
    with Image.open(EXAMPLES[0]) as picture:
        size = f"{picture.width}×{picture.height}"
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.png", Path(folder) / "large.jpg"
        image.save(truth, small)
        large.write_bytes(enlarged(EXAMPLES[0], 0))
        stages: dict[str, Run] = {
            "decode": lambda: image.fit(image.load(small)),
            "degrade": lambda: damage.apply(truth, 1),
            "restore": lambda: restorer.restore(degraded),
            "measure": lambda: metrics.compare(restored, truth),
            "encode": lambda: image.encode(restored),
            "enlarge ×4": lambda: restorer.upscale(restored, 4, engine="fast"),
            "encode the enlarged": lambda: image.encode(larger),
            f"decode and fit a JPEG of {size}": lambda: image.fit(image.load(EXAMPLES[0])),
            "decode and fit one of 12 megapixels": lambda: image.fit(image.load(large)),
            "the same, all of its pixels": lambda: image.fit(image.load(large, reduce_to=None)),
        }
        return in_turn(stages, rounds)


# --- Starting ---------------------------------------------------------------------------------------------------------


def start(rounds: int) -> Json:
    """Seconds of whole processes, and those that the heaviest packages take to import, each without what it imports."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        commands: dict[str, list[str]] = {
            "import torch": ["-c", "import torch"],
            "restore": ["-m", "restoration", "restore", str(EXAMPLES[0]), "-o", str(out), "--size", "128"],
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


# --- All of it --------------------------------------------------------------------------------------------------------


def main(
    full: Annotated[bool, typer.Option("--full", help="More rounds, larger folders, and other runtimes.")] = False,
) -> None:
    """Measure, print, and write benchmarks/results/speed.json, pixels.json and growth.json.

    On Linux, which tells what memory a process takes. --full needs, beside the extra dev: pip install openvino.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    restorer = Restorer("cpu")
    restorer.prepare(MODELS)
    with torch.inference_mode():
        found: Json = {
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "versions": library_versions(),
            "networks": networks(restorer, 30 if full else 10, full=full),
            "profile": profile(restorer),
            "path": path(restorer, 20),
        }
        if torch.cuda.is_available():
            found["gpu"] = on_gpu(restorer, "cuda", 30 if full else 10)
        if full:
            found["variants"] = variants(restorer, 20)
    found |= {"memory": memory(), "start": start(7 if full else 5)}
    tell("speed", found, render.speed_tables)  # before the rest, which may fail
    pixels.main(restorer)
    tell("growth", growth(restorer, full=full), render.growth_tables)


def tell(name: str, found: Json, tables: Callable[[Json], dict[str, str]]) -> None:
    contents = (json.dumps(found, indent=1) + "\n").encode()
    write_atomically(ROOT / "benchmarks" / "results" / f"{name}.json", contents)
    for table in tables(found).values():
        typer.echo(f"\n{table}")


if __name__ == "__main__":
    typer.run(main)
