"""A model is one file: what is wrong with such a file is said in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from restoration import ControlError
from restoration import models as package
from restoration.models import models


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Files in it are models' files, too."""
    known = set(sys.modules)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    models.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    models.cache_clear()
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_a_file_without_a_model_is_named(folder: Path) -> None:
    (folder / "fourth.py").write_text("SPEC = 'none'")
    with pytest.raises(ControlError, match=r"^restoration/models/fourth\.py defines no model; give it a SPEC, "):
        models()


def test_two_files_of_one_model_are_named(folder: Path) -> None:
    (folder / "fourth.py").write_text("from restoration.models.cnn import SPEC")
    with pytest.raises(
        ControlError, match=r"fourth\.py and cnn\.py both define the model 'cnn'; give one another id\."
    ):
        models()


def test_a_file_that_is_no_model_is_passed_over(folder: Path) -> None:
    before = set(models())
    (folder / "_shared.py").write_text("")
    models.cache_clear()
    assert set(models()) == before
