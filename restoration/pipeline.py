"""One photo's whole way: fitted, degraded, restored and enlarged as a recipe says.

The app, the HTTP API, the MCP tools and the command line replay a recipe by this one function, so it gives the same
pixels in all of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from . import image
from .recipe import Recipe, library_versions
from .restorer import Restoration, Restorer, Upscaled
from .types import Photo


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a recipe made of a photo."""

    truth: Photo | None
    """The photo before it was degraded, 128x128; None where it came damaged already."""
    degraded: Photo
    """What the models were given, 128x128."""
    restored: Mapping[str, Restoration]
    """By the model's id."""
    enlarged: Mapping[str, Upscaled]
    """By the model's id; empty where the recipe has no upscaling."""
    degrade_seconds: float
    recipe: Recipe
    """What really ran: its hashes, engine, precision and versions are those of this run."""


def run(restorer: Restorer, photo: Photo, recipe: Recipe) -> Run:
    """Do to ``photo`` what ``recipe`` asks for.

    Raises what `Degradation` and `Restorer` raise. Where weights or libraries are not those that the recipe names, it
    runs all the same, and ``recipe.mismatch(run.recipe)`` says so.
    """
    fitted = image.fit(photo, recipe.fit) if recipe.fit else photo
    started = time.perf_counter()
    degraded = recipe.degradation.apply(fitted, recipe.seed or 0) if recipe.degradation else fitted
    degrade_seconds = time.perf_counter() - started
    restored = {name: restorer.restore(degraded, name) for name in recipe.models}
    enlarged = {}
    if asked := recipe.upscaling:
        enlarged = {
            name: restorer.upscale(each.photo, asked.scale, engine=asked.engine, denoise=asked.denoise, tile=asked.tile)
            for name, each in restored.items()
        }
    ran = replace(
        recipe,
        models={name: each.weights_sha256 for name, each in restored.items()},
        upscaling=next((each.upscaling for each in enlarged.values()), None),
        versions=library_versions(),
    )
    return Run(
        truth=fitted if recipe.degradation else None,
        degraded=degraded,
        restored=restored,
        enlarged=enlarged,
        degrade_seconds=degrade_seconds,
        recipe=ran,
    )
