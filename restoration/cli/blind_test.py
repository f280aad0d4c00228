"""`votes`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .typer_app import app


@app.command("votes")
def votes_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="votes.sqlite, or a .jsonl file of a dataset.")],
) -> None:
    """Rank the models by the votes of the app's blind test: by how likely each is to be kept rather than an average
    one, with its 95 % interval. A model with new weights is another one.
    """
    from ..blind_test import ranking, votes

    for ranked in ranking.rank(votes.read(file)):
        named = ", ".join(f"{name} {sha256[:8]}" for name, sha256 in ranked.weights.items())
        typer.echo(f"{ranked.votes} votes on {named}; {ranked.none} of them for none.")
        for each in ranked.standings:
            chance, low, high = (round(100 * value) for value in (each.chance, each.low, each.high))
            typer.echo(f"{each.model:26}{chance:>4} % ({low} to {high}), chosen {each.kept} times")
        if not ranked.standings:
            typer.echo(f"Too few votes for a ranking: it takes {ranking.LEAST} that choose a picture.")
