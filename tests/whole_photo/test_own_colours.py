"""Real colours are told from grey and from toning."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from restoration import Photo, image
from restoration.whole_photo.own_colours import has_any
from tests.conftest import EXAMPLES


def toned(photo: Photo, light: tuple[float, float, float]) -> Photo:
    """A print of one hue, darker or lighter with its luminance, saved as JPEG with some grain."""
    y = photo.pixels @ np.array((0.299, 0.587, 0.114)) / 255
    grain = np.random.default_rng(0).normal(0, 4, (*y.shape, 3))
    pixels = 255 * np.stack([part * y**power for part, power in zip(light, (0.8, 1, 1.2), strict=True)], 2) + grain
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=75)
    return Photo(np.array(Image.open(file)))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.jpg")), ids=lambda path: path.stem)
def test_colours_are_real_and_their_luminance_in_one_hue_is_not(path: object) -> None:
    photo = image.load(str(path), reduce_to=None)
    assert has_any(photo)
    for light in ((1, 1, 1), (1, 0.85, 0.6), (0.85, 0.92, 1)):
        assert not has_any(toned(photo, light))


def test_a_grey_or_flat_picture_has_none() -> None:
    assert not has_any(Photo(np.full((16, 300, 3), 90, np.uint8)))
    assert not has_any(Photo(np.full((300, 16, 3), (180, 90, 60), np.uint8)))
