"""Published results: where they lie, and that they are what was published."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from gradio.utils import get_upload_folder
from PIL import Image

from restoration import Photo
from ui.files import publish


def test_each_publication_has_a_folder_of_its_own_that_nobody_can_guess(photo: Photo) -> None:
    paths = [Path(publish({"a.png": photo})["a.png"]) for _ in range(3)]
    folders = [path.parent for path in paths]
    assert len({folder.name for folder in folders}) == 3  # not made from the content
    for folder in folders:
        assert re.fullmatch(r"[0-9a-f]{32}", folder.name)
        assert folder.parent == Path(get_upload_folder())  # which Gradio serves without a copy, and clears
    assert len({path.read_bytes() for path in paths}) == 1


def test_what_belongs_together_lies_together(photo: Photo) -> None:
    given: dict[str, Photo | bytes] = {"été 1.png": photo, "b.json": b"{}", "c.zip": b""}
    published = publish(given)
    assert list(published) == list(given)
    assert [Path(path).name for path in published.values()] == list(given)
    assert len({Path(path).parent for path in published.values()}) == 1
    assert sorted(each.name for each in Path(published["b.json"]).parent.iterdir()) == sorted(given)


def test_pictures_are_lossless_and_bytes_stay_as_they_are(photos: list[Photo]) -> None:
    noise = Photo(np.random.default_rng(0).integers(0, 256, (33, 17, 3), np.uint8))
    named = {f"{place}.png": each for place, each in enumerate([*photos[:3], noise])}
    for name, path in publish(named).items():
        with Image.open(path) as picture:
            assert (picture.format, picture.mode) == ("PNG", "RGB")
            assert np.array_equal(np.array(picture), named[name].pixels)
    contents = bytes(range(256)) + b"\r\n\x00"
    assert Path(publish({"a.bin": contents})["a.bin"]).read_bytes() == contents


def test_the_folder_is_the_one_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "new"))
    assert Path(publish({"a": b"1"})["a"]).parent.parent == tmp_path / "new"
