"""The random fields that the kernels need: of one photo, reproducible from a seed, or of a batch, on its device."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..errors import ControlError
from .ageing import Array
from .controls import NOISES

if TYPE_CHECKING:
    import torch


class SeededNoise:
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


class DeviceNoise:
    """Fields for a batch, drawn where the batch lives. The order of the noises is one draw for the whole batch."""

    def __init__(self, generator: torch.Generator) -> None:
        import torch

        self.torch = torch
        self.where: dict[str, Any] = {"generator": generator, "device": generator.device}

    def normal(self, name: str, shape: tuple[int, ...]) -> Array:
        return self.torch.randn(shape, **self.where)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return self.torch.rand(shape, **self.where)

    def order(self) -> list[str]:
        return [NOISES[i] for i in self.torch.randperm(len(NOISES), **self.where).tolist()]


Noise: TypeAlias = SeededNoise | DeviceNoise
"""Where the kernels' random fields come from; a field's name says whom it is for."""


def checked_seed(seed: int) -> int:
    """``seed`` as an int; `ControlError` for what is no seed."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ControlError("seed_whole", seed=seed)
    return int(seed)
