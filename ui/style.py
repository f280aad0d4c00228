"""How the app looks, in light and dark and down to a phone's width."""

from __future__ import annotations

import gradio as gr

from . import about, panel, tables, viewer

THEME = gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])  # none is fetched
CSS = f"""
#intro h1 {{ margin: 0; font-size: 1.4rem; }}
#intro p {{ margin: 0; }}
#side {{ position: sticky; top: 0; align-self: start; }}
body[data-tab=batch] #side, body[data-tab=about] #side {{ display: none; }}
body[data-tab=robustness] #side > :not(:has(#photo)):not(:has(#examples)) {{ display: none; }}
/* A label stands above its picture, not on it. */
.result label, #photo > label, .result > label {{ position: static; }}
.result img {{ width: 100% !important; height: auto !important; max-height: none !important; object-fit: contain; }}
.pixels img {{ image-rendering: pixelated; }}
#examples .wrap {{ gap: .3rem; }}
#examples label {{ width: 4.1rem; height: 4.1rem; padding: 0; align-items: end; background-size: cover;
  background-position: center; overflow: hidden; }}
#examples label input {{ position: absolute; opacity: 0; }}
#examples label:has(:checked) {{ outline: 3px solid var(--color-accent); }}
#examples label:has(:focus-visible) {{ outline: 3px dashed var(--color-accent); }}
#examples label span {{ width: 100%; margin: 0; padding: .1rem 0; font-size: .68rem; line-height: 1.1;
  text-align: center; background: var(--block-background-fill); color: var(--body-text-color); }}
@media (max-width: 640px) {{
  .gradio-container {{ padding: .5rem !important; }}
  #app {{ flex-direction: column; }}
  #side {{ order: 2; position: static; }}
}}
{panel.thumbnails()}
{viewer.CSS}{tables.CSS}{about.CSS}"""
