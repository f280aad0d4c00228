"""How a photo is damaged: pure kernels, one for each control; those of the original project, beside `ageing`.

A kernel takes a batch ``[B, C, H, W]`` (float32, RGB or one channel, nominally in [0, 1]), one strength per photo,
``[B, 1, 1, 1]``, and the random field that it needs. Kernels are written against the array API, for NumPy arrays (one
photo, reproducible from a seed) and for Torch tensors (a training batch, on its device).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace, device

from .ageing import FIELDS, Array, dust, fading, scratches
from .controls import CONTROLS
from .jpeg import jpeg_dct
from .random_fields import DeviceNoise, Noise

if TYPE_CHECKING:
    import torch


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
    counts = as_planes(count, images)[:, 0]
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
        images = sum(as_planes(taps[:, k], images) * view for k, view in enumerate(shifted))
    return images


def before_jpeg(images: Array, strengths: Mapping[str, np.ndarray], noise: Noise) -> Array:
    """All steps but JPEG: fading; the original's noises, in the order that ``noise`` draws; scratches; dust; blur;
    clip.

    ``images`` is ``[B, C, H, W]``; ``strengths`` maps each control to ``[B]`` on the host.
    """
    images = fade(images, strengths, noise)
    batch, _, height, width = images.shape
    for name in noise.order():
        if not strengths[name].any():
            continue
        strength = as_planes(strengths[name], images)
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


def fade(images: Array, strengths: Mapping[str, np.ndarray], noise: Noise) -> Array:
    if not strengths["fading"].any():
        return images
    field = noise.uniform("fading", (len(images), *FIELDS["fading"]))
    return fading(images, as_planes(strengths["fading"], images), field)


def as_planes(values: np.ndarray, images: Array) -> Array:
    """Host values ``[B]`` as ``[B, 1, 1, 1]`` beside ``images``."""
    return array_namespace(images).asarray(values.astype(np.float32), device=device(images))[:, None, None, None]


# --- The batched path of training: fields are drawn where the batch lives ---------------------------------------------


def fade_batch(images: torch.Tensor, strengths: Mapping[str, np.ndarray], generator: torch.Generator) -> torch.Tensor:
    """Fading alone on ``[B, C, H, W]``, for who wants the faded photo itself before `degrade_batch` does the rest."""
    return fade(images, strengths, DeviceNoise(generator))


def degrade_batch(y: torch.Tensor, strengths: Mapping[str, np.ndarray], generator: torch.Generator) -> torch.Tensor:
    """The batched path: the kernels of `Degradation.apply` on luminance ``[B, 1, H, W]``, fields drawn on its device.

    JPEG is its lossy part alone (`jpeg_dct`), so H and W must be multiples of 8.
    """
    degraded = before_jpeg(y, strengths, DeviceNoise(generator))
    return jpeg_dct((degraded * 255).round() / 255, strengths["jpeg"])
