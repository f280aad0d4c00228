"""A picture to look at."""

from __future__ import annotations

from typing import Any

import gradio as gr


def picture(label: Any, elem_id: str, *, pixels: bool = False) -> gr.Image:
    """The component; ``pixels`` shows 128 of them as large as 300 and more, each as a square."""
    return gr.Image(
        label=label, format="png", interactive=False, elem_id=elem_id,
        elem_classes=["result", "pixels"] if pixels else ["result"], buttons=["download", "fullscreen"],
    )  # fmt: skip
