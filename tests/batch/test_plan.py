"""What there is to do with what a visitor sends: files, and archives of them. Folders: see `tests.cli`."""

from __future__ import annotations

from pathlib import Path

from restoration.batch.plan import plan_archive
from tests.batch.test_archive import OTHER, PHOTO, zipped


def example(folder: Path, name: str, contents: bytes = PHOTO) -> Path:
    (folder / name).write_bytes(contents)
    return folder / name


def test_files_come_as_given_and_archives_member_by_member(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "album.ZIP", [("b/2.jpg", OTHER), ("1.jpg", PHOTO), ("notes.txt", b"hello")])
    todo = plan_archive(
        [example(tmp_path, "a.jpg"), packed, example(tmp_path, "z.jpg", OTHER)], {"restored": "", "upscaled": "_x2"}
    )
    assert [(job.name, [*map(str, job.outputs.values())]) for job in todo.jobs] == [
        (f"{name}.jpg", [f"{name}.png", f"{name}_x2.png"]) for name in ("a", "1", "b/2", "z")
    ]
    assert [(name, error.code) for name, error in todo.refused] == [("notes.txt", "archive_no_photo")]
    read = []
    for job in todo.jobs:
        with job.opened() as path:
            read.append(path.read_bytes())
    assert read == [PHOTO, PHOTO, OTHER, OTHER]


def test_what_systems_leave_in_folders_is_passed_over(tmp_path: Path) -> None:
    """As it comes along where a whole folder is dropped."""
    todo = plan_archive([example(tmp_path, name) for name in ("._a.JPG", "Thumbs.db", "a.JPG")], {"restored": ""})
    assert [job.name for job in todo.jobs] == ["a.JPG"]


def test_an_archive_that_is_none_is_one_refusal(tmp_path: Path) -> None:
    todo = plan_archive([example(tmp_path, "broken.zip", b"PK\x03\x04 no more")], {"restored": ""})
    assert [(name, error.code) for name, error in todo.refused] == [("broken.zip", "archive_damaged")]
    assert not todo.jobs
