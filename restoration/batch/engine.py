"""The one engine of work on many photos: each is read, worked on, written and counted.

The commands run it in threads or on a Ray cluster, the app's Batch tab in a thread of its own. They differ in how
photos come in and where results go: see `plan` and ``write``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from .. import image
from ..errors import ControlError, Note, OutputError, RestorationError
from ..recipe import Recipe
from ..report import Entry, finite
from ..types import Photo
from .parallel import in_parallel
from .plan import Job, sha256
from .summary import Summary

if TYPE_CHECKING:
    from ..metrics import Metrics
    from ..pipeline import Run
    from ..restorer import Restorer

T = TypeVar("T")
Way = Callable[..., Generator[tuple[Job, BaseException | None], None, None]]
"""How photos are gone through: `in_parallel`, or `ray_cluster.Cluster.run`, with what they leave open."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was made of a photo."""

    results: Mapping[str, Photo | bytes]
    """By the kinds of the job's outputs; bytes where it is no picture."""
    recipe: Recipe
    seconds: Mapping[str, float] = field(default_factory=dict)
    """That each step took."""
    measured: Mapping[str, Metrics] | None = None
    """Of each candidate; None where there is no truth."""
    facts: Entry = field(default_factory=dict)
    """What else the report says of it."""


@dataclass(frozen=True, kw_only=True)
class _Begun(Generic[T]):
    """A photo on its way: ``found`` is what was read of its file and, later, what was made of that."""

    started: float
    job: Job
    sha256: str
    found: T


@dataclass(frozen=True, kw_only=True)
class _Finished:
    """What is left to do for a photo: its results' files and its line of the report are written, and it is counted."""

    job: Job
    seconds: float
    notes: Sequence[Note]
    entry: Entry
    files: Mapping[Path, bytes]


def work_through(
    jobs: Sequence[Job],
    read: Callable[[Job, Path], T],
    work: Callable[..., Sequence[Made]],
    write: Callable[[Entry, Mapping[Path, bytes]], object],
    summary: Summary,
    way: Way = in_parallel,
) -> Generator[tuple[Job, BaseException | None], None, None]:
    """Each job, in order, when its results are written, or with the error that it came to; ``summary`` is kept.

    ``read(job, path)`` reads the photo's file, and ``work`` gets what was read of as many photos as ``way`` gives it at
    once; on a cluster, a worker's own `Restorer` too. ``write`` gets a photo's line of the report, with its ``outputs``
    as paths, and what these are to hold; one at a time, in this process. Wrong usage, want of room and faults of ours
    are raised, as no other photo would do better.
    """
    one_at_a_time = threading.Lock()

    def read_with_hash(job: Job) -> _Begun[T]:
        started = time.perf_counter()
        with job.opened() as path:
            return _Begun(started=started, job=job, sha256=sha256(path), found=read(job, path))

    def work_on(some: Sequence[_Begun[T]], *own: Restorer) -> list[_Begun[Made]]:
        made = work([each.found for each in some], *own)
        return [
            _Begun(started=begun.started, job=begun.job, sha256=begun.sha256, found=each)
            for begun, each in zip(some, made, strict=True)
        ]

    def write_and_count(finished: _Finished) -> None:
        with one_at_a_time:
            write(finished.entry, finished.files)
            summary.add(finished.job, finished.seconds, finished.notes)

    outcomes = way(jobs, read_with_hash, work_on, write_and_count, finish=_finished)
    with closing(outcomes):  # so that nothing more is begun after an error
        for job, failure in outcomes:
            if failure:
                of_a_photo = isinstance(failure, RestorationError | OSError | RuntimeError | MemoryError)
                if isinstance(failure, ControlError | OutputError) or not of_a_photo:
                    raise failure
                summary.refused.append((job.name, failure))
            yield job, failure


def _finished(begun: _Begun[Made]) -> _Finished:
    """Encode what was made of a photo, and word its line of the report."""
    job, made = begun.job, begun.found
    results = {job.outputs[kind]: result for kind, result in made.results.items()}
    notes = [note for result in results.values() if isinstance(result, Photo) for note in result.details.notes]
    unlike = {str(note): note for note in notes}
    entry = {
        "input": job.name,
        "input_sha256": begun.sha256,
        "outputs": job.outputs,
        "seconds": {step: round(value, 4) for step, value in made.seconds.items()},
        "metrics": {name: finite(asdict(each)) for name, each in made.measured.items()} if made.measured else None,
        **made.facts,
    }
    if notes:
        entry["warning"] = " ".join(unlike)
        entry["partial"] = any(note.code in ("photo_partial", "photo_coarse") for note in notes)
    entry["recipe"] = made.recipe.to_json()
    files = {
        path: result if isinstance(result, bytes) else image.encode(result, path.suffix)
        for path, result in results.items()
    }
    seconds = time.perf_counter() - begun.started
    return _Finished(job=job, seconds=seconds, notes=[*unlike.values()], entry=entry, files=files)


# --- Of photos that a recipe restores ---------------------------------------------------------------------------------


def kinds_of(recipe: Recipe) -> dict[str, str]:
    """What ``recipe`` makes of each photo, and what the names of these results end in: a.png and a_x4.png for one
    model, a_vae.png, a_vae_x4.png and so on for several.
    """
    kinds = {}
    for ending in _endings(recipe).values():
        kinds[f"restored{ending}"] = ending
        if recipe.upscaling:
            kinds[f"upscaled{ending}"] = f"{ending}_x{recipe.upscaling.scale}"
    return kinds


def made_of(run: Run, truth: Photo | None = None) -> Made:
    """What a run of the pipeline made, by `kinds_of`, measured against its truth or another one of its size."""
    truth = run.truth or truth
    pictures: dict[str, Photo] = {}
    seconds, measured, colours = {}, {}, {}
    for name, ending in _endings(run.recipe).items():
        result = run.restored[name]
        pictures[f"restored{ending}"], seconds[f"restore{ending}"] = result.photo, result.seconds
        colours[f"colour{ending}"] = result.colour
        if larger := run.enlarged.get(name):
            pictures[f"upscaled{ending}"], seconds[f"upscale{ending}"] = larger.photo, larger.seconds
        if truth and (truth.width, truth.height) == (result.photo.width, result.photo.height):
            from .. import metrics  # SciPy's import, for which most runs need not wait

            measured[name] = metrics.compare(result.photo, truth)
    sized = {"given": run.degraded, **pictures, **({"truth": truth} if truth else {})}  # a truth of any size
    facts: Entry = {"sizes": {kind: [each.width, each.height] for kind, each in sized.items()}, **colours}
    if run.mended:
        seconds["mend"], facts["mended"] = run.mended.seconds, round(run.mended.share, 5)
    return Made(results=pictures, recipe=run.recipe, seconds=seconds, measured=measured or None, facts=facts)


def _endings(recipe: Recipe) -> dict[str, str]:
    return {name: f"_{name}" if len(recipe.models) > 1 else "" for name in recipe.models}
