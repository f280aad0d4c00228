"""Photos to learn from: tar shards in, endless random 128x128 crops out, degraded anew at every sight."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from restoration.degradations import CONTROLS, PRESETS, degrade_batch
from restoration.types import SIDE

FILTERS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    None,  # bilinear without antialiasing, as the original project resized
)


def read_shards(paths: Sequence[Path]) -> list[tuple[str, bytes]]:
    """Name and JPEG bytes of every photo in the tar shards, in the order of the names within each shard."""
    photos = []
    for path in paths:
        with tarfile.open(path) as shard:
            members = sorted((m for m in shard.getmembers() if m.isfile()), key=lambda m: m.name)
            photos += [(m.name, shard.extractfile(m).read()) for m in members]  # type: ignore[union-attr]
    return photos


def split_train_dev(folder: Path) -> tuple[list[tuple[str, bytes]], list[tuple[str, bytes]]]:
    """Training photos, and the last 400 of the last shard, which are left out of training to tune on."""
    shards = sorted(folder.glob("train-*.tar"))
    if not shards:
        raise SystemExit(f"There are no train-*.tar shards in {folder}.")
    photos = read_shards(shards)
    return photos[:-400], photos[-400:]


def random_crop(jpeg: bytes, rng: np.random.Generator) -> np.ndarray:
    """A random part of the photo at 128x128, uint8 ``[H, W, 3]``: size, aspect, flip and resize filter are drawn."""
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    short = min(image.size)
    side = rng.uniform(min(SIDE, short), short)
    width, height = np.minimum(side * rng.uniform(1, 1.3, 2), image.size)
    left, top = rng.uniform(0, 1, 2) * (image.width - width, image.height - height)
    box = (left, top, left + width, top + height)
    resample = FILTERS[rng.integers(len(FILTERS))]
    if resample is None:
        crop = image.transform((SIDE, SIDE), Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)
    else:
        crop = image.resize((SIDE, SIDE), resample, box)
    pixels = np.asarray(crop)
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


class Crops(IterableDataset[Tensor]):
    """Endless shuffled batches of random crops, uint8 ``[B, 3, 128, 128]``."""

    def __init__(self, photos: Sequence[tuple[str, bytes]], batch: int, seed: int) -> None:
        self.photos, self.batch, self.seed = photos, batch, seed

    def __iter__(self) -> Iterator[Tensor]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        queue: list[int] = []
        while True:
            while len(queue) < self.batch:
                queue += rng.permutation(len(self.photos)).tolist()
            chosen, queue = queue[: self.batch], queue[self.batch :]
            crops = np.stack([random_crop(self.photos[i][1], rng) for i in chosen])
            yield torch.from_numpy(crops).permute(0, 3, 1, 2)


def crops(photos: Sequence[tuple[str, bytes]], *, batch: int, seed: int, workers: int) -> Iterator[Tensor]:
    """`Crops`, cut in ``workers`` processes beside the training (0: in this one)."""
    ahead = 8 if workers else None
    return iter(DataLoader(Crops(photos, batch, seed), batch_size=None, num_workers=workers, prefetch_factor=ahead))


def draw_mixture(shares: Mapping[str, float], rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Strengths for ``count`` photos, each of a preset drawn by its share; what is left of 1 stays undamaged."""
    clean = {name: np.full(count, control.off, dtype=float) for name, control in CONTROLS.items()}
    draws = [PRESETS[name].draw_many(rng, count) for name in shares] + [clean]
    chances = [*shares.values(), 1 - sum(shares.values())]
    chosen = rng.choice(len(draws), count, p=np.clip(chances, 0, 1))
    return {name: np.choose(chosen, [draw[name] for draw in draws]) for name in CONTROLS}


def degrade(truth: Tensor, shares: Mapping[str, float], rng: np.random.Generator, fields: torch.Generator) -> Tensor:
    """A batch ``[B, 3, H, W]`` in [0, 1] -> its degraded luminance ``[B, 1, H, W]``."""
    return degrade_batch(truth, draw_mixture(shares, rng, len(truth)), fields)
