"""What a photo's pixels cost: seconds and memory of photos restored whole, by their size. Part of `make bench`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from restoration import Look, Photo, Restorer, image
from restoration.types import SIDE

from .common import PHOTOS, ROOT, Json, in_turn, peak_memory, write

MODEL = "cnn"
SIDES = (128, 256, 512, 1024, 2048)
LARGEST_ENLARGED = 1024


def pixels(restorer: Restorer) -> Json:
    """Of square photos, by their side: seconds in turn, and peak bytes of the whole command.

    ``squares`` is the same pixels as photos of 128x128, in batches of eight: what a visitor of the laboratory would
    wait for them.
    """
    found: Json = {"model": MODEL, "cores": torch.get_num_threads(), "sides": {}}
    with tempfile.TemporaryDirectory() as folder, Image.open(PHOTOS[0]) as picture:
        for side in SIDES:
            path = Path(folder) / f"{side}.png"
            photo = Photo(np.array(picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)))
            image.save(photo, path)
            squares = [
                Photo(photo.pixels[top : top + SIDE, left : left + SIDE])
                for top in range(0, side, SIDE)
                for left in range(0, side, SIDE)
            ]
            ways = {
                "decode and fit": lambda path=path: image.fit(image.load(path)),
                "restore whole": lambda photo=photo: restorer.restore_whole(photo, MODEL, look=Look(colour="new")),
                "squares": lambda squares=squares: restorer.restore_batch(squares, MODEL),
            }
            if side <= LARGEST_ENLARGED:
                ways["enlarge ×2"] = lambda photo=photo: restorer.upscale(photo, 2, engine="fast")
            found["sides"][str(side)] = {
                "seconds": in_turn(ways, 7 if side < 512 else 3 if side < 2048 else 1),
                "bytes": peak_memory(
                    ["restore", path, "-o", Path(folder) / "out", "--model", MODEL, "--device", "cpu"]
                ),
            }
    return found


def plot(found: Json, path: Path) -> None:
    """Seconds and memory against megapixels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    sides = found["sides"]
    megapixels = [int(side) ** 2 / 1e6 for side in sides]
    for way, label in (("restore whole", "restored whole"), ("squares", "the same in squares of 128×128")):
        left.loglog(megapixels, [each["seconds"][way] for each in sides.values()], "o-", label=label)
    left.set(xlabel="megapixels", ylabel="seconds")
    left.legend()
    right.semilogx(megapixels, [each["bytes"] / 1e6 for each in sides.values()], "o-")
    right.set(xlabel="megapixels", ylabel="peak MB of `restore`", ylim=(0, None))
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=80)


def main(restorer: Restorer) -> None:
    found = pixels(restorer)
    plot(found, ROOT / "assets" / "pixels.png")
    write("pixels", found)
