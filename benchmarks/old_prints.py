"""`python -m benchmarks.old_prints show --photos TAR --out FOLDER`: real old photos, restored by nobody knows whom.

They have no truth to measure against, so eyes must judge: each stands before its restorations, whose order is drawn
and not told. `python -m benchmarks.old_prints count ABNC... BACC...` then takes of each who looked a letter per photo,
of the restoration that one would keep or N for none, and says whose they were.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tqdm import tqdm

from restoration import Photo, Restorer, image
from restoration.blind_test.ranking import rank
from restoration.blind_test.votes import Vote
from restoration.contact_sheet import Cell, sheet
from restoration.weights import restorers
from train.data import decode
from train.photos import PhotoFile, photos_of

from .common import write
from .markdown import MODELS

app = typer.Typer(no_args_is_help=True)
SHOWN = 40
PER_SHEET = 4


def chosen(photos: Path) -> list[PhotoFile]:
    """Evenly out of all, as neighbours are often of one collection."""
    files = photos_of(photos)
    return [files[index] for index in np.linspace(0, len(files) - 1, SHOWN).round().astype(int)]


def order(number: int) -> tuple[str, ...]:
    """The models as they stand beside photo ``number``."""
    return tuple(map(str, np.random.default_rng(number).permutation(MODELS)))


@app.command()
def show(
    photos: Annotated[Path, typer.Option(help="A tar or zip file, or a folder, of old photos without a truth.")],
    out: Annotated[Path, typer.Option(help="Where the sheets go.")],
) -> None:
    """Write sheets: a row per photo, as it is and restored whole by A, B and C."""
    restorer = Restorer("cpu")
    rows = []
    for number, file in enumerate(tqdm(chosen(photos), unit="photo")):
        photo = Photo(np.array(decode(file, whole=True)))
        restored = [restorer.restore_whole(photo, model).photo for model in order(number)]
        rows.append([Cell(photo, [str(number + 1)]), *map(Cell, restored, (["A"], ["B"], ["C"]))])
    out.mkdir(parents=True, exist_ok=True)
    for first in range(0, SHOWN, PER_SHEET):
        image.save(sheet(rows[first : first + PER_SHEET], side=440), out / f"{first + 1:02}.png")


@app.command()
def count(
    letters: Annotated[list[str], typer.Argument(help="Of each who looked: A, B, C or N per photo, in their order.")],
) -> None:
    """Say whose the kept restorations were, and rank the models as the blind test does."""
    for each in letters:
        if len(each) != SHOWN or {*each} - {*"ABCN"}:
            raise SystemExit(f"Give one of A, B, C or N for each of the {SHOWN} photos; {each} is something else.")
    released = {entry.model: entry.sha256 for entry in restorers()}
    votes = []
    for number, letter in ((number, letter) for each in letters for number, letter in enumerate(each)):
        shown = order(number)
        choice = None if letter == "N" else shown["ABC".index(letter)]
        votes.append(Vote(weights=released, shown=shown, choice=choice, preset="none", seed=number, time=""))
    (ranking,) = rank(votes)
    standings = [asdict(standing) for standing in ranking.standings]
    found = {"photos": SHOWN, "votes": ranking.votes, "none": ranking.none, "standings": standings, "letters": letters}
    write("old_prints", {**found, "weights_sha256": released})


if __name__ == "__main__":
    app()
