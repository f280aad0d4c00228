"""The Robustness tab: one degradation from mild to severe, every model at each step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from restoration import Photo, image, robustness
from restoration.batch import archive
from restoration.degradations import CONTROLS
from restoration.image import Fit
from restoration.robustness import PLOTTED, Sweep
from restoration.tiling import silent

from .. import examples, jobs, zerogpu
from ..components.pictures import picture
from ..context import QUIET, TITLES, AppContext
from ..files import publish
from ..jobs import Tell, Work
from ..sidebar import Sidebar, chosen
from ..texts import i18n, is_french, labelled, number, text

STEPS = 8


def label(french: bool) -> Callable[[str], str]:
    """The names to print in plots, strips and tables."""

    def named(name: str) -> str:
        return TITLES.get(name) or text(name, french)

    return named


def verdict(swept: Sweep, measure: str, french: bool) -> str:
    """Where each model helped, in a sentence."""

    def say(key: str, **fields: Any) -> str:
        strengths = {name: _strength(each, french) for name, each in fields.items() if not isinstance(each, str)}
        return text(f"verdict_{key}", french, **{**fields, **strengths})

    return robustness.verdict(swept, measure, label(french), say)


def _strength(value: float, french: bool) -> str:
    written = f"{value:g}"
    return written.replace(".", ",") if french else written


def described(swept: Sweep, measure: str, french: bool) -> str:
    """What the plot shows, in words: where each line begins and ends."""
    lines = []
    for name, row in swept.measures.items():
        first, final = (number(getattr(row[place], measure), 2, french) for place in (0, -1))
        lines.append(text("plot_line", french, name=label(french)(name), first=first, last=final))
    return text(
        "plot_alt", french, measure=text(measure, french), control=text(swept.control, french),
        lines=(" ; " if french else "; ").join(lines),
    )  # fmt: skip


@dataclass(frozen=True)
class Result:
    """A sweep and its files; its pictures are in these alone, as a result is kept for long."""

    name: str
    """Of the photo."""
    swept: Sweep
    measure: str
    """The one that the plot shows."""
    files: Mapping[str, str]


def files(name: str, swept: Sweep, measure: str, french: bool) -> dict[str, str]:
    """A sweep's plot, strip, table and recipes (a zip of one per strength) as files, by those names."""
    stem = f"{name}_{swept.control}"
    made = publish(
        {
            f"{stem}_plot.png": robustness.plot(swept, measure, label(french)),
            f"{stem}_strip.png": robustness.strip(swept, label(french)),
            f"{stem}.csv": robustness.table(swept, label(french)).encode("utf-8-sig"),
            f"{stem}_recipes.zip": b"",
        }
    )
    recipes = made[f"{stem}_recipes.zip"]
    archive.pack(
        Path(recipes),
        (
            (f"{swept.control}_{strength:g}.json", json.dumps(recipe.to_json(), indent=1).encode())
            for strength, recipe in zip(swept.strengths, swept.recipes, strict=True)
        ),
    )
    return dict(zip(("plot", "strip", "table", "recipes"), made.values(), strict=True))


def redrawn(result: Result, measure: str, french: bool) -> Result:
    """The result with a plot of another measure."""
    name = Path(result.files["plot"]).name
    plot = publish({name: robustness.plot(result.swept, measure, label(french))})[name]
    return replace(result, measure=measure, files={**result.files, "plot": plot})


def words(result: Result, measure: str, french: bool) -> str:
    """Where each model helped, and what was not tried."""
    said = verdict(result.swept, measure, french)
    if left := [title for name, title in TITLES.items() if name not in result.swept.measures]:
        said += f" {text('sweep_stopped', french, models=', '.join(left))}"
    return said


def stress(
    lab: AppContext, name: str, truth: Photo, control: str, at: Sequence[float], measure: str, french: bool, tell: Tell,
    *, seed: int, fit: Fit,
) -> Result:  # fmt: skip
    """Every model's sweep of the photo called ``name``, as files."""

    def progress(done: int, total: int) -> None:
        tell(done, total, text("restoring", french))

    progress(0, len(at) * len(TITLES))
    swept = lab.work_in_turn(
        robustness.sweep, truth, control, at, list(TITLES), seed=seed, fit=fit,
        progress=silent if zerogpu.IS_LENT else progress,  # from another process nothing reaches the visitor
    )  # fmt: skip
    made = files(name, swept, measure, french)
    return Result(name, replace(swept, photos={}), measure, made)


def tab(panel: Sidebar, lab: AppContext) -> None:
    """Lay out and wire the tab, inside the caller's Blocks."""
    gr.Markdown(i18n("robustness_lead"))
    start = CONTROLS["gaussian"]
    low, high = robustness.reach("gaussian")
    with gr.Row():
        control = gr.Dropdown(labelled(CONTROLS), value="gaussian", label=i18n("control"))
        measure = gr.Dropdown(labelled(PLOTTED), value=PLOTTED[0], label=i18n("measure"))
    with gr.Row():
        ends = [
            gr.Slider(start.low, start.high, value=value, step=start.step, label=i18n(which), min_width=150)
            for which, value in (("from", low), ("to", high))
        ]
        steps = gr.Slider(2, robustness.MAX_STEPS, value=STEPS, step=1, label=i18n("steps"), min_width=150)
    desk = jobs.desk("robustness", i18n("sweep_run"), "sweep")
    told = gr.Markdown(elem_id="sweep-verdict")
    plot = picture(i18n("sweep_plot"), "plot")
    strip = picture(i18n("strip"), "strip")
    downloads = gr.File(label=i18n("sweep_files"), file_count="multiple", interactive=False)
    last = gr.State(time_to_live=3000)
    results: list[Component] = [told, plot, strip, downloads, last]

    def reach(name: str) -> list[gr.Slider]:
        scale = CONTROLS[name]
        return [gr.Slider(scale.low, scale.high, value=value, step=scale.step) for value in robustness.reach(name)]

    def begin(
        request: gr.Request, path: str | None, fit: Any, seed: Any, name: str, low: float, high: float, count: int,
        which: str,
    ) -> Work:  # fmt: skip
        french = is_french(request)
        truth = image.fit(lab.load(examples.undamaged(chosen({"photo": path}, request))), fit)
        at = robustness.strengths(name, low, high, count)
        stem = Path(str(path)).stem[:60]
        return lambda tell: stress(lab, stem, truth, name, at, which, french, tell, seed=seed, fit=fit)

    def show(result: Result, french: bool) -> dict[Component, Any]:
        alt = described(result.swept, result.measure, french)
        return {
            told: words(result, result.measure, french),
            plot: gr.Image(result.files["plot"], alt_text=alt),
            strip: gr.Image(result.files["strip"], alt_text=text("strip", french)),
            downloads: list(result.files.values()),
            last: result,
        }

    def show_first(result: Result, french: bool) -> dict[Component, Any]:
        if result.swept.fell_back:
            gr.Warning(text("gpu_failed", french))
        return show(result, french)

    def redraw(result: Result | None, which: str, request: gr.Request) -> dict[Component, Any]:
        if not result:
            return dict.fromkeys(results)
        return show(redrawn(result, which, is_french(request)), is_french(request))

    def clear(id: str | None) -> dict[Component, Any]:
        desk.jobs.drop(id)
        return {**dict.fromkeys(results), **desk.cleared()}

    control.change(reach, control, ends, **QUIET)
    measure.input(redraw, [last, measure], results, **QUIET)
    inputs = [panel.photo, panel.damage["fit"], panel.damage["seed"], control, *ends, steps, measure]
    jobs.wire(desk, begin, inputs, show_first, results, over=plot)
    # What is shown is never another photo's.
    panel.arrived.change(clear, desk.id, [*results, *desk.state], queue=False, **QUIET)
