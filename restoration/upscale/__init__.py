"""Real-ESRGAN, x4 and x2.

Wang et al. 2021, "Real-ESRGAN: Training real-world blind super-resolution with pure synthetic data". The networks are
basicsr's own classes, the weights those of xinntao/Real-ESRGAN (BSD-3-Clause); tiles and precision are ours.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from .. import image, tiling
from ..colour import luminance
from ..errors import ControlError, MemoryShortage, PhotoError, loading
from ..machine import by_parts, enough_memory
from ..types import Photo


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A network of Real-ESRGAN's. ``weights`` is their name in the manifest.

    Photos of more than ``tile + 2 * margin`` pixels a side are tiled; no pixel may differ by more than 2 levels for it.
    """

    id: str
    weights: str
    factor: int = 4
    tile: int
    margin: int


_ALL = (
    Engine(id="fast", weights="realesr-animevideov3-x4.fp16.safetensors", tile=256, margin=24),
    Engine(id="general", weights="realesr-general-x4v3.pth", tile=256, margin=32),
    Engine(id="x4plus", weights="RealESRGAN_x4plus.pth", tile=112, margin=64),
    Engine(id="x2plus", weights="RealESRGAN_x2plus.pth", factor=2, tile=224, margin=128),
)
ENGINES = {engine.id: engine for engine in _ALL}
GENERAL_NOISY = "realesr-general-wdn-x4v3.pth"  # general's twin that keeps noise: denoise strength 0
GPU_TILE = 512  # a GPU's memory has room for larger tiles than a laptop's, of which less is margin
CHOICES = ("auto", *ENGINES, "bicubic")
MAX_PIXELS_OUT = 4096 * 4096


def build(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
    """A network with its weights: ``[B, 3, H, W]`` RGB in [0, 1] -> ``[B, 3, factor * H, factor * W]``, not clamped.

    basicsr cannot be installed on Python 3.13 and later; there, spandrel reads the same weights.
    """
    return _by_basicsr(config, tensors) if find_spec("basicsr") else _by_spandrel(config, tensors)


def _by_basicsr(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
    with loading():
        from .architectures import RRDBNet, SRVGGNetCompact

    with torch.device("meta"):  # no weights of chance, not even for a moment
        network = cast(nn.Module, RRDBNet(**config) if "num_block" in config else SRVGGNetCompact(**config))
    network.load_state_dict(dict(tensors), assign=True)
    return _InStrips(network) if "num_block" in config else network


class _InStrips(nn.Module):
    """basicsr's RRDBNet, its last layers strip by strip, which saves most of the memory: they look 2 pixels around."""

    ROWS, MARGIN = 32, 2

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network: Any = network

    def forward(self, images: Tensor) -> Tensor:
        shuffled = functional.pixel_unshuffle(images, 2) if self.network.scale == 2 else images
        first = self.network.conv_first(shuffled)
        features = first + self.network.conv_body(self.network.body(first))
        strips = []
        for top, bottom in tiling.spans(features.shape[2], self.ROWS):
            above = min(self.MARGIN, top)
            strip = self._last_layers(features[:, :, top - above : bottom + self.MARGIN])
            strips.append(strip[:, :, 4 * above : 4 * (above + bottom - top)])
        return torch.cat(strips, 2)

    def _last_layers(self, features: Tensor) -> Tensor:
        network = self.network
        for convolution in (network.conv_up1, network.conv_up2):
            features = network.lrelu(convolution(functional.interpolate(features, scale_factor=2, mode="nearest")))
        result: Tensor = network.conv_last(network.lrelu(network.conv_hr(features)))
        return result


def _by_spandrel(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
    with loading():
        from spandrel import ModelLoader, UnsupportedModelError

    try:
        found = ModelLoader().load_from_state_dict(dict(tensors))
    except UnsupportedModelError as error:
        raise ValueError("no network of Real-ESRGAN's") from error
    factor = config.get("scale", config.get("upscale"))
    if found.scale != factor:
        raise ValueError(f"it enlarges {found.scale} times, not {factor}")
    return cast(nn.Module, found.model)


def between(clean: nn.Module, noisy: nn.Module, strength: float) -> nn.Module:
    """A new network ``strength`` of the way from ``noisy`` to ``clean``: Real-ESRGAN's denoise strength.

    Wang et al. 2019, "Deep network interpolation for continuous imagery effect transition".
    """
    mixed = copy.deepcopy(clean)
    for parameter, other in zip(mixed.parameters(), noisy.parameters(), strict=True):
        parameter.lerp_(other, 1 - strength)
    return mixed


def check(scale: int, engine: str, denoise: float | None, tile: int | None = None) -> None:
    """Raise `ControlError` for settings that there are not, or that do not go together."""
    if scale not in (2, 4):
        raise ControlError("scale_unknown", scale=scale)
    if engine not in CHOICES:
        raise ControlError("engine_unknown", name=engine, choices=", ".join(CHOICES))
    if engine == "x2plus" and scale != 2:
        raise ControlError("x2plus_scale")
    if denoise is not None and engine != "general":
        raise ControlError("denoise_engine")
    if denoise is not None and not 0 <= denoise <= 1:
        raise ControlError("denoise_range", denoise=denoise)
    if tile is not None and not 16 <= tile <= 4096:
        raise ControlError("tile_range", tile=tile)


def check_size(photo: Photo, scale: int) -> None:
    """Raise `PhotoError` for a photo whose result would be too large."""
    if photo.width * photo.height * scale**2 > MAX_PIXELS_OUT:
        side = round(MAX_PIXELS_OUT**0.5) // scale
        raise PhotoError(
            "upscale_too_large", width=photo.width, height=photo.height, scale=scale, pixels=side * side, side=side
        )


def precision(network: nn.Module) -> str:
    """float32, or float16 on a GPU."""
    return str(next(network.parameters()).dtype).removeprefix("torch.")


def enlarge(
    network: nn.Module,
    engine: Engine,
    photo: Photo,
    scale: int,
    *,
    tile: int | None = None,
    progress: tiling.Progress = tiling.silent,
) -> Photo:
    """``photo``, ``scale`` times larger; x2 of an x4 network is its result reduced by an area filter (2x2 means).

    Of a grey photo the result is grey; the networks would tint it. Tiles have ``tile`` pixels a side, by default the
    engine's own, 512 on a GPU, or down to a quarter of that where memory is short; then `MemoryShortage` is raised.
    """
    weight = next(network.parameters())
    largest = tile or (GPU_TILE if weight.is_cuda else engine.tile)
    whole = largest + 2 * engine.margin
    is_grey = bool((photo.pixels == photo.pixels[..., :1]).all())

    def process(piece: Photo) -> Photo:
        odd = [(0, length % 2 if engine.factor == 2 else 0) for length in (piece.height, piece.width)]
        padded = Photo(np.pad(piece.pixels, [*odd, (0, 0)], mode="reflect"))  # x2plus works on 2x2 pixels at a time
        images = image.to_tensor([padded]).to(weight.device, weight.dtype, memory_format=torch.channels_last)
        larger = network(images).float()
        if not larger.isfinite().all():
            raise PhotoError("engine_undefined", engine=engine.id, precision=precision(network))
        larger = larger.clamp(0, 1)
        if engine.factor != scale:
            larger = functional.avg_pool2d(larger, engine.factor // scale)
        if is_grey:
            larger = luminance(larger).expand_as(larger)
        return image.to_photos(larger)[0]

    step = 4 // engine.factor  # x2plus must see the same 2x2 pixels together, whatever the tile
    shortage = MemoryShortage("memory_upscale", width=min(whole, photo.width), height=min(whole, photo.height))
    tiled = partial(tiling.enlarge, photo, process, scale=scale, margin=engine.margin, step=step, progress=progress)
    sizes = [tile] if tile else [largest, largest // 2, largest // 4]
    with torch.inference_mode(), enough_memory(shortage):
        return by_parts(lambda side: tiled(tile=side), *sizes)


def bicubic(photo: Photo, scale: int) -> Photo:
    """``photo`` enlarged by Pillow's bicubic filter, without any network."""
    return image.resized(photo, photo.width * scale, photo.height * scale, Image.Resampling.BICUBIC)
