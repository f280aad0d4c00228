"""How results change with the damage: one control swept from mild to severe, every model on the same photo.

After Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common corruptions and perturbations".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from itertools import groupby
from typing import Any, Literal

import numpy as np
from PIL import Image

from . import metrics
from .contact_sheet import Cell, sheet
from .degradations import CONTROLS, Control, Degradation
from .errors import ControlError, sentences
from .image import Fit
from .metrics import Metrics
from .pipeline import resolve
from .recipe import Recipe
from .restorer import Restorer
from .tiling import Progress, Stopped, silent
from .types import Photo
from .weights import title

MAX_STEPS = 32
BATCH = 8
DEGRADED = "degraded"  # the candidate that no model has touched: what the models were given
GAIN = "gain"  # the label of what a model adds to a measure of what it was given
PLOTTED = ("psnr_luminance", "psnr", "ssim", "ciede2000")  # the measures that `plot` can show
LOWER_IS_BETTER = ("ciede2000",)  # those of them that measure an error

Label = Callable[[str], str]  # the name to print for a control, a measure, a candidate or `GAIN`
Stretch = tuple[float, float]  # strengths that follow each other in a sweep: the mildest and the severest

_ENGLISH = {
    "psnr_luminance": "luminance PSNR (dB)",
    "psnr": "RGB PSNR (dB)",
    "ssim": "SSIM",
    "ciede2000": "CIEDE2000 (lower is better)",
    DEGRADED: "degraded input",
    GAIN: "gain over the degraded input (up is better)",
}


def english(name: str) -> str:
    if name in CONTROLS:
        return f"{name.replace('_', ' ')}: {CONTROLS[name].help}"
    return _ENGLISH.get(name) or title(name)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A photo at each strength of one control, as it was given to the models and as each gave it back."""

    control: str
    strengths: tuple[float, ...]  # from mild to severe
    truth: Photo
    photos: Mapping[str, tuple[Photo, ...]]  # by candidate, `DEGRADED` and each model's id; one per strength
    measures: Mapping[str, tuple[Metrics, ...]]  # of each photo against the truth
    recipes: tuple[Recipe, ...]  # each strength's
    fell_back: bool  # did the CPU stand in for a GPU that failed?


def reach(control: str) -> tuple[float, float]:
    """The lowest and the highest strength of a usual sweep.

    It starts a twentieth of the way from off, at least one step: nearer to off a PSNR is so high that all others would
    look alike beside it.
    """
    scale = _control(control)
    first = max(1, int((scale.high - scale.low) / scale.step / 20)) * scale.step
    if scale.off == scale.high:
        return scale.low, scale.high - first
    return scale.low + first, scale.high


def strengths(control: str, low: float, high: float, steps: int) -> tuple[float, ...]:
    """``steps`` strengths of a control from mild to severe, evenly spread over its own steps.

    There are fewer where the control has no more of them between ``low`` and ``high``. Raises `ControlError`.
    """
    scale = _control(control)
    if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= MAX_STEPS:
        raise ControlError("sweep_steps", most=MAX_STEPS, steps=steps)
    for end in (low, high):
        scale.check(control, end)
    if not low < high:
        raise ControlError("sweep_range", low=low, high=high)
    numbers = np.rint((np.linspace(low, high, steps) - scale.low) / scale.step)
    values = [round(scale.low + number * scale.step, 6) for number in sorted(set(numbers.tolist()))]
    if scale.step >= 1:
        values = [int(value) for value in values]
    return tuple(reversed(values) if scale.off == scale.high else values)


def _control(name: str) -> Control:
    if name not in CONTROLS:
        raise ControlError("control_unknown", control=name, controls=", ".join(CONTROLS))
    return CONTROLS[name]


def sweep(
    restorer: Restorer,
    truth: Photo,
    control: str,
    at: Sequence[float],
    models: Sequence[str],
    *,
    seed: int = 0,
    fit: Fit = "crop",
    progress: Progress = silent,
) -> Sweep:
    """Damage ``truth`` (128x128), taken as grey, by ``control`` alone ``at`` each strength; each model restores it.

    The seed is the same for all strengths. ``fit`` is how the truth became 128x128, for the recipes. ``progress(done,
    total)`` counts restored photos; where it raises `Stopped`, the sweep ends with the models that are done (and the
    exception goes on where none is).
    """
    damages = [Degradation.from_mapping({"grayscale": True, control: strength}) for strength in at]
    photos = {DEGRADED: tuple(damage.apply(truth, seed) for damage in damages)}
    total = len(at) * len(models)
    devices: set[str] = set()
    try:
        for index, model in enumerate(models):
            restored: list[Photo] = []
            for start in range(0, len(at), BATCH):
                batch = restorer.restore_batch(photos[DEGRADED][start : start + BATCH], model)
                restored += [each.photo for each in batch]
                devices |= {each.device for each in batch}
                if len(restored) == len(at):
                    photos[model] = tuple(restored)
                progress(index * len(at) + len(restored), total)
    except Stopped:
        if len(photos) == 1:
            raise
    done = [name for name in photos if name != DEGRADED]
    recipe = resolve(restorer, Recipe(fit=fit, seed=seed, models=dict.fromkeys(done))).ran_on(devices)
    return Sweep(
        control=control,
        strengths=tuple(at),
        truth=truth,
        photos=photos,
        measures={name: tuple(metrics.compare(photo, truth) for photo in row) for name, row in photos.items()},
        recipes=tuple(replace(recipe, degradation=damage) for damage in damages),
        fell_back=devices != {restorer.device.type},
    )


def gains(swept: Sweep, measure: str) -> dict[str, tuple[float, ...]]:
    """By model: how much better its photos are than what it was given, at each strength; more is always better."""
    sign = -1 if measure in LOWER_IS_BETTER else 1
    rows = {name: [sign * getattr(each, measure) for each in row] for name, row in swept.measures.items()}
    before = rows.pop(DEGRADED)
    return {name: tuple(value - given for value, given in zip(row, before, strict=True)) for name, row in rows.items()}


def helped(swept: Sweep, measure: str) -> dict[str, tuple[Stretch, ...]]:
    """By model: the stretches of strengths, from mild to severe, at which it gained anything."""
    found: dict[str, tuple[Stretch, ...]] = {}
    for name, row in gains(swept, measure).items():
        runs = groupby(zip(swept.strengths, row, strict=True), key=lambda each: each[1] > 0)
        stretches = [[strength for strength, _ in run] for did, run in runs if did]
        found[name] = tuple((stretch[0], stretch[-1]) for stretch in stretches)
    return found


def is_falling(swept: Sweep) -> bool:
    """Is a severer strength a lower number, as the quality of a JPEG is?"""
    return swept.strengths[-1] < swept.strengths[0]


def verdict(
    swept: Sweep,
    measure: str = "psnr_luminance",
    label: Label = english,
    language: Literal["en", "fr"] = "en",
) -> str:
    """A sentence that says at which strengths each model helped; ``label`` gives the names in the same language."""
    check_measure(measure)
    first, final = swept.strengths[0], swept.strengths[-1]
    falling = "_falling" if is_falling(swept) else ""

    def say(phrase: str, **fields: str) -> str:
        return sentences(language)[f"verdict_{phrase}"].format(**fields)

    def written(strength: float) -> str:
        return f"{strength:g}".replace(".", "," if language == "fr" else ".")

    def where(stretch: Stretch) -> str:
        mild, severe = stretch
        if mild == severe:
            phrase = "at"
        elif mild == first:
            phrase = f"until{falling}"
        else:
            phrase = f"since{falling}" if severe == final else "between"
        return say(phrase, mild=written(mild), severe=written(severe))

    def joined(conjunction: str, parts: Iterable[str]) -> str:
        return reduce(lambda before, after: say(conjunction, before=before, after=after), parts)

    def clause(name: str, stretches: tuple[Stretch, ...]) -> str:
        if stretches in ((), ((first, final),)):
            return say("always" if stretches else "never", name=label(name))
        return say("somewhere", name=label(name), where=joined("and", map(where, stretches)))

    clauses = joined("series", (clause(*each) for each in helped(swept, measure).items()))
    return say("sentence", control=label(swept.control), measure=label(measure), clauses=clauses)


def table(swept: Sweep, label: Label = str) -> str:
    """The sweep as CSV (RFC 4180): one line per strength and candidate, every measure a column."""
    names = [each.name for each in fields(Metrics)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([label(name) for name in (swept.control, "candidate", *names)])
    for index, strength in enumerate(swept.strengths):
        for candidate, row in swept.measures.items():
            writer.writerow([strength, label(candidate), *(getattr(row[index], name) for name in names)])
    return text.getvalue()


def strip(swept: Sweep, label: Label = english) -> Photo:
    """The pictures: a row per candidate, a column per strength."""
    rows = [
        [
            Cell(photo, [f"{label(name)}, {strength:g}", f"{measured.psnr_luminance:.2f} dB"])
            for photo, strength, measured in zip(row, swept.strengths, swept.measures[name], strict=True)
        ]
        for name, row in swept.photos.items()
    ]
    return sheet(rows, side=128)


def check_measure(name: str) -> None:
    """Raise `ControlError` for a measure that `plot` does not show."""
    if name not in PLOTTED:
        raise ControlError("measure_unknown", measure=name, measures=", ".join(PLOTTED))


def plot(swept: Sweep, measure: str = "psnr_luminance", label: Label = english) -> Photo:
    """``measure`` against strength, and below it the gain; lines differ by marker and dash too. Legible on a phone."""
    check_measure(measure)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.12, 5.12), dpi=175, layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    given: dict[str, Any] = {"color": "0.35", "linestyle": "--"}
    rows = {name: [getattr(measured, measure) for measured in row] for name, row in swept.measures.items()}
    gained = gains(swept, measure)
    below.axhline(0, **given)  # where the degraded photo's line is
    for index, (name, row) in enumerate(rows.items()):
        style = given if name == DEGRADED else {"color": f"C{index - 1}"}
        style = {**style, "marker": "xos^Dvph"[index % 8], "markersize": 5}
        above.plot(swept.strengths, row, label=label(name), **style)
        if name in gained:
            below.plot(swept.strengths, gained[name], **style)
    for axes, what in ((above, measure), (below, GAIN)):
        axes.set_title(label(what), loc="left", fontsize="medium")
        axes.grid(alpha=0.3)
    below.set_xlabel(label(swept.control))
    if is_falling(swept):
        below.invert_xaxis()  # mild on the left, as always
    figure.legend(loc="outside upper left", ncols=4, frameon=False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Photo(np.array(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")))
