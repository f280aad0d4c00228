"""The Gradio app: assemble and launch. `python app.py --help` lists what can be set."""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from restoration.image import MAX_PIXELS

if TYPE_CHECKING:
    import gradio as gr

    from restoration.blind_test.votes import Votes
    from ui.context import AppContext

M_ARENA_MAX = -8
"""Of glibc's malloc.h."""
STOPS = (signal.SIGINT, signal.SIGTERM)


def make_context(device: str = "auto", max_pixels: int = MAX_PIXELS) -> AppContext:
    """What all visitors share; raises `ControlError` for a device that is not there."""
    from ui import zerogpu  # isort: skip  # first, so that nothing has used CUDA before
    from restoration import Restorer
    from ui.context import AppContext

    context = AppContext(Restorer(device), max_pixels)
    if zerogpu.IS_LENT:
        context.load_networks()
    return context


def build(context: AppContext, votes: Votes | None = None) -> gr.Blocks:
    """The whole app, not launched yet; ``votes`` keeps the blind test's."""
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"  # of a log of calls, which nobody reads
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # and which would be summed up at each of them
    import gradio as gr

    from ui import api, recipe_section, sidebar, style
    from ui.hardening import cleanup, gradio_patches
    from ui.tabs import about, batch, blind_test, restore, robustness
    from ui.texts import i18n

    delete_cache = (cleanup.ROUND, cleanup.AGE)
    with gr.Blocks(title="Restoration Lab", analytics_enabled=False, delete_cache=delete_cache) as demo:
        api.endpoints(context)  # first: Gradio would call them restore_1 and so on after the tabs' functions
        gr.Markdown(i18n("intro"), elem_id="intro")
        with gr.Row(elem_id="app"):
            with gr.Column(scale=1, min_width=300, elem_id="side"):
                side = sidebar.layout()
            with gr.Column(scale=3, min_width=300, elem_id="main"), gr.Tabs():
                with gr.Tab(i18n("tab_restore"), id="restore") as restoring:
                    restored = restore.layout(context, side)
                    recipe = recipe_section.layout(context, side)
                    restore.wire(restored)
                    recipe_section.wire(recipe, restored.last)
                with gr.Tab(i18n("tab_blind"), id="blind") as blinded:
                    blind_test.wire(blind_test.layout(context, votes), side)
                with gr.Tab(i18n("tab_robustness"), id="robustness") as testing:
                    robustness.wire(robustness.layout(context), side)
                with gr.Tab(i18n("tab_batch"), id="batch") as batching:
                    batch.wire(batch.layout(context))
                with gr.Tab(i18n("tab_about"), id="about") as reading:
                    about.wire(about.layout())
        tabs = {"restore": restoring, "blind": blinded, "robustness": testing, "batch": batching, "about": reading}
        for name, tab in tabs.items():  # the style shows of the sidebar what the tab has a use for
            tab.select(None, js=f"() => {{ document.body.dataset.tab = '{name}' }}", api_visibility="private")
        gr.Markdown(i18n("credits"))
        gr.on(None, None, js=style.SCRIPT, api_visibility="private")
    gradio_patches.guard(demo)
    return demo


@contextmanager
def _refused(option: str, kind: type[Exception], says: str = "{reason}", **fields: object) -> Iterator[None]:
    """Have an error of that kind say in a sentence what is wrong with an option."""
    try:
        yield
    except kind as error:
        reason = getattr(error, "strerror", None) or error
        raise typer.BadParameter(says.format(reason=reason, **fields), param_hint=option) from error


def _stop(*_: object) -> None:
    for each in STOPS:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(0)


def launch(
    host: Annotated[
        str | None,
        typer.Option(
            envvar="GRADIO_SERVER_NAME", help="Address to listen on [default: 127.0.0.1; on a Space 0.0.0.0]."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, envvar="GRADIO_SERVER_PORT", help="Port [default: the first free one from 7860]."
        ),
    ] = None,
    root_path: Annotated[
        str, typer.Option(envvar="GRADIO_ROOT_PATH", help="Where a proxy in front serves it, such as /lab.")
    ] = "",
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
    from ui import server_address
    from ui.hardening import cleanup

    host = (host or (server_address.EVERYWHERE if "SPACE_ID" in os.environ else "127.0.0.1")).strip("[]")
    os.environ.pop("GRADIO_SERVER_NAME", None)  # where Gradio tries ports, of IPv4 only
    server_address.pass_by_proxies(host)
    unheard = "Nothing can listen at {place} ({reason}); name another port, or an address of this machine."
    place = f"port {port} of {host}" if port else host
    listening = partial(_refused, "--host, --port", OSError, unheard, place=place)
    with listening():
        server_address.check(host, port)
    with _refused(
        "GRADIO_TEMP_DIR", OSError, "Nothing can be written there ({reason}); set it to a folder that is yours."
    ):
        folder = cleanup.private_folder()  # before Gradio is imported, which remembers the old one

    from fastapi.exceptions import RequestValidationError
    from starlette.middleware import Middleware

    from restoration import ControlError
    from restoration.blind_test.votes import opened
    from restoration.errors import OutputError
    from ui import sidebar, zerogpu
    from ui.files import KEPT
    from ui.hardening.request_filter import MAX_UPLOAD, RequestFilter, misunderstood
    from ui.style import CSS, HEAD, THEME
    from ui.tabs import restore
    from ui.texts import i18n

    with _refused("--device", ControlError):
        context = make_context(device, max_pixels)
    with _refused("--votes", OutputError):
        kept_votes = opened(votes)
    demo = build(context, kept_votes)
    demo.delete_cache = None  # this cleans up instead:
    cleanup.keep_clean(folder, KEPT, demo.temp_file_sets)
    with listening():  # or another app was quicker
        _, url, _ = demo.queue(max_size=queue_size, api_open=False).launch(
            server_name=f"[{host}]" if ":" in host else host,
            server_port=port,
            root_path=server_address.prefix(root_path),
            quiet=True,
            prevent_thread_lock=True,
            share="COLAB_RELEASE_TAG" in os.environ if share is None else share,
            mcp_server=mcp,
            i18n=i18n,
            theme=THEME,
            css=sidebar.thumbnails(),
            css_paths=CSS,
            head=HEAD,
            ssr_mode=False,
            max_file_size=MAX_UPLOAD,
            app_kwargs={
                "middleware": [Middleware(RequestFilter)],
                "exception_handlers": {RequestValidationError: misunderstood, 400: misunderstood},
            },
            run_history=False,  # people's photos are theirs
            enable_monitoring=False,  # and so is when they came
            footer_links=["api", "gradio", "settings"],
            _frontend=False,  # or it would ask itself whether it runs, and end where that takes 3 seconds
        )
    # Only now, as FastAPI has put warnings aside meanwhile; on ZeroGPU nothing runs but for a visitor.
    if not zerogpu.IS_LENT:
        threading.Thread(target=restore.prepare, args=[context], daemon=True).start()
    print(f"Restoration Lab is open: {server_address.told(url, host)}", flush=True)
    if not hasattr(sys, "ps1"):  # as a notebook's cell has, which ends here
        demo.block_thread()


if __name__ == "__main__":
    if sys.getfilesystemencoding() != "utf-8":  # photos' names are of all languages, whatever this machine's is
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    for each in STOPS:
        signal.signal(each, _stop)
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    command.command()(launch)
    try:
        command()
    except SystemExit as end:
        logging.disable()  # what a thread that is cut off has to say
        atexit._run_exitfuncs()  # temporary files and share links go
        sys.stdout.flush()
        os._exit(end.code)  # Python itself would abort where a thread has a network at work
else:
    demo = build(make_context())
