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
from restoration.weights.checkpoints import ORIGINALS

from . import RESULTS, write_result
from .evaluate import CONDITIONS, on_each_core, score, summarise
from .judges import ShiftTolerantLpips
from .lpips import Lpips
from .photos import photos_of


def taught(run: Path) -> dict[str, dict[str, int]]:
    """The original's models whose networks are in a run's folder, and how many photos each network saw."""
    seen = {log.stem: json.loads(log.read_text().splitlines()[-1])["photos"] for log in run.glob("*.jsonl")}
    return {
        model: {part: seen[part] for part in each.parts}
        for model, each in ORIGINALS.items()
        if {*each.parts} <= seen.keys()
    }


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
        distance=Lpips(lpips) if lpips else None,
        judge=ShiftTolerantLpips(),
    )
    scored = list(on_each_core(photos_of(photos)[:limit], CONDITIONS["original"], scoring))
    scores = summarise({name: [each.rows[name] for each in scored] for name in scored[0].rows})
    result = {"photos": len(scored), "shard": photos.name, "networks": networks, "scores": scores}
    for name, row in scores.items():
        typer.echo(f"{name:14} luminance PSNR {row['psnr_luminance']['gain']:+.3f}  PSNR {row['psnr']['gain']:+.3f}")
    write_result(out, result)


if __name__ == "__main__":
    typer.run(main)
