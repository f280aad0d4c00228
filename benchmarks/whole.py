"""`python -m benchmarks.whole --lpips FOLDER`: large photos that nobody trained on, restored at their own size.

Against the damaged photo, and against what there was before: the photo made 128x128, restored, and enlarged four times.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer
from PIL import Image
from skimage import data
from tqdm import tqdm

from restoration import PRESETS, Degradation, Look, Photo, Restorer, image, metrics
from restoration.weights import restorers
from train.evaluate import measure, summarise
from train.lpips import Lpips

from .common import PHOTOS, Json, write

PRESETS_TRIED = ("original", "antique", "light")
OTHERS = ("camera", "coins", "hubble_deep_field", "immunohistochemistry", "moon", "retina")
"""scikit-image's own photos, beside those that are among the examples too."""
ENGINE = "fast"


def photos() -> dict[str, Photo]:
    found = {path.stem: image.load(path, reduce_to=None) for path in PHOTOS}
    for name in OTHERS:
        pixels = getattr(data, name)()
        found[name] = Photo(np.array(Image.fromarray(pixels).convert("RGB")))
    return found


def squares_way(restorer: Restorer, degraded: Photo, model: str) -> Photo:
    """128x128, aspect not kept so that nothing is cut off, then enlarged four times and brought to its own size."""
    small = restorer.restore(degraded, model, fit="squash").photo
    large = Image.fromarray(restorer.upscale(small, 4, engine=ENGINE).photo.pixels)
    return Photo(np.array(large.resize((degraded.width, degraded.height), Image.Resampling.BICUBIC)))


def main(
    lpips: Annotated[str, typer.Option(help="A folder with LPIPS's files, or `download`.")],
) -> None:
    """Restore each photo by each model, and write the means with bootstrap intervals."""
    distance = Lpips(lpips)
    restorer = Restorer("cpu")
    released = {entry.model: entry.sha256 for entry in restorers()}
    truths = photos()
    result: Json = {
        "photos": {name: [each.width, each.height] for name, each in truths.items()},
        "weights_sha256": released,
        "engine": ENGINE,
        "presets": {},
        "undamaged": {},
    }
    for preset in PRESETS_TRIED:
        scores: dict[str, list[dict[str, float]]] = {}
        for seed, truth in enumerate(tqdm(truths.values(), unit="photo", desc=preset)):
            degraded = PRESETS[preset].draw(seed).apply(truth, seed)
            made = {"degraded": degraded}
            for model in released:
                made[model] = restorer.restore_whole(degraded, model).photo
                made[f"{model}, 128 then ×4"] = squares_way(restorer, degraded, model)
            apart = distance(list(made.values()), truth)
            for (candidate, photo), lpips_distance in zip(made.items(), apart, strict=True):
                scores.setdefault(candidate, []).append({**measure(photo, truth), "lpips": float(lpips_distance)})
        coloured = [index for index, each in enumerate(truths.values()) if metrics.colourfulness(each) > 0]
        gains = {
            model: {
                name: round(row["psnr_luminance"] - before["psnr_luminance"], 2)
                for name, row, before in zip(truths, scores[model], scores["degraded"], strict=True)
            }
            for model in released
        }
        result["presets"][preset] = {
            "scores": summarise(scores),
            "coloured": summarise({name: [rows[index] for index in coloured] for name, rows in scores.items()}),
            "coloured_photos": len(coloured),
            "gains": gains,
        }
    grey = Look(colour="none")
    for name, truth in truths.items():
        undamaged = Degradation(grayscale=True).apply(truth, 0)
        kept = {model: restorer.restore_whole(undamaged, model, look=grey).photo for model in released}
        result["undamaged"][name] = {
            model: round(min(99.0, metrics.psnr_luminance(each, undamaged)), 2) for model, each in kept.items()
        }
    write("whole", result)


if __name__ == "__main__":
    typer.run(main)
