"""Markdown tables, and how a figure is written in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from restoration.weights import restorers

MODELS = tuple(entry.model for entry in restorers())

Json = dict[str, Any]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def with_gain(cell: Json, digits: int) -> str:
    low, high = cell["interval"]
    return f"{cell['mean']:.{digits}f} ({cell['gain']:+.{digits}f}; {low:+.{digits}f} to {high:+.{digits}f})"


def title(candidate: str) -> str:
    """Our models stand out."""
    return (
        f"**{candidate.upper()}**" if candidate in MODELS else {"degraded": "degraded input"}.get(candidate, candidate)
    )


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.{0 if seconds >= 0.01 else 1}f} ms"
