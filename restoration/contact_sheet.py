"""Photos side by side, with a title and a few lines under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .types import Photo

_GAP, _LINE = 8, 16


@dataclass(frozen=True)
class Cell:
    """One picture of a sheet and its captions, the first of which is its title."""

    photo: Photo
    captions: Sequence[str]


@cache
def _font() -> ImageFont.FreeTypeFont:
    """matplotlib's, as Pillow's own has neither accents nor a multiplication sign."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), 11)


def sheet(rows: Sequence[Sequence[Cell]], side: int = 256) -> Photo:
    """Cells in rows, each fitted into a square of ``side`` pixels. Of what is enlarged, pixels stay pixels."""
    font = _font()
    captions = max(len(cell.captions) for row in rows for cell in row)
    step_x, step_y = side + _GAP, side + captions * _LINE + 2 * _GAP
    columns = max(map(len, rows))
    canvas = Image.new("RGB", (columns * step_x + _GAP, len(rows) * step_y + _GAP), "white")
    draw = ImageDraw.Draw(canvas)
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            left, top = _GAP + x * step_x, _GAP + y * step_y
            picture = Image.fromarray(cell.photo.pixels)
            scale = side / max(picture.size)
            width, height = (max(1, round(length * scale)) for length in picture.size)
            how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BICUBIC
            canvas.paste(picture.resize((width, height), how), (left + (side - width) // 2, top + (side - height) // 2))
            for line, caption in enumerate(cell.captions):
                ink = "black" if line == 0 else "#555555"
                draw.text((left, top + side + 4 + line * _LINE), caption, font=font, fill=ink)
    return Photo(np.array(canvas))
