"""Many photos on all cores: each thread takes photos of its own from their files to their results.

So one thread reads or writes while another's network runs, none waits for another, and a network that is alone on its
core loses nothing to the handing over of parts.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

AHEAD = 100
"""Turns that may be begun beyond the oldest one that is not done, so that a long photo does not keep the other threads
idle at once; of those that wait for a thread nothing is read yet."""
Item = TypeVar("Item")
Read = TypeVar("Read")
Made = TypeVar("Made")


def in_parallel(
    items: Iterable[Item],
    read: Callable[[Item], Read],
    work: Callable[[Sequence[Read]], Sequence[Made]],
    write: Callable[[Any], None],
    *,
    finish: Callable[[Made], Any] = lambda made: made,
    batch: int = 1,
    threads: int = 1,
    begin: Callable[[], None] = lambda: None,
) -> Generator[tuple[Item, BaseException | None], None, None]:
    """Each item, in order, when what was made of it is finished and written, or with the error that it came to.

    ``work`` gets ``batch`` of what was ``read`` at once, and where that fails one by one, so that an error is its own
    item's. All four run in each of the ``threads``, after ``begin``; a single thread is the caller's own, without
    ``begin``. No more than a batch of each thread is in memory, however many items there are.
    """

    def turn(some: Sequence[Item]) -> list[tuple[Item, BaseException | None]]:
        outcomes: dict[int, BaseException | None] = {}
        found: dict[int, Read] = {}
        for index, item in enumerate(some):
            try:
                found[index] = read(item)
            except Exception as error:
                outcomes[index] = error
        for index, made in zip(found, _worked(work, list(found.values())), strict=True):
            try:
                if isinstance(made, Exception):
                    raise made
                write(finish(made))
            except Exception as error:
                outcomes[index] = error
        for failure in outcomes.values():
            _let_go(failure)
        return [(item, outcomes.get(index)) for index, item in enumerate(some)]

    left = iter(items)
    turns = iter(lambda: list(islice(left, batch)), [])
    if threads == 1:
        for some in turns:
            yield from turn(some)
        return
    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        waiting: deque[Future[list[tuple[Item, BaseException | None]]]] = deque()
        try:
            while True:
                waiting.extend(pool.submit(turn, some) for some in islice(turns, AHEAD - len(waiting)))
                if not waiting:
                    return
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def on_one_core() -> None:
    """For ``begin``: what this thread computes stays on one core, as every core has such a thread."""
    import torch

    torch.set_num_threads(1)


def _let_go(error: BaseException | None) -> None:
    """Of what the functions held that it passed through: pictures, for as long as it waits to be told."""
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _worked(work: Callable[[Sequence[Read]], Sequence[Made]], found: Sequence[Read]) -> Sequence[Made | Exception]:
    try:
        return work(found) if found else []
    except Exception as error:
        return [error] if len(found) == 1 else [made for each in found for made in _worked(work, [each])]
