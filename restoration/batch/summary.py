"""What came of many photos, told at the end: how many are done, the slowest, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import RestorationError
from ..files import legible

SLOWEST = 3
"""How many are named."""


@dataclass(kw_only=True)
class Summary:
    """Filled while the photos are worked through; what each of the rest came to is told as it comes."""

    report: Path
    photos: int
    passed_over: Mapping[str, int]
    done: int = 0
    before: int = 0
    """How many of them by an earlier run."""
    slowest: list[tuple[float, str]] = field(default_factory=list)
    """Seconds and photos of this run, the slowest first."""
    refused: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    """By the kind of error: what was said of the first, and the photos that came to it."""

    def took(self, source: Path, seconds: float) -> None:
        taken = [*self.slowest, (round(seconds, 3), legible(str(source)))]
        self.slowest = sorted(taken, reverse=True)[:SLOWEST]

    def refuse(self, source: Path, error: BaseException) -> str:
        """What is said of it."""
        name, reason = legible(str(source)), legible(str(error)) or "There is not enough memory for it."
        kind = error.code if isinstance(error, RestorationError) else type(error).__name__
        self.refused.setdefault(kind, (reason, []))[1].append(name)
        return f"{name}: {reason}"

    def to_json(self) -> dict[str, Any]:
        return {
            "photos": self.photos,
            "done": self.done,
            "before": self.before,
            "report": legible(str(self.report)),
            "slowest": [{"input": name, "seconds": seconds} for seconds, name in self.slowest],
            "refused": [{"code": code, "reason": why, "inputs": names} for code, (why, names) in self._most_common()],
            "passed_over": dict(self.passed_over),
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.done:
            known = f", {self.before} of them before" if self.before else ""
            report = legible(str(self.report))
            yield f"{self.done} of {self.photos} done{known}; results and measures are listed in {report}."
        if self.done - self.before > SLOWEST:
            yield f"Slowest: {', '.join(f'{name} ({s:.1f} s)' for s, name in self.slowest)}."
        for _, (reason, names) in self._most_common() if self.photos > 1 else ():
            like = f"{len(names)} like " if len(names) > 1 else ""
            yield f"Not done: {like}{names[0]}: {reason}"
        if self.passed_over:
            kinds = sorted(self.passed_over.items(), key=lambda kind: (-kind[1], kind[0]))
            counts = ", ".join(f"{count} {legible(suffix) or 'without a suffix'}" for suffix, count in kinds)
            yield f"Passed over, as they are no photos: {counts}."

    def _most_common(self) -> list[tuple[str, tuple[str, list[str]]]]:
        return sorted(self.refused.items(), key=lambda group: -len(group[1][1]))
