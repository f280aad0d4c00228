from __future__ import annotations

import errno
from itertools import islice
from multiprocessing.synchronize import SemLock
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from restoration import PhotoError
from restoration.colour import luminance
from train.data import Batches, batches, decode, degrade, draw_mixture, random_crop
from train.photos import PhotoFile, find_photos, folder_photos


@pytest.fixture(scope="module")
def photos(folder: Path) -> list[PhotoFile]:
    return find_photos(str(folder))


def test_crops_vary_and_stay_photos(photos: list[PhotoFile]) -> None:
    rng = np.random.default_rng(0)
    seen = [random_crop(decode(photos[0]), rng) for _ in range(6)]
    assert all(crop.shape == (128, 128, 3) and crop.dtype == np.uint8 for crop in seen)
    assert len({crop.tobytes() for crop in seen}) == 6


def test_a_large_photo_is_seen_in_large_parts(tmp_path: Path) -> None:
    """Else a photo from a camera would be learnt as 128-pixel pieces of sky. A ramp shows how wide a crop is."""
    ramp = np.broadcast_to(np.linspace(0, 255, 2000, dtype=np.uint8)[None, :, None], (2000, 2000, 3))
    Image.fromarray(np.ascontiguousarray(ramp)).save(tmp_path / "ramp.png")
    (large,) = folder_photos(tmp_path)
    rng = np.random.default_rng(0)
    widths = [int(np.ptp(random_crop(decode(large), rng))) / 255 for _ in range(60)]
    assert np.mean([width > 0.55 for width in widths]) > 0.7
    assert max(widths) > 0.9
    assert 0 < min(widths) < 0.1  # and some are pieces, as of a photo that is restored at its own size


def test_some_crops_are_plain_greys(photos: list[PhotoFile]) -> None:
    """So that no colour is guessed where nothing is to be seen; those that a run is measured on are photos."""
    plain = Batches(photos, batch=8, seed=0, plain_share=1)[0]
    assert (plain == plain[:, :1]).all()
    assert {int(np.ptp(each)) > 0 for each in plain.numpy()} == {True, False}


def test_photos_in_memory_give_the_same_batches(photos: list[PhotoFile]) -> None:
    kept = Batches(photos, batch=4, seed=3, in_memory=True)
    assert all(torch.equal(kept[number], Batches(photos, batch=4, seed=3)[number]) for number in (0, 17))


def test_batches_follow_from_seed_and_number_alone(photos: list[PhotoFile]) -> None:
    dataset = Batches(photos, batch=4, seed=3)
    ahead = list(islice(batches(dataset, first=0, workers=1), 20))  # beyond an epoch
    assert ahead[0].shape == (4, 3, 128, 128)
    for one, other in zip(islice(batches(dataset, first=15, workers=0), 5), ahead[15:], strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(ahead[0], Batches(photos, batch=4, seed=4)[0])
    assert not torch.equal(ahead[0], ahead[15])  # the same photos, cut anew


def test_processes_share_an_epoch_without_overlap(photos: list[PhotoFile], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(PhotoFile, "read", lambda self, read=PhotoFile.read: seen.append(self.name) or read(self))
    for rank in range(2):
        dataset = Batches(photos, batch=5, seed=0, rank=rank, world=2, plain_share=0)
        for number in range(6):
            dataset[number]
    assert sorted(seen) == [photo.name for photo in photos]


def test_a_broken_photo_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    with pytest.raises(PhotoError, match=r"^bad\.jpg in .* is not a readable photo \(.*\); take it out\.$"):
        next(batches(Batches(find_photos(str(tmp_path)), batch=1, seed=0, plain_share=0), first=0, workers=1))


def test_mixture_has_its_shares() -> None:
    strengths = draw_mixture({"heavy": 0.5}, np.random.default_rng(0), 4000)
    assert (strengths["jpeg"] < 100).mean() == pytest.approx(0.5, abs=0.03)


def test_damage_follows_from_its_seeds(photos: list[PhotoFile]) -> None:
    truth = Batches(photos, batch=4, seed=0)[0].float() / 255
    one, again, other = (degrade(truth, {"heavy": 1}, [0, step])[0] for step in (1, 1, 2))
    assert one.shape == (4, 1, 128, 128)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_detail_is_to_be_restored_in_the_tone_that_it_came_with(photos: list[PhotoFile]) -> None:
    truth = Batches(photos, batch=16, seed=0, plain_share=0)[0].float() / 255
    y = luminance(truth)
    assert torch.equal(degrade(truth, {"heavy": 1}, [0])[1], y)
    degraded, faded = degrade(truth, {"antique": 1}, [0])
    has_faded = (faded - y).abs().amax((1, 2, 3)) > 0
    assert 0.4 < has_faded.float().mean() < 1
    low, high = (each.flatten(1).std(1)[has_faded] for each in (faded, y))
    assert (low < high).all()
    assert ((degraded - faded).abs().mean() < (degraded - y).abs().mean()).all()


def test_pieces_of_large_photos_join_and_get_no_dust(tmp_path: Path, photos: list[PhotoFile]) -> None:
    """They show a photo's pixels as they are: every second column of this one is dark."""
    stripes = np.zeros((600, 700, 3), np.uint8)
    stripes[:, ::2] = 200
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    dataset = Batches(photos, batch=64, seed=0, large=folder_photos(tmp_path))
    pieces, crops = dataset.pieces(0), dataset[0]
    assert 0.08 < pieces.mean() < 0.3
    first = crops[pieces].float()
    assert (first.diff(dim=3).abs().mean((1, 2, 3)) == 200).any()
    assert torch.equal(crops[~pieces], Batches(photos, batch=64, seed=0)[0][~pieces])
    truth = torch.full((64, 3, 128, 128), 0.5)
    aged = [degrade(truth, {"antique": 1}, [0], each) for each in (None, pieces)]
    spotless = [((degraded - faded).abs().amax((1, 2, 3)) < 0.45).numpy() for degraded, faded in aged]
    assert spotless[1][pieces].all()
    assert not spotless[0][pieces].all()
    assert (spotless[0] == spotless[1])[~pieces].all()


def test_no_shared_memory_costs_time_alone(
    photos: list[PhotoFile], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a container whose /dev/shm cannot be written."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    dataset = Batches(photos, batch=2, seed=0)
    expected = next(batches(dataset, first=3, workers=1))
    monkeypatch.setattr(SemLock, "__init__", refuse)
    assert torch.equal(next(batches(dataset, first=3, workers=1)), expected)
    assert caplog.messages == ["No other process cuts the crops, which takes longer: Read-only file system."]
