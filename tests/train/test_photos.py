from __future__ import annotations

import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES
from tests.train.conftest import make_shard
from train.photos import find_large, find_photos, photos_of, split, tar_photos


def pack(shards: Path, out: Path, parts: int) -> None:
    """Photos of shards, dealt out to zip files as one carries them to a machine with a GPU."""
    photos = [(tar.stem, photo) for tar in sorted(shards.glob("train-*.tar")) for photo in tar_photos(tar)]
    for part in range(parts):
        with zipfile.ZipFile(out / f"photos-{part + 1}.zip", "w") as archive:
            for stem, photo in photos[part::parts]:
                archive.writestr(f"{stem}/{photo.name}", photo.read())


def test_a_shards_photos_are_the_bytes_that_tar_gives(tmp_path: Path) -> None:
    path = make_shard(tmp_path / "train-0000.tar", 30)
    found = tar_photos(path)
    with tarfile.open(path) as archive:
        for photo in found:
            member = archive.extractfile(photo.name)
            assert member is not None
            assert photo.read() == member.read()
    assert [photo.name for photo in found] == sorted(photo.name for photo in found)


def test_zip_files_hold_the_shards_photos_in_the_same_order(tmp_path: Path) -> None:
    """So training from them leaves out the same photos to tune on."""
    (zips := tmp_path / "zips").mkdir()
    for number, count in enumerate((30, 21)):
        make_shard(tmp_path / f"train-000{number}.tar", count)
    pack(tmp_path, zips, 2)
    tars, found = find_photos(str(tmp_path)), find_photos(str(zips))
    assert [photo.name for photo in found] == [f"{photo.path.stem}/{photo.name}" for photo in tars]
    assert [photo.read() for photo in found] == [photo.read() for photo in tars]
    one = find_photos(str(zips / "photos-2.zip"))
    assert one == [photo for photo in found if photo.path.name == "photos-2.zip"]


def test_a_members_own_header_says_where_its_bytes_begin(tmp_path: Path) -> None:
    """The directory at the end may say less: Info-ZIP's zip keeps more there, and so does Python for large files."""
    photo = (EXAMPLES / "coffee.jpg").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, archive.open("a.jpg", "w", force_zip64=True) as member:
        member.write(photo)
    (found,) = photos_of(tmp_path / "a.zip")
    assert found.read() == photo


def test_a_zip_that_compresses_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(EXAMPLES / "coffee.jpg", "coffee.jpg")
    with pytest.raises(SystemExit, match="store them"):
        find_photos(str(tmp_path))


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
    assert (len(train), len(held_out)) == (13330, 400)
    assert {photo.path.name for photo in held_out} == {"train-0005.tar"}
    assert not {photo.path.name for photo in train} - {f"train-000{number}.tar" for number in range(6)}
    assert held_out[-1].name == max(photo.name for photo in tar_photos(shared / "photos" / "train-0005.tar"))


def test_a_small_set_keeps_a_tenth(tmp_path: Path) -> None:
    train, held_out = split(tar_photos(make_shard(tmp_path / "train-0000.tar", 50)))
    assert (len(train), len(held_out)) == (45, 5)


def test_too_few_photos_are_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="too few"):
        split(tar_photos(make_shard(tmp_path / "train-0000.tar", 9)))


def test_nothing_to_learn_from_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="no photos"):
        find_photos(str(tmp_path))
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(SystemExit, match="pip install kagglehub"):
        find_photos("kaggle:starktony45/image-dataset")


def test_large_photos_lie_beside_the_shards(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "large-photos.tar", "w") as archive:
        archive.add(EXAMPLES / "coffee.jpg", "coffee.jpg")
    assert [photo.name for photo in find_large(str(tmp_path))] == ["coffee.jpg"]
    assert find_large("kaggle:OWNER/DATASET") == []
