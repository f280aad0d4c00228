"""A recipe as the app's controls, and as a link."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from restoration import PRESETS, ControlError, Degradation, Look, Photo, Recipe, Restorer, Upscaling, image, pipeline
from restoration.degradations import CONTROLS
from restoration.types import Inpainting
from tests.conftest import EXAMPLES
from tests.ui.test_sidebar import VALUES, visitor
from ui.context import OFFERED_ENGINES, TITLES, AppContext
from ui.links import link
from ui.recipe_section import difference, settings
from ui.results import pictures
from ui.sidebar import requested_recipe

DAMAGE = PRESETS["heavy"].draw(11)
FULL = Recipe(
    fit="squash",
    degradation=DAMAGE,
    seed=11,
    models={"vae": "0" * 64, "cnn": None},
    upscaling=Upscaling(scale=2, engine="general", denoise=0.35),
)
RECIPES = [
    FULL,
    replace(FULL, upscaling=None),
    replace(FULL, degradation=replace(DAMAGE, grayscale=False, blur=21, jpeg=2, lines=0)),
    replace(FULL, degradation=Degradation(), seed=0),
    *(replace(FULL, upscaling=Upscaling(scale=4, engine=engine)) for engine in OFFERED_ENGINES if engine != "general"),
    Recipe(size="own", look=Look(colour="auto"), models=dict.fromkeys(TITLES)),
    Recipe(size="own", fit="pad", look=Look(colour="none", tone=0), models={"gan": None},
           upscaling=Upscaling(scale=4, engine="fast", weights={"a": "0" * 64})),
    Recipe(size="own", look=Look(colour="new", colour_strength=1.5, tone=0.3, sample=5), seed=4, models={"vae": None}),
]  # fmt: skip


def asked_again(recipe: Recipe) -> Recipe:
    """What the controls ask for once the recipe is loaded into them, whatever they held before."""
    controls: dict[str, Any] = {**VALUES, **settings(recipe)}
    return requested_recipe(controls, visitor())


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_the_controls_ask_for_the_recipe(recipe: Recipe) -> None:
    unhashed = replace(recipe, models=dict.fromkeys(recipe.models))
    if recipe.upscaling:
        unhashed = replace(unhashed, upscaling=replace(recipe.upscaling, weights={}))
    assert asked_again(recipe) == unhashed


@pytest.mark.parametrize("upscaling", [None, Upscaling(scale=4, engine="auto"), Upscaling(scale=2, engine="bicubic")])
def test_a_result_is_made_again_through_the_controls(
    upscaling: Upscaling | None, photo: Photo, restorer: Restorer
) -> None:
    """What ran is named, and asking for it by name gives the same pixels."""
    once = pipeline.run(restorer, photo, Recipe(degradation=DAMAGE, seed=3, models={"gan": None}, upscaling=upscaling))
    again = pipeline.run(restorer, photo, asked_again(once.recipe))
    assert again.recipe == once.recipe
    found, expected = (pictures(run) for run in (again, once))
    assert list(found) == list(expected)
    assert all(np.array_equal(found[kind].pixels, expected[kind].pixels) for kind in found)


def test_a_whole_photo_is_restored_again_through_the_controls(restorer: Restorer) -> None:
    photo = Photo(image.load(EXAMPLES / "coffee.jpg").pixels[:80, :120].copy())
    look = Look(colour="new", colour_strength=1.3, tone=0.5, sample=2)
    once = pipeline.run(restorer, photo, Recipe(size="own", look=look, seed=6, models={"vae": None}))
    again = pipeline.run(restorer, photo, asked_again(Recipe.from_link(once.recipe.to_link())))
    assert again.recipe == once.recipe
    assert np.array_equal(again.restored["vae"].photo.pixels, once.restored["vae"].photo.pixels)


def test_a_photo_that_was_not_degraded_at_128_is_degraded_by_nothing(photo: Photo, restorer: Restorer) -> None:
    """The controls have no other way to 128x128, and it gives the same pixels."""
    once = Recipe(models={"cnn": None})
    assert (settings(once)["mode"], asked_again(once).degradation) == ("degrade", Degradation())
    found, expected = (pipeline.run(restorer, photo, each).restored["cnn"] for each in (asked_again(once), once))
    assert np.array_equal(found.photo.pixels, expected.photo.pixels)


def test_every_control_of_the_damage_is_set() -> None:
    values = settings(FULL)
    assert {name: values[name] for name in ("grayscale", *CONTROLS)} == asdict(DAMAGE)
    off = settings(Recipe(size="own", look=Look(colour="keep"), models={"vae": None}))
    assert (off["mode"], off["colour"], off["sample"]) == ("damaged", "keep", 0)
    assert {name: off[name] for name in ("grayscale", *CONTROLS)} == asdict(Degradation())
    assert set(values) | set(off) <= set(VALUES)
    assert "colour" not in values  # the laboratory's is not what a whole photo should start from


def test_mending_is_asked_for_again() -> None:
    whole = Recipe(size="own", models={"vae": None})
    assert not settings(whole)["mend"]
    mended = settings(replace(whole, inpaint=Inpainting(sensitivity=0.3)))
    assert (mended["mend"], mended["sensitivity"]) == (True, 0.3)


def test_a_recipe_without_a_seed_is_not_left_to_the_one_that_is_set() -> None:
    """Replaying it takes 0."""
    assert settings(replace(FULL, seed=None))["seed"] == 0
    assert "seed" not in settings(Recipe(models={"vae": None}))


def test_an_engine_that_the_app_does_not_offer_is_asked_for_by_the_one_that_chooses_it() -> None:
    values = settings(Recipe(models={"vae": None}, upscaling=Upscaling(scale=2, engine="x2plus")))
    assert (values["engine"], values["scale"]) == ("x4plus", 2)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (Recipe(), "restores nothing"),
        (Recipe(degradation=DAMAGE, seed=1), "restores nothing"),
        (Recipe(size="own", degradation=DAMAGE, models={"vae": None}), "replay this recipe on the command line"),
        (Recipe(look=Look(colour="keep"), models={"vae": None}), "replay this recipe on the command line"),
        (Recipe(size="own", upscaling=Upscaling(scale=4, engine="fast")), "restores nothing"),
        (Recipe(size="own", inpaint=Inpainting(mask="0" * 64), models={"vae": None}), r"with that mask \(--mask\)"),
        (Recipe(models={"vae": None, "unet": None}), "no model called 'unet'"),
        (Recipe(size="own", look=Look(sample=2), models=dict.fromkeys(TITLES)), "GAN has no samples"),
        (Recipe(models={"vae": None}, upscaling=Upscaling(scale=3, engine="fast")), "scale must be 2 or 4"),
        (Recipe(models={"vae": None}, upscaling=Upscaling(scale=4, engine="warp")), "no engine called 'warp'"),
        (Recipe(models={"vae": None}, upscaling=Upscaling(scale=4, engine="fast", denoise=0.5)), "Only the engine"),
        (Recipe(models={"vae": None}, upscaling=Upscaling(scale=4, engine="general", denoise=7)), "from 0 to 1"),
    ],
)
def test_what_the_controls_cannot_show_is_refused(recipe: Recipe, says: str) -> None:
    with pytest.raises(ControlError, match=says):
        settings(recipe)


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("http://127.0.0.1:7860/", "http://127.0.0.1:7860/"),
        ("https://example.org/lab/?recipe=old&__theme=dark", "https://example.org/lab/"),
        ("https://example.org/lab/#about", "https://example.org/lab/"),
        ("https://example.org/lab/?a=1#about", "https://example.org/lab/"),
    ],
)
def test_a_link_opens_this_very_app(page: str, address: str) -> None:
    found, _, packed = link(visitor(referer=page), "recipe", FULL.to_link()).partition("?recipe=")
    assert found == address
    assert Recipe.from_link(packed) == FULL


def test_a_link_without_an_address_is_still_a_link() -> None:
    for request in (None, visitor()):
        page, _, packed = link(request, "recipe", FULL.to_link()).partition("?recipe=")
        assert page == ""
        assert Recipe.from_link(packed) == FULL


def test_what_is_not_as_it_was_is_told_before_the_run(restorer: Restorer) -> None:
    """Also where the recipe's engine cannot be had, which tests without a network have not."""
    recipe = Recipe(models={"cnn": None}, upscaling=Upscaling(scale=4, engine="general"))
    assert difference(recipe, AppContext(restorer)) is None
    older = replace(recipe, models={"cnn": "a" * 64}, versions={"device": "cuda"})
    told = str(difference(older, AppContext(restorer)))
    assert "cnn aaaaaaaaaaaa → " in told
    assert "device cuda → cpu" in told
