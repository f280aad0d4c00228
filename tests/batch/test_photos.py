"""Which files of a folder are photos."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from restoration.batch.photos import search
from tests.conftest import EXAMPLES

PHOTO = EXAMPLES / "coffee.jpg"


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PHOTO, root / name)
    return root


def names(root: Path, *but: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in search(root, but).photos]


def test_what_systems_leave_is_passed_over_silently(tmp_path: Path) -> None:
    litter = ("._a.JPG", "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", ".thumbnails/a.jpg", "Thumbs.db", "b/__MACOSX/._a.jpg")
    found = search(tree(tmp_path, "a.JPG", "b/c.png", *litter), ())
    assert [path.name for path in found.photos] == ["a.JPG", "c.png"]
    assert not found.passed_over


def test_photos_are_known_by_name_or_contents_and_the_rest_is_counted(tmp_path: Path) -> None:
    photos = ["a.jfif", "b.jpe", "c.JPG_large", "d", "e.txt"]
    tree(tmp_path, *photos)
    for suffix in ("webp", "gif", "bmp", "png"):
        Image.open(PHOTO).resize((20, 20)).save(tmp_path / "x", suffix)
        (tmp_path / "x").rename(tmp_path / f"z_{suffix}")
    Image.open(PHOTO).save(tmp_path / "raw.CR2", "TIFF")  # as a camera's raw file begins
    (tmp_path / "broken.png").write_bytes(b"no picture")  # is told of when it is read
    (tmp_path / "nowhere.jpg").symlink_to(tmp_path / "gone.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    for name in ("notes.TXT", "clip.mp4", "empty"):
        (tmp_path / name).write_bytes(b"" if name == "empty" else b"hello")
    found = search(tmp_path, ())
    expected = [*photos, "broken.png", "nowhere.jpg", "z_bmp", "z_gif", "z_png", "z_webp"]
    assert [path.name for path in found.photos] == sorted(expected)
    assert found.passed_over == {".cr2": 1, ".jpg": 1, ".txt": 1, ".mp4": 1, "": 1}


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    """Neither round and round, nor up to what lies beside, nor into the results; a folder's own place comes first."""
    root = tree(tmp_path / "in", "z/a.jpg", "out/b.jpg")
    tree(tmp_path, "beside/c.jpg", "beside.jpg")
    for link, target in {
        **{"again": root / "z", "z/round": root, "up": tmp_path, "to_out": root / "out"},
        **{"away": tmp_path / "beside", "away_too": tmp_path / "beside", "file.jpg": tmp_path / "beside.jpg"},
    }.items():
        (root / link).symlink_to(target)
    assert names(root, root / "out") == ["away/c.jpg", "file.jpg", "z/a.jpg"]
    (tmp_path / "link").symlink_to(root)
    assert names(tmp_path / "link", root / "out") == ["away/c.jpg", "file.jpg", "z/a.jpg"]


@pytest.mark.parametrize("sort", [sorted, reversed])
def test_the_order_is_that_of_paths(tmp_path: Path, sort: object) -> None:
    made = ["a/b.jpg", "a.jpg", "B.jpg", "a/10.jpg", "a/9.jpg"]
    assert names(tree(tmp_path, *(sorted(made) if sort is sorted else made))) == [
        *("B.jpg", "a/10.jpg", "a/9.jpg", "a/b.jpg", "a.jpg")
    ]
