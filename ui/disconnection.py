"""Whoever asked may leave before the work is done: then it ends too, and holds nobody up."""

from __future__ import annotations

import gradio as gr
from gradio.context import LocalContext


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
