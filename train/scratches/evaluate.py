"""`python -m train.scratches.evaluate`: what of damage is found, what is taken for it, and how well it is filled.

On photos that were left out of training, as large as they are, of damage of every kind: of those that were trained on,
drawn anew; of a kind of real artefacts that was not, and the artefacts left out of the others; and of cracks between
cells, which are drawn here alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from PIL import Image
from scipy.spatial import Voronoi
from skimage.restoration import inpaint_biharmonic

from restoration import Look, Restorer
from restoration import scratches as ours
from restoration.degradations import Degradation
from restoration.files import write_atomically
from restoration.network.scratch_detector import WEIGHTS
from restoration.types import Inpainting, Mask, Photo
from restoration.weights import manifest, restorers

from ..data import opened
from ..photos import PhotoFile, find_large, folder
from .__main__ import NETWORK
from .damage import UNTRAINED, Damage, Kind, Layer, artefacts, film, layer, strokes
from .pieces import held_out, laid_on, pixels, scanned

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS, EXAMPLES = ROOT / "benchmarks" / "results" / "scratches.json", ROOT / "assets" / "examples"
WIDTHS = (0.7, 1, 1.5, 2, 3, 5, 8)
"""In pixels, of the cracks that are counted by width."""
CRACKED = 512
"""Side of the photos whose filling is measured."""
DAMAGE = ((4, 0.2), (8, 0.4))
"""How many cracks and how much dust they are given."""


def cells(rng: np.random.Generator, side: int, width: float | None = None) -> Layer:
    """Cracks as of dried mud: the crooked borders of random cells, some of them closed. No kind that is trained on."""
    width = width or float(np.exp(rng.uniform(np.log(0.7), np.log(6))))
    seeds = rng.uniform(-40, side + 40, (int((side / rng.uniform(40, 110)) ** 2) + 4, 2))
    found, paths = Voronoi(seeds), []
    for ends in found.ridge_vertices:
        if min(ends) < 0 or rng.random() < 0.5:
            continue
        start, end = found.vertices[ends]
        count = max(2, int(np.hypot(*(end - start)) / 7))
        if count > 300:
            continue
        points = np.linspace(start, end, count + 1)
        points[1:-1] += rng.normal(0, 1.3, (count - 1, 2))
        paths.append((points, width * rng.uniform(0.75, 1.25, count)))
    return layer(rng, strokes(paths, side))


# --- Finding ----------------------------------------------------------------------------------------------------------


@dataclass
class Counts:
    """Pixels of damage that were found, that were not, and pixels that are none and were marked."""

    hits: int = 0
    missed: int = 0
    false: int = 0

    def add(self, found: np.ndarray, target: np.ndarray) -> None:
        self.hits += int((found & (target == 1)).sum())
        self.missed += int((~found & (target == 1)).sum())
        self.false += int((found & (target == 0)).sum())

    def scores(self) -> dict[str, float]:
        precision, recall = self.hits / max(self.hits + self.false, 1), self.hits / max(self.hits + self.missed, 1)
        f1 = 2 * self.hits / max(2 * self.hits + self.missed + self.false, 1)
        return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


Detect = Callable[[Photo], Mask]


def of_kind(detect: Detect, photos: Sequence[np.ndarray], kind: Kind, seed: int) -> dict[str, float]:
    """How well one kind of damage is found on all photos, every other of them in grey."""
    counts = Counts()
    for number, truth in enumerate(photos):
        rng = np.random.default_rng([seed, number])
        photo, target = damaged(truth if number % 2 else greyed(truth), [kind], rng)
        counts.add(ours.marked(detect(photo)), target)
    return counts.scores()


def damaged(photo: np.ndarray, kinds: Sequence[Kind], rng: np.random.Generator) -> tuple[Photo, np.ndarray]:
    """A photo, uint8 ``[H, W, 3]``, with damage on it, scanned, and what each pixel is (see `laid_on`)."""
    height, width, _ = photo.shape
    layers = [kind(rng, max(height, width)) for kind in kinds]
    layers = [Layer(each.cover[:height, :width], each.light[:height, :width]) for each in layers]
    worn, target = laid_on(photo.astype(np.float32) / 255, layers, rng.uniform(0, 1.2))
    return Photo(scanned(worn, rng)), target


def greyed(photo: np.ndarray) -> np.ndarray:
    """The same in grey, still of three channels."""
    return np.asarray(Image.fromarray(photo).convert("L").convert("RGB"))


# --- Filling ----------------------------------------------------------------------------------------------------------


def squared(photo: PhotoFile) -> np.ndarray:
    """The middle of a photo, uint8 ``[512, 512, 3]``."""
    whole = opened(photo, whole=True)
    side = min(whole.size)
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(whole.resize((CRACKED, CRACKED), Image.Resampling.BICUBIC, box))


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    """In dB, at those pixels."""
    difference = (a.astype(float) - b.astype(float))[where]
    return float(-10 * np.log10(max((difference**2).mean(), 1e-6) / 255**2))


def biharmonic(pixels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    filled = inpaint_biharmonic(pixels / 255, hole, channel_axis=2)
    return np.rint(filled.clip(0, 1) * 255).astype(np.uint8)


METHODS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "telea": lambda pixels, hole: cv2.inpaint(pixels, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA),
    "navier_stokes": lambda pixels, hole: cv2.inpaint(pixels, hole.astype(np.uint8), 3, cv2.INPAINT_NS),
    "biharmonic": biharmonic,
}


def filling(detect: Detect, photos: Sequence[np.ndarray], scratches: int, dust: float) -> dict[str, float]:
    """Mean PSNR inside the damage of the preset antique's kernels, before and after, by mask and by method; and of
    finding it.
    """
    each: list[dict[str, float]] = []
    counts = Counts()
    for number, truth in enumerate(photos):
        worn = Degradation(scratches=scratches, dust=dust).apply(Photo(truth.copy()), number).pixels
        hole = abs(worn.astype(int) - truth).max(2) > 8
        mask = detect(Photo(worn.copy()))
        found = ours.marked(mask)
        counts.add(found, hole.astype(int))
        row = {"before": psnr(worn, truth, hole)}
        row["ours"] = psnr(ours.fill(Photo(worn.copy()), mask).pixels, truth, hole)
        perfect = Mask(hole.astype(np.uint8) * 255)
        row["ours, perfect mask"] = psnr(ours.fill(Photo(worn.copy()), perfect).pixels, truth, hole)
        for name, method in METHODS.items():
            row[f"{name}, perfect mask"] = psnr(method(worn, hole), truth, hole)
            row[f"{name}, our mask"] = psnr(method(worn, found), truth, hole)
        each.append(row)
    return {name: round(float(np.mean([row[name] for row in each])), 2) for name in each[0]} | counts.scores()


def restored(photos: Sequence[np.ndarray]) -> dict[str, dict[str, float]]:
    """Luminance PSNR inside and outside the damage: scratched, mended, and what each model makes of that."""
    restorer = Restorer("cpu")
    each: dict[str, list[tuple[float, float]]] = {}
    for number, photo in enumerate(photos):
        truth = Photo(greyed(photo))
        worn = Degradation(scratches=5, dust=0.3).apply(truth, number)
        hole = abs(worn.pixels.astype(int) - truth.pixels).max(2) > 8
        mended = restorer.mend(worn, Inpainting()).photo
        candidates = {"scratched": worn, "mended": mended}
        for entry in restorers():
            candidates[entry.title] = restorer.restore_whole(mended, entry.model, look=Look(colour="none")).photo
        for name, made in candidates.items():
            scores = (psnr(made.pixels, truth.pixels, hole), psnr(made.pixels, truth.pixels, ~hole))
            each.setdefault(name, []).append(scores)
    return {name: dict(zip(("inside", "outside"), np.mean(row, 0).round(2), strict=True)) for name, row in each.items()}


# --- Together ---------------------------------------------------------------------------------------------------------


def seconds(detect: Detect, photo: Photo) -> dict[str, float]:
    """At one megapixel, with the cracks and dust of a bad print; the best of three."""
    worn = Degradation(scratches=8, dust=0.5).apply(photo, 0)
    mask = detect(worn)
    times: dict[str, float] = {}
    for name, work in (("find", lambda: detect(worn)), ("fill", lambda: ours.fill(worn, mask))):
        took = []
        for _ in range(3):
            began = time.perf_counter()
            work()
            took.append(time.perf_counter() - began)
        times[name] = round(min(took), 2)
    return times | {"threads": torch.get_num_threads()}


def undamaged(detect: Detect, files: Sequence[PhotoFile]) -> dict[str, float]:
    """The share of each photo's pixels that is marked, in per cent."""
    return {file.name: round(100 * float(ours.marked(detect(Photo(pixels(file)))).mean()), 3) for file in files}


def means(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([each[name] for each in scores])), 4) for name in scores[0]}


def main(
    photos: Annotated[Path, typer.Option(help="Folder of large-*.tar and film-artefacts.tar.")],
    weights: Annotated[Path | None, typer.Option(help="A run's checkpoint.pt, to look at only.")] = None,
) -> None:
    """Measure the network that finds scratches, and the filling; `make results` tells it of the released file."""
    network = ours.build(NETWORK, torch.load(weights)["average"]) if weights else ours.load()

    def detect(photo: Photo) -> Mask:
        return ours.detect(photo, network)

    held = held_out(find_large(str(photos)))[1]
    wholes = [pixels(photo) for photo in held]
    masks = artefacts(photos / "film-artefacts.tar", held_out=True)
    groups: dict[str, dict[str, Kind]] = {
        "kinds trained on": {kind.__name__: kind for kind in Damage.KINDS},
        "real artefacts left out": {},
        "kinds not trained on": {"cells": cells},
    }
    for name, some in masks.items():
        group = groups["kinds not trained on" if name in UNTRAINED else "real artefacts left out"]
        group[f"film, {name}"] = partial(film, masks=some)
    kinds = {name: of_kind(detect, wholes, kind, 1) for group in groups.values() for name, kind in group.items()}
    widths = {str(width): of_kind(detect, wholes, partial(cells, width=width), 2) for width in WIDTHS}
    squares = [squared(photo) for photo in held]
    results = {
        "weights_sha256": manifest()[WEIGHTS].sha256 if not weights else None,
        "photos": len(held),
        "groups": {name: means([kinds[kind] for kind in group]) for name, group in groups.items()},
        "kinds": kinds,
        "widths": widths,
        "filling": {f"{many} cracks, dust {dust}": filling(detect, squares, many, dust) for many, dust in DAMAGE},
        "restored": restored(squares) if not weights else None,
        "undamaged, %": {"held out": undamaged(detect, held), "examples": undamaged(detect, folder(EXAMPLES))},
        "seconds": seconds(detect, Photo(np.array(Image.fromarray(squares[0]).resize((1024, 1024))))),
    }
    text = json.dumps(results, indent=2) + "\n"
    typer.echo(text)
    if not weights:
        write_atomically(RESULTS, text.encode())


if __name__ == "__main__":
    typer.run(main)
