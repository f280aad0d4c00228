"""Many photos worked through: results, a line of the report for each, and a summary."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer
from tqdm import tqdm

from .. import image
from ..batch.parallel import in_parallel
from ..batch.plan import Job, Plan, input_sha256, is_done, report_path
from ..batch.summary import Summary
from ..errors import ControlError, OutputError, PhotoError, RestorationError
from ..files import legible
from ..recipe import Recipe
from ..report import Entry, commit, finite, read_report
from ..types import Photo
from .options import Telling

if TYPE_CHECKING:
    from ..batch.ray_cluster import Cluster
    from ..metrics import Metrics
    from ..restorer import Restorer
    from ..tiling import Progress


T = TypeVar("T")

Results = tuple[Mapping[str, Photo | bytes], Entry]
"""What is made of a photo, by what it is (bytes where it is no picture), and what the report says of it beside the
recipe."""
OF_A_PHOTO = (RestorationError, OSError, RuntimeError, MemoryError)
"""Errors that a photo may come to while the others go on."""
GPU_BATCH = 8
"""Photos that a GPU restores at once; a CPU's core is little slower with one, and a kill costs no more than it."""


def process(
    todo: Plan,
    telling: Telling,
    work: Callable[[Job], Results],
    recipe_of: Callable[[Job], Recipe],
    *,
    resumable: bool = False,
) -> None:
    """`process_batches` of one photo each, which ``work`` reads itself."""
    process_batches(todo, telling, work, lambda some: [made for _, made in some], recipe_of, resumable=resumable)


def process_batches(
    todo: Plan,
    telling: Telling,
    read: Callable[[Job], T],
    work: Callable[..., Sequence[Results]],
    recipe_of: Callable[[Job], Recipe],
    *,
    resumable: bool = True,
    batch: int = 1,
    threads: int = 1,
    cluster: Cluster | None = None,
) -> None:
    """``read`` each photo and ``work`` on batches of them, write the results and a line of the report of each, name
    those that fail, sum up, and exit 1 if any did.

    ``resumable`` says that the recipe alone decides a photo's results: those that are there already are not made again.
    ``work`` gets pairs of a job and what was read, ``batch`` of them at once, in each of the ``threads``; on a
    ``cluster``, a worker's own `Restorer` too.
    """
    report = report_path(todo.out)
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ControlError("out_unmade", folder=report.parent, reason=error.strerror) from error
    made = read_report(report) if resumable else {}
    before = {job.source for job in todo.jobs if made and is_done(job, recipe_of(job).to_json(), made, report)}
    left = [job for job in todo.jobs if job.source not in before]
    count = len(todo.jobs)
    summary = Summary(report=report, photos=count, passed_over=todo.passed_over, done=len(before), before=len(before))
    one_at_a_time = threading.Lock()

    def read_with_hash(job: Job) -> tuple[float, Job, str, T]:
        return time.perf_counter(), job, input_sha256(job), read(job)

    def work_on(some: Sequence[tuple[float, Job, str, T]], *own: Restorer) -> list[tuple[float, Job, str, Results]]:
        done = work([(job, found) for _, job, _, found in some], *own)
        return [(begun, job, digest, results) for (begun, job, digest, _), results in zip(some, done, strict=True)]

    def encode(one: tuple[float, Job, str, Results]) -> tuple[Job, float, Entry, dict[Path, bytes]]:
        begun, job, digest, (results, facts) = one
        entry = {"input": legible(str(job.source)), "input_sha256": digest, "outputs": job.outputs, **facts}
        notes = [note for result in results.values() if isinstance(result, Photo) for note in result.details.notes]
        if notes:
            entry["warning"] = " ".join(dict.fromkeys(map(str, notes)))
            entry["partial"] = any(note.code in ("photo_partial", "photo_coarse") for note in notes)
        files = {
            path: result if isinstance(result := results[kind], bytes) else image.encode(result, path.suffix)
            for kind, path in job.outputs.items()
        }
        return job, time.perf_counter() - begun, {**entry, "recipe": recipe_of(job).to_json()}, files

    def write(encoded: tuple[Job, float, Entry, dict[Path, bytes]]) -> None:
        job, seconds, entry, files = encoded
        with one_at_a_time:
            commit(report, entry, files)
            summary.took(job.source, seconds)

    if cluster:
        from ..batch.ray_cluster import WorkerTask

        task = WorkerTask(read=read_with_hash, work=work_on, finish=encode)
        outcomes = cluster.run(left, task, write, batch=batch)
    else:
        outcomes = in_parallel(
            left,
            read_with_hash,
            work_on,
            lambda one: write(encode(one)),
            batch=batch,
            threads=threads,
            begin=_on_one_core,
        )
    for folder in todo.unreadable:
        tqdm.write(summary.refuse(folder, PhotoError("photo_forbidden", name=folder.name)), file=sys.stderr)
    hidden = None if count > 1 and not telling.quiet else True
    try:
        # closed, so that nothing more is begun after an error or Ctrl+C
        with closing(outcomes), tqdm(total=count, initial=len(before), unit="photo", disable=hidden) as bar:
            for job, failure in outcomes:
                if failure is None:
                    summary.done += 1
                elif isinstance(failure, ControlError | OutputError) or not isinstance(failure, OF_A_PHOTO):
                    raise failure  # wrong usage, no room for anything, or a fault of ours
                else:
                    tqdm.write(summary.refuse(job.source, failure), file=sys.stderr)
                bar.update()
    finally:
        if said := json.dumps(summary.to_json()) if telling.json else str(summary):
            typer.echo(said)
    if summary.done < count or todo.unreadable:
        raise typer.Exit(1)


def _on_one_core() -> None:
    """What this thread computes stays on one core, as every core has such a thread."""
    import torch

    torch.set_num_threads(1)


@contextmanager
def tile_bar(*, shown: bool) -> Iterator[Progress]:
    """A progress bar of one photo's tiles, ``shown`` where there is a terminal."""
    with tqdm(unit="tile", leave=False, disable=None if shown else True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def facts_of(seconds: Mapping[str, float], measured: Mapping[str, Metrics] | None = None) -> Entry:
    """What the report says of a photo beside its recipe; measures by candidate, null where there is no truth."""
    return {
        "seconds": {step: round(value, 4) for step, value in seconds.items()},
        "metrics": {name: finite(asdict(each)) for name, each in measured.items()} if measured else None,
    }
