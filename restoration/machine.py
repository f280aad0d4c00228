"""The machine's limits: how many cores there are, how a lack of memory is known, and what is tried then."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

from .errors import MemoryShortage

logger = logging.getLogger(__name__)
T = TypeVar("T")
_SHORT = re.compile(r"out of memory|n't allocate memory|not enough memory|alloc_failed|could not create a ", re.I)


def core_quota(cgroup: Path = Path("/sys/fs/cgroup")) -> float:
    """How many cores a container may use, of which PyTorch sees all: threads beyond them wait for each other."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # another system, or no container, or "max"
        return math.inf


def is_lack(error: BaseException) -> bool:
    """Is it a lack of memory, for which PyTorch and its libraries have several words?"""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _SHORT.search(str(error)) is not None)


@contextmanager
def enough_memory(shortage: MemoryShortage) -> Iterator[None]:
    """Raise ``shortage`` for a lack of memory."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_lack(error):
            raise
        # A copy: what the caller's frame holds, with a traceback to that frame, would keep its tensors in memory.
        raise type(shortage)(shortage.code, **shortage.fields) from error


def by_parts(work: Callable[[int], T], *sizes: int) -> T:
    """``work(size)`` by the first of ``sizes``, the largest first, for which there is memory."""
    for size in sizes[:-1]:
        try:
            return work(size)
        except (MemoryError, RuntimeError) as error:
            if not is_lack(error):
                raise
            _warn()
    return work(sizes[-1])


@cache
def _warn() -> None:
    logger.warning("There is little memory, so photos are taken in smaller parts, which takes longer.")
