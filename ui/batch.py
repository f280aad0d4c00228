"""The Batch tab: many photos, or zip archives of them, restored into one zip."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import gradio as gr
from gradio.components import Component
from gradio.data_classes import ListFiles

from restoration import Look, Photo, Recipe, RestorationError, Run, Upscaling, image
from restoration.batch import archive
from restoration.batch.photos import is_litter
from restoration.errors import PhotoError
from restoration.files import result_names
from restoration.restorer import OWN_LOOK
from restoration.tiling import Stopped
from restoration.types import Inpainting, Size

from . import jobs
from .context import QUIET, TITLES, Lab, able
from .errors import refuse, sentence
from .files import publish, received
from .jobs import Tell, Work
from .results import engine_that_ran, reported_sizes
from .texts import i18n, is_french, labelled, text

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Item:
    """A photo of the batch: its name there, and how its file is opened; or why it is not."""

    name: str
    open: Callable[[Path], AbstractContextManager[Path]]
    refusal: RestorationError | None = None


@dataclass(frozen=True)
class Batch:
    """What came of it: an archive of the results (None where there are none), and why each other photo failed."""

    archive: str | None
    total: int
    failures: tuple[tuple[str, RestorationError], ...]
    upscaling: Upscaling | None = None
    """What enlarged the photos, where they were."""
    fell_back: bool = False
    """Did the CPU stand in for a GPU that failed?"""
    left: int = 0
    """How many photos were not begun, as it was stopped before."""


def items(paths: Sequence[str]) -> list[Item]:
    """The photos of ``paths``: files, or zip archives of photos; what systems leave in folders is passed over."""
    found: list[Item] = []
    for path in (Path(path) for path in paths if not is_litter(Path(path).name)):
        if path.suffix.lower() != ".zip":
            found.append(Item(path.name, lambda folder, path=path: nullcontext(path)))  # type: ignore[misc]
            continue
        try:
            members = archive.members(path)
        except PhotoError as error:
            found.append(Item(path.name, lambda folder: nullcontext(folder), error))
            continue
        found += [
            Item(member.name, lambda folder, member=member: archive.extracted(member, folder), member.refusal)  # type: ignore[misc]
            for member in members
        ]
    return found


def restore(lab: Lab, paths: Sequence[str], recipe: Recipe, tell: Tell) -> Batch:
    """Restore every photo by ``recipe``, as damaged as it is; ``tell(done, total, name)`` before each, until it raises
    `Stopped`.

    The archive mirrors the input's names, see `_names`; ``batch.jsonl`` in it has a line per photo. One photo's pixels
    are in memory at a time.
    """
    found = items(paths)
    good = [item for item in found if item.refusal is None]
    names = _names([item.name for item in good], recipe)
    failures = [(item.name, item.refusal) for item in found if item.refusal]
    lines: list[dict[str, Any]] = []

    ran: Upscaling | None = None
    fell_back = False
    left = 0

    def results_of(item: Item, names: Sequence[str], folder: Path) -> Iterator[tuple[str, bytes]]:
        nonlocal ran, fell_back
        try:
            with item.open(folder) as path:
                run = lab.run(lab.load_for(recipe, str(path)), recipe)
        except RestorationError as error:
            failures.append((item.name, error))
            return
        except (OSError, RuntimeError, MemoryError) as error:
            logger.exception("%s", item.name)
            failures.append((item.name, PhotoError("photo_failed", name=item.name, reason=error)))
            return
        ran, fell_back = run.recipe.upscaling, fell_back or run.fell_back
        told: dict[str, Any] = {"size": reported_sizes(run), "colour": next(iter(run.restored.values())).colour}
        if run.mended:
            told["mended"] = round(run.mended.share, 5)
        if run.notes:
            told["warning"] = " ".join(map(str, run.notes))
        lines.append({"input": item.name, "outputs": [*names], **told, "recipe": run.recipe.to_json()})
        for name, photo in zip(names, _photos(run), strict=True):
            yield name, image.encode(photo, Path(name).suffix)

    def results() -> Iterator[tuple[str, bytes]]:
        nonlocal left
        with TemporaryDirectory() as folder:
            for place, item in enumerate(good):
                try:
                    tell(place, len(good), item.name)
                except Stopped:
                    left = len(good) - place
                    break
                yield from results_of(item, names[place], Path(folder))
        lines.extend({"input": name, "error": sentence(error, False)} for name, error in failures)
        yield "batch.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode()

    target = Path(publish({"restored.zip": b""})["restored.zip"])
    archive.pack(target, results())
    is_empty = not any("outputs" in line for line in lines)
    return Batch(None if is_empty else str(target), len(found), tuple(failures), ran, fell_back, left)


def _names(photos: Sequence[str], recipe: Recipe) -> list[list[str]]:
    """For each photo the paths of its results in the archive: a.png for one model, a_vae.png and so on for several,
    with _x4 at the end of the enlarged. A JPEG that is restored whole stays one.
    """
    scales = ("", f"_x{recipe.upscaling.scale}") if recipe.upscaling else ("",)
    models = [f"_{model}" for model in recipe.models] if len(recipe.models) > 1 else [""]
    suffixes = [image.same_suffix(photo) if recipe.size == "own" else ".png" for photo in photos]
    endings = [[f"{model}{scale}{suffix}" for model in models for scale in scales] for suffix in suffixes]
    return result_names(photos, endings)


def _photos(run: Run) -> Iterator[Photo]:
    """The results of one photo in the order of `_names`."""
    for model, restored in run.restored.items():
        yield restored.photo
        if model in run.enlarged:
            yield run.enlarged[model].photo


def summary(batch: Batch, french: bool) -> str:
    """How many were restored, and why the others were not, as HTML."""
    done = batch.total - len(batch.failures) - batch.left
    said = text("batch_done", french, done=done, total=batch.total)
    if batch.left:
        said += f" {text('batch_stopped', french, left=batch.left)}"
    if batch.upscaling:
        said += f" {engine_that_ran(batch.upscaling, french)}"
    if batch.fell_back:
        said += f" {text('gpu_failed', french)}"
    if not batch.failures:
        return f"<p>{said}</p>"
    colon = " :" if french else ":"
    lines = "".join(
        f"<li><strong>{escape(name)}</strong>{colon} {escape(sentence(error, french))}</li>"
        for name, error in batch.failures
    )
    return f"<p>{said} {text('batch_failed', french)}</p><ul>{lines}</ul>"


def tab(lab: Lab) -> None:
    """Lay out and wire the tab, inside the caller's Blocks."""
    gr.Markdown(i18n("batch_lead"))
    files = gr.File(label=i18n("batch_files"), file_count="multiple", type="filepath", elem_id="batch-files")
    files.preprocess = _uploaded_files  # type: ignore[method-assign, assignment]  # Gradio's leaves an empty file for each
    with gr.Row():
        models = gr.CheckboxGroup(
            [(title, name) for name, title in TITLES.items()], value=list(TITLES)[:1], label=i18n("model_of_batch")
        )
        size = gr.Radio(labelled(get_args(Size), "size_"), value="own", label=i18n("size"), elem_id="batch-size")
        fit = gr.Radio(labelled(get_args(image.Fit)), value="crop", label=i18n("fit"), visible=False)
        scale = gr.Radio(labelled((0, 2, 4), "upscale_"), value=0, label=i18n("upscale"))
        mend = gr.Checkbox(label=i18n("scratches_mend"))
    desk = jobs.desk("batch", i18n("batch_run"), "batch")
    told = gr.HTML(elem_id="batch-summary")
    result = gr.File(label=i18n("batch_zip"), interactive=False, elem_id="batch-zip")

    def begin(
        request: gr.Request, paths: list[str] | None, names: list[str], at: Any, how: Any, times: int, mends: bool
    ) -> Work:
        french = is_french(request)
        if not paths:
            raise refuse("batch_none", request)
        if not names:
            raise refuse("no_model", request)
        upscaling = Upscaling(scale=times, engine="auto") if times else None
        look = OWN_LOOK if at == "own" else Look()
        inpaint = Inpainting() if mends and at == "own" else None
        models = dict.fromkeys(names)
        recipe = able(Recipe(size=at, fit=how, inpaint=inpaint, look=look, models=models, upscaling=upscaling))
        if len(recipe.models) < len(names):
            gr.Info(text("left_out", french))

        def work(tell: Tell) -> Batch:
            def tell_name(done: int, total: int, name: str) -> None:
                tell(done, total, text("batch_progress", french, name=Path(name).name))

            return restore(lab, paths, recipe, tell_name)

        return work

    def show(batch: Batch, french: bool) -> dict[Component, Any]:
        return {told: summary(batch, french), result: batch.archive}

    def show_fit(at: Any) -> tuple[gr.Radio, gr.Checkbox]:
        return gr.Radio(visible=at == 128), gr.Checkbox(visible=at == "own")

    size.change(show_fit, size, [fit, mend], **QUIET)
    jobs.wire(desk, begin, [files, models, size, fit, scale, mend], show, [told, result], over=result)


def _uploaded_files(payload: ListFiles | None) -> list[str]:
    return [received(file.path) for file in payload.root] if payload else []
