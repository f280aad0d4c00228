"""One photo's whole way: fitted, degraded, mended, restored and enlarged as a recipe says.

All interfaces replay recipes by this module, so they give the same pixels.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from . import image
from .errors import Note
from .recipe import Recipe, library_versions
from .restorer import Mended, Restoration, Restorer, Upscaled
from .tiling import Progress, silent
from .types import SIDE, Look, Photo


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a recipe made of a photo."""

    truth: Photo | None  # before it was degraded, of the recipe's size; None where it came damaged already
    degraded: Photo  # what is to be restored, of the recipe's size
    mended: Mended | None  # the same without scratches, for the models; None where the recipe leaves them
    restored: Mapping[str, Restoration]  # by the model's id
    enlarged: Mapping[str, Upscaled]  # by the model's id; empty where the recipe has no upscaling
    degrade_seconds: float
    recipe: Recipe  # what really ran, with the hashes, engine, precision, versions and device of this run
    fell_back: bool  # did the CPU stand in for a GPU that failed?

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be known of how the photo was read."""
        return (self.truth or self.degraded).details.notes


def resolve(restorer: Restorer, asked: Recipe) -> Recipe:
    """``asked`` with the hashes, the engine, the versions and the device of this machine. Raises what `Restorer`
    raises.
    """
    upscaling = asked.upscaling if asked.models else None  # there is nothing to enlarge
    if upscaling:
        upscaling = restorer.upscaling(upscaling.scale, upscaling.engine, upscaling.denoise, upscaling.tile)
    inpaint = asked.inpaint
    if inpaint and inpaint.mask == "auto":
        inpaint = replace(inpaint, weights_sha256=restorer.scratches_sha256())
    return replace(
        asked,
        inpaint=inpaint,
        models={name: restorer.weights_sha256(name) for name in asked.models},
        upscaling=upscaling,
        versions={**library_versions(), "device": restorer.device.type},
    )


def run(
    restorer: Restorer, photo: Photo, asked: Recipe, *, drawn: Photo | None = None, progress: Progress = silent
) -> Run:
    """Do to ``photo`` what ``asked`` says; a recipe without models leaves it damaged.

    ``drawn`` is a mask that was drawn by hand, which the recipe names. ``progress(done, total)`` is called before each
    network's turn and after each tile; what it raises ends the run. Raises what `resolve`, `Degradation` and `Restorer`
    raise. Other weights or libraries than the recipe names are no error: see `Recipe.mismatch`.
    """
    return run_batch(restorer, [photo], asked, drawn=drawn, progress=progress)[0]


def run_each(
    restorer: Restorer, photo: Photo, asked: Recipe, *, drawn: Photo | None = None, progress: Progress = silent
) -> Iterator[Run]:
    """Like `run`, but yields after each model what there is by then, for those who want to see what is finished."""
    for (so_far,) in _after_each_model(restorer, [photo], asked, drawn, progress):
        yield so_far


def run_batch(
    restorer: Restorer,
    photos: Sequence[Photo],
    asked: Recipe,
    *,
    drawn: Photo | None = None,
    progress: Progress = silent,
) -> list[Run]:
    """`run` for several photos. Those of 128x128, each model restores together (see `Restorer.restore_batch`)."""
    *_, runs = _after_each_model(restorer, photos, asked, drawn, progress)
    return runs


def _after_each_model(
    restorer: Restorer, photos: Sequence[Photo], asked: Recipe, drawn: Photo | None, progress: Progress
) -> Iterator[list[Run]]:
    """The photos' runs after each model; where there is none, once."""
    recipe = resolve(restorer, asked)
    runs = [_prepared(restorer, photo, recipe, drawn) for photo in photos]
    if not recipe.models:
        yield runs
    how = recipe.upscaling
    turns = _turns(progress, len(recipe.models) * (2 if how else 1))
    for name in recipe.models:
        restored = _restored(restorer, runs, name, recipe, next(turns))
        enlarged: list[Upscaled | None] = [None for _ in runs]
        if how:
            options: dict[str, Any] = {"engine": how.engine, "denoise": how.denoise, "tile": how.tile}
            tell = next(turns)
            enlarged = [restorer.upscale(each.photo, how.scale, **options, progress=tell) for each in restored]
        runs = [_with_model(*each, recipe) for each in zip(runs, restored, enlarged, strict=True)]
        yield runs


def _prepared(restorer: Restorer, photo: Photo, recipe: Recipe, drawn: Photo | None) -> Run:
    """A run before the first model's turn."""
    fitted = photo if recipe.size == "own" else image.fit(photo, recipe.fit)
    started = time.perf_counter()
    degraded = recipe.degradation.apply(fitted, recipe.seed or 0) if recipe.degradation else fitted
    return Run(
        truth=fitted if recipe.degradation else None,
        degraded=degraded,
        degrade_seconds=time.perf_counter() - started,
        mended=restorer.mend(degraded, recipe.inpaint, drawn) if recipe.inpaint else None,
        restored={},
        enlarged={},
        recipe=replace(recipe, models={}, upscaling=None),
        fell_back=False,
    )


def _restored(restorer: Restorer, runs: Sequence[Run], name: str, recipe: Recipe, tell: Progress) -> list[Restoration]:
    given = [run.mended.photo if run.mended else run.degraded for run in runs]
    if recipe.size == SIDE and recipe.look == Look():
        return restorer.restore_batch(given, name)
    seed = recipe.seed or 0
    return [restorer.restore_whole(photo, name, look=recipe.look, seed=seed, progress=tell) for photo in given]


def _with_model(run: Run, restored: Restoration, enlarged: Upscaled | None, recipe: Recipe) -> Run:
    """``run`` with what one more model made; ``recipe`` is that of all models."""
    name = restored.model
    sharp = {**run.restored, name: restored}
    large = {**run.enlarged, name: enlarged} if enlarged else run.enlarged
    devices = {each.device for each in sharp.values()} | {each.device for each in large.values()}
    ran = replace(
        run.recipe,
        models={**run.recipe.models, name: recipe.models[name]},
        upscaling=next((each.upscaling for each in large.values()), None),
    ).ran_on(devices)
    fell_back = devices != {recipe.versions["device"]}
    return replace(run, restored=sharp, enlarged=large, recipe=ran, fell_back=fell_back)


def _turns(progress: Progress, count: int) -> Iterator[Progress]:
    """For each of ``count`` networks the progress of its tiles, which ``progress`` is told as that of all of them."""
    for turn in range(count):
        progress(turn, count)
        yield partial(_tell, progress, turn, count)


def _tell(progress: Progress, turn: int, count: int, done: int, total: int) -> None:
    progress(turn * total + done, count * total)
