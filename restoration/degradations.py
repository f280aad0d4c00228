"""How a photo is damaged: pure kernels, one control each, and the random recipes that draw the controls.

Every kernel takes a batch ``[B, C, H, W]`` (float32, RGB or one channel, nominally in [0, 1]) with one strength per
photo, shaped ``[B, 1, 1, 1]``, and the random field that it needs, so that it draws nothing itself. The kernels are
written against the array API: NumPy arrays (one photo, reproducible from a seed) and Torch tensors (a training batch,
on its device) pass through the same lines. The units and the order of the steps are those of the original project;
the steps that it did not have are in `ageing`.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from array_api_compat import array_namespace, device
from PIL import Image

from .ageing import FIELDS, MAX_HAIRS, MAX_SCRATCHES, MAX_SPECKS, Array, dust, fading, scratches
from .colour import luminance, to_rgb, to_ycc
from .errors import ControlError
from .types import Photo

if TYPE_CHECKING:
    import torch

# --- Controls ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Control:
    """One slider: its neutral value, its range, and what its number means."""

    off: float
    low: float
    high: float
    step: float
    help: str

    def check(self, name: str, value: float) -> None:
        """Raise `ControlError` unless ``value`` is a finite number on this control's scale."""
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise ControlError("control_no_number", name=name, value=value)
        if not self.low <= value <= self.high:  # not a number is neither
            raise ControlError(
                "control_range", name=name, low=self.low, high=self.high, off=self.off, value=str(value)[:20]
            )
        if self.step >= 1 and (value - self.low) % self.step:
            if self.step == 2:
                raise ControlError("control_odd", name=name, value=value)
            raise ControlError("control_whole", name=name, value=value)


CONTROLS: Mapping[str, Control] = {
    "gaussian": Control(off=0, low=0, high=0.3, step=0.005, help="additive gaussian noise, sigma (1 = white)"),
    "salt_pepper": Control(off=0, low=0, high=0.2, step=0.001, help="fraction of pixels lost, all white or all black"),
    "speckle": Control(off=0, low=0, high=0.5, step=0.005, help="multiplicative noise, sigma relative to the pixel"),
    "correlated": Control(off=0, low=0, high=0.3, step=0.005, help="smoothed gaussian noise, sigma before smoothing"),
    "lines": Control(off=0, low=0, high=16, step=1, help="vertical lines, 1 to 4 pixels wide, over the full height"),
    "blur": Control(off=1, low=1, high=21, step=2, help="gaussian blur, odd kernel size in pixels"),
    "jpeg": Control(off=100, low=2, high=100, step=1, help="JPEG quality"),
    "fading": Control(off=0, low=0, high=0.8, step=0.01, help="share of contrast lost, blacks more than whites"),
    "scratches": Control(off=0, low=0, high=MAX_SCRATCHES, step=1, help="thin crooked cracks, bright or dark"),
    "dust": Control(off=0, low=0, high=1, step=0.01, help=f"share of {MAX_SPECKS} specks and {MAX_HAIRS} hairs"),
}
NOISES = ("gaussian", "salt_pepper", "speckle", "correlated", "lines")  # applied in an order that the seed draws
AGEING = ("fading", "scratches", "dust")


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """What is done to a photo; `CONTROLS` states each strength's unit and range. The default does nothing.

    Raises `ControlError` for a strength that is not a finite number in its range.
    """

    grayscale: bool = False
    gaussian: float = 0
    salt_pepper: float = 0
    speckle: float = 0
    correlated: float = 0
    lines: int = 0
    blur: int = 1
    jpeg: int = 100
    fading: float = 0
    scratches: int = 0
    dust: float = 0

    def __post_init__(self) -> None:
        if not isinstance(self.grayscale, bool):
            raise ControlError("grayscale_boolean", value=self.grayscale)
        for name, control in CONTROLS.items():
            control.check(name, getattr(self, name))

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Degradation:
        """The inverse of `dataclasses.asdict`; unknown names are refused with `ControlError`."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ControlError("control_unknown", control=unknown[0], controls=", ".join(sorted(known)))
        return cls(**values)

    def apply(self, photo: Photo, seed: int) -> Photo:
        """Damage ``photo``; the same seed gives the same pixels in every process.

        Each random field has a stream of its own, so moving one control leaves the pattern of the others alone.
        """
        strengths = {name: np.array([getattr(self, name)]) for name in CONTROLS}
        pixels = photo.pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255
        pixels = before_jpeg(pixels, strengths, _SeededNoise(seed), grayscale=self.grayscale)
        pixels = np.rint(pixels[0].transpose(1, 2, 0) * 255).astype(np.uint8)
        if self.jpeg != CONTROLS["jpeg"].off:
            pixels = _jpeg_round_trip(pixels, int(self.jpeg))
        return Photo(np.ascontiguousarray(np.broadcast_to(pixels, photo.pixels.shape)))


# --- Presets ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A random recipe: for each control the probability that it acts, and the range of its uniform draw."""

    summary: str
    ranges: Mapping[str, tuple[float, float, float]]  # control -> probability, lowest, highest

    def draw_many(self, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
        """Strengths for ``count`` photos: control -> float64 ``[count]``."""
        strengths = {}
        for name, control in CONTROLS.items():
            if name in AGEING and name not in self.ranges:  # older presets draw from ``rng`` what they always drew
                strengths[name] = np.full(count, control.off, dtype=float)
                continue
            probability, low, high = self.ranges.get(name, (0, control.off, control.off))
            if control.step >= 1:
                values = rng.integers(0, round((high - low) / control.step) + 1, count) * control.step + low
            else:
                values = rng.uniform(low, high, count)
            strengths[name] = np.where(rng.random(count) < probability, values, control.off)
        return strengths

    def draw(self, seed: int) -> Degradation:
        """The degradation of one photo, in grey; the same seed gives the same strengths in every process."""
        drawn = self.draw_many(np.random.default_rng([checked_seed(seed), zlib.crc32(b"recipe")]), 1)
        values = {name: int(v[0]) if CONTROLS[name].step >= 1 else float(v[0]) for name, v in drawn.items()}
        return Degradation.from_mapping({"grayscale": True, **values})


PRESETS: Mapping[str, Preset] = {
    "original": Preset(
        summary="the original project's random recipe",
        ranges={
            "gaussian": (0.5, 0.01, 0.08),
            "salt_pepper": (0.3, 0.001, 0.01),
            "speckle": (0.5, 0.02, 0.06),
            "correlated": (0.5, 0.05, 0.05),
            "lines": (0.2, 1, 4),
            "blur": (0.5, 3, 7),
            "jpeg": (1.0, 20, 89),
        },
    ),
    "light": Preset(
        summary="a well-kept photo: a little noise, mild JPEG",
        ranges={
            "gaussian": (0.7, 0.005, 0.02),
            "speckle": (0.3, 0.01, 0.03),
            "lines": (0.1, 1, 1),
            "blur": (0.2, 3, 3),
            "jpeg": (1.0, 75, 95),
        },
    ),
    "heavy": Preset(
        summary="a photo from the attic floor: everything, and more of it",
        ranges={
            "gaussian": (0.8, 0.06, 0.14),
            "salt_pepper": (0.6, 0.01, 0.04),
            "speckle": (0.6, 0.06, 0.15),
            "correlated": (0.6, 0.05, 0.12),
            "lines": (0.6, 2, 8),
            "blur": (0.6, 5, 9),
            "jpeg": (1.0, 10, 40),
        },
    ),
    "antique": Preset(
        summary="an old print: faded, scratched and dusty, with its film's grain",
        ranges={
            "gaussian": (0.4, 0.01, 0.04),
            "correlated": (0.7, 0.03, 0.12),
            "blur": (0.5, 3, 5),
            "jpeg": (1.0, 60, 92),
            "fading": (0.8, 0.1, 0.5),
            "scratches": (0.6, 1, 8),
            "dust": (0.7, 0.1, 0.6),
        },
    ),
}


def preset(name: str) -> Preset:
    """The preset called ``name``; raises `ControlError` that lists the presets if there is none."""
    if name not in PRESETS:
        choices = ", ".join(PRESETS)
        raise ControlError("preset_unknown", name=name, choices=choices)
    return PRESETS[name]


# --- Random fields ----------------------------------------------------------------------------------------------------


class Noise(Protocol):
    """Where the kernels' random fields come from. ``name`` says whom a field is for."""

    def normal(self, name: str, shape: tuple[int, ...]) -> Array: ...

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array: ...

    def order(self) -> list[str]: ...


class _SeededNoise:
    """Fields for one photo from NumPy's generator, one independent stream per field."""

    def __init__(self, seed: int) -> None:
        self.seed = checked_seed(seed)

    def _stream(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return self._stream(name).standard_normal(shape, dtype=np.float32)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return self._stream(name).random(shape, dtype=np.float32)

    def order(self) -> list[str]:
        return list(self._stream("order").permutation(NOISES))


class _DeviceNoise:
    """Fields for a batch, drawn where the batch lives. The order of the noises is one draw for the whole batch."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        import torch

        return torch.randn(shape, generator=self.generator, device=self.generator.device)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        import torch

        return torch.rand(shape, generator=self.generator, device=self.generator.device)

    def order(self) -> list[str]:
        import torch

        ranks = torch.randperm(len(NOISES), generator=self.generator, device=self.generator.device)
        return [NOISES[i] for i in ranks.tolist()]


def checked_seed(seed: int) -> int:
    """``seed`` as an int; `ControlError` for what is no seed."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ControlError("seed_whole", seed=seed)
    return int(seed)


# --- Kernels ----------------------------------------------------------------------------------------------------------


def gaussian(images: Array, sigma: Array, normal: Array) -> Array:
    return images + sigma * normal


def salt_pepper(images: Array, fraction: Array, uniform: Array, value: Array) -> Array:
    """Pixels where ``uniform < fraction`` become ``value``: 1 (salt) or 0 (pepper), one for the whole photo."""
    return array_namespace(images).where(uniform < fraction, value, images)


def speckle(images: Array, sigma: Array, normal: Array) -> Array:
    return images * (1 + sigma * normal)


def correlated(images: Array, sigma: Array, normal: Array) -> Array:
    """Gaussian noise that a 5x5 gaussian smooths before it is added: blotches instead of grain."""
    return images + sigma * blur(normal, np.full(normal.shape[0], 5))


def lines(images: Array, count: np.ndarray, uniform: Array) -> Array:
    """``count`` ``[B]`` vertical lines per photo, 1-4 pixels wide, grey 0.1-0.4, over the full height.

    ``uniform`` ``[B, 3, N]`` holds each line's place, width and grey; lines beyond a photo's count are not drawn.
    """
    xp = array_namespace(images)
    width = images.shape[-1]
    columns = xp.arange(width, dtype=images.dtype, device=device(images))
    counts = _like(count, images)[:, 0]
    for line in range(int(count.max())):
        place, thickness, grey = (uniform[:, part, line][:, None, None, None] for part in range(3))
        start = xp.floor(place * width)
        inside = (columns >= start) & (columns < start + 1 + xp.floor(thickness * 4)) & (line < counts[:, None])
        images = xp.where(inside, 0.1 + 0.3 * grey, images)
    return images


def blur(images: Array, size: np.ndarray) -> Array:
    """Gaussian blur with an odd kernel of ``size`` ``[B]`` pixels, sigma by OpenCV's rule, borders reflected."""
    xp = array_namespace(images)
    radius = int(size.max() - 1) // 2
    if radius == 0:
        return images
    sigma = 0.3 * ((size - 1) / 2 - 1) + 0.8
    offsets = np.arange(-radius, radius + 1)
    taps = np.exp(-0.5 * (offsets / np.maximum(sigma, 0.1)[:, None]) ** 2) * (abs(offsets) <= (size[:, None] - 1) / 2)
    taps = taps / taps.sum(1, keepdims=True)
    for axis in (-2, -1):
        length = images.shape[axis]
        mirror = np.pad(np.arange(length), radius, mode="reflect" if radius < length else "symmetric")
        padded = xp.take(images, xp.asarray(mirror, device=device(images)), axis=axis)
        shifted = (
            padded[..., k : k + length, :] if axis == -2 else padded[..., k : k + length] for k in range(2 * radius + 1)
        )
        images = sum(_like(taps[:, k], images) * view for k, view in enumerate(shifted))
    return images


def before_jpeg(images: Array, strengths: Mapping[str, np.ndarray], noise: Noise, *, grayscale: bool) -> Array:
    """All steps but JPEG, as they happen to a photo: its print fades; the original's noises, in the order that
    ``noise`` draws; scratches and dust; blur; clip.

    ``images`` is ``[B, 3, H, W]``, ``strengths`` maps each control to ``[B]`` on the host. Returns one channel where
    ``grayscale``, else three.
    """
    if grayscale:
        images = luminance(images)
    images = _fade(images, strengths, noise)
    batch, _, height, width = images.shape
    for name in noise.order():
        if not strengths[name].any():
            continue
        strength = _like(strengths[name], images)
        if name == "salt_pepper":
            value = array_namespace(images).round(noise.uniform("salt_or_pepper", (batch, 1, 1, 1)))
            images = salt_pepper(images, strength, noise.uniform(name, (batch, 1, height, width)), value)
        elif name == "lines":
            # Always as many draws as the control allows: one line more leaves the others in their place.
            images = lines(images, strengths[name], noise.uniform(name, (batch, 3, int(CONTROLS[name].high))))
        else:
            kernel = {"gaussian": gaussian, "speckle": speckle, "correlated": correlated}[name]
            images = kernel(images, strength, noise.normal(name, tuple(images.shape)))
    # Of scratches and dust, too, as many as there can be are drawn.
    if strengths["scratches"].any():
        images = scratches(images, strengths["scratches"], noise.uniform("scratches", (batch, *FIELDS["scratches"])))
    if strengths["dust"].any():
        specks, hairs = (noise.uniform(name, (batch, *FIELDS[name])) for name in ("specks", "hairs"))
        images = dust(images, strengths["dust"], specks, hairs)
    return blur(images, strengths["blur"]).clip(0, 1)


def _fade(images: Array, strengths: Mapping[str, np.ndarray], noise: Noise) -> Array:
    if not strengths["fading"].any():
        return images
    return fading(images, _like(strengths["fading"], images), noise.uniform("fading", (len(images), *FIELDS["fading"])))


def fade_batch(images: torch.Tensor, strengths: Mapping[str, np.ndarray], generator: torch.Generator) -> torch.Tensor:
    """Fading alone on ``[B, C, H, W]``, for who wants the faded photo itself before `degrade_batch` does the rest."""
    return _fade(images, strengths, _DeviceNoise(generator))


def degrade_batch(
    images: torch.Tensor, strengths: Mapping[str, np.ndarray], generator: torch.Generator, *, grayscale: bool = True
) -> torch.Tensor:
    """The batched path: the kernels of `Degradation.apply` on ``[B, 3, H, W]``, fields drawn on the batch's device.

    JPEG is its lossy part alone (`jpeg_dct`), so H and W must be multiples of 16. Returns ``[B, 1 or 3, H, W]``.
    """
    images = before_jpeg(images, strengths, _DeviceNoise(generator), grayscale=grayscale)
    return jpeg_dct((images * 255).round() / 255, strengths["jpeg"])


def _like(values: np.ndarray, images: Array) -> Array:
    """Host values ``[B]`` as ``[B, 1, 1, 1]`` beside ``images``."""
    return array_namespace(images).asarray(values.astype(np.float32), device=device(images))[:, None, None, None]


# --- JPEG -------------------------------------------------------------------------------------------------------------


def _jpeg_round_trip(pixels: np.ndarray, quality: int) -> np.ndarray:
    """``[H, W, 1 or 3]`` uint8 through a real JPEG encoder and decoder (chroma 4:2:0)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(buffer, "JPEG", quality=quality)
    decoded = np.asarray(Image.open(buffer))
    return decoded[..., None] if decoded.ndim == 2 else decoded


# ITU-T T.81, Annex K.1: the example tables that libjpeg scales by its quality.
_LUMA_TABLE = (
    "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62 "
    "18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"
)
_CHROMA_TABLE = (
    "17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99 " + "99 " * 32
)


def jpeg_dct(images: torch.Tensor, quality: np.ndarray) -> torch.Tensor:
    """What baseline JPEG loses, for a whole batch on its device: 8x8 DCT, quantisation, and back.

    ``images`` ``[B, 1 or 3, H, W]`` in [0, 1] on 8-bit steps, H and W multiples of 16; ``quality`` ``[B]``, where 100
    leaves the photo as it is. Entropy coding loses nothing, so it is left out; a test holds this against libjpeg.
    """
    import torch
    from torch.nn import functional

    if images.shape[-1] % 16 or images.shape[-2] % 16:
        raise ValueError(f"jpeg_dct wants sides that are multiples of 16, got {tuple(images.shape[-2:])}")
    acts = torch.as_tensor(quality < CONTROLS["jpeg"].off, device=images.device)[:, None, None, None]
    if images.shape[1] == 1:
        coded = _quantise_blocks(images * 255 - 128, quality, _LUMA_TABLE) + 128
    else:
        y, chroma = to_ycc(images * 255).split([1, 2], 1)
        y = (_quantise_blocks(y.round() - 128, quality, _LUMA_TABLE) + 128).round()
        half = _quantise_blocks(functional.avg_pool2d(chroma, 2).round(), quality, _CHROMA_TABLE).round()
        chroma = functional.interpolate(half, scale_factor=2.0, mode="bilinear", align_corners=False)
        coded = to_rgb(torch.cat([y, chroma], 1))
    return torch.where(acts, coded.round().clip(0, 255) / 255, images)


def _quantise_blocks(planes: torch.Tensor, quality: np.ndarray, table: str) -> torch.Tensor:
    """``[B, C, H, W]`` centred on 0 in 8-bit steps -> the same after the quantisation of its 8x8 DCT."""
    import torch

    k, n = np.mgrid[:8, :8]
    dct = np.cos(np.pi * (2 * n + 1) * k / 16) * np.where(k == 0, math.sqrt(1 / 8), 0.5)
    transform = torch.as_tensor(dct, dtype=planes.dtype, device=planes.device)
    scale = np.where(quality < 50, 5000 // np.maximum(quality, 1), 200 - 2 * quality)
    scaled = np.clip((np.array(table.split(), dtype=int) * scale[:, None] + 50) // 100, 1, 255)
    steps = torch.as_tensor(scaled.reshape(-1, 1, 1, 8, 1, 8), dtype=planes.dtype, device=planes.device)
    batch, channels, height, width = planes.shape
    blocks = planes.reshape(batch, channels, height // 8, 8, width // 8, 8)
    spectrum = torch.einsum("ki,bcyixj,lj->bcykxl", transform, blocks, transform)
    spectrum = (spectrum / steps).round() * steps
    return torch.einsum("ki,bcykxl,lj->bcyixj", transform, spectrum, transform).reshape(planes.shape)
