"""The Gradio app: assemble and launch. `python app.py --help` lists what can be set."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    import gradio as gr

MAX_PIXELS = 24_000_000


def build(device: str = "auto", max_pixels: int = MAX_PIXELS) -> gr.Blocks:
    """The whole app, not launched yet."""
    import gradio as gr

    from restoration import Restorer
    from ui import about, api, batch, compare, panel, recipes, restore, robustness
    from ui.lab import Lab
    from ui.texts import i18n

    lab = Lab(Restorer(device), max_pixels)
    # Files that visitors send or get are deleted within an hour, as the app promises.
    with gr.Blocks(title="Restoration Lab", analytics_enabled=False, delete_cache=(300, 3000)) as demo:
        gr.Markdown(i18n("intro"))
        with gr.Row():
            with gr.Column(scale=1, min_width=300):
                photo = panel.build(lab)
            with gr.Column(scale=3, min_width=300), gr.Tabs():
                with gr.Tab(i18n("tab_restore"), id="restore"):
                    controls, restored, ran = restore.tab(photo, lab)
                with gr.Tab(i18n("tab_compare"), id="compare"):
                    compared, ran_all = compare.tab(photo, lab)
                with gr.Tab(i18n("tab_robustness"), id="robustness"):
                    robustness.tab(photo, lab)
                with gr.Tab(i18n("tab_batch"), id="batch"):
                    batch.tab(lab)
                with gr.Tab(i18n("about_tab"), id="about"):
                    about.tab()
        recipes.section(photo, controls, lab, {restored: ran, compared: ran_all})
        gr.Markdown(i18n("credits"))
        api.endpoints(lab)
    threading.Thread(target=lab.warm_up, daemon=True).start()
    return demo


def launch(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on [default: 127.0.0.1; on a Space 0.0.0.0].")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port [default: the first free one from 7860].")] = None,
    share: Annotated[
        bool | None, typer.Option("--share/--no-share", help="A public link for a week [default: on Colab only].")
    ] = None,
    mcp: Annotated[bool, typer.Option("--mcp", help="Also serve the endpoints as MCP tools.")] = False,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the networks run.")] = "auto",
    queue_size: Annotated[int, typer.Option(min=1, help="How many requests may wait; more are refused.")] = 64,
    max_pixels: Annotated[
        int, typer.Option(min=16 * 16, help="Of an uploaded photo; a JPEG may have about twice as many.")
    ] = MAX_PIXELS,
) -> None:
    """Open Restoration Lab in the browser."""
    from ui.style import CSS, THEME
    from ui.texts import i18n

    build(device, max_pixels).queue(max_size=queue_size).launch(
        server_name=host or ("0.0.0.0" if "SPACE_ID" in os.environ else None),
        server_port=port,
        share="COLAB_RELEASE_TAG" in os.environ if share is None else share,
        mcp_server=mcp,
        i18n=i18n,
        theme=THEME,
        css=CSS,
        ssr_mode=False,
        run_history=False,  # people's photos are theirs
        footer_links=["api", "gradio", "settings"],
    )


if __name__ == "__main__":
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    command.command()(launch)
    command()
else:
    demo = build()
