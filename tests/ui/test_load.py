"""Many visitors at once, and many restorations in a row: `benchmarks.load` in short."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest

from benchmarks.common import PHOTOS
from benchmarks.load import KINDS, Request, ask, connected, listening, prepared, visit
from benchmarks.serving import serve
from restoration import Restorer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an app that these tests have to themselves."""
    return tmp_path_factory.mktemp("load")


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[str]:
    """The address of that app, whose queue is soon full."""
    with serve(folder, "--queue-size", "4", mcp=False) as url:
        yield url


def test_a_crowd_gets_its_own_pixels_or_is_told_that_the_queue_is_full(
    own: str, restorer: Restorer, tmp_path: Path
) -> None:
    crowd = [
        [prepared(restorer, kind, seed, tmp_path) for kind in (KINDS[seed % len(KINDS)], "restore")]
        for seed in range(16)
    ]
    answers = asyncio.run(visit(own, crowd, seconds=4))
    assert [each.failure for each in answers if each.failure] == []
    assert {each.request.kind for each in answers} == set(KINDS)
    assert sum(each.refusals for each in answers) > 0


def test_a_full_queue_is_said(own: str, restorer: Restorer, tmp_path: Path) -> None:
    async def called() -> list[httpx.Response]:
        async with connected(own) as http:
            upload = await http.post("/upload", files={"files": PHOTOS[0].read_bytes()})
            body = {"photo": {"path": upload.json()[0], "meta": {"_type": "gradio.FileData"}}, "steps": 2}
            answers = await asyncio.gather(*(http.post("/call/v2/sweep", json=body) for _ in range(12)))
            for each in answers:
                if each.is_success:
                    await http.get(f"/call/sweep/{each.json()['event_id']}")
            return answers

    refused = [each for each in asyncio.run(called()) if not each.is_success]
    assert refused
    for each in refused:
        assert each.status_code == 503
        assert each.json()["detail"].startswith("Queue is full.")


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


async def ask_in_turn(url: str, requests: Sequence[Request]) -> None:
    """All ``requests``, by four visitors at once."""
    left = iter(requests)

    async def visitor(http: httpx.AsyncClient) -> None:
        for request in left:
            await ask(http, request)

    async with connected(url) as http:
        await asyncio.gather(*(visitor(http) for _ in range(4)))


def test_hundreds_of_restorations_leave_their_results_and_nothing_else(
    own: str, folder: Path, restorer: Restorer, tmp_path: Path
) -> None:
    app = listening(own)
    requests = [prepared(restorer, "restore", seed, tmp_path) for seed in range(len(PHOTOS))]
    asyncio.run(ask_in_turn(own, list(islice(cycle(requests), 50))))
    settled = app.memory_info().rss, app.num_fds()
    before = files(folder / "cache")
    asyncio.run(ask_in_turn(own, list(islice(cycle(requests), 150))))

    made = files(folder / "cache") - before
    assert [path.name for path in made] == 150 * ["restored.png"]
    assert app.memory_info().rss < 1.05 * settled[0]  # a session of each call, kept, would take more
    for _ in range(100):
        if app.num_fds() <= settled[1]:  # the last connections are closed a little later
            break
        time.sleep(0.1)
    assert app.num_fds() <= settled[1]
