from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restoration import Photo, image, metrics
from tests.conftest import EXAMPLES
from train import evaluate


@pytest.fixture(scope="module")
def result(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("results") / "quality.json"
    evaluate.main(str(folder / "train-0000.tar"), False, 3, None, out)
    return json.loads(out.read_text())


def test_the_table(result: dict) -> None:
    assert set(result["conditions"]) == set(evaluate.CONDITIONS)
    for condition in result["conditions"].values():
        assert condition["photos"] == 3
        assert set(condition["scores"]) == {"degraded", "vae", "gan", "cnn"}
        for row in condition["scores"].values():
            for cell in row.values():
                if "gain" in cell:
                    low, high = cell["interval"]
                    assert low <= cell["gain"] <= high
    scores = result["conditions"]["original"]["scores"]
    assert scores["degraded"]["psnr"]["gain"] == 0
    gain = scores["vae"]["psnr"]["mean"] - scores["degraded"]["psnr"]["mean"]
    assert scores["vae"]["psnr"]["gain"] == pytest.approx(gain, abs=2e-4)


def test_the_development_photos_do_not_pass_for_the_published_scores(folder: Path) -> None:
    with pytest.raises(SystemExit, match="--out"):
        evaluate.main(str(folder), True, 1)


def test_stronger_damage_leaves_less(result: dict) -> None:
    for name, values in evaluate.STRENGTHS.items():
        left = [
            result["conditions"][f"{name} {value:g}"]["scores"]["degraded"]["psnr_luminance"]["mean"]
            for value in values
        ]
        assert left == sorted(left, reverse=True)


def test_an_undamaged_photo_has_no_gain_to_report(result: dict) -> None:
    scores = result["conditions"]["clean"]["scores"]
    assert scores["vae"]["psnr_luminance"]["mean"] > 25
    assert "gain" in scores["vae"]["psnr_luminance"] or scores["degraded"]["psnr_luminance"]["mean"] is None


def test_thirds_are_ordered_by_detail() -> None:
    scores = {
        "degraded": [{"psnr_luminance": 20.0}] * 9,
        "vae": [{"psnr_luminance": 20.0 + place} for place in (8, 1, 2, 3, 4, 5, 6, 7, 0)],
    }
    details = [9.0, 2, 3, 4, 5, 6, 7, 8, 1]
    assert evaluate.by_detail(scores, details) == [{"vae": 1.0}, {"vae": 4.0}, {"vae": 7.0}]


def test_detail_falls_with_blur(photo: Photo) -> None:
    from restoration import Degradation

    assert evaluate.detail(Degradation(blur=9).apply(photo, 0)) < evaluate.detail(photo)


def test_squashing_keeps_the_whole_photo_and_aliases() -> None:
    photo = image.load(EXAMPLES / "china.jpg", reduce_to=None)
    squashed = evaluate.squash_aliased(photo)
    smooth = image.fit(photo, "squash")
    assert squashed.pixels.shape == (128, 128, 3)
    assert evaluate.detail(squashed) > 1.1 * evaluate.detail(smooth)
    small = np.asarray(Image.fromarray(squashed.pixels).resize((8, 8), Image.Resampling.BOX)).astype(int)
    other = np.asarray(Image.fromarray(smooth.pixels).resize((8, 8), Image.Resampling.BOX)).astype(int)
    assert np.abs(small - other).mean() < 5


def test_in_grey_has_the_luminance_and_no_colour(photo: Photo) -> None:
    measured = evaluate.measure(photo, photo)
    assert measured["psnr"] == float("inf")
    assert measured["psnr_in_grey"] < 30
    assert metrics.colourfulness(photo) > 10


def test_the_interval_holds_the_mean() -> None:
    low, high = evaluate.interval(np.random.default_rng(0).normal(1, 0.1, 500))
    assert low < 1 < high
    assert high - low < 0.03
