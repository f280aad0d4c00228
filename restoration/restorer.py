"""Restorer: loaded models behind one call."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from . import image, scratches, upscale, whole_photo
from .degradations import checked_seed
from .device import CPU, Place, Places, set_up_torch
from .errors import ControlError, MemoryShortage, RestorationError, WeightsError
from .image import Fit
from .loaded_networks import LoadedNetwork, LoadedNetworks
from .machine import by_parts, enough_memory
from .models import model as find_model
from .network import LuminanceNetwork, SamplingNetwork
from .tiling import Progress, silent
from .types import MAX_SAMPLES, SIDE, Inpainting, Look, Mask, Photo, Size, Upscaling, drawn_sha256
from .weights import UserWeights, models_of, restorers, title
from .weights.checkpoints import ORIGINALS
from .whole_photo import own_colours

OWN_LOOK = Look(colour="auto")
AGREEMENT = 2  # levels of 255 by which an Apple GPU may differ from the CPU, to be chosen by auto
GPU_TILES = 8  # tiles of one photo that a GPU restores at once
CPU_BATCH = 8  # photos that a CPU restores at once; what more of them take fits into no cache, and is slower
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """A result: the photo, with the details of the one it was made of, and what made it."""

    photo: Photo
    model: str
    weights_sha256: str
    seconds: float
    device: str  # where it ran: cuda, mps or cpu
    colour: str = "new"  # new, keep or none: what auto, where it was asked for, chose


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A photo whose scratches are filled."""

    photo: Photo
    mask: Mask  # where they were looked for, and found
    share: float  # of the photo's pixels, that are marked; a little more is filled, with its rim
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Upscaled:
    """An enlarged photo, and what made it."""

    photo: Photo
    upscaling: Upscaling
    seconds: float
    device: str  # where it ran: cuda, mps or cpu


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What a model also thinks possible, and where its answers differ."""

    photos: tuple[Photo, ...]
    uncertainty: np.ndarray  # float32 ``[H, W]``: standard deviation over the draws, of 255, mean of R, G and B
    weights_sha256: str
    seconds: float

    def map(self) -> Photo:
        """`uncertainty` as a grey picture: black where the draws agree, white from 32 levels on."""
        return image.grey(np.rint(np.clip(self.uncertainty * (255 / 32), 0, 255)).astype(np.uint8))


def _finite(images: Tensor, path: Path) -> Tensor:
    """Return ``images``, or raise `WeightsError` where the weights at ``path`` made undefined numbers of them."""
    if not images.isfinite().all():
        raise WeightsError("weights_vast", path=path)
    return images


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(checked_seed(seed) % 2**63)


def _too_large_for_memory(photo: Photo) -> MemoryShortage:
    return MemoryShortage("memory_whole", width=photo.width, height=photo.height)


class Restorer:
    """Restores and enlarges photos; safe to share between threads.

    Networks are loaded at first use and kept. ``weights`` are files or folders that come before the released weights.
    ``device`` is auto (a GPU if there is one), cpu, cuda or mps (Apple's). What a GPU has no memory for runs on the
    CPU, and everything does once a GPU has failed: a warning is logged, and results say where they ran.
    """

    def __init__(self, device: str = "auto", weights: Sequence[str | os.PathLike[str]] = ()) -> None:
        set_up_torch(torch.__version__)
        self._own = UserWeights(weights)
        self._networks = LoadedNetworks(self._own)
        self._places = Places(device, self._is_right)
        self.device = self._places.device

    def prepare(self, models: Iterable[str]) -> None:
        """Load ``models`` before the first photo, so that errors show early; `upscaling` does so for `upscale`.

        Raises what `restore` raises, and `ControlError` for two names of one network.
        """
        ids: dict[str, str] = {}
        for name in models:
            self.weights_sha256(name)
            if (other := ids.setdefault(self._id(name), name)) != name:
                raise ControlError("models_same", name=name, other=other)

    def check_own_weights(self) -> None:
        """Raise `ControlError` for a path of the user's that nothing loaded so far uses."""
        for path in self._own.unused(self._networks.names()):
            held = ", ".join(models_of(self._own.held[path])) or "Real-ESRGAN"
            raise ControlError("weights_unused", path=path, held=held)

    # --- Models -------------------------------------------------------------------------------------------------------

    @property
    def model(self) -> str:
        """The default model: the first that the user's own weights are for, else the first that is released."""
        return self._candidates()[0]

    @property
    def sampler(self) -> str:
        """The default model of `samples`: the first that has any."""
        return next(name for name in self._candidates() if self.has_samples(name))

    def _candidates(self) -> list[str]:
        return [*self._own.models, *(entry.model for entry in restorers())]

    def _id(self, model: str) -> str:
        """The model that runs where ``model`` is asked for; decided once, whatever becomes of the files."""
        return self._own.models.get(model, model)

    def has_samples(self, model: str) -> bool:
        """Does it know several answers?"""
        return find_model(self._id(model)).samples

    def restores_whole(self, model: str) -> bool:
        """Can it restore photos at their own size? The original project's networks know 128x128 pixels only."""
        return self._id(model) not in ORIGINALS

    def default_size(self, model: str) -> Size:
        """The size at which ``model`` restores photos where nothing else is asked for."""
        return "own" if self.restores_whole(model) else 128

    def title(self, model: str) -> str:
        """What the network is called that serves ``model``."""
        return title(self._id(model))

    def weights_sha256(self, model: str) -> str:
        """The SHA-256 of the file that serves ``model``."""
        return self._places.run(lambda place: self._loaded(model, place)).sha256

    def network(self, model: str) -> nn.Module:
        """What serves ``model``, on the CPU: ``[B, 3, 128, 128]`` RGB in [0, 1] to the same. Not to be changed."""
        return self._loaded(model, Place(CPU)).network

    def _loaded(self, model: str, place: Place) -> LoadedNetwork:
        return self._networks.model(self._id(model), place)

    # --- Restored at 128x128 ------------------------------------------------------------------------------------------

    def restore(self, photo: Photo, model: str | None = None, *, fit: Fit = "crop") -> Restoration:
        """Restore and colourise ``photo``, fitted to 128x128 first; only its luminance is read.

        Raises `ControlError` for an unknown model or fit, `WeightsError` where the weights are missing or damaged.
        """
        return self.restore_batch([photo], model, fit=fit)[0]

    def restore_batch(
        self, photos: Sequence[Photo], model: str | None = None, *, fit: Fit = "crop"
    ) -> list[Restoration]:
        """`restore` for several photos in memory, whose pixels may differ by 1/255 then; ``seconds`` is each photo's
        share.
        """
        return self._places.run(lambda place: self._restored(photos, model or self.model, fit, place))

    def _restored(self, photos: Sequence[Photo], model: str, fit: Fit, place: Place) -> list[Restoration]:
        photos = [image.fit(photo, fit) for photo in photos]
        squares = image.to_tensor(photos)
        loaded = self._loaded(model, place)
        started = time.perf_counter()
        with torch.inference_mode():
            images = squares.to(place.device, memory_format=torch.channels_last)
            parts = images.split(CPU_BATCH) if place.device == CPU else [images]
            restored = torch.cat([loaded.network(part) for part in parts])
            results = image.to_photos(_finite(restored, loaded.path))
        seconds = (time.perf_counter() - started) / len(photos)
        return [
            Restoration(
                photo=replace(result, details=photo.details),
                model=model,
                weights_sha256=loaded.sha256,
                seconds=seconds,
                device=place.device.type,
            )
            for result, photo in zip(results, photos, strict=True)
        ]

    def _is_right(self, place: Place) -> bool:
        """Does ``place`` restore a photo as the CPU does?"""
        photo = upscale.bicubic(Photo(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)), SIDE // 16)
        try:
            one, other = (self._restored([photo], self.model, "crop", each)[0] for each in (Place(CPU), place))
        except (RuntimeError, TypeError, RestorationError) as error:
            logger.warning("The CPU restores, as the GPU cannot. %s", error)
            return False
        difference = int(np.abs(one.photo.pixels.astype(int) - other.photo.pixels).max())
        if difference > AGREEMENT:
            logger.warning("The CPU restores, as the GPU's result differs by %d levels.", difference)
        return difference <= AGREEMENT

    def samples(
        self, photo: Photo, n: int = 8, *, seed: int = 0, fit: Fit = "crop", model: str | None = None
    ) -> Samples:
        """``n`` restorations of ``photo`` by a model that has samples, drawn by ``seed``, and how much they differ.

        The luminance is restored in all of them; what varies is the colour that grey cannot tell.
        """
        if not 2 <= n <= MAX_SAMPLES:
            raise ControlError("samples", most=MAX_SAMPLES, n=n)
        square = image.to_tensor([image.fit(photo, fit)])
        name = model or self.sampler
        self._check_samples(name)

        def task(place: Place) -> Samples:
            loaded = self._loaded(name, place)
            started = time.perf_counter()
            with torch.inference_mode():
                images = square.to(place.device, memory_format=torch.channels_last)
                drawn = loaded.network.draw(images, n, _generator(seed))  # type: ignore[operator]
                photos = image.to_photos(_finite(drawn, loaded.path))
            spread = np.stack([photo.pixels for photo in photos]).std(0, dtype=np.float32).mean(2)
            seconds = time.perf_counter() - started
            return Samples(photos=tuple(photos), uncertainty=spread, weights_sha256=loaded.sha256, seconds=seconds)

        return self._places.run(task)

    def _check_samples(self, model: str) -> None:
        if not self.has_samples(model):
            raise ControlError("samples_none", model=self.title(model))

    # --- At a photo's own size ----------------------------------------------------------------------------------------

    def restore_whole(
        self,
        photo: Photo,
        model: str | None = None,
        *,
        look: Look = OWN_LOOK,
        seed: int = 0,
        progress: Progress = silent,
    ) -> Restoration:
        """Restore ``photo`` at its own size, as ``look`` says; ``seed`` is of the model's samples.

        ``progress(done, total)`` is called after each tile. Raises as `restore` does, and `ControlError` for a model of
        the original project's, or for a sample of a model that has none.
        """
        if look.colour == "auto":
            look = replace(look, colour="keep" if own_colours.has_any(photo) and not look.sample else "new")
        name = model or self.model
        if look.sample:
            self._check_samples(name)

        def task(place: Place) -> Restoration:
            loaded = self._loaded(name, place)
            network = loaded.network
            if not isinstance(network, LuminanceNetwork):
                raise ControlError("size_original", model=self.title(name))

            def sampled(y: Tensor) -> Tensor:
                return cast(SamplingNetwork, network).draw_chroma(y, cast(int, look.sample), _generator(seed))[-1:]

            def restored(tiles: int) -> Photo:
                check, chroma_of = partial(_finite, path=loaded.path), sampled if look.sample else None
                return whole_photo.restore(network, photo, look, check, chroma_of, batch=tiles, progress=progress)

            started = time.perf_counter()
            with torch.inference_mode(), enough_memory(_too_large_for_memory(photo)):
                made = by_parts(restored, *([GPU_TILES, 1] if place.device.type == "cuda" else [1]))
            return Restoration(
                photo=replace(made, details=photo.details),
                model=name,
                weights_sha256=loaded.sha256,
                seconds=time.perf_counter() - started,
                device=place.device.type,
                colour=look.colour,
            )

        return self._places.run(task)

    def scratches_sha256(self) -> str:
        """The SHA-256 of the file that finds scratches."""
        return self._places.run(self._networks.scratch_detector).sha256

    def find_scratches(self, photo: Photo) -> Mask:
        """Where ``photo`` is scratched, creased or soiled, at its size (see `scratches.detect`)."""
        return self._places.run(lambda place: scratches.detect(photo, self._networks.scratch_detector(place).network))

    def mend(self, photo: Photo, inpainting: Inpainting, drawn: Photo | None = None) -> Mended:
        """``photo`` with its scratches filled; ``drawn`` is the user's mask, white where they are, where that is meant.

        Raises `PhotoError` for a mask that is none of this photo's, or marks most of it, and `ControlError` where it is
        missing or not the one that ``inpainting`` names.
        """
        started = time.perf_counter()
        if inpainting.mask == "auto":
            mask = self.find_scratches(photo)
        elif drawn is None:
            raise ControlError("mask_missing")
        elif drawn_sha256(drawn) != inpainting.mask:
            raise ControlError("mask_other")
        else:
            mask = scratches.mask_of(drawn, photo)
        with enough_memory(_too_large_for_memory(photo)):
            filled = scratches.fill(photo, mask, inpainting.sensitivity)
        share = float(scratches.marked(mask, inpainting.sensitivity).mean())
        return Mended(photo=filled, mask=mask, share=share, seconds=time.perf_counter() - started)

    # --- Enlarged -----------------------------------------------------------------------------------------------------

    def upscaling(
        self, scale: int = 4, engine: str = "auto", denoise: float | None = None, tile: int | None = None
    ) -> Upscaling:
        """What `upscale` will really run, its weights found (or fetched) and loaded.

        ``auto`` is x4plus on a GPU and general on a CPU; where its weights cannot be had it is fast from then on, and
        the log says why. x4plus at x2 gives way to x2plus where that one's weights are at hand; any other network's x2
        is its x4 result reduced by an area filter. ``denoise``, 0 to 1 (the default), is how much noise general
        removes. Raises `ControlError` and `WeightsError`.
        """
        upscale.check(scale, engine, denoise, tile)
        return self._places.run(lambda place: self._plan(scale, engine, denoise, tile, place)[0])

    def upscale(
        self,
        photo: Photo,
        scale: int = 4,
        *,
        engine: str = "auto",
        denoise: float | None = None,
        tile: int | None = None,
        progress: Progress = silent,
    ) -> Upscaled:
        """Enlarge ``photo`` 2 or 4 times, to 4096x4096 pixels at most; the result says which engine ran.

        It goes through the network in tiles of ``tile`` pixels a side, by default what suits the engine;
        ``progress(done, total)`` is called after each. Raises as `upscaling`, and `PhotoError` or `MemoryShortage`.
        """
        upscale.check_size(photo, scale)
        upscale.check(scale, engine, denoise, tile)

        def task(place: Place) -> Upscaled:
            plan, networks = self._plan(scale, engine, denoise, tile, place)
            started = time.perf_counter()
            if not networks:
                larger = upscale.bicubic(photo, scale)
            else:
                network, *noisy = networks
                if noisy:
                    network = upscale.between(network, noisy[0], cast(float, plan.denoise))
                chosen = upscale.ENGINES[plan.engine]
                larger = upscale.enlarge(network, chosen, photo, scale, tile=tile, progress=progress)
            seconds = time.perf_counter() - started
            dpi = photo.details.dpi and (photo.details.dpi[0] * scale, photo.details.dpi[1] * scale)
            larger = replace(larger, details=replace(photo.details, dpi=dpi))
            return Upscaled(photo=larger, upscaling=plan, seconds=seconds, device=place.device.type)

        return self._places.run(task)

    def _plan(
        self, scale: int, engine: str, denoise: float | None, tile: int | None, place: Place
    ) -> tuple[Upscaling, list[nn.Module]]:
        """What will run, and its networks: none for bicubic, two where general denoises by less than all it can."""
        engine = self._networks.engine(engine, scale, place)
        if engine == "bicubic":
            return Upscaling(scale=scale, engine=engine, method="bicubic filter, no network"), []
        chosen = upscale.ENGINES[engine]
        loaded = [self._networks.upscaler(chosen.weights, place)]
        if denoise is not None and denoise < 1:
            loaded.append(self._networks.upscaler(upscale.GENERAL_NOISY, place))
        plan = Upscaling(
            scale=scale,
            engine=engine,
            method=f"Real-ESRGAN x{chosen.factor}" + ", reduced by an area filter" * (chosen.factor != scale),
            denoise=(1.0 if denoise is None else denoise) if engine == "general" else None,
            precision=upscale.precision(loaded[0].network),
            weights={each.path.name: each.sha256 for each in loaded},
            tile=tile,
        )
        return plan, [each.network for each in loaded]
