"""Scratches are found, filled from what surrounds them, and what is none is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import maximum_filter

from restoration import Degradation, Photo, Restorer, image, scratches, weights
from restoration.errors import ControlError, PhotoError
from restoration.network.scratch_detector import SCRATCH_WEIGHTS
from restoration.types import Inpainting, Mask
from tests.conftest import EXAMPLES


@pytest.fixture(scope="session")
def whole() -> Photo:
    return image.fit(image.load(EXAMPLES / "astronaut.jpg"), side=512)


@pytest.fixture(scope="session")
def cracked(whole: Photo) -> Photo:
    return Degradation(scratches=6, dust=0.3).apply(whole, seed=3)


def psnr(a: Photo, b: Photo, where: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a.pixels[where] / 255 - b.pixels[where] / 255).mean()))


def test_cracks_are_found_and_filled(restorer: Restorer, whole: Photo, cracked: Photo) -> None:
    there = abs(cracked.pixels.astype(int) - whole.pixels).max(2) > 12
    mask = restorer.find_scratches(cracked)
    found = scratches.marked(mask)
    assert (found & there).sum() > 0.65 * there.sum()
    assert (found & there).sum() > 0.65 * found.sum()
    filled = scratches.fill(cracked, mask)
    assert psnr(filled, whole, there) > psnr(cracked, whole, there) + 8
    away = ~maximum_filter(found, 5)
    assert np.array_equal(filled.pixels[away], cracked.pixels[away])


def test_undamaged_photos_are_left_alone(restorer: Restorer) -> None:
    """At their own sizes: a cat's whiskers, brushes, a wheel's spokes, masts before the sky, a flag's stars."""
    photos = [image.load(path, reduce_to=None) for path in sorted(EXAMPLES.glob("*.jpg"))]
    shares = [scratches.marked(restorer.find_scratches(photo)).mean() for photo in photos]
    assert np.mean(shares) < 0.006
    assert max(shares) < 0.02


def test_it_is_no_model_to_compare() -> None:
    assert SCRATCH_WEIGHTS in weights.manifest()
    assert "scratches" not in {entry.model for entry in weights.restorers()}


@pytest.mark.parametrize(("width", "height"), [(16, 16), (17, 300), (333, 201), (1500, 900), (3000, 40)])
def test_any_size(restorer: Restorer, whole: Photo, width: int, height: int) -> None:
    photo = Photo(np.array(Image.fromarray(whole.pixels).resize((width, height))))
    mask = restorer.find_scratches(photo)
    assert mask.pixels.shape == (height, width)
    assert scratches.fill(photo, mask).pixels.shape == photo.pixels.shape


def test_the_same_photo_gives_the_same_mask(restorer: Restorer, cracked: Photo) -> None:
    first, again = (restorer.find_scratches(cracked) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    filled = [scratches.fill(cracked, first).pixels for _ in range(2)]
    assert np.array_equal(*filled)


def test_sensitivity(restorer: Restorer, cracked: Photo) -> None:
    mask = restorer.find_scratches(cracked)
    shares = [scratches.marked(mask, sensitivity).mean() for sensitivity in (0, 0.3, 0.5, 0.8)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    for wrong in (-0.1, 1.1, float("nan"), True, "0.5"):
        with pytest.raises(ControlError, match="sensitivity must be a number from 0 to 1"):
            Inpainting(sensitivity=wrong)  # type: ignore[arg-type]


# --- Filling ----------------------------------------------------------------------------------------------------------


def test_nothing_marked_changes_nothing(whole: Photo) -> None:
    assert np.array_equal(scratches.fill(whole, drawn(whole)).pixels, whole.pixels)


def test_a_ramp_goes_on_through_narrow_and_wide_holes() -> None:
    """Across the borders of tiles, and where a hole touches the photo's border."""
    down, across = np.mgrid[:400, :600]
    ramp = Photo(np.repeat((40 + down / 4 + across / 6).astype(np.uint8)[..., None], 3, 2))
    mask = drawn(ramp, (190, 0, 196, 600), (250, 100, 330, 180), (0, 500, 40, 600))
    filled = scratches.fill(ramp, mask)
    hole = mask.pixels > 0
    assert abs(filled.pixels.astype(int) - ramp.pixels)[hole].max() <= 12
    assert abs(filled.pixels.astype(int) - ramp.pixels)[hole].mean() < 2


def test_a_rim_that_was_not_marked_is_filled_too(whole: Photo) -> None:
    """And what was no damage beside the mask stays."""
    pixels = whole.pixels.copy()
    pixels[100:108, 50:450] = 255
    filled = scratches.fill(Photo(pixels), drawn(whole, (101, 50, 107, 450)))
    there = drawn(whole, (100, 50, 108, 450)).pixels > 0
    assert psnr(filled, whole, there) > psnr(Photo(pixels), whole, there) + 10
    beside = drawn(whole, (98, 50, 110, 450)).pixels > 0
    assert np.array_equal(filled.pixels[~beside], whole.pixels[~beside])
    assert (filled.pixels[beside & ~there] == whole.pixels[beside & ~there]).mean() > 0.5


@pytest.mark.parametrize(("height", "width"), [(16, 16), (16, 700), (24, 3000), (700, 16)])
def test_whatever_its_shape(height: int, width: int) -> None:
    """Half of a narrow photo, and half of its pixels."""
    pixels = np.random.default_rng(0).integers(100, 110, (height, width, 3)).astype(np.uint8)
    photo = Photo(pixels)
    half = drawn(photo, (0, 0, height // 2, width) if height > width else (0, 0, height, width // 2))
    dots = Mask((np.random.default_rng(1).random((height, width)) < 0.45).astype(np.uint8) * 255)
    for mask in (half, dots):
        assert abs(scratches.fill(photo, mask).pixels.astype(int) - 105).max() < 30


def test_details_stay(whole: Photo) -> None:
    photo = image.load(EXAMPLES / "astronaut.jpg")
    assert scratches.fill(photo, drawn(photo, (5, 5, 9, 9))).details == photo.details


def drawn(photo: Photo, *boxes: tuple[int, int, int, int]) -> Mask:
    """A mask of boxes: top, left, bottom, right."""
    pixels = np.zeros((photo.height, photo.width), np.uint8)
    for top, left, bottom, right in boxes:
        pixels[top:bottom, left:right] = 255
    return Mask(pixels)


# --- A user's mask ----------------------------------------------------------------------------------------------------


def picture(mask: Mask, width: int, height: int) -> Photo:
    """A mask as an image file holds it."""
    grey = np.array(Image.fromarray(mask.pixels).resize((width, height), Image.Resampling.NEAREST))
    return Photo(np.repeat(grey[..., None], 3, 2))


def test_a_mask_of_another_size_is_resized(whole: Photo) -> None:
    mask = drawn(whole, (100, 100, 140, 300))
    given = scratches.mask_of(picture(mask, 256, 256), whole)
    assert given.pixels.shape == mask.pixels.shape
    assert (scratches.marked(given) == scratches.marked(mask)).mean() > 0.998


def test_a_mask_of_another_shape_is_refused(whole: Photo) -> None:
    with pytest.raises(PhotoError, match="300x200 pixels, which is another shape than the photo's 512x512"):
        scratches.mask_of(picture(drawn(whole), 300, 200), whole)


def test_a_photo_is_no_mask(whole: Photo) -> None:
    with pytest.raises(PhotoError, match="this looks like a photo"):
        scratches.mask_of(whole, whole)
    grey = Degradation(grayscale=True).apply(whole, 0)
    with pytest.raises(PhotoError, match="this looks like a photo"):
        scratches.mask_of(grey, whole)


def test_more_than_half_cannot_be_filled(whole: Photo) -> None:
    with pytest.raises(PhotoError, match=r"100% of the photo are marked as damaged.*mark less"):
        scratches.fill(whole, drawn(whole, (0, 0, 512, 512)))
    with pytest.raises(PhotoError, match="59% of the photo"):
        scratches.fill(whole, drawn(whole, (0, 0, 300, 512)))
