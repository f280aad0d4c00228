"""The Compare tab: every model on the same degraded photo, measured side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np

from restoration import Look, Photo, Recipe

from .errors import shown
from .files import publish
from .lab import NETWORK, TITLES, Lab
from .panel import Panel, chosen, wish
from .restore import Result, measures, picture, publish_run, shown_picture, title
from .texts import i18n, is_french, number, text

WHITE = 64
"""Levels of 255 that an error map shows as white."""


def everything(values: Mapping[str, Any]) -> Recipe:
    """The panel's recipe for all models, at the size and with the look that they are compared at."""
    return replace(wish(values), size=128, look=Look(), models=dict.fromkeys(TITLES))


def error_map(photo: Photo, truth: Photo) -> tuple[Photo, float]:
    """Where ``photo`` differs from the truth, as a grey picture, and by how many levels of 255 on average."""
    difference = np.abs(photo.pixels.astype(float) - truth.pixels).mean(2)
    grey = np.rint(np.clip(difference * (255 / WHITE), 0, 255)).astype(np.uint8)
    return Photo(np.repeat(grey[..., None], 3, axis=2)), float(difference.mean())


def error_maps(result: Result, french: bool) -> dict[str, gr.Image]:
    """The update that shows each candidate's error map, by its name: degraded, then the models."""
    truth = result.photo("original")
    maps = {name: error_map(result.photo(name), truth) for name in result.paths if name != "original"}
    paths = publish({f"{result.name}_{name}_error.png": photo for name, (photo, _) in maps.items()})
    updates = {}
    for path, (name, (_, mean)) in zip(paths.values(), maps.items(), strict=True):
        of = TITLES.get(name) or title(name, result.sizes[name], french)
        alt = text("error_alt", french, model=of, mean=number(mean, 1, french))
        updates[name] = gr.Image(path, label=text("error_of", french, model=of), alt_text=alt, visible=True)
    return updates


def tab(panel: Panel, lab: Lab) -> tuple[gr.State, gr.events.Dependency]:
    """Lay out and wire the tab, inside the caller's Blocks; returns its last result, and its run."""
    gr.Markdown(i18n("compare_lead"))
    start = gr.Button(i18n("compare_run"), variant="primary", elem_id="compare")
    last = gr.State(time_to_live=3000)
    names = ("original", "degraded", *TITLES)
    with gr.Row(elem_classes="pictures five"):
        photos = {
            name: picture(TITLES.get(name), pixels=True, min_width=150, visible=False, elem_id=f"compare-{name}")
            for name in names
        }
    table = gr.HTML(elem_id="compare-measures")
    wanted = gr.Checkbox(label=i18n("error_maps"), value=False, visible=False)
    with gr.Row(elem_classes="pictures five"):
        maps = {name: picture(None, pixels=True, min_width=150, visible=False) for name in names[1:]}
    caption = gr.Markdown(i18n("error_caption"), visible=False)
    inputs = panel.inputs

    def show_maps(result: Result | None, is_wanted: bool, french: bool) -> dict[Any, Any]:
        found = error_maps(result, french) if result and "original" in result.paths and is_wanted else {}
        hidden = gr.Image(None, visible=False)
        return {caption: gr.Markdown(visible=bool(found)), **{maps[name]: found.get(name, hidden) for name in maps}}

    def compare(values: Mapping[Any, Any], request: gr.Request) -> dict[Any, Any]:
        french = is_french(request)
        with shown(request):
            named = {name: values[component] for name, component in inputs.items()}
            path = chosen(named, request)
            run = lab.run(lab.load(path), everything(named))
            result = publish_run(path, run)
            updates: dict[Any, Any] = {each: gr.Image(None, visible=False) for each in photos.values()}
            for kind in result.paths:
                updates[photos["degraded" if kind == "photo" else kind]] = shown_picture(result, kind, french)
            return {
                **updates,
                table: measures(run, french),
                last: result,
                wanted: gr.Checkbox(visible=run.truth is not None),
                **show_maps(result, values[wanted], french),
            }

    def toggle(result: Result | None, is_wanted: bool, request: gr.Request) -> dict[Any, Any]:
        with shown(request):
            return show_maps(result, is_wanted, is_french(request))

    def clear() -> dict[Any, Any]:
        hidden = {each: gr.Image(None, visible=False) for each in (*photos.values(), *maps.values())}
        return {
            **hidden,
            table: None,
            last: None,
            wanted: gr.Checkbox(visible=False),
            caption: gr.Markdown(visible=False),
        }

    outputs = [*photos.values(), table, wanted, last, *maps.values(), caption]
    ran = start.click(
        compare, {*inputs.values(), wanted}, outputs, concurrency_id=NETWORK, concurrency_limit=1,
        api_visibility="private",
    )  # fmt: skip
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    wanted.input(toggle, [last, wanted], [*maps.values(), caption], **quiet)
    panel.photo.change(clear, None, outputs, cancels=ran, queue=False, **quiet)
    return last, ran
