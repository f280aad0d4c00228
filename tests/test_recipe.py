from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from restoration import PRESETS, ControlError, Degradation, Look, Recipe, Upscaling
from restoration.recipe import SCHEMA
from restoration.types import Inpainting


def bomb() -> str:
    """A link that would unpack to 100 MB."""
    return base64.urlsafe_b64encode(zlib.compress(b" " * 10**8, 9)).decode().rstrip("=")


def test_a_recipe_survives_json() -> None:
    recipe = Recipe(fit="pad", degradation=PRESETS["heavy"].draw(2), seed=2, models={"vae": "0" * 64})
    recipe = replace(recipe, upscaling=Upscaling(scale=4, engine="fast", method="x4", weights={"a": "0" * 64}))
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    assert set(recipe.to_json()["versions"]) == {"torch", "numpy", "pillow"}


def test_a_recipe_of_before_prints_aged_replays_and_is_written_anew() -> None:
    old = {"schema": 3, "degradation": {"grayscale": True, "gaussian": 0.1, "blur": 3}, "seed": 2}
    recipe = Recipe.from_json(old)
    assert recipe.degradation == Degradation(grayscale=True, gaussian=0.1, blur=3)
    assert recipe.to_json()["schema"] == SCHEMA
    assert recipe.to_json()["degradation"]["dust"] == 0
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_a_recipe_of_before_photos_were_restored_whole_says_by_its_fit_which_size_it_means() -> None:
    square = Recipe.from_json({"schema": 4, "fit": "pad", "models": {"vae": None}})
    assert (square.size, square.fit, square.look) == (128, "pad", Look())
    whole = Recipe.from_json({"schema": 4, "fit": None, "upscaling": {"scale": 4, "engine": "fast"}})
    assert whole.size == "own"
    assert Recipe.from_json(whole.to_json()) == whole


def test_a_recipe_of_before_scratches_were_mended_leaves_them() -> None:
    assert Recipe.from_json({"schema": 5, "size": "own"}).inpaint is None
    mending = Recipe(size="own", inpaint=Inpainting(sensitivity=0.4, weights_sha256="0" * 64))
    assert Recipe.from_json(json.loads(json.dumps(mending.to_json()))) == mending


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ("{", "no JSON"),
        ("[]", "not a recipe"),
        ('{"schema": 99}', "schema 99"),
        ('{"schema": 6, "mode": "x"}', "'mode'"),
        ('{"schema": 6, "degradation": {"gaussian": 7}}', "gaussian"),
        ('{"schema": 6, "degradation": {"sepia": 1}}', "sepia"),
        ('{"schema": 6, "degradation": 3}', "degradation cannot be 3"),
        ('{"schema": 6, "fit": "stretch"}', "no fit"),
        ('{"schema": 6, "size": 256}', "size is own or 128, not 256"),
        ('{"schema": 6, "inpaint": 1}', "inpaint cannot be 1"),
        ('{"schema": 6, "size": "own", "inpaint": {"sensitivity": 2}}', "from 0 to 1, not 2"),
        ('{"schema": 6, "size": "own", "inpaint": {"mask": "mine.png"}}', "auto or a SHA-256, not 'mine.png'"),
        ('{"schema": 6, "size": "own", "inpaint": {"brush": 2}}', "'brush'"),
        ('{"schema": 6, "inpaint": {}}', "at a photo's own size"),
        ('{"schema": 6, "look": 1}', "look cannot be 1"),
        ('{"schema": 6, "look": {"hue": 1}}', "'hue'"),
        ('{"schema": 6, "look": {"colour": "old"}}', "no colour called 'old'"),
        ('{"schema": 6, "look": {"colour_strength": 3}}', "from 0 to 2, not 3"),
        ('{"schema": 6, "look": {"tone": true}}', "from 0 to 1, not True"),
        ('{"schema": 6, "look": {"sample": 0}}', "from 1 to 64, not 0"),
        ('{"schema": 6, "versions": {"torch": 2}}', "versions: torch"),
        ('{"schema": 6, "seed": -4}', "seed"),
        ('{"schema": 6, "seed": "x"}', "seed"),
        ('{"schema": 6, "upscaling": {"scale": true, "engine": "fast"}}', "upscaling: scale cannot be True"),
        ('{"schema": 6, "upscaling": {"scale": 4}}', "upscaling: engine cannot be None"),
        ('{"schema": 6, "upscaling": {"size": 4}}', "'size'"),
        ('{"schema": 6, "upscaling": 4}', "upscaling cannot be 4"),
        ('{"schema": 6, "models": ["vae"]}', "models cannot be"),
        ('{"schema": 6, "models": {"vae": 3}}', "models: vae cannot be 3"),
    ],
)
def test_what_is_no_recipe_is_said(tmp_path: Path, contents: str, says: str) -> None:
    (tmp_path / "recipe.json").write_text(contents)
    with pytest.raises(ControlError, match=says):
        Recipe.read(tmp_path / "recipe.json")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="cannot be read"):
        Recipe.read(tmp_path / "none.json")


def test_a_recipe_survives_a_link() -> None:
    recipe = Recipe(
        fit="squash", degradation=PRESETS["original"].draw(9), seed=9, models={"vae": "0" * 64, "gan": None}
    )
    link = recipe.to_link()
    assert Recipe.from_link(link) == recipe
    assert len(link) < 600
    assert link.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("link", ["", "!", "AAAA", "é", Recipe(seed=1).to_link()[:-9], bomb()])
def test_what_is_no_link_is_said(link: str) -> None:
    with pytest.raises(ControlError, match=r"link's recipe is incomplete|no JSON"):
        Recipe.from_link(link)
