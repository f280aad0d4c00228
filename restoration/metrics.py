"""How close a photo is to the truth or, without one, how it looks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from skimage import color
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from .colour import LUMA
from .types import Photo


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """A photo measured against its reference, both 8 bit. PSNR in dB (infinite where they are equal)."""

    psnr: float  # RGB, data range 255
    ssim: float  # mean over R, G and B (Wang et al. 2004: gaussian window, sigma 1.5), data range 255
    psnr_luminance: float  # BT.601 luma, not rounded, data range 255
    ssim_luminance: float
    ciede2000: float  # mean colour difference in CIELAB (D65): 0 is equal, about 2 is just visible
    colourfulness: float  # Hasler and Süsstrunk 2003, on 8-bit sRGB: 0 is grey, about 30 moderate, over 80 vivid


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A photo measured alone, without a reference: how it looks, never whether it is true."""

    noise: float  # sigma in the luminance, of 255, by the finest wavelets (Donoho and Johnstone 1994), grain included
    blur: float  # perceptual blur of the luminance, 0 (sharp) to 1 (Crete et al. 2007)
    contrast: float  # standard deviation of the luminance, in levels of 255
    colourfulness: float  # as in `Metrics`


def judge(photo: Photo) -> Judgement:
    """Measure ``photo`` where there is nothing to compare it with."""
    from skimage.measure import blur_effect
    from skimage.restoration import estimate_sigma

    luminance = _luminance(photo)
    return Judgement(
        noise=float(estimate_sigma(luminance)) if np.ptp(luminance) else 0.0,
        blur=float(blur_effect(luminance)),
        contrast=float(luminance.std()),
        colourfulness=colourfulness(photo),
    )


def compare(photo: Photo, reference: Photo) -> Metrics:
    """Measure ``photo`` against ``reference``, which must have its size."""
    lab = [color.rgb2lab(each.pixels.astype(np.float32) / 255) for each in (photo, reference)]
    return Metrics(
        psnr=psnr(photo, reference),
        ssim=_ssim(photo.pixels, reference.pixels, channel_axis=2),
        psnr_luminance=psnr_luminance(photo, reference),
        ssim_luminance=ssim_luminance(photo, reference),
        ciede2000=float(color.deltaE_ciede2000(*lab).mean()),
        colourfulness=colourfulness(photo),
    )


def psnr(photo: Photo, reference: Photo) -> float:
    """`Metrics.psnr` alone."""
    return _psnr(photo.pixels, reference.pixels)


def psnr_luminance(photo: Photo, reference: Photo) -> float:
    """`Metrics.psnr_luminance` alone."""
    return _psnr(_luminance(photo), _luminance(reference))


def ssim_luminance(photo: Photo, reference: Photo) -> float:
    """`Metrics.ssim_luminance` alone."""
    return _ssim(_luminance(photo), _luminance(reference))


def with_change(value: float, before: float | None, digits: int) -> str:
    """A measure as text, and in brackets its change against ``before``, where both are finite."""
    text = f"{value:.{digits}f}" if math.isfinite(value) else "∞"
    if before is None or not math.isfinite(value - before):
        return text
    return f"{text} ({value - before:+.{digits}f})"


def colourfulness(photo: Photo) -> float:
    """Hasler and Süsstrunk 2003, "Measuring colourfulness in natural images"."""
    red, green, blue = photo.pixels.astype(float).transpose(2, 0, 1)
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def _luminance(photo: Photo) -> np.ndarray:
    return photo.pixels @ np.array(LUMA)


def _psnr(image: np.ndarray, reference: np.ndarray) -> float:
    if image.shape != reference.shape:
        raise ValueError(f"photos of one size are compared, got {image.shape} and {reference.shape}")
    if np.array_equal(image, reference):
        return float("inf")
    return float(peak_signal_noise_ratio(reference, image, data_range=255))


def _ssim(image: np.ndarray, reference: np.ndarray, channel_axis: int | None = None) -> float:
    return float(
        structural_similarity(
            image.astype(np.float32),  # seven digits are plenty, and quicker
            reference.astype(np.float32),
            data_range=255,
            channel_axis=channel_axis,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )
