"""Recipes as a stranger would make them: run, or refused in one sentence."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from restoration import ControlError, Recipe, RestorationError, Restorer, Upscaling, pipeline
from restoration.__main__ import app
from restoration.recipe import SCHEMA
from tests.conftest import EXAMPLES

pytestmark = pytest.mark.hostile

WHOLE: dict[str, Any] = Recipe(
    degradation=None, seed=3, models={"cnn": "0" * 64}, upscaling=Upscaling(scale=4, engine="fast", weights={"a": "b"})
).to_json() | {"degradation": {"gaussian": 0.1, "blur": 3, "grayscale": True}}
BICUBIC = {"scale": 4, "engine": "bicubic", "tile": 16}
NASTY: list[Any] = [
    *(None, True, -1, 0, 10**400, float("nan"), float("inf"), 1e-320, "", "\0", "\ud800", "\x1b[2J\n", "../../etc/x"),
    *("x" * 10**5, [], [[[]]], {}, {"": None}, {"\ud800\n": 3}, {"x" * 10**5: 1}, ["vae"] * 1000),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(NASTY),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9) | st.sampled_from([*WHOLE, *WHOLE["upscaling"]]), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A recipe in which one to three values, names or whole parts are others."""
    recipe = json.loads(json.dumps(WHOLE))
    for _ in range(draw(st.integers(1, 3))):
        parts = [recipe, *(part for part in recipe.values() if isinstance(part, dict))]
        part = draw(st.sampled_from(parts))
        key = draw(st.sampled_from([*part, "new", "\0", "vae"]))
        part[key] = draw(values)
    return recipe


def recipe_or_refusal(make: Callable[[], Recipe]) -> Recipe | None:
    """A recipe, or None where it is refused in one sentence that can be printed anywhere."""
    try:
        return make()
    except ControlError as error:
        says = str(error)
    assert (says.isprintable(), len(says) < 1000) == (True, True), says[:1000]
    return None


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(values | mutated())
def test_anything_is_a_recipe_or_refused(restorer: Restorer, written: Any) -> None:
    """And what is one resolves, or says why it does not."""
    if recipe := recipe_or_refusal(lambda: Recipe.from_json(written)):
        again = Recipe.from_text(json.dumps(recipe.to_json()))
        assert json.dumps(again.to_json()) == json.dumps(recipe.to_json())
        try:
            says = str(recipe.mismatch(pipeline.resolve(restorer, recipe)))
        except RestorationError as error:
            says = str(error)
        assert (says.isprintable(), len(says) < 1000) == (True, True), says[:1000]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=50) | st.binary(max_size=50).map(lambda raw: raw.decode("latin1")), st.integers(0, 10**6))
def test_any_text_is_a_recipe_or_refused(text: str, at: int) -> None:
    link, whole = Recipe(models={"vae": None}).to_link(), json.dumps(WHOLE)
    for damaged in (text, link[: at % len(link)] + text, link[: at % len(link)] + text + link[at % len(link) :]):
        recipe_or_refusal(lambda each=damaged: Recipe.from_link(each))  # type: ignore[misc]
    for damaged in (text, whole[: at % len(whole)] + text + whole[at % len(whole) :]):
        recipe_or_refusal(lambda each=damaged: Recipe.from_text(each))  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    ["[" * 60_000, '{"schema": ' * 9000, '{"schema": 3, "seed": ' + "9" * 5000 + "}", "NaN", "\ufeff{}", "\ud800"],
    ids=["lists", "objects", "digits", "no number", "byte order mark", "surrogate"],
)
def test_texts_that_trip_parsers(tmp_path: Path, text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    (tmp_path / "recipe.json").write_bytes(raw)
    link = base64.urlsafe_b64encode(zlib.compress(raw)).decode()
    assert recipe_or_refusal(lambda: Recipe.from_text(text)) is None
    assert recipe_or_refusal(lambda: Recipe.from_link(link)) is None
    assert recipe_or_refusal(lambda: Recipe.read(tmp_path / "recipe.json")) is None


@pytest.mark.parametrize("schema", [SCHEMA + 1, 999, "4", None])
def test_a_recipe_of_the_future_says_what_is_read(tmp_path: Path, schema: Any) -> None:
    recipe = {**WHOLE, "schema": schema, "a field of then": [1]}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    for make in (lambda: Recipe.from_json(recipe), lambda: Recipe.read(tmp_path / "recipe.json")):
        with pytest.raises(
            ControlError, match=rf"has schema {schema!r}, but this program reads {SCHEMA}; make it anew"
        ):
            make()


def replay(recipe: dict[str, Any], folder: Path) -> tuple[int, str]:
    """The exit status and what stands on the standard error."""
    (folder / "recipe.json").write_text(json.dumps({**WHOLE, "degradation": None, "upscaling": None, **recipe}))
    command = ["replay", folder / "recipe.json", EXAMPLES / "coffee.jpg", "-o", folder / "out" / "sub"]
    result = CliRunner().invoke(app, [str(part) for part in command])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"models": {"../../etc/passwd": None}}, "no model called '../../etc/passwd'"),
        ({"models": {"a\0b": None, "vae": None}}, "no model called"),
        ({"models": {"\ud800": None, "vae": None}}, "no model called"),
        ({"models": {"n" * 5000: None, "vae": None}}, "no model called"),
        ({"models": {f"m{number}": None for number in range(20_000)}}, "no model called 'm0'"),
        ({"upscaling": {"scale": 10**4000, "engine": "fast"}}, "scale must be 2 or 4"),
        ({"upscaling": {"scale": 4, "engine": "../fast", "tile": 16}}, "no engine called"),
        ({"upscaling": {"scale": 4, "engine": "fast", "tile": 10**30}}, "A tile must be"),
        ({"upscaling": {"scale": 4, "engine": "general", "denoise": float("nan")}}, "from 0 to 1, not nan"),
        ({"size": 10**4000}, "size is own or 128"),
        ({"look": {"tone": float("nan")}}, "from 0 to 1, not nan"),
        ({"look": {"sample": 10**30}}, "sample must be"),
    ],
)
def test_a_hostile_recipe_is_wrong_usage(tmp_path: Path, recipe: dict[str, Any], says: str) -> None:
    status, error = replay(recipe, tmp_path)
    assert (status, error.count("\n"), says in error, len(error) < 1000) == (2, 1, True, True), error[:300]
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.json"]


@pytest.mark.parametrize(
    "recipe",
    [
        {"versions": {f"library{number}": "1" for number in range(100_000)}},
        {"versions": {"torch\n\x1b[2J": "\x1b[2J"}},
        {"models": {"cnn": "\x1b[2J\n"}},
        {"upscaling": {**BICUBIC, "weights": {"../../etc/passwd": "0", "/dev/zero": ""}}},
        {"seed": 10**4000, "degradation": {"gaussian": 0.1, "blur": 3.0, "lines": 2.0, "jpeg": 50.0}},
    ],
)
def test_a_strange_recipe_runs_and_its_note_is_a_sentence(tmp_path: Path, recipe: dict[str, Any]) -> None:
    status, note = replay(recipe, tmp_path)
    assert status == 0
    assert note.rstrip("\n").isprintable()
    assert len(note) < 1000
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sub"]
