"""What came of many photos, told at the end: how many are done, the slowest, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import Note, RestorationError
from ..files import legible
from .plan import Job, Plan, report_path

SLOWEST = 3
"""How many are named."""


def reason(error: BaseException) -> str:
    """Why a photo is not done, in a sentence."""
    return legible(str(error)) or "There is not enough memory for it."


@dataclass
class Summary:
    """Of a plan; filled while its photos are worked through."""

    todo: Plan
    before: int = 0
    """How many photos an earlier run did."""
    done: int = field(init=False)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    """Seconds and photos of this run, the slowest first."""
    warned: list[tuple[str, Sequence[Note]]] = field(default_factory=list)
    """Photos that are done, with what is to be known of how their files were read."""
    refused: list[tuple[str, BaseException]] = field(init=False)
    """Photos that are not done, with the error that each came to."""

    def __post_init__(self) -> None:
        self.done, self.refused = self.before, [*self.todo.refused]

    def add(self, job: Job, seconds: float, notes: Sequence[Note]) -> None:
        """One more is done."""
        self.done += 1
        self.slowest = sorted([*self.slowest, (round(seconds, 3), job.name)], reverse=True)[:SLOWEST]
        if notes:
            self.warned.append((job.name, notes))

    def to_json(self) -> dict[str, Any]:
        return {
            "photos": len(self.todo.jobs),
            "done": self.done,
            "before": self.before,
            "report": legible(str(report_path(self.todo.out))),
            "slowest": [{"input": name, "seconds": seconds} for seconds, name in self.slowest],
            "refused": [{"code": code, "reason": why, "inputs": names} for code, why, names in self._most_common()],
            "passed_over": dict(self.todo.passed_over),
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        photos, passed_over = len(self.todo.jobs), self.todo.passed_over
        if self.done:
            known = f", {self.before} of them before" if self.before else ""
            report = legible(str(report_path(self.todo.out)))
            yield f"{self.done} of {photos} done{known}; results and measures are listed in {report}."
        if self.done - self.before > SLOWEST:
            yield f"Slowest: {', '.join(f'{name} ({s:.1f} s)' for s, name in self.slowest)}."
        for _, why, names in self._most_common() if photos > 1 else ():
            like = f"{len(names)} like " if len(names) > 1 else ""
            yield f"Not done: {like}{names[0]}: {why}"
        if passed_over:
            kinds = sorted(passed_over.items(), key=lambda kind: (-kind[1], kind[0]))
            counts = ", ".join(f"{count} {legible(suffix) or 'without a suffix'}" for suffix, count in kinds)
            yield f"Passed over, as they are no photos: {counts}."

    def _most_common(self) -> list[tuple[str, str, list[str]]]:
        """The kinds of errors, each with what was said of the first photo that came to it, and all of these."""
        kinds: dict[str, tuple[str, str, list[str]]] = {}
        for name, error in self.refused:
            code = error.code if isinstance(error, RestorationError) else type(error).__name__
            kinds.setdefault(code, (code, reason(error), []))[2].append(name)
        return sorted(kinds.values(), key=lambda kind: -len(kind[2]))
