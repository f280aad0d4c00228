from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from restoration import ControlError, Degradation, Photo, Restorer, metrics, robustness
from restoration.robustness import Sweep


@pytest.fixture(scope="module")
def swept(photo: Photo) -> Sweep:
    at = robustness.strengths("jpeg", 2, 100, 3)
    return robustness.sweep(Restorer("cpu"), photo, "jpeg", at, ["vae", "cnn"], seed=4)


@pytest.mark.parametrize(
    ("control", "low", "high", "steps", "expected"),
    [
        ("gaussian", 0, 0.3, 4, (0, 0.1, 0.2, 0.3)),
        ("jpeg", 2, 100, 3, (100, 51, 2)),  # from mild to severe
        ("blur", 1, 21, 4, (1, 7, 15, 21)),  # odd sizes only
        ("lines", 0, 3, 8, (0, 1, 2, 3)),  # there are no more
    ],
)
def test_strengths_lie_on_the_controls_steps(
    control: str, low: float, high: float, steps: int, expected: tuple
) -> None:
    assert robustness.strengths(control, low, high, steps) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("sepia", 0, 1, 4), "no control"),
        (("gaussian", 0, 0.9, 4), "between 0 and 0.3"),
        (("gaussian", float("nan"), 0.3, 4), "between"),
        (("gaussian", 0.2, 0.1, 4), "lower strength to a higher"),
        (("gaussian", 0, 0.3, 1), "2 to 32"),
        (("gaussian", 0, 0.3, 1000), "2 to 32"),
        (("blur", 2, 21, 4), "odd number"),
    ],
)
def test_a_range_that_there_is_not(arguments: tuple, says: str) -> None:
    with pytest.raises(ControlError, match=says):
        robustness.strengths(*arguments)


def test_each_photo_is_what_the_single_path_gives(swept: Sweep, photo: Photo) -> None:
    assert list(swept.photos) == ["degraded", "vae", "cnn"]
    for place, strength in enumerate(swept.strengths):
        damaged = Degradation(grayscale=True, jpeg=int(strength)).apply(photo, 4)
        assert np.array_equal(swept.photos["degraded"][place].pixels, damaged.pixels)
        alone = Restorer("cpu").restore(damaged, "cnn").photo.pixels.astype(int)
        assert abs(swept.photos["cnn"][place].pixels - alone).max() <= 1
        assert swept.measures["cnn"][place] == metrics.compare(swept.photos["cnn"][place], photo)
        assert swept.recipes[place].degradation == Degradation(grayscale=True, jpeg=int(strength))


def test_damage_costs_and_models_help(swept: Sweep) -> None:
    degraded = [each.psnr_luminance for each in swept.measures["degraded"]]
    assert degraded == sorted(degraded, reverse=True)
    assert swept.measures["cnn"][-1].psnr_luminance > degraded[-1]


def test_progress_counts_to_the_end(photo: Photo) -> None:
    told: list[tuple[int, int]] = []
    at = robustness.strengths("gaussian", 0, 0.3, 10)
    robustness.sweep(
        Restorer("cpu"), photo, "gaussian", at, ["cnn"], progress=lambda done, total: told.append((done, total))
    )
    assert told == [(8, 10), (10, 10)]


def test_the_table_holds_every_measure(swept: Sweep) -> None:
    lines = list(csv.DictReader(io.StringIO(robustness.table(swept))))
    assert len(lines) == 9
    assert [line["candidate"] for line in lines[:3]] == ["degraded", "vae", "cnn"]
    assert float(lines[-1]["ssim"]) == swept.measures["cnn"][-1].ssim
    assert float(lines[-1]["jpeg"]) == 2


def test_strip_and_plot_are_pictures(swept: Sweep) -> None:
    strip = robustness.strip(swept)
    assert strip.width > 3 * 128
    assert np.array_equal(strip.pixels[8:136, 8:136], swept.photos["degraded"][0].pixels)
    plots = {name: robustness.plot(swept, name).pixels for name in robustness.PLOTTED}
    assert len({each.tobytes() for each in plots.values()}) == len(plots)
    with pytest.raises(ControlError, match="no plot of 'beauty'"):
        robustness.plot(swept, "beauty")
