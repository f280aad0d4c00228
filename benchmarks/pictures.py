"""`python -m benchmarks.pictures`: the pictures of README and RESULTS.md. None is picked out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import torch

matplotlib.use("Agg")
from matplotlib import pyplot

from restoration import PRESETS, Degradation, Photo, Restorer, image, metrics, scratches
from restoration.colour import luminance
from restoration.contact_sheet import Cell, sheet
from restoration.types import Inpainting
from restoration.weights import restorers

from .common import PHOTOS, ROOT, read_log, write
from .quality_tables import EQUAL_TERMS

ASSETS = ROOT / "assets"
OLD = ("friends", "nuthatch", "china", "grace_hopper")
SCRATCHED = ("grace_hopper", "chelsea", "motorcycle")


def examples() -> list[tuple[str, Photo, Photo]]:
    """Name, truth and degraded photo of every example: preset `original`, seed = its place in the list."""
    found = []
    for seed, path in enumerate(PHOTOS):
        truth = image.fit(image.load(path))
        found.append((path.stem, truth, PRESETS["original"].draw(seed).apply(truth, seed)))
    return found


def gallery(restorer: Restorer, models: list[str]) -> tuple[Photo, Photo]:
    """All examples, two to a row; and the photos on which each model gained least."""
    rows, gains = [], []
    for name, truth, degraded in examples():
        before = metrics.psnr(degraded, truth)
        row, gained = [Cell(degraded, [f"degraded, {before:.1f} dB"])], {}
        for model in models:
            restored = restorer.restore(degraded, model).photo
            score = metrics.psnr(restored, truth)
            gained[model] = score - before
            row.append(Cell(restored, [f"{model.upper()}, {score:.1f} dB"]))
        rows.append([*row, Cell(truth, [f"truth ({name})"])])
        gains.append(gained)
    half = (len(rows) + 1) // 2
    pairs = [[*rows[index], *(rows[index + half] if index + half < len(rows) else [])] for index in range(half)]
    worst = sorted(range(len(rows)), key=lambda index: min(gains[index].values()))[:3]
    return sheet(pairs, side=128), sheet([rows[index] for index in worst], side=192)


def toned(photo: Photo) -> Photo:
    """A print in sepia: from brown black to yellowish white."""
    y = luminance(image.to_tensor([photo]))
    shadow, light = (torch.tensor(each).view(1, 3, 1, 1) / 255 for each in ((45, 30, 18), (250, 240, 212)))
    return image.to_photos(shadow + y * (light - shadow))[0]


def whole(restorer: Restorer) -> Photo:
    """Photos at their own size as old prints are, the last of them in sepia too, above what the default model made."""
    damaged, restored = [], []
    for seed, name in enumerate(OLD):
        truth = image.load(ASSETS / "examples" / f"{name}.jpg", reduce_to=None)
        old = PRESETS["antique"].draw(seed).apply(truth, seed)
        if name == OLD[-1]:
            old = toned(old)
        made = restorer.restore_whole(old, restorer.model).photo
        damaged.append(Cell(old, [f"{name}, {old.width}×{old.height}"]))
        restored.append(Cell(made, [f"restored by the {restorer.model.upper()}"]))
    return sheet([damaged, restored], side=480)


def mended(restorer: Restorer) -> Photo:
    """Scratched and dusty photos at their own size: what was found, filled, and restored."""
    rows = []
    for seed, name in enumerate(SCRATCHED):
        truth = image.load(ASSETS / "examples" / f"{name}.jpg", reduce_to=None)
        old = Degradation(grayscale=True, correlated=0.05, scratches=6, dust=0.3).apply(truth, seed)
        filled = restorer.mend(old, Inpainting())
        found = scratches.overlay(old, scratches.marked(filled.mask))
        restored = restorer.restore_whole(filled.photo, restorer.model).photo
        row = [(old, f"{name}, {old.width}×{old.height}"), (found, f"found: {filled.share:.1%}")]
        row += [(filled.photo, "mended"), (restored, f"restored by the {restorer.model.upper()}")]
        rows.append([Cell(photo, [caption]) for photo, caption in row])
    return sheet(rows, side=320)


def mistaken(restorer: Restorer) -> Photo:
    """The undamaged examples of which most is taken for damage."""
    panels = []
    for path in PHOTOS:
        photo = image.load(path, reduce_to=None)
        found = scratches.marked(restorer.find_scratches(photo))
        share = float(found.mean())
        panels.append((share, Cell(scratches.overlay(photo, found), [f"{path.stem}: {share:.2%}"])))
    worst = sorted(panels, key=lambda each: -each[0])[:3]
    return sheet([[panel for _, panel in worst]], side=400)


def samples(restorer: Restorer) -> Photo:
    """The VAE's doubts about the first five examples."""
    rows = []
    for name, truth, degraded in examples()[:5]:
        drawn = restorer.samples(degraded, 4)
        mean = restorer.restore(degraded, restorer.sampler).photo
        row = [Cell(degraded, [name]), Cell(mean, ["restored (mean)"])]
        row += [Cell(photo, [f"sample {number + 1}"]) for number, photo in enumerate(drawn.photos)]
        rows.append([*row, Cell(drawn.map(), ["where they differ"]), Cell(truth, ["truth"])])
    return sheet(rows, side=128)


def curves(logs: Mapping[str, str], path: Path) -> None:
    """Gain on the development photos against photos seen, from the logs of runs."""
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for title, log in logs.items():
        entries = read_log(log)
        for axis, measure in zip(axes, ("luminance_gain", "rgb_gain"), strict=True):
            seen, gains = zip(*[(entry["photos"], entry[measure]) for entry in entries], strict=True)
            axis.plot(seen, gains, label=title)
    for axis, label in zip(axes, ("luminance PSNR gain (dB)", "RGB PSNR gain (dB)"), strict=True):
        axis.set(xlabel="photos seen in training", ylabel=label)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    restorer = Restorer("cpu")
    released = {entry.model: entry.sha256 for entry in restorers()}
    everything, failures = gallery(restorer, list(released))
    image.save(everything, ASSETS / "results.jpg")
    image.save(failures, ASSETS / "failures.jpg")
    image.save(whole(restorer), ASSETS / "whole.jpg")
    image.save(mended(restorer), ASSETS / "scratches.jpg")
    image.save(mistaken(restorer), ASSETS / "scratches_mistaken.jpg")
    image.save(samples(restorer), ASSETS / "samples.jpg")
    curves({name.upper(): name for name in released}, ASSETS / "curves.png")
    curves(EQUAL_TERMS, ASSETS / "curves_equal_terms.png")
    write("pictures", {"preset": "original", "weights_sha256": released})


if __name__ == "__main__":
    main()
