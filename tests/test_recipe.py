from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from restoration import PRESETS, ControlError, Degradation, Recipe, Upscaling


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
    assert recipe.to_json()["schema"] == 4
    assert recipe.to_json()["degradation"]["dust"] == 0
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ("{", "no JSON"),
        ("[]", "not a recipe"),
        ('{"schema": 99}', "schema 99"),
        ('{"schema": 4, "mode": "x"}', "'mode'"),
        ('{"schema": 4, "degradation": {"gaussian": 7}}', "gaussian"),
        ('{"schema": 4, "degradation": {"sepia": 1}}', "sepia"),
        ('{"schema": 4, "degradation": 3}', "degradation cannot be 3"),
        ('{"schema": 4, "fit": "stretch"}', "no fit"),
        ('{"schema": 4, "versions": {"torch": 2}}', "versions: torch"),
        ('{"schema": 4, "seed": -4}', "seed"),
        ('{"schema": 4, "seed": "x"}', "seed"),
        ('{"schema": 4, "upscaling": {"scale": true, "engine": "fast"}}', "upscaling: scale cannot be True"),
        ('{"schema": 4, "upscaling": {"scale": 4}}', "upscaling: engine cannot be None"),
        ('{"schema": 4, "upscaling": {"size": 4}}', "'size'"),
        ('{"schema": 4, "upscaling": 4}', "upscaling cannot be 4"),
        ('{"schema": 4, "models": ["vae"]}', "models cannot be"),
        ('{"schema": 4, "models": {"vae": 3}}', "models: vae cannot be 3"),
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
