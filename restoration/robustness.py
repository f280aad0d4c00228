"""How results change with the damage: one control swept from mild to severe, every model on the same photo.

After Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common corruptions and perturbations".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image

from . import metrics
from .degradations import CONTROLS, Degradation
from .image import Fit
from .metrics import Metrics
from .pipeline import resolve
from .recipe import Recipe
from .restorer import Restorer
from .sheet import Panel, sheet
from .tiling import Progress
from .types import ControlError, Photo
from .weights import title

MAX_STEPS = 32
BATCH = 8
DEGRADED = "degraded"
"""The candidate that no model has touched: what the models were given."""
PLOTTED = ("psnr_luminance", "psnr", "ssim", "ciede2000")
"""The measures that `plot` can show."""

Label = Callable[[str], str]
"""The name to print for a control, a measure or a candidate."""

_ENGLISH = {
    "psnr_luminance": "luminance PSNR (dB)",
    "psnr": "RGB PSNR (dB)",
    "ssim": "SSIM",
    "ciede2000": "CIEDE2000 (lower is better)",
    DEGRADED: "degraded input",
}


def english(name: str) -> str:
    if name in CONTROLS:
        return f"{name.replace('_', ' ')}: {CONTROLS[name].help}"
    return _ENGLISH.get(name) or title(name)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A photo at each strength of one control, as it was given to the models and as each gave it back."""

    control: str
    strengths: tuple[float, ...]
    """From mild to severe."""
    truth: Photo
    photos: Mapping[str, tuple[Photo, ...]]
    """By candidate: `DEGRADED`, then each model's id; one per strength."""
    measures: Mapping[str, tuple[Metrics, ...]]
    """Of each photo against the truth."""
    recipes: tuple[Recipe, ...]
    """Each strength's."""
    fell_back: bool
    """Did the CPU stand in for a GPU that failed?"""


def strengths(control: str, low: float, high: float, steps: int) -> tuple[float, ...]:
    """``steps`` strengths of a control from mild to severe, evenly spread over its own steps.

    There are fewer where the control has no more of them between ``low`` and ``high``. Raises `ControlError`.
    """
    if control not in CONTROLS:
        raise ControlError(
            "control_unknown",
            "There is no control called {control!r}; choose from {controls}.",
            control=control,
            controls=", ".join(CONTROLS),
        )
    if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= MAX_STEPS:
        raise ControlError("sweep_steps", "A sweep has 2 to {most} steps, not {steps!r}.", most=MAX_STEPS, steps=steps)
    scale = CONTROLS[control]
    for end in (low, high):
        scale.check(control, end)
    if not low < high:
        raise ControlError(
            "sweep_range",
            "A sweep goes from a lower strength to a higher one, not {low:g} to {high:g}.",
            low=low,
            high=high,
        )
    places = np.rint((np.linspace(low, high, steps) - scale.low) / scale.step)
    values = [round(scale.low + place * scale.step, 6) for place in sorted(set(places.tolist()))]
    if scale.step >= 1:
        values = [int(value) for value in values]
    return tuple(reversed(values) if scale.off == scale.high else values)


def sweep(
    restorer: Restorer,
    truth: Photo,
    control: str,
    at: Sequence[float],
    models: Sequence[str],
    *,
    seed: int = 0,
    fit: Fit = "crop",
    progress: Progress | None = None,
) -> Sweep:
    """Damage ``truth`` (128x128), taken as grey, by ``control`` alone ``at`` each strength; each model restores it.

    The seed is the same for all, so only the strength changes. ``fit`` is how the truth became 128x128: the recipes say
    it. ``progress(done, total)`` counts restored photos.
    """
    damages = [Degradation.from_mapping({"grayscale": True, control: strength}) for strength in at]
    photos = {DEGRADED: tuple(damage.apply(truth, seed) for damage in damages)}
    total = len(at) * len(models)
    devices: set[str] = set()
    for place, model in enumerate(models):
        restored: list[Photo] = []
        for start in range(0, len(at), BATCH):
            batch = restorer.restore_batch(photos[DEGRADED][start : start + BATCH], model)
            restored += [each.photo for each in batch]
            devices |= {each.device for each in batch}
            if progress:
                progress(place * len(at) + len(restored), total)
        photos[model] = tuple(restored)
    recipe = resolve(restorer, Recipe(fit=fit, seed=seed, models=dict.fromkeys(models)))
    recipe = replace(recipe, versions={**recipe.versions, "device": " and ".join(sorted(devices))})
    return Sweep(
        control=control,
        strengths=tuple(at),
        truth=truth,
        photos=photos,
        measures={name: tuple(metrics.compare(photo, truth) for photo in row) for name, row in photos.items()},
        recipes=tuple(replace(recipe, degradation=damage) for damage in damages),
        fell_back=devices != {restorer.device.type},
    )


def table(swept: Sweep, label: Label = str) -> str:
    """The sweep as CSV (RFC 4180): one line per strength and candidate, every measure a column."""
    names = [each.name for each in fields(Metrics)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([label(name) for name in (swept.control, "candidate", *names)])
    for place, strength in enumerate(swept.strengths):
        for candidate, row in swept.measures.items():
            writer.writerow([strength, label(candidate), *(getattr(row[place], name) for name in names)])
    return text.getvalue()


def strip(swept: Sweep, label: Label = english) -> Photo:
    """The pictures: a row per candidate, a column per strength."""
    rows = [
        [
            Panel(photo, [f"{label(name)}, {strength:g}", f"{measured.psnr_luminance:.2f} dB"])
            for photo, strength, measured in zip(row, swept.strengths, swept.measures[name], strict=True)
        ]
        for name, row in swept.photos.items()
    ]
    return sheet(rows, side=128)


def check_measure(name: str) -> None:
    """Raise `ControlError` for a measure that `plot` does not show."""
    if name not in PLOTTED:
        raise ControlError(
            "measure_unknown",
            "There is no plot of {measure!r}; choose from {measures}.",
            measure=name,
            measures=", ".join(PLOTTED),
        )


def plot(swept: Sweep, measure: str = "psnr_luminance", label: Label = english) -> Photo:
    """``measure`` against strength: a line per candidate, told apart by marker and dash as well as by colour."""
    check_measure(measure)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.2), dpi=140, layout="constrained")
    axes = figure.add_subplot()
    for place, (name, row) in enumerate(swept.measures.items()):
        values = [getattr(measured, measure) for measured in row]
        style: dict[str, Any] = {"color": "0.35", "linestyle": "--"} if name == DEGRADED else {"color": f"C{place - 1}"}
        axes.plot(swept.strengths, values, marker="xos^Dvph"[place % 8], label=label(name), **style)
    axes.set_xlabel(label(swept.control))
    axes.set_ylabel(label(measure))
    if any(after < before for before, after in pairwise(swept.strengths)):
        axes.invert_xaxis()  # mild on the left, as always
    axes.grid(alpha=0.3)
    axes.legend()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Photo(np.array(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")))
