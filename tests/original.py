"""Checkpoints as the original project's users hold them, their numbers drawn by the rule that the golden test names.

``models/original`` holds the keys of each, a photo, and what the original's own networks made of it with these numbers.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

GOLDEN = Path(__file__).parent / "models" / "original"
SALT = "golden-a"


def state(part: str) -> dict[str, torch.Tensor]:
    """The state dict of vae, gan, cnn1 or cnn2."""
    tensors = {}
    for line in (GOLDEN / f"{part}_keys.txt").read_text().splitlines():
        key, sides, _ = line.split()
        shape = () if sides == "scalar" else tuple(map(int, sides.split("x")))
        tensors[key] = torch.as_tensor(_drawn(key, shape))
    return tensors


def _drawn(key: str, shape: tuple[int, ...]) -> Any:
    rng = np.random.default_rng(zlib.crc32(f"{SALT}:{key}".encode()))
    if key.endswith("num_batches_tracked"):
        return np.int64(1)
    if key.endswith("running_var") or (len(shape) == 1 and key.endswith("weight")):
        values = rng.uniform(0.5, 1.5, shape)
    elif key.endswith("running_mean"):
        values = rng.standard_normal(shape) * 0.1
    elif key.endswith("bias"):
        values = rng.standard_normal(shape) * 0.05
    else:
        values = rng.standard_normal(shape) * math.sqrt(2 / math.prod(shape[1:]))
    return values.astype(np.float32)


def save(folder: Path, *parts: str) -> dict[str, Path]:
    """Some of the four as files, named and wrapped as the original's training scripts did."""
    adam = {"state": {}, "param_groups": [{"lr": 2e-4, "params": [0]}]}
    files = {
        "vae": ("vae_unet_best.pth", "model_state_dict", {"epoch": 20, "optimizer_state_dict": adam}),
        "gan": ("gan_best.pth", "gen_state_dict", {"epoch": 90, "disc_state_dict": {}, "opt_g": adam}),
        "cnn1": ("epoch_8.pth", None, {}),
        "cnn2": ("color_epoch_6.pth", None, {}),
    }
    for part in parts:
        name, wrapping, others = files[part]
        torch.save({wrapping: state(part), **others} if wrapping else state(part), folder / name)
    return {part: folder / files[part][0] for part in parts}
