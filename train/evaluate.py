"""`python -m train.evaluate --photos PHOTOS`: every released model on photos that nobody trained on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import torch
import typer
from PIL import Image
from tqdm import tqdm

from restoration import PRESETS, Degradation, Photo, Restorer, image, metrics
from restoration.colour import LUMA
from restoration.types import SIDE
from restoration.weights import restorers

from . import RESULTS, ROOT, write_result
from .data import decode
from .judges import ShiftTolerantLpips, frechet_distance
from .lpips import Lpips
from .photos import PhotoFile, find_photos, photos_of, split

PEOPLE = ROOT / "benchmarks" / "people.json"
"""Which photos show people, by name, as somebody saw them before any was scored."""
Scores = dict[str, list[dict[str, float]]]
T = TypeVar("T")


def squash_aliased(photo: Photo) -> Photo:
    """As the original project resized: aspect not kept, bilinear without antialiasing."""
    whole = Image.fromarray(photo.pixels)
    box = (0, 0, *whole.size)
    return Photo(np.array(whole.transform((SIDE, SIDE), Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)))


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One row of photos to restore: how they become 128x128, and how photo ``i`` is damaged.

    A condition with a ``limit`` takes the first so many photos, and is scored by PSNR alone.
    """

    fit: Callable[[Photo], Photo] = image.fit
    degradation: Callable[[int], Degradation]
    limit: int | None = None


def single(**controls: float) -> Condition:
    degradation = Degradation(grayscale=True, **controls)  # type: ignore[arg-type]
    return Condition(degradation=lambda _: degradation, limit=100)


# Of each single degradation, what its preset (original; antique for the last three) draws little of, what it draws at
# most, and more than that.
STRENGTHS: Mapping[str, tuple[float, float, float]] = {
    "gaussian": (0.03, 0.08, 0.12),
    "salt_pepper": (0.003, 0.01, 0.03),
    "speckle": (0.03, 0.06, 0.12),
    "correlated": (0.03, 0.05, 0.1),
    "lines": (1, 4, 8),
    "blur": (3, 7, 9),
    "jpeg": (70, 20, 10),
    "fading": (0.1, 0.5, 0.7),
    "scratches": (1, 8, 16),
    "dust": (0.1, 0.6, 1),
}
CONDITIONS = {
    "original": Condition(degradation=PRESETS["original"].draw),
    "original, squashed": Condition(fit=squash_aliased, degradation=PRESETS["original"].draw),
    "antique": Condition(degradation=PRESETS["antique"].draw),
    "heavy": Condition(degradation=PRESETS["heavy"].draw),
    "clean": single(),
    **{f"{name} {value:g}": single(**{name: value}) for name, values in STRENGTHS.items() for value in values},
}


def pair(photo: PhotoFile, seed: int, condition: Condition) -> tuple[Photo, Photo]:
    """The truth, and what is degraded of it."""
    truth = condition.fit(Photo(np.array(decode(photo, whole=True))))
    return truth, condition.degradation(seed).apply(truth, seed)


def pairs(photos: Sequence[PhotoFile], condition: Condition) -> Iterator[tuple[Photo, Photo]]:
    """Truth and degraded, of each photo; the seed is the photo's index."""
    for seed, photo in enumerate(tqdm(photos[: condition.limit], unit="photo", leave=False)):
        yield pair(photo, seed, condition)


def on_each_core(photos: Sequence[PhotoFile], condition: Condition, score: Callable[[Photo, Photo], T]) -> Iterator[T]:
    """``score`` of each of the `pairs`, in their order. Each core has a thread with photos of its own: half of the time
    goes to measures, which use but one, and where a training runs too, networks spread over all would wait for it."""
    photos = photos[: condition.limit]
    with ThreadPoolExecutor(torch.get_num_threads(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        done = pool.map(lambda seed: score(*pair(photos[seed], seed, condition)), range(len(photos)))
        yield from tqdm(done, total=len(photos), unit="photo", leave=False)


def grey_photo(y: np.ndarray) -> Photo:
    """A photo of a luminance ``[H, W]`` in [0, 255], which is rounded and clipped."""
    return image.grey(np.rint(y.clip(0, 255)).astype(np.uint8))


def measure(photo: Photo, truth: Photo) -> dict[str, float]:
    """`restoration.metrics`, and what the photo's colours add to the RGB PSNR that it would have in grey."""
    compared, grey = metrics.compare(photo, truth), grey_photo(photo.pixels @ np.array(LUMA))
    return {**asdict(compared), "colour_adds": compared.psnr - metrics.psnr(grey, truth)}


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One photo's measures: of the degraded photo and of each model's restoration, and what the truth is like.

    ``features`` are `ShiftTolerantLpips.features` of the candidates and, last, of the truth; empty without a judge.
    """

    rows: dict[str, dict[str, float]]
    truth: dict[str, float]
    features: np.ndarray


def score(
    truth: Photo,
    degraded: Photo,
    *,
    restorer: Restorer,
    models: Sequence[str],
    distance: Lpips | None,
    judge: ShiftTolerantLpips | None,
) -> Scored:
    """All measures with a ``judge``, PSNR alone without one; LPIPS where there is a ``distance``."""
    candidates = {"degraded": degraded} | {name: restorer.restore(degraded, name).photo for name in models}
    described = {"colourfulness": metrics.colourfulness(truth), "detail": detail(truth)}
    if not judge:
        psnr = {
            name: {"psnr": metrics.psnr(each, truth), "psnr_luminance": metrics.psnr_luminance(each, truth)}
            for name, each in candidates.items()
        }
        return Scored(rows=psnr, truth=described, features=np.empty(0))
    rows = {name: measure(each, truth) for name, each in candidates.items()}
    shown = list(candidates.values())
    for measured, distances in {"lpips": distance, "st_lpips": judge}.items():
        for row, value in zip(rows.values(), distances(shown, truth) if distances else (), strict=False):
            row[measured] = float(value)
    return Scored(rows=rows, truth=described, features=judge.features([*shown, truth]))


def column(rows: Sequence[Mapping[str, float]], name: str) -> np.ndarray:
    return np.array([row[name] for row in rows])


def interval(values: np.ndarray) -> tuple[float, float]:
    """Bootstrap 95 % interval of the mean over photos."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (2000, len(values)))].mean(1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def gain(values: np.ndarray, reference: np.ndarray) -> dict[str, Any]:
    """The mean difference over the same photos, with its interval; nothing where it is not finite."""
    difference = values - reference
    if not np.isfinite(difference).all():  # a perfect photo has no finite PSNR, and JSON knows no infinity
        return {}
    low, high = interval(difference)
    return {"gain": round(float(difference.mean()), 4), "interval": [round(low, 4), round(high, 4)]}


def summarise(scores: Scores) -> dict[str, dict[str, Any]]:
    """Per candidate: the mean of every measure, and its gain over the degraded input with the interval."""
    table: dict[str, dict[str, Any]] = {}
    for candidate, rows in scores.items():
        table[candidate] = {}
        for name in rows[0]:
            values = column(rows, name)
            mean = round(float(values.mean()), 4) if np.isfinite(values).all() else None
            table[candidate][name] = {"mean": mean, **gain(values, column(scores["degraded"], name))}
    return table


def differences(scores: Scores) -> dict[str, dict[str, Any]]:
    """Each model's gain over each other one. Photos differ far more than models do, so this alone tells who is ahead,
    not the intervals of their gains over the degraded input."""
    table: dict[str, dict[str, Any]] = {name: {} for name in scores if name != "degraded"}
    for first, second in permutations(table, 2):
        table[first][second] = {
            name: gain(column(scores[first], name), column(scores[second], name)) for name in scores[first][0]
        }
    return table


def detail(truth: Photo) -> float:
    """How much fine detail a photo has: the mean absolute step between neighbouring pixels of its luminance."""
    y = truth.pixels @ np.array(LUMA)
    return float(np.abs(np.diff(y, axis=0)).mean() + np.abs(np.diff(y, axis=1)).mean())


def by_detail(scores: Scores, details: Sequence[float] | np.ndarray) -> list[dict[str, float]]:
    """Each model's luminance gain on the third of the photos with the least detail, the middle, and the most."""
    before = column(scores["degraded"], "psnr_luminance")
    return [
        {
            name: round(float((column(rows, "psnr_luminance") - before)[third].mean()), 4)
            for name, rows in scores.items()
            if name != "degraded"
        }
        for third in np.array_split(np.argsort(details), 3)
    ]


def of_people(scores: Scores, files: Sequence[PhotoFile]) -> dict[str, Any]:
    """`summarise` of the photos that show a face, one person or several; of no kind that ``files`` have not."""
    table: dict[str, Any] = {}
    for kind, names in json.loads(PEOPLE.read_text(encoding="utf-8")).items():
        if chosen_rows := [index for index, file in enumerate(files) if file.name in names]:
            chosen = {candidate: [rows[index] for index in chosen_rows] for candidate, rows in scores.items()}
            table[kind] = {"photos": len(chosen_rows), "scores": summarise(chosen)}
    return table


def main(
    photos: Annotated[str, typer.Option(help="Photos that were not trained on: a tar or zip file, or a folder.")],
    development: Annotated[
        bool, typer.Option("--development", help="To choose by: --photos is what `train` got; give --out as well.")
    ] = False,
    limit: Annotated[int | None, typer.Option(help="Only the first so many photos.")] = None,
    lpips: Annotated[str | None, typer.Option(help="Score LPIPS too: a folder with its files, or `download`.")] = None,
    out: Annotated[Path, typer.Option(help="Where the table is written.")] = RESULTS / "quality.json",
) -> None:
    """Degrade each photo, let every model restore it, and write the means with bootstrap intervals."""
    distance = Lpips(lpips) if lpips else None
    judge = ShiftTolerantLpips()
    restorer = Restorer("cpu")
    released = {entry.model: entry.sha256 for entry in restorers()}
    files = (split(find_photos(photos))[1] if development else photos_of(Path(photos)))[:limit]
    if development and out == RESULTS / "quality.json":
        raise SystemExit("The development photos' scores are not the published ones; give another --out.")
    result: dict[str, Any] = {"shard": Path(photos).resolve().name, "weights_sha256": released, "conditions": {}}
    for title, condition in CONDITIONS.items():
        whole = condition.limit is None
        judges = {"distance": distance, "judge": judge} if whole else {"distance": None, "judge": None}
        scored = list(on_each_core(files, condition, partial(score, restorer=restorer, models=[*released], **judges)))
        scores = {name: [each.rows[name] for each in scored] for name in scored[0].rows}
        truths = [each.truth for each in scored]
        table = summarise(scores)
        result["conditions"][title] = {
            "photos": len(scored),
            "truth_colourfulness": round(float(column(truths, "colourfulness").mean()), 3),
            "scores": table,
        }
        if whole:
            *features, of_truth = np.stack([each.features for each in scored], 1)
            result["conditions"][title] |= {
                "frechet": {
                    name: round(frechet_distance(each, of_truth), 7)
                    for name, each in zip(scores, features, strict=True)
                },
                "differences": differences(scores),
            }
        if title == "original":
            result["by_detail"] = by_detail(scores, column(truths, "detail"))
            result["people"] = of_people(scores, files)
        for name, row in table.items():
            line = "  ".join(f"{measure} {cell['gain']:+.3f}" for measure, cell in row.items() if "gain" in cell)
            typer.echo(f"{title:20} {name:9} {line}")
    write_result(out, result)


if __name__ == "__main__":
    typer.run(main)
