"""The loop end to end, as real processes: run, resume, export. And that it learns."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from restoration import PRESETS, Photo, Restorer, image, weights
from restoration.degradations import degrade_batch
from restoration.models import model as find_model
from restoration.models._luminance import to_ycc
from tests.conftest import EXAMPLES, ROOT
from tests.train.test_data import folder  # noqa: F401
from train import export
from train.__main__ import main as train
from train.__main__ import save


@pytest.mark.parametrize("model", ["vae", "gan", "cnn"])
def test_train_resume_and_export(folder: Path, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    command = [sys.executable, "-m", "train", model, "--photos", folder, "--run", tmp_path / "run"]
    for minutes, more in (("0.05", []), ("0.1", ["--resume"])):
        done = subprocess.run([*command, "--minutes", minutes, *more], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    entries = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert len(entries) == 2
    assert entries[1]["step"] > entries[0]["step"] > 0
    assert all(isinstance(value, int | float) and value == value for value in entries[1].values())

    released = tmp_path / "weights"
    shutil.copytree(weights.FOLDER, released)
    for module in (weights, export):
        monkeypatch.setattr(module, "FOLDER", released)
    weights.manifest.cache_clear()
    try:
        export.main(model, tmp_path / "run", "a test", None, "mine")
        entry = weights.manifest()[f"{model}.safetensors"]
        result = Restorer("cpu").restore(image.load(EXAMPLES / "coffee.jpg"), model)
        assert result.weights_sha256 == entry.sha256
        assert "## Limits" in (released / f"{model}.md").read_text()
    finally:
        weights.manifest.cache_clear()


@pytest.mark.parametrize("model", ["vae", "gan", "cnn"])
def test_an_objective_learns_one_batch(photos: list[Photo], model: str) -> None:
    torch.manual_seed(0)
    config = yaml.safe_load((ROOT / "train" / "configs" / f"{model}.yaml").read_text())
    network = find_model(model).build(config["network"])
    objective = importlib.import_module(f"train.objectives.{model}").OBJECTIVE(network, config["objective"])
    images = image.to_tensor(photos[:4])
    degraded = degrade_batch(
        images, PRESETS["heavy"].draw_many(np.random.default_rng(0), 4), torch.Generator().manual_seed(0)
    )
    first, *_, last = (objective.step(degraded, to_ycc(images), progress=0.0) for _ in range(12))
    assert last["luminance"] < first["luminance"] - 0.1
    assert last["chroma"] < first["chroma"]
    if model == "gan":
        assert {"real", "fake", "adversarial"} <= set(objective.step(degraded, to_ycc(images), progress=0.9))


def test_a_run_is_not_overwritten(folder: Path, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "checkpoint.pt").touch()
    with pytest.raises(SystemExit, match="--resume"):
        train("cnn", folder, run=tmp_path)
    with pytest.raises(SystemExit, match="no checkpoint"):
        train("cnn", folder, run=tmp_path / "other", resume=True)


def test_a_kill_while_saving_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    save(tmp_path / "checkpoint.pt", {"step": 1})

    class Dies:
        def __reduce__(self) -> object:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "checkpoint.pt", {"step": 2, "object": Dies()})
    assert torch.load(tmp_path / "checkpoint.pt")["step"] == 1
