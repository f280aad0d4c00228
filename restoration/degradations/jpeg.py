"""JPEG: the real encoder, and its lossy part alone for batches on any device."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .controls import CONTROLS

if TYPE_CHECKING:
    import torch


def jpeg_round_trip(pixels: np.ndarray, quality: int) -> np.ndarray:
    """``[H, W, 1 or 3]`` uint8 through a real JPEG encoder and decoder (chroma 4:2:0)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(buffer, "JPEG", quality=quality)
    decoded = np.asarray(Image.open(buffer))
    return decoded[..., None] if decoded.ndim == 2 else decoded


# ITU-T T.81, Annex K.1: the example table of luminance that libjpeg scales by its quality.
_LUMA_TABLE = (
    "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62 "
    "18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"
)


def jpeg_dct(y: torch.Tensor, quality: np.ndarray) -> torch.Tensor:
    """What baseline JPEG loses of luminance, for a whole batch on its device: 8x8 DCT, quantisation, and back.

    ``y`` ``[B, 1, H, W]`` in [0, 1] on 8-bit steps, H and W multiples of 8; ``quality`` ``[B]``, where 100 leaves the
    photo as it is. Entropy coding loses nothing, so it is left out; a test holds this against libjpeg.
    """
    import torch

    batch, _, height, width = y.shape
    if height % 8 or width % 8:
        raise ValueError(f"jpeg_dct wants sides that are multiples of 8, got {height, width}")
    k, n = np.mgrid[:8, :8]
    dct = np.cos(np.pi * (2 * n + 1) * k / 16) * np.where(k == 0, math.sqrt(1 / 8), 0.5)
    transform = torch.as_tensor(dct, dtype=y.dtype, device=y.device)
    scale = np.where(quality < 50, 5000 // np.maximum(quality, 1), 200 - 2 * quality)
    scaled = np.clip((np.array(_LUMA_TABLE.split(), dtype=int) * scale[:, None] + 50) // 100, 1, 255)
    steps = torch.as_tensor(scaled.reshape(-1, 1, 1, 8, 1, 8), dtype=y.dtype, device=y.device)
    blocks = (y * 255 - 128).reshape(batch, 1, height // 8, 8, width // 8, 8)
    spectrum = torch.einsum("ki,bcyixj,lj->bcykxl", transform, blocks, transform)
    spectrum = (spectrum / steps).round() * steps
    coded = torch.einsum("ki,bcykxl,lj->bcyixj", transform, spectrum, transform).reshape(y.shape) + 128
    acts = torch.as_tensor(quality < CONTROLS["jpeg"].off, device=y.device)[:, None, None, None]
    return torch.where(acts, coded.round().clip(0, 255) / 255, y)
