"""How the app looks, in light and dark and down to a phone's width."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

# The fonts are the system's, as none is fetched.
THEME = gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]).set(
    layout_gap="8px",
    block_padding="6px 8px",
    checkbox_label_padding="3px 8px",
    # Names of controls are words, not buttons that look chosen; and all can be read (WCAG 2.2, contrast AA).
    **{
        f"block_{part}_{what}{mode}": value
        for mode in ("", "_dark")
        for part in ("title", "label")
        for what, value in (("background_fill", "transparent"), ("text_color", "*body_text_color"))
    },
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    checkbox_label_background_fill_selected="*primary_600",
    checkbox_label_background_fill_hover_dark="*primary_600",
    link_text_color_dark="*secondary_300",
    block_title_padding="0",
    block_info_text_color="*body_text_color",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
)
CSS = Path(__file__).with_suffix(".css")
SCRIPT = Path(__file__).with_name("page.js").read_text("utf-8")
"""Run when the page loads."""
HEAD = '<meta name="referrer" content="same-origin"><link rel="icon" href="favicon.ico">'
"""The app knows by it where its own page is, for links, whatever a server in front says; others learn nothing."""
