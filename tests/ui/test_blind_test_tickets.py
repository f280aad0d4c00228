"""Tickets: each draws its own task, and can be voted with once, soon, and by whom it was given to."""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from restoration import PRESETS, ControlError
from ui import blind_test_tickets
from ui.blind_test_tickets import KNOWN, LIFETIME, MINUTE, RATE, SEEDS, Tickets

MODELS = ("vae", "gan", "cnn")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test may change."""
    clock = [1000.0]
    monkeypatch.setattr(blind_test_tickets, "monotonic", lambda: clock[0])
    return clock


def refusal(issued: Tickets, ticket: Any, visitor: str = "me") -> str:
    with pytest.raises(ControlError) as caught:
        issued.redeem(ticket, visitor)
    return caught.value.code


def test_what_a_ticket_draws_stays_the_same_until_it_is_used() -> None:
    issued = Tickets(MODELS)
    ticket = issued.issue()
    task = issued.draw(ticket)
    assert sorted(task.order) == sorted(MODELS)
    assert task.preset in PRESETS
    assert 0 <= task.seed < SEEDS
    assert issued.draw(ticket) == issued.redeem(ticket, "me") == task


def test_nothing_is_likelier_than_it_should_be() -> None:
    issued = Tickets(MODELS)
    tasks = [issued.draw(issued.issue()) for _ in range(6000)]
    for counted in (Counter(task.order for task in tasks), Counter(task.preset for task in tasks)):
        usual = len(tasks) / len(counted)
        assert all(abs(count - usual) < 5 * math.sqrt(usual) for count in counted.values())
    assert len({task.order for task in tasks}) == 6
    assert {task.preset for task in tasks} == {*PRESETS}
    assert len({task.seed for task in tasks}) > 5900


def test_a_ticket_cannot_be_guessed() -> None:
    issued = Tickets(MODELS)
    drawn = {issued.issue() for _ in range(50)}
    assert len(drawn) == 50
    assert all(re.fullmatch("ticket-[0-9a-f]{32}", ticket) for ticket in drawn)  # 128 bits


def test_a_second_vote_with_a_ticket_is_refused() -> None:
    issued = Tickets(MODELS)
    ticket = issued.issue()
    issued.redeem(ticket, "me")
    assert refusal(issued, ticket) == "ticket_used"
    assert refusal(issued, ticket, "another") == "ticket_used"


def test_of_many_votes_at_once_one_counts() -> None:
    issued = Tickets(MODELS)
    ticket, counted = issued.issue(), []
    together = threading.Barrier(8)

    def redeem(visitor: str) -> None:
        together.wait()
        with suppress(ControlError):
            counted.append(issued.redeem(ticket, visitor))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(redeem, map(str, range(8))))
    assert len(counted) == 1


@pytest.mark.parametrize("ticket", [None, 3, "", ".", "..", "a.b.c", "\ud800.\x00.é", ["x"], {"a": 1}, "9" * 5000])
def test_what_is_no_ticket_is_refused(ticket: Any) -> None:
    assert refusal(Tickets(MODELS), ticket) == "ticket_unknown"


def test_a_ticket_that_was_tampered_with_is_refused() -> None:
    issued = Tickets(MODELS)
    ticket = issued.issue()
    for changed in (ticket[:-1], f"{ticket}0", ticket[::-1], f"{ticket} ", Tickets(MODELS).issue()):
        assert refusal(issued, changed) == "ticket_unknown", changed
    issued.redeem(ticket, "me")  # which was not used up by them


def test_a_ticket_ends(now: list[float]) -> None:
    issued = Tickets(MODELS)
    ticket, late = issued.issue(), issued.issue()
    now[0] += LIFETIME - 1
    issued.redeem(ticket, "me")
    now[0] += 2
    assert refusal(issued, late) == "ticket_expired"
    assert refusal(issued, ticket) == "ticket_expired"


def test_who_votes_too_fast_waits(now: list[float]) -> None:
    issued = Tickets(MODELS)
    for _ in range(RATE):
        issued.redeem(issued.issue(), "me")
    ticket = issued.issue()
    assert refusal(issued, ticket) == "ticket_rate"
    issued.redeem(issued.issue(), "another")
    now[0] += MINUTE + 1
    issued.redeem(ticket, "me")  # it was not used up


def test_what_does_not_matter_any_more_is_forgotten(now: list[float]) -> None:
    issued = Tickets(MODELS)
    for place in range(100):
        issued.redeem(issued.issue(), f"visitor {place}")
    assert (len(issued._drawn), len(issued._used), len(issued._votes)) == (100, 100, 100)
    now[0] += KNOWN + 1
    issued.redeem(issued.issue(), "me")
    assert (len(issued._drawn), len(issued._used), len(issued._votes)) == (1, 1, 1)
