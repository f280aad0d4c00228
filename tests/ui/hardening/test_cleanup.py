from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from ui.hardening import cleanup


def aged(path: Path, seconds: float) -> Path:
    """``path``, a file that is made where it is missing, as if nobody had touched it for so long."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a photo")
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_old_files_go_and_the_others_stay(tmp_path: Path) -> None:
    old = aged(tmp_path / "run" / "deep" / "old.png", 3100)
    kept = aged(tmp_path / "example" / "coffee.jpg", 9000)
    new = aged(tmp_path / "new" / "new.png", 10)
    (tmp_path / "outside").mkdir()
    (tmp_path / "run" / "link").symlink_to(tmp_path / "outside")
    for folder in (tmp_path / "run" / "deep", tmp_path / "run"):
        aged(folder, 3100)
    cleanup.delete_old(tmp_path, {str(kept)})
    assert (old.exists(), kept.exists(), new.exists()) == (False, True, True)
    for folder in (tmp_path / "run" / "deep", tmp_path / "run"):
        aged(folder, 3100)  # deleting what is in a folder touches it
        cleanup.delete_old(tmp_path, {str(kept)})
        assert not folder.exists() or (folder / "link").is_symlink()
    assert (tmp_path / "outside").exists()
    assert time.time() - tmp_path.stat().st_mtime < 60


def test_what_killed_apps_left_is_deleted_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    dead, living = (tmp_path / f"{cleanup.PREFIX}{name}" for name in ("dead", "living"))
    aged(dead / "photo.png", 0)
    aged(living / "photo.png", 0)
    aged(dead, 4000)
    folder = cleanup.private_folder()
    assert not dead.exists()
    assert living.exists()
    assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
    assert Path(tempfile.mkdtemp()).parent == folder
    assert cleanup.private_folder().parent == tmp_path  # beside the first, whose rounds must not reach it
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "given"))
    assert cleanup.private_folder().parent == tmp_path / "given"  # nothing else there is ever deleted


def test_it_goes_on_by_itself(tmp_path: Path) -> None:
    old = aged(tmp_path / "old.png", 3100)
    cleanup.keep_clean(tmp_path, ())
    for _ in range(100):
        if not old.exists():
            break
        time.sleep(0.05)
    assert not old.exists()


def test_beyond_the_limit_the_oldest_go_first(tmp_path: Path) -> None:
    files = [aged(tmp_path / f"{age}.png", age) for age in (100, 400, 300, 200)]
    kept = aged(tmp_path / "example.jpg", 500)
    size = files[0].stat().st_size
    cleanup.delete_old(tmp_path, {str(kept)}, most=2 * size)
    assert [path.name for path in files if path.exists()] == ["100.png", "200.png"]
    assert kept.exists()
