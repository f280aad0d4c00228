"""`python -m benchmarks.load`: 64 visitors at once against one alone; wants a machine with nothing else to do.

Each visitor has a photo and a seed of its own, and asks in turn for a restoration, a comparison, a sweep, and the
restoration of 12 megapixels, all of them uploaded anew. Every file of an answer is compared, byte for byte, with what
the library makes of that photo and seed.

Throughput is work per second, until the last answer: a request counts as the seconds that its kind takes a visitor who
is alone, so that one's throughput is 1, and it does not matter which kinds the crowd got done more often. Alone is
measured before the crowd and after it. Visitors and the app share the machine's cores.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import httpx
import numpy as np
import psutil
import typer
from PIL import Image

from restoration import PRESETS, Photo, Recipe, Restorer, image, pipeline, robustness
from restoration.files import write_atomically
from restoration.recipe import library_versions
from ui.lab import TITLES

from .serving import serve

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "assets" / "examples").glob("*.jpg"))
KINDS = ("restore", "compare", "sweep", "upload")
PATIENCE = 1
"""Seconds that a visitor waits before trying again where the queue is full."""

Json = dict[str, Any]


# --- What is asked ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Request:
    """A call of ``endpoint`` with a photo that is uploaded first, and the files that must come back, in order."""

    kind: str
    endpoint: str
    photo: Path
    parameters: Json
    expected: Sequence[bytes]


def restoration(restorer: Restorer, photo: Path, seed: int, kind: str = "restore") -> Request:
    """By one of the models, of a photo that the seed damages."""
    model = list(TITLES)[seed % len(TITLES)]
    recipe = Recipe(degradation=PRESETS["original"].draw(seed), seed=seed, models={model: None})
    run = pipeline.run(restorer, image.load(photo), recipe)
    return Request(
        kind=kind,
        endpoint="restore",
        photo=photo,
        parameters={"recipe": recipe.to_json()},
        expected=[image.encode(run.restored[model].photo)],
    )


def comparison(restorer: Restorer, photo: Path, seed: int) -> Request:
    recipe = Recipe(degradation=PRESETS["heavy"].draw(seed), seed=seed, models=dict.fromkeys(TITLES))
    run = pipeline.run(restorer, image.load(photo), recipe)
    assert run.truth
    photos = [run.truth, run.degraded, *(each.photo for each in run.restored.values())]
    return Request(
        kind="compare",
        endpoint="compare",
        photo=photo,
        parameters={"damage": "heavy", "seed": seed},
        expected=list(map(image.encode, photos)),
    )


def sweep(restorer: Restorer, photo: Path, seed: int, steps: int = 3) -> Request:
    at = robustness.strengths("gaussian", *robustness.reach("gaussian"), steps)
    swept = robustness.sweep(restorer, image.fit(image.load(photo)), "gaussian", at, list(TITLES), seed=seed)
    pictures = map(image.encode, (robustness.plot(swept), robustness.strip(swept)))
    return Request(
        kind="sweep",
        endpoint="sweep",
        photo=photo,
        parameters={"control": "gaussian", "steps": steps, "seed": seed},
        expected=[*pictures, robustness.table(swept).encode()],
    )


def prepared(restorer: Restorer, kind: str, seed: int, folder: Path) -> Request:
    """One of `KINDS`, of the seed's photo; a large one is put into ``folder``."""
    photo = EXAMPLES[seed % len(EXAMPLES)]
    match kind:
        case "compare":
            return comparison(restorer, photo, seed)
        case "sweep":
            return sweep(restorer, photo, seed)
        case "upload":
            large = folder / f"{seed}.jpg"
            large.write_bytes(enlarged(photo, seed))
            return restoration(restorer, large, seed, kind)
    return restoration(restorer, photo, seed, kind)


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


# --- Asking -----------------------------------------------------------------------------------------------------------


class Failed(Exception):
    """The answer is an error."""


class MixedUp(Exception):
    """The answer is another one than the library's."""


@dataclass
class Answer:
    """How a request went; times are seconds since the first visitor began."""

    request: Request
    asked: float
    ended: float = 0
    """When the last byte was there."""
    refusals: int = 0
    """How often the queue was full."""
    addresses: Sequence[str] = ()
    """Of the files."""
    failure: str = ""
    """What went wrong first; empty where nothing did."""

    @property
    def kind(self) -> str:
        return self.request.kind

    @property
    def seconds(self) -> float:
        return self.ended - self.asked

    @contextmanager
    def noting(self) -> Iterator[None]:
        try:
            yield
        except (Failed, MixedUp, httpx.HTTPError) as error:
            self.failure = self.failure or f"{type(error).__name__}: {error}"


def connected(url: str) -> httpx.AsyncClient:
    """For any number of visitors; a connection is used again for less long than the app keeps it open, 5 s."""
    limits = httpx.Limits(max_connections=None, keepalive_expiry=2)
    return httpx.AsyncClient(base_url=f"{url}/gradio_api", timeout=300, limits=limits)


async def ask(http: httpx.AsyncClient, request: Request) -> tuple[int, list[str]]:
    """Upload, call, wait, fetch and compare; returns how often the queue was full, and the addresses of the files.

    Raises `Failed`, `MixedUp`, and httpx's errors.
    """
    upload = await http.post("/upload", files={"files": (request.photo.name, request.photo.read_bytes())})
    (path,) = upload.raise_for_status().json()
    body = {"photo": {"path": path, "meta": {"_type": "gradio.FileData"}}, **request.parameters}
    refusals = 0
    while is_full(called := await http.post(f"/call/v2/{request.endpoint}", json=body)):
        refusals += 1
        await asyncio.sleep(PATIENCE)
    event = called.raise_for_status().json()["event_id"]
    stream = await http.get(f"/call/{request.endpoint}/{event}")
    name, data = stream.raise_for_status().text.strip().split("\n\n")[-1].split("\n", 1)  # heartbeats come before
    if name != "event: complete":
        raise Failed(data)
    addresses = list(addresses_in(json.loads(data.removeprefix("data: "))))
    await check(http, request, addresses)
    return refusals, addresses


def addresses_in(results: Sequence[Json | None]) -> Iterator[str]:
    """Of an answer's files, also of those that it gives by name."""
    for each in filter(None, results):
        files = [each] if "url" in each else [file for file in each.values() if isinstance(file, dict)]
        yield from (file["url"] or f"/file={file['path']}" for file in files if "url" in file)


async def check(http: httpx.AsyncClient, request: Request, addresses: Sequence[str]) -> None:
    """Raise `MixedUp` where the files are not those that were expected, and httpx's errors."""
    files = [(await http.get(address)).raise_for_status().content for address in addresses]
    if files[: len(request.expected)] != list(request.expected):
        raise MixedUp(request.kind)


def is_full(called: httpx.Response) -> bool:
    return called.status_code == httpx.codes.SERVICE_UNAVAILABLE and "queue is full" in called.json()["detail"].lower()


async def visit(url: str, crowd: Sequence[Sequence[Request]], seconds: float) -> list[Answer]:
    """The answers to visitors who ask their requests in turn, again and again; what was begun in time is finished.

    At the end all files are fetched once more: nobody has written over them.
    """
    answers = []
    began = time.perf_counter()

    async def visitor(http: httpx.AsyncClient, requests: Sequence[Request]) -> None:
        for request in cycle(requests):
            answer = Answer(request, asked=time.perf_counter() - began)
            if answer.asked >= seconds:
                return
            with answer.noting():
                answer.refusals, answer.addresses = await ask(http, request)
            answer.ended = time.perf_counter() - began
            answers.append(answer)

    async with connected(url) as http:
        await asyncio.gather(*(visitor(http, requests) for requests in crowd))
        for answer in answers:
            with answer.noting():
                await check(http, answer.request, answer.addresses)
    return answers


# --- What the machine tells -------------------------------------------------------------------------------------------


def listening(url: str) -> psutil.Process:
    """The app's process, on this machine."""
    port = httpx.URL(url).port
    sockets = psutil.net_connections("tcp")
    return psutil.Process(next(each.pid for each in sockets if each.laddr.port == port and each.status == "LISTEN"))


def versions() -> dict[str, str]:
    return {**library_versions(), "gradio": version("gradio")}


def peak(app: psutil.Process) -> int:
    """The most bytes of memory that the app has had."""
    (line,) = (line for line in Path(f"/proc/{app.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


# --- The measurement --------------------------------------------------------------------------------------------------


def waits(answers: Sequence[Answer]) -> Json:
    """Seconds that visitors waited, all in all and for each kind."""
    found = {}
    for kind in ("all", *KINDS):
        seconds = [each.seconds for each in answers if kind in ("all", each.kind)]
        p50, p95 = np.percentile(seconds, [50, 95]).tolist()
        found[kind] = {"count": len(seconds), "p50": p50, "p95": p95, "max": max(seconds)}
    return found


def summary(answers: Sequence[Answer], alone: Json) -> Json:
    """Of a run; ``alone`` has each kind's seconds, of which the throughput is made up."""
    took = max(each.ended for each in answers)
    done = [each for each in answers if not each.failure]
    failures = [each.failure for each in answers if each.failure]
    return {
        "seconds": took,
        "per_second": len(done) / took,
        "throughput": sum(alone[each.kind] for each in done) / took,
        "waits": waits(done),
        "queue_full": sum(each.refusals for each in answers),
        "mixed_up": sum(failure.startswith(MixedUp.__name__) for failure in failures),
        "failures": failures,
    }


def main(
    visitors: Annotated[int, typer.Option(min=1, help="How many come at once.")] = 64,
    seconds: Annotated[float, typer.Option(help="How long they keep asking.")] = 60,
    alone: Annotated[float, typer.Option(min=10, help="How long one does, before and after.")] = 20,
) -> None:
    """Measure, and write benchmarks/results/load.json."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        crowd = visits(Restorer("cpu"), visitors, Path(folder))
        one = [[each for asked in crowd for each in asked]]  # the same requests, one after the other
        with serve(Path(folder), mcp=False) as url:
            app = listening(url)
            asyncio.run(visit(url, one, 5))  # loads the networks
            memory = {"before": app.memory_info().rss}
            runs = [asyncio.run(visit(url, *each)) for each in ((one, alone), (crowd, seconds), (one, alone))]
            before, among, after = runs
            by_kind = {kind: mean(each.seconds for each in before + after if each.kind == kind) for kind in KINDS}
            results = {
                "cores": os.cpu_count(),
                "versions": versions(),
                "visitors": visitors,
                "megapixels": 12,
                "before": summary(before, by_kind),
                "crowd": summary(among, by_kind),
                "after": summary(after, by_kind),
                "memory": {**memory, "after": app.memory_info().rss, "peak": peak(app)},
            }
    write_atomically(ROOT / "benchmarks" / "results" / "load.json", (json.dumps(results, indent=1) + "\n").encode())
    typer.echo(json.dumps(results, indent=1))


if __name__ == "__main__":
    typer.run(main)
