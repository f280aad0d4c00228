"""The corpus read by `image.load`, in processes of their own, where a crash and the memory taken are seen."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import asdict
from functools import partial
from pathlib import Path

from restoration import Photo, PhotoError, image

from . import LARGE, expected, small
from .case import PHOTO, ROOT, Case
from .verdict import Result, fault_of_picture, fault_of_sentence

logging.getLogger("restoration").addHandler(logging.NullHandler())  # what is noted of a file is no fault of it


def read(case: Case, path: Path) -> Result:
    """By `image.load`, at full size; what it took, and whether it is right. Linux tells the peak of memory."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    base, started = _memory("VmRSS"), time.perf_counter()
    with redirect_stderr(io.StringIO()) as printed:  # by Python; libtiff writes what it likes
        try:
            found: Photo | Exception = image.load(path, reduce_to=None)
        except Exception as error:
            found = error
    seconds, peak = time.perf_counter() - started, _memory("VmHWM") - base
    match found:
        case Photo():
            outcome, wrong = "picture", fault_of_picture(case, found)
        case PhotoError():
            outcome, wrong = "sentence", fault_of_sentence(case, str(found).replace(path.name, "The photo"))
        case _:
            outcome, wrong = type(found).__name__, repr(found)
    return Result(name=case.name, outcome=outcome, wrong=wrong or printed.getvalue(), seconds=seconds, bytes=peak)


def _memory(entry: str) -> int:
    (kilobytes,) = re.findall(rf"{entry}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) * 1024


def apart(task: str, *names: str) -> Iterator[Result]:
    """What ``task`` of this module prints in a process of its own; where that dies, the last is what it was at."""
    code = f"import sys; from tests.corpus import reading; reading.{task}(sys.argv[1:])"
    command = [sys.executable, "-X", "faulthandler", "-c", code, *names]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True) as running,
    ):
        assert running.stdout
        name = task
        for line in running.stdout:
            name, _, found = line.rpartition("\t")
            if found:
                yield Result(**json.loads(found))
        if running.wait():
            errors.seek(0)
            yield Result(name=name, outcome="died", wrong=errors.read()[-3000:])


def read_small(_: Sequence[str] = ()) -> None:
    """In this process, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        for case in small():
            print(case.name, end="\t", flush=True)
            signal.alarm(60)
            path = Path(folder) / case.name
            path.write_bytes(case.contents)
            print_result(read(case, path))
            path.unlink()


def read_large(names: Sequence[str]) -> None:
    """Each is made by one fork of this process and read by another, which has at first what an idle reader has."""
    image.load(PHOTO)
    with tempfile.TemporaryDirectory() as folder:
        for path in (Path(folder) / name for name in names):
            if died := in_fork(partial(make, path)) or in_fork(partial(tell, path)):
                print_result(Result(name=path.name, outcome="died", wrong=f"exit code {died}"))
            path.unlink(missing_ok=True)


def make(path: Path) -> None:
    path.write_bytes(LARGE[path.name]())


def tell(path: Path) -> None:
    print_result(read(expected(path.name), path))


def print_result(result: Result) -> None:
    print(json.dumps(asdict(result)), flush=True)


def in_fork(task: Callable[[], object]) -> int:
    """Run it in a fork of this process, which has 100 seconds and three gigabytes; its exit code."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(100)
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
    try:
        task()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
