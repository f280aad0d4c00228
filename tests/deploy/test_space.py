"""The folder that is pushed to a Space: all that the app needs, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import space
from tests.conftest import ROOT

TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("space") / "made"
    size = space.assemble(target)
    assert size == sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return target


def requirements(name: str) -> dict[str, str]:
    """The lines of a file of requirements, by the package."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return {re.split(r"[\[<>=;]", line)[0]: line for line in lines if line}


def test_the_app_is_whole_there(folder: Path) -> None:
    """About, the examples and the networks too, and none of it from the repository."""
    code = """
import sys, app
from restoration import Restorer
from ui import examples
from ui.tabs import about
about.page(french=True)
assert list(examples.FOLDER.glob("*.jpg"))
Restorer("cpu").prepare(["vae", "gan", "cnn"])
print({str(each.__file__) for name, each in sys.modules.items() if name.split(".")[0] in ("app", "ui", "restoration")})
"""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(folder / "ui" / "tabs" / "about.py") in done.stdout
    assert f"'{ROOT}" not in done.stdout


def test_only_what_git_tracks_and_the_app_needs_is_there(folder: Path) -> None:
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert made <= set(TRACKED)
    assert {name for name in TRACKED if name.startswith(("ui/", "restoration/", "weights/"))} < made
    parts = {name.split("/")[0] for name in made}
    assert not parts & {"tests", "train", "deploy", "requirements-colab.txt", ".ci"}


def test_what_readme_shows_and_leads_to_is_there(folder: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", (folder / "README.md").read_text())
    assert len(links) > 5
    assert [link for link in links if not (folder / link).is_file()] == []


def test_an_older_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui" / "gone.py").write_text("")
    space.assemble(tmp_path)
    assert not (tmp_path / "ui" / "gone.py").exists()
    assert (tmp_path / "app.py").is_file()


def test_too_large_a_folder_is_refused_and_nothing_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LIMIT", 1_000_000)
    with pytest.raises(SystemExit, match=r"would have \d+ MB, and 1 are the most; make \S+ smaller"):
        space.assemble(tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_without_git_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="run this in a git clone"):
        space.files()


def test_zerogpu_takes_its_own_requirements(tmp_path: Path) -> None:
    space.assemble(tmp_path / "made", zerogpu=True)
    assert (tmp_path / "made" / "requirements.txt").read_text() == (ROOT / space.ZEROGPU).read_text()


@pytest.mark.parametrize("name", ["requirements.txt", space.ZEROGPU])
def test_requirements_stand_alone(name: str) -> None:
    """A Space's builder sees no other file."""
    assert not [line for line in requirements(name).values() if line.startswith("-")]


def test_zerogpu_differs_by_what_it_must_only() -> None:
    usual, there = requirements("requirements.txt"), requirements(space.ZEROGPU)
    networks = {"basicsr", "realesrgan", "spandrel"}
    assert set(usual) - set(there) == {"basicsr", "realesrgan"}
    assert set(there) - set(usual) == {"spaces"}
    assert there["spandrel"] == usual["spandrel"].partition(";")[0]
    for name in set(usual) - networks - {"torch", "torchvision"}:
        assert there[name] == usual[name]
    assert there["torch"].startswith("torch==")
    assert there["torchvision"].startswith("torchvision==")


def test_how_to_push_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(space, "SPACE", ROOT / "out" / tmp_path.name)
    try:
        space.main()
    finally:
        subprocess.run(["rm", "-r", str(space.SPACE)], check=True)
    assert f" out/{tmp_path.name} . --repo-type space" in capsys.readouterr().out
