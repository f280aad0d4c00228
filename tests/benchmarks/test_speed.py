from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from benchmarks import growth, pixels, render, speed
from restoration import Photo, Restorer


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
        "photos": {"runs": {"vae": {"1": {"seconds": 1}, "10": {"seconds": 2}}}},
        "visitors": {"1": {"wait": 1}, "4": {"wait": 4}},
    }
    growth.plot(found, tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.size == (640, 272)


@pytest.mark.slow
def test_shares_of_a_profile(restorer: Restorer) -> None:
    for shares in speed.profile(restorer).values():
        assert abs(sum(shares.values()) - 1) < 1e-6
        assert shares["mkldnn_convolution"] > 0


def test_every_candidate_is_watched_alone() -> None:
    for name in ("gan", "gan-original", "OpenCV's non-local means"):
        assert len(speed.alone(name, 2)()) > 0


@pytest.mark.slow
def test_what_a_gpu_would_be_asked(restorer: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU stands in for it."""
    monkeypatch.setattr(speed, "BATCHES", (1, 2))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "GPU")
    for name in ("synchronize", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda: None)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 1_000_000)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 3_000_000)
    found = speed.on_gpu(restorer, "cpu", 1)
    table = render.gpu_table(found)
    assert table.splitlines()[0] == "| on one GPU | a batch of 1 | a batch of 2 |"
    assert len(table.splitlines()) == 2 + len(found["seconds"]["1"])
    assert table.count("2 MB") == 12


@pytest.mark.slow
def test_a_network_is_timed_in_both_ways(restorer: Restorer, photos: list[Photo]) -> None:
    assert all(seconds > 0 for seconds in growth.network_alone(restorer, "gan", photos).values())


def test_a_folder_is_restored_as_a_user_would() -> None:
    told = growth.one_folder("gan", 3)
    assert told["seconds"] > 0
    assert told["bytes"] > 100_000_000


@pytest.mark.slow
def test_a_whole_photo_is_timed_against_its_squares(
    restorer: Restorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "SIDES", (128, 256))
    found = pixels.pixels(restorer)
    pixels.plot(found, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5000
    rows = render.pixels_table(found).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:4]] == ["| 128×128", "| 256×256"]
    assert all(each["bytes"] > 100_000_000 for each in found["sides"].values())
