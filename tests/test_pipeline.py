from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import maximum_filter

from restoration import (
    PRESETS,
    ControlError,
    Degradation,
    Look,
    Photo,
    Recipe,
    Restorer,
    Upscaling,
    image,
    pipeline,
    scratches,
)
from restoration.types import Inpainting, drawn_sha256
from tests.conftest import EXAMPLES


def test_a_recipe_is_done_step_by_step(photo: Photo) -> None:
    drawn, restorer = PRESETS["original"].draw(5), Restorer("cpu")
    asked = Recipe(
        degradation=drawn, seed=5, models={"vae": None, "cnn": None}, upscaling=Upscaling(scale=4, engine="fast")
    )
    run = pipeline.run(restorer, photo, asked)
    assert run.truth is photo
    assert np.array_equal(run.degraded.pixels, drawn.apply(photo, 5).pixels)
    for name in ("vae", "cnn"):
        restored = restorer.restore(run.degraded, name).photo
        assert np.array_equal(run.restored[name].photo.pixels, restored.pixels)
        assert np.array_equal(run.enlarged[name].photo.pixels, restorer.upscale(restored, engine="fast").photo.pixels)


def test_the_recipe_of_a_result_names_what_ran_and_gives_the_same_pixels(photo: Photo) -> None:
    asked = Recipe(models={"gan": None}, upscaling=Upscaling(scale=2, engine="auto"), versions={"torch": "0.1"})
    run = pipeline.run(Restorer("cpu"), photo, asked)
    assert run.truth is None
    assert run.recipe.models == {"gan": run.restored["gan"].weights_sha256}
    assert run.recipe.upscaling
    assert run.recipe.upscaling.engine == "fast"  # no other can be had without a network
    again = pipeline.run(Restorer("cpu"), photo, Recipe.from_link(run.recipe.to_link()))
    assert again.recipe == run.recipe
    assert np.array_equal(again.enlarged["gan"].photo.pixels, run.enlarged["gan"].photo.pixels)


@pytest.fixture
def cracked() -> Photo:
    """A whole photo with cracks and dust on it."""
    whole = image.load(EXAMPLES / "astronaut.jpg", reduce_to=None)
    return Degradation(scratches=6, dust=0.3, grayscale=True).apply(whole, 3)


def test_scratches_are_mended_before_the_models_see_the_photo(restorer: Restorer, cracked: Photo) -> None:
    run = pipeline.run(restorer, cracked, Recipe(size="own", inpaint=Inpainting(sensitivity=0.6), models={"cnn": None}))
    assert run.degraded is cracked
    assert run.mended
    filled = scratches.fill(cracked, restorer.find_scratches(cracked), 0.6)
    assert np.array_equal(run.mended.photo.pixels, filled.pixels)
    assert run.mended.share == scratches.marked(run.mended.mask, 0.6).mean() > 0.01
    restored = restorer.restore_whole(filled, "cnn", look=Look()).photo
    assert np.array_equal(run.restored["cnn"].photo.pixels, restored.pixels)
    assert run.recipe.inpaint
    assert run.recipe.inpaint.weights_sha256 == restorer.scratches_sha256()
    again = pipeline.run(restorer, cracked, Recipe.from_link(run.recipe.to_link()))
    assert np.array_equal(again.restored["cnn"].photo.pixels, restored.pixels)
    older = replace(run.recipe, inpaint=Inpainting(weights_sha256="a" * 64))
    assert "scratches aaaaaaaaaaaa → " in str(older.mismatch(run.recipe))


def test_a_mask_that_was_drawn_is_what_is_mended(restorer: Restorer, cracked: Photo) -> None:
    there = np.zeros((cracked.height, cracked.width), bool)
    there[100:110, 50:200] = True
    drawn = scratches.picture(there)
    asked = Recipe(size="own", inpaint=Inpainting(mask=drawn_sha256(drawn)), models={"cnn": None})
    run = pipeline.run(restorer, cracked, asked, drawn=drawn)
    assert run.mended
    changed = (run.mended.photo.pixels != cracked.pixels).any(2)
    assert changed.any()
    assert not changed[~maximum_filter(there, 5)].any()  # the mask's rim, where that is damage too
    assert run.recipe.inpaint == asked.inpaint
    with pytest.raises(ControlError, match="needs the mask"):
        pipeline.run(restorer, cracked, asked)
    with pytest.raises(ControlError, match="not the mask"):
        pipeline.run(restorer, cracked, asked, drawn=scratches.picture(~there))


def test_what_differs_is_said(photo: Photo) -> None:
    ran = pipeline.run(Restorer("cpu"), photo, Recipe(models={"cnn": None})).recipe
    assert Recipe(models={"cnn": None}).mismatch(ran) is None
    assert ran.mismatch(ran) is None
    older = replace(ran, models={"cnn": "a" * 64}, versions={**ran.versions, "torch": "0.1"})
    says = str(older.mismatch(ran))
    assert "cnn aaaaaaaaaaaa → " in says
    assert "torch 0.1 → " in says
    assert "numpy" not in says
