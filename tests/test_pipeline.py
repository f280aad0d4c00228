from __future__ import annotations

from dataclasses import replace

import numpy as np

from restoration import PRESETS, Photo, Recipe, Restorer, Upscaling, pipeline


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


def test_what_differs_is_said(photo: Photo) -> None:
    ran = pipeline.run(Restorer("cpu"), photo, Recipe(models={"cnn": None})).recipe
    assert Recipe(models={"cnn": None}).mismatch(ran) is None
    assert ran.mismatch(ran) is None
    older = replace(ran, models={"cnn": "a" * 64}, versions={**ran.versions, "torch": "0.1"})
    says = str(older.mismatch(ran))
    assert "cnn aaaaaaaaaaaa → " in says
    assert "torch 0.1 → " in says
    assert "numpy" not in says
