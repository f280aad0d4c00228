"""Every sentence of the app: in both languages, well set, used, and found by Gradio."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import get_args

import gradio as gr
import pytest

from restoration import image
from restoration.degradations import CONTROLS, PRESETS
from restoration.metrics import Metrics
from restoration.robustness import DEGRADED, GAIN, PLOTTED
from restoration.types import Colour, Size
from tests.conftest import ROOT
from tests.ui.words import ENGLISH, FRENCH, SENTENCES
from ui.context import OFFERED_ENGINES
from ui.texts import is_french, number, text

SOURCES = [*(path for path in sorted((ROOT / "ui").rglob("*.py")) if path.name != "texts.py"), ROOT / "app.py"]
SPACES = (" ", "\u00a0", "\u202f")
SAYERS = ("i18n", "text", "refuse")
"""The functions that are given a key."""
MEASURES = {each.name for each in fields(Metrics)}
FROM_THE_LIBRARY = {*CONTROLS, *PRESETS, *PLOTTED, *MEASURES, *get_args(image.Fit), DEGRADED, GAIN}
"""Names that the library gives, and that are shown by the sentence of their name."""
WORDS = {f"{scale}_{step}" for scale in ("noise", "blur", "contrast", "colour") for step in range(4)}


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    """Everything in the app's code, with its file."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path, node


def pattern(node: ast.JoinedStr) -> str:
    """What an f-string may become."""
    literals = [each.value if isinstance(each, ast.Constant) else None for each in node.values]
    return "".join(re.escape(each) if isinstance(each, str) else r"\w+" for each in literals)


def asked() -> Iterator[tuple[str, ast.expr]]:
    """Where a key is asked for: the place, and what is written there."""
    for path, node in nodes():
        if isinstance(node, ast.Call) and ast.unparse(node.func) in SAYERS and node.args:
            yield f"{path.name}:{node.lineno}", node.args[0]


def named(template: str) -> list[tuple[str, str | None]]:
    return sorted((name, spec) for _, name, spec, _ in Formatter().parse(template) if name is not None)


# --- The sentences ----------------------------------------------------------------------------------------------------


def test_there_is_a_sentence_in_both_languages_with_the_same_fields() -> None:
    assert ENGLISH.keys() == FRENCH.keys()
    for key, (english, french) in SENTENCES.items():
        assert english.strip(), key
        assert french.strip(), key
        assert named(english) == named(french), key
        assert english[:1].isspace() == french[:1].isspace(), key  # what is put after another sentence
        assert english.count("\n") == french.count("\n"), key


def test_french_has_its_typography() -> None:
    for key, (_, sentence) in SENTENCES.items():
        shown = re.sub(r"https?://\S+", "", re.sub(r"<[^>]*>", "", sentence))
        bare = "".join(literal + ("x" if name is not None else "") for literal, name, *_ in Formatter().parse(shown))
        for place, sign in enumerate(bare):
            if sign in ";:!?»%":
                assert bare[place - 1] in SPACES, f"{key}: {bare[max(0, place - 20) : place + 1]}"
            if sign == "«":
                assert bare[place + 1] in SPACES, f"{key}: {bare[place : place + 20]}"
        assert "..." not in bare, key
        assert "“" not in bare, key


def test_english_has_its_typography() -> None:
    for key, (sentence, _) in SENTENCES.items():
        assert not re.search(f"[{''.join(SPACES)}][;:!?]", sentence), key


# --- Their use --------------------------------------------------------------------------------------------------------


def test_every_sentence_is_used() -> None:
    """A key is used where the code has it as a literal, or an f-string that begins with a literal may become it, or
    `labelled` with a prefix.
    """
    literals = {node.value for _, node in nodes() if isinstance(node, ast.Constant)}
    prefixes = {each for each in literals if isinstance(each, str) and re.fullmatch("[a-z]+_", each)}
    patterns = {pattern(node) for _, node in nodes() if isinstance(node, ast.JoinedStr)}
    patterns = {each for each in patterns if re.match("[a-z]+_", each)} | {rf"{each}\w+" for each in prefixes}
    for key in SENTENCES.keys() - literals - FROM_THE_LIBRARY - WORDS:
        assert any(re.fullmatch(made, key) for made in patterns), f"{key} is used nowhere"


def test_every_sentence_that_is_asked_for_is_there() -> None:
    places = list(asked())
    assert len(places) > 80
    for where, given in places:
        branches = [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
        for each in branches:
            if isinstance(each, ast.Constant):
                assert each.value in SENTENCES, f"{where}: {each.value!r}"
            elif isinstance(each, ast.JoinedStr):
                assert any(re.fullmatch(pattern(each), key) for key in SENTENCES), f"{where}: {ast.unparse(each)}"


def test_what_the_code_makes_of_names_is_there() -> None:
    made = {f"engine_{name}" for name in OFFERED_ENGINES} | {f"upscale_{times}" for times in (0, 2, 4)}
    made |= {f"colour_{name}" for name in get_args(Colour)} | {f"size_{size}" for size in get_args(Size)}
    assert made | WORDS | FROM_THE_LIBRARY <= SENTENCES.keys()


# --- What handlers write ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("fr", True),
        ("fr-FR,fr;q=0.9,en;q=0.8", True),
        ("fr-CA", True),
        (" FR-be;q=1", True),
        ("fr;q=0.8,en;q=0.5", True),
        ("en-GB,en;q=0.9,fr;q=0.8", False),  # it is not the first
        ("de,fr;q=0.9", False),
        ("frr,de;q=0.9", False),  # North Frisian
        ("*", False),
        ("", False),
    ],
)
def test_the_first_language_decides(accepted: str, expected: bool) -> None:
    assert is_french(gr.Request(headers={"accept-language": accepted})) is expected


def test_who_says_nothing_reads_english() -> None:
    assert not is_french(None)
    assert not is_french(gr.Request(headers={}))


@pytest.mark.parametrize(
    ("value", "digits", "sign", "english", "french"),
    [
        (1.25, 1, False, "1.2", "1,2"),
        (-3.5, 2, False, "−3.50", "−3,50"),
        (3.5, 2, True, "+3.50", "+3,50"),
        (-0.75, 2, True, "−0.75", "−0,75"),
        (0, 3, True, "+0.000", "+0,000"),
        (12, 0, False, "12", "12"),
        (float("inf"), 2, False, "∞", "∞"),
        (float("-inf"), 2, True, "−∞", "−∞"),
    ],
)
def test_numbers_are_written_as_the_language_does(
    value: float, digits: int, sign: bool, english: str, french: str
) -> None:
    assert number(value, digits, False, sign=sign) == english
    assert number(value, digits, True, sign=sign) == french


def test_fields_are_filled_in() -> None:
    assert text("batch_done", False, done=2, total=3) == "2 of 3 restored."
    assert text("batch_done", True, done=2, total=3) == "2 sur 3 restaurées."
    assert text("run", True) == "Restaurer"
    with pytest.raises(KeyError):
        text("batch_done", False, done=2)
    with pytest.raises(KeyError):
        text("unheard of", False)
