"""`python -m train.scratches.evaluate`: what of damage is found, what is taken for it, and how well it is filled.

On photos that were left out of training, as large as they are, of damage of every kind: of those that were trained on,
drawn anew; of a kind of real artefacts that was not, and the artefacts left out of the others; and of cracks between
cells, which are drawn here alone.
"""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from PIL import Image, ImageOps
from scipy.spatial import Voronoi
from skimage.restoration import inpaint_biharmonic

from restoration import Look, Restorer, scratches
from restoration.degradations import Degradation
from restoration.files import write_atomically
from restoration.network.scratch_detector import SCRATCH_WEIGHTS
from restoration.types import Inpainting, Mask, Photo
from restoration.weights import manifest, restorers

from .. import RESULTS, ROOT
from ..data import decode
from ..photos import PhotoFile, find_large, folder_photos
from .damage import KINDS, UNTRAINED, Kind, Layer, artefacts, film, grey_layer, log_uniform, strokes
from .pieces import composite, confusion, pixels, precision_and_recall, scan, split_large

EXAMPLES = ROOT / "assets" / "examples"
WIDTHS = (0.7, 1, 1.5, 2, 3, 5, 8)
"""In pixels, of the cracks that are counted by width."""
CRACKED = 512
"""Side of the photos whose filling is measured."""
DAMAGE = ((4, 0.2), (8, 0.4))
"""How many cracks and how much dust they are given."""


@cache
def restorer() -> Restorer:
    """The released networks, on the CPU."""
    return Restorer("cpu")


def cells(rng: np.random.Generator, side: int, width: float | None = None) -> Layer:
    """Cracks as of dried mud: the crooked borders of random cells, some of them closed. No kind that is trained on."""
    width = width or log_uniform(rng, 0.7, 6)
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
    return grey_layer(rng, strokes(paths, side))


# --- Finding ----------------------------------------------------------------------------------------------------------


def score_kind(photos: Sequence[np.ndarray], kind: Kind, seed: int) -> dict[str, float]:
    """How well one kind of damage is found on all photos, every other of them in grey."""
    counts = np.zeros(3, int)
    for number, truth in enumerate(photos):
        rng = np.random.default_rng([seed, number])
        photo, target = damaged(truth if number % 2 else in_grey(truth), [kind], rng)
        counts += confusion(scratches.marked(restorer().find_scratches(photo)), target)
    return precision_and_recall(counts)


def damaged(photo: np.ndarray, kinds: Sequence[Kind], rng: np.random.Generator) -> tuple[Photo, np.ndarray]:
    """A photo, uint8 ``[H, W, 3]``, with damage on it, scanned, and what each pixel is (see `composite`)."""
    height, width, _ = photo.shape
    layers = [kind(rng, max(height, width)) for kind in kinds]
    layers = [Layer(each.cover[:height, :width], each.light[:height, :width]) for each in layers]
    worn, target = composite(photo.astype(np.float32) / 255, layers, rng.uniform(0, 1.2))
    return Photo(scan(worn, rng)), target


def in_grey(photo: np.ndarray) -> np.ndarray:
    """The same in grey, still of three channels."""
    return np.asarray(Image.fromarray(photo).convert("L").convert("RGB"))


# --- Filling ----------------------------------------------------------------------------------------------------------


def centre_square(photo: PhotoFile) -> np.ndarray:
    """The middle of a photo, uint8 ``[512, 512, 3]``."""
    return np.asarray(ImageOps.fit(decode(photo, whole=True), (CRACKED, CRACKED)))


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


def score_filling(photos: Sequence[np.ndarray], cracks: int, dust: float) -> dict[str, float]:
    """Mean PSNR inside the damage of the preset antique's kernels, before and after, by mask and by method; and of
    finding it.
    """
    rows: list[dict[str, float]] = []
    counts = np.zeros(3, int)
    for number, truth in enumerate(photos):
        worn = Degradation(scratches=cracks, dust=dust).apply(Photo(truth), number)
        hole = abs(worn.pixels.astype(int) - truth).max(2) > 8
        mask, perfect = restorer().find_scratches(worn), Mask(hole.astype(np.uint8) * 255)
        found = scratches.marked(mask)
        counts += confusion(found, hole)
        filled = {
            "before": worn.pixels,
            "ours": scratches.fill(worn, mask).pixels,
            "ours, perfect mask": scratches.fill(worn, perfect).pixels,
        }
        for name, method in METHODS.items():
            filled[f"{name}, perfect mask"] = method(worn.pixels, hole)
            filled[f"{name}, our mask"] = method(worn.pixels, found)
        rows.append({name: psnr(pixels, truth, hole) for name, pixels in filled.items()})
    return means(rows, 2) | precision_and_recall(counts)


def score_restored(photos: Sequence[np.ndarray]) -> dict[str, dict[str, float]]:
    """Luminance PSNR inside and outside the damage: scratched, mended, and what each model makes of that."""
    each: dict[str, list[tuple[float, float]]] = {}
    for number, photo in enumerate(photos):
        truth = Photo(in_grey(photo))
        worn = Degradation(scratches=5, dust=0.3).apply(truth, number)
        hole = abs(worn.pixels.astype(int) - truth.pixels).max(2) > 8
        mended = restorer().mend(worn, Inpainting()).photo
        candidates = {"scratched": worn, "mended": mended}
        for entry in restorers():
            candidates[entry.title] = restorer().restore_whole(mended, entry.model, look=Look(colour="none")).photo
        for name, made in candidates.items():
            scores = (psnr(made.pixels, truth.pixels, hole), psnr(made.pixels, truth.pixels, ~hole))
            each.setdefault(name, []).append(scores)
    return {name: dict(zip(("inside", "outside"), np.mean(row, 0).round(2), strict=True)) for name, row in each.items()}


# --- Together ---------------------------------------------------------------------------------------------------------


def measure_seconds(photo: Photo) -> dict[str, float]:
    """At one megapixel, with the cracks and dust of a bad print; the best of three."""
    worn = Degradation(scratches=8, dust=0.5).apply(photo, 0)
    mask = restorer().find_scratches(worn)
    works = {"find": lambda: restorer().find_scratches(worn), "fill": lambda: scratches.fill(worn, mask)}
    times = {name: round(min(timeit.repeat(work, number=1, repeat=3)), 2) for name, work in works.items()}
    return times | {"threads": torch.get_num_threads()}


def undamaged(files: Sequence[PhotoFile]) -> dict[str, float]:
    """The share of each photo's pixels that is marked, in per cent."""
    found = {file.name: scratches.marked(restorer().find_scratches(Photo(pixels(file)))) for file in files}
    return {name: round(100 * float(marked.mean()), 3) for name, marked in found.items()}


def means(rows: Sequence[Mapping[str, float]], digits: int = 4) -> dict[str, float]:
    return {name: round(float(np.mean([row[name] for row in rows])), digits) for name in rows[0]}


def main(photos: Annotated[Path, typer.Option(help="Folder of large-*.tar and film-artefacts.tar.")]) -> None:
    """Measure the network that finds scratches, and the filling; `make results` tells of them."""
    held = split_large(find_large(str(photos)))[1]
    wholes, squares = [pixels(photo) for photo in held], [centre_square(photo) for photo in held]
    groups: dict[str, dict[str, Kind]] = {
        "kinds trained on": {kind.__name__: kind for kind in KINDS},
        "real artefacts left out": {},
        "kinds not trained on": {"cells": cells},
    }
    for name, masks in artefacts(photos / "film-artefacts.tar", held_out=True).items():
        group = groups["kinds not trained on" if name in UNTRAINED else "real artefacts left out"]
        group[f"film, {name}"] = partial(film, masks=masks)
    kinds = {name: score_kind(wholes, kind, 1) for group in groups.values() for name, kind in group.items()}
    results = {
        "weights_sha256": manifest()[SCRATCH_WEIGHTS].sha256,
        "photos": len(held),
        "groups": {name: means([kinds[kind] for kind in group]) for name, group in groups.items()},
        "kinds": kinds,
        "widths": {str(width): score_kind(wholes, partial(cells, width=width), 2) for width in WIDTHS},
        "filling": {f"{count} cracks, dust {dust}": score_filling(squares, count, dust) for count, dust in DAMAGE},
        "restored": score_restored(squares),
        "undamaged, %": {"held out": undamaged(held), "examples": undamaged(folder_photos(EXAMPLES))},
        "seconds": measure_seconds(Photo(np.array(Image.fromarray(squares[0]).resize((1024, 1024))))),
    }
    text = json.dumps(results, indent=2) + "\n"
    typer.echo(text)
    write_atomically(RESULTS / "scratches.json", text.encode())


if __name__ == "__main__":
    typer.run(main)
