"""How the released weights are made: data, one objective per model, one loop, evaluation, export."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from restoration.files import write_atomically

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
"""What was measured; `make results` renders tables and cards from it."""


def write_result(out: Path, result: Mapping[str, Any]) -> None:
    write_atomically(out, (json.dumps(result, indent=1) + "\n").encode())
    typer.echo(f"Written to {out}.")
