"""Restorer: loaded models behind one call."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from . import image, scratches, upscale, whole_photo
from . import weights as find_weights
from .degradations import checked_seed
from .errors import ControlError, MemoryShortage, PhotoError, RestorationError, WeightsError, no_room
from .image import Fit
from .machine import by_parts, core_quota, enough_memory, is_lack
from .models import model as find_model
from .network import LuminanceNetwork, SamplingNetwork
from .tiling import Progress
from .types import MAX_SAMPLES, SIDE, Inpainting, Look, Mask, Photo, Upscaling, drawn_sha256
from .weights.checkpoints import ORIGINALS, architecture_mismatch
from .whole_photo import own_colours

SAFE_TORCH = 2, 10  # the first version without a published vulnerability; older ones run, as on Colab

CPU, APPLE = torch.device("cpu"), torch.device("mps")
OWN_LOOK = Look(colour="auto")
AGREEMENT = 2  # levels of 255 by which an Apple GPU may differ from the CPU, to be chosen by auto
GPU_TILES = 8  # tiles of one photo that a GPU restores at once
CPU_BATCH = 8  # photos that a CPU restores at once; what more of them take fits into no cache, and is slower
logger = logging.getLogger(__name__)
T = TypeVar("T")


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
class _Loaded:
    """A network, and the file that its weights came from."""

    network: nn.Module
    path: Path
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What a model also thinks possible, and where its answers differ."""

    photos: tuple[Photo, ...]
    uncertainty: np.ndarray  # float32 ``[H, W]``: standard deviation over the draws, of 255, mean of R, G and B
    weights_sha256: str
    seconds: float

    def map(self) -> Photo:
        """`uncertainty` as a grey picture: black where the draws agree, white from 32 levels on."""
        grey = np.rint(np.clip(self.uncertainty * (255 / 32), 0, 255)).astype(np.uint8)
        return Photo(np.repeat(grey[..., None], 3, axis=2))


@cache
def _warn_of_torch(version: str) -> None:
    if tuple(map(int, version.split(".")[:2])) < SAFE_TORCH:
        logger.warning(
            "PyTorch %s has published vulnerabilities; upgrade to %d.%d or later where you can.", version, *SAFE_TORCH
        )


def _finite(images: Tensor, path: Path) -> Tensor:
    """``images`` themselves; raises `WeightsError` where the weights at ``path`` made numbers of them that are none."""
    if not images.isfinite().all():
        raise WeightsError("weights_vast", path=path)
    return images


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(checked_seed(seed) % 2**63)


def _too_large_for_memory(photo: Photo) -> MemoryShortage:
    return MemoryShortage("memory_whole", width=photo.width, height=photo.height)


def _is_of_the_gpu(error: BaseException) -> bool:
    """Is it the GPU that failed? PyTorch has a class for it since 2.8, and its libraries have their own words."""
    kinds = (torch.OutOfMemoryError, getattr(torch, "AcceleratorError", torch.OutOfMemoryError))
    return isinstance(error, kinds) or re.search(r"CUDA|CUDNN|CUBLAS|NVIDIA|\bMPS\b", str(error), re.I) is not None


def _has_cuda() -> bool:
    """Is there a GPU of NVIDIA's? Why there is none, as with a driver that is too old, is a line in the log."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = torch.cuda.is_available()
    for each in told:
        logger.warning("%s", " ".join(str(each.message).partition(" (Triggered")[0].split()))
    return found


class Restorer:
    """Restores and enlarges photos; safe to share between threads.

    Networks are loaded at first use and kept. ``weights`` are files or folders that come before the released weights.
    ``device`` is auto (a GPU if there is one), cpu, cuda or mps (Apple's). What a GPU has no memory for runs on the
    CPU, and everything does once a GPU has failed: a warning is logged, and results say where they ran.
    """

    def __init__(self, device: str = "auto", weights: Sequence[str | os.PathLike[str]] = ()) -> None:
        _warn_of_torch(torch.__version__)
        if (quota := core_quota()) < torch.get_num_threads():
            torch.set_num_threads(int(quota))
        self._has_failed = False
        self._given = tuple(weights)
        self._own = find_weights.resolve_user_weights(weights)
        self.weights = tuple(find_weights.files(weights))
        self._networks: dict[tuple[str, torch.device, torch.dtype], _Loaded] = {}
        self._locks: dict[tuple[str, torch.device, torch.dtype], threading.Lock] = {}
        self._lock = threading.Lock()
        self._auto: dict[tuple[int, torch.device], str] = {}
        self._choice = threading.Lock()
        self.device = self._chosen(device)
        if self.device != CPU:
            torch.backends.cudnn.allow_tf32 = False  # so that a GPU gives the CPU's pixels, to 1 level of 255
        # Half elsewhere than on CUDA is slower, or not all of it is there.
        self._precision = torch.float16 if self.device.type == "cuda" else torch.float32

    def _chosen(self, asked: str) -> torch.device:
        """What ``asked`` stands for on this machine. Raises `ControlError` where that is nothing."""
        has: dict[str, Callable[[], bool]] = {"cuda": _has_cuda, "mps": torch.backends.mps.is_available}
        choices = ("auto", "cpu", *has)
        if asked not in choices:
            raise ControlError("device_unknown", device=asked, choices=", ".join(choices))
        if asked in has and not has[asked]():
            raise ControlError("device_missing", maker={"cuda": "CUDA", "mps": "Apple"}[asked])
        if asked != "auto":
            return torch.device(asked)
        if has["cuda"]():
            return torch.device("cuda")
        return APPLE if has["mps"]() and self._agrees(APPLE) else CPU

    def _agrees(self, device: torch.device) -> bool:
        """Does ``device`` restore a photo as the CPU does? Apple's GPUs have given wrong numbers, and said nothing."""
        photo = upscale.bicubic(Photo(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)), SIDE // 16)
        try:
            one, other = (self._restored([photo], self.model, "crop", each)[0] for each in (CPU, device))
        except (RuntimeError, TypeError, RestorationError) as error:
            logger.warning("The CPU restores, as the GPU cannot. %s", error)
            return False
        difference = int(np.abs(one.photo.pixels.astype(int) - other.photo.pixels).max())
        if difference > AGREEMENT:
            logger.warning("The CPU restores, as the GPU's result differs by %d levels.", difference)
        return difference <= AGREEMENT

    def prepare(self, models: Iterable[str] = ()) -> None:
        """Load ``models`` before the first photo, so that errors show early; after `upscaling`, which does so for
        `upscale`.

        Raises `ControlError` too for one of the restorer's own ``weights`` that neither uses.
        """
        ids: dict[str, str] = {}
        for name in models:
            self.weights_sha256(name)
            if (other := ids.setdefault(self._id(name), name)) != name:
                raise ControlError("models_same", name=name, other=other)
        for given in self._given:
            if not any(find_weights.serves(given, name) for name, *_ in self._networks):
                held = ", ".join(find_weights.resolve_user_weights([given])) or "Real-ESRGAN"
                raise ControlError("weights_unused", path=given, held=held)

    @property
    def model(self) -> str:
        """The default model: the first that the user's own weights are for, else the first that is released."""
        return self._candidates()[0]

    @property
    def sampler(self) -> str:
        """The default model of `samples`: the first that has any."""
        return next(name for name in self._candidates() if self.has_samples(name))

    def _candidates(self) -> list[str]:
        return [*self._own, *(entry.model for entry in find_weights.restorers())]

    def has_samples(self, model: str) -> bool:
        """Does it know several answers?"""
        return find_model(self._id(model)).samples

    def restores_whole(self, model: str) -> bool:
        """Can it restore photos at their own size? The original project's networks know 128x128 pixels only."""
        return self._id(model) not in ORIGINALS

    def title(self, model: str) -> str:
        """What the network is called that serves ``model``."""
        return find_weights.title(self._id(model))

    def weights_sha256(self, model: str) -> str:
        """The SHA-256 of the file that serves ``model``."""
        return self._run(lambda device: self._model(model, device)).sha256

    def network(self, model: str) -> nn.Module:
        """What serves ``model``, on the CPU: ``[B, 3, 128, 128]`` RGB in [0, 1] to the same. Not to be changed."""
        return self._model(model, CPU).network

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
        return self._run(lambda device: self._restored(photos, model or self.model, fit, device))

    def _restored(self, photos: Sequence[Photo], name: str, fit: Fit, device: torch.device) -> list[Restoration]:
        photos = [image.fit(photo, fit) for photo in photos]
        squares = image.to_tensor(photos)
        loaded = self._model(name, device)
        started = time.perf_counter()
        with torch.inference_mode():
            images = squares.to(device, memory_format=torch.channels_last)
            parts = images.split(CPU_BATCH) if device == CPU else [images]
            restored = torch.cat([loaded.network(part) for part in parts])
            results = image.to_photos(_finite(restored, loaded.path))
        seconds = (time.perf_counter() - started) / len(photos)
        made: dict[str, Any] = {"model": name, "weights_sha256": loaded.sha256, "seconds": seconds}
        return [
            Restoration(photo=replace(result, details=photo.details), device=device.type, **made)
            for result, photo in zip(results, photos, strict=True)
        ]

    def restore_whole(
        self,
        photo: Photo,
        model: str | None = None,
        *,
        look: Look = OWN_LOOK,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Restoration:
        """Restore ``photo`` at its own size, as ``look`` says; ``seed`` is of the model's samples.

        ``progress(done, total)`` is called after each tile. Raises as `restore` does, and `ControlError` for a model of
        the original project's, or for a sample of a model that has none.
        """
        colour = look.colour
        if colour == "auto":
            colour = "keep" if own_colours.has_any(photo) and not look.sample else "new"
        chosen = replace(look, colour=colour)
        name = model or self.model
        if look.sample:
            self._check_samples(name)

        def task(device: torch.device) -> Restoration:
            loaded = self._model(name, device)
            network = loaded.network
            if not isinstance(network, LuminanceNetwork):
                raise ControlError("size_original", model=self.title(name))

            def sampled(y: Tensor) -> Tensor:
                return cast(SamplingNetwork, network).draw_chroma(y, cast(int, look.sample), _generator(seed))[-1:]

            def restored(tiles: int) -> Photo:
                check, chroma_of = partial(_finite, path=loaded.path), sampled if look.sample else None
                return whole_photo.restore(network, photo, chosen, check, chroma_of, batch=tiles, progress=progress)

            sizes = [GPU_TILES, 1] if device.type == "cuda" else [1]
            started = time.perf_counter()
            with torch.inference_mode(), enough_memory(_too_large_for_memory(photo)):
                made = replace(by_parts(restored, *sizes), details=photo.details)
            seconds, sha256 = time.perf_counter() - started, loaded.sha256
            return Restoration(
                photo=made, model=name, weights_sha256=sha256, seconds=seconds, device=device.type, colour=colour
            )

        return self._run(task)

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

        def task(device: torch.device) -> Samples:
            loaded = self._model(name, device)
            started = time.perf_counter()
            with torch.inference_mode():
                images = square.to(device, memory_format=torch.channels_last)
                drawn = loaded.network.draw(images, n, _generator(seed))  # type: ignore[operator]
                photos = image.to_photos(_finite(drawn, loaded.path))
            spread = np.stack([photo.pixels for photo in photos]).std(0, dtype=np.float32).mean(2)
            seconds = time.perf_counter() - started
            return Samples(photos=tuple(photos), uncertainty=spread, weights_sha256=loaded.sha256, seconds=seconds)

        return self._run(task)

    def scratches_sha256(self) -> str:
        """The SHA-256 of the file that finds scratches."""
        return self._run(self._scratch_detector).sha256

    def find_scratches(self, photo: Photo) -> Mask:
        """Where ``photo`` is scratched, creased or soiled, at its size (see `scratches.detect`)."""
        return self._run(lambda device: scratches.detect(photo, self._scratch_detector(device).network))

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

    def _check_samples(self, model: str) -> None:
        if not self.has_samples(model):
            raise ControlError("samples_none", model=self.title(model))

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
        return self._run(lambda device: self._plan(scale, engine, denoise, tile, device)[0])

    def _plan(
        self, scale: int, engine: str, denoise: float | None, tile: int | None, device: torch.device
    ) -> tuple[Upscaling, list[nn.Module]]:
        """What will run, and its networks: none for bicubic, two where general denoises by less than all it can."""
        if engine == "auto":
            with self._choice:
                if (scale, device) not in self._auto:
                    self._auto[scale, device] = self._choose(scale, device)
                engine = self._auto[scale, device]
        else:
            engine = self._in_place_of(engine, scale)
        if engine == "bicubic":
            return Upscaling(scale=scale, engine=engine, method="bicubic filter, no network"), []
        chosen = upscale.ENGINES[engine]
        loaded = [self._upscaler(chosen.weights, device)]
        if denoise is not None and denoise < 1:
            loaded.append(self._upscaler(upscale.GENERAL_NOISY, device))
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

    def upscale(
        self,
        photo: Photo,
        scale: int = 4,
        *,
        engine: str = "auto",
        denoise: float | None = None,
        tile: int | None = None,
        progress: Progress | None = None,
    ) -> Upscaled:
        """Enlarge ``photo`` 2 or 4 times, to 4096x4096 pixels at most; the result says which engine ran.

        It goes through the network in tiles of ``tile`` pixels a side, by default what suits the engine;
        ``progress(done, total)`` is called after each. Raises as `upscaling`, and `PhotoError` or `MemoryShortage`.
        """
        upscale.check_size(photo, scale)
        upscale.check(scale, engine, denoise, tile)

        def task(device: torch.device) -> Upscaled:
            plan, networks = self._plan(scale, engine, denoise, tile, device)
            started = time.perf_counter()
            if not networks:
                result = upscale.bicubic(photo, scale)
            else:
                network, *noisy = networks
                if noisy:
                    network = upscale.between(network, noisy[0], cast(float, plan.denoise))
                chosen = upscale.ENGINES[plan.engine]
                try:
                    result = upscale.enlarge(network, chosen, photo, scale, tile=tile, progress=progress)
                except PhotoError:  # undefined numbers, as half precision gives them on some GPUs
                    if plan.precision == "float32":
                        raise
                    if self._precision == torch.float16:
                        logger.warning("The GPU cannot enlarge in half precision, so it does in single precision.")
                    self._precision = torch.float32
                    return task(device)
            seconds = time.perf_counter() - started
            dpi = photo.details.dpi and (photo.details.dpi[0] * scale, photo.details.dpi[1] * scale)
            result = replace(result, details=replace(photo.details, dpi=dpi))
            return Upscaled(photo=result, upscaling=plan, seconds=seconds, device=device.type)

        return self._run(task)

    def _run(self, task: Callable[[torch.device], T]) -> T:
        """``task`` on this restorer's device, or on the CPU where a GPU fails it."""
        if self.device != CPU and not self._has_failed:
            try:
                return task(self.device)
            except (RuntimeError, MemoryShortage) as error:
                cause = error.__cause__ if isinstance(error, MemoryShortage) and error.__cause__ else error
                if not _is_of_the_gpu(cause):
                    raise
                if not is_lack(cause):  # of which there may be enough the next time
                    self._has_failed = True
                logger.warning("The GPU failed, so the CPU stands in. %s", cause)
        return task(CPU)

    def _choose(self, scale: int, device: torch.device) -> str:
        """The engine that auto stands for."""
        best = self._in_place_of("x4plus" if device.type == "cuda" else "general", scale)
        name = upscale.ENGINES[best].weights
        try:
            self._upscaler(name, device)
        except WeightsError as error:
            if any(find_weights.serves(given, name) for given in self.weights):
                raise  # the user's own file is never passed over
            logger.warning("Upscaling with the engine fast, not %s. %s", best, error)
            return "fast"
        return best

    def _in_place_of(self, engine: str, scale: int) -> str:
        """x2plus for x4plus, where it does the same at x2 and lies at hand."""
        if engine != "x4plus" or scale != 2:
            return engine
        try:
            find_weights.find(upscale.ENGINES["x2plus"].weights, self.weights)
        except WeightsError:
            return engine
        return "x2plus"

    def _id(self, model: str) -> str:
        """The model that runs where ``model`` is asked for; decided once, whatever becomes of the files."""
        return self._own.get(model, model)

    def _model(self, name: str, device: torch.device) -> _Loaded:
        spec = find_model(self._id(name))

        def build(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
            with torch.device("meta"), warnings.catch_warnings():  # nothing random, no memory for what the file lacks
                warnings.filterwarnings("ignore", "Initializing zero-element tensors")  # an error says it
                network = spec.build(config)
            real = [key for key, tensor in network.state_dict().items() if tensor.is_floating_point()]
            if spec.encoder:
                encoder = find_weights.load(spec.encoder, self.weights).tensors
                tensors = {**tensors, **{f"encoder.{key}": tensor for key, tensor in encoder.items()}}
            network.load_state_dict(dict(tensors), assign=True)
            for key in real:  # torch itself refuses whole numbers for parameters alone, not for statistics
                if not tensors[key].is_floating_point():
                    raise TypeError(f"{key} has whole numbers")
            return network

        return self._network(spec.weights, device, build)

    def _scratch_detector(self, device: torch.device) -> _Loaded:
        return self._network(scratches.WEIGHTS, device, scratches.build)

    def _upscaler(self, name: str, device: torch.device) -> _Loaded:
        return self._network(name, device, upscale.build, torch.float32 if device == CPU else self._precision)

    def _network(
        self,
        name: str,
        device: torch.device,
        build: Callable[[Mapping[str, Any], Mapping[str, Tensor]], nn.Module],
        dtype: torch.dtype = torch.float32,
    ) -> _Loaded:
        key = name, device, dtype
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:  # of its own, so that nobody waits for another network's download
            if key not in self._networks:
                with enough_memory(no_room(name)):
                    checkpoint = find_weights.load(name, self.weights)
                    try:
                        network = build(checkpoint.config, checkpoint.tensors)
                    except RestorationError:
                        raise
                    except Exception as error:  # a foreign config makes a network trip over anything
                        raise architecture_mismatch(checkpoint.path, error) from error
                    network = network.eval().requires_grad_(False).to(device, dtype)
                    network = network.to(memory_format=torch.channels_last)
                self._networks[key] = _Loaded(network=network, path=checkpoint.path, sha256=checkpoint.sha256)
            return self._networks[key]
