"""The corpus sent to the app over HTTP."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import numpy as np
from PIL import Image

from restoration import Photo, image
from restoration.errors import Note
from restoration.types import Details

from . import AMPLIFIED, GREEDY, HUGE, LARGE, expected
from .case import Case
from .verdict import Result, fault_of_picture, fault_of_sentence

IN_FLIGHT = 4


def sent(url: str, case: Case) -> Result:
    """The file uploaded to the app, and damaged by /degrade, which gives the photo itself too."""
    started = time.perf_counter()
    with httpx.Client(base_url=f"{url}/gradio_api", timeout=120) as client:
        (path,) = client.post("/upload", files={"files": (case.name, case.contents)}).json()
        photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
        event = client.post("/call/v2/degrade", json={"photo": photo, "fit": "squash"}).json()["event_id"]
        answers = re.findall(r"^event: (\w+)\ndata: (.*)$", client.get(f"/call/degrade/{event}").text, re.MULTILINE)
        seconds, (how, data) = time.perf_counter() - started, answers[-1]
        if how == "complete":
            _, original, report = json.loads(data)
            with Image.open(io.BytesIO(client.get(f"/file={original['path']}").content)) as picture:
                restored = Photo(np.array(picture), Details(notes=noted(report.get("warning", ""))))
            outcome, wrong = "picture", fault_of_picture(squashed(case), restored)
        else:
            outcome, wrong = "sentence", fault_of_sentence(case, json.loads(data)["error"])
    return Result(name=case.name, outcome=outcome, wrong=wrong, seconds=seconds)


def noted(warning: str) -> tuple[Note, ...]:
    """What the report's ``warning`` says of how much of the file could be read."""
    found = [Note("photo_coarse")] if "less sharp" in warning else []
    return (*found, *([Note("photo_partial", share=0)] if "%" in warning else []))


def squashed(case: Case) -> Case:
    """What /degrade gives of it."""
    if case.picture is None:
        return case
    return replace(case, picture=image.fit(Photo(case.picture.copy()), "squash").pixels, size=None)


def heavy() -> Iterator[Case]:
    """All the bombs, and some photos at the limits."""
    for name, build in AMPLIFIED.items():
        yield Case(name, build())
    for name, build in HUGE.items():  # of which a decoder with little memory does not always see the size
        yield Case(name, build(), says="")
    for name in (*GREEDY, "HEIF.heic", "WEBP lossless.webp"):
        yield replace(expected(name), contents=LARGE[name]())
