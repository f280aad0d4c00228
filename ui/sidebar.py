"""The photo and what is to be done with it: the narrow column beside the pictures."""

from __future__ import annotations

from abc import ABCMeta
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, get_args

import gradio as gr
from gradio.components import Component
from gradio.components.image_editor import WebcamOptions
from gradio.data_classes import ImageData
from PIL import Image

from restoration import Degradation, Look, Recipe, Upscaling
from restoration.degradations import CONTROLS, PRESETS, checked_seed
from restoration.image import Fit
from restoration.types import MAX_SAMPLES, Colour

from . import examples
from .context import OFFERED_ENGINES, QUIET, TITLES, only_by_able_models
from .errors import refuse
from .files import received
from .texts import i18n, is_french, labelled, text


@dataclass(frozen=True, kw_only=True)
class Sidebar:
    """The components, by what they hold."""

    photo: gr.Image
    arrived: gr.State
    """When another photo came. Gradio tells of the photo's own changes without end where they change anything."""
    example: gr.Radio
    mode: gr.Radio
    preset: gr.Radio
    dice: gr.Button
    start: gr.Button
    stop: gr.Button
    find: gr.Button
    laboratory: Sequence[Component]
    """What is seen where a good photo is damaged first."""
    owner: Sequence[Component]
    """What is seen where a photo came damaged."""
    damage: Mapping[str, Component]
    """What decides the damage, by name."""
    settings: Mapping[str, Component]
    """What else decides a run, by name."""

    @property
    def strengths(self) -> dict[str, Component]:
        """The damage itself, by name."""
        return {name: each for name, each in self.damage.items() if name not in ("seed", "fit")}

    @property
    def inputs(self) -> dict[str, Component]:
        """What decides a run, by name: a recipe sets all of it but the photo."""
        return {"photo": self.photo, "mode": self.mode, **self.damage, **self.settings}

    @property
    def of_one_mode(self) -> list[Component]:
        """The parts that only one of the two modes shows."""
        return [*self.laboratory, *self.owner]

    def for_mode(self, mode: str) -> dict[Component, Component]:
        """The updates that show the parts of ``mode``, and hide the other's."""
        shown = self.owner if mode == "damaged" else self.laboratory
        return {each: type(each)(visible=each in shown) for each in self.of_one_mode}


def recipe_from_controls(values: Mapping[str, Any]) -> Recipe:
    """The recipe that the controls ask for, still without models; raises `ControlError`.

    A photo that is damaged already is restored whole; one that is degraded first is 128x128, as in the laboratory.
    """
    if values["mode"] == "damaged":
        named = {name: values[name] for name in ("colour", "colour_strength", "tone")}
        look = Look(**named, sample=values["sample"] or None)
        seed = checked_seed(values["seed"]) if look.sample else None  # it draws nothing else, and nobody sees it
        return Recipe(size="own", fit=values["fit"], look=look, seed=seed)
    degradation = Degradation(**{name: values[name] for name in ("grayscale", *CONTROLS)})
    return Recipe(fit=values["fit"], degradation=degradation, seed=checked_seed(values["seed"]))


def requested_recipe(values: Mapping[str, Any], request: gr.Request) -> Recipe:
    """The whole recipe of the controls' values, but for how scratches are mended."""
    if not values["models"]:
        raise refuse("no_model", request)
    upscaling = None
    if values["scale"]:
        denoise = values["denoise"] if values["engine"] == "general" else None
        upscaling = Upscaling(scale=values["scale"], engine=values["engine"], denoise=denoise)
    models = {name: None for name in TITLES if name in values["models"]}
    recipe = only_by_able_models(replace(recipe_from_controls(values), models=models, upscaling=upscaling))
    if len(recipe.models) < len(models):
        gr.Info(text("left_out", is_french(request)))
    return recipe


def chosen(path: str | None, request: gr.Request) -> str:
    """The path of the visitor's photo; `gr.Error` where there is none yet."""
    if not path:
        raise refuse("no_photo", request)
    return path


def layout() -> Sidebar:
    """Lay out the column, inside the caller's Blocks."""
    photo = UploadedPhoto(
        label=i18n("photo"), type="filepath", image_mode=None, format="png", height=190, elem_id="photo",
        sources=["upload", "clipboard", "webcam"], buttons=[],
        webcam_options=WebcamOptions(mirror=False, constraints={"video": {"facingMode": "environment"}}),
    )  # fmt: skip
    example = gr.Radio(labelled(examples.NAMES, "example_"), value=None, label=i18n("examples"), elem_id="examples")
    mode = gr.Radio(labelled(("damaged", "degrade"), "mode_"), value="damaged", label=i18n("mode"), elem_id="mode")
    start_from = PRESETS["original"].draw(0)
    with gr.Row(visible=False) as draw:
        presets = labelled((*PRESETS, "off"))
        preset = gr.Radio(presets, value="original", label=i18n("preset"), min_width=200, elem_id="preset")
        dice = gr.Button(i18n("dice"), size="sm", min_width=120, elem_id="dice")
    start = gr.Button(i18n("run"), variant="primary", interactive=False, elem_id="restore")
    stop = gr.Button(i18n("stop"), variant="stop", elem_id="stop")
    models = gr.CheckboxGroup(
        [(title, name) for name, title in TITLES.items()], value=list(TITLES), label=i18n("model"), elem_id="models"
    )
    with gr.Accordion(i18n("by_hand"), open=True, visible=False, elem_id="by-hand") as by_hand:
        controls: dict[str, Component] = {"grayscale": gr.Checkbox(value=True, label=i18n("grayscale"))}
        for name, control in CONTROLS.items():
            value, label, id = getattr(start_from, name), i18n(name), f"control-{name}"
            controls[name] = gr.Slider(control.low, control.high, value, step=control.step, label=label, elem_id=id)
        seed = gr.Number(value=0, precision=0, minimum=0, label=i18n("seed"), elem_id="seed")
        fit = gr.Radio(labelled(get_args(Fit)), value="crop", label=i18n("fit"), elem_id="fit")
    with gr.Accordion(i18n("mending"), open=False, elem_id="mending") as mending:
        mend = gr.Checkbox(label=i18n("scratches_mend"))
        sensitivity = gr.Slider(0, 1, value=0.5, step=0.01, label=i18n("scratches_sensitivity"))
        find = gr.Button(i18n("scratches_find"), size="sm", elem_id="find-scratches")
    with gr.Accordion(i18n("look"), open=False, elem_id="look") as looks:
        look: dict[str, Component] = {
            "colour": gr.Radio(labelled(get_args(Colour), "colour_"), value="auto", label=i18n("look_colour")),
            "colour_strength": gr.Slider(0, 2, value=1, step=0.05, label=i18n("look_strength")),
            "tone": gr.Slider(0, 1, value=1, step=0.05, label=i18n("look_tone")),
            "sample": gr.Number(value=0, precision=0, minimum=0, maximum=MAX_SAMPLES, label=i18n("look_sample")),
        }
    with gr.Accordion(i18n("size"), open=False, elem_id="size"):
        scale = gr.Radio(labelled((0, 2, 4), "upscale_"), value=0, label=i18n("upscale"), elem_id="scale")
        engine = gr.Dropdown(labelled(OFFERED_ENGINES, "engine_"), value="auto", label=i18n("engine"))
        denoise = gr.Slider(0, 1, value=1, step=0.05, label=i18n("denoise"), visible=False)
    engine.change(lambda name: gr.Slider(visible=name == "general"), engine, denoise, **QUIET)
    return Sidebar(
        photo=photo, arrived=gr.State(), example=example, mode=mode, preset=preset, dice=dice, start=start,
        stop=stop, find=find,
        laboratory=[draw, by_hand],
        owner=[mending, looks],
        damage={"seed": seed, "fit": fit, **controls},
        settings={
            "models": models, "scale": scale, "engine": engine, "denoise": denoise, "mend": mend,
            "sensitivity": sensitivity, **look,
        },
    )  # fmt: skip


def uploaded_file(payload: ImageData | None) -> str | None:
    """The path of the upload itself: `restoration.image` is what opens it, not Gradio."""
    return received(payload.path or "") if payload else None


# A class, not one changed component: an update, as the click on an example is, makes the component anew from its class.
# And no class statement, for which Gradio would write a .pyi file beside this one.
UploadedPhoto = ABCMeta.__new__(
    type(gr.Image), "Image", (gr.Image,), {"preprocess": lambda self, payload: uploaded_file(payload)}
)


def thumbnails() -> str:
    """Style that shows a small picture in each example's choice: one stop of the Tab key for all of them."""
    rules = []
    for number, name in enumerate(examples.NAMES, 1):
        with Image.open(examples.FOLDER / f"{name}.jpg") as picture:
            picture.thumbnail((96, 96))
            file = BytesIO()
            picture.convert("RGB").save(file, "JPEG", quality=70)
        url = f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"
        rules.append(f'#examples label:nth-child({number}) {{ background-image: url("{url}"); }}')
    return "\n".join(rules)
