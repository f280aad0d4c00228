"""Every error that a visitor may meet has its French."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from restoration import image
from restoration.errors import ControlError, PhotoError, RestorationError, WeightsError, sentences
from tests.conftest import ROOT
from ui.errors import sentence

ERRORS = {"RestorationError", *(kind.__name__ for kind in RestorationError.__subclasses__())}
COMMAND_LINE = ("cli", "plan.py", "report.py", "ray_cluster.py", "onnx_export.py")
"""What they say, no visitor of the app reads."""
MODULES = [path for folder in ("restoration", "ui") for path in sorted((ROOT / folder).rglob("*.py"))]
ENGLISH, FRENCH = sentences("en"), sentences("fr")
VERDICT = {
    f"verdict_{phrase}"
    for phrase in (
        *("sentence", "always", "never", "somewhere", "at", "until", "until_falling", "since", "since_falling"),
        *("between", "and", "series"),
    )
}
"""The phrases that `robustness.verdict` makes its sentence of."""


def constructions(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every place where a module makes an error for the user, with the error's code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        is_error = isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ERRORS
        if is_error and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value, node


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_error_has_its_sentence_in_both_languages(path: Path) -> None:
    for code, call in constructions(path):
        where = f"{path.name}:{call.lineno}: {code}"
        assert fields(ENGLISH[code]) == {keyword.arg for keyword in call.keywords}, where
        if not {path.name, path.parent.name} & set(COMMAND_LINE):
            assert fields(FRENCH[code]) == fields(ENGLISH[code]), where


def test_every_sentence_is_used() -> None:
    used = {code for path in MODULES for code, _ in constructions(path)} | {"photo_bad", *VERDICT}
    assert used == set(ENGLISH)
    assert set(FRENCH) <= used


def test_a_verdict_has_its_phrases_in_both_languages() -> None:
    for phrase in VERDICT:
        assert fields(FRENCH[phrase]) == fields(ENGLISH[phrase]), phrase


def test_french_has_its_typography() -> None:
    for code, french in FRENCH.items():
        bare = "".join(text for text, *_ in Formatter().parse(french))
        assert all(bare[place - 1] == " " for place, sign in enumerate(bare) if sign in ";:!?»"), french
        assert french.endswith((".", "}")) or code in VERDICT


@pytest.mark.parametrize(
    ("french", "says"),
    [
        (False, "page.png is not a picture that can be read here; save it as PNG or JPEG."),
        (True, "page.png n'est pas une image lisible ici ; enregistrez-la en PNG ou en JPEG."),
    ],
)
def test_an_error_is_worded(tmp_path: Path, french: bool, says: str) -> None:
    (tmp_path / "page.png").write_bytes(b"<html>" * 50)
    with pytest.raises(PhotoError) as caught:
        image.load(tmp_path / "page.png")
    assert sentence(caught.value, french) == says


@pytest.mark.parametrize("french", [False, True])
def test_folders_are_hidden_and_addresses_are_not(tmp_path: Path, french: bool) -> None:
    reason = FileNotFoundError(2, "No such file or directory", str(tmp_path / "b.bin"))
    url = "https://example.org/releases/c.pth"
    fields_ = {"name": "c.pth", "reason": reason, "url": url, "folder": tmp_path / "cache"}
    said = sentence(WeightsError("fetch_failed", **fields_), french)
    assert str(tmp_path.parent) not in said
    assert "'b.bin'" in said
    assert url in said
    assert "cache" in said


def test_foreign_text_is_one_line_that_ends_and_no_tag() -> None:
    name = "<img src=x onerror=alert(1)>\n\x1b[2J" + "x" * 10_000
    for field in (name, {"a": name}, [name], ValueError(name)):
        error = ControlError("preset_unknown", name=field, choices=field)
        for said in (str(error), sentence(error, french=True)):
            assert len(said) < 750
            assert said.isprintable()
            assert "<" not in said
    for name, written in (("vae", "'vae'"), (["vae"], "['vae']")):
        assert f"no preset called {written};" in str(ControlError("preset_unknown", name=name, choices=""))


def test_a_sentence_without_french_stays_english() -> None:
    assert sentence(ControlError("export_format"), french=True) == str(ControlError("export_format"))
