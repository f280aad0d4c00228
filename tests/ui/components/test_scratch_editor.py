"""Scratches under the visitor's hand: what is asked for, and what a page may send as its mask."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from restoration import Photo, PhotoError, image, scratches
from restoration.types import Inpainting, Mask, drawn_sha256
from tests.conftest import EXAMPLES
from ui.components import scratch_editor

PHOTO = EXAMPLES / "coffee.jpg"
LINE = np.s_[40:44, 10:90]


def layer(width: int, height: int, kind: str = "PNG") -> str:
    """A page's mask, with a line on it, as a data URL."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[LINE] = (230, 40, 40, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).convert("RGBA" if kind == "PNG" else "RGB").save(file, kind)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


@pytest.fixture(scope="module")
def photo() -> Photo:
    return image.load(PHOTO, reduce_to=None)


@pytest.fixture
def values(photo: Photo) -> dict[str, Any]:
    """What the components hold where a mask was drawn on the photo at half its size."""
    width, height = photo.width // 2, photo.height // 2
    found = scratch_editor.Found(str(PHOTO), Mask(np.zeros((height, width), np.uint8)))
    editor = {"mask": layer(width, height)}
    return {"mode": "damaged", "photo": str(PHOTO), "mend": True, "sensitivity": 0.3, "found": found, "editor": editor}


def test_the_mask_that_is_shown_is_what_is_mended(photo: Photo, values: dict[str, Any]) -> None:
    inpaint, drawn = scratch_editor.inpainting_from_controls(values, photo)
    assert drawn
    assert inpaint == Inpainting(mask=drawn_sha256(drawn))
    assert (drawn.width, drawn.height) == (photo.width, photo.height)
    rows, columns = np.nonzero(scratches.marked(scratches.mask_of(drawn, photo)))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((80, 87, 20, 179), abs=1)


def test_without_one_scratches_are_found(photo: Photo, values: dict[str, Any]) -> None:
    by_itself = (Inpainting(sensitivity=0.3), None)
    assert scratch_editor.inpainting_from_controls({**values, "found": None}, photo) == by_itself
    assert scratch_editor.inpainting_from_controls({**values, "photo": "another.jpg"}, photo) == by_itself


@pytest.mark.parametrize("changes", [{"mend": False}, {"mode": "degrade"}])
def test_nothing_is_mended_that_was_not_asked_for(
    photo: Photo, values: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert scratch_editor.inpainting_from_controls({**values, **changes}, photo) == (None, None)


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        ("", "cannot be read"),
        ("data:image/png;base64,!", "cannot be read"),
        (layer(300, 200, "JPEG"), "cannot be read"),
        (layer(1100, 1100), "1100x1100 pixels"),
        (layer(200, 300), "another shape"),
    ],
    ids=["nothing", "no base64", "no PNG", "too large", "another shape"],
)
def test_what_is_no_mask_is_said(photo: Photo, values: dict[str, Any], mask: str, says: str) -> None:
    with pytest.raises(PhotoError, match=says):
        scratch_editor.inpainting_from_controls({**values, "editor": {"mask": mask}}, photo)


def test_what_was_found_is_said() -> None:
    assert scratch_editor.said(0.0123, french=False).startswith("1.2 % of the photo looks damaged.")
    assert scratch_editor.said(0.0123, french=True).startswith("1,2 % de la photo")
    assert scratch_editor.said(0, french=False).startswith("No scratches were found.")
