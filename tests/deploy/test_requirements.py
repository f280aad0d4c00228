"""The lists that Spaces and Colab install say what pyproject.toml says; tests/test_packaging.py has the wheel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy import requirements
from tests.conftest import ROOT


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files that matter, which `requirements` takes for the project."""
    for name in ("pyproject.toml", *requirements.HEADS):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(requirements, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["requirements", "--check"])
    return tmp_path


def change(copy: Path, old: str, new: str) -> None:
    text = (copy / "pyproject.toml").read_text()
    assert text.count(old) == 1
    (copy / "pyproject.toml").write_text(text.replace(old, new))


def test_there_is_one_list_for_each_who_reads_none_of_pyproject() -> None:
    assert {path.name for path in ROOT.glob("requirements*")} == set(requirements.HEADS)


def test_the_files_say_what_they_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["requirements", "--check"])
    requirements.main()


def test_a_stale_file_is_noticed_and_renewed(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(copy, '"tqdm>=4.66",', '"tqdm>=4.67",  # a bar')
    with pytest.raises(SystemExit, match=r"requirements\.txt, requirements-zerogpu\.txt, requirements-colab\.txt"):
        requirements.main()
    monkeypatch.setattr("sys.argv", ["requirements"])
    requirements.main()
    for name in requirements.HEADS:
        assert "\ntqdm>=4.67  # a bar\n" in (copy / name).read_text()


def test_a_line_that_is_no_requirement_is_refused(copy: Path) -> None:
    change(copy, '    "tqdm>=4.66",', "    'tqdm>=4.66',")
    with pytest.raises(SystemExit, match=r"dependencies in pyproject\.toml cannot say .*tqdm"):
        requirements.main()
