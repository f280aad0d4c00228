"""The pictures of a run, on the page: one large, before and after, with the others below it; or all side by side.

Gradio's own slider has no role, value or keys, cuts squares on a full screen, and holds a finger that would scroll.
This one is a range input over two pictures, after the comparison sliders of the web's pattern libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..context import TITLES
from ..results import Result, title
from ..texts import text

WORDS = ("slider", "before", "choices", "all", "large", "fullscreen", "stale")


def value(result: Result, french: bool, view: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the viewer shows of a run: as ``view``, the viewer's value on the visitor's page, has it; without one, the
    first model's picture large or, in the laboratory, all side by side.
    """
    kinds = [kind for kind in result.paths if kind != "mask" and "_x" not in kind]
    pictures = [_picture(result, kind, french) for kind in kinds]
    for picture in pictures:
        if (larger := result.largest(picture["kind"])) != picture["kind"]:
            picture["large"] = _picture(result, larger, french)
    words = {word: text(f"viewer_{word}", french) for word in WORDS}
    if result.whole:
        words["preview"] = text("viewer_preview", french, width=result.whole[0], height=result.whole[1])
    first = next((name for name in result.recipe.models if name in result.paths), result.given)
    return {
        "run": Path(result.paths[kinds[-1]]).parent.name,
        "name": result.photo,
        "pictures": pictures,
        "before": result.given,
        "shown": shown(result, view) or first,
        "all": bool(view.get("all")) if view else result.given == "degraded",
        "words": words,
    }


def shown(result: Result, view: Any) -> str | None:
    """The name of the picture that the visitor's page shows large, if it is one of the result's."""
    kind = view.get("shown") if isinstance(view, Mapping) else None
    return kind if isinstance(kind, str) and kind in result.paths else None


def _picture(result: Result, kind: str, french: bool) -> dict[str, Any]:
    width, height = result.sizes[kind]
    named = title(kind, (width, height), french)
    return {
        "kind": kind, "name": TITLES.get(kind, named), "title": named, "alt": named,
        "note": result.notes.get(kind, ""), "path": result.paths[kind], "width": width, "height": height,
    }  # fmt: skip
