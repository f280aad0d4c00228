"""What is written appears whole or not at all, and under a name that every disk and every reader takes."""

import os
from pathlib import Path

import pytest

from restoration import files
from restoration.files import legible, result_names


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.mkdir()  # renaming a file onto a folder fails
    with pytest.raises(OSError, match=r"a\.png"):
        files.write_atomically(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("Été/雪 ☃ 👩‍👧.jpg", "Été/雪 ☃ 👩‍👧.jpg"),
        ("at 3.00\u202fPM.jpg", "at 3.00\u202fPM.jpg"),  # as Macs name what they take of their screens
        (os.fsdecode(b"d\xe9j\xe0/caf\xe9 \x80.jpg"), "déjà/café €.jpg"),
        (os.fsdecode(b"caf\xc3\xa9 \xe9\x81.jpg"), "café é\ufffd.jpg"),  # both, and what no encoding has
        ("a\nb\x1b[2J\x9b.jpg", "a_b_[2J_.jpg"),
        ("\ud800.jpg", "_.jpg"),
    ],
)
def test_names_become_legible(name: str, becomes: str) -> None:
    assert legible(name) == becomes


@pytest.mark.parametrize(
    ("names", "results"),
    [
        (["a.jpg", "album/b.PNG", "album/c.tar.jpg"], ["a.png", "album/b.png", "album/c.tar.png"]),
        (["a.jpg", "a.png", "b.jpg"], ["a.jpg.png", "a.png.png", "b.png"]),
        (["x/a.jpg", "y/a.jpg"], ["x/a.png", "y/a.png"]),
        (["a.jpg", "a.jpg"], ["a.jpg.png", "a.jpg (2).png"]),
        (["a.jpg", "A.JPG"], ["a.jpg.png", "A.JPG (2).png"]),
        (["é.jpg", "e\u0301.bmp"], ["é.jpg.png", "e\u0301.bmp.png"]),
        (["é.jpg", os.fsdecode(b"\xe9.jpg")], ["é.jpg.png", "é.jpg (2).png"]),
        (["a.jpg.gif", "a.jpg", "a.bmp"], ["a.jpg.png", "a.jpg (2).png", "a.bmp.png"]),
        (["a.png/b.jpg", "a.jpg"], ["a.png/b.png", "a.jpg.png"]),
        (["a.jpg.png/x.jpg", "a.jpg", "a.bmp"], ["a.jpg.png/x.png", "a.jpg (2).png", "a.bmp.png"]),
        (["taken.jpg", "b.jpg"], ["taken.jpg.png", "b.png"]),
        ([], []),
    ],
)
def test_result_names(names: list[str], results: list[str]) -> None:
    made = result_names(names, [[".png"]] * len(names), lambda place, name: name == "taken.png")
    assert made == [[result] for result in results]


def test_all_results_of_a_photo_are_called_alike() -> None:
    """Where one of them is called as another photo's, too."""
    assert result_names(["a.jpg", "a_x4.jpg"], [[".jpg", "_x4.jpg"]] * 2) == [
        ["a.jpg.jpg", "a.jpg_x4.jpg"],
        ["a_x4.jpg.jpg", "a_x4.jpg_x4.jpg"],
    ]


@pytest.mark.parametrize("sign", ["n", "é", "雪", "👧", os.fsdecode(b"\xe9")])
def test_long_names_leave_room_for_endings(tmp_path: Path, sign: str) -> None:
    """Two that differ at their ends only, in a folder whose name is as long as names can be."""
    long = sign * (255 // len(os.fsencode(sign)))
    made = result_names([f"{long}/{long}{end}.jpg" for end in "ab"], [[".png", "_cnn_x4.png"]] * 2)
    results = [tmp_path / name for names in made for name in names]
    for result in results:
        files.write_atomically(result, b"")
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(results)
    assert len(results) == 4
