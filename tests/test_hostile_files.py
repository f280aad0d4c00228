"""Files that nobody should send, and photos as large as may be, by `image.load`; ui/test_hostile_uploads.py uploads."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.corpus import GREEDY, HUGE, LIMITS
from tests.corpus.reading import apart
from tests.corpus.verdict import Result

pytestmark = [
    pytest.mark.hostile,
    pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read in /proc"),
]


def wrong(results: Iterable[Result]) -> dict[str, str]:
    return {result.name: f"{result.outcome}: {result.wrong}" for result in results if result.wrong}


def test_a_strange_or_damaged_file_gives_the_right_picture_or_one_sentence() -> None:
    """Never half a picture, another error, a word on stderr, or a dead process."""
    results = list(apart("read_small"))
    assert wrong(results) == {}
    assert len(results) >= 5000


@pytest.mark.parametrize("names", [list(LIMITS)[::2], [*HUGE, *GREEDY]], ids=["photos", "bombs"])
def test_the_largest_files_take_little_memory(names: list[str]) -> None:
    """At most 400 MB over what the process had, and photos come whole."""
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(lambda half: list(apart("read_large", *half)), (names[::2], names[1::2]))
    results = [result for half in halves for result in half]
    assert wrong(results) == {}
    assert {result.name for result in results} == set(names)
    assert {result.name: result.bytes for result in results if result.bytes > 400_000_000} == {}
