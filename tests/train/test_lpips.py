from __future__ import annotations

from pathlib import Path

import numpy as np

from restoration import Degradation, Photo
from train.lpips import Lpips


def test_it_ranks_damage(photos: list[Photo], shared: Path) -> None:
    """Trained features rank three strengths rightly, on each photo; random ones do not."""
    distance = Lpips(shared / "weights")
    for photo in photos:
        kinds = ({"blur": k} for k in (3, 7, 13)), ({"gaussian": k} for k in (0.02, 0.06, 0.2))
        for kind in kinds:
            scores = distance([photo, *(Degradation(**each).apply(photo, 0) for each in kind)], photo)
            assert scores[0] < 1e-6
            assert (np.diff(scores) > 0).all()
