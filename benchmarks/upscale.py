"""`python -m benchmarks.upscale --weights FOLDER`: the upscaling engines' speed, memory and pictures.

Against `RealESRGANer` called by hand and against bicubic, in one run. Wants a machine with nothing else to do.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import numpy as np
import torch
import typer
from PIL import Image

from restoration import Photo, Restorer, image, metrics, upscale, weights
from restoration.contact_sheet import Cell, sheet
from train.lpips import Lpips

from .common import EXAMPLES, PHOTOS, ROOT, Json, in_turn, peak_memory, write

NETWORKS = ("fast", "general", "x4plus")
ROUNDS = {"fast": 15, "general": 15, "x4plus": 4}


def make_importable() -> None:
    """basicsr whole, which wants a function from where torchvision had it before 0.17."""
    from torchvision.transforms import functional as moved

    shim: Any = types.ModuleType("torchvision.transforms.functional_tensor")
    shim.rgb_to_grayscale = moved.rgb_to_grayscale
    sys.modules.setdefault(shim.__name__, shim)


def upstream(
    names: Sequence[str], own: Sequence[Path], folder: Path, shares: Sequence[float] | None = None
) -> Callable[[Photo], np.ndarray]:
    """`realesrgan`'s own pipeline, as its authors' script calls it: files on disk, BGR in and out.

    ``names`` are of released weights, found in ``own``, put into ``folder``; with ``shares`` they are mixed.
    """
    make_importable()
    from basicsr.archs.rrdbnet_arch import RRDBNet
    from basicsr.archs.srvgg_arch import SRVGGNetCompact
    from realesrgan import RealESRGANer

    paths = [str(folder / f"{name}.pth") for name in names]
    for name, path in zip(names, paths, strict=True):
        torch.save({"params": dict(weights.load(name, own).tensors)}, path)
    config = weights.manifest()[names[0]].config
    network = (RRDBNet if "num_block" in config else SRVGGNetCompact)(**config)
    given = (paths, shares) if shares else (paths[0], None)
    theirs = RealESRGANer(4, *given, network, pre_pad=0, device=torch.device("cpu"))
    return lambda photo: theirs.enhance(np.ascontiguousarray(photo.pixels[..., ::-1]))[0][..., ::-1]


def against_upstream(restorer: Restorer, engine: str, own: Path) -> Json:
    """`Restorer.upscale` and `RealESRGANer.enhance`, 128x128 to 512x512; their largest difference on three photos."""
    photos = [image.fit(image.load(path)) for path in PHOTOS[:3]]
    with tempfile.TemporaryDirectory() as folder:
        enhance = upstream([upscale.ENGINES[engine].weights], [own], Path(folder))
    ways = {
        "ours": lambda: restorer.upscale(photos[0], engine=engine),
        "RealESRGANer": lambda: enhance(photos[0]),
    }
    seconds = in_turn(ways, ROUNDS[engine])
    pairs = [(restorer.upscale(each, engine=engine).photo.pixels, enhance(each)) for each in photos]
    largest = max(int(np.abs(ours.astype(int) - theirs).max()) for ours, theirs in pairs)
    return {"seconds": seconds, "difference": largest}


def command(engine: str, side: int, own: Path) -> Json:
    """The command `upscale` on one photo of ``side`` pixels: its whole time, and its peak memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        picture = Image.open(EXAMPLES / "picos_de_europa.jpg")
        picture.resize((side, side), Image.Resampling.BICUBIC).save(photo)
        started = time.perf_counter()
        peak = peak_memory(["upscale", photo, "-o", Path(folder) / "out", "--engine", engine, "--weights", own])
        return {"seconds": time.perf_counter() - started, "bytes": peak}


def small_and_true(path: Path) -> tuple[Photo, Photo]:
    """An example whose sides are cut to multiples of 4, and a quarter of its size by an antialiased bicubic filter."""
    pixels = image.load(path, reduce_to=None).pixels
    truth = Photo(np.ascontiguousarray(pixels[: len(pixels) // 4 * 4, : pixels.shape[1] // 4 * 4]))
    size = (truth.width // 4, truth.height // 4)
    return Photo(np.array(Image.fromarray(truth.pixels).resize(size, Image.Resampling.BICUBIC))), truth


def quality(restorer: Restorer, lpips: Lpips) -> tuple[Json, Photo]:
    """Mean PSNR and LPIPS of all examples, reduced by 4 and enlarged again; and details of the first four."""
    engines = ("bicubic", *NETWORKS)
    scores: dict[str, dict[str, list[float]]] = {name: {"psnr": [], "lpips": []} for name in engines}
    rows: list[list[Cell]] = []
    for path in PHOTOS:
        small, truth = small_and_true(path)
        results = [restorer.upscale(small, engine=name).photo for name in engines]
        for name, photo, distance in zip(engines, results, lpips(results, truth), strict=True):
            scores[name]["psnr"].append(metrics.psnr(photo, truth))
            scores[name]["lpips"].append(float(distance))
        if len(rows) < 4:
            row = [Cell(detail(small, 48), [f"{path.stem}, a quarter of its size"])]
            row += [Cell(detail(photo), [name]) for name, photo in zip(engines, results, strict=True)]
            rows.append([*row, Cell(detail(truth), ["truth"])])
    means = {name: {measure: mean(values) for measure, values in each.items()} for name, each in scores.items()}
    each = {name: dict(zip([p.stem for p in PHOTOS], scores[name]["psnr"], strict=True)) for name in engines}
    return {"reduction": "bicubic", "scores": means, "psnr_of_each": each}, sheet(rows, side=192)


def detail(photo: Photo, side: int = 192) -> Photo:
    """The middle ``side`` x ``side`` pixels."""
    top, left = (photo.height - side) // 2, (photo.width - side) // 2
    return Photo(np.ascontiguousarray(photo.pixels[top : top + side, left : left + side]))


def main(
    own: Annotated[Path, typer.Option("--weights", help="Folder with the large engines' weights.")],
    lpips: Annotated[str, typer.Option(help="A folder with LPIPS's files, or `download`.")] = "download",
) -> None:
    """Measure, and write benchmarks/results/upscale.json and assets/upscale.jpg."""
    restorer = Restorer("cpu", [own])
    result: Json = {
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "weights": {name: dict(restorer.upscaling(engine=name).weights) for name in NETWORKS},
        "speed": {name: against_upstream(restorer, name, own) for name in NETWORKS},
        "command": {
            name: {side: command(name, side, own) for side in ((128, 1024) if name != "x4plus" else (128, 320))}
            for name in NETWORKS
        },
    }
    result["quality"], pictures = quality(restorer, Lpips(lpips))
    image.save(pictures, ROOT / "assets" / "upscale.jpg")
    write("upscale", result)


if __name__ == "__main__":
    typer.run(main)
