"""Markdown tables, and how a figure is written in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from restoration.weights import restorers

from .common import Json

MODELS = tuple(entry.model for entry in restorers())


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], *sentences: str) -> str:
    """A table, and what is said below it."""
    table = "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])
    return "\n\n".join((table, *sentences))


def with_gain(cell: Json, digits: int) -> str:
    low, high = cell["interval"]
    return f"{cell['mean']:.{digits}f} ({cell['gain']:+.{digits}f}; {low:+.{digits}f} to {high:+.{digits}f})"


def title(candidate: str) -> str:
    """Our models stand out."""
    if candidate in MODELS:
        return f"**{candidate.upper()}**"
    return "degraded input" if candidate == "degraded" else candidate


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.{0 if seconds >= 0.01 else 1}f} ms"
