"""The Gradio app: assemble and launch."""

from __future__ import annotations

import gradio as gr

from ui import restore
from ui.texts import i18n

with gr.Blocks(title="Restoration Lab", analytics_enabled=False) as demo:
    gr.Markdown(i18n("intro"))
    restore.tab()

if __name__ == "__main__":
    demo.launch(i18n=i18n, theme=gr.themes.Soft(), css=restore.CSS)
