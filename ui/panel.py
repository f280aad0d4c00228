"""The photo and what is done to it: the left side of the app, which the first three tabs share."""

from __future__ import annotations

import random
from abc import ABCMeta
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component
from gradio.data_classes import ImageData

from restoration import Degradation, Look, Recipe, image
from restoration.degradations import CONTROLS, PRESETS, checked_seed, preset
from restoration.types import MAX_SAMPLES, Colour

from .errors import refuse, shown
from .files import publish, received
from .lab import Lab
from .texts import i18n, is_french, text

EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples"
UNSHOWN = (".heic", ".heif", ".tif", ".tiff")
"""What most browsers cannot show, so that the uploaded photo has an empty place."""
EXAMPLE_NAMES = ("astronaut", "china", "coffee", "flower", "grace_hopper", "chelsea", "motorcycle", "rocket")


@dataclass(frozen=True)
class Panel:
    """The components, by what they hold."""

    photo: gr.Image
    mode: gr.Radio
    fit: gr.Radio
    preset: gr.Radio
    seed: gr.Number
    controls: Mapping[str, Component]
    look: Mapping[str, Component]
    preview: gr.Image
    fitted: gr.State
    """The visitor's photo at 128x128, so that a slider's move does not decode it anew."""

    @property
    def inputs(self) -> dict[str, Component]:
        """What decides a run, by name."""
        first = {"photo": self.photo, "mode": self.mode, "fit": self.fit, "seed": self.seed}
        return {**first, **self.controls, **self.look}


def wish(values: Mapping[str, Any]) -> Recipe:
    """The recipe that the panel asks for, still without models; raises `ControlError`.

    A photo that is damaged already is restored whole; one that is degraded first is 128x128, as in the laboratory.
    """
    if values["mode"] == "damaged":
        sample = values["sample"] or None
        look = Look(
            colour=values["colour"], colour_strength=values["colour_strength"], tone=values["tone"], sample=sample
        )
        seed = checked_seed(values["seed"]) if sample else None  # it draws nothing else, and nobody sees it
        return Recipe(size="own", fit=values["fit"], look=look, seed=seed)
    degradation = Degradation(**{name: values[name] for name in ("grayscale", *CONTROLS)})
    return Recipe(fit=values["fit"], degradation=degradation, seed=checked_seed(values["seed"]))


def chosen(values: Mapping[str, Any], request: gr.Request) -> str:
    """The path of the visitor's photo; `gr.Error` where there is none yet."""
    if not values["photo"]:
        raise refuse("no_photo", request)
    return str(values["photo"])


def load(panel: Panel, lab: Lab, values: Mapping[Any, Any], request: gr.Request) -> dict[Any, Any]:
    """What the photo's file gives: the fitted photo and its preview, by component."""
    with shown(request):
        path = values[panel.photo]
        fitted = image.fit(lab.load(path), values[panel.fit]) if path else None
        if path and Path(path).suffix.lower() in UNSHOWN:
            gr.Info(text("photo_unshown", is_french(request)))
        return {panel.fitted: fitted, panel.preview: _preview(panel, {**values, panel.fitted: fitted}, request)}


def _preview(panel: Panel, values: Mapping[Any, Any], request: gr.Request, **changed: Any) -> gr.Image:
    """The fitted photo as the networks get it, with the controls ``changed``; hidden where they get the whole photo."""
    if values[panel.mode] == "damaged":
        return gr.Image(None, visible=False)
    if values[panel.fitted] is None:
        return gr.Image(None, visible=True)
    recipe = wish({**{name: values[each] for name, each in panel.inputs.items()}, **changed})
    assert recipe.degradation
    degraded = recipe.degradation.apply(values[panel.fitted], recipe.seed or 0)
    path = publish({"preview.png": degraded})["preview.png"]
    return gr.Image(path, alt_text=text("preview_alt", is_french(request)), visible=True)


def build(lab: Lab) -> Panel:
    """Lay out and wire the panel, inside the caller's Blocks."""
    photo = UploadedPhoto(
        label=i18n("photo"), type="filepath", image_mode=None, format="png", height=240, elem_id="photo",
        sources=["upload", "webcam", "clipboard"],
    )  # fmt: skip
    gr.Examples([[str(EXAMPLES / f"{name}.jpg")] for name in EXAMPLE_NAMES], [photo], label=i18n("examples"))
    mode = gr.Radio(
        [(i18n("mode_degrade"), "degrade"), (i18n("mode_damaged"), "damaged")], value="degrade", label=i18n("mode")
    )
    preview = _picture(i18n("preview"), elem_id="preview")
    start = PRESETS["original"].draw(0)
    with gr.Column() as damage:
        which = gr.Radio([(i18n(name), name) for name in (*PRESETS, "off")], value="original", label=i18n("preset"))
        with gr.Row():
            seed = gr.Number(value=0, precision=0, minimum=0, label=i18n("seed"), min_width=80)
            dice = gr.Button(i18n("dice"), min_width=80)
        with gr.Accordion(i18n("by_hand"), open=True, elem_id="by-hand"):
            controls: dict[str, Component] = {"grayscale": gr.Checkbox(value=True, label=i18n("grayscale"))}
            for name, control in CONTROLS.items():
                controls[name] = gr.Slider(
                    control.low, control.high, value=getattr(start, name), step=control.step, label=i18n(name),
                    elem_id=f"control-{name}",
                )  # fmt: skip
    fit = gr.Radio([(i18n(how), how) for how in ("crop", "squash", "pad")], value="crop", label=i18n("fit"))
    with gr.Accordion(i18n("look"), open=False, visible=False, elem_id="look") as looks:
        look = _look()
    panel = Panel(photo, mode, fit, which, seed, controls, look, preview, gr.State(time_to_live=3000))
    _wire(panel, dice, damage, looks)
    # On a phone the sliders would push the results out of reach.
    gr.on(None, None, js="() => { if (innerWidth < 640) document.querySelector('#by-hand button')?.click() }",
          api_visibility="private")  # fmt: skip
    return panel


def _look() -> dict[str, Component]:
    """The controls of how a photo that is restored whole is to look, by their names in `Look`."""
    return {
        "colour": gr.Radio([(i18n(f"colour_{name}"), name) for name in get_args(Colour)], value="auto",
                           label=i18n("look_colour")),
        "colour_strength": gr.Slider(0, 2, value=1, step=0.05, label=i18n("look_strength")),
        "tone": gr.Slider(0, 1, value=1, step=0.05, label=i18n("look_tone")),
        "sample": gr.Number(value=0, precision=0, minimum=0, maximum=MAX_SAMPLES, label=i18n("look_sample")),
    }  # fmt: skip


def show_chosen(panel: Panel, lab: Lab) -> None:
    """Have the panel show each photo that is chosen.

    To be called after the tabs: a page does what hangs on one event one after the other, and before the tabs have
    forgotten the last photo, a visitor would start what that ends.
    """

    def reload(values: Mapping[Any, Any], request: gr.Request) -> dict[Any, Any]:
        return load(panel, lab, values, request)

    gr.on(
        [panel.photo.change, panel.fit.change], reload, {*panel.inputs.values(), panel.fitted, panel.preset},
        [panel.fitted, panel.preview], show_progress="hidden", api_visibility="private",
    )  # fmt: skip


def _wire(panel: Panel, dice: gr.Button, damage: gr.Column, looks: gr.Accordion) -> None:
    by_hand = list(panel.controls.values())
    everything: set[Block] = {*panel.inputs.values(), panel.fitted, panel.preset}
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def move(values: Mapping[Any, Any], request: gr.Request) -> dict[Any, Any]:
        with shown(request):
            return {panel.preview: _preview(panel, values, request), panel.preset: None}

    def draw(values: Mapping[Any, Any], request: gr.Request) -> dict[Any, Any]:
        with shown(request):
            name, seed = values[panel.preset], values[panel.seed]
            if name is None:  # set by hand: the seed says where the noise falls, and no more
                return {panel.preview: _preview(panel, values, request)}
            drawn = asdict(Degradation() if name == "off" else preset(name).draw(seed))
            updates: dict[Any, Any] = {component: drawn[control] for control, component in panel.controls.items()}
            return {**updates, panel.preview: _preview(panel, values, request, **drawn)}

    def roll(values: Mapping[Any, Any], request: gr.Request) -> dict[Any, Any]:
        seed = random.randrange(1_000_000)
        return {panel.seed: seed, **draw({**values, panel.seed: seed}, request)}

    def switch(values: Mapping[Any, Any], request: gr.Request) -> dict[Any, Any]:
        with shown(request):
            is_whole = values[panel.mode] == "damaged"
            return {
                damage: gr.Column(visible=not is_whole),
                panel.fit: gr.Radio(visible=not is_whole),
                looks: gr.Accordion(visible=is_whole),
                panel.preview: _preview(panel, values, request),
            }

    moved = [each.input for each in by_hand]  # type: ignore[attr-defined]
    gr.on(
        moved, move, everything, [panel.preview, panel.preset], trigger_mode="always_last", concurrency_limit=4, **quiet
    )
    asked = [panel.preset.input, panel.seed.input]  # of a seed's digits the last counts, however fast they are typed
    gr.on(asked, draw, everything, [*by_hand, panel.preview], trigger_mode="always_last", **quiet)
    dice.click(roll, everything, [panel.seed, *by_hand, panel.preview], **quiet)
    panel.mode.change(switch, everything, [damage, panel.fit, looks, panel.preview], **quiet)


def uploaded_file(payload: ImageData | None) -> str | None:
    """The path of the upload itself: `restoration.image` is what opens it, not Gradio."""
    if payload is None:
        return None
    with shown(None):
        return received(payload.path or "")


# A class, not one changed component: an update, as the click on an example is, makes the component anew from its class.
# And no class statement, for which Gradio would write a .pyi file beside this one.
UploadedPhoto = ABCMeta.__new__(
    type(gr.Image), "Image", (gr.Image,), {"preprocess": lambda self, payload: uploaded_file(payload)}
)


def _picture(label: Any, elem_id: str) -> gr.Image:
    return gr.Image(
        label=label, format="png", interactive=False, elem_id=elem_id, elem_classes=["result", "pixels"],
        buttons=["download", "fullscreen"],
    )  # fmt: skip
