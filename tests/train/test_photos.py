from __future__ import annotations

import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES
from tests.train.conftest import make_shard
from train.photos import find_photos, shard, split


def test_a_shards_photos_are_the_bytes_that_tar_gives(tmp_path: Path) -> None:
    path = make_shard(tmp_path / "train-0000.tar", 30)
    found = shard(path)
    with tarfile.open(path) as archive:
        for photo in found:
            member = archive.extractfile(photo.name)
            assert member is not None
            assert photo.read() == member.read()
    assert [photo.name for photo in found] == sorted(photo.name for photo in found)


def test_a_folder_is_searched_through_and_mixed(tmp_path: Path) -> None:
    for number, path in enumerate(sorted(EXAMPLES.glob("*.jpg"))):
        target = tmp_path / f"class{number // 6}" / path.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    (tmp_path / "notes.txt").write_text("no photo")
    found = find_photos(str(tmp_path))
    assert len(found) == 12
    assert [photo.name for photo in found] != sorted(photo.name for photo in found)
    assert found == find_photos(str(tmp_path))
    assert all(photo.read() == photo.path.read_bytes() for photo in found)


def test_the_last_photos_are_left_out_of_training(shared: Path) -> None:
    train, held_out = split(find_photos(str(shared / "photos")))
    assert (len(train), len(held_out)) == (11818, 400)
    assert {photo.path.name for photo in held_out} == {"train-0005.tar"}
    assert not {photo.path.name for photo in train} - {f"train-000{number}.tar" for number in range(6)}
    assert held_out[-1].name == max(photo.name for photo in shard(shared / "photos" / "train-0005.tar"))


def test_a_small_set_keeps_a_tenth(tmp_path: Path) -> None:
    train, held_out = split(shard(make_shard(tmp_path / "train-0000.tar", 50)))
    assert (len(train), len(held_out)) == (45, 5)


def test_too_few_photos_are_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="too few"):
        split(shard(make_shard(tmp_path / "train-0000.tar", 12)))


def test_nothing_to_learn_from_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="neither"):
        find_photos(str(tmp_path))
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(SystemExit, match="pip install kagglehub"):
        find_photos("kaggle:starktony45/image-dataset")
