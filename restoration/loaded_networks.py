"""Networks with their weights, loaded at first use and kept."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import scratches, upscale
from .device import Place
from .errors import RestorationError, WeightsError, no_room
from .machine import enough_memory
from .models import model as find_model
from .network.scratch_detector import SCRATCH_WEIGHTS
from .types import ModelSpec
from .weights import UserWeights, find, load
from .weights.checkpoints import architecture_mismatch

logger = logging.getLogger(__name__)
Build = Callable[[Mapping[str, Any], Mapping[str, Tensor]], nn.Module]
"""Makes a network of its config and its tensors, float32; raises whatever other weights make it trip over."""


@dataclass(frozen=True, kw_only=True)
class LoadedNetwork:
    """A network, and the file that its weights came from."""

    network: nn.Module
    path: Path
    sha256: str


class LoadedNetworks:
    """Loads each network once for each place; safe to share between threads.

    The user's ``own`` weights come before the released ones. Raises `WeightsError` where weights are missing, damaged
    or another network's, and `MemoryShortage`.
    """

    def __init__(self, own: UserWeights) -> None:
        self._own = own
        self._kept: dict[tuple[str, Place], LoadedNetwork] = {}
        self._locks: dict[tuple[str, Place], threading.Lock] = {}
        self._lock = threading.Lock()
        self._auto: dict[tuple[int, torch.device], str] = {}
        self._choice = threading.Lock()

    def names(self) -> set[str]:
        """The names of the weights that are loaded: of the manifest, or ids of the original project's models."""
        return {name for name, _ in self._kept}

    def model(self, id: str, place: Place) -> LoadedNetwork:
        """The network that restores photos as the model ``id``; raises `ControlError` where there is no such model."""
        spec = find_model(id)
        return self._loaded(spec.weights, Place(place.device), partial(self._build_model, spec))

    def scratch_detector(self, place: Place) -> LoadedNetwork:
        """The network that finds scratches."""
        return self._loaded(SCRATCH_WEIGHTS, Place(place.device), scratches.build)

    def upscaler(self, name: str, place: Place) -> LoadedNetwork:
        """The network of Real-ESRGAN's whose weights are called ``name``, in the place's precision."""
        return self._loaded(name, place, upscale.build)

    def engine(self, asked: str, scale: int, place: Place) -> str:
        """The engine that runs where ``asked`` is asked for (see `Restorer.upscaling`); auto is decided once."""
        if asked != "auto":
            return self._in_place_of(asked, scale)
        with self._choice:
            if (scale, place.device) not in self._auto:
                self._auto[scale, place.device] = self._best(scale, place)
            return self._auto[scale, place.device]

    def _best(self, scale: int, place: Place) -> str:
        """The engine that auto stands for."""
        best = self._in_place_of("x4plus" if place.device.type == "cuda" else "general", scale)
        name = upscale.ENGINES[best].weights
        try:
            self.upscaler(name, place)
        except WeightsError as error:
            if self._own.holds(name):
                raise  # the user's own file is never passed over
            logger.warning("Upscaling with the engine fast, not %s. %s", best, error)
            return "fast"
        return best

    def _in_place_of(self, engine: str, scale: int) -> str:
        """x2plus for x4plus, where it does the same at x2 and lies at hand."""
        if engine != "x4plus" or scale != 2:
            return engine
        try:
            find(upscale.ENGINES["x2plus"].weights, self._own.files)
        except WeightsError:
            return engine
        return "x2plus"

    def _loaded(self, name: str, place: Place, build: Build) -> LoadedNetwork:
        key = name, place
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:  # of its own, so that nobody waits for another network's download
            if key not in self._kept:
                with enough_memory(no_room(name)):
                    self._kept[key] = self._load(name, place, build)
            return self._kept[key]

    def _load(self, name: str, place: Place, build: Build) -> LoadedNetwork:
        checkpoint = load(name, self._own.files)
        try:
            network = build(checkpoint.config, checkpoint.tensors)
        except RestorationError:
            raise
        except Exception as error:  # a foreign config makes a network trip over anything
            raise architecture_mismatch(checkpoint.path, error) from error
        network = network.eval().requires_grad_(False).to(place.device, place.precision)
        network = network.to(memory_format=torch.channels_last)  # quicker, on a CPU twice
        return LoadedNetwork(network=network, path=checkpoint.path, sha256=checkpoint.sha256)

    def _build_model(self, spec: ModelSpec, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
        with torch.device("meta"), warnings.catch_warnings():  # nothing random, no memory for what the file lacks
            warnings.filterwarnings("ignore", "Initializing zero-element tensors")  # an error says it
            network = spec.build(config)
        real = [key for key, tensor in network.state_dict().items() if tensor.is_floating_point()]
        if spec.encoder:
            encoder = load(spec.encoder, self._own.files).tensors
            tensors = {**tensors, **{f"encoder.{key}": tensor for key, tensor in encoder.items()}}
        network.load_state_dict(dict(tensors), assign=True)
        for key in real:  # torch itself refuses whole numbers for parameters alone, not for statistics
            if not tensors[key].is_floating_point():
                raise TypeError(f"{key} has whole numbers")
        return network
