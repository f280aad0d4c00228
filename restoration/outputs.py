"""Where the command line's results go: which file each input makes, and the report beside them."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .image import OUTPUT_SUFFIXES, SUFFIXES, write_whole
from .types import ControlError

Entry = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One photo and its result files, by kind: "" is the main one, "_x4" and the like stand in the name."""

    source: Path
    outputs: Mapping[str, Path]


def is_file_name(out: Path) -> bool:
    """Does OUT name a picture file? If not, it is a folder."""
    return out.suffix.lower() in OUTPUT_SUFFIXES and not out.is_dir()


def plan(inputs: Sequence[Path], out: Path, kinds: Sequence[str], *, skip_truths: bool = False) -> list[Job]:
    """One job per photo of ``inputs`` (files, or folders searched through).

    ``out`` is the file of the one photo, or a folder, where subfolders are mirrored and results are PNG. Inputs whose
    results would collide keep their suffix in the name. Results of an earlier run are no inputs, and nothing but
    earlier results of the same photo is overwritten in a folder. With ``skip_truths`` the truths of `degrade`'s pairs
    are no inputs either. Raises `ControlError` where that cannot be done.
    """
    if out.exists() and not out.is_dir() and not is_file_name(out):
        raise ControlError(f"{out} is a file but no .png, .jpg or .webp; name a folder.")
    made_from = _made_from(report_path(out))
    sources = _collect(inputs, out, made_from, skip_truths)
    if is_file_name(out):
        if len(sources) != 1:
            raise ControlError(f"{out} is one file, but there are {len(sources)} photos; name a folder.")
        jobs = [Job(sources[0][0], {kind: out.with_name(f"{out.stem}{kind}{out.suffix}") for kind in kinds})]
        _refuse_losses(jobs, made_from, may_replace=True)
        return jobs

    def outputs(relative: Path, stem: str) -> dict[str, Path]:
        return {kind: out / relative.parent / f"{stem}{kind}.png" for kind in kinds}

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
            raise ControlError(f"There are no pictures in {given}; looked for {', '.join(SUFFIXES)}.")
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
                raise ControlError(f"{path} is an input and would be overwritten; choose another place for results.")
            if path in writers:
                raise ControlError(f"{writers[path]} and {job.source} would both be written to {path}; run them apart.")
            if not may_replace and _is_foreign(path, job.source, made_from):
                raise ControlError(f"{path} exists and is not a result of {job.source.name}; choose another folder.")
            writers[path] = job.source


# --- The report -------------------------------------------------------------------------------------------------------


def report_path(out: Path) -> Path:
    """The report of ``out``: in the folder, or beside the file."""
    return (out.parent if is_file_name(out) else out) / "report.json"


def read_report(path: Path) -> list[Entry]:
    """Entries of earlier runs; `ControlError` where the file is something else, so that it is not overwritten."""
    if not path.exists():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(entries, list) and all(isinstance(entry["outputs"], dict) for entry in entries):
            return entries
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ControlError(f"{path} is not a report of this program and would be overwritten; move it away.")


def add_to_report(path: Path, entries: Sequence[Entry]) -> None:
    """Add ``entries`` (with ``outputs`` as paths) to the report, in place of those whose files have been made anew."""
    named = [{**entry, "outputs": _relative(entry["outputs"], path)} for entry in entries]
    remade = {output for entry in named for output in entry["outputs"].values()}
    kept = [entry for entry in read_report(path) if not remade & set(entry["outputs"].values())]
    write_whole(path, (json.dumps(kept + named, indent=2, allow_nan=False) + "\n").encode())


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no infinity: the PSNR of equal pictures becomes null."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _made_from(report: Path) -> dict[Path, str]:
    """The result files of earlier runs, and the name of the photo that each was made from."""
    return {
        (report.parent / output).resolve(): Path(entry["input"]).name
        for entry in read_report(report)
        for output in entry["outputs"].values()
    }


def _relative(outputs: Mapping[str, Path], report: Path) -> dict[str, str]:
    return {name: Path(os.path.relpath(path, report.parent)).as_posix() for name, path in outputs.items()}
