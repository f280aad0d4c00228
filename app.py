"""The Gradio app: assemble and launch. `python app.py --help` lists what can be set."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from restoration.image import MAX_PIXELS

if TYPE_CHECKING:
    import gradio as gr

    from restoration.votes import Votes
    from ui.lab import Lab

M_ARENA_MAX = -8
"""Of glibc's malloc.h."""


def make_lab(device: str = "auto", max_pixels: int = MAX_PIXELS) -> Lab:
    """What all visitors share; raises `ControlError` for a device that is not there."""
    from ui import gpu  # isort: skip  # first, so that nothing has used CUDA before
    from restoration import Restorer
    from ui.lab import Lab

    lab = Lab(Restorer(device), max_pixels)
    if gpu.IS_LENT:
        lab.load_networks()
    return lab


def build(lab: Lab, votes: Votes | None = None) -> gr.Blocks:
    """The whole app, not launched yet; ``votes`` keeps the blind test's."""
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"  # of a log of calls, which nobody reads
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # and which would be summed up at each of them
    import gradio as gr

    from ui import about, api, batch, blind, cleaning, gradio_fixes, panel, recipes, restore, robustness, style
    from ui.texts import i18n

    aging = (cleaning.ROUND, cleaning.AGE)
    with gr.Blocks(title="Restoration Lab", analytics_enabled=False, delete_cache=aging) as demo:
        api.endpoints(lab)  # first: Gradio would call them restore_1 and so on after the tabs' functions
        gr.Markdown(i18n("intro"), elem_id="intro")
        with gr.Row(elem_id="app"):
            with gr.Column(scale=1, min_width=300, elem_id="side"):
                column = panel.build()
            with gr.Column(scale=3, min_width=300, elem_id="main"), gr.Tabs():
                with gr.Tab(i18n("tab_restore"), id="restore") as restoring:
                    page = restore.tab(column, lab)
                    recipes.section(column, page, lab)
                with gr.Tab(i18n("tab_blind"), id="blind") as blinded:
                    blind.tab(column, lab, votes)
                with gr.Tab(i18n("tab_robustness"), id="robustness") as testing:
                    robustness.tab(column, lab)
                with gr.Tab(i18n("tab_batch"), id="batch") as batching:
                    batch.tab(lab)
                with gr.Tab(i18n("about_tab"), id="about") as reading:
                    about.tab()
        tabs = {"restore": restoring, "blind": blinded, "robustness": testing, "batch": batching, "about": reading}
        for name, tab in tabs.items():  # the style shows of the column what the tab has a use for
            tab.select(None, js=f"() => {{ document.body.dataset.tab = '{name}' }}", api_visibility="private")
        gr.Markdown(i18n("credits"))
        gr.on(None, None, js=style.ACCESS, api_visibility="private")
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
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="Where the networks run.")] = "auto",
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
    from restoration.votes import opened
    from ui import gpu, restore
    from ui.files import KEPT
    from ui.gate import MAX_UPLOAD, Gate, misunderstood
    from ui.style import CSS, THEME
    from ui.texts import i18n

    try:
        lab = make_lab(device, max_pixels)
        kept_votes = opened(votes)
    except ControlError as error:
        raise typer.BadParameter(str(error), param_hint="--device") from error
    except OutputError as error:
        raise typer.BadParameter(str(error), param_hint="--votes") from error
    demo = build(lab, kept_votes)
    if not gpu.IS_LENT:  # where nothing runs but for a visitor
        threading.Thread(target=restore.prepare, args=[lab], daemon=True).start()
    demo.delete_cache = None  # this cleans up instead:
    cleaning.keep_clean(folder, KEPT, demo.temp_file_sets)
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
    demo = build(make_lab())
