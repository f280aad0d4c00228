"""Work that ends early: because the visitor stopped it, wants something else by now, or has left."""

from __future__ import annotations

import gradio as gr
from gradio.context import LocalContext

from restoration.tiling import Progress, Stopped

from .texts import text

PROGRESS = gr.Progress()
"""The default by which Gradio knows a listener's parameter for its progress."""


class Cancellation:
    """A run of the page that may be ended from outside. Gradio's own way would leave what is finished half shown; and
    of a run that is done, it asks the server to end what has no name any more.
    """

    def __init__(self) -> None:
        self.is_stopped = False
        self.is_unwanted = False
        """Is another photo there, or another wish, so that nothing of this run is to be shown?"""

    def reporting(self, progress: gr.Progress, french: bool) -> Progress:
        """A function that tells the visitor how far the run is, and raises `Stopped` where it is to end."""

        def report(done: int, total: int) -> None:
            self.raise_if_ended()
            progress(done / total, desc=text("restoring", french))

        return report

    def raise_if_ended(self) -> None:
        """Raise `Stopped` where the run is to end; called before each tile."""
        if self.is_stopped or self.is_unwanted:
            raise Stopped


def discard(run: Cancellation | None) -> None:
    """End a run of which nothing is wanted any more."""
    if run:
        run.is_unwanted = True


class ClientDisconnected(gr.Error):
    """The visitor has closed the page, chosen another photo, or broken off the call: nobody will read this."""

    def __init__(self) -> None:
        super().__init__(print_exception=False)


def raise_if_disconnected(*_: int) -> None:
    """Raise `ClientDisconnected` where nobody waits for what this thread does; called between the steps of long work.

    Gradio 6.31 marks the event of a closed connection and forgets a cancelled one, but lets its function go on. Where
    no event is behind the call, as in Python, somebody waits.
    """
    blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    if blocks is None or event_id is None:
        return
    event = blocks._queue.event_ids_to_events.get(event_id)
    if event is None or not event.alive:
        raise ClientDisconnected
