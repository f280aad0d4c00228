"""The recipe of the last result: to copy, to download, to load, and as a link that reopens the app."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gradio as gr

from restoration import Degradation, Look, Recipe, pipeline, upscale
from restoration.errors import ControlError, RecipeMismatch

from ..context import QUIET, AppContext, check_recipe
from ..errors import sentence
from ..files import received
from ..links import link, linked
from ..results import Result
from ..sidebar import Sidebar
from ..texts import i18n, is_french, text
from .restore import Page


def settings(recipe: Recipe) -> dict[str, Any]:
    """The values of the panel's and the Restore tab's controls, by name, that ask for ``recipe``, or for its pixels.

    Raises `ControlError` where the recipe is of no restoration, or of one that the controls have no words for: they
    restore a photo whole, or degrade it at 128x128 first, and a mask that was drawn does not travel with a recipe.
    """
    if not recipe.models:
        raise ControlError("recipe_unfit")
    is_whole = recipe.size == "own"
    if recipe.degradation if is_whole else recipe.look != Look():
        raise ControlError("recipe_own")
    if recipe.inpaint and recipe.inpaint.mask != "auto":
        raise ControlError("recipe_mask")
    check_recipe(recipe)
    if asked := recipe.upscaling:
        upscale.check(asked.scale, asked.engine, asked.denoise, asked.tile)
    values: dict[str, Any] = {
        "mode": "damaged" if is_whole else "degrade",
        "fit": recipe.fit,
        "models": list(recipe.models),
        "scale": recipe.upscaling.scale if recipe.upscaling else 0,
        **asdict(recipe.degradation or Degradation()),
    }
    if is_whole:
        values |= {**asdict(recipe.look), "sample": recipe.look.sample or 0, "mend": recipe.inpaint is not None}
    if recipe.inpaint:
        values["sensitivity"] = recipe.inpaint.sensitivity
    if recipe.seed is not None or recipe.degradation:
        values["seed"] = recipe.seed or 0  # as the recipe itself is replayed
    if recipe.upscaling:
        engine = recipe.upscaling.engine
        values["engine"] = "x4plus" if engine == "x2plus" else engine
        values["denoise"] = 1.0 if recipe.upscaling.denoise is None else recipe.upscaling.denoise
    return values


def difference(recipe: Recipe, lab: AppContext) -> RecipeMismatch | None:
    """What of the models' weights, the libraries and the device is not as the recipe has it.

    An engine's weights, which are pinned, are not fetched for that: where they cannot be had, the run says so.
    """
    return recipe.mismatch(pipeline.resolve(lab.restorer, replace(recipe, upscaling=None)))


def section(panel: Sidebar, page: Page, lab: AppContext) -> None:
    """Lay out and wire the recipe, inside the caller's Blocks."""
    with gr.Accordion(i18n("recipe"), open=False, elem_id="recipes"):
        gr.Markdown(i18n("recipe_lead"))
        written = gr.Code(language="json", label=i18n("recipe_json"), interactive=True, lines=4, max_lines=12,
                          elem_id="recipe")  # fmt: skip
        address = gr.Textbox(label=i18n("recipe_link"), interactive=False, buttons=["copy"], elem_id="recipe-link")
        with gr.Row():
            apply = gr.Button(i18n("recipe_apply"), size="sm")
            file = gr.UploadButton(str(i18n("recipe_load")), file_types=[".json"], size="sm")

    def write(result: Result | None, request: gr.Request) -> tuple[str, str]:
        if result is None:  # another photo was chosen meanwhile
            return "", ""
        return json.dumps(result.recipe.to_json(), indent=1), link(request, "recipe", result.recipe.to_link())

    def fill(recipe: Recipe, request: gr.Request) -> dict[Any, Any]:
        values = settings(recipe)
        if differs := difference(recipe, lab):
            gr.Warning(sentence(differs, is_french(request)))
        gr.Info(text("recipe_loaded", is_french(request)))
        return {
            **{panel.inputs[name]: value for name, value in values.items()},
            **panel.for_mode(values["mode"]),
            panel.preset: None,
            written: json.dumps(recipe.to_json(), indent=1),
            address: link(request, "recipe", recipe.to_link()),
        }

    def from_text(contents: str, request: gr.Request) -> dict[Any, Any]:
        return fill(Recipe.from_text(contents or ""), request)

    def from_file(path: str, request: gr.Request) -> dict[Any, Any]:
        return fill(Recipe.read(Path(received(path))), request)

    def from_address(request: gr.Request) -> dict[Any, Any]:
        packed = linked(request, "recipe")
        if not packed:
            return {address: None}
        return fill(Recipe.from_link(packed), request)

    outputs = [*panel.inputs.values(), *panel.of_one_mode, panel.preset, written, address]
    page.last.change(write, page.last, [written, address], **QUIET)
    gr.on([apply.click], from_text, written, outputs, **QUIET).success(None, js="() => lab.stale()")
    file.upload(from_file, file, outputs, **QUIET).success(None, js="() => lab.stale()")
    gr.on(None, from_address, None, outputs, **QUIET)  # no trigger: when the page loads
