"""Large photos strip by strip, so that no step copies one whole."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

STRIP = 1_000_000  # pixels that are converted at once


def row_strips(height: int, width: int) -> list[slice]:
    """The rows of a photo from top to bottom, in parts of about `STRIP` pixels."""
    rows = max(1, STRIP // width)
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]


def strips_of(picture: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """The parts of ``picture``, each after its rows (see `row_strips`)."""
    for rows in row_strips(picture.height, picture.width):
        is_whole = rows.stop - rows.start == picture.height
        yield rows, picture if is_whole else picture.crop((0, rows.start, picture.width, rows.stop))
