"""JPEG: the real encoder, and its lossy part alone for batches on any device."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..colour import to_rgb, to_ycc
from .controls import CONTROLS

if TYPE_CHECKING:
    import torch


def jpeg_round_trip(pixels: np.ndarray, quality: int) -> np.ndarray:
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
