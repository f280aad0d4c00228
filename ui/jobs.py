"""Jobs: work that does not end when its page is closed, and whose result waits under a link of its own.

A phone that locks closes its connections. So the work runs in a thread of the process, and the page only follows it;
one that is reloaded, or opened by the link, follows it again.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from secrets import token_urlsafe
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.context import LocalContext

from restoration.errors import ControlError
from restoration.tiling import Stopped

from .cancellation import PROGRESS, raise_if_disconnected
from .context import QUIET
from .hardening import cleanup
from .links import link, linked
from .texts import i18n, is_french, text

KEPT = 1800
"""Seconds that a result waits after the job's end; its files stay longer than that (`cleanup.AGE`)."""
MOST = 8
"""Jobs of one kind that run or wait for their turn, and pages that follow them: Gradio serves 40 events at once."""
LOOK = 0.2
"""Seconds between two looks at a job that a page follows."""

Tell = Callable[[int, int, str], None]
"""``tell(done, total, what)``, to be called between the steps of a job; raises `Stopped` where it is to end."""
Work = Callable[[Tell], Any]
Begin = Callable[..., Work]
"""``begin(request, *values)`` checks what the page has sent, and gives what is to be done."""
Show = Callable[[Any, bool], Mapping[Component, Any]]
"""``show(result, is_french)``, as updates of components."""


@dataclass(eq=False, kw_only=True)
class Job:
    """One piece of work: how far it is, and what came of it."""

    id: str
    """Nobody can guess it, so whoever has it may follow and stop the job."""
    progress: tuple[int, int, str] | None = None
    """What was told last; None while it waits for its turn."""
    outcome: Future[Any] = field(default_factory=Future)
    """What came of it; cancelled where it was stopped while it waited."""
    ended: float | None = None
    """When, by the clock that only goes forward."""
    _is_stopped: bool = False

    def __post_init__(self) -> None:
        self.outcome.add_done_callback(self._end)

    def tell(self, done: int, total: int, what: str) -> None:
        if self._is_stopped:
            raise Stopped
        self.progress = done, total, what

    def stop(self) -> None:
        """Have it end at its next step, or at once where it still waits."""
        self._is_stopped = True
        self.outcome.cancel()

    def run(self, work: Work) -> None:
        """Do it, unless it was stopped before."""
        if not self.outcome.set_running_or_notify_cancel():
            return
        try:
            self.outcome.set_result(work(self.tell))
        except Exception as error:  # whoever follows it is shown it
            self.outcome.set_exception(error)

    def _end(self, outcome: Future[Any]) -> None:
        self.ended = time.monotonic()


class Jobs:
    """The jobs of one kind: they run in order, one at a time."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._jobs: dict[str, Job] = {}
        self._waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        # A thread of our own, as one of a `ThreadPoolExecutor` would keep the app from ending before its last job.
        threading.Thread(target=self._run, name=kind, daemon=True).start()

    def start(self, work: Work) -> Job:
        """A job that does ``work`` when its turn has come; raises `ControlError` where too many wait.

        It does so in the context of the request that it was started in, as ZeroGPU lends a GPU to requests alone.
        """
        job = Job(id=f"{self.kind}-{token_urlsafe(16)}")
        context = copy_context()
        context.run(LocalContext.event_id.set, None)  # or `raise_if_disconnected` would end it with its page
        with self._lock:
            self._forget()
            if sum(not each.outcome.done() for each in self._jobs.values()) >= MOST:
                raise ControlError("jobs_full", most=MOST)
            self._jobs[job.id] = job
        self._waiting.put(partial(context.run, job.run, work))
        return job

    def find(self, id: str | None) -> Job | None:
        """The job called ``id``, if its result still waits."""
        with self._lock:
            self._forget()
            return self._jobs.get(id or "")

    def stop(self, id: str | None) -> None:
        """Stop the job called ``id``, if there is one."""
        if job := self.find(id):
            job.stop()

    def drop(self, id: str | None) -> None:
        """Stop the job called ``id``, of which nobody wants to see anything any more."""
        self.stop(id)
        with self._lock:
            self._jobs.pop(id or "", None)

    def _forget(self) -> None:
        late = time.monotonic() - KEPT
        self._jobs = {id: job for id, job in self._jobs.items() if job.ended is None or job.ended > late}

    def _run(self) -> None:
        while True:
            self._waiting.get()()


# --- On the page ------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Desk:
    """Where jobs of one kind are started, followed and stopped: its components, and what they do."""

    jobs: Jobs
    run: gr.Button
    stop: gr.Button
    link: gr.Textbox
    id: gr.State
    """Of the job that the page follows."""
    begin: Begin = field(init=False)
    show: Show = field(init=False)
    told: Component = field(init=False)
    """Where words about the job itself are put."""

    @property
    def state(self) -> list[Any]:
        """What tells which job the page follows."""
        return [self.id, self.run, self.stop, self.link]

    def followed(self, job: Job, request: gr.Request) -> dict[Any, Any]:
        """As it is while the page follows ``job``."""
        return {
            self.id: job.id,
            self.run: gr.Button(interactive=False),
            self.stop: gr.Button(visible=True, interactive=True),
            self.link: gr.Textbox(link(request, "job", job.id), visible=True),
        }

    def cleared(self) -> dict[Any, Any]:
        """As it was at first."""
        return {
            self.id: None,
            self.run: gr.Button(interactive=True),
            self.stop: gr.Button(visible=False),
            self.link: gr.Textbox(None, visible=False),
        }

    def start(self, request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Begin what the page has sent, and follow it."""
        return self.followed(self.jobs.start(self.begin(request, *values)), request)

    def reopen(self, request: gr.Request) -> dict[Any, Any]:
        """Follow the job that the page's address names, if it is one of ours."""
        id = linked(request, "job") or ""
        if job := self.jobs.find(id):
            return self.followed(job, request)
        if id.startswith(f"{self.jobs.kind}-"):
            gr.Warning(text("job_gone", is_french(request), minutes=KEPT // 60))
        return {self.id: None}

    async def follow(self, id: str | None, request: gr.Request, progress: gr.Progress = PROGRESS) -> dict[Any, Any]:
        """Tell how far the job is, until it has ended, and show what came of it."""
        job, french = self.jobs.find(id), is_french(request)
        told: tuple[int, int, str] | None = (-1, 0, "")
        while job and not job.outcome.done():
            raise_if_disconnected()
            if told != job.progress:
                told = job.progress
                done, total, what = told or (0, 1, text("job_waiting", french))
                progress((done, total), desc=what, unit=text("candidate", french))
            await asyncio.sleep(LOOK)
        if not job or not self.jobs.find(id):  # dropped meanwhile
            return {self.told: gr.skip()}
        try:
            return dict(self.show(job.outcome.result(), french))
        except (Stopped, CancelledError):
            return {self.told: text("job_stopped", french)}

    def end(self, id: str | None) -> gr.Button:
        """Stop the job that the page follows."""
        self.jobs.stop(id)
        return gr.Button(interactive=False)


def desk(kind: str, label: Any, elem_id: str) -> Desk:
    """Lay it out, inside the tab called tab_``kind``."""
    with gr.Row():
        run = gr.Button(label, variant="primary", elem_id=elem_id, scale=3, min_width=80)
        stop = gr.Button(i18n("stop"), variant="stop", visible=False, elem_id=f"{elem_id}-stop", scale=1, min_width=80)
    address = gr.Textbox(
        label=i18n("job_link"),
        info=i18n("job_link_info"),
        interactive=False,
        buttons=["copy"],
        max_lines=1,
        visible=False,
        elem_id=f"{elem_id}-link",
    )
    return Desk(Jobs(kind), run, stop, address, gr.State(time_to_live=cleanup.AGE))


def wire(
    desk: Desk, begin: Begin, inputs: Sequence[Component], show: Show, outputs: Sequence[Component], *, over: Component
) -> None:
    """Wire it. Progress is shown over ``over``; words about the job go into the first of ``outputs``."""
    desk.begin, desk.show, desk.told = begin, show, outputs[0]
    kind = desk.jobs.kind
    titles = json.dumps([text(f"tab_{kind}", french) for french in (False, True)])
    begun = desk.run.click(desk.start, list(inputs), desk.state, **QUIET)
    begun.success(None, desk.link, None, js="link => lab.remember(link)", api_visibility="private")
    reopened = gr.on(None, desk.reopen, None, desk.state, **QUIET)  # no trigger: when the page loads
    reopened.then(None, None, None, js=f"() => lab.openTab('{kind}', {titles})", api_visibility="private")
    desk.stop.click(desk.end, desk.id, desk.stop, queue=False, **QUIET)
    followed = desk.id.change(
        desk.follow, desk.id, list(outputs), show_progress_on=over, concurrency_limit=MOST, api_visibility="private"
    )
    followed.then(_rest, None, [desk.run, desk.stop], queue=False, **QUIET)


def _rest() -> tuple[gr.Button, gr.Button]:
    """The buttons as they are while nothing runs."""
    return gr.Button(interactive=True), gr.Button(visible=False)
