"""The Compare tab: every model, and where each is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from restoration import PRESETS, Photo, Recipe, Restorer, Run, image, metrics, pipeline
from tests.conftest import EXAMPLES
from tests.ui.test_panel import VALUES
from ui.compare import WHITE, error_map, error_maps, everything
from ui.lab import TITLES
from ui.restore import Result, publish_run
from ui.texts import number


@pytest.fixture(scope="module")
def run(photo: Photo, restorer: Restorer) -> Run:
    recipe = Recipe(degradation=PRESETS["heavy"].draw(2), seed=2, models=dict.fromkeys(TITLES))
    return pipeline.run(restorer, photo, recipe)


@pytest.fixture(scope="module")
def result(run: Run) -> Result:
    return publish_run(str(EXAMPLES / "astronaut.jpg"), run)


def test_all_models_restore_the_same_photo() -> None:
    asked = everything(VALUES)
    assert asked == Recipe(fit="pad", degradation=PRESETS["heavy"].draw(7), seed=7, models=dict.fromkeys(TITLES))
    assert asked.upscaling is None
    whole = {**VALUES, "mode": "damaged", "colour": "keep", "tone": 0.5}
    assert everything(whole) == Recipe(fit="pad", models=dict.fromkeys(TITLES))  # at 128, as all are compared


def test_equal_photos_give_a_black_map(photo: Photo) -> None:
    shown, mean = error_map(photo, photo)
    assert mean == 0
    assert not shown.pixels.any()
    assert shown.pixels.shape == photo.pixels.shape


def test_a_known_difference() -> None:
    truth = np.full((32, 32, 3), 100, np.uint8)
    other = truth.copy()
    other[:16, :, 0] += 96  # 32 levels, red, green and blue averaged: half of the way to white
    other[16:, :8] -= 100  # more than white
    other[16:, 8:16] += WHITE
    shown, mean = error_map(Photo(other), Photo(truth))
    assert (shown.pixels[:16] == 128).all()
    assert (shown.pixels[16:, :16] == 255).all()
    assert (shown.pixels[16:, 16:] == 0).all()
    assert mean == pytest.approx(32 / 2 + 100 / 8 + WHITE / 8)
    assert mean == error_map(Photo(truth.copy()), Photo(other.copy()))[1]


@pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])
def test_each_candidate_has_its_map(result: Result, run: Run, french: bool) -> None:
    assert run.truth is not None
    maps = error_maps(result, french)
    assert list(maps) == ["degraded", *TITLES]
    degraded = "Abîmée" if french else "Degraded"
    for name, update in maps.items():
        photo = run.restored[name].photo if name in run.restored else run.degraded
        expected, mean = error_map(photo, run.truth)
        path = update.value["path"]
        assert path.endswith(f"/astronaut_{name}_error.png")
        assert np.array_equal(image.load(path).pixels, expected.pixels)
        who = TITLES.get(name, degraded)
        assert update.label == (f"Erreur : {who}" if french else f"Error: {who}")
        told = number(mean, 1, french)
        assert ("," in told) == french
        assert update.alt_text == (
            f"Où {who} diffère de l'original : {told} niveaux sur 255 en moyenne"
            if french
            else f"Where {who} differs from the original: {told} levels of 255 on average"
        )
        assert update.visible


def test_the_map_agrees_with_the_measures(run: Run) -> None:
    """Whoever is far better by PSNR has the darker map."""
    assert run.truth is not None
    psnr = {name: metrics.psnr(each.photo, run.truth) for name, each in run.restored.items()}
    worst = metrics.psnr(run.degraded, run.truth)
    for name, value in psnr.items():
        if value > worst + 2:
            assert error_map(run.restored[name].photo, run.truth)[1] < error_map(run.degraded, run.truth)[1]
    assert max(psnr.values()) > worst + 2
