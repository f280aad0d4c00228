"""Jobs: one at a time, until they are stopped, and found by who has the link."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from gradio.context import LocalContext

from restoration.errors import ControlError
from restoration.tiling import Stopped
from ui import jobs
from ui.cancellation import raise_if_disconnected
from ui.hardening import cleanup
from ui.jobs import KEPT, MOST, Job, Jobs, Tell


class Gate:
    """Work that begins, and goes on when it may."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self, tell: Tell) -> str:
        self.has_begun.set()
        assert self.may_end.wait(10)
        tell(1, 2, "on")
        return "done"


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.may_end.set()


def ended(job: Job) -> Job:
    for _ in range(1000):
        if job.ended is not None:
            return job
        time.sleep(0.01)
    pytest.fail("the job never ended")


def test_a_job_tells_how_far_it_is_and_what_came_of_it(gate: Gate) -> None:
    started = Jobs("batch")
    job = started.start(gate)
    assert gate.has_begun.wait(10)
    assert (job.progress, job.ended) == (None, None)
    gate.may_end.set()
    assert ended(job).outcome.result() == "done"
    assert job.progress == (1, 2, "on")
    assert started.find(job.id) is job


def test_one_runs_at_a_time_in_the_order_of_their_coming(gate: Gate) -> None:
    order: list[int] = []
    started = Jobs("batch")
    first = started.start(gate)
    others = [started.start(lambda tell, place=place: order.append(place)) for place in range(3)]  # type: ignore[misc]
    assert gate.has_begun.wait(10)
    assert [job.ended for job in others] == [None] * 3
    gate.may_end.set()
    ended(others[-1])
    assert ended(first).outcome.result() == "done"
    assert order == [0, 1, 2]


def test_one_kind_does_not_wait_for_another(gate: Gate) -> None:
    Jobs("batch").start(gate)
    assert ended(Jobs("robustness").start(lambda tell: 1)).outcome.result() == 1


def test_too_many_are_refused_until_one_has_ended(gate: Gate) -> None:
    started = Jobs("batch")
    waiting = [started.start(gate) for _ in range(MOST)]
    with pytest.raises(ControlError, match="8 such jobs are waiting already; try again"):
        started.start(gate)
    gate.may_end.set()
    for job in waiting:
        ended(job)
    ended(started.start(gate))


def test_what_is_stopped_ends_at_its_next_step(gate: Gate) -> None:
    started = Jobs("batch")
    job = started.start(gate)
    assert gate.has_begun.wait(10)
    started.stop(job.id)
    assert job.ended is None
    gate.may_end.set()
    assert isinstance(ended(job).outcome.exception(), Stopped)


def test_work_may_be_content_with_what_is_finished() -> None:
    def work(tell: Tell) -> list[int]:
        finished: list[int] = []
        try:
            for place in range(100):
                tell(place, 100, "")
                finished.append(place)
                if place == 2:
                    job.stop()
        except Stopped:
            pass
        return finished

    job = Job(id="a")
    job.run(work)
    assert job.outcome.result() == [0, 1, 2]


def test_what_is_stopped_while_it_waits_ends_at_once_and_never_begins(gate: Gate) -> None:
    begun: list[str] = []
    started = Jobs("batch")
    started.start(gate)
    job = started.start(lambda tell: begun.append("waiting"))
    job.stop()
    assert job.outcome.cancelled()
    assert job.ended is not None
    gate.may_end.set()
    ended(started.start(lambda tell: begun.append("last")))
    assert begun == ["last"]


def test_what_goes_wrong_is_kept_for_who_follows_it_and_stops_no_other() -> None:
    def fail(tell: Tell) -> None:
        raise KeyError("why")

    started = Jobs("batch")
    job = started.start(fail)
    assert ended(started.start(lambda tell: 1)).outcome.result() == 1
    assert isinstance(ended(job).outcome.exception(), KeyError)


def test_only_who_has_its_id_finds_a_job() -> None:
    started = Jobs("batch")
    ids = {ended(started.start(lambda tell: 1)).id for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch(r"batch-[\w-]{22}", id) for id in ids)  # of 128 bits
    assert [started.find(guess) for guess in (None, "", "batch-", "batch", "0")] == [None] * 5
    started.stop("batch-")


def test_a_result_waits_for_half_an_hour_and_its_files_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    started = Jobs("batch")
    job = ended(started.start(lambda tell: 1))
    for seconds, is_there in ((KEPT - 5, True), (KEPT + 5, False), (0, False)):
        monkeypatch.setattr(jobs.time, "monotonic", lambda seconds=seconds: now + seconds)
        assert (started.find(job.id) is job) == is_there
    assert KEPT == 1800
    assert KEPT + cleanup.ROUND < cleanup.AGE


def test_a_job_that_has_not_ended_is_kept(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    started = Jobs("batch")
    job = started.start(gate)
    later = time.monotonic() + 10 * KEPT
    monkeypatch.setattr(jobs.time, "monotonic", lambda: later)
    assert started.find(job.id) is job


def test_it_goes_on_in_its_requests_context_when_the_page_is_gone() -> None:
    """ZeroGPU asks the context for the request; `raise_if_disconnected` would ask it for the page."""
    queue = SimpleNamespace(event_ids_to_events={})
    found: list[object] = []

    def work(tell: Tell) -> None:
        raise_if_disconnected()
        found.append(LocalContext.request.get(None))

    request, event = LocalContext.request.set("asked"), LocalContext.event_id.set("left")  # type: ignore[arg-type]
    blocks = LocalContext.blocks.set(SimpleNamespace(_queue=queue))  # type: ignore[arg-type]
    try:
        job = ended(Jobs("batch").start(work))
    finally:
        LocalContext.request.reset(request)
        LocalContext.event_id.reset(event)
        LocalContext.blocks.reset(blocks)
    assert job.outcome.exception() is None
    assert found == ["asked"]
