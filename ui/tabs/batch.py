"""The Batch tab: many photos, or zip archives of them, restored into one zip."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, get_args

import gradio as gr
from gradio.components import Component
from gradio.data_classes import ListFiles

from restoration import Look, Photo, Recipe, RestorationError, Upscaling, image
from restoration.batch import archive
from restoration.batch.engine import Made, kinds_of, made_of, work_through
from restoration.batch.plan import plan_archive
from restoration.batch.summary import Summary
from restoration.errors import PhotoError
from restoration.report import Entry
from restoration.restorer import OWN_LOOK
from restoration.tiling import Stopped
from restoration.types import Inpainting, Size

from .. import jobs
from ..context import QUIET, TITLES, AppContext, bound, only_by_able_models
from ..errors import refuse, sentence
from ..files import publish, received
from ..jobs import Desk, Tell, Work
from ..results import engine_that_ran, reported_sizes
from ..texts import i18n, is_french, labelled, text

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """What came of it: an archive of the results (None where there are none), and why each other photo failed."""

    archive: str | None
    total: int
    failures: Sequence[tuple[str, RestorationError]]
    warnings: Sequence[tuple[str, RestorationError]] = ()
    """What is to be known of photos that were restored: how their files were read."""
    upscaling: Upscaling | None = None
    """What enlarged the photos, where they were."""
    fell_back: bool = False
    """Did the CPU stand in for a GPU that failed?"""
    left: int = 0
    """How many photos were not begun, as it was stopped before."""


def restore(context: AppContext, paths: Sequence[str], recipe: Recipe, tell: Tell) -> Batch:
    """Restore every photo by ``recipe``, as damaged as it is; ``tell(done, total, name)`` before each, until it raises
    `Stopped`.

    The results are called as `plan_archive` says; ``batch.jsonl`` beside them has a line per photo. One photo's pixels
    are in memory at a time.
    """
    todo = plan_archive([*map(Path, paths)], kinds_of(recipe), format="same" if recipe.size == "own" else "png")
    counted = Summary(todo)
    lines: list[Entry] = []
    ran: list[tuple[Upscaling | None, bool]] = []

    def work(photos: Sequence[Photo]) -> list[Made]:
        run = context.run(photos[0], recipe)
        ran.append((run.recipe.upscaling, run.fell_back))
        of_run = made_of(run)
        told = {"size": reported_sizes(run), "colour": next(iter(run.restored.values())).colour}
        return [replace(of_run, facts={**of_run.facts, **told})]

    made: list[tuple[Entry, Mapping[Path, bytes]]] = []
    failures: list[tuple[str, RestorationError]] = []
    outcomes = work_through(
        todo.jobs,
        lambda job, path: context.load_for(recipe, str(path)),
        work,
        lambda *written: made.append(written),
        counted,
    )

    def results() -> Iterator[tuple[str, bytes]]:
        with suppress(Stopped):
            for index, job in enumerate(todo.jobs):
                tell(index, len(todo.jobs), job.name)
                next(outcomes)
                while made:  # given to the archive here, as a disk that is full is no photo's fault
                    entry, files = made.pop()
                    lines.append({**entry, "outputs": [*map(str, files)]})
                    yield from ((str(path), contents) for path, contents in files.items())
        failures.extend((name, _foreseen(name, error)) for name, error in counted.refused)
        errors = [{"input": name, "error": sentence(error, False)} for name, error in failures]
        yield "batch.jsonl", "".join(json.dumps(line) + "\n" for line in [*lines, *errors]).encode()

    target = publish({"restored.zip": b""})["restored.zip"]
    archive.pack(Path(target), results())
    total = len(todo.jobs) + len(todo.refused)
    return Batch(
        archive=target if lines else None,
        total=total,
        failures=failures,
        warnings=[(name, note) for name, notes in counted.warned for note in notes],
        upscaling=ran[-1][0] if ran else None,
        fell_back=any(fell_back for _, fell_back in ran),
        left=total - len(failures) - counted.done,
    )


def _foreseen(name: str, error: BaseException) -> RestorationError:
    """``error`` as one that has words in every language; any other is logged."""
    if isinstance(error, RestorationError):
        return error
    logger.error("%s", name, exc_info=error)
    return PhotoError("photo_failed", name=name, reason=error)


def summary(batch: Batch, french: bool) -> str:
    """How many were restored, what is to be known of those, and why the others were not, as HTML."""
    said = text("batch_done", french, done=batch.total - len(batch.failures) - batch.left, total=batch.total)
    if batch.left:
        said += f" {text('batch_stopped', french, left=batch.left)}"
    if batch.upscaling:
        said += f" {engine_that_ran(batch.upscaling, french)}"
    if batch.fell_back:
        said += f" {text('gpu_failed', french)}"
    if batch.failures:
        said += f" {text('batch_failed', french)}</p>{_listed(batch.failures, french)}"
    else:
        said += "</p>"
    if batch.warnings:
        said += f"<p>{text('batch_warned', french)}</p>{_listed(batch.warnings, french)}"
    return f"<p>{said}"


def _listed(told: Iterable[tuple[str, RestorationError]], french: bool) -> str:
    colon = " :" if french else ":"
    lines = (f"<strong>{escape(name)}</strong>{colon} {escape(sentence(each, french))}" for name, each in told)
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def begin(
    context: AppContext,
    request: gr.Request,
    paths: list[str] | None,
    names: list[str],
    size: Any,
    fit: Any,
    scale: int,
    mends: bool,
) -> Work:
    """What is to be done with the photos at ``paths``, by the models of these names."""
    french = is_french(request)
    if not paths:
        raise refuse("batch_none", request)
    if not names:
        raise refuse("no_model", request)
    recipe = only_by_able_models(
        Recipe(
            size=size,
            fit=fit,
            inpaint=Inpainting() if mends and size == "own" else None,
            look=OWN_LOOK if size == "own" else Look(),
            models=dict.fromkeys(names),
            upscaling=Upscaling(scale=scale, engine="auto") if scale else None,
        )
    )
    if len(recipe.models) < len(names):
        gr.Info(text("left_out", french))

    def work(tell: Tell) -> Batch:
        def tell_name(done: int, total: int, name: str) -> None:
            tell(done, total, text("batch_progress", french, name=Path(name).name))

        return restore(context, paths, recipe, tell_name)

    return work


def _fields_of(size: Any) -> tuple[gr.Radio, gr.Checkbox]:
    """Which fields there are at ``size``: how a photo is made a square, and whether scratches are mended."""
    return gr.Radio(visible=size == 128), gr.Checkbox(visible=size == "own")


def _uploaded_files(payload: ListFiles | None) -> list[str]:
    return [received(file.path) for file in payload.root] if payload else []


@dataclass(frozen=True, kw_only=True)
class BatchTab:
    """The tab's components, by what they hold, and what its handlers share."""

    context: AppContext
    files: gr.File
    models: gr.CheckboxGroup
    size: gr.Radio
    fit: gr.Radio
    scale: gr.Radio
    mend: gr.Checkbox
    desk: Desk
    summary: gr.HTML
    archive: gr.File


def layout(context: AppContext) -> BatchTab:
    """Lay out the tab, inside the caller's Blocks."""
    gr.Markdown(i18n("batch_lead"))
    files = gr.File(label=i18n("batch_files"), file_count="multiple", type="filepath", elem_id="batch-files")
    files.preprocess = _uploaded_files  # type: ignore[method-assign, assignment]  # Gradio's leaves an empty file for each
    with gr.Row():
        models = gr.CheckboxGroup(
            [(title, name) for name, title in TITLES.items()], value=list(TITLES)[:1], label=i18n("model_of_batch")
        )
        size = gr.Radio(labelled(get_args(Size), "size_"), value="own", label=i18n("size"))
        fit = gr.Radio(labelled(get_args(image.Fit)), value="crop", label=i18n("fit"), visible=False)
        scale = gr.Radio(labelled((0, 2, 4), "upscale_"), value=0, label=i18n("upscale"))
        mend = gr.Checkbox(label=i18n("scratches_mend"))
    return BatchTab(
        context=context,
        files=files,
        models=models,
        size=size,
        fit=fit,
        scale=scale,
        mend=mend,
        desk=jobs.desk("batch", i18n("batch_run"), "batch"),
        summary=gr.HTML(elem_id="batch-summary"),
        archive=gr.File(label=i18n("batch_zip"), interactive=False, elem_id="batch-zip"),
    )


def wire(tab: BatchTab) -> None:
    """Wire the tab."""
    tab.size.change(_fields_of, tab.size, [tab.fit, tab.mend], **QUIET)
    inputs = [tab.files, tab.models, tab.size, tab.fit, tab.scale, tab.mend]
    jobs.wire(
        tab.desk, bound(begin, tab.context), inputs, bound(show, tab), [tab.summary, tab.archive], over=tab.archive
    )


def show(tab: BatchTab, batch: Batch, french: bool) -> dict[Component, Any]:
    """What came of a batch, in words and as a file."""
    return {tab.summary: summary(batch, french), tab.archive: batch.archive}
