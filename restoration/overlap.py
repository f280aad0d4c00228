"""Reading, computing and writing of many photos overlap, so that a network never waits for a disk or a decoder."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

READERS = 2
Item = TypeVar("Item")
Read = TypeVar("Read")
Made = TypeVar("Made")


def overlapped(
    items: Iterable[Item],
    read: Callable[[Item], Read | None],
    work: Callable[[Sequence[Read]], Sequence[Made]],
    write: Callable[[Made], None],
    *,
    batch: int,
) -> Iterator[tuple[Item, BaseException | None]]:
    """Each item when what was made of it is written, or with the error that it came to.

    ``read`` runs ahead in threads, and gives None for an item that needs no more; ``work`` runs here, on up to
    ``batch`` at once, and where that fails on one by one, so that an error is its own item's; ``write`` runs behind in
    a thread, in order. A few batches are in memory at once, however many items there are.
    """
    left = iter(items)
    reading: deque[tuple[Item, Future[Read | None]]] = deque()
    writing: deque[tuple[Item, Future[None]]] = deque()

    def end(made: Made | BaseException | None) -> None:
        if isinstance(made, BaseException):
            raise made
        if made is not None:
            write(made)

    with ThreadPoolExecutor(READERS) as readers, ThreadPoolExecutor(1) as writer:
        try:
            while True:
                ahead = islice(left, 3 * batch - len(reading))
                reading.extend((item, readers.submit(read, item)) for item in ahead)
                todo: list[tuple[Item, Read]] = []
                for item, future in [reading.popleft() for _ in range(min(batch, len(reading)))]:
                    error = future.exception()
                    if error or (found := future.result()) is None:
                        writing.append((item, writer.submit(end, error)))
                    else:
                        todo.append((item, found))
                for (item, _), made in zip(todo, _worked(work, [found for _, found in todo]), strict=True):
                    writing.append((item, writer.submit(end, made)))
                while writing and (len(writing) > 2 * batch or not reading):
                    item, written = writing.popleft()
                    yield item, written.exception()
                if not reading and not writing:
                    return
        finally:
            for _, waiting in reading:
                waiting.cancel()


def _worked(work: Callable[[Sequence[Read]], Sequence[Made]], found: Sequence[Read]) -> Sequence[Made | Exception]:
    try:
        return work(found) if found else []
    except Exception as error:
        return [error] if len(found) == 1 else [made for each in found for made in _worked(work, [each])]
