from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import common, old_prints
from benchmarks.common import EXAMPLES
from restoration import Degradation, image


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_prints, "SHOWN", 2)
    monkeypatch.setattr(old_prints, "PER_SHEET", 1)


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(old_prints.app, [*map(str, arguments)], catch_exceptions=False)
    return result.output


def test_a_sheet_shows_every_restoration(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for name in ("coffee.jpg", "grace_hopper.jpg"):
        old = Degradation(grayscale=True, gaussian=0.08).apply(image.load(EXAMPLES / name), 0)
        image.save(old, tmp_path / "old" / name)
    run("show", "--photos", tmp_path / "old", "--out", tmp_path)
    first, second = (image.load(tmp_path / f"{number:02}.png", reduce_to=None) for number in (1, 2))
    assert first.width == second.width
    photo, *restored = (first.pixels[:440, 448 * column + 8 :][:, :440] for column in range(4))
    assert all((one != other).any() for one, other in combinations((photo, *restored), 2))


def test_votes_are_counted_for_whose_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    run("count", *["BN"] * 40)
    found = json.loads((tmp_path / "old_prints.json").read_text())
    assert (found["votes"], found["none"]) == (80, 40)
    kept = {each["model"]: each["kept"] for each in found["standings"]}
    assert kept.pop(old_prints.order(0)[1]) == 40
    assert not any(kept.values())


@pytest.mark.parametrize("letters", ["A", "ABC", "AD"])
def test_letters_that_are_no_votes_are_refused(letters: str) -> None:
    result = CliRunner().invoke(old_prints.app, ["count", letters])
    assert result.exit_code
    assert letters in str(result.exception) or letters in result.output
