from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from restoration import image
from tests.conftest import EXAMPLES
from train.data import crops, degrade, draw_mixture, random_crop, read_shards, split_train_dev


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard like the training ones, of the twelve examples many times over."""
    folder = tmp_path_factory.mktemp("photos")
    jpegs = []
    for path in sorted(EXAMPLES.glob("*.jpg")):
        photo = image.fit(image.load(path), side=150)
        jpegs.append(image.encode(photo, ".jpg"))
    with tarfile.open(folder / "train-0000.tar", "w") as shard:
        for index in range(412):
            info = tarfile.TarInfo(f"{index:06}.jpg")
            info.size = len(jpegs[index % 12])
            shard.addfile(info, io.BytesIO(jpegs[index % 12]))
    return folder


def test_the_last_400_are_left_out_of_training(folder: Path) -> None:
    train, dev = split_train_dev(folder)
    assert [name for name, _ in train] == [f"{index:06}.jpg" for index in range(12)]
    assert dev[0][0] == "000012.jpg"
    assert len(dev) == 400


def test_no_shards_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no train-\*\.tar"):
        split_train_dev(tmp_path)


def test_crops_vary_and_stay_photos(folder: Path) -> None:
    ((_, jpeg),) = read_shards([folder / "train-0000.tar"])[:1]
    rng = np.random.default_rng(0)
    seen = [random_crop(jpeg, rng) for _ in range(6)]
    assert all(crop.shape == (128, 128, 3) and crop.dtype == np.uint8 for crop in seen)
    assert len({crop.tobytes() for crop in seen}) == 6


def test_batches_are_reproducible_from_their_seed(folder: Path) -> None:
    train, _ = split_train_dev(folder)
    one, other = (next(crops(train, batch=4, seed=3, workers=n)) for n in (0, 1))
    assert one.shape == (4, 3, 128, 128)
    assert torch.equal(one, other)
    assert not torch.equal(one, next(crops(train, batch=4, seed=4, workers=0)))


def test_mixture_has_its_shares() -> None:
    strengths = draw_mixture({"heavy": 0.5}, np.random.default_rng(0), 4000)
    assert (strengths["jpeg"] < 100).mean() == pytest.approx(0.5, abs=0.03)


def test_every_sight_is_damaged_anew(folder: Path) -> None:
    train, _ = split_train_dev(folder)
    truth = next(crops(train, batch=4, seed=0, workers=0)).float() / 255
    rng, fields = np.random.default_rng(0), torch.Generator().manual_seed(0)
    one, other = (degrade(truth, {"heavy": 1}, rng, fields) for _ in range(2))
    assert one.shape == (4, 1, 128, 128)
    assert not torch.equal(one, other)
