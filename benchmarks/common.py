"""What the benchmarks share: where their results lie, and how seconds and memory are measured."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from restoration.files import write_atomically

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
EXAMPLES = ROOT / "assets" / "examples"
PHOTOS = sorted(EXAMPLES.glob("*.jpg"))

Json = dict[str, Any]

# A small process that starts another one and prints its peak memory: a large one's own would count for its child's.
WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def read(name: str) -> Json:
    """What was measured, from benchmarks/results."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def read_log(run: str) -> list[Json]:
    """The log of a training run, a released model's by its name: one entry for each time that it was measured."""
    log = RESULTS / "training" / f"{run}.jsonl"
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def write(name: str, measured: Json) -> None:
    """Print what was measured, and put it into benchmarks/results."""
    text = json.dumps(measured, indent=1)
    write_atomically(RESULTS / f"{name}.json", f"{text}\n".encode())
    print(text)


def in_turn(candidates: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median seconds of each, taken in turns after one round of warming up."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds + 1):
        for name, run in candidates.items():
            started = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return {name: median(values) for name, values in seconds.items()}


def peak_memory(arguments: Sequence[str | Path]) -> int:
    """Of the command ``restoration`` with these arguments, in bytes."""
    command = [sys.executable, "-S", "-c", WATCH, sys.executable, "-m", "restoration", *arguments]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT).stdout)
