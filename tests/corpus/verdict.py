"""What came of a file, and whether it may."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from PIL import Image

from restoration import Photo

from .case import Case


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a case."""

    name: str
    outcome: str
    """picture, sentence, another error's name, or died."""
    wrong: str = ""
    """Why that is not right; empty where it is."""
    seconds: float = 0
    bytes: int = 0
    """Peak of memory over what the process had before; 0 where it is not known."""


def fault_of_picture(case: Case, photo: Photo) -> str:
    """Why ``photo`` may not come of ``case``; empty where it may."""
    if case.picture is None:
        sane = min(photo.width, photo.height) >= 16 and photo.width * photo.height <= 25_000_000
        return "it should be refused" if case.says is not None else "" if sane else f"{photo.width}x{photo.height}"
    size = case.size or case.picture.shape[1::-1]
    if (photo.width, photo.height) != size:
        return f"{photo.width}x{photo.height} instead of {size}"
    pixels = photo.pixels
    if case.size:
        pixels = np.asarray(Image.fromarray(pixels).resize((128, 128), Image.Resampling.BOX))
    differences = np.abs(pixels.astype(float) - case.picture).mean(axis=2)
    codes = {note.code for note in photo.details.notes}
    if case.says == "" and "photo_coarse" in codes:
        return ""
    if case.says == "" and "photo_partial" in codes:  # right where it is not blank, at its end or its beginning
        is_blank = (pixels == pixels[-1, -1]).all(axis=2) | (pixels == pixels[0, 0]).all(axis=2)
        share = np.mean(is_blank | (differences <= max(case.tolerance, 3)))
        return "" if share > 0.6 else f"{share:.0%} of it is right or blank"
    return f"another picture, {differences.mean():.1f} levels off" if differences.mean() > case.tolerance else ""


def fault_of_sentence(case: Case, sentence: str) -> str:
    """Why ``case`` may not be refused by ``sentence``; empty where it may."""
    if case.says is None and case.picture is not None:
        return f"it should be read: {sentence}"
    if not re.search(case.says or "", sentence):
        return f"not because {case.says}: {sentence}"
    clear = re.fullmatch(r"[^\n]{10,300}\.", sentence) and not re.search(
        r"Traceback|went wrong|/(tmp|home|usr|root)\b", sentence
    )
    return "" if clear else f"no clear sentence: {sentence!r}"
