"""`python -m train.evaluate --photos SHARD`: every released model on photos that nobody trained on."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image
from tqdm import tqdm

from restoration import PRESETS, Degradation, Photo, Restorer, image, metrics
from restoration.degradations import LUMA
from restoration.image import write_whole
from restoration.types import SIDE
from restoration.weights import restorers

from .lpips import Lpips
from .photos import PhotoFile, find_photos, shard, split

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results"
Scores = dict[str, list[dict[str, float]]]


def crop(photo: Photo) -> Photo:
    return image.fit(photo)


def squash_aliased(photo: Photo) -> Photo:
    """As the original project resized: aspect not kept, bilinear without antialiasing."""
    whole = Image.fromarray(photo.pixels)
    box = (0, 0, whole.width, whole.height)
    return Photo(np.array(whole.transform((SIDE, SIDE), Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)))


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One row of photos to restore: how they become 128x128, and how photo ``i`` is damaged."""

    fit: Callable[[Photo], Photo] = crop
    degradation: Callable[[int], Degradation]
    limit: int | None = None
    whole_table: bool = False


def single(**controls: float) -> Condition:
    degradation = Degradation(grayscale=True, **controls)  # type: ignore[arg-type]
    return Condition(degradation=lambda _: degradation, limit=100)


# Of each single degradation, what the original's recipe draws little of, what it draws at most, and more than that.
STRENGTHS: Mapping[str, tuple[float, float, float]] = {
    "gaussian": (0.03, 0.08, 0.12),
    "salt_pepper": (0.003, 0.01, 0.03),
    "speckle": (0.03, 0.06, 0.12),
    "correlated": (0.03, 0.05, 0.1),
    "lines": (1, 4, 8),
    "blur": (3, 7, 9),
    "jpeg": (70, 20, 10),
}
CONDITIONS = {
    "original": Condition(degradation=PRESETS["original"].draw, whole_table=True),
    "original, squashed": Condition(fit=squash_aliased, degradation=PRESETS["original"].draw, whole_table=True),
    "clean": single(),
    **{f"{name} {value:g}": single(**{name: value}) for name, values in STRENGTHS.items() for value in values},
}


def read(photo: PhotoFile) -> Photo:
    return Photo(np.array(Image.open(io.BytesIO(photo.read())).convert("RGB")))


def pairs(photos: Sequence[PhotoFile], condition: Condition) -> Iterator[tuple[Photo, Photo]]:
    """Truth and degraded, of each photo; the seed is the photo's index."""
    for seed, photo in enumerate(tqdm(photos[: condition.limit], unit="photo", leave=False)):
        truth = condition.fit(read(photo))
        yield truth, condition.degradation(seed).apply(truth, seed)


def measure(photo: Photo, truth: Photo) -> dict[str, float]:
    """`restoration.metrics`, and the RGB PSNR that the photo would have without its colours."""
    grey = np.rint(photo.pixels @ np.array(LUMA)).astype(np.uint8)
    in_grey = Photo(np.repeat(grey[..., None], 3, axis=2))
    return {**asdict(metrics.compare(photo, truth)), "psnr_in_grey": metrics.psnr(in_grey, truth)}


def interval(values: np.ndarray) -> tuple[float, float]:
    """Bootstrap 95 % interval of the mean over photos."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (2000, len(values)))].mean(1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def summarise(scores: Scores) -> dict[str, dict[str, Any]]:
    """Per candidate: the mean of every measure, and its gain over the degraded input with the interval."""
    table: dict[str, dict[str, Any]] = {}
    for candidate, rows in scores.items():
        table[candidate] = {}
        for name in rows[0]:
            values = np.array([row[name] for row in rows])
            gain = values - np.array([row[name] for row in scores["degraded"]])
            # A perfect photo has no finite PSNR, and neither has a gain over one; JSON knows no infinity.
            mean = round(float(values.mean()), 4) if np.isfinite(values).all() else None
            table[candidate][name] = {"mean": mean}
            if np.isfinite(gain).all():
                low, high = interval(gain)
                table[candidate][name] |= {
                    "gain": round(float(gain.mean()), 4),
                    "interval": [round(low, 4), round(high, 4)],
                }
    return table


def detail(truth: Photo) -> float:
    """How much fine detail a photo has: the mean absolute step between neighbouring pixels of its luminance."""
    y = truth.pixels @ np.array(LUMA)
    return float(np.abs(np.diff(y, axis=0)).mean() + np.abs(np.diff(y, axis=1)).mean())


def by_detail(scores: Scores, details: list[float]) -> list[dict[str, float]]:
    """Each model's luminance gain on the third of the photos with the least detail, the middle, and the most."""
    thirds = np.array_split(np.argsort(details), 3)
    before = np.array([row["psnr_luminance"] for row in scores["degraded"]])
    return [
        {
            name: round(float((np.array([row["psnr_luminance"] for row in rows]) - before)[third].mean()), 4)
            for name, rows in scores.items()
            if name != "degraded"
        }
        for third in thirds
    ]


def main(
    photos: Annotated[str, typer.Option(help="A tar shard of photos that were not trained on.")],
    development: Annotated[
        bool, typer.Option("--development", help="To choose by: --photos is what `train` got; give --out as well.")
    ] = False,
    limit: Annotated[int | None, typer.Option(help="Only the first so many photos.")] = None,
    lpips: Annotated[str | None, typer.Option(help="Score LPIPS too: a folder with its files, or `download`.")] = None,
    out: Annotated[Path, typer.Option(help="Where the table is written.")] = RESULTS / "quality.json",
) -> None:
    """Degrade each photo, let every model restore it, and write the means with bootstrap intervals."""
    distance = Lpips(None if lpips == "download" else Path(lpips)) if lpips else None
    restorer = Restorer("cpu")
    released = {entry.model: entry.sha256 for entry in restorers()}
    files = (split(find_photos(photos))[1] if development else shard(Path(photos)))[:limit]
    if development and out == RESULTS / "quality.json":
        raise SystemExit("The development photos' scores are not the published ones; give another --out.")
    result: dict[str, Any] = {"shard": Path(photos).name, "weights_sha256": released, "conditions": {}}
    for title, condition in CONDITIONS.items():
        scores: Scores = {name: [] for name in ("degraded", *released)}
        colourfulness, details = [], []
        for truth, degraded in pairs(files, condition):
            candidates = {"degraded": degraded} | {name: restorer.restore(degraded, name).photo for name in released}
            if condition.whole_table:
                rows = {name: measure(candidate, truth) for name, candidate in candidates.items()}
                if distance:
                    for row, value in zip(rows.values(), distance(list(candidates.values()), truth), strict=True):
                        row["lpips"] = float(value)
            else:
                rows = {
                    name: {"psnr": metrics.psnr(each, truth), "psnr_luminance": metrics.psnr_luminance(each, truth)}
                    for name, each in candidates.items()
                }
            for name, row in rows.items():
                scores[name].append(row)
            colourfulness.append(metrics.colourfulness(truth))
            details.append(detail(truth))
        result["conditions"][title] = {
            "photos": len(details),
            "truth_colourfulness": round(float(np.mean(colourfulness)), 3),
            "scores": summarise(scores),
        }
        if title == "original":
            result["by_detail"] = by_detail(scores, details)
        gains = {
            name: "  ".join(f"{measure} {cell['gain']:+.3f}" for measure, cell in row.items() if "gain" in cell)
            for name, row in result["conditions"][title]["scores"].items()
        }
        for name, line in gains.items():
            typer.echo(f"{title:20} {name:9} {line}")
    write_whole(out, (json.dumps(result, indent=1) + "\n").encode())
    typer.echo(f"Written to {out}.")


if __name__ == "__main__":
    typer.run(main)
