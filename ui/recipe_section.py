"""The end of the Restore tab: its last result's recipe to copy, to download, to load, and as a link to the app."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from restoration import Degradation, Look, Recipe, pipeline, upscale
from restoration.errors import ControlError, RecipeMismatch

from .context import QUIET, AppContext, bound, check_recipe
from .errors import sentence
from .files import received
from .links import link, linked
from .results import Result
from .sidebar import Sidebar
from .texts import i18n, is_french, text


@dataclass(frozen=True, kw_only=True)
class RecipeSection:
    """The section's components, and what its handlers share."""

    context: AppContext
    sidebar: Sidebar
    written: gr.Code
    address: gr.Textbox
    apply: gr.Button
    file: gr.UploadButton


def layout(context: AppContext, sidebar: Sidebar) -> RecipeSection:
    """Lay out the recipe, inside the caller's Blocks."""
    with gr.Accordion(i18n("recipe"), open=False, elem_id="recipes"):
        gr.Markdown(i18n("recipe_lead"))
        written = gr.Code(language="json", label=i18n("recipe_json"), interactive=True, lines=4, max_lines=12)
        address = gr.Textbox(label=i18n("recipe_link"), interactive=False, buttons=["copy"], elem_id="recipe-link")
        with gr.Row():
            apply = gr.Button(i18n("recipe_apply"), size="sm")
            file = gr.UploadButton(str(i18n("recipe_load")), file_types=[".json"], size="sm")
    return RecipeSection(context=context, sidebar=sidebar, written=written, address=address, apply=apply, file=file)


def wire(section: RecipeSection, last: gr.State) -> None:
    """Have the section show the recipe of the ``last`` result, and the controls follow a recipe that is loaded."""
    sidebar, written, address = section.sidebar, section.written, section.address
    outputs = [*sidebar.inputs.values(), *sidebar.of_one_mode, sidebar.preset, written, address]
    last.change(write, last, [written, address], **QUIET)
    for event, handler, source in (
        (section.apply.click, from_text, written),
        (section.file.upload, from_file, section.file),
    ):
        event(bound(handler, section), source, outputs, **QUIET).success(None, js="() => lab.stale()")
    gr.on(None, bound(from_address, section), None, outputs, **QUIET)  # no trigger: when the page loads


def write(result: Result | None, request: gr.Request) -> tuple[str, str]:
    """The recipe of the last result, and the link to it; both are empty once another photo was chosen."""
    if result is None:
        return "", ""
    return json.dumps(result.recipe.to_json(), indent=1), link(request, "recipe", result.recipe.to_link())


def from_text(section: RecipeSection, contents: str, request: gr.Request) -> dict[Any, Any]:
    """Load the recipe that the visitor has pasted or changed."""
    return fill(section, Recipe.from_text(contents or ""), request)


def from_file(section: RecipeSection, path: str, request: gr.Request) -> dict[Any, Any]:
    """Load the recipe of a file."""
    return fill(section, Recipe.read(Path(received(path))), request)


def from_address(section: RecipeSection, request: gr.Request) -> dict[Any, Any]:
    """Load the recipe that the page's address holds, if it does."""
    packed = linked(request, "recipe")
    return fill(section, Recipe.from_link(packed), request) if packed else {section.address: None}


def fill(section: RecipeSection, recipe: Recipe, request: gr.Request) -> dict[Any, Any]:
    """Set the controls as ``recipe`` has them, and warn where it was made by other weights, libraries or a device."""
    sidebar, values = section.sidebar, settings(recipe)
    if differs := difference(recipe, section.context):
        gr.Warning(sentence(differs, is_french(request)))
    gr.Info(text("recipe_loaded", is_french(request)))
    return {
        **{sidebar.inputs[name]: value for name, value in values.items()},
        **sidebar.for_mode(values["mode"]),
        sidebar.preset: None,
        section.written: json.dumps(recipe.to_json(), indent=1),
        section.address: link(request, "recipe", recipe.to_link()),
    }


def settings(recipe: Recipe) -> dict[str, Any]:
    """The values of the sidebar's controls, by name, that ask for ``recipe``, or for its pixels.

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
    if asked := recipe.upscaling:
        upscale.check(asked.scale, asked.engine, asked.denoise, asked.tile)
        values["engine"] = "x4plus" if asked.engine == "x2plus" else asked.engine
        values["denoise"] = 1.0 if asked.denoise is None else asked.denoise
    return values


def difference(recipe: Recipe, context: AppContext) -> RecipeMismatch | None:
    """What of the models' weights, the libraries and the device is not as the recipe has it.

    An engine's weights, which are pinned, are not fetched for that: where they cannot be had, the run says so.
    """
    return recipe.mismatch(pipeline.resolve(context.restorer, replace(recipe, upscaling=None)))
