from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import render
from tests.conftest import ROOT


def test_what_is_shown_is_what_was_measured() -> None:
    for path, text in render.rendered().items():
        assert path.read_text(encoding="utf-8") == text


def test_a_stale_file_and_changed_weights_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    for name in ("README.md", "weights", "benchmarks"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    monkeypatch.setattr(render, "ROOT", tmp_path)
    monkeypatch.setattr(render, "QUALITY", tmp_path / "benchmarks" / "results" / "quality.json")
    monkeypatch.setattr("sys.argv", ["render", "--check"])
    render.main()
    quality = json.loads(render.QUALITY.read_text())
    quality["scores"]["vae"]["psnr"]["gain"] += 0.5
    render.QUALITY.write_text(json.dumps(quality))
    with pytest.raises(SystemExit, match=r"README\.md"):
        render.main()
    quality["weights_sha256"]["gan"] = "0" * 64
    render.QUALITY.write_text(json.dumps(quality))
    with pytest.raises(SystemExit, match="another file"):
        render.main()
