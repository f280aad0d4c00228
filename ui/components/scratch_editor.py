"""Scratches under the visitor's hand: found, shown in red over the photo, corrected by brush and eraser, mended."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component
from PIL import Image

from restoration import Photo, Restorer, scratches
from restoration.errors import PhotoError
from restoration.types import Inpainting, Mask, drawn_sha256

from ..context import QUIET, RUNNING, AppContext, bound
from ..hardening import cleanup
from ..sidebar import Sidebar, chosen
from ..texts import is_french, number, text
from .pictures import html_component

MAX_SIDE = 1024
"""Most pixels a side of what is drawn on: a finger is no finer, and a phone has little memory."""
RED = (230, 40, 40, 255)
PNG = "data:image/png;base64,"
WORDS = ("brush", "eraser", "size", "undo")


@dataclass(frozen=True)
class Found:
    """What was found on the photo at ``path``, as large as it is shown."""

    path: str
    mask: Mask


@dataclass(frozen=True, kw_only=True)
class ScratchEditor:
    """The components, by what they hold."""

    whole: gr.Column
    told: gr.Markdown
    editor: gr.HTML
    found: gr.State
    """The last `Found`."""

    @property
    def inputs(self) -> dict[str, Component]:
        """What decides a run beside the sidebar's settings, by name."""
        return {"editor": self.editor, "found": self.found}


def layout() -> ScratchEditor:
    """Lay out where the mask is shown and corrected, inside the caller's Blocks."""
    with gr.Column(visible=False) as whole:
        told = gr.Markdown(elem_id="scratches-told")
        editor = html_component("scratch_editor", "scratches-editor")
    return ScratchEditor(whole=whole, told=told, editor=editor, found=gr.State(time_to_live=cleanup.AGE))


def wire(editor: ScratchEditor, context: AppContext, sidebar: Sidebar) -> None:
    """Have the sidebar's controls of scratches find them, and show more or fewer."""
    mend, sensitivity = sidebar.settings["mend"], sidebar.settings["sensitivity"]
    shown = [editor.told, editor.editor]
    sidebar.find.click(
        bound(find, context), [sidebar.photo, sensitivity], [editor.found, mend, editor.whole, *shown], **RUNNING
    )
    sensitivity.release(  # type: ignore[attr-defined]
        bound(move, context), [editor.found, sensitivity], shown, trigger_mode="always_last", **QUIET
    )
    gr.on([sidebar.arrived.change, sidebar.mode.change], forget, None, [editor.found, editor.whole], **QUIET)


def find(context: AppContext, path: str | None, sensitivity: float, request: gr.Request) -> tuple[Any, ...]:
    """Find the photo's scratches: what was found, that they are to be mended, and the editor with the mask in it."""
    path = chosen(path, request)
    photo = context.load(path, reduce_to=None)
    small = _reduced(photo)
    mask = context.work(Restorer.find_scratches, photo)
    found = Found(path, Mask(np.asarray(Image.fromarray(mask.pixels).resize((small.width, small.height)))))
    return found, True, gr.Column(visible=True), *show(found, small, sensitivity, is_french(request))


def move(context: AppContext, found: Found | None, sensitivity: float, request: gr.Request) -> tuple[Any, Any]:
    """Show more or less of what was found, as ``sensitivity`` says."""
    if found is None:
        return "", gr.skip()
    return show(found, _reduced(context.load(found.path, reduce_to=None)), sensitivity, is_french(request))


def show(found: Found, small: Photo, sensitivity: float, french: bool) -> tuple[str, dict[str, Any]]:
    """What was found in a sentence, and the editor's value, with the mask over the ``small`` photo."""
    marked = scratches.marked(found.mask, sensitivity)
    layer = np.zeros((small.height, small.width, 4), np.uint8)
    layer[marked] = RED
    return said(float(marked.mean()), french), {
        "photo": _data_url(small.pixels, "JPEG"),
        "mask": _data_url(layer, "PNG"),
        "words": {word: text(f"scratches_{word}", french) for word in WORDS},
    }


def forget() -> tuple[None, gr.Column]:
    """Put the editor away: another photo is there, or one that is damaged here."""
    return None, gr.Column(visible=False)


def said(share: float, french: bool) -> str:
    """What was found, in a sentence."""
    if share == 0:
        return text("scratches_none", french)
    return text("scratches_found", french, share=number(100 * share, 1, french))


def inpainting_from_controls(values: Mapping[str, Any], photo: Photo) -> tuple[Inpainting | None, Photo | None]:
    """How the visitor wants the scratches of ``photo`` mended, and the mask: the one that is shown, if one is."""
    if values["mode"] != "damaged" or not values["mend"]:
        return None, None
    if values["found"] is None or values["found"].path != values["photo"]:
        return Inpainting(sensitivity=values["sensitivity"]), None
    drawn = scratches.picture(scratches.marked(scratches.mask_of(_drawn(values["editor"]["mask"]), photo)))
    return Inpainting(mask=drawn_sha256(drawn)), drawn


def _drawn(layer: str) -> Photo:
    """The page's layer, a transparent PNG as a data URL, as a mask; raises `PhotoError`."""
    try:
        data = base64.b64decode(layer.removeprefix(PNG), validate=True)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            if max(picture.size) > MAX_SIDE:
                raise ValueError(f"{picture.width}x{picture.height} pixels")
            return scratches.picture(np.asarray(picture.convert("RGBA"))[..., 3] > 127)
    except (OSError, ValueError, SyntaxError) as error:
        raise PhotoError("mask_unread", reason=error) from error


def _data_url(pixels: np.ndarray, kind: str) -> str:
    """A picture as a page can show it at once."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def _reduced(photo: Photo) -> Photo:
    """``photo`` as it is drawn on."""
    factor = min(1, MAX_SIDE / max(photo.width, photo.height))
    size = (max(1, round(photo.width * factor)), max(1, round(photo.height * factor)))
    return photo if factor == 1 else Photo(np.array(Image.fromarray(photo.pixels).resize(size, Image.Resampling.BOX)))
