"""`python -m benchmarks.load`: 64 visitors at once; wants a machine with nothing else to do.

Each visitor has a photo and a seed of its own, and asks in turn for a restoration, a comparison, a sweep, and the
restoration of 12 megapixels, all of them uploaded anew. Every file of an answer is compared, byte for byte, with what
the library makes of that photo and seed. Visitors and the app share the machine's cores.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image

from restoration import PRESETS, Photo, Recipe, Restorer, image, pipeline, robustness
from restoration.recipe import library_versions
from ui.context import TITLES

from .common import PHOTOS, Json, write
from .serving import serve

KINDS = ("restore", "compare", "sweep", "upload")
VISITORS = 64
SECONDS = 60
"""How long they keep asking."""
PATIENCE = 1
"""Seconds that a visitor waits before trying again where the queue is full."""
SWEEP_STEPS = 3


@dataclass(frozen=True)
class Request:
    """A call of the app with a photo that is uploaded first, and the files that must come back, in order."""

    kind: str
    photo: Path
    parameters: Json
    expected: Sequence[bytes]


def prepared(restorer: Restorer, kind: str, seed: int, folder: Path) -> Request:
    """One of `KINDS`, of the seed's photo; a large one is put into ``folder``."""
    path = PHOTOS[seed % len(PHOTOS)]
    if kind == "upload":
        large = folder / f"{seed}.jpg"
        large.write_bytes(enlarged(path, seed))
        path = large
    photo = image.load(path)
    if kind == "sweep":
        at = robustness.strengths("gaussian", *robustness.reach("gaussian"), SWEEP_STEPS)
        swept = robustness.sweep(restorer, image.fit(photo), "gaussian", at, list(TITLES), seed=seed)
        pictures = [image.encode(picture) for picture in (robustness.plot(swept), robustness.strip(swept))]
        parameters = {"control": "gaussian", "steps": SWEEP_STEPS, "seed": seed}
        return Request(kind, path, parameters, [*pictures, robustness.table(swept).encode()])
    preset = "heavy" if kind == "compare" else "original"
    models = list(TITLES) if kind == "compare" else [list(TITLES)[seed % len(TITLES)]]
    recipe = Recipe(degradation=PRESETS[preset].draw(seed), seed=seed, models=dict.fromkeys(models))
    run = pipeline.run(restorer, photo, recipe)
    restored = [image.encode(each.photo) for each in run.restored.values()]
    if kind == "compare":
        assert run.truth
        before = [image.encode(each) for each in (run.truth, run.degraded)]
        return Request(kind, path, {"damage": preset, "seed": seed}, [*before, *restored])
    return Request(kind, path, {"recipe": recipe.to_json()}, restored)


def visits(restorer: Restorer, count: int, folder: Path) -> list[list[Request]]:
    """The requests of each of ``count`` visitors: all of `KINDS`, each visitor beginning with another."""
    found = []
    for seed in range(count):
        first = seed % len(KINDS)
        found.append([prepared(restorer, kind, seed, folder) for kind in KINDS[first:] + KINDS[:first]])
    answers = [each.expected[-1] for asked in found for each in asked]
    assert len(set(answers)) == len(answers)  # none could stand in for another unseen
    return found


def enlarged(photo: Path, seed: int) -> bytes:
    """A JPEG of 12 megapixels, noisy as a sensor's, so that it is as large as a phone's: several MB."""
    with Image.open(photo) as picture:
        pixels = np.asarray(picture.resize((4000, 3000)), np.int16)
    noise = np.random.default_rng(seed).integers(-9, 10, (*pixels.shape[:2], 1), np.int16)
    return image.encode(Photo(np.clip(pixels + noise, 0, 255).astype(np.uint8)), ".jpg")


class MixedUp(Exception):
    """The answer is another one than the library's."""


@dataclass
class Answer:
    """How a request went, from the beginning of its upload to the last byte, by the clock of `time.perf_counter`."""

    request: Request
    began: float
    ended: float = 0
    refusals: int = 0
    """How often the queue was full."""
    addresses: Sequence[str] = ()
    """Of the files."""
    failure: str = ""
    """What went wrong; empty where nothing did."""


def connected(url: str) -> httpx.AsyncClient:
    """For any number of visitors; a connection is used again for less long than the app keeps it open, 5 s."""
    limits = httpx.Limits(max_connections=None, keepalive_expiry=2)
    return httpx.AsyncClient(base_url=f"{url}/gradio_api", timeout=300, limits=limits)


async def ask(http: httpx.AsyncClient, request: Request) -> tuple[int, list[str]]:
    """Upload, call, wait, fetch and compare; returns how often the queue was full, and the addresses of the files.

    Raises `MixedUp`, httpx's errors, and RuntimeError where the answer is an error.
    """
    upload = await http.post("/upload", files={"files": (request.photo.name, request.photo.read_bytes())})
    (path,) = upload.raise_for_status().json()
    body = {"photo": {"path": path, "meta": {"_type": "gradio.FileData"}}, **request.parameters}
    refusals = 0
    endpoint = "restore" if request.kind == "upload" else request.kind
    while is_full(called := await http.post(f"/call/v2/{endpoint}", json=body)):
        refusals += 1
        await asyncio.sleep(PATIENCE)
    event = called.raise_for_status().json()["event_id"]
    stream = await http.get(f"/call/{endpoint}/{event}")
    name, data = stream.raise_for_status().text.strip().split("\n\n")[-1].split("\n", 1)  # heartbeats come before
    if name != "event: complete":
        raise RuntimeError(data)
    addresses = list(addresses_in(json.loads(data.removeprefix("data: "))))
    await check(http, request, addresses)
    return refusals, addresses


async def check(http: httpx.AsyncClient, request: Request, addresses: Sequence[str]) -> None:
    """Raise `MixedUp` where the files are not those that were expected, and httpx's errors."""
    files = [(await http.get(address)).raise_for_status().content for address in addresses]
    if files[: len(request.expected)] != list(request.expected):
        raise MixedUp(request.kind)


def addresses_in(results: Sequence[Json | None]) -> Iterator[str]:
    """Of an answer's files, also of those that it gives by name."""
    for each in filter(None, results):
        files = [each] if "url" in each else [file for file in each.values() if isinstance(file, dict)]
        yield from (file["url"] or f"/file={file['path']}" for file in files if "url" in file)


def is_full(called: httpx.Response) -> bool:
    return called.status_code == httpx.codes.SERVICE_UNAVAILABLE and "queue is full" in called.json()["detail"].lower()


async def visit(url: str, crowd: Sequence[Sequence[Request]], seconds: float) -> list[Answer]:
    """The answers to visitors who ask their requests in turn, again and again; what was begun in time is finished.

    At the end all files are fetched once more: nobody has written over them.
    """
    answers = []
    end = time.perf_counter() + seconds

    async def visitor(http: httpx.AsyncClient, requests: Sequence[Request]) -> None:
        for request in cycle(requests):
            if (began := time.perf_counter()) >= end:
                return
            answer = Answer(request, began)
            try:
                answer.refusals, answer.addresses = await ask(http, request)
            except (MixedUp, RuntimeError, httpx.HTTPError) as error:
                answer.failure = f"{type(error).__name__}: {error}"
            answer.ended = time.perf_counter()
            answers.append(answer)

    async with connected(url) as http:
        await asyncio.gather(*(visitor(http, requests) for requests in crowd))
        for answer in answers:
            if not answer.failure:
                await check(http, answer.request, answer.addresses)
    return answers


def listening(url: str) -> psutil.Process:
    """The app's process, on this machine."""
    port = httpx.URL(url).port
    sockets = psutil.net_connections("tcp")
    return psutil.Process(next(each.pid for each in sockets if each.laddr.port == port and each.status == "LISTEN"))


def peak(app: psutil.Process) -> int:
    """The most bytes of memory that the app has had."""
    kilobytes = re.search(r"^VmHWM:\s+(\d+)", Path(f"/proc/{app.pid}/status").read_text(), re.MULTILINE)
    assert kilobytes
    return 1024 * int(kilobytes[1])


def waits(answers: Sequence[Answer]) -> Json:
    """Seconds that visitors waited, all in all and for each kind."""
    found = {}
    for kind in ("all", *KINDS):
        seconds = [each.ended - each.began for each in answers if kind in ("all", each.request.kind)]
        p50, p95 = np.percentile(seconds, [50, 95]).tolist()
        found[kind] = {"count": len(seconds), "p50": p50, "p95": p95, "max": max(seconds)}
    return found


def main() -> None:
    """Measure, and write benchmarks/results/load.json."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        crowd = visits(Restorer("cpu"), VISITORS, Path(folder))
        with serve(Path(folder), mcp=False) as url:
            app = listening(url)
            asyncio.run(visit(url, crowd[:1], 5))  # loads the networks
            before, began = app.memory_info().rss, time.perf_counter()
            answers = asyncio.run(visit(url, crowd, SECONDS))
            memory = {"before": before, "peak": peak(app)}
    took = max(each.ended for each in answers) - began
    done = [each for each in answers if not each.failure]
    failures = [each.failure for each in answers if each.failure]
    measured = {
        "cores": os.cpu_count(),
        "versions": library_versions(),
        "visitors": VISITORS,
        "seconds": took,
        "per_second": len(done) / took,
        "waits": waits(done),
        "queue_full": sum(each.refusals for each in answers),
        "mixed_up": sum(failure.startswith(MixedUp.__name__) for failure in failures),
        "failures": failures,
        "memory": memory,
    }
    write("load", measured)


if __name__ == "__main__":
    main()
