from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import pixels, speed
from benchmarks.speed_tables import pixels_table
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


@pytest.mark.slow
def test_a_whole_photo_is_timed_against_its_squares(
    restorer: Restorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "SIDES", (128, 256))
    found = pixels.pixels(restorer)
    pixels.plot(found, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5000
    rows = pixels_table(found).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:4]] == ["| 128×128", "| 256×256"]
    assert all(each["bytes"] > 100_000_000 for each in found["sides"].values())
