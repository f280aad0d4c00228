"""Where the command line's results go: which file each input makes, and the report beside them."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .files import write_aside
from .image import OUTPUT_SUFFIXES, SUFFIXES, same_suffix
from .types import ControlError, OutputError

Entry = dict[str, Any]
Format = Literal["same", "png", "jpg", "webp"]
"""Of a result: same is a JPEG for a JPEG, and PNG, which loses nothing, for all else."""


@dataclass(frozen=True)
class Job:
    """One photo, and its result files by what they are."""

    source: Path
    outputs: Mapping[str, Path]


def is_file_name(out: Path) -> bool:
    """Does OUT name a picture file? If not, it is a folder."""
    return out.suffix.lower() in OUTPUT_SUFFIXES and not out.is_dir()


def plan(
    inputs: Sequence[Path],
    out: Path,
    kinds: Mapping[str, str],
    *,
    skip_truths: bool = False,
    format: Format = "png",
) -> list[Job]:
    """One job per photo of ``inputs`` (files, or folders searched through).

    ``kinds`` are the results of each photo and what their file names end in: "" for the main one, a suffix where it is
    not that of ``format``. ``out`` is the file of the one photo, or a folder, where subfolders are mirrored. Inputs
    whose results would collide keep their suffix in the name. Results of an earlier run are no inputs, and nothing but
    earlier results of the same photo is overwritten in a folder. With ``skip_truths`` the truths of `degrade`'s pairs
    are no inputs either. Raises `ControlError` where that cannot be done.
    """
    if out.exists() and not out.is_dir() and not is_file_name(out):
        raise ControlError("out_suffix", "{out} is a file but no .png, .jpg, .jpeg or .webp; name a folder.", out=out)
    made_from = _made_from(report_path(out))
    sources = _collect(inputs, out, made_from, skip_truths)
    if is_file_name(out):
        if len(sources) != 1:
            raise ControlError(
                "out_single",
                "{out} is one file, but there are {count} photos; name a folder.",
                out=out,
                count=len(sources),
            )
        named = {kind: out.with_name(f"{out.stem}{ending}{out.suffix}") for kind, ending in kinds.items()}
        jobs = [Job(sources[0][0], named)]
        _refuse_losses(jobs, made_from, may_replace=True)
        return jobs

    def outputs(relative: Path, stem: str) -> dict[str, Path]:
        suffix = same_suffix(relative) if format == "same" else f".{format}"
        names = {kind: stem + ending + ("" if "." in ending else suffix) for kind, ending in kinds.items()}
        return {kind: out / relative.parent / name for kind, name in names.items()}

    claims = Counter(path for _, relative in sources for path in outputs(relative, relative.stem).values())
    jobs = []
    for source, relative in sources:
        short = outputs(relative, relative.stem)
        free = all(claims[path] == 1 and not _is_foreign(path, source, made_from) for path in short.values())
        jobs.append(Job(source, short if free else outputs(relative, relative.name)))
    _refuse_losses(jobs, made_from, may_replace=False)
    return jobs


def truth_of(source: Path) -> Path | None:
    """The undamaged half of a pair that `degrade` wrote: ``a_truth.png`` beside ``a.png``."""
    truth = source.with_name(f"{source.stem}_truth.png")
    return truth if source.suffix == ".png" and truth.is_file() else None


def _collect(
    inputs: Sequence[Path], out: Path, made_from: Mapping[Path, str], skip_truths: bool
) -> list[tuple[Path, Path]]:
    """Every photo with its path below ``out``. With several folders, each keeps its own name there."""
    folders = [path for path in inputs if path.is_dir()]
    sources = []
    for given in inputs:
        if not given.is_dir():
            sources.append((given, Path(given.name)))
            continue
        found = sorted(p for p in given.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        found = [path for path in found if path.resolve() not in made_from]
        if given.resolve() in out.resolve().parents:
            found = [path for path in found if out.resolve() not in path.resolve().parents]
        if skip_truths:
            truths = {truth_of(path) for path in found}
            found = [path for path in found if path not in truths]
        if not found:
            raise ControlError(
                "no_pictures",
                "There are no pictures in {folder}; looked for {suffixes}.",
                folder=given,
                suffixes=", ".join(SUFFIXES),
            )
        root = given.resolve().parent if len(folders) > 1 else given.resolve()
        sources += [(path, (given.resolve() / path.relative_to(given)).relative_to(root)) for path in found]
    return sources


def _is_foreign(path: Path, source: Path, made_from: Mapping[Path, str]) -> bool:
    """Is there a file already that is not an earlier result of the same photo?"""
    return path.exists() and made_from.get(path.resolve()) != source.name


def _refuse_losses(jobs: Sequence[Job], made_from: Mapping[Path, str], *, may_replace: bool) -> None:
    writers: dict[Path, Path] = {}
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        for path in job.outputs.values():
            if path.resolve() in sources:
                raise ControlError(
                    "out_input",
                    "{path} is an input and would be overwritten; choose another place for results.",
                    path=path,
                )
            if path in writers:
                raise ControlError(
                    "out_collision",
                    "{first} and {second} would both be written to {path}; run them apart.",
                    first=writers[path],
                    second=job.source,
                    path=path,
                )
            if not may_replace and _is_foreign(path, job.source, made_from):
                raise ControlError(
                    "out_foreign",
                    "{path} exists and is not a result of {source}; choose another folder.",
                    path=path,
                    source=job.source.name,
                )
            writers[path] = job.source


# --- The report -------------------------------------------------------------------------------------------------------


def report_path(out: Path) -> Path:
    """The report of ``out``: in the folder, or beside the file."""
    return (out.parent if is_file_name(out) else out) / "report.jsonl"


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
        raise ControlError(
            "report_foreign", "{path} is not a report of this program and would be spoilt; move it away.", path=path
        ) from None
    return newest


def commit(report: Path, entry: Entry, files: Mapping[Path, bytes]) -> None:
    """Put a photo's results in their places, and its entry (with ``outputs`` as paths) at the report's end.

    After a kill at any moment the photo is finished, or `is_done` says that it is not: an entry is written when its
    files lie whole beside their places, and they move there after it. Where it cannot be written, they take the places
    of earlier results, and are deleted where there were none. Raises `OutputError` where nothing can be written at all.
    """
    with writing(report.parent):
        _commit(report, entry, files)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """What is done inside writes to ``place``: `OutputError` where it cannot, for want of room or of permission."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        raise OutputError(
            "out_unwritable",
            "{place} cannot be written ({reason}); make room or choose another place, and run the command again.",
            place=place,
            reason=error.strerror,
        ) from error


def _commit(report: Path, entry: Entry, files: Mapping[Path, bytes]) -> None:
    line = json.dumps({**entry, "outputs": _relative(entry["outputs"], report)}, allow_nan=False)
    asides: dict[Path, Path] = {}
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


def is_done(job: Job, recipe: Mapping[str, Any], made: Mapping[str, Entry], report: Path) -> bool:
    """Are the job's results all there, made from the same photo by the same recipe? ``made`` is `read_report`'s."""
    outputs = _relative(job.outputs, report)
    if not all(
        name in made and path.is_file() for name, path in zip(outputs.values(), job.outputs.values(), strict=True)
    ):
        return False
    wanted = outputs, input_sha256(job), recipe
    entries = [made[name] for name in outputs.values()]
    return all((entry["outputs"], entry["input_sha256"], entry["recipe"]) == wanted for entry in entries)


def input_sha256(job: Job) -> str:
    """Of the photo as it is now; empty where there is none."""
    return hashlib.sha256(job.source.read_bytes()).hexdigest() if job.source.is_file() else ""


def _append(report: Path, line: bytes) -> None:
    """One more line; one that a kill cut off before it goes away."""
    with report.open("a+b") as file:
        if size := file.seek(0, os.SEEK_END):
            file.seek(size - 1)
            if file.read() != b"\n":
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
    except ValueError:
        return line.startswith(b'{"input"') or b'{"input"'.startswith(line)
    return False


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no infinity: the PSNR of equal pictures becomes null."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _made_from(report: Path) -> dict[Path, str]:
    """The result files of earlier runs, and the name of the photo that each was made from."""
    folder = report.parent.resolve()
    found = {(folder / name).resolve(): Path(entry["input"]).name for name, entry in read_report(report).items()}
    return {path: source for path, source in found.items() if folder in path.parents}


def _relative(outputs: Mapping[str, Path], report: Path) -> dict[str, str]:
    return {name: Path(os.path.relpath(path, report.parent)).as_posix() for name, path in outputs.items()}
