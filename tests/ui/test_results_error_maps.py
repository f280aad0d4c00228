"""Where a picture differs from the original."""

from __future__ import annotations

import numpy as np

from restoration import Photo, Restorer, image, pipeline
from tests.ui.test_results import recipe
from ui.results import WHITE, error_map, error_maps, publish_run


def grey(level: int) -> Photo:
    return Photo(np.full((4, 5, 3), level, np.uint8))


def test_black_is_equal_and_white_is_far() -> None:
    assert (error_map(grey(100), grey(100)).pixels == 0).all()
    assert (error_map(grey(100 + WHITE), grey(100)).pixels == 255).all()
    assert (error_map(grey(255), grey(0)).pixels == 255).all()
    half = error_map(grey(100), grey(100 + WHITE // 2)).pixels
    assert (abs(half.astype(int) - 128) <= 1).all()


def test_every_picture_of_the_originals_size_has_one(photo: Photo, restorer: Restorer) -> None:
    result = publish_run("a.jpg", pipeline.run(restorer, photo, recipe("gan", scale=4, engine="bicubic")))
    maps = error_maps(result)
    assert list(maps) == ["degraded", "gan"]
    truth, restored = result.read("original"), result.read("gan")
    assert np.array_equal(image.load(maps["gan"], reduce_to=None).pixels, error_map(restored, truth).pixels)


def test_without_an_original_there_is_none(photo: Photo, restorer: Restorer) -> None:
    assert error_maps(publish_run("a.jpg", pipeline.run(restorer, photo, recipe("gan", damage=None)))) == {}
