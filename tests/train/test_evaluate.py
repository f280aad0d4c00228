from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restoration import Photo, image, metrics
from tests.conftest import EXAMPLES
from train import evaluate
from train.photos import tar_photos


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
    for title in ("original", "original, squashed", "antique"):
        whole = result["conditions"][title]
        for first, others in whole["differences"].items():
            assert {first, *others} == {"vae", "gan", "cnn"}
            for second, row in others.items():
                means = [whole["scores"][name]["colour_adds"]["mean"] for name in (first, second)]
                assert row["colour_adds"]["gain"] == pytest.approx(means[0] - means[1], abs=2e-4)
        assert 0 < whole["frechet"]["cnn"] < whole["frechet"]["degraded"]
        assert 0 < whole["scores"]["cnn"]["st_lpips"]["mean"] < whole["scores"]["degraded"]["st_lpips"]["mean"]
    assert "differences" not in result["conditions"]["clean"]


def test_the_development_photos_do_not_pass_for_the_published_scores(folder: Path) -> None:
    with pytest.raises(SystemExit, match="--out"):
        evaluate.main(str(folder), True, 1)


def test_a_folder_of_photos(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "CONDITIONS", {"clean": evaluate.CONDITIONS["clean"]})
    for name in ("coffee.jpg", "china.jpg"):
        shutil.copy(EXAMPLES / name, tmp_path)
    evaluate.main(str(tmp_path), False, None, None, tmp_path / "quality.json")
    result = json.loads((tmp_path / "quality.json").read_text())
    assert (result["shard"], result["conditions"]["clean"]["photos"]) == (tmp_path.name, 2)
    with pytest.raises(SystemExit, match="no photos"):  # shards to train on are no photos to measure with
        evaluate.main(str(folder), False, None, None, tmp_path / "quality.json")


def test_people_are_scored_apart(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = tar_photos(folder / "train-0000.tar")[:4]
    people = tmp_path / "people.json"
    people.write_text(json.dumps({"one": [files[1].name, files[3].name], "none of these": ["elsewhere.jpg"]}))
    monkeypatch.setattr(evaluate, "PEOPLE", people)
    scores = {"degraded": [{"psnr": 20.0}] * 4, "cnn": [{"psnr": value} for value in (20.0, 21, 22, 25)]}
    found = evaluate.of_people(scores, files)
    assert found.keys() == {"one"}
    assert (found["one"]["photos"], found["one"]["scores"]["cnn"]["psnr"]["mean"]) == (2, 23)


def test_each_core_takes_the_photos_in_their_order(folder: Path) -> None:
    files, condition = tar_photos(folder / "train-0000.tar")[:12], evaluate.CONDITIONS["antique"]
    together = evaluate.on_each_core(files, condition, lambda truth, degraded: (truth, degraded))
    for (truth, degraded), (other, damaged) in zip(together, evaluate.pairs(files, condition), strict=True):
        assert np.array_equal(truth.pixels, other.pixels)
        assert np.array_equal(degraded.pixels, damaged.pixels)


def test_stronger_damage_leaves_less(result: dict) -> None:
    for name, values in evaluate.STRENGTHS.items():
        left = [
            result["conditions"][f"{name} {value:g}"]["scores"]["degraded"]["psnr_luminance"]["mean"]
            for value in values
        ]
        assert left == sorted(left, reverse=True)


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


def test_colours_add_what_they_are_worth(photo: Photo) -> None:
    darker = Photo((photo.pixels * 0.8).astype(np.uint8))
    luma = np.rint(darker.pixels @ [0.299, 0.587, 0.114]).astype(np.uint8)
    grey = Photo(np.repeat(luma[..., None], 3, axis=2))
    wrong = Photo(darker.pixels[..., ::-1].copy())
    adds = [evaluate.measure(each, photo)["colour_adds"] for each in (darker, grey, wrong)]
    assert adds[0] == metrics.psnr(darker, photo) - metrics.psnr(grey, photo) > 1
    assert adds[1] == 0
    assert adds[2] < -1


def test_a_small_lead_on_every_photo_is_sure_however_photos_differ() -> None:
    rng = np.random.default_rng(0)
    photos, lead = rng.normal(25, 5, 200), rng.normal(0.1, 0.05, 200)
    scores = {
        "degraded": [{"psnr": 20.0}] * 200,
        "vae": [{"psnr": value} for value in photos],
        "cnn": [{"psnr": value} for value in photos + lead],
    }
    ahead, behind = (
        evaluate.differences(scores)[first][second]["psnr"] for first, second in (("cnn", "vae"), ("vae", "cnn"))
    )
    assert 0.08 < ahead["interval"][0] < ahead["gain"] < ahead["interval"][1] < 0.12
    assert behind["gain"] == -ahead["gain"]
    table = evaluate.summarise(scores)
    assert table["vae"]["psnr"]["interval"][1] > table["cnn"]["psnr"]["interval"][0] + 1  # these say nothing


def test_the_interval_holds_the_mean() -> None:
    low, high = evaluate.interval(np.random.default_rng(0).normal(1, 0.1, 500))
    assert low < 1 < high
    assert high - low < 0.03
