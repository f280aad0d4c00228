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
from ..context import QUIET, TITLES, AppContext, bound
from ..files import name_of, publish
from ..hardening import cleanup
from ..jobs import Desk, Tell, Work
from ..sidebar import Sidebar, chosen
from ..texts import i18n, is_french, labelled, number, text

STEPS = 8


def label(french: bool) -> Callable[[str], str]:
    """The names to print in plots, strips and tables."""
    return lambda name: TITLES.get(name) or text(name, french)


def summary(swept: Sweep, measure: str, french: bool) -> str:
    """Where each model helped, in a sentence."""
    return robustness.verdict(swept, measure, label(french), "fr" if french else "en")


def described(swept: Sweep, measure: str, french: bool) -> str:
    """What the plot shows, in words: where each line begins and ends."""
    lines = []
    for name, row in swept.measures.items():
        first, final = (number(getattr(row[index], measure), 2, french) for index in (0, -1))
        lines.append(text("plot_line", french, name=label(french)(name), first=first, last=final))
    names = {"measure": text(measure, french), "control": text(swept.control, french)}
    return text("plot_alt", french, **names, lines=(" ; " if french else "; ").join(lines))


@dataclass(frozen=True)
class PublishedSweep:
    """A sweep and its files; its pictures are in these alone, as a result is kept for long."""

    name: str
    """Of the photo."""
    swept: Sweep
    measure: str
    """The one that the plot shows."""
    files: Mapping[str, str]


def publish_sweep(name: str, swept: Sweep, measure: str, french: bool) -> dict[str, str]:
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


def redrawn(result: PublishedSweep, measure: str, french: bool) -> PublishedSweep:
    """The result with a plot of another measure."""
    name = Path(result.files["plot"]).name
    plot = publish({name: robustness.plot(result.swept, measure, label(french))})[name]
    return replace(result, measure=measure, files={**result.files, "plot": plot})


def words(result: PublishedSweep, measure: str, french: bool) -> str:
    """Where each model helped, and what was not tried."""
    said = summary(result.swept, measure, french)
    if left := [title for name, title in TITLES.items() if name not in result.swept.measures]:
        said += f" {text('sweep_stopped', french, models=', '.join(left))}"
    return said


def stress(
    context: AppContext, name: str, truth: Photo, control: str, at: Sequence[float], measure: str, french: bool,
    tell: Tell, *, seed: int, fit: Fit,
) -> PublishedSweep:  # fmt: skip
    """Every model's sweep of the photo called ``name``, as files."""

    def progress(done: int, total: int) -> None:
        tell(done, total, text("restoring", french))

    progress(0, len(at) * len(TITLES))
    telling = silent if zerogpu.IS_LENT else progress  # from another process nothing reaches the visitor
    swept = context.work_in_turn(
        robustness.sweep, truth, control, at, list(TITLES), seed=seed, fit=fit, progress=telling
    )
    made = publish_sweep(name, swept, measure, french)
    return PublishedSweep(name, replace(swept, photos={}), measure, made)


# --- The page ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RobustnessTab:
    """The tab's components, by what they hold, and what its handlers share."""

    context: AppContext
    control: gr.Dropdown
    measure: gr.Dropdown
    ends: Sequence[gr.Slider]
    """The lowest and the highest strength."""
    steps: gr.Slider
    desk: Desk
    summary: gr.Markdown
    plot: gr.Image
    strip: gr.Image
    downloads: gr.File
    last: gr.State
    """The last `PublishedSweep`."""

    @property
    def results(self) -> list[Component]:
        """What shows a sweep."""
        return [self.summary, self.plot, self.strip, self.downloads, self.last]


def layout(context: AppContext) -> RobustnessTab:
    """Lay out the tab, inside the caller's Blocks."""
    gr.Markdown(i18n("robustness_lead"))
    start = CONTROLS["gaussian"]
    with gr.Row():
        control = gr.Dropdown(labelled(CONTROLS), value="gaussian", label=i18n("control"))
        measure = gr.Dropdown(labelled(PLOTTED), value=PLOTTED[0], label=i18n("measure"))
    with gr.Row():
        ends = [
            gr.Slider(start.low, start.high, value=value, step=start.step, label=i18n(which), min_width=150)
            for which, value in zip(("from", "to"), robustness.reach("gaussian"), strict=True)
        ]
        steps = gr.Slider(2, robustness.MAX_STEPS, value=STEPS, step=1, label=i18n("steps"), min_width=150)
    return RobustnessTab(
        context=context,
        control=control,
        measure=measure,
        ends=ends,
        steps=steps,
        desk=jobs.desk("robustness", i18n("sweep_run"), "sweep"),
        summary=gr.Markdown(elem_id="sweep-verdict"),
        plot=picture(i18n("sweep_plot"), "plot"),
        strip=picture(i18n("strip"), "strip"),
        downloads=gr.File(label=i18n("sweep_files"), file_count="multiple", interactive=False),
        last=gr.State(time_to_live=cleanup.AGE),
    )


def wire(tab: RobustnessTab, sidebar: Sidebar) -> None:
    """Wire the tab, which sweeps the sidebar's photo."""
    results, fit, seed = tab.results, sidebar.damage["fit"], sidebar.damage["seed"]
    tab.control.change(reach, tab.control, list(tab.ends), **QUIET)
    tab.measure.input(bound(redraw, tab), [tab.last, tab.measure], results, **QUIET)
    inputs = [sidebar.photo, fit, seed, tab.control, *tab.ends, tab.steps, tab.measure]
    jobs.wire(tab.desk, bound(begin, tab.context), inputs, bound(show_first, tab), results, over=tab.plot)
    # What is shown is never another photo's.
    sidebar.arrived.change(bound(clear, tab), tab.desk.id, [*results, *tab.desk.state], queue=False, **QUIET)


def reach(name: str) -> list[gr.Slider]:
    """The sliders of a degradation's lowest and highest strength, as it is usually tried."""
    scale = CONTROLS[name]
    return [gr.Slider(scale.low, scale.high, value=value, step=scale.step) for value in robustness.reach(name)]


def begin(
    context: AppContext, request: gr.Request, path: str | None, fit: Any, seed: Any, control: str, low: float,
    high: float, steps: int, measure: str,
) -> Work:  # fmt: skip
    """Check what the page has sent; what is then to be done is the sweep."""
    french, path = is_french(request), chosen(path, request)
    truth = image.fit(context.load(examples.undamaged(path)), fit)
    at = robustness.strengths(control, low, high, steps)
    name = name_of(path)
    return lambda tell: stress(context, name, truth, control, at, measure, french, tell, seed=seed, fit=fit)


def show(tab: RobustnessTab, result: PublishedSweep, french: bool) -> dict[Component, Any]:
    """A sweep in words, as pictures, and as files."""
    return {
        tab.summary: words(result, result.measure, french),
        tab.plot: gr.Image(result.files["plot"], alt_text=described(result.swept, result.measure, french)),
        tab.strip: gr.Image(result.files["strip"], alt_text=text("strip", french)),
        tab.downloads: list(result.files.values()),
        tab.last: result,
    }


def show_first(tab: RobustnessTab, result: PublishedSweep, french: bool) -> dict[Component, Any]:
    """`show`, with a warning where the CPU stood in for a GPU that failed."""
    if result.swept.fell_back:
        gr.Warning(text("gpu_failed", french))
    return show(tab, result, french)


def redraw(
    tab: RobustnessTab, result: PublishedSweep | None, measure: str, request: gr.Request
) -> dict[Component, Any]:
    """Show another measure of the last sweep, if there is one."""
    french = is_french(request)
    return show(tab, redrawn(result, measure, french), french) if result else dict.fromkeys(tab.results)


def clear(tab: RobustnessTab, job: str | None) -> dict[Component, Any]:
    """Empty the tab: another photo is there."""
    tab.desk.jobs.drop(job)
    return {**dict.fromkeys(tab.results), **tab.desk.cleared()}
