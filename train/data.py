"""Batches to learn from: random 128x128 crops, degraded anew at every sight.

Everything random in a batch follows from the seed and the batch's number alone, so a run that is resumed goes on with
exactly the batches that it would have seen.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.pool import ThreadPool

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from restoration.colour import luminance
from restoration.degradations import CONTROLS, PRESETS, degrade_batch, fade_batch
from restoration.errors import PhotoError
from restoration.types import SIDE

from .photos import PhotoFile

logger = logging.getLogger(__name__)
FILTERS = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
ALIASED = 1 / 3
"""How many crops are resized bilinearly without antialiasing, as the original project resized all of its photos."""
PIECES = 0.15
"""How many crops are pieces at the photo's own size or enlarged: larger photos are restored piece by piece."""
LARGE = 0.18
"""How many crops are pieces of large photos, where there are some: a camera's grain and JPEG's blocks, as they are."""
PLAIN = 0.04
"""How many are no photos at all but a flat grey or a gradient, whose colour is none."""


class BadPhotoError(PhotoError):
    """An error that reaches us out of a worker: there a DataLoader makes it anew, of a traceback that ends with it."""

    def __init__(self, sentence: str) -> None:
        super().__init__("photo_bad", sentence=sentence.split("BadPhotoError: ")[-1])


def decode(photo: PhotoFile, *, whole: bool = False) -> Image.Image:
    """The photo, upright and in RGB; a JPEG that is much larger than needed is decoded smaller, unless ``whole``."""
    try:
        found = Image.open(io.BytesIO(photo.read()))
        if not whole:
            found.draft("RGB", (2 * SIDE, 2 * SIDE))
        return ImageOps.exif_transpose(found).convert("RGB")
    except (OSError, ValueError) as error:
        raise BadPhotoError(f"{photo.name} in {photo.path} is not a readable photo ({error}); take it out.") from error


def random_crop(image: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """A random part of a photo at 128x128, uint8 ``[H, W, 3]``: size, aspect, flip and resize filter are drawn."""
    short = min(image.size)
    if rng.random() < PIECES:
        side = min(SIDE, short) / rng.uniform(1, 2.5)
    else:
        side = rng.uniform(min(max(SIDE, 0.6 * short), short), short)
    width, height = np.minimum(side * rng.uniform(1, 1.3, 2), image.size)
    left, top = rng.uniform(0, 1, 2) * (image.width - width, image.height - height)
    box = (left, top, left + width, top + height)
    if rng.random() < ALIASED:
        crop = image.transform((SIDE, SIDE), Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)
    else:
        crop = image.resize((SIDE, SIDE), FILTERS[rng.integers(len(FILTERS))], box)
    pixels = np.asarray(crop)
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def random_piece(image: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """128x128 pixels of a large photo, uint8 ``[H, W, 3]``, as they are or of it made up to twice smaller."""
    side = min(SIDE * max(1.0, rng.uniform(0, 2)), *image.size)
    left, top = rng.uniform(0, 1, 2) * (image.width - side, image.height - side)
    if side == SIDE:
        left, top = int(left), int(top)
    pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX, (left, top, left + side, top + side)))
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def plain(rng: np.random.Generator) -> np.ndarray:
    """A flat grey or a gradient from one grey to another, uint8 ``[H, W, 3]``."""
    greys = rng.uniform(0, 255, 4) if rng.random() < 0.5 else np.full(4, rng.uniform(0, 255))
    corners = Image.fromarray(greys.astype(np.uint8).reshape(2, 2))
    return np.asarray(corners.resize((SIDE, SIDE), Image.Resampling.BILINEAR).convert("RGB"))


class Batches(Dataset[Tensor]):
    """Batch ``i`` of random crops, uint8 ``[B, 3, 128, 128]``; every photo is seen once before any is seen again.

    Pieces of ``large`` photos take the place of some crops. ``rank`` of ``world`` processes takes its own share of each
    batch number. ``plain_share`` of a batch is no photo. ``in_memory`` photos are decoded once, by as many threads as
    there are cores; others when their turn comes.
    """

    def __init__(
        self,
        photos: Sequence[PhotoFile],
        batch: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        plain_share: float = PLAIN,
        in_memory: bool = False,
        large: Sequence[PhotoFile] = (),
    ) -> None:
        self.photos, self.batch, self.seed, self.rank, self.world = photos, batch, seed, rank, world
        self.plain_share, self.large = plain_share, large
        self._images: list[Image.Image] | None = None
        if in_memory:
            with ThreadPool() as pool:
                self._images = pool.map(decode, photos)
        self._epoch, self._order = -1, np.empty(0, int)

    def __getitem__(self, number: int) -> Tensor:
        first = (number * self.world + self.rank) * self.batch
        crops = [self._crop(sight) for sight in range(first, first + self.batch)]
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)

    def pieces(self, number: int) -> np.ndarray:
        """Which of batch ``number`` are pieces of large photos, bool ``[B]``."""
        first = (number * self.world + self.rank) * self.batch
        draws = (np.random.default_rng([self.seed, sight]) for sight in range(first, first + self.batch))
        return np.array([self._kind(rng) == "piece" for rng in draws])

    def _crop(self, sight: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, sight])
        match self._kind(rng):
            case "plain":
                return plain(rng)
            case "piece":
                return random_piece(decode(self.large[int(rng.integers(len(self.large)))], whole=True), rng)
        return random_crop(self._image(sight), rng)

    def _kind(self, rng: np.random.Generator) -> str:
        chance = rng.random()
        if chance < self.plain_share:
            return "plain"
        return "piece" if self.large and chance < self.plain_share + LARGE else "crop"

    def _image(self, sight: int) -> Image.Image:
        epoch, index = divmod(sight, len(self.photos))
        if epoch != self._epoch:
            self._epoch, self._order = epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.photos))
        photo = int(self._order[index])
        return self._images[photo] if self._images else decode(self.photos[photo])


def batches(dataset: Batches, *, first: int, workers: int) -> Iterator[Tensor]:
    """`Batches` from number ``first`` on without end, cut in ``workers`` processes (0: in this one)."""
    ahead = 8 if workers else None
    numbers = range(first, sys.maxsize)
    loader = DataLoader(dataset, batch_size=None, sampler=numbers, num_workers=workers, prefetch_factor=ahead)
    try:
        return iter(loader)
    except OSError as error:  # no /dev/shm, through which processes hand each other what they cut
        if not workers:
            raise
        logger.warning("No other process cuts the crops, which takes longer: %s.", error.strerror)
        return batches(dataset, first=first, workers=0)


def draw_mixture(shares: Mapping[str, float], rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Strengths for ``count`` photos, each of a preset drawn by its share; what is left of 1 stays undamaged."""
    clean = {name: np.full(count, control.off, dtype=float) for name, control in CONTROLS.items()}
    draws = [PRESETS[name].draw_many(rng, count) for name in shares] + [clean]
    chances = [*shares.values(), 1 - sum(shares.values())]
    chosen = rng.choice(len(draws), count, p=np.clip(chances, 0, 1))
    return {name: np.choose(chosen, [draw[name] for draw in draws]) for name in CONTROLS}


def degrade(
    truth: Tensor, shares: Mapping[str, float], seeds: Sequence[int], pieces: np.ndarray | None = None
) -> tuple[Tensor, Tensor]:
    """A batch ``[B, 3, H, W]`` in [0, 1] -> its degraded luminance, and the luminance that is faded and else whole.

    Both ``[B, 1, H, W]``. Equal seeds, equal damage. Those that are ``pieces``, bool ``[B]``, get no scratches and no
    dust: on a large photo these are larger, and what is as small there is a star or a glint.
    """
    rng = np.random.default_rng(seeds)
    fields = torch.Generator(truth.device).manual_seed(int(rng.integers(2**63)))
    strengths = draw_mixture(shares, rng, len(truth))
    if pieces is not None:
        strengths |= {name: np.where(pieces, 0, strengths[name]) for name in ("scratches", "dust")}
    faded = fade_batch(luminance(truth), strengths, fields)
    unfading = strengths | {"fading": np.zeros(len(truth))}
    grey = luminance(faded.expand(-1, 3, -1, -1))  # rounded as it was when the released networks were trained
    return degrade_batch(grey, unfading, fields), faded
