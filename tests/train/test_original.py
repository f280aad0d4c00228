from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from torchvision.models import vgg16

from restoration import Photo, Restorer
from tests.conftest import EXAMPLES
from train import evaluate_original, original


@pytest.fixture
def trunk(tmp_path: Path) -> Path:
    """VGG16's first layers under the names of another package."""
    torch.manual_seed(0)
    state = vgg16(weights=None).features[:16].state_dict()
    torch.save({f"net.{key}": each for key, each in state.items()} | {"lin0.weight": torch.zeros(1)}, tmp_path / "vgg")
    return tmp_path / "vgg"


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for lesson in (original.Lesson, original.VAELesson):
        monkeypatch.setattr(lesson, "batch", 2)


@pytest.mark.slow
def test_what_is_taught_is_a_checkpoint_of_the_original(trunk: Path, tmp_path: Path, photo: Photo) -> None:
    run = tmp_path / "run"
    for name in ("vae", "gan", "cnn1", "cnn2"):
        original.main(name, str(EXAMPLES), sights=4, run=run, vgg=trunk)
        (entry,) = map(json.loads, (run / f"{name}.jsonl").read_text().splitlines())
        assert entry["photos"] == 4
    restorer = Restorer("cpu", [run])
    for name in ("vae-original", "gan-original", "cnn1", "cnn-original"):
        assert restorer.restore(photo, name).photo.pixels.shape == photo.pixels.shape

    evaluate_original.main(EXAMPLES, run, limit=3, out=tmp_path / "original.json")
    result = json.loads((tmp_path / "original.json").read_text())
    assert result["photos"] == 3
    assert result["networks"]["cnn-original"] == {"cnn1": 4, "cnn2": 4}
    assert result["scores"].keys() == {"degraded", *result["networks"]}
    assert result["scores"]["degraded"]["psnr"]["mean"] > result["scores"]["gan-original"]["psnr"]["mean"]


def test_its_losses_fall(trunk: Path, photos: list[Photo]) -> None:
    from restoration.colour import luminance
    from restoration.image import to_tensor

    truth = to_tensor(photos[:2])
    given = luminance(truth).expand(-1, 3, -1, -1) * 2 - 1
    for name in ("gan", "cnn1"):
        torch.manual_seed(0)
        lesson = original.lesson_of(name, Path(), trunk)
        losses = [float(lesson.learn(given, truth * 2 - 1, 0.0)) for _ in range(6)]
        assert losses[-1] < 0.9 * losses[0]


def test_a_run_that_was_begun_is_gone_on_with(trunk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same batches and the same network as if it had never stopped."""
    original.main("cnn1", str(EXAMPLES), sights=8, run=tmp_path / "whole", vgg=trunk)
    with monkeypatch.context() as patched:
        patched.setattr(original, "REPORT_STEPS", 2)
        patched.setattr(original, "gains", Mock(side_effect=KeyboardInterrupt))  # just after the run was saved
        with pytest.raises(KeyboardInterrupt):
            original.main("cnn1", str(EXAMPLES), sights=8, run=tmp_path / "halves", vgg=trunk)
    original.main("cnn1", str(EXAMPLES), sights=8, run=tmp_path / "halves", vgg=trunk)
    one, other = (torch.load(tmp_path / run / "epoch_8.pth") for run in ("whole", "halves"))
    assert one.keys() == other.keys()
    assert all(torch.allclose(one[key], other[key], atol=1e-4) for key in one)
