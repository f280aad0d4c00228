"""Many photos worked through in a terminal: progress, what goes wrong, the report, the summary and the exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer
from tqdm import tqdm

from ..batch.engine import Made, Way, work_through
from ..batch.parallel import in_parallel
from ..batch.plan import Job, Plan, is_done, report_path
from ..batch.summary import Summary, reason
from ..errors import ControlError
from ..recipe import Recipe
from ..report import commit, read_report

if TYPE_CHECKING:
    from ..tiling import Progress

T = TypeVar("T")


def process(
    todo: Plan,
    quiet: bool,
    as_json: bool,
    read: Callable[[Job, Path], T],
    work: Callable[..., Sequence[Made]] = list,
    *,
    recipe_of: Callable[[Job], Recipe] | None = None,
    way: Way = in_parallel,
) -> None:
    """`work_through` the photos, write the results and a line of the report of each, name those that fail, sum up, and
    exit 1 if any did.

    Without ``work``, ``read`` has made all that there is to make.
    ``recipe_of`` is given where the recipe alone decides a photo's results: those that are there already are not made
    again.
    """
    report = report_path(todo.out)
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ControlError("out_unmade", folder=report.parent, reason=error.strerror) from error
    left = todo.jobs
    if recipe_of and (made := read_report(report)):
        left = [job for job in todo.jobs if not is_done(job, recipe_of(job).to_json(), made, report)]
    count, before = len(todo.jobs), len(todo.jobs) - len(left)
    summary = Summary(todo, before)
    outcomes = work_through(left, read, work, partial(commit, report), summary, way)
    for name, refusal in todo.refused:
        _say(name, refusal)
    hidden = None if count > 1 and not quiet else True
    try:
        # closed, so that nothing more is begun after an error or Ctrl+C
        with closing(outcomes), tqdm(total=count, initial=before, unit="photo", disable=hidden) as bar:
            for job, failure in outcomes:
                if failure:
                    _say(job.name, failure)
                bar.update()
    finally:
        if said := json.dumps(summary.to_json()) if as_json else str(summary):
            typer.echo(said)
    if summary.refused:
        raise typer.Exit(1)


def _say(name: str, error: BaseException) -> None:
    tqdm.write(f"{name}: {reason(error)}", file=sys.stderr)


@contextmanager
def tile_bar(*, shown: bool) -> Iterator[Progress]:
    """A progress bar of one photo's tiles, ``shown`` where there is a terminal."""
    with tqdm(unit="tile", leave=False, disable=None if shown else True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress
