"""`python -m train.evaluate_original --photos PHOTOS`: the original's networks, as `train.original` taught them.

Apart from `train.evaluate`, as they stay what they are when ours are trained anew.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from restoration import Restorer
from restoration.files import write_atomically

from . import RESULTS
from .evaluate import CONDITIONS, on_each_core, score, summarise
from .judges import ShiftTolerantLpips
from .lpips import Lpips
from .original import taught
from .photos import photos_of


def main(
    photos: Annotated[Path, typer.Option(help="Photos that were not trained on: a tar or zip file, or a folder.")],
    run: Annotated[Path, typer.Option(help="The folder of `train.original`.")] = Path("runs/original"),
    lpips: Annotated[str | None, typer.Option(help="As for `train.evaluate`.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many photos.")] = None,
    out: Annotated[Path, typer.Option(help="Where the table is written.")] = RESULTS / "original.json",
) -> None:
    """What `train.evaluate` measures by the preset `original`, of the models whose networks are in the run's folder."""
    networks = taught(run)
    scoring = partial(
        score,
        restorer=Restorer("cpu", [run]),
        models=[*networks],
        distance=Lpips(None if lpips == "download" else Path(lpips)) if lpips else None,
        judge=ShiftTolerantLpips(),
    )
    scored = list(on_each_core(photos_of(photos)[:limit], CONDITIONS["original"], scoring))
    scores = summarise({name: [each.rows[name] for each in scored] for name in scored[0].rows})
    result = {"photos": len(scored), "shard": photos.name, "networks": networks, "scores": scores}
    write_atomically(out, (json.dumps(result, indent=1) + "\n").encode())
    for name, row in scores.items():
        typer.echo(f"{name:14} luminance PSNR {row['psnr_luminance']['gain']:+.3f}  PSNR {row['psnr']['gain']:+.3f}")
    typer.echo(f"Written to {out}.")


if __name__ == "__main__":
    typer.run(main)
