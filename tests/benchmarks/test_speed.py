from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import nn

from benchmarks import growth, speed
from restoration import Restorer


def test_operations_are_counted() -> None:
    assert speed.operations(nn.Conv2d(4, 6, 3, padding=1), torch.rand(5, 4, 10, 20)) == 2 * 5 * 200 * 4 * 6 * 9
    assert speed.operations(speed.convolutions(), speed.planes(2)) == 2 * speed.operations(
        speed.convolutions(), speed.planes(1)
    )


def test_parts_are_the_whole(restorer: Restorer) -> None:
    network, images = restorer.network("gan"), speed.examples(11)
    assert torch.allclose(speed.in_parts(network, images), network(images), atol=1e-5)


def test_every_stage_runs(restorer: Restorer) -> None:
    assert all(seconds > 0 for seconds in speed.path(restorer, 1).values())


def test_the_plot_is_drawn(tmp_path: Path) -> None:
    found = {
        "photos": {"runs": {"1": {"seconds": 1}, "10": {"seconds": 2}}},
        "pixels": {"128": {"decode": 0.1, "enlarge": 2}, "256": {"decode": 0.2, "enlarge": 3}},
        "visitors": {"1": {"wait": 1}, "4": {"wait": 4}},
    }
    growth.plot(found, tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.size == (960, 288)
