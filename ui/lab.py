"""What every tab works with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from restoration import Photo, Recipe, RestorationError, Restorer, Run, image, pipeline
from restoration.checkpoints import ORIGINALS
from restoration.types import SIDE
from restoration.weights import originals, restorers

from . import gpu

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

TITLES = {
    **{entry.model: entry.title for entry in restorers()},
    **{id: ORIGINALS[id].title for id in originals()},
}
"""The models' titles by id: ours in the manifest's order, then the original project's that lie in ``weights/``."""
ENGINES = ("auto", "fast", "general", "x4plus", "bicubic")
NETWORK = "network"
"""The concurrency id of every listener that runs a network: they take turns, so that two cores serve one well."""


@dataclass(frozen=True)
class Lab:
    """The one restorer of all visitors, and the largest photo that they may send, in pixels."""

    restorer: Restorer
    max_pixels: int = image.MAX_PIXELS
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _call: Callable[..., Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_call", gpu.lent(self.restorer))

    def load(self, path: str) -> Photo:
        """A visitor's file as a photo; raises `PhotoError`."""
        return image.load(path, max_pixels=self.max_pixels)

    def run(self, photo: Photo, recipe: Recipe) -> Run:
        """`pipeline.run`, one at a time: a batch lets others in between its photos."""
        with self._turn:
            return self.work(pipeline.run, photo, recipe)

    def work(self, task: Callable[Concatenate[Restorer, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``task`` by the restorer, where the GPU is: nothing else runs a network for a visitor (see `gpu`)."""
        result: T = self._call(task, *args, **kwargs)
        return result

    def load_networks(self) -> None:
        """Load every network, but run none. ZeroGPU hands on to its processes what was loaded before the launch."""
        try:
            self.restorer.prepare(TITLES)
            for engine in ENGINES:
                self.restorer.upscaling(engine=engine)
        except RestorationError as error:  # whoever asks for it will read the same
            logger.warning("%s", error)

    def warm_up(self) -> None:
        """Load every network, and run it once, before the first visitor waits for it."""
        grey = Photo(np.full((SIDE, SIDE, 3), 128, np.uint8))
        try:
            for model in TITLES:
                self.restorer.restore(grey, model)
            self.restorer.upscale(grey)
        except RestorationError as error:  # whoever asks for it will read the same
            logger.warning("%s", error)
