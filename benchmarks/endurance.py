"""`python -m benchmarks.endurance`: memory and files over 3,000 restorations, by one app and by the library alone.

The app is asked over HTTP by a few visitors at once. After each hundred restorations its memory is read, and what its
cache holds. At last all files are made as old as the app lets none become, and those are counted that its next round of
cleaning leaves, and its end.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import httpx
import psutil
import typer

from restoration import Restorer, image
from restoration.files import write_atomically
from ui import cleaning
from ui.lab import TITLES

from .load import EXAMPLES, ROOT, Request, ask, connected, listening, restoration, versions
from .serving import serve

STEP, SETTLED = 100, 300
"""Restorations between two readings, and before what grows counts: networks are loaded, and caches filled."""
VISITORS, SEEDS = 4, 24

Json = dict[str, Any]


def main(
    restorations: Annotated[
        int, typer.Option(min=SETTLED + STEP, help="How many, by the app and by the library.")
    ] = 3000,
) -> None:
    """Measure, and write benchmarks/results/endurance.json."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    restorer = Restorer("cpu")
    results: Json = {
        "cores": os.cpu_count(),
        "versions": versions(),
        "visitors": VISITORS,
        "app": of_the_app([restoration(restorer, EXAMPLES[n % len(EXAMPLES)], n) for n in range(SEEDS)], restorations),
        "library": of_the_library(restorer, restorations),
    }
    write_atomically(
        ROOT / "benchmarks" / "results" / "endurance.json", (json.dumps(results, indent=1) + "\n").encode()
    )
    typer.echo(json.dumps(results, indent=1))


def of_the_app(requests: Sequence[Request], restorations: int) -> Json:
    """Its readings, and how many files it leaves in its cache: in a round that finds all too old, but for its examples,
    and in the end.
    """
    asked = cycle(requests)
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        with serve(Path(folder), mcp=False) as url:
            app = listening(url)
            examples = set(files(cache))
            readings = [{"restored": 0, **reading(app, cache)}]
            for restored in range(STEP, restorations + 1, STEP):
                asyncio.run(ask_in_turn(url, list(islice(asked, STEP))))
                readings.append({"restored": restored, **reading(app, cache)})
            age_files(cache)
            time.sleep(cleaning.ROUND + 15)
            left = set(files(cache)) - examples
        return {
            "growth": growth(readings),
            "most_bytes": cleaning.MAX_BYTES,
            "most_seconds": cleaning.AGE + cleaning.ROUND,
            "left_by_the_round": len(left),
            "left_by_the_end": len(files(cache)),
            "readings": readings,
        }


async def ask_in_turn(url: str, requests: Sequence[Request]) -> None:
    """All ``requests``, by `VISITORS` at once. Raises what `ask` raises."""
    left = iter(requests)

    async def visitor(http: httpx.AsyncClient) -> None:
        for request in left:
            await ask(http, request)

    async with connected(url) as http:
        await asyncio.gather(*(visitor(http) for _ in range(VISITORS)))


def reading(app: psutil.Process, cache: Path) -> Json:
    """What the app holds now, memory and files in bytes."""
    held = files(cache)
    return {
        "memory": app.memory_info().rss,
        "memory_of_decoders": sum(each.memory_info().rss for each in app.children()),
        "descriptors": app.num_fds(),
        "threads": app.num_threads(),
        "files": len(held),
        "file_bytes": sum(path.stat().st_size for path in held),
    }


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def age_files(folder: Path) -> None:
    """Make everything as old as the app's cache lets nothing become."""
    changed = time.time() - cleaning.AGE
    for path in folder.rglob("*"):
        os.utime(path, (changed, changed))


def of_the_library(restorer: Restorer, restorations: int) -> Json:
    """This process's memory."""
    photos = [image.load(path) for path in EXAMPLES]
    readings = []
    for restored in range(1, restorations + 1):
        turn, photo = divmod(restored, len(photos))
        restorer.restore(photos[photo], list(TITLES)[turn % len(TITLES)])
        if restored % STEP == 0:
            readings.append({"restored": restored, "memory": psutil.Process().memory_info().rss})
    return {"growth": growth(readings), "readings": readings}


def growth(readings: Sequence[Json]) -> float:
    """Of the memory from `SETTLED` restorations to the last, as a share."""
    settled = next(each["memory"] for each in readings if each["restored"] == SETTLED)
    return readings[-1]["memory"] / settled - 1


if __name__ == "__main__":
    typer.run(main)
