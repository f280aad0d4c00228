"""Components that show pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr


def picture(label: Any, elem_id: str, *, pixels: bool = False) -> gr.Image:
    """A picture to look at; ``pixels`` shows 128 of them as large as 300 and more, each as a square."""
    classes = ["result", "pixels"] if pixels else ["result"]
    return gr.Image(
        label=label, format="png", interactive=False, elem_id=elem_id, elem_classes=classes,
        buttons=["download", "fullscreen"],
    )  # fmt: skip


def html_component(name: str, elem_id: str) -> gr.HTML:
    """A component of our own: its template, style and script are the files called ``name`` beside this one."""
    html, css, js = (Path(__file__).with_name(f"{name}.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return gr.HTML(html_template=html, css_template=css, js_on_load=js, elem_id=elem_id)
