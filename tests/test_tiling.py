from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from restoration import Photo, tiling


def doubled(piece: Photo) -> Photo:
    return Photo(piece.pixels.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (37, 20), (100, 61), (64, 64), (65, 200)])
@pytest.mark.parametrize(("tile", "margin"), [(16, 0), (16, 5), (33, 8)])
def test_tiles_make_the_whole(height: int, width: int, tile: int, margin: int) -> None:
    photo = Photo(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))
    seen: list[tuple[int, int]] = []
    calls: list[tuple[int, int]] = []

    def process(piece: Photo) -> Photo:
        seen.append((piece.height, piece.width))
        return doubled(piece)

    result = tiling.enlarge(
        photo, process, scale=2, tile=tile, margin=margin, progress=lambda done, total: calls.append((done, total))
    )
    assert np.array_equal(result.pixels, doubled(photo).pixels)
    assert max(max(shape) for shape in seen) <= tile + 2 * margin  # which is what bounds the memory
    assert calls == [(number + 1, len(seen)) for number in range(len(seen))]


@pytest.mark.parametrize(("length", "most", "step"), [(241, 80, 2), (1, 16, 2), (500, 33, 4), (64, 64, 1), (65, 64, 1)])
def test_spans(length: int, most: int, step: int) -> None:
    found = tiling.spans(length, most, step)
    assert [start for start, _ in found] == [0, *[end for _, end in found[:-1]]]
    assert found[-1][1] == length
    assert all(0 < end - start <= most and start % step == 0 for start, end in found)


def test_a_photo_that_fits_is_seen_whole() -> None:
    photo, seen = Photo(np.zeros((40, 30, 3), np.uint8)), []
    tiling.enlarge(photo, lambda piece: seen.append(piece) or doubled(piece), scale=2, tile=20, margin=10)
    assert [piece.pixels.shape for piece in seen] == [(40, 30, 3)]


def test_margins_hide_what_a_tile_cannot_know() -> None:
    """A filter that looks three pixels around gives the same in tiles with a margin of three, and not of two."""
    photo = Photo(np.random.default_rng(1).integers(0, 256, (50, 70, 3), np.uint8))

    def blurred(piece: Photo) -> Photo:
        padded = np.pad(piece.pixels.astype(float), ((3, 3), (3, 3), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7), (0, 1))
        return Photo(windows.mean((3, 4)).astype(np.uint8))

    whole = blurred(photo).pixels
    for margin, same in ((3, True), (2, False)):
        tiles = tiling.enlarge(photo, blurred, scale=1, tile=12, margin=margin)
        assert np.array_equal(tiles.pixels, whole) == same


def test_an_error_in_a_tile_is_not_passed_over() -> None:
    def fail(piece: Photo) -> Photo:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        tiling.enlarge(Photo(np.zeros((50, 50, 3), np.uint8)), fail, scale=2, tile=20, margin=2)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (17, 40), (33, 200), (130, 96)])
def test_overlapping_tiles_make_the_whole(height: int, width: int) -> None:
    planes = torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(0))
    calls: list[tuple[int, int]] = []
    made = tiling.blended(
        planes, lambda tiles: tiles[:, :1], tile=48, margin=8, fade=8, step=16, batch=3,
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    assert torch.allclose(made, planes[:, :1], atol=1e-6)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1][0] == calls[-1][1]


def test_where_tiles_differ_one_fades_into_the_other() -> None:
    """Each tile is of one brightness, so a seam would be a step."""
    levels = iter(range(100))

    def each_brighter(tiles: torch.Tensor) -> torch.Tensor:
        return torch.full_like(tiles, next(levels) / 10)

    made = tiling.blended(torch.zeros(1, 1, 64, 300), each_brighter, tile=64, margin=8, fade=16, step=16)
    steps = made[0, 0, 0].diff()
    assert steps.min() >= 0
    assert 0 < steps.max() < 0.1 / 15


def test_a_filter_that_looks_no_farther_than_a_margin_is_the_same_in_tiles() -> None:
    planes = torch.rand(1, 1, 150, 210, generator=torch.Generator().manual_seed(0))

    def blurred(tiles: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(functional.pad(tiles, (3, 3, 3, 3), "reflect"), 7, 1)

    whole = blurred(planes)
    inner = (..., slice(3, 144), slice(3, 204))  # what lies beyond the border is mirrored elsewhere
    for margin, same in ((3, True), (1, False)):
        made = tiling.blended(planes, blurred, tile=64, margin=margin, fade=8, step=16)
        assert torch.allclose(made[inner], whole[inner], atol=1e-5) == same


def test_what_a_tile_makes_of_its_ends_is_thrown_away() -> None:
    """As zeros beyond a border mislead a network: those of the photo lie in what was mirrored around it."""
    planes = torch.rand(1, 1, 150, 210, generator=torch.Generator().manual_seed(0))

    def spoilt(tiles: torch.Tensor) -> torch.Tensor:
        inner = torch.zeros_like(tiles)
        inner[..., 8:-8, 8:-8] = 1
        return torch.where(inner > 0, tiles, 9.0)

    made = tiling.blended(planes, spoilt, tile=64, margin=8, fade=8, border=8, step=16)
    assert torch.allclose(made, planes, atol=1e-5)
    assert not torch.allclose(tiling.blended(planes, spoilt, tile=64, margin=8, fade=8, step=16), planes, atol=1e-5)
