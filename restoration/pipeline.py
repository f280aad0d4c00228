"""One photo's whole way: fitted, degraded, mended, restored and enlarged as a recipe says.

All interfaces replay recipes by this module, so they give the same pixels.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import image
from .errors import Note
from .recipe import Recipe, library_versions
from .restorer import Mended, Restoration, Restorer, Upscaled
from .tiling import Progress
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
    restorer: Restorer, photo: Photo, asked: Recipe, *, drawn: Photo | None = None, progress: Progress | None = None
) -> Run:
    """Do to ``photo`` what ``asked`` says; a recipe without models leaves it damaged.

    ``drawn`` is a mask that was drawn by hand, which the recipe names. ``progress(done, total)`` is called before each
    network's turn and after each tile; what it raises ends the run. Raises what `resolve`, `Degradation` and `Restorer`
    raise. Other weights or libraries than the recipe names are no error: see `Recipe.mismatch`.
    """
    return run_batch(restorer, [photo], asked, drawn=drawn, progress=progress)[0]


def run_each(
    restorer: Restorer, photo: Photo, asked: Recipe, *, drawn: Photo | None = None, progress: Progress | None = None
) -> Iterator[Run]:
    """`run` as it grows, for who wants to see what is finished: after each model, what there is by then."""
    for (grown,) in _grow(restorer, [photo], asked, drawn, progress):
        yield grown


def run_batch(
    restorer: Restorer,
    photos: Sequence[Photo],
    asked: Recipe,
    *,
    drawn: Photo | None = None,
    progress: Progress | None = None,
) -> list[Run]:
    """`run` for several photos. Those of 128x128, each model restores together (see `Restorer.restore_batch`)."""
    *_, runs = _grow(restorer, photos, asked, drawn, progress)
    return runs


def _grow(
    restorer: Restorer, photos: Sequence[Photo], asked: Recipe, drawn: Photo | None, progress: Progress | None
) -> Iterator[list[Run]]:
    """The photos' runs after each model; where there is none, once."""
    recipe = resolve(restorer, asked)
    fitted = [photo if recipe.size == "own" else image.fit(photo, recipe.fit) for photo in photos]
    degraded: list[Photo] = []
    seconds: list[float] = []
    seed = recipe.seed or 0
    for photo in fitted:
        started = time.perf_counter()
        degraded.append(recipe.degradation.apply(photo, seed) if recipe.degradation else photo)
        seconds.append(time.perf_counter() - started)
    inpaint, how = recipe.inpaint, recipe.upscaling
    mended = [restorer.mend(photo, inpaint, drawn) if inpaint else None for photo in degraded]
    given = [each.photo if each else photo for each, photo in zip(mended, degraded, strict=True)]
    restored: dict[str, list[Restoration]] = {}
    enlarged: dict[str, list[Upscaled]] = {}
    turns = len(recipe.models) * (2 if how else 1)

    def tell(done: int = 0, total: int = 1) -> None:
        """Of the network whose turn it is, ``done`` of ``total`` tiles."""
        if progress:
            progress((len(restored) + len(enlarged)) * total + done, turns * total)

    def restore(name: str) -> list[Restoration]:
        if recipe.size == SIDE and recipe.look == Look():
            return restorer.restore_batch(given, name)
        return [restorer.restore_whole(photo, name, look=recipe.look, seed=seed, progress=tell) for photo in given]

    def one(place: int) -> Run:
        sharp = {name: made[place] for name, made in restored.items()}
        large = {name: made[place] for name, made in enlarged.items()}
        devices = {each.device for each in sharp.values()} | {each.device for each in large.values()}
        devices = devices or {restorer.device.type}
        ran = replace(
            recipe,
            models={name: recipe.models[name] for name in sharp},
            upscaling=next((each.upscaling for each in large.values()), None),
            versions={**recipe.versions, "device": " and ".join(sorted(devices))},
        )
        return Run(
            truth=fitted[place] if recipe.degradation else None,
            degraded=degraded[place],
            mended=mended[place],
            restored=sharp,
            enlarged=large,
            degrade_seconds=seconds[place],
            recipe=ran,
            fell_back=devices != {restorer.device.type},
        )

    for name in recipe.models:
        tell()
        restored[name] = restore(name)
        if how:
            tell()
            options: dict[str, Any] = {"engine": how.engine, "denoise": how.denoise, "tile": how.tile}
            enlarged[name] = [
                restorer.upscale(each.photo, how.scale, **options, progress=tell) for each in restored[name]
            ]
        yield [one(place) for place in range(len(photos))]
    if not recipe.models:
        yield [one(place) for place in range(len(photos))]
