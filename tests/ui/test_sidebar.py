"""The photo's side of the app: what its controls ask for."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.data_classes import ImageData

from restoration import PRESETS, ControlError, Look, Recipe, Upscaling
from tests.conftest import EXAMPLES
from ui import sidebar
from ui.context import OFFERED_ENGINES
from ui.files import publish

VALUES: dict[str, Any] = {
    "photo": str(EXAMPLES / "coffee.jpg"),
    "mode": "degrade",
    "fit": "pad",
    "seed": 7,
    **asdict(PRESETS["heavy"].draw(7)),
    **asdict(Look(colour="auto")),
    "sample": 0,
    "models": ["cnn", "vae"], "scale": 0, "engine": "auto", "denoise": 0.25, "mend": False, "sensitivity": 0.5,
}  # fmt: skip
"""What the sidebar's components hold, by name."""


def visitor(language: str = "en", **headers: str) -> gr.Request:
    return gr.Request(headers={"accept-language": language, **headers})


def test_damage_is_asked_for_as_it_is_set() -> None:
    assert sidebar.recipe_from_controls(VALUES) == Recipe(fit="pad", degradation=PRESETS["heavy"].draw(7), seed=7)


def test_a_photo_that_is_damaged_already_is_restored_whole() -> None:
    whole = Recipe(size="own", fit="pad", look=Look(colour="auto"))
    assert sidebar.recipe_from_controls({**VALUES, "mode": "damaged"}) == whole
    for unseen in ({"gaussian": math.nan}, {"seed": None}):
        assert sidebar.recipe_from_controls({**VALUES, "mode": "damaged", **unseen}) == whole


def test_its_look_is_asked_for_as_it_is_set() -> None:
    look = Look(colour="new", colour_strength=1.5, tone=0.25, sample=3)
    asked = sidebar.recipe_from_controls({**VALUES, "mode": "damaged", **asdict(look)})
    assert asked == Recipe(size="own", fit="pad", look=look, seed=7)  # which draws the samples
    assert sidebar.recipe_from_controls({**VALUES, **asdict(look)}) == sidebar.recipe_from_controls(
        VALUES
    )  # nobody sees it then


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"gaussian": math.nan}, "between 0 and 0.3"),
        ({"gaussian": None}, "gaussian must be a number"),
        ({"blur": 4}, "odd number"),
        ({"grayscale": None}, "true or false"),
        ({"seed": None}, "seed must be a whole number"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"seed": math.nan}, "seed must be a whole number"),
        ({"seed": "4"}, "seed must be a whole number"),
        ({"fit": "stretch"}, "no fit"),
        ({"fit": "stretch", "mode": "damaged"}, "no fit"),
        ({"colour": None, "mode": "damaged"}, "no colour called None"),
        ({"colour_strength": math.nan, "mode": "damaged"}, "colour_strength must be a number from 0 to 2"),
        ({"tone": None, "mode": "damaged"}, "tone must be a number from 0 to 1"),
        ({"sample": 65, "mode": "damaged"}, "sample must be a whole number from 1 to 64"),
        ({"sample": 1, "seed": None, "mode": "damaged"}, "seed must be a whole number"),
    ],
)
def test_values_that_there_are_not(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ControlError, match=says):
        sidebar.recipe_from_controls({**VALUES, **changes})


def test_the_controls_make_a_recipe() -> None:
    found = sidebar.requested_recipe(VALUES, visitor())
    assert found == Recipe(fit="pad", degradation=PRESETS["heavy"].draw(7), seed=7, models={"vae": None, "cnn": None})
    assert list(found.models) == ["vae", "cnn"]  # in the models' own order, not that of the clicks


@pytest.mark.parametrize("engine", OFFERED_ENGINES)
@pytest.mark.parametrize("scale", [2, 4])
def test_only_general_is_given_a_denoise_strength(engine: str, scale: int) -> None:
    found = sidebar.requested_recipe({**VALUES, "scale": scale, "engine": engine}, visitor())
    denoise = 0.25 if engine == "general" else None
    assert found.upscaling == Upscaling(scale=scale, engine=engine, denoise=denoise)


def test_a_photo_that_is_restored_whole_is_enlarged_from_its_own_size() -> None:
    found = sidebar.requested_recipe({**VALUES, "mode": "damaged", "scale": 2}, visitor())
    assert (found.size, found.look, found.degradation) == ("own", Look(colour="auto"), None)
    assert found.upscaling == Upscaling(scale=2, engine="auto")  # of its own size


def test_a_model_must_be_chosen() -> None:
    with pytest.raises(gr.Error, match="Choose a model first"):
        sidebar.requested_recipe({**VALUES, "models": []}, visitor())
    with pytest.raises(gr.Error, match="Choose a model first"):
        sidebar.requested_recipe({**VALUES, "models": None}, visitor())
    with pytest.raises(gr.Error, match="Choisissez d'abord un modèle"):
        sidebar.requested_recipe({**VALUES, "models": []}, visitor("fr"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scale": "4"}, "upscaling: scale cannot be '4'"),
        ({"scale": 4, "engine": None}, "upscaling: engine cannot be None"),
        ({"scale": 4, "engine": "general", "denoise": "much"}, "upscaling: denoise cannot be 'much'"),
    ],
)
def test_an_enlargement_that_there_is_not(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ControlError, match=says):
        sidebar.requested_recipe({**VALUES, **changes}, visitor())


def test_a_photo_must_be_chosen() -> None:
    assert sidebar.chosen(VALUES["photo"], visitor()) == str(EXAMPLES / "coffee.jpg")
    for missing in (None, ""):
        with pytest.raises(gr.Error, match=r"^'Choose a photo first\.'$"):
            sidebar.chosen(missing, visitor())
        with pytest.raises(gr.Error, match=r"Choisissez d'abord une photo\."):
            sidebar.chosen(missing, visitor("fr-CA,fr;q=0.9"))


def test_an_upload_is_its_file_untouched() -> None:
    assert sidebar.uploaded_file(None) is None
    sent = publish({"b.tif": b"whatever it is"})["b.tif"]
    assert sidebar.uploaded_file(ImageData(path=sent)) == sent


def test_no_file_of_this_machine_passes_for_an_upload(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(EXAMPLES / "coffee.jpg")
    folder = Path(publish({"a.png": b""})["a.png"]).parent
    (folder / "link.jpg").symlink_to(EXAMPLES / "coffee.jpg")
    for path in (EXAMPLES / "coffee.jpg", tmp_path / "link.jpg", folder / "link.jpg", folder / ".." / ".." / "x", ""):
        with pytest.raises(ControlError, match="must be an uploaded file"):
            sidebar.uploaded_file(ImageData(path=str(path), url="https://example.org/b.tif"))
