from __future__ import annotations

import torch

from train.optimisers import orthogonalise


def test_the_update_is_nearly_orthogonal() -> None:
    torch.manual_seed(0)
    for shape in ((16, 144), (64, 27)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
        assert 0.5 < values.min() <= values.max() < 1.5
