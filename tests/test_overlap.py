from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from restoration.overlap import overlapped


def squares(numbers: Sequence[int]) -> list[int]:
    return [number**2 for number in numbers]


@pytest.mark.parametrize(("count", "batch"), [(0, 4), (1, 4), (50, 1), (50, 4), (50, 64)])
def test_all_are_written_in_order(count: int, batch: int) -> None:
    written: list[int] = []
    outcomes = list(overlapped(range(count), lambda item: item, squares, written.append, batch=batch))
    assert outcomes == [(item, None) for item in range(count)]
    assert written == [item**2 for item in range(count)]


def test_an_error_is_its_own_items() -> None:
    """In each of the three steps; 12 is all right in a batch of its own."""

    def read(item: int) -> int | None:
        if item == 3:
            raise OSError(3)
        return None if item == 5 else item

    def work(items: Sequence[int]) -> list[int]:
        if 7 in items or (12 in items and len(items) > 1):
            raise RuntimeError(7)
        return list(items)

    def write(item: int) -> None:
        written.append(item)
        if item == 9:
            raise ValueError(9)

    written: list[int] = []
    outcomes = dict(overlapped(range(20), read, work, write, batch=4))
    assert outcomes.keys() == set(range(20))
    failed = {item: type(error) for item, error in outcomes.items() if error}
    assert failed == {3: OSError, 7: RuntimeError, 9: ValueError}
    assert sorted(written) == sorted(set(range(20)) - {3, 5, 7})


def test_reading_working_and_writing_overlap() -> None:
    """Each step waits for one of the next batch to be read and of the last one to be written."""
    begun = [threading.Event() for _ in range(10)]
    worked, written = threading.Event(), threading.Event()

    def read(item: int) -> int:
        begun[item].set()
        return item

    def work(items: Sequence[int]) -> Sequence[int]:
        if 0 in items:
            assert begun[3].wait(20)
        if 4 in items:
            worked.set()
            assert written.wait(20)
        return items

    def write(item: int) -> None:
        if item == 0:
            assert worked.wait(20)
            written.set()

    assert [error for _, error in overlapped(range(10), read, work, write, batch=2)] == [None] * 10


def test_few_are_in_memory_at_once() -> None:
    read: list[int] = []
    for written, _ in overlapped(range(200), lambda item: read.append(item) or item, squares, lambda _: None, batch=4):
        assert len(read) - written < 40


def test_what_was_made_is_written_though_nobody_goes_on() -> None:
    written: list[int] = []
    outcomes = overlapped(range(100), lambda item: item, squares, written.append, batch=2)
    next(outcomes)
    outcomes.close()
    assert 1 <= len(written) < 20
