from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from restoration import Degradation, Photo
from train.judges import ShiftTolerantLpips, frechet_distance
from train.lpips import Lpips


@pytest.mark.parametrize("name", ["lpips", "st_lpips"])
def test_it_ranks_damage(photos: list[Photo], shared: Path, name: str) -> None:
    """Trained features rank three strengths rightly, on each photo; random ones do not."""
    judge = Lpips(shared / "weights") if name == "lpips" else ShiftTolerantLpips()
    for photo in photos:
        kinds = ({"blur": k} for k in (3, 7, 13)), ({"gaussian": k} for k in (0.02, 0.06, 0.2))
        for kind in kinds:
            scores = judge([photo, *(Degradation(**each).apply(photo, 0) for each in kind)], photo)
            assert scores[0] < 1e-6
            assert (np.diff(scores) > 0).all()


def test_features_tell_photos_apart(photos: list[Photo]) -> None:
    judge = ShiftTolerantLpips()
    here = judge.features(photos)
    noisy = judge.features([Degradation(gaussian=0.02).apply(photo, 0) for photo in photos])
    assert here.shape == (len(photos), 256)
    nearest = [int(np.argmin(np.linalg.norm(here - each, axis=1))) for each in noisy]
    assert nearest == [*range(len(photos))]


def test_frechet_distance_of_gaussians() -> None:
    """Of two gaussians it is known: squared gap of the means, and of the deviations where both are round."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, 1, (200_000, 3)), rng.normal([1, 0, 0], 3, (200_000, 3))
    assert frechet_distance(one, other) == pytest.approx(1 + 3 * (3 - 1) ** 2, rel=0.02)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)
