from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import common, quality_tables, render
from tests.conftest import ROOT

Change = Callable[[str, Callable[[dict], None]], None]


def test_what_is_shown_is_what_was_measured() -> None:
    for path, text in render.rendered().items():
        assert path.read_text(encoding="utf-8") == text


@pytest.fixture
def change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Alters one results file in a copy of the repository, and checks the copy."""
    for name in ("README.md", "docs", "weights", "benchmarks", "ui"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    monkeypatch.setattr(render, "ROOT", tmp_path)
    monkeypatch.setattr(common, "RESULTS", tmp_path / "benchmarks" / "results")
    monkeypatch.setattr("sys.argv", ["render", "--check"])
    render.main()

    def alter(name: str, how: Callable[[dict], None]) -> None:
        path = tmp_path / "benchmarks" / "results" / f"{name}.json"
        values = json.loads(path.read_text())
        how(values)
        path.write_text(json.dumps(values))
        render.main()

    return alter


def test_a_stale_table_is_noticed(change: Change) -> None:
    def better(quality: dict) -> None:
        quality["conditions"]["original"]["scores"]["vae"]["psnr"]["gain"] += 0.5

    with pytest.raises(SystemExit, match=r"README\.md"):
        change("quality", better)


@pytest.mark.parametrize("name", ["quality", "pictures"])
def test_changed_weights_are_noticed(change: Change, name: str) -> None:
    with pytest.raises(SystemExit, match="other weights"):
        change(name, lambda values: values["weights_sha256"].update(gan="0" * 64))


def test_opponents_stand_beside_ours_on_the_same_photos_alone() -> None:
    quality, baselines = map(common.read, ("quality", "baselines"))
    assert "| **VAE** |" in quality_tables.baselines_table(quality, baselines)
    other = quality_tables.baselines_table(quality, baselines | {"photos": 3})
    assert "| **VAE** |" not in other
    assert other.endswith("They were measured on other photos than our models, which are left out here.")


def test_who_leads_goes_by_differences_over_the_same_photos() -> None:
    condition = common.read("quality")["conditions"]["original"]
    for measure, sign in (("psnr", 1), ("lpips", -1)):
        for name, mean in (("vae", 2.0), ("gan", 1.0), ("cnn", 3.0)):
            condition["scores"][name][measure]["mean"] = sign * mean
        condition["differences"]["cnn"]["vae"][measure] = {"gain": sign * 1.0, "interval": [-0.5 * sign, 1.25 * sign]}
        condition["differences"]["cnn"]["gan"][measure] = {"gain": sign * 2.0, "interval": [1.5 * sign, 2.5 * sign]}
    expected = "**CNN or VAE** (CNN leads VAE by 1.00 {0}, -0.50 to 1.25; GAN by 2.00 {0}, 1.50 to 2.50)"
    assert quality_tables.leads(condition, "psnr") == expected.format("dB")
    assert quality_tables.leads(condition, "lpips", unit="LPIPS", sign=-1) == expected.format("LPIPS")


def test_scores_without_lpips_are_shown_too(change: Change) -> None:
    def without(quality: dict) -> None:
        for condition in quality["conditions"].values():
            for row in condition["scores"].values():
                row.pop("lpips", None)

    with pytest.raises(SystemExit, match=r"README\.md"):  # stale, but rendered
        change("quality", without)
