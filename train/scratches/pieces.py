"""Pieces of photos with damage on them, and where it is: what the network that finds scratches learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from restoration.colour import LUMA

from ..data import decode
from ..photos import PhotoFile
from .damage import SIDE, Damage, Layer, log_uniform, noise
from .negatives import NEGATIVES

HELD_OUT = 7
"""Every seventh large photo by name is left out of training: some of each source."""
DAMAGED, WITH_NEGATIVES = 0.62, 0.4
HARD = 0.2
"""How many have a hard contrast, as copies of copies do, whose people are as black as ink."""
GREY, TONED = 0.5, 0.12
"""How many of the photos are grey, and how many of all are toned."""
VISIBLE, INVISIBLE = 12 / 255, 5 / 255
"""Damage is what changes a pixel by more than the first; by less than the second, it is none."""


def split_large(photos: Sequence[PhotoFile]) -> tuple[Sequence[PhotoFile], Sequence[PhotoFile]]:
    """Large photos to learn from, and those that are left out."""
    ordered = sorted(photos, key=lambda photo: photo.name)
    return [photo for index, photo in enumerate(ordered) if index % HELD_OUT], ordered[::HELD_OUT]


def pixels(photo: PhotoFile) -> np.ndarray:
    """A whole photo, uint8 ``[H, W, 3]``."""
    return np.asarray(decode(photo, whole=True))


def scan(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A print ``[H, W, 1 or 3]`` in [0, 1] as a scanner saves it, uint8 ``[H, W, 3]``: with noise and JPEG's blocks."""
    if rng.random() < 0.4:
        image = image + rng.uniform(0, 0.03) * rng.standard_normal(image.shape, np.float32)
    levels = np.rint(image.clip(0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.6:
        coded = cv2.imencode(".jpg", levels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 97))])[1]
        levels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED)).reshape(levels.shape)[..., ::-1]
    return np.ascontiguousarray(np.broadcast_to(levels, (*levels.shape[:2], 3)))


def composite(image: np.ndarray, layers: Sequence[Layer], softness: float) -> tuple[np.ndarray, np.ndarray]:
    """A photo ``[H, W, 1 or 3]`` with layers of damage on it, and the target, uint8 ``[H, W]``, of what each pixel is.

    A pixel is 0 photo, 1 damage, or 2 unknown: nobody could tell damage that is as light as what it hides, or that
    hides next to nothing. Both are blurred by a gaussian of ``softness`` pixels, as by a scanner.
    """
    worn, hidden = image, np.zeros((*image.shape[:2], 1), np.float32)
    for each in layers:
        worn, hidden = each.over(worn), np.maximum(hidden, each.cover[..., None])
    worn = worn.clip(0, 1).astype(np.float32)
    if softness > 0.2:
        image, worn, hidden = (
            cv2.GaussianBlur(each, (0, 0), softness).reshape(each.shape) for each in (image, worn, hidden)
        )
    change = abs(worn - image).max(2)
    target = np.where(change > VISIBLE, 1, np.where((change > INVISIBLE) | (hidden[..., 0] > 0.3), 2, 0))
    return worn, target.astype(np.uint8)


def confusion(found: Any, target: Any) -> np.ndarray:
    """How many pixels of damage were found, how many were missed, and how many of no damage were marked: int ``[3]``.

    ``found`` is a boolean array or tensor; ``target`` one of the same shape, as `composite` makes it.
    """
    cases = found & (target == 1), ~found & (target == 1), found & (target == 0)
    return np.array([int(each.sum()) for each in cases])


def precision_and_recall(counts: np.ndarray) -> dict[str, float]:
    """Of the sums of `confusion`, with F1, their harmonic mean."""
    hits, missed, false = counts.tolist()
    scores = {"precision": hits / max(hits + false, 1), "recall": hits / max(hits + missed, 1)}
    scores["f1"] = 2 * hits / max(2 * hits + missed + false, 1)
    return {name: round(score, 4) for name, score in scores.items()}


class Pieces:
    """Batch ``i`` is uint8 pieces ``[B, 3, 256, 256]`` and what each pixel is, ``[B, 1, 256, 256]`` (see `composite`).

    Everything follows from the seed and the batch's number. Large photos are held in memory.
    """

    def __init__(
        self, large: Sequence[PhotoFile], small: Sequence[PhotoFile], damage: Damage, batch: int, seed: int
    ) -> None:
        self.large, self.small = [pixels(photo) for photo in large], small
        self.damage, self.batch, self.seed = damage, batch, seed

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        first = number * self.batch
        pairs = [self.piece(np.random.default_rng([self.seed, sight])) for sight in range(first, first + self.batch)]
        pieces, targets = (torch.from_numpy(np.stack(each)) for each in zip(*pairs, strict=True))
        return pieces.permute(0, 3, 1, 2), targets[:, None]

    def piece(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One, with and without damage, and with and without what only looks like it."""
        image = self.photo(rng).astype(np.float32) / 255
        grey = rng.random()
        if grey < GREY:
            image = image @ np.array(LUMA, np.float32)[:, None]
        low, high = (rng.uniform(0, 0.25), rng.uniform(0.65, 1)) if rng.random() < 0.4 else (0, 1)
        image = low + (high - low) * image ** np.exp(rng.normal(0, 0.25))
        if rng.random() < HARD:
            image = ((image - rng.uniform(0.25, 0.75)) * rng.uniform(1.3, 4) + 0.5).clip(0, 1)
        if rng.random() < WITH_NEGATIVES:
            for look in rng.choice(len(NEGATIVES), int(rng.integers(1, 3))):
                y = image.mean(2)
                tint = rng.uniform(0.3, 1, image.shape[2]) if rng.random() < 0.3 else np.ones(1)
                image = image + (NEGATIVES[look](y, rng) - y)[..., None] * tint
        if rng.random() < 0.4:  # the print's own grain
            grain = rng.standard_normal(image.shape[:2], np.float32) * rng.uniform(0, 0.1)
            grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.3, 1)) if rng.random() < 0.7 else grain
            image = image + grain[..., None]
        if rng.random() < 0.03:
            lost = rng.random((*image.shape[:2], 1)) < rng.uniform(0, 0.01)
            image = np.where(lost, np.float32(rng.integers(2)), image)
        layers = self.damage.draw(rng) if rng.random() < DAMAGED else []
        image, target = composite(image.clip(0, 1).astype(np.float32), layers, rng.uniform(-0.6, 1.3))
        if grey < TONED:  # sepia, or blue, and the damage with it
            image = image ** np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
        return scan(image, rng), target

    def photo(self, rng: np.random.Generator) -> np.ndarray:
        """A part of a large photo, a small one enlarged, four small ones side by side, or hardly anything."""
        chance = rng.random()
        if chance < 0.66:
            piece = self.part(self.large[rng.integers(len(self.large))], SIDE, rng)
        elif chance < 0.78:
            piece = self.part(self.little(rng), SIDE, rng)
        elif chance < 0.94:
            corners = [self.part(self.little(rng), SIDE // 2, rng, most=1.3) for _ in range(4)]
            piece = np.concatenate([np.concatenate(two, 1) for two in (corners[:2], corners[2:])])
        else:
            sky = rng.uniform(0, 80) * (noise(rng, rng.uniform(1, 6), SIDE) - 0.5)
            tint = rng.normal(0, 20, 3) if rng.random() < 0.7 else np.zeros(3)
            piece = (rng.uniform(0, 255) + sky[..., None] + tint).clip(0, 255).astype(np.uint8)
        return piece[:, ::-1] if rng.random() < 0.5 else piece

    def little(self, rng: np.random.Generator) -> np.ndarray:
        return pixels(self.small[int(rng.integers(len(self.small)))])

    def part(self, photo: np.ndarray, side: int, rng: np.random.Generator, most: float = 1.5) -> np.ndarray:
        """A square of ``side`` pixels of a photo made up to ``most`` times larger or half as large."""
        seen = min(round(side / log_uniform(rng, 0.5, most)), *photo.shape[:2])
        top, left = (int(rng.integers(length - seen + 1)) for length in photo.shape[:2])
        way = cv2.INTER_AREA if seen > side else (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)]
        return np.asarray(cv2.resize(photo[top : top + seen, left : left + seen], (side, side), interpolation=way))
