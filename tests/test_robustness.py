from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from restoration import ControlError, Degradation, Photo, Restorer, metrics, robustness
from restoration.degradations import CONTROLS
from restoration.metrics import Metrics
from restoration.robustness import Sweep
from restoration.tiling import Stopped


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


@pytest.mark.parametrize("control", CONTROLS)
def test_a_sweep_begins_where_damage_begins(photo: Photo, control: str) -> None:
    at = robustness.strengths(control, *robustness.reach(control), 8)
    scale = CONTROLS[control]
    assert at[-1] == (scale.low if scale.off == scale.high else scale.high)
    assert abs(at[0] - scale.off) == pytest.approx(max(scale.step, (scale.high - scale.low) / 20), abs=scale.step)
    grey = Degradation(grayscale=True).apply(photo, 0)
    mild = Degradation.from_mapping({"grayscale": True, control: at[0]}).apply(photo, 0)
    assert 20 < metrics.psnr(mild, grey) < 50


def test_of_a_control_that_there_is_not() -> None:
    with pytest.raises(ControlError, match="no control"):
        robustness.reach("sepia")


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


@pytest.mark.parametrize(("enough", "models"), [(3, ["vae"]), (5, ["vae"]), (6, ["vae", "cnn"])])
def test_what_is_stopped_is_of_the_models_that_are_done(
    swept: Sweep, photo: Photo, monkeypatch: pytest.MonkeyPatch, enough: int, models: list[str]
) -> None:
    monkeypatch.setattr(robustness, "BATCH", 1)

    def stop(done: int, total: int) -> None:
        if done == enough:
            raise Stopped

    stopped = robustness.sweep(Restorer("cpu"), photo, "jpeg", swept.strengths, ["vae", "cnn"], seed=4, progress=stop)
    assert list(stopped.photos) == list(stopped.measures) == ["degraded", *models]
    assert all(list(recipe.models) == models for recipe in stopped.recipes)
    for name in models:
        assert stopped.measures[name][0].psnr == pytest.approx(swept.measures[name][0].psnr, abs=0.01)


def test_what_is_stopped_before_a_model_is_done_is_nothing(photo: Photo) -> None:
    def stop(done: int, total: int) -> None:
        raise Stopped

    at = robustness.strengths("jpeg", 2, 100, 10)  # more than a batch
    with pytest.raises(Stopped):
        robustness.sweep(Restorer("cpu"), photo, "jpeg", at, ["cnn"], progress=stop)


def test_the_table_holds_every_measure(swept: Sweep) -> None:
    lines = list(csv.DictReader(io.StringIO(robustness.table(swept))))
    assert len(lines) == 9
    assert [line["candidate"] for line in lines[:3]] == ["degraded", "vae", "cnn"]
    assert float(lines[-1]["ssim"]) == swept.measures["cnn"][-1].ssim
    assert float(lines[-1]["jpeg"]) == 2


def measured(swept: Sweep, at: tuple[float, ...], **rows: tuple[float, ...]) -> Sweep:
    """The sweep with other strengths and measures."""
    one = swept.measures["degraded"][0]
    measures = {
        name: tuple(replace(one, psnr_luminance=value, ciede2000=value) for value in row) for name, row in rows.items()
    }
    return replace(swept, strengths=at, measures=measures)


def test_a_gain_is_up_whatever_the_measure(swept: Sweep) -> None:
    other = measured(swept, (0, 1), degraded=(5, 3), cnn=(6, 1))
    assert robustness.gains(other, "psnr_luminance") == {"cnn": (1, -2)}
    assert robustness.gains(other, "ciede2000") == {"cnn": (-1, 2)}
    assert set(robustness.LOWER_IS_BETTER) <= set(robustness.PLOTTED) <= Metrics.__dataclass_fields__.keys()


RISING, FALLING = (0.1, 0.2, 0.3, 0.4), (90, 60, 30, 2)


@pytest.mark.parametrize(
    ("helps", "rising", "falling"),
    [
        ("....", "never helped", "never helped"),
        ("++++", "helped at every strength tried", "helped at every strength tried"),
        ("++..", "helped up to 0.2", "helped down to 60"),
        ("..++", "helped from 0.3 up", "helped from 30 down"),
        (".++.", "helped from 0.2 to 0.3", "helped from 60 to 30"),
        ("...+", "helped at 0.4", "helped at 2"),
        ("++.+", "helped up to 0.2 and at 0.4", "helped down to 60 and at 2"),
    ],
)
def test_a_sentence_says_where_a_model_helped(swept: Sweep, helps: str, rising: str, falling: str) -> None:
    """Milder strengths first, also where they are the higher numbers."""
    for at, said in ((RISING, rising), (FALLING, falling)):
        row = tuple(float(each == "+") for each in helps)
        other = measured(swept, at, degraded=(0.5,) * 4, cnn=row)
        assert robustness.verdict(other) == f"jpeg: JPEG quality, luminance PSNR (dB): CNN {said}."


def test_the_sentence_has_a_clause_for_each_and_follows_the_measure(swept: Sweep) -> None:
    other = measured(swept, RISING, degraded=(5,) * 4, vae=(6,) * 4, cnn=(4,) * 4)
    assert robustness.verdict(other).endswith("VAE helped at every strength tried; CNN never helped.")
    assert robustness.verdict(other, "ciede2000").endswith("VAE never helped; CNN helped at every strength tried.")
    with pytest.raises(ControlError, match="no plot of 'beauty'"):
        robustness.verdict(other, "beauty")


def test_nothing_helps_a_photo_that_is_not_damaged(photo: Photo) -> None:
    grey = Degradation(grayscale=True).apply(photo, 0)
    swept = robustness.sweep(Restorer("cpu"), grey, "gaussian", (0, 0.2), ["cnn"])
    assert np.isinf(swept.measures["degraded"][0].psnr_luminance)
    assert "CNN helped at 0.2." in robustness.verdict(swept)
    robustness.plot(swept)


def test_strip_and_plot_are_pictures(swept: Sweep) -> None:
    strip = robustness.strip(swept)
    assert strip.width > 3 * 128
    assert np.array_equal(strip.pixels[8:136, 8:136], swept.photos["degraded"][0].pixels)
    plots = {name: robustness.plot(swept, name).pixels for name in robustness.PLOTTED}
    assert len({each.tobytes() for each in plots.values()}) == len(plots)
    assert {each.shape[1] for each in plots.values()} == {896}
    with pytest.raises(ControlError, match="no plot of 'beauty'"):
        robustness.plot(swept, "beauty")
