"""How the app looks, in light and dark and down to a phone's width."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from . import about, blind, panel, tables, viewer

THEME = gr.themes.Soft(
    font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
).set(  # none is fetched
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
ACCESS = Path(__file__).with_name("access.js").read_text("utf-8")
"""Run when the page loads."""
HEAD = '<meta name="referrer" content="same-origin"><link rel="icon" href="favicon.ico">'
"""The app knows by it where its own page is, for links, whatever a server in front says; others learn nothing."""
SETTINGS = "#mode, #preset, #dice, #restore, #stop, #models, #by-hand, #mending, #look, #size"
"""What of the column serves Restore alone."""
RUNS, FAILED = "#verdict [data-testid=status-tracker]:not(.hide)", "#verdict .error"
CSS = f"""
#intro h1 {{ margin: 0; font-size: 1.4rem; }}
#intro p {{ margin: 0; }}
/* Not below, as Gradio takes a rule for a width to be of what is inside of this. */
.gradio-container > .main {{ padding: 1rem clamp(.75rem, 2.5vw, 2rem) !important; }}
#app {{ gap: 1rem; }}
#side {{ flex: 0 0 264px !important; min-width: 0 !important; }}
#viewer .html-container {{ padding: 0; }}
#main .tabitem {{ padding: .4rem 0; }}
/* Where Gradio shows how far a run is, Stop takes the place of Restore. */
#app:not(:has({RUNS})) #stop, #app:has({FAILED}) #stop {{ display: none; }}
#app:has({RUNS}):not(:has({FAILED})) #restore {{ display: none; }}
#main [role=tab][aria-selected=true] {{ color: var(--body-text-color); }}
.cm-line span {{ color: var(--body-text-color) !important; }}  /* whose own colours are too faint */
#choose {{ display: none; }}
#verdict {{ min-height: 1.6rem; }}
#main {{ position: sticky; top: 0; align-self: start; }}  /* in sight while the damage's sliders are moved */
#main:not(:has(#viewer [data-view]:not([hidden]))) #take-home {{ display: none; }}
body[data-tab=batch] #side, body[data-tab=about] #side {{ display: none; }}
body:is([data-tab=blind], [data-tab=robustness]) {{ --side: 0; }}  /* read by what is in @media, as inside the page */
body:is([data-tab=blind], [data-tab=robustness]) #side :is({SETTINGS}) {{ display: none; }}
/* A label stands above its picture, not on it. */
.result label, #photo > label, .result > label {{ position: static; }}
.result .image-frame {{ width: 100% !important; }}
.result img {{ width: 100% !important; height: auto !important; max-height: none !important; object-fit: contain; }}
#plot, #uncertainty {{ max-width: 44rem; }}
.pixels img {{ image-rendering: pixelated; }}
#examples .wrap {{ gap: .3rem; }}
#examples label {{ width: calc(25% - .25rem); height: 3.7rem; padding: 0; align-items: end; background-size: cover;
  background-position: center; overflow: hidden; }}
#examples label input {{ position: absolute; opacity: 0; }}
#examples label:has(:checked) {{ outline: 3px solid var(--color-accent); }}
#examples label:has(:focus-visible) {{ outline: 3px dashed var(--color-accent); }}
#examples label span {{ width: 100%; margin: 0; padding: .1rem 0; font-size: .68rem; line-height: 1.1;
  text-align: center; background: var(--block-background-fill); color: var(--body-text-color); }}
@media (max-width: 640px) {{
  #choose {{ display: block; }}
  #app {{ flex-direction: column; flex-wrap: nowrap; }}
  #side {{ flex-basis: auto !important; }}
  #main {{ position: static; align-self: stretch; }}
  #side {{ order: var(--side, 2); }}
}}
{panel.thumbnails()}
{viewer.CSS}{tables.CSS}{about.CSS}{blind.CSS}"""
