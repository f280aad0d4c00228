"""Where the command line's results go: which file each input makes, and the report beside them."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .image import OUTPUT_SUFFIXES, SUFFIXES, write_whole
from .types import ControlError


@dataclass(frozen=True)
class Job:
    """One photo and its result files, by kind: "" is the main one, "_x4" and the like stand in the name."""

    source: Path
    outputs: Mapping[str, Path]


def plan(inputs: Sequence[Path], out: Path, kinds: Sequence[str]) -> list[Job]:
    """One job per photo of ``inputs`` (files, or folders searched through).

    ``out`` with a picture suffix is the file of the one photo; anything else is a folder, where subfolders are
    mirrored and results are PNG. Inputs whose results would collide keep their suffix in the name. Raises
    `ControlError` where that cannot be done without losing something.
    """
    sources = _collect(inputs, out)
    if out.suffix.lower() in OUTPUT_SUFFIXES and not out.is_dir():
        if len(sources) != 1:
            raise ControlError(f"{out} is one file, but there are {len(sources)} photos; name a folder.")
        jobs = [Job(sources[0][0], {kind: out.with_name(f"{out.stem}{kind}{out.suffix}") for kind in kinds})]
    else:
        if out.exists() and not out.is_dir():
            raise ControlError(f"{out} is a file but no .png, .jpg or .webp; name a folder.")

        def outputs(relative: Path, stem: str) -> dict[str, Path]:
            return {kind: out / relative.parent / f"{stem}{kind}.png" for kind in kinds}

        claims = Counter(path for _, relative in sources for path in outputs(relative, relative.stem).values())
        jobs = []
        for source, relative in sources:
            short = outputs(relative, relative.stem)
            unique = all(claims[path] == 1 for path in short.values())
            jobs.append(Job(source, short if unique else outputs(relative, relative.name)))
    _refuse_losses(jobs)
    return jobs


def _collect(inputs: Sequence[Path], out: Path) -> list[tuple[Path, Path]]:
    """Every photo with its path below ``out``. With several folders, each keeps its own name there."""
    folders = [path for path in inputs if path.is_dir()]
    sources = []
    for given in inputs:
        if not given.is_dir():
            sources.append((given, Path(given.name)))
            continue
        found = sorted(p for p in given.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if given.resolve() in out.resolve().parents:  # results of an earlier run are no inputs
            found = [path for path in found if out.resolve() not in path.resolve().parents]
        if not found:
            raise ControlError(f"There are no pictures in {given}; looked for {', '.join(SUFFIXES)}.")
        root = given.resolve().parent if len(folders) > 1 else given.resolve()
        sources += [(path, (given.resolve() / path.relative_to(given)).relative_to(root)) for path in found]
    return sources


def _refuse_losses(jobs: Sequence[Job]) -> None:
    writers: dict[Path, Path] = {}
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        for path in job.outputs.values():
            if path.resolve() in sources:
                raise ControlError(f"{path} is an input and would be overwritten; choose another place for results.")
            if path in writers:
                raise ControlError(f"{writers[path]} and {job.source} would both be written to {path}; run them apart.")
            writers[path] = job.source


def report_path(out: Path) -> Path:
    """The report of ``out``: in the folder, or beside the file."""
    is_file = out.suffix.lower() in OUTPUT_SUFFIXES and not out.is_dir()
    return (out.parent if is_file else out) / "report.json"


def read_report(path: Path) -> list[dict[str, Any]]:
    """Entries of earlier runs; `ControlError` where the file is something else, so that it is not overwritten."""
    if not path.exists():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(entries, list) and all(isinstance(entry["outputs"], dict) for entry in entries):
            return entries
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ControlError(f"{path} is not a report of this program and would be overwritten; move it away.")


def write_report(path: Path, earlier: Iterable[dict[str, Any]], entries: Sequence[dict[str, Any]]) -> None:
    """Add ``entries`` to the ``earlier`` ones, minus those whose files have been made anew."""
    remade = {output for entry in entries for output in entry["outputs"].values()}
    kept = [entry for entry in earlier if not remade & set(entry["outputs"].values())]
    text = json.dumps(kept + list(entries), indent=2, allow_nan=False)
    write_whole(path, (text + "\n").encode())


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no infinity: the PSNR of equal pictures becomes null."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def relative_names(outputs: Mapping[str, Path], report: Path) -> dict[str, str]:
    """Result files as a report names them: relative to its folder."""
    return {name: Path(os.path.relpath(path, report.parent)).as_posix() for name, path in outputs.items()}
