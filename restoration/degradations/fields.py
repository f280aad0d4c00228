"""The random fields that the kernels need: of one photo, reproducible from a seed, or of a batch, on its device."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..errors import ControlError
from .ageing import Array
from .controls import NOISES

if TYPE_CHECKING:
    import torch


class Noise(Protocol):
    """Where the kernels' random fields come from. ``name`` says whom a field is for."""

    def normal(self, name: str, shape: tuple[int, ...]) -> Array: ...

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array: ...

    def order(self) -> list[str]: ...


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
