"""What is written appears whole or not at all."""

from pathlib import Path

import pytest

from restoration import files


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.mkdir()  # renaming a file onto a folder fails
    with pytest.raises(OSError, match=r"a\.png"):
        files.write_atomically(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
