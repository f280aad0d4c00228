"""The Gradio app: assemble and launch. `python app.py --help` lists what can be set."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from restoration.image import MAX_PIXELS

if TYPE_CHECKING:
    import gradio as gr

M_ARENA_MAX = -8
"""Of glibc's malloc.h."""


def build(device: str = "auto", max_pixels: int = MAX_PIXELS, votes: Path | None = None) -> gr.Blocks:
    """The whole app, not launched yet; ``votes`` is the folder of the blind test's."""
    from ui import gpu  # isort: skip  # first, so that nothing has used CUDA before

    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"  # of a log of calls, which nobody reads
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # and which would be summed up at each of them
    import gradio as gr

    from restoration import Restorer
    from restoration.votes import opened
    from ui import about, api, batch, blind, cleaning, compare, gradio_fixes, panel, recipes, restore, robustness
    from ui.lab import Lab
    from ui.texts import i18n

    lab = Lab(Restorer(device), max_pixels)
    if gpu.IS_LENT:
        lab.load_networks()
    aging = (cleaning.ROUND, cleaning.AGE)
    with gr.Blocks(title="Restoration Lab", analytics_enabled=False, delete_cache=aging) as demo:
        api.endpoints(lab)  # first: Gradio would call them restore_1 and so on after the tabs' functions
        gr.Markdown(i18n("intro"))
        with gr.Row():
            with gr.Column(scale=1, min_width=300, elem_id="side") as side:
                photo = panel.build(lab)
            with gr.Column(scale=3, min_width=300), gr.Tabs():
                with gr.Tab(i18n("tab_restore"), id="restore") as restoring:
                    controls, mending, restored, ran = restore.tab(photo, lab)
                with gr.Tab(i18n("tab_blind"), id="blind") as blinded:
                    blind.tab(lab, opened(votes))
                with gr.Tab(i18n("tab_compare"), id="compare") as comparing:
                    compared, ran_all = compare.tab(photo, lab)
                with gr.Tab(i18n("tab_robustness"), id="robustness") as testing:
                    robustness.tab(photo, lab)
                with gr.Tab(i18n("tab_batch"), id="batch") as batching:
                    batch.tab(lab)
                with gr.Tab(i18n("about_tab"), id="about") as reading:
                    about.tab()
        panel.show_chosen(photo, lab)
        for tab in (restoring, comparing, testing, blinded, batching, reading):  # the last three do without the photo
            shown = "hidden" if tab in (blinded, batching, reading) else True
            tab.select(partial(gr.Column, visible=shown), None, side, show_progress="hidden", api_visibility="private")
        recipes.section(photo, controls, mending, lab, {restored: ran, compared: ran_all})
        gr.Markdown(i18n("credits"))
        if not gpu.IS_LENT:
            warm_up = cache(lab.warm_up)  # once, while the first visitor looks for a photo
            gr.on(None, lambda: warm_up(), show_progress="hidden", api_visibility="private")
    gradio_fixes.guard(demo)
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
    votes: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the blind test's votes there [default: nowhere].")
    ] = None,
) -> None:
    """Open Restoration Lab in the browser."""
    with suppress(AttributeError, OSError, TypeError):  # only glibc has it
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)  # or each of Gradio's threads keeps freed memory of its own
    from ui import cleaning

    folder = cleaning.private_folder()  # before Gradio is imported, which remembers the old one

    from fastapi.exceptions import RequestValidationError
    from starlette.middleware import Middleware

    from restoration import ControlError
    from restoration.types import OutputError
    from ui.gate import MAX_UPLOAD, Gate, misunderstood
    from ui.style import CSS, THEME
    from ui.texts import i18n

    try:
        demo = build(device, max_pixels, votes)
    except ControlError as error:
        raise typer.BadParameter(str(error), param_hint="--device") from error
    except OutputError as error:
        raise typer.BadParameter(str(error), param_hint="--votes") from error
    kept = {path for block in demo.blocks.values() for path in block.keep_in_cache}  # the examples
    demo.delete_cache = None  # this cleans up instead:
    cleaning.keep_clean(folder, kept, demo.temp_file_sets)
    demo.queue(max_size=queue_size, api_open=False).launch(
        server_name=host or ("0.0.0.0" if "SPACE_ID" in os.environ else None),
        server_port=port,
        share="COLAB_RELEASE_TAG" in os.environ if share is None else share,
        mcp_server=mcp,
        i18n=i18n,
        theme=THEME,
        css=CSS,
        ssr_mode=False,
        max_file_size=MAX_UPLOAD,
        app_kwargs={
            "middleware": [Middleware(Gate)],
            "exception_handlers": {RequestValidationError: misunderstood, 400: misunderstood},
        },
        run_history=False,  # people's photos are theirs
        enable_monitoring=False,  # and so is when they came
        footer_links=["api", "gradio", "settings"],
        _frontend=False,  # or it would ask itself whether it runs, and end where that takes 3 seconds
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that its files go with it
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    command.command()(launch)
    command()
else:
    demo = build()
