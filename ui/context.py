"""What every tab works with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import MethodType
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from restoration import Look, Photo, Recipe, RestorationError, Restorer, Run, image, pipeline, upscale
from restoration.errors import ControlError
from restoration.models import model as find_model
from restoration.tiling import Progress
from restoration.types import SIDE
from restoration.weights import originals, restorers
from restoration.weights.checkpoints import ORIGINALS

from . import zerogpu
from .cancellation import raise_if_disconnected
from .hardening import decoding

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def logged() -> Iterator[None]:
    """What goes wrong inside is a line in the log: whoever asks for it later will read the same."""
    try:
        yield
    except (RestorationError, OSError) as error:
        logger.warning("%s", error)


def _sound(ids: Iterable[str]) -> Iterator[str]:
    """Those of the original project's models that load, so that a bad file takes no tab's other models along."""
    for id in ids:
        with logged():
            Restorer("cpu").prepare([id])
            yield id


TITLES = {
    **{entry.model: entry.title for entry in restorers()},
    **{id: ORIGINALS[id].title for id in _sound(originals())},
}
"""The models' titles by id: ours in the manifest's order, then the original project's that lie in ``weights/``."""
SAMPLERS = [name for name in TITLES if find_model(name).samples]
"""Those of them that know several answers."""
OFFERED_ENGINES = ("auto", "fast", "general", "x4plus", "bicubic")
MIN_TILE = 64
NETWORK = "network"
"""The concurrency id of every listener that runs a network: they take turns, so that two cores serve one well."""
RUNNING: dict[str, Any] = {"concurrency_id": NETWORK, "concurrency_limit": 1, "api_visibility": "private"}
"""Options of such a listener."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Options of a listener that is done at once."""


def bound(handler: Callable[..., T], *shared: object) -> Callable[..., T]:
    """``handler`` with its first arguments given: what the page does not send, such as the components of a tab.

    Gradio asks a handler for its name and for its annotations, by which it knows where the request goes; a
    `functools.partial` has neither.
    """
    for each in shared:
        handler = MethodType(handler, each)
    return handler


def check_recipe(recipe: Recipe) -> None:
    """Raise `ControlError` where the recipe, of another app perhaps, names a model that this one has not, or tiles that
    are margin more than anything else: of 16 pixels, they take 80 times as long; or where it wants a sample of a model
    that has none, which would show only when the others are done.
    """
    if recipe.upscaling and (tile := recipe.upscaling.tile) is not None and tile < MIN_TILE:
        raise ControlError("tile_small", tile=tile, least=MIN_TILE)
    for name in recipe.models:
        if name not in TITLES:
            raise ControlError("model_unknown", name=name, choices=", ".join(TITLES))
        if recipe.look.sample and not find_model(name).samples:
            raise ControlError("samples_none", model=TITLES[name])


def only_by_able_models(recipe: Recipe) -> Recipe:
    """``recipe`` without the models that cannot do it (the original project's know 128x128 pixels only); where none is
    left, at 128x128.
    """
    models = {name: sha256 for name, sha256 in recipe.models.items() if name not in ORIGINALS}
    if recipe.size == SIDE or len(models) == len(recipe.models):
        return recipe
    return replace(recipe, models=models) if models else replace(recipe, size=128, inpaint=None, look=Look())


def _check(photo: Photo, recipe: Recipe) -> None:
    """`check_recipe`, and what is said before a photo is restored, which may take minutes: can it be enlarged so?"""
    check_recipe(recipe)
    if recipe.size == "own" and recipe.upscaling:
        upscale.check_size(photo, recipe.upscaling.scale)


def _ending_with_client(progress: Progress | None) -> Progress:
    """``progress``, which ends the work that nobody waits for."""

    def tell(done: int, total: int) -> None:
        raise_if_disconnected()
        if progress:
            progress(done, total)

    return tell


class AppContext:
    """What all visitors share: one restorer, whose networks take turns, and the largest photo that may be sent."""

    def __init__(self, restorer: Restorer, max_pixels: int = image.MAX_PIXELS) -> None:
        self.restorer = restorer
        self.max_pixels = max_pixels
        self._turn = threading.Lock()
        self._call = zerogpu.lent(restorer)

    def load(self, path: str, *, reduce_to: int | None = SIDE) -> Photo:
        """A visitor's file as a photo (see `image.load`); raises `PhotoError`."""
        return decoding.load(path, reduce_to=reduce_to, max_pixels=self.max_pixels)

    def load_for(self, recipe: Recipe, path: str) -> Photo:
        """A visitor's file as ``recipe`` wants it: whole, or no larger than 128x128 needs."""
        return self.load(path, reduce_to=None if recipe.size == "own" else SIDE)

    def run(self, photo: Photo, recipe: Recipe, progress: Progress | None = None, *, drawn: Photo | None = None) -> Run:
        """`pipeline.run`, one at a time: a batch lets others in between its photos.

        Raises `check_recipe`'s `ControlError` too, `PhotoError` for a photo whose enlarged copy would be too large, and
        `ClientDisconnected`.
        """
        _check(photo, recipe)
        with self._turn:
            raise_if_disconnected()
            # From a process that is lent a GPU nothing reaches the visitor.
            tell = raise_if_disconnected if zerogpu.IS_LENT else _ending_with_client(progress)
            return self.work(pipeline.run, photo, recipe, drawn=drawn, progress=tell)

    def run_each(
        self, photo: Photo, recipe: Recipe, progress: Progress | None = None, *, drawn: Photo | None = None
    ) -> Iterator[Run]:
        """`run` as it grows, after each model; where a GPU is lent for one call, only when it is whole."""
        if zerogpu.IS_LENT:
            yield self.run(photo, recipe, drawn=drawn)
            return
        _check(photo, recipe)
        runs = self.work(pipeline.run_each, photo, recipe, drawn=drawn, progress=_ending_with_client(progress))
        while True:
            with self._turn:
                raise_if_disconnected()
                grown = next(runs, None)
            if grown is None:
                return
            yield grown

    def work_in_turn(self, task: Callable[Concatenate[Restorer, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work`, where it may take long: never beside another one, or a `run`."""
        with self._turn:
            return self.work(task, *args, **kwargs)

    def work(self, task: Callable[Concatenate[Restorer, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``task`` by the restorer, where the GPU is: nothing else runs a network for a visitor (see `zerogpu`)."""
        result: T = self._call(task, *args, **kwargs)
        return result

    def load_networks(self) -> None:
        """Load every network, but run none. ZeroGPU hands on to its processes what was loaded before the launch."""
        with logged():
            self.restorer.prepare(TITLES)
        with logged():
            self.restorer.scratches_sha256()
        for engine in OFFERED_ENGINES:
            with logged():
                self.restorer.upscaling(engine=engine)

    def warm_up(self) -> None:
        """Load every network, and run it once, before the first visitor waits for it."""
        grey = Photo(np.full((SIDE, SIDE, 3), 128, np.uint8))
        for model in TITLES:
            with logged():
                self.restorer.restore(grey, model)
        with logged():
            self.restorer.find_scratches(grey)
        with logged():
            self.restorer.upscale(grey)
