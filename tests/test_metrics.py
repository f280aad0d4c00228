from __future__ import annotations

import numpy as np
import pytest

from restoration import Degradation, Photo, metrics


def test_equal_photos(photo: Photo) -> None:
    measured = metrics.compare(photo, photo)
    assert measured.psnr == measured.psnr_luminance == float("inf")
    assert measured.ssim == pytest.approx(1)
    assert measured.ciede2000 == 0


def test_psnr_by_hand(photo: Photo) -> None:
    darker = Photo(np.where(photo.pixels >= 10, photo.pixels - 10, photo.pixels).astype(np.uint8))
    squared = np.square(photo.pixels.astype(float) - darker.pixels).mean()
    assert metrics.compare(darker, photo).psnr == pytest.approx(10 * np.log10(255**2 / squared))


def test_a_change_of_colour_alone_leaves_the_luminance(photo: Photo) -> None:
    grey = metrics.compare(Degradation(grayscale=True).apply(photo, 0), photo)
    assert grey.psnr_luminance > 55  # rounding is all that is lost
    assert grey.ssim_luminance > 0.999
    assert grey.psnr < 30
    assert grey.ciede2000 > 5


def test_colourfulness() -> None:
    grey = np.full((8, 8, 3), 90, np.uint8)
    assert metrics.colourfulness(Photo(grey)) == 0
    halves = np.zeros((8, 8, 3), np.uint8)
    halves[:4, :, 0] = halves[4:, :, 2] = 255  # half red, half blue
    # rg is 255 and 0, yb is 127.5 and -255: deviations 127.5 and 191.25, means 127.5 and -63.75.
    assert metrics.colourfulness(Photo(halves)) == pytest.approx(np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, 63.75))


def test_more_damage_measures_worse(photo: Photo) -> None:
    a, b = (metrics.compare(Degradation(gaussian=sigma).apply(photo, 0), photo) for sigma in (0.02, 0.1))
    assert a.psnr > b.psnr
    assert a.ssim > b.ssim
    assert a.ssim_luminance > b.ssim_luminance
    assert a.ciede2000 < b.ciede2000


def test_sizes_must_agree(photo: Photo) -> None:
    with pytest.raises(ValueError, match="one size"):
        metrics.compare(photo, Photo(np.zeros((64, 64, 3), np.uint8)))


def test_a_judgement_needs_no_reference_and_follows_the_damage(photo: Photo) -> None:
    plain = metrics.judge(photo)
    noisy = metrics.judge(Degradation(gaussian=0.1).apply(photo, 0))
    blurred = metrics.judge(Degradation(blur=9).apply(photo, 0))
    assert noisy.noise == pytest.approx(0.1 * 255 * 0.67, rel=0.2)  # luma averages three channels' noise
    assert plain.noise < 8
    assert blurred.blur > plain.blur + 0.1
    assert metrics.judge(Degradation(grayscale=True).apply(photo, 0)).colourfulness == 0
    assert plain.colourfulness == metrics.compare(photo, photo).colourfulness
    assert plain.contrast > blurred.contrast > 0
    flat = metrics.judge(Photo(np.full((128, 128, 3), 90, np.uint8)))
    assert (flat.noise, flat.contrast, flat.colourfulness) == pytest.approx((0, 0, 0))
    assert 0 <= flat.blur <= 1
