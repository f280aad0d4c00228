from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from restoration import Degradation, Photo
from restoration.colour import LUMA
from train import baselines


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a - b).mean()))


@pytest.mark.parametrize("name", ["non_local_means", "total_variation", "dncnn3"])
def test_an_opponent_removes_plain_noise(photos: list[Photo], shared: Path, name: str) -> None:
    """Each does what it is known for: a fair fight needs baselines in working order."""
    if name == "dncnn3":
        apply = baselines.dncnn(shared / "weights" / "opponents" / "dncnn3.safetensors")
    elif name == "total_variation":  # its released strength is for the milder noise of the preset
        apply = partial(baselines.total_variation, weight=0.1)
    else:
        apply = baselines.non_local_means
    gains = []
    for photo in photos:
        y, noisy = (
            each.pixels @ np.array(LUMA) / 255
            for each in (photo, Degradation(grayscale=True, gaussian=0.1).apply(photo, 0))
        )
        gains.append(psnr(apply(noisy), y) - psnr(noisy, y))
    assert np.mean(gains) > 1.5


def test_the_table(folder: Path, tmp_path: Path) -> None:
    baselines.main(folder / "train-0000.tar", None, False, 3, tmp_path / "baselines.json")
    result = json.loads((tmp_path / "baselines.json").read_text())
    assert result["photos"] == 3
    assert set(result["scores"]) == {"degraded", "median 3x3", "non-local means", "total variation"}
