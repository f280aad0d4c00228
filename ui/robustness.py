"""The Robustness tab: one degradation from mild to severe, every model at each step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from restoration import archive, image, robustness
from restoration.degradations import CONTROLS
from restoration.robustness import PLOTTED, Sweep

from . import gpu
from .errors import shown
from .files import publish
from .lab import NETWORK, TITLES, Lab
from .panel import Panel, chosen
from .presence import stay
from .restore import picture
from .texts import i18n, is_french, number, text

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


def tab(panel: Panel, lab: Lab) -> None:
    """Lay out and wire the tab, inside the caller's Blocks."""
    gr.Markdown(i18n("robustness_lead"))
    start = CONTROLS["gaussian"]
    low, high = robustness.reach("gaussian")
    with gr.Row():
        control = gr.Dropdown([(i18n(name), name) for name in CONTROLS], value="gaussian", label=i18n("control"))
        measure = gr.Dropdown([(i18n(name), name) for name in PLOTTED], value=PLOTTED[0], label=i18n("measure"))
    with gr.Row():
        ends = [
            gr.Slider(start.low, start.high, value=value, step=start.step, label=i18n(which), min_width=150)
            for which, value in (("from", low), ("to", high))
        ]
        steps = gr.Slider(2, robustness.MAX_STEPS, value=STEPS, step=1, label=i18n("steps"), min_width=150)
    run = gr.Button(i18n("sweep_run"), variant="primary", elem_id="sweep")
    told = gr.Markdown(elem_id="verdict")
    plot = picture(i18n("sweep_plot"), pixels=False, elem_id="plot")
    strip = picture(i18n("strip"), pixels=False, elem_id="strip")
    downloads = gr.File(label=i18n("sweep_files"), file_count="multiple", interactive=False)
    results = [told, plot, strip, downloads]
    last = gr.State(time_to_live=3000)

    def reach(name: str) -> list[gr.Slider]:
        scale = CONTROLS[name]
        return [gr.Slider(scale.low, scale.high, value=value, step=scale.step) for value in robustness.reach(name)]

    def sweep(
        path: str | None, fit: Any, seed: Any, name: str, low: float, high: float, count: int, which: str,
        request: gr.Request, progress: gr.Progress = gr.Progress(),  # noqa: B008  (how Gradio wants it)
    ) -> tuple[Any, ...]:  # fmt: skip
        french = is_french(request)
        with shown(request):
            truth = image.fit(lab.load(chosen({"photo": path}, request)), fit)
            at = robustness.strengths(name, low, high, count)

            def tell(done: int, total: int) -> None:
                stay()
                progress((done, total), desc=text("restoring", french), unit=text("candidate", french))

            swept = lab.work(
                robustness.sweep, truth, name, at, list(TITLES), seed=seed, fit=fit,
                progress=None if gpu.IS_LENT else tell,  # from another process nothing reaches the visitor
            )  # fmt: skip
            if swept.fell_back:
                gr.Warning(text("gpu_failed", french))
            result = Path(str(path)).stem[:60], swept
            return (*draw(result, which, french), result)

    def draw(result: tuple[str, Sweep], which: str, french: bool) -> tuple[Any, ...]:
        made = files(*result, which, french)
        alt = text("strip", french)
        return (
            verdict(result[1], which, french),
            gr.Image(made["plot"], alt_text=described(result[1], which, french)),
            gr.Image(made["strip"], alt_text=alt),
            list(made.values()),
        )

    def redraw(result: tuple[str, Sweep] | None, which: str, request: gr.Request) -> tuple[Any, ...]:
        with shown(request):
            return draw(result, which, is_french(request)) if result else (None,) * 4

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    control.change(reach, control, ends, **quiet)
    measure.input(redraw, [last, measure], results, **quiet)
    ran = run.click(
        sweep, [panel.photo, panel.fit, panel.seed, control, *ends, steps, measure], [*results, last],
        show_progress_on=plot, concurrency_id=NETWORK, concurrency_limit=1, api_visibility="private",
    )  # fmt: skip
    panel.photo.change(lambda: (None,) * 5, None, [*results, last], cancels=ran, queue=False, **quiet)
