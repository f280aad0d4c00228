from __future__ import annotations

import json
from pathlib import Path

import pytest

from restoration.weights import released
from tests.train.test_main import train
from train import export, latent


def test_the_latents_figures_and_whose_they_are(folder: Path, tmp_path: Path, weights_copy: Path) -> None:
    train("vae", folder, tmp_path / "run", steps=3)
    shard, out = folder / "train-0000.tar", tmp_path / "latent.json"
    with pytest.raises(SystemExit, match="not the run that was released"):
        latent.main(shard, tmp_path / "run", 4, 3, out)

    export.main("vae", tmp_path / "run", None, "mine")
    released._manifest.cache_clear()
    latent.main(shard, tmp_path / "run", 4, 3, out)
    result = json.loads(out.read_text())
    assert result["photos"] == 3
    assert len(result["kl_per_dimension"]) == 32
    assert result["kl_per_dimension"] == sorted(result["kl_per_dimension"], reverse=True)
    assert result["kl_per_dimension"][-1] >= 0
    assert result["psnr_of_the_best_sample"] >= result["psnr_of_a_sample"]
