"""A second judge of what a picture looks like, by another network than `train.lpips` and trained by other people.

Ghildyal and Liu 2022, "Shift-tolerant perceptual similarity metric", on AlexNet; the package brings its weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from restoration import Photo, image


class ShiftTolerantLpips:
    """Judges photos by AlexNet's features, which a shift by a pixel barely changes."""

    def __init__(self) -> None:
        from stlpips_pytorch import stlpips

        self.network = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False)

    @torch.inference_mode()
    def __call__(self, photos: Sequence[Photo], truth: Photo) -> np.ndarray:
        """The perceptual distance of each photo to ``truth``, float ``[len(photos)]``; 0 is equal."""
        reference = _signed([truth]).expand(len(photos), -1, -1, -1)
        return self.network(_signed(photos), reference).flatten().numpy()

    @torch.inference_mode()
    def features(self, photos: Sequence[Photo]) -> np.ndarray:
        """What the last layer sees of each photo, averaged over its area: float ``[len(photos), 256]``."""
        return self.network.net(_signed(photos))[-1].mean((2, 3)).numpy()


def _signed(photos: Sequence[Photo]) -> Tensor:
    return image.to_tensor(photos) * 2 - 1


def frechet_distance(features: np.ndarray, truths: np.ndarray) -> float:
    """How far two sets of photos are apart as sets, by the gaussians fitted to their features ``[N, D]``.

    Heusel et al. 2017 (FID), with other features: comparable between rows of one table alone. With fewer photos it is
    larger, for equal sets too.
    """
    means = features.mean(0) - truths.mean(0)
    one, other = np.cov(features, rowvar=False), np.cov(truths, rowvar=False)
    shared = np.sqrt(np.linalg.eigvals(one @ other).real.clip(0)).sum()  # the trace of the product's square root
    return float(means @ means + np.trace(one) + np.trace(other) - 2 * shared)
