"""Strangers' files are decoded in processes of their own, bounded in time and memory: what a file breaks, breaks there.

Pillow can be held to so many pixels, but not in what it does on the way to them: thousands of EXIF tags that all name
the same megabyte are copied one by one, and a decoder in C may crash. The process has none of the app's secrets, and
what it answers is read as text, bytes and pixels only. Where a photo was taken stays there.

After Chromium's image decoding in the sandboxed renderer, and the resource limits of ImageMagick's policy.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from restoration import Photo, PhotoError, image
from restoration.errors import Note
from restoration.metadata import MAX_DESCRIPTION, MAX_EXIF, without_place
from restoration.types import SIDE, Details, Transparency

logger = logging.getLogger(__name__)
SECONDS = 2.7
"""Of a processor, for one photo; the largest that are allowed take less."""
MEMORY = 512 << 20
"""Bytes of address space beyond what the process has at its start."""
PATIENCE = 60
"""Seconds by the clock, on a busy machine, until the process is given up."""
PROCESSES = 2
LINE = 1 << 18
"""Bytes that an answer's line has at most, with all the details that a photo may have."""
ROOT = Path(__file__).resolve().parents[2]


# --- The app's side ---------------------------------------------------------------------------------------------------


class _Process:
    """A decoding process; one thread at a time may use it."""

    def __init__(self) -> None:
        kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")  # no token that a stranger could want
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
        # So that a photo's memory is given back after it, and threads hold none of their own in store.
        environment |= {"MALLOC_MMAP_THRESHOLD_": "1000000", "MALLOC_ARENA_MAX": "1"}
        command, pipe = [sys.executable, "-m", "ui.hardening.decoding"], subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe)
        # A notebook's kernel ends such processes first, and waits until they are waited for.
        threading.Thread(target=self._process.wait, daemon=True).start()

    def load(self, **asked: Any) -> Photo:
        """`image.load` there. Raises `BrokenPipeError` where the process had ended before, `EOFError` where it ended
        over it, and `PhotoError`.
        """
        assert self._process.stdin
        assert self._process.stdout
        overdue = threading.Timer(PATIENCE, self._process.kill)
        overdue.start()
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline(LINE) or "{}")
            if "code" in answer:
                raise PhotoError(answer["code"], **answer["fields"])
            height, width = answer.get("size", (0, 0))
            pixels, ground = self._array(height, width, 3), answer["ground"]
            laid = None if ground is None else Transparency(self._array(height, width), ground)
            return Photo(pixels, replace(_details(**answer["details"]), transparency=laid))
        finally:
            overdue.cancel()

    def _array(self, *shape: int) -> np.ndarray:
        array = np.empty(shape, np.uint8)
        if not array.size or self._process.stdout.readinto(array.data.cast("B")) < array.nbytes:  # type: ignore[union-attr]
            raise EOFError
        return array

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()
        logger.warning("A photo ended the process that decoded it (%s).", self._process.returncode)


_idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
for _ in range(PROCESSES):
    _idle.put(None)  # to be started when it is wanted


def load(path: str, *, reduce_to: int | None = SIDE, max_pixels: int = image.MAX_PIXELS) -> Photo:
    """`restoration.image.load`, in a process of its own.

    Raises `PhotoError` too where the photo takes more time or memory than any photo within the limits needs.
    """
    process = _idle.get()
    asked = {"path": os.path.abspath(path), "reduce_to": reduce_to, "max_pixels": max_pixels}
    try:
        if process:
            with suppress(BrokenPipeError):  # it had ended before this photo, which is not to blame
                return process.load(**asked)
        process = _Process()
        return process.load(**asked)
    except EOFError:
        assert process
        process.end()
        process = None
        raise PhotoError("photo_bomb", name=Path(path).name) from None
    finally:
        _idle.put(process)


def _details(exif: str, dpi: list[float] | None, description: str, notes: list[dict[str, Any]]) -> Details:
    """What was written there by `_written`; never more than a result can hold, whatever a file made of the process."""
    across_and_down = (dpi[0], dpi[1]) if dpi else None
    return Details(
        exif=base64.b64decode(exif)[:MAX_EXIF],
        dpi=across_and_down,
        description=description[:MAX_DESCRIPTION],
        notes=tuple(Note(note["code"], **note["fields"]) for note in notes),
    )


# --- The other side ---------------------------------------------------------------------------------------------------


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer each line of ``asked``, the arguments of a call, by a line, and by pixels if that tells their size."""
    for line in asked:
        _limit_time(SECONDS)
        try:
            photo = image.load(**json.loads(line))
            laid = photo.details.transparency
            answer: dict[str, Any] = {
                "size": photo.pixels.shape[:2],
                "details": _written(photo.details),
                "ground": laid and laid.ground,
            }
            arrays = [photo.pixels, laid.alpha] if laid else [photo.pixels]
        except MemoryError:
            return
        except PhotoError as error:
            answer, arrays = {"code": error.code, "fields": error.fields}, []
        _limit_time(0)
        answers.write(json.dumps(answer).encode() + b"\n")
        for array in arrays:
            answers.write(array.data)
        answers.flush()


def _written(details: Details) -> dict[str, Any]:
    """As JSON holds it: without the place, which is nobody's business but the sender's."""
    kept = without_place(details)
    return {
        "exif": base64.b64encode(kept.exif).decode(),
        "dpi": kept.dpi,
        "description": kept.description,
        "notes": [{"code": note.code, "fields": note.fields} for note in kept.notes],
    }


def _limit_time(seconds: float) -> None:
    """End this process after ``seconds`` of computing; 0 is for ever. Windows has the clock on the other side only."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory(extra: int) -> None:
    """Let this process have no more than ``extra`` bytes more; where the system knows no such limit, do nothing."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    limit = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "wb") as answers, open(os.devnull, "wb") as nothing:
        for stream in (1, 2):
            os.dup2(nothing.fileno(), stream)  # what libraries print of a file is its sender's words
        _limit_memory(MEMORY)
        serve(sys.stdin.buffer, answers)
