from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from restoration import Photo, metrics
from tests.train.test_data import folder  # noqa: F401
from train import evaluate


def test_the_table(folder: Path, tmp_path: Path) -> None:  # noqa: F811
    evaluate.main(folder / "train-0000.tar", "original", 4, tmp_path / "quality.json")
    result = json.loads((tmp_path / "quality.json").read_text())
    assert result["photos"] == 4
    assert set(result["scores"]) == {"degraded", "vae", "gan", "cnn"}
    for row in result["scores"].values():
        for value in row.values():
            low, high = value["interval"]
            assert low <= value["gain"] <= high
    assert result["scores"]["degraded"]["psnr"]["gain"] == 0
    assert result["scores"]["vae"]["psnr"]["gain"] == pytest.approx(
        result["scores"]["vae"]["psnr"]["mean"] - result["scores"]["degraded"]["psnr"]["mean"], abs=2e-4
    )


def test_in_grey_has_the_luminance_and_no_colour(photo: Photo) -> None:
    measured = evaluate.measure(photo, photo)
    assert measured["psnr"] == float("inf")
    assert measured["psnr_in_grey"] < 30
    assert metrics.colourfulness(photo) > 10


def test_the_interval_holds_the_mean() -> None:
    low, high = evaluate.interval(np.random.default_rng(0).normal(1, 0.1, 500))
    assert low < 1 < high
    assert high - low < 0.03
