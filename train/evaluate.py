"""`python -m train.evaluate --photos SHARD`: every released model on photos that nobody trained on."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from tqdm import tqdm

from restoration import PRESETS, Photo, Restorer, image, metrics
from restoration.degradations import LUMA
from restoration.image import write_whole
from restoration.weights import restorers

from .data import read_shards

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results"


def measure(photo: Photo, truth: Photo) -> dict[str, float]:
    """`restoration.metrics`, and the RGB PSNR that the photo would have without its colours."""
    grey = np.rint(photo.pixels @ np.array(LUMA)).astype(np.uint8)
    in_grey = Photo(np.repeat(grey[..., None], 3, axis=2))
    return {**asdict(metrics.compare(photo, truth)), "psnr_in_grey": metrics.compare(in_grey, truth).psnr}


def interval(values: np.ndarray) -> tuple[float, float]:
    """Bootstrap 95 % interval of the mean over photos."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (2000, len(values)))].mean(1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def summarise(scores: Mapping[str, list[dict[str, float]]]) -> dict[str, dict[str, object]]:
    """Per candidate: the mean of every measure, and its gain over the degraded input with the interval."""
    table: dict[str, dict[str, object]] = {}
    for candidate, rows in scores.items():
        table[candidate] = {}
        for name in rows[0]:
            values = np.array([row[name] for row in rows])
            gain = values - np.array([row[name] for row in scores["degraded"]])
            low, high = interval(gain)
            table[candidate][name] = {
                "mean": round(float(values.mean()), 4),
                "gain": round(float(gain.mean()), 4),
                "interval": [round(low, 4), round(high, 4)],
            }
    return table


def main(
    photos: Annotated[Path, typer.Option(help="A tar shard of photos that were not trained on.")],
    preset: Annotated[str, typer.Option(help="Random recipe; the seed is the photo's index.")] = "original",
    limit: Annotated[int | None, typer.Option(help="Only the first so many photos.")] = None,
    out: Annotated[Path, typer.Option(help="Where the table is written.")] = RESULTS / "quality.json",
) -> None:
    """Degrade each photo, let every model restore it, and write the means with bootstrap intervals."""
    restorer = Restorer("cpu")
    released = {entry.model: entry.sha256 for entry in restorers()}
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in ("degraded", *released, "truth")}
    for seed, (_, jpeg) in enumerate(tqdm(read_shards([photos])[:limit], unit="photo")):
        whole = Photo(np.array(Image.open(io.BytesIO(jpeg)).convert("RGB")))
        truth = image.fit(whole)
        degraded = PRESETS[preset].draw(seed).apply(truth, seed)
        scores["degraded"].append(measure(degraded, truth))
        for name in released:
            scores[name].append(measure(restorer.restore(degraded, name).photo, truth))
        scores["truth"].append({"colourfulness": metrics.colourfulness(truth)})
    truth_colourfulness = float(np.mean([row["colourfulness"] for row in scores.pop("truth")]))
    result = {
        "photos": len(scores["degraded"]),
        "shard": photos.name,
        "preset": preset,
        "fit": "crop",
        "weights_sha256": released,
        "truth_colourfulness": round(truth_colourfulness, 3),
        "scores": summarise(scores),
    }
    write_whole(out, (json.dumps(result, indent=1) + "\n").encode())
    for candidate, row in result["scores"].items():  # type: ignore[attr-defined]
        typer.echo(f"{candidate:9}" + "".join(f"  {name} {cell['gain']:+.3f}" for name, cell in row.items()))
    typer.echo(f"Written to {out}.")


if __name__ == "__main__":
    typer.run(main)
