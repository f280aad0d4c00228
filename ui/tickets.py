"""One vote per task: what a visitor is shown in the blind test is drawn by a ticket that can be used once, and soon.

A ticket is a random name and its end, signed (HMAC, RFC 2104). What it draws follows from its name and a secret of this
process, so the page can hold it: nobody else learns from it what is behind the pictures, or can make one up.
"""

from __future__ import annotations

import hashlib
import hmac
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
    """Of the one process that serves the app, for ``models``; threads may share it."""

    def __init__(self, models: Sequence[str]) -> None:
        self._models = tuple(models)
        self._secret = secrets.token_bytes(32)
        self._used: dict[str, float] = {}
        self._votes: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def issue(self) -> str:
        """A new ticket."""
        claim = f"{secrets.token_hex(16)}.{int(monotonic() + LIFETIME)}"
        return f"{claim}.{self._sign('ticket', claim).hex()}"

    def draw(self, ticket: str) -> Task:
        """What ``ticket`` draws. Raises `ControlError` where it is not ours, or too old."""
        claim, _, signature = str(ticket).rpartition(".")
        expected = self._sign("ticket", claim).hex().encode()
        if not hmac.compare_digest(expected, signature.encode(errors="replace")):
            raise ControlError("ticket_unknown")
        if _end(claim) < monotonic():
            raise ControlError("ticket_expired", minutes=LIFETIME // 60)
        drawn = random.Random(self._sign("task", claim))
        order = drawn.sample(self._models, len(self._models))
        return Task(drawn.choice(list(PRESETS)), drawn.randrange(SEEDS), tuple(order))

    def redeem(self, ticket: str, visitor: str) -> Task:
        """`draw`, for the one time that ``ticket`` can be voted with.

        Raises `ControlError` where it was used before, or where ``visitor``, the name of a page's session, votes too
        fast. Both are remembered in memory alone, and as long as they matter.
        """
        task = self.draw(ticket)
        with self._lock:
            now = monotonic()
            self._used = {each: end for each, end in self._used.items() if end > now}
            recent = {each: [at for at in times if at > now - MINUTE] for each, times in self._votes.items()}
            self._votes = {each: times for each, times in recent.items() if times}
            if ticket in self._used:
                raise ControlError("ticket_used")
            if len(self._votes.get(visitor, ())) >= RATE:
                raise ControlError("ticket_rate", most=RATE)
            self._used[ticket] = _end(ticket)
            self._votes.setdefault(visitor, []).append(now)
        return task

    def _sign(self, use: str, claim: str) -> bytes:
        return hmac.digest(self._secret, f"{use}:{claim}".encode(errors="replace"), hashlib.sha256)


def _end(ticket: str) -> float:
    """When a ticket, or the claim in it, ends, on the clock of `monotonic`."""
    return float(ticket.split(".")[1])
