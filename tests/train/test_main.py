"""The loop end to end, as real processes: learn, resume, export."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from restoration import Restorer, image, weights
from tests.conftest import EXAMPLES, ROOT
from tests.train.test_data import folder  # noqa: F401
from train import export
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
        export.main(model, tmp_path / "run", "a test")
        entry = weights.manifest()[f"{model}.safetensors"]
        result = Restorer("cpu").restore(image.load(EXAMPLES / "coffee.jpg"), model)
        assert result.weights_sha256 == entry.sha256
        assert "## Limits" in (released / f"{model}.md").read_text()
    finally:
        weights.manifest.cache_clear()


def test_a_kill_while_saving_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    save(tmp_path / "checkpoint.pt", {"step": 1})

    class Dies:
        def __reduce__(self) -> object:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "checkpoint.pt", {"step": 2, "object": Dies()})
    assert torch.load(tmp_path / "checkpoint.pt")["step"] == 1
