from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from restoration.batch.parallel import in_parallel
from restoration.machine import core_quota


def squares(numbers: Sequence[int]) -> list[int]:
    return [number**2 for number in numbers]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("count", "batch"), [(0, 4), (1, 4), (50, 1), (50, 4), (50, 64), (500, 1)])
def test_all_are_written(count: int, batch: int, threads: int) -> None:
    written: list[int] = []
    outcomes = in_parallel(range(count), lambda item: item, squares, written.append, batch=batch, threads=threads)
    assert list(outcomes) == [(item, None) for item in range(count)]
    assert sorted(written) == [item**2 for item in range(count)]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_is_its_own_items(threads: int) -> None:
    """In each of the three steps; 12 is all right in a batch of its own."""

    def read(item: int) -> int:
        if item == 3:
            raise OSError(3)
        return item

    def work(items: Sequence[int]) -> list[int]:
        if 7 in items or (12 in items and len(items) > 1):
            raise RuntimeError(7)
        return list(items)

    def write(item: int) -> None:
        written.append(item)
        if item == 9:
            raise ValueError(9)

    written: list[int] = []
    outcomes = dict(in_parallel(range(20), read, work, write, batch=4, threads=threads))
    assert outcomes.keys() == set(range(20))
    failed = {item: type(error) for item, error in outcomes.items() if error}
    assert failed == {3: OSError, 7: RuntimeError, 9: ValueError}
    assert sorted(written) == sorted(set(range(20)) - {3, 7})


def test_threads_read_work_and_write_at_once() -> None:
    """Photo 0 is in work until 1 is being written, which goes on until 2 is read."""
    writes, reads = threading.Event(), threading.Event()

    def read(item: int) -> int:
        if item == 2:
            reads.set()
        return item

    def work(items: Sequence[int]) -> Sequence[int]:
        assert items != [0] or writes.wait(20)
        return items

    def write(item: int) -> None:
        if item == 1:
            writes.set()
            assert reads.wait(20)

    assert [error for _, error in in_parallel(range(9), read, work, write, threads=2)] == [None] * 9


def test_a_long_one_keeps_no_other_thread_idle() -> None:
    """The first waits until all of the others are written."""
    last = threading.Event()

    def write(item: int) -> None:
        if item == 49:
            last.set()

    def work(items: Sequence[int]) -> Sequence[int]:
        assert items != [0] or last.wait(20)
        return items

    assert [error for _, error in in_parallel(range(50), lambda item: item, work, write, threads=2)] == [None] * 50


@pytest.mark.parametrize("threads", [1, 3])
def test_a_thread_has_one_batch_at_a_time(threads: int) -> None:
    """So memory is constant, and a kill costs no more than that."""
    lock, now, most = threading.Lock(), 0, 0

    def count(change: int) -> None:
        nonlocal now, most
        with lock:
            now += change
            most = max(most, now)

    def read(item: int) -> int:
        count(1)
        return item

    def write(item: int) -> None:
        count(-1)

    list(in_parallel(range(200), read, lambda items: items, write, batch=4, threads=threads))
    assert (now, most <= 4 * threads) == (0, True)


@pytest.mark.parametrize("threads", [1, 3])
def test_nothing_is_begun_once_nobody_goes_on(threads: int) -> None:
    """What is in hand is written."""
    read: list[int] = []
    written: list[int] = []
    closed = threading.Event()

    def note(item: int) -> int:
        read.append(item)
        assert item < 2 or closed.wait(20)  # the first batch alone is done before
        return item

    outcomes: Any = in_parallel(range(1000), note, lambda items: items, written.append, batch=2, threads=threads)
    next(outcomes)
    threading.Timer(0.2, closed.set).start()
    outcomes.close()
    assert 2 <= len(written) <= 2 * (threads + 1)
    assert sorted(written) == sorted(read)


def test_each_thread_begins_once() -> None:
    begun: list[int] = []
    workers: set[int] = set()

    def work(items: Sequence[int]) -> Sequence[int]:
        workers.add(threading.get_ident())
        return items

    def begin() -> None:
        begun.append(threading.get_ident())

    list(in_parallel(range(50), lambda item: item, work, lambda _: None, threads=3, begin=begin))
    assert len(begun) == len(set(begun)) <= 3
    assert workers <= set(begun) - {threading.get_ident()}


class Picture:
    alive: ClassVar[set[int]] = set()

    def __init__(self) -> None:
        self.alive.add(id(self))

    def __del__(self) -> None:
        self.alive.discard(id(self))


@pytest.mark.parametrize("threads", [1, 2])
def test_errors_that_wait_hold_no_pictures(threads: int) -> None:
    def read(item: int) -> Picture:
        picture = Picture()
        try:
            raise ValueError(id(picture))
        except ValueError as error:
            raise OSError(item) from error

    most = 0
    for _ in in_parallel(range(300), read, lambda items: items, lambda _: None, threads=threads):
        most = max(most, len(Picture.alive))
    assert most <= 2 * threads


@pytest.mark.parametrize(
    ("written", "cores"), [("150000 100000", 2), ("20000 100000", 1), ("max 100000", math.inf), (None, math.inf)]
)
def test_a_container_uses_no_more_cores_than_it_has(tmp_path: Path, written: str | None, cores: float) -> None:
    if written:
        (tmp_path / "cpu.max").write_text(f"{written}\n")
    assert core_quota(tmp_path) == cores
