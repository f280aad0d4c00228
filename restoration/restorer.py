"""Restorer: loaded models behind one call."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from . import image, upscale
from . import weights as find_weights
from .degradations import checked_seed
from .image import Fit
from .models import model as find_model
from .types import ControlError, Photo, WeightsError
from .weights import Checkpoint

MAX_SAMPLES = 64


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """A result: the photo, and what made it."""

    photo: Photo
    model: str
    weights_sha256: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What the VAE also thinks possible: draws from its latent, and where they differ."""

    photos: tuple[Photo, ...]
    uncertainty: np.ndarray
    """Float32 ``[H, W]``: the standard deviation of each pixel over the draws, in grey levels of 255, RGB averaged."""
    weights_sha256: str
    seconds: float

    def map(self) -> Photo:
        """`uncertainty` as a grey picture: black where the draws agree, white from 32 levels on."""
        grey = np.rint(np.clip(self.uncertainty * (255 / 32), 0, 255)).astype(np.uint8)
        return Photo(np.repeat(grey[..., None], 3, axis=2))


class Restorer:
    """Restores and enlarges photos; safe to share between threads.

    Networks are loaded at first use, under a lock, and kept; results never are. ``weights`` are files or folders that
    come before the released weights. ``device`` is auto (a GPU if there is one), cpu or cuda.
    """

    def __init__(self, device: str = "auto", weights: Sequence[str | os.PathLike[str]] = ()) -> None:
        if device not in ("auto", "cpu", "cuda"):
            raise ControlError(f"There is no device called {device!r}; choose from auto, cpu, cuda.")
        if device == "cuda" and not torch.cuda.is_available():
            raise ControlError("There is no CUDA GPU here; use the device cpu or auto.")
        self.device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
        find_weights.check(weights)
        self.weights = tuple(weights)
        self._networks: dict[str, tuple[nn.Module, Checkpoint]] = {}
        self._lock = threading.Lock()

    def prepare(self, models: Iterable[str] = (), scale: int | None = None) -> None:
        """Load what `restore` and `upscale` will need, so that what is missing shows before the first photo.

        Raises `WeightsError` too where one of the restorer's own ``weights`` serves none of them.
        """
        specs = [find_model(name) for name in models]
        if scale is not None:
            upscale.check_scale(scale)
            self._network(upscale.WEIGHTS, upscale.build)
        for spec in specs:
            self._network(spec.weights, spec.build)
        used = {path for _, checkpoint in self._networks.values() for path in (checkpoint.path, checkpoint.path.parent)}
        for given in map(Path, self.weights):
            if given not in used:
                raise WeightsError(f"{given} holds no weights for what was asked; leave it out, or choose its model.")

    def restore(self, photo: Photo, model: str = "vae", *, fit: Fit = "crop") -> Restoration:
        """Restore and colourise ``photo``, fitted to 128x128 first; only its luminance is read.

        Raises `ControlError` for an unknown model or fit, `WeightsError` where the weights are missing or damaged.
        """
        spec = find_model(model)
        network, checkpoint = self._network(spec.weights, spec.build)
        square = image.fit(photo, fit)
        started = time.perf_counter()
        with torch.inference_mode():
            restored = network(image.to_tensor([square]).to(self.device, memory_format=torch.channels_last))
            result = image.to_photos(restored)[0]
        seconds = time.perf_counter() - started
        return Restoration(photo=result, model=model, weights_sha256=checkpoint.sha256, seconds=seconds)

    def samples(self, photo: Photo, n: int = 8, *, seed: int = 0, fit: Fit = "crop") -> Samples:
        """``n`` restorations of ``photo`` by the VAE, each from a latent drawn by ``seed``, and how much they differ.

        The luminance is restored in all of them; what varies is the colour that grey cannot tell.
        """
        if not 2 <= n <= MAX_SAMPLES:
            raise ControlError(f"There can be 2 to {MAX_SAMPLES} samples, not {n}.")
        spec = find_model("vae")
        network, checkpoint = self._network(spec.weights, spec.build)
        square = image.fit(photo, fit)
        started = time.perf_counter()
        with torch.inference_mode():
            images = image.to_tensor([square]).to(self.device, memory_format=torch.channels_last)
            drawn = network.draw(images, n, torch.Generator().manual_seed(checked_seed(seed) % 2**63))  # type: ignore[operator]
            photos = image.to_photos(drawn)
        spread = np.stack([photo.pixels for photo in photos]).std(0, dtype=np.float32).mean(2)
        seconds = time.perf_counter() - started
        return Samples(photos=tuple(photos), uncertainty=spread, weights_sha256=checkpoint.sha256, seconds=seconds)

    def upscale(self, photo: Photo, scale: int = 4) -> Restoration:
        """Enlarge ``photo`` 2 or 4 times by Real-ESRGAN's smallest network."""
        upscale.check_scale(scale)
        upscale.check_size(photo)
        network, checkpoint = self._network(upscale.WEIGHTS, upscale.build)
        started = time.perf_counter()
        with torch.inference_mode():
            images = image.to_tensor([photo]).to(self.device, memory_format=torch.channels_last)
            result = image.to_photos(upscale.enlarge(network, images, scale))[0]
        seconds = time.perf_counter() - started
        return Restoration(photo=result, model=upscale.ENGINE, weights_sha256=checkpoint.sha256, seconds=seconds)

    def _network(self, name: str, build: Callable[[Mapping[str, Any]], nn.Module]) -> tuple[nn.Module, Checkpoint]:
        with self._lock:
            if name not in self._networks:
                checkpoint = find_weights.load(name, self.weights)
                try:
                    network = build(checkpoint.config)
                    network.load_state_dict(dict(checkpoint.tensors))
                except (RuntimeError, TypeError, KeyError, ValueError) as error:
                    reason = str(error).splitlines()[0]
                    raise WeightsError(
                        f"{checkpoint.path} holds weights of another network ({reason}); "
                        "use a file made for this model and version."
                    ) from error
                network = network.eval().requires_grad_(False).to(self.device).to(memory_format=torch.channels_last)
                self._networks[name] = network, checkpoint
            return self._networks[name]
