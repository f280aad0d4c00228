from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import render
from tests.conftest import ROOT


def test_what_is_shown_is_what_was_measured() -> None:
    for path, text in render.rendered().items():
        assert path.read_text(encoding="utf-8") == text


@pytest.fixture
def change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[dict], None]], None]:
    """Alters one results file in a copy of the repository, and checks the copy."""
    for name in ("README.md", "weights", "benchmarks"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    monkeypatch.setattr(render, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["render", "--check"])
    render.main()

    def alter(name: str, how: Callable[[dict], None]) -> None:
        path = tmp_path / "benchmarks" / "results" / f"{name}.json"
        values = json.loads(path.read_text())
        how(values)
        path.write_text(json.dumps(values))
        render.main()

    return alter


def test_a_stale_table_is_noticed(change: Callable[[str, Callable[[dict], None]], None]) -> None:
    def better(quality: dict) -> None:
        quality["conditions"]["original"]["scores"]["vae"]["psnr"]["gain"] += 0.5

    with pytest.raises(SystemExit, match=r"README\.md"):
        change("quality", better)


@pytest.mark.parametrize("name", ["quality", "pictures"])
def test_changed_weights_are_noticed(change: Callable[[str, Callable[[dict], None]], None], name: str) -> None:
    with pytest.raises(SystemExit, match="other weights"):
        change(name, lambda values: values["weights_sha256"].update(gan="0" * 64))


def test_opponents_on_other_photos_are_noticed(change: Callable[[str, Callable[[dict], None]], None]) -> None:
    with pytest.raises(SystemExit, match="other photos"):
        change("opponents", lambda values: values.update(photos=3))


def test_scores_without_lpips_are_shown_too(change: Callable[[str, Callable[[dict], None]], None]) -> None:
    def without(quality: dict) -> None:
        for condition in quality["conditions"].values():
            for row in condition["scores"].values():
                row.pop("lpips", None)

    with pytest.raises(SystemExit, match=r"README\.md"):  # stale, but rendered
        change("quality", without)
