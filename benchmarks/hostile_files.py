"""`python -m benchmarks.hostile_files`: what thousands of strange, damaged and malicious files do to `image.load`.

And to the app, over HTTP. Of each file either the right picture or one sentence must come; `tests/corpus` makes them.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from restoration.files import write_atomically
from tests.corpus import AMPLIFIED, LARGE, small
from tests.corpus.reading import apart
from tests.corpus.sending import IN_FLIGHT, heavy, sent
from tests.corpus.verdict import Result

from .serving import serve

ROOT = Path(__file__).resolve().parent.parent
Json = dict[str, Any]


def send_all(url: str) -> Iterator[Result]:
    """Every 33rd small case, several at a time, and then the heavy ones, whose time is their own."""
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        yield from pool.map(partial(sent, url), islice(small(), None, None, 33))
    yield from map(partial(sent, url), heavy())


def summary(results: Sequence[Result]) -> Json:
    slowest = max(results, key=lambda result: result.seconds)
    return {
        "cases": len(results),
        "outcomes": Counter(result.outcome for result in results),
        "wrong": {result.name: result.wrong for result in results if result.wrong},
        "slowest": {"name": slowest.name, "seconds": slowest.seconds},
    }


def main() -> None:
    """Read all files, send some of them to the app, and write benchmarks/results/hostile_files.json."""
    read_here = [*apart("read_small"), *(large := list(apart("read_large", *LARGE)))]
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), mcp=False) as url:
        over_http = list(send_all(url))
    greediest = max(read_here, key=lambda result: result.bytes)
    rows = [*large, *(result for result in over_http if result.name in AMPLIFIED)]
    result: Json = {
        "cores": os.cpu_count(),
        "pillow": version("pillow"),
        "library": {**summary(read_here), "largest": {"name": greediest.name, "bytes": greediest.bytes}},
        "http": {"in_flight": IN_FLIGHT, **summary(over_http)},
        "large": [asdict(row) for row in rows],
    }
    write_atomically(
        ROOT / "benchmarks" / "results" / "hostile_files.json", (json.dumps(result, indent=1) + "\n").encode()
    )
    typer.echo(json.dumps(result, indent=1))


if __name__ == "__main__":
    typer.run(main)
