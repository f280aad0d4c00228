"""What every tab works with."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

import numpy as np

from restoration import Photo, Recipe, RestorationError, Restorer, Run, image, pipeline
from restoration.types import SIDE
from restoration.weights import restorers

logger = logging.getLogger(__name__)

TITLES = {entry.model: entry.title for entry in restorers()}
"""The models' titles by id, in the manifest's order."""
ENGINES = ("auto", "fast", "general", "x4plus", "bicubic")
NETWORK = "network"
"""The concurrency id of every listener that runs a network: they take turns, so that two cores serve one well."""


@dataclass(frozen=True)
class Lab:
    """The one restorer of all visitors, and the largest photo that they may send, in pixels."""

    restorer: Restorer
    max_pixels: int = image.MAX_PIXELS
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def load(self, path: str) -> Photo:
        """A visitor's file as a photo; raises `PhotoError`."""
        return image.load(path, max_pixels=self.max_pixels)

    def run(self, photo: Photo, recipe: Recipe) -> Run:
        """`pipeline.run`, one at a time: a batch lets others in between its photos."""
        with self._turn:
            return pipeline.run(self.restorer, photo, recipe)

    def warm_up(self) -> None:
        """Load every network, and run it once, before the first visitor waits for it."""
        grey = Photo(np.full((SIDE, SIDE, 3), 128, np.uint8))
        try:
            for model in TITLES:
                self.restorer.restore(grey, model)
            self.restorer.upscale(grey)
        except RestorationError as error:  # whoever asks for it will read the same
            logger.warning("%s", error)
