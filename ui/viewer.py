"""The pictures of a run, on the page: one large, before and after, with the others below it; or all side by side.

Gradio's own slider has no role, value or keys, cuts squares on a full screen, and holds a finger that would scroll.
This one is a range input over two pictures, after the comparison sliders of the web's pattern libraries.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from .lab import TITLES
from .results import Result, title
from .texts import text

TEMPLATE = """
<div class="stage">
  <div class="pair"><img class="after"><img class="before"><i></i><input type="range" min="0" max="100" step="1"
    value="50"></div>
  <p><span class="left"></span><span class="right"></span></p>
</div>
<div class="choices" role="radiogroup"></div>
<p class="tools"><button class="view"></button><button class="fullscreen"></button><span class="preview"></span></p>
<p class="stale" role="status"></p>
"""
STYLE = """
p { margin: 0.3rem 0; }
.pair { --most: min(620px, 72vh); position: relative; margin: auto; aspect-ratio: var(--ratio);
  width: min(100%, calc(var(--most) * var(--ratio))); }
/* What shows through what is transparent. */
.pair img, .choices img { background: repeating-conic-gradient(#999 0 25%, #bbb 0 50%) 0 0 / 1rem 1rem; }
.pair img { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; }
.pixels { image-rendering: pixelated; }
.before, i { display: none; }
.both .before { display: block; clip-path: inset(0 calc(100% - var(--at)) 0 0); }
.both i { display: block; position: absolute; inset: 0 auto 0 var(--at); width: 3px; margin-left: -1.5px;
  background: #fff; box-shadow: 0 0 3px #000; pointer-events: none; }
.both i::after { content: "◀▶"; position: absolute; top: 50%; left: 50%; transform: translate(-50%, -50%);
  padding: 0.5rem 0.35rem; border-radius: 2rem; background: #fff; color: #222; font: 0.7rem/1 sans-serif;
  box-shadow: 0 0 3px #000; white-space: nowrap; }
.pair input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize;
  touch-action: pan-y; appearance: none; }
.pair:has(input:focus-visible) { outline: 3px solid var(--color-accent); outline-offset: 2px; }
.stage p { display: flex; justify-content: space-between; gap: 1rem; font-weight: 600; }
.stage:fullscreen { background: #000; color: #fff; display: grid; align-content: center; }
.stage:fullscreen .pair { --most: 94vh; width: min(100vw, calc(var(--most) * var(--ratio))); }
.stage:fullscreen p { margin: 0 1rem; }
.choices { display: flex; gap: 0.6rem; flex-wrap: wrap; }
.choices label { cursor: pointer; width: 7.2rem; }
.choices label:has(:checked) img { outline: 3px solid var(--color-accent); outline-offset: 1px; }
.choices label:has(:focus-visible) img { outline-style: dashed; }
.choices input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.choices img { display: block; width: 100%; height: 4.6rem; object-fit: cover; margin: 0; }
.choices b, .choices small { display: block; line-height: 1.3; }
.choices small { display: none; font-size: 0.8rem; }
.tools { display: flex; gap: 0.6rem; align-items: center; flex-wrap: wrap; }
.tools button { padding: 0.25rem 0.7rem; border: 1px solid var(--border-color-primary); border-radius: 6px;
  font-size: 0.85rem; font-weight: 400; }
.stale { display: none; }
"""
# Side by side, the large one is a cell of the grid: the others' rows begin before and go on after it.
CSS = """
#viewer [data-view=all] { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0.5rem 0.7rem; }
#viewer [data-view=all] .choices { display: contents; }
#viewer [data-view=all] .choices label { width: auto; }
#viewer [data-view=all] .choices img { height: auto; }
#viewer [data-view=all] .choices small { display: block; }
#viewer [data-view=all] .stage { order: 0; }
#viewer [data-view=all] .choices label:nth-child(-n + 2) { order: -1; }
#viewer [data-view=all] .choices label, #viewer [data-view=all] .tools, #viewer [data-view=all] .stale { order: 1; }
#viewer [data-view=all] .tools, #viewer [data-view=all] .stale { grid-column: 1 / -1; }
body[data-stale] #viewer .pair, body[data-stale] #viewer .choices img { opacity: 0.35; }
body[data-stale] #viewer .stale { display: block; font-weight: 600; }
@media (max-width: 640px) {
  #viewer [data-view=all] { grid-template-columns: minmax(0, 1fr); }
  #viewer [data-view=one] .choices label { width: calc(25% - 0.5rem); }
  #viewer [data-view=one] .choices img { height: 3.4rem; }
}
"""
STALE = "() => { if (document.querySelector('#viewer [data-view]:not([hidden])')) document.body.dataset.stale = '' }"
"""For the page: what is shown is no longer what the settings ask for."""
WORDS = ("slider", "before", "choices", "all", "large", "fullscreen", "stale")


def build() -> gr.HTML:
    """The component, empty as yet; the visitor's `shown` and `all` come back in its value."""
    return gr.HTML(
        html_template=TEMPLATE, css_template=STYLE, js_on_load=Path(__file__).with_suffix(".js").read_text("utf-8"),
        elem_id="viewer",
    )  # fmt: skip


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
