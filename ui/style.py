"""How the app looks, in light and dark and down to a phone's width."""

from __future__ import annotations

import gradio as gr

from . import about, blind, tables

THEME = gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])  # none is fetched
CSS = f"""
/* 128 pixels are shown as large as 512, each as a square. */
.pixels img {{ image-rendering: pixelated; }}
.result .image-frame {{ width: 100% !important; }}
.result label {{ max-width: calc(100% - 3.6rem); overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }}
.result img {{ width: 100% !important; height: auto !important; max-height: none !important; object-fit: contain; }}
.result .image-container {{ padding-top: 2.4rem; }}  /* the label stands above the picture, not on it */
#side:has(#photo.hidden) {{ display: none; }}  /* Gradio hides what is in a column, but not the column */
#uncertainty {{ max-width: 40rem; }}
.pictures {{ display: grid !important; align-items: start; }}
/* Beside others a picture is narrow: its model and its size may take two lines. */
.pictures .result label {{ white-space: normal; }}
.pictures .result label span {{ display: none; }}
.pictures .result .image-container {{ padding-top: 3.4rem; }}
.pictures.four {{ grid-template-columns: repeat(4, 1fr); }}
.pictures.five {{ grid-template-columns: repeat(5, 1fr); }}
@media (max-width: 1000px) {{ .pictures {{ grid-template-columns: repeat(2, 1fr) !important; }} }}
@media (max-width: 640px) {{ .gradio-container {{ padding: .5rem !important; }} }}
{tables.CSS}{about.CSS}
{blind.CSS}"""
