"""One vote per task: what a visitor is shown in the blind test is drawn by a ticket that can be used once, and soon.

A ticket is a random name of what was drawn, which stays here: nobody learns from it what is behind the pictures.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from restoration.degradations import PRESETS
from restoration.errors import ControlError

LIFETIME = 30 * 60
"""Seconds that a ticket can be used."""
KNOWN = 10 * LIFETIME
"""Seconds until it is forgotten, and not even said to be too old."""
RATE, MINUTE = 6, 60
"""Votes of one visitor in so many seconds."""
SEEDS = 1_000_000


@dataclass(frozen=True)
class Task:
    """What a ticket draws: the damage, and the models' ids in the order in which their pictures stand."""

    preset: str
    seed: int
    order: tuple[str, ...]


class Tickets:
    """Issues tickets, and lets each be voted with once; kept in the app's one process, where threads may share it."""

    def __init__(self, models: Sequence[str]) -> None:
        self._models = tuple(models)
        self._drawn: dict[str, tuple[Task, float]] = {}  # by the ticket, with the time of its drawing
        self._used: set[str] = set()
        self._votes: dict[str, list[float]] = {}  # by the visitor, when they were cast
        self._lock = threading.Lock()

    def issue(self) -> str:
        """A new ticket."""
        chance, ticket, now = random.SystemRandom(), f"ticket-{secrets.token_hex(16)}", monotonic()
        order = tuple(chance.sample(self._models, len(self._models)))
        task = Task(chance.choice(list(PRESETS)), chance.randrange(SEEDS), order)
        with self._lock:
            self._drawn = {each: drawn for each, drawn in self._drawn.items() if drawn[1] > now - KNOWN}
            self._used &= self._drawn.keys()
            self._drawn[ticket] = task, now
        return ticket

    def draw(self, ticket: str) -> Task:
        """What ``ticket`` draws. Raises `ControlError` where it is not ours, or too old."""
        task, at = self._drawn.get(str(ticket), (None, 0))
        if task is None:
            raise ControlError("ticket_unknown")
        if at + LIFETIME < monotonic():
            raise ControlError("ticket_expired", minutes=LIFETIME // 60)
        return task

    def redeem(self, ticket: str, visitor: str) -> Task:
        """`draw`, for the one time that ``ticket`` can be voted with.

        Raises `ControlError` where it was used before, or where ``visitor``, the name of a page's session, votes too
        fast. Both are remembered in memory alone, and as long as they matter.
        """
        task = self.draw(ticket)
        with self._lock:
            now = monotonic()
            recent = {each: [at for at in times if at > now - MINUTE] for each, times in self._votes.items()}
            self._votes = {each: times for each, times in recent.items() if times}
            if ticket in self._used:
                raise ControlError("ticket_used")
            if len(self._votes.get(visitor, ())) >= RATE:
                raise ControlError("ticket_rate", most=RATE)
            self._used.add(ticket)
            self._votes.setdefault(visitor, []).append(now)
        return task
