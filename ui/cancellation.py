"""A run of the page that may be ended from outside."""

from __future__ import annotations

import gradio as gr

from restoration.tiling import Progress, Stopped

from .texts import text

PROGRESS = gr.Progress()
"""The default by which Gradio knows a listener's parameter for its progress."""


class Cancellation:
    """A run that may be ended from outside. Gradio's own way would leave what is finished half shown; and of a run
    that is done, it asks the server to end what has no name any more.
    """

    def __init__(self) -> None:
        self.is_stopped = False
        self.is_unwanted = False
        """Is another photo there, or another wish, so that nothing of this run is to be shown?"""

    def told(self, progress: gr.Progress, french: bool) -> Progress:
        """Tells the visitor how far the run is, and ends it where it is to end."""

        def tell(done: int, total: int) -> None:
            self.go_on()
            progress(done / total, desc=text("restoring", french))

        return tell

    def go_on(self) -> None:
        """Raise `Stopped` where it is to end; called before each tile."""
        if self.is_stopped or self.is_unwanted:
            raise Stopped


def discard(run: Cancellation | None) -> None:
    """End a run of which nothing is wanted any more."""
    if run:
        run.is_unwanted = True
