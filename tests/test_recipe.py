from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from restoration import PRESETS, ControlError, Recipe, Upscaling


def test_a_recipe_survives_json() -> None:
    recipe = Recipe(fit="pad", degradation=PRESETS["heavy"].draw(2), seed=2, model="vae", weights_sha256="0" * 64)
    recipe = replace(recipe, upscaling=Upscaling(scale=4, engine="fast", method="x4", weights={"a": "0" * 64}))
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    assert set(recipe.to_json()["versions"]) == {"torch", "numpy", "pillow"}


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ("{", "cannot be read"),
        ("[]", "not a recipe"),
        ('{"schema": 99}', "schema 99"),
        ('{"schema": 2, "mode": "x"}', "'mode'"),
        ('{"schema": 2, "degradation": {"gaussian": 7}}', "gaussian"),
        ('{"schema": 2, "degradation": {"sepia": 1}}', "sepia"),
        ('{"schema": 2, "degradation": 3}', "object"),
        ('{"schema": 2, "seed": -4}', "seed"),
        ('{"schema": 2, "seed": "x"}', "seed"),
        ('{"schema": 2, "upscaling": {"scale": 3, "engine": "fast", "method": "x3"}}', "2 or 4"),
        ('{"schema": 2, "upscaling": {"size": 4}}', "upscaling is not one"),
        ('{"schema": 2, "upscaling": 4}', "upscaling is not one"),
        ('{"schema": 2, "model": ["vae"]}', "model"),
    ],
)
def test_what_is_no_recipe_is_said(tmp_path: Path, contents: str, says: str) -> None:
    (tmp_path / "recipe.json").write_text(contents)
    with pytest.raises(ControlError, match=says):
        Recipe.read(tmp_path / "recipe.json")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="cannot be read"):
        Recipe.read(tmp_path / "none.json")
