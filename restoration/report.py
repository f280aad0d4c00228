"""The report beside results: a line of JSON for each photo, from which a run goes on where it was."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import ControlError, OutputError
from .files import write_aside

Entry = dict[str, Any]


def read_report(path: Path) -> dict[str, Entry]:
    """The newest entry of each result, by its path below the report's folder.

    A last line that a kill cut off is passed over. `ControlError` where the file is something else, so that nothing is
    added to it.
    """
    if not path.exists():
        return {}
    newest: dict[str, Entry] = {}
    try:
        lines = path.read_bytes().split(b"\n")
        if _is_cut_off(lines[-1]):
            lines.pop()
        for entry in (json.loads(line) for line in lines if line):
            match entry:
                case {"input": str(), "input_sha256": str(), "outputs": dict(outputs), "recipe": dict()}:
                    if any("\0" in os.fsdecode(os.fsencode(str(name))) for name in outputs.values()):
                        raise ValueError(entry)
                    newest |= dict.fromkeys(map(str, outputs.values()), entry)
                case _:
                    raise ValueError(entry)
    except (OSError, ValueError, RecursionError):
        raise ControlError("report_foreign", path=path) from None
    return newest


def commit(report: Path, entry: Entry, files: Mapping[Path, bytes]) -> None:
    """Put a photo's results in their places, and its entry (with ``outputs`` as paths) at the report's end.

    After a kill at any moment the photo is finished, or `is_done` says that it is not: an entry is written when its
    files lie whole beside their places, and they move there after it. Where it cannot be written, they take the places
    of earlier results, and are deleted where there were none. Raises `OutputError` where nothing can be written at all.
    """
    line = json.dumps({**entry, "outputs": relative(entry["outputs"], report)}, allow_nan=False)
    asides: dict[Path, Path] = {}
    with writing(report.parent):
        try:
            for path, contents in files.items():
                asides[path] = write_aside(path, contents)
        except BaseException:
            for aside in asides.values():
                aside.unlink(missing_ok=True)
            raise
        earlier = {path for path in files if path.exists()}
        try:
            for path in files:
                path.unlink(missing_ok=True)
            _append(report, line.encode())
        except BaseException:
            for path in files.keys() - earlier:
                asides.pop(path).unlink()
            raise
        finally:
            for path, aside in asides.items():
                os.replace(aside, path)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What is done inside writes to ``path``: `OutputError` where it cannot, for want of room or of permission."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        raise OutputError("out_unwritable", path=path, reason=error.strerror) from error


def _append(report: Path, line: bytes) -> None:
    """One more line; one that a kill cut off before it goes away."""
    with report.open("a+b") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
        if file.read() not in (b"", b"\n"):
            file.seek(0)
            whole, newline, last = file.read().rpartition(b"\n")
            if _is_cut_off(last):
                file.truncate(len(whole + newline))
            else:
                line = b"\n" + line
        file.write(line + b"\n")


def _is_cut_off(line: bytes) -> bool:
    """Is this the beginning of an entry?"""
    try:
        json.loads(line)
        return False
    except ValueError:
        return line.startswith(b'{"input"') or b'{"input"'.startswith(line)


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no infinity: the PSNR of equal pictures becomes null."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def relative(outputs: Mapping[str, Path], report: Path) -> dict[str, str]:
    return {name: Path(os.path.relpath(path, report.parent)).as_posix() for name, path in outputs.items()}
