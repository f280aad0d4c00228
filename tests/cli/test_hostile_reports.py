"""Reports and archives as a stranger would make them: nothing outside their folder is read, hidden or overwritten."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from restoration import PhotoError
from restoration.__main__ import app
from restoration.batch import archive
from tests.conftest import EXAMPLES

pytestmark = pytest.mark.hostile


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two photos, and a folder for results that has a stranger's report in it."""
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    for name in ("coffee", "rocket"):
        shutil.copy(EXAMPLES / f"{name}.jpg", tmp_path / "in")
    return tmp_path / "in", tmp_path / "out"


def degrade(source: Path, out: Path, *results: str) -> list[str]:
    """Run with a report that claims such ``results`` of an earlier run; the files that lie there afterwards."""
    if results:
        entry = {"input": "x.jpg", "input_sha256": "0", "outputs": dict(enumerate(results)), "recipe": {}}
        (out / "report.jsonl").write_text(json.dumps(entry) + "\n")
    result = CliRunner().invoke(app, ["degrade", str(source), "-o", str(out)])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert (result.exit_code, result.stderr) == (0, "")
    return sorted(path.name for path in out.iterdir())


MADE = ["coffee.png", "coffee_truth.png", "report.jsonl", "rocket.png", "rocket_truth.png"]


def test_a_report_decides_on_nothing_outside_its_folder(places: tuple[Path, Path]) -> None:
    """Neither hides photos by calling them results, nor has anything there overwritten."""
    source, out = places
    before = {path: path.read_bytes() for path in source.iterdir()}
    claims = ["../in/coffee.jpg", str(source / "rocket.jpg"), "../in/../in/rocket.jpg", "/etc/passwd", "..", "/"]
    assert degrade(source, out, *claims) == MADE
    assert {path: path.read_bytes() for path in source.iterdir()} == before


@pytest.mark.parametrize("claim", ["a\0b", "\ud800", "a/" * 5000, "", "\n", "~", "C:\\a.png"])
def test_a_report_of_strange_names(places: tuple[Path, Path], claim: str) -> None:
    source, out = places
    entry = {"input": claim, "input_sha256": "0", "outputs": {"degraded": claim}, "recipe": {}}
    (out / "report.jsonl").write_text(json.dumps(entry) + "\n")
    result = CliRunner().invoke(app, ["degrade", str(source), "-o", str(out)])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert (result.exit_code, sorted(path.name for path in out.iterdir())) in ((0, MADE), (2, ["report.jsonl"]))


def test_links_in_the_results_folder_lead_nowhere(places: tuple[Path, Path], tmp_path: Path) -> None:
    """Where a result goes, or the file that it is before it has its name, a stranger may have laid a link."""
    source, out = places
    mine = tmp_path / "mine.png"
    mine.write_bytes(b"mine")
    for name in MADE:
        (out / f".{hashlib.sha256(name.encode()).hexdigest()[:16]}.part").symlink_to(mine)
    assert [name for name in degrade(source, out) if not name.startswith(".")] == MADE
    for name in ("coffee.png", "rocket_truth.png"):
        (out / name).unlink()
        (out / name).symlink_to(mine)
    degrade(source, out)
    assert mine.read_bytes() == b"mine"


# --- Archives ---------------------------------------------------------------------------------------------------------


def test_a_damaged_archive_gives_right_bytes_or_none(tmp_path: Path) -> None:
    """300 cuts and flips, half of the flips where the archive's structure is."""
    contents = {(EXAMPLES / f"{name}.jpg").read_bytes() for name in ("coffee", "rocket", "china")}
    path, place = tmp_path / "photos.zip", tmp_path / "place"
    place.mkdir()
    with zipfile.ZipFile(path, "w") as opened:
        for index, each in enumerate(contents):
            opened.writestr(f"{index}.jpg", each, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[index % 2])
    whole, came, refusals = path.read_bytes(), 0, 0
    structure = [at for mark in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06") for at in _places(whole, mark)]
    draw = random.Random(0)
    for case in range(300):
        at = draw.randrange(len(whole)) if case % 2 else draw.choice(structure) + draw.randrange(22)
        flipped = whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :]
        path.write_bytes(flipped[: draw.randrange(len(whole))] if case % 10 == 9 else flipped)
        try:
            for member in archive.members(path):
                try:
                    with archive.extracted(member, place) as file:
                        assert file.stat().st_size <= archive.MAX_MEMBER_BYTES
                        assert file.read_bytes() in contents
                        came += 1
                except PhotoError:
                    refusals += 1
        except PhotoError:
            refusals += 1
        assert list(place.iterdir()) == []
    assert came > 300
    assert refusals > 100


def _places(contents: bytes, mark: bytes) -> Iterator[int]:
    at = -1
    while (at := contents.find(mark, at + 1)) >= 0:
        yield at
