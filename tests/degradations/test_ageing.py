from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from restoration import Photo
from restoration.degradations.ageing import FIELDS, MAX_SCRATCHES, dust, fading, scratches

GREY = np.full((1, 1, 128, 128), 0.5, np.float32)


def drawn(name: str, count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, *FIELDS[name]), dtype=np.float32)


def fade(images: Any, strength: list[float], like: Callable[[np.ndarray], Any] = np.asarray, seed: int = 0) -> Any:
    strengths = np.array(strength, np.float32)[:, None, None, None]
    return fading(images, like(strengths), like(drawn("fading", len(strength), seed)))


def scratch(images: Any, count: list[float], like: Callable[[np.ndarray], Any] = np.asarray, seed: int = 0) -> Any:
    return scratches(images, np.array(count), like(drawn("scratches", len(count), seed)))


def soil(images: Any, amount: list[float], like: Callable[[np.ndarray], Any] = np.asarray, seed: int = 0) -> Any:
    specks, hairs = (like(drawn(name, len(amount), seed)) for name in ("specks", "hairs"))
    return dust(images, np.array(amount), specks, hairs)


KERNELS: dict[str, tuple[Callable[..., Any], float]] = {
    "fading": (fade, 0.4),
    "scratches": (scratch, 9),
    "dust": (soil, 0.5),
}


@pytest.fixture
def oblong(photos: list[Photo]) -> np.ndarray:
    """Three photos in colour, of 96 rows and 128 columns."""
    return np.stack([photo.pixels[:96].transpose(2, 0, 1) for photo in photos[:3]]).astype(np.float32) / 255


@pytest.mark.parametrize("name", KERNELS)
def test_numpy_and_torch_do_the_same(oblong: np.ndarray, name: str) -> None:
    age, strength = KERNELS[name]
    before = oblong.copy()
    aged = age(oblong, [strength, 0, strength])
    with_torch = age(torch.from_numpy(oblong), [strength, 0, strength], torch.from_numpy)
    assert aged.dtype == np.float32
    assert np.abs(aged - with_torch.numpy()).max() < 1e-4
    assert 0 <= aged.min() <= aged.max() <= 1
    assert np.array_equal(aged[1], oblong[1])
    assert all(np.abs(aged[n] - oblong[n]).max() > 0.2 for n in (0, 2))
    assert np.array_equal(before, oblong)  # what it is given stays


@pytest.mark.parametrize("name", KERNELS)
def test_a_photo_ages_alike_alone_and_in_a_batch(oblong: np.ndarray, name: str) -> None:
    age, strength = KERNELS[name]
    assert np.allclose(age(oblong, [strength, strength / 3, 0])[:1], age(oblong[:1], [strength]), atol=1e-6)


def test_fading_takes_its_share_of_contrast_and_lifts_blacks_most(oblong: np.ndarray) -> None:
    for strength in (0.1, 0.4, 0.8):
        ratios = [fade(oblong, [strength] * 3, seed=seed).std((1, 2, 3)) / oblong.std((1, 2, 3)) for seed in range(30)]
        assert np.mean(ratios) == pytest.approx(1 - strength, abs=0.08)
    ends = np.zeros((1, 1, 128, 128), np.float32), np.ones((1, 1, 128, 128), np.float32)
    for seed in range(10):
        lift, loss = fade(ends[0], [0.4], seed=seed), 1 - fade(ends[1], [0.4], seed=seed)
        assert lift.mean() > loss.mean() > 0
        assert 0.02 < np.ptp(lift) / lift.mean() < 1  # it varies slowly over the print
        assert np.abs(np.diff(lift)).max() < 0.005


def test_scratches_are_thin_and_run_in_all_directions() -> None:
    marks = [scratch(GREY, [1], seed=seed)[0, 0] - 0.5 for seed in range(200)]
    assert np.mean([mark.max() > 0.02 for mark in marks]) == pytest.approx(0.65, abs=0.12)  # the others are dark
    touched = [np.argwhere(np.abs(mark) > 0.03) for mark in marks]
    seen = [places for places in touched if len(places) > 20]
    assert len(seen) > 180
    assert np.median([len(places) / np.ptp(places, axis=0).max() for places in seen]) < 3  # pixels wide
    ways = [np.linalg.svd(places - places.mean(0), full_matrices=False)[2][0] for places in seen]
    angles = [np.degrees(np.arctan2(*way)) % 180 for way in ways]
    assert np.histogram(angles, 6, (0, 180))[0].min() > 10
    assert 0.5 < np.mean([np.isin(places, (0, 127)).any() for places in seen]) < 0.9  # the others touch no border


@pytest.mark.parametrize("name", ["scratches", "dust"])
def test_more_of_it_leaves_the_rest_in_place(oblong: np.ndarray, name: str) -> None:
    age, _ = KERNELS[name]
    before = age(oblong, [0] * 3)
    for count in range(1, MAX_SCRATCHES + 1):
        after = age(oblong, [count if name == "scratches" else count / MAX_SCRATCHES] * 3)
        assert 0 < (after != before).mean() < 0.08
        before = after


@pytest.mark.parametrize("name", ["scratches", "dust"])
def test_a_print_has_the_same_damage_at_any_size(name: str) -> None:
    age, strength = KERNELS[name]
    small = age(GREY, [strength])[0, 0]
    large = age(np.full((1, 1, 512, 512), 0.5, np.float32), [strength])[0, 0]
    reduced = np.asarray(Image.fromarray(large).resize((128, 128), Image.Resampling.BOX))
    assert np.corrcoef(small.ravel(), reduced.ravel())[0, 1] > 0.8
    assert np.abs(small - 0.5).mean() == pytest.approx(np.abs(reduced - 0.5).mean(), rel=0.4)


def test_most_dust_is_bright_and_small() -> None:
    soiled = np.stack([soil(GREY, [0.5], seed=seed)[0, 0] - 0.5 for seed in range(20)])
    assert 0.01 < (np.abs(soiled) > 0.1).mean() < 0.08
    assert 0.1 < (soiled < -0.1).sum() / (soiled > 0.1).sum() < 0.5
    assert soiled.max() > 0.45
    assert soiled.min() < -0.45
