from __future__ import annotations

import numpy as np

from restoration import Photo
from restoration.contact_sheet import Cell, sheet


def test_photos_stand_side_by_side(photo: Photo) -> None:
    made = sheet([[Cell(photo, ["one"]), Cell(photo, ["two", "more"])]], side=128)
    assert np.array_equal(made.pixels[8:136, 8:136], photo.pixels)
    assert np.array_equal(made.pixels[8:136, 144:272], photo.pixels)


def test_captions_have_every_letter_that_french_and_measures_need(photo: Photo) -> None:
    """A font draws what it lacks as one and the same box."""
    letters = "éèêàâçîïôûœÉ×σ«»…–"
    captions = {sheet([[Cell(photo, [letter])]]).pixels[270:].tobytes() for letter in letters}
    assert len(captions) == len(letters)
