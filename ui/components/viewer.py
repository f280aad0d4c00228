"""The pictures of a run, on the page: one large, before and after, with the others below it; or all side by side.

Gradio's own slider has no role, value or keys, cuts squares on a full screen, and holds a finger that would scroll.
This one is a range input over two pictures, after the comparison sliders of the web's pattern libraries.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from ..context import TITLES
from ..results import Result, title
from ..texts import text
from .pictures import drawn_by_page

WORDS = ("slider", "before", "choices", "all", "large", "fullscreen", "stale")


def build() -> gr.HTML:
    """The component, empty as yet; the visitor's `shown` and `all` come back in its value."""
    return drawn_by_page("viewer", "viewer")


def value(result: Result, french: bool, *, shown: str, side_by_side: bool) -> dict[str, Any]:
    """What the viewer shows of a run: ``shown`` large, or beside all others."""
    kinds = [kind for kind in result.paths if kind != "mask" and "_x" not in kind]
    pictures = [_picture(result, kind, french) for kind in kinds]
    for picture in pictures:
        if (larger := result.largest(picture["kind"])) != picture["kind"]:
            picture["large"] = _picture(result, larger, french)
    words = {word: text(f"viewer_{word}", french) for word in WORDS}
    if result.whole:
        words["preview"] = text("viewer_preview", french, width=result.whole[0], height=result.whole[1])
    return {
        "run": Path(result.paths[kinds[-1]]).parent.name, "name": result.photo, "pictures": pictures,
        "before": result.given, "shown": shown, "all": side_by_side, "words": words,
    }  # fmt: skip


def _picture(result: Result, kind: str, french: bool) -> dict[str, Any]:
    size = result.sizes[kind]
    named = title(kind, size, french)
    return {
        "kind": kind, "name": TITLES.get(kind, named), "title": named, "alt": named,
        "note": result.notes.get(kind, ""), "path": result.paths[kind], "width": size[0], "height": size[1],
    }  # fmt: skip
