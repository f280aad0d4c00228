"""What there is to do: which files each photo of the inputs makes, and which of them are made already."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import ControlError, PhotoError, RestorationError
from ..files import legible, result_names
from ..image import OUTPUT_SUFFIXES, same_suffix
from ..report import Entry, read_report, relative
from .archive import Member, extracted, members
from .photos import is_litter, search

Format = Literal["same", "png", "jpg", "webp"]
"""Of a result: same is a JPEG for a JPEG, and PNG, which loses nothing, for all else."""


@dataclass(frozen=True)
class Job:
    """One photo, and its result files by what they are."""

    name: str
    """What the photo is called in reports."""
    source: Path | Member
    outputs: Mapping[str, Path]

    def opened(self) -> AbstractContextManager[Path]:
        """The photo's file. Raises `PhotoError` where an archive does not give it."""
        return nullcontext(self.source) if isinstance(self.source, Path) else extracted(self.source)


@dataclass(frozen=True)
class Plan:
    """What there is to do, and what of the inputs is not done."""

    out: Path
    jobs: Sequence[Job]
    refused: Sequence[tuple[str, RestorationError]] = ()
    """What cannot be read, as shows already, with the reason: folders, archives and what is in those."""
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """How many files of folders are no photos, by their names' suffixes."""


def is_file_name(out: Path) -> bool:
    """Does OUT name a picture file? If not, it is a folder."""
    return out.suffix.lower() in OUTPUT_SUFFIXES and not out.is_dir()


def plan(
    inputs: Sequence[Path], out: Path, kinds: Mapping[str, str], *, skip_truths: bool = False, format: Format = "png"
) -> Plan:
    """One job per photo of ``inputs`` (files, or folders searched through).

    ``kinds`` are the results of each photo and what their file names end in: "" for the main one, a suffix where it is
    not that of ``format``. ``out`` is the file of the one photo, or a folder, where subfolders are mirrored and results
    are called by `result_names`. Results of an earlier run are no inputs, and nothing but earlier results of the same
    photo is overwritten in a folder. With ``skip_truths`` the truths of `degrade`'s pairs are no inputs either. Raises
    `ControlError` where that cannot be done.
    """
    if out.exists() and not out.is_dir() and not is_file_name(out):
        raise ControlError("out_suffix", out=out)
    made_from = _made_from(report_path(out))
    passed_over: Counter[str] = Counter()
    refused: list[tuple[str, RestorationError]] = []
    sources: dict[Path, Path] = {}  # with each photo's path below ``out``; a photo that is named twice is done once
    folders = [path for path in inputs if path.is_dir()]
    for given in inputs:
        if not given.is_dir():
            sources[given] = Path(given.name)
            continue
        found = search(given, but=() if given.resolve() == out.resolve() else (out,))
        passed_over += found.passed_over
        refused += [(legible(str(each)), PhotoError("photo_forbidden", name=each.name)) for each in found.unreadable]
        photos = [path for path in found.photos if path.resolve() not in made_from]
        if skip_truths:
            truths = {truth_of(path) for path in photos}
            photos = [path for path in photos if path not in truths]
        if not photos:
            raise ControlError("no_pictures", folder=given)
        # with several folders, each keeps its own name there
        root = given.resolve().parent if len(folders) > 1 else given.resolve()
        sources |= {path: (given.resolve() / path.relative_to(given)).relative_to(root) for path in photos}

    if is_file_name(out):
        if len(sources) != 1:
            raise ControlError("out_single", out=out, count=len(sources))
        (source,) = sources
        outputs = {kind: out.with_name(f"{out.stem}{ending}{out.suffix}") for kind, ending in kinds.items()}
        if source.resolve() in [path.resolve() for path in outputs.values()]:
            raise ControlError("out_input", path=source)
        return Plan(out, [Job(legible(str(source)), source, outputs)], refused, passed_over)

    own = {given.resolve() for given in inputs}
    in_order = list(sources)

    def is_taken(index: int, name: str) -> bool:
        """Is there a file already that is not an earlier result of the same photo?"""
        path = (out / name).resolve()
        return os.path.exists(out / name) and (path in own or made_from.get(path) != legible(in_order[index].name))

    named = [(legible(str(source)), source, target.as_posix()) for source, target in sources.items()]
    return Plan(out, _jobs(named, out, kinds, format, is_taken), refused, passed_over)


def plan_archive(inputs: Sequence[Path], kinds: Mapping[str, str], *, format: Format = "png") -> Plan:
    """One job per photo of ``inputs`` (files, or zip archives of photos); the results are paths in an archive.

    It mirrors the inputs' names and subfolders, by `result_names`. What systems leave in folders, and comes along where
    a whole folder is sent, is passed over.
    """
    sources: list[Path | Member] = []
    refused: list[tuple[str, RestorationError]] = []
    for path in inputs:
        if is_litter(path.name):
            continue
        if path.suffix.lower() != ".zip":
            sources.append(path)
            continue
        try:
            found = members(path)
        except PhotoError as error:
            refused.append((path.name, error))
            continue
        sources += [member for member in found if not member.refusal]
        refused += [(member.name, member.refusal) for member in found if member.refusal]
    named = [(source.name, source, source.name) for source in sources]
    return Plan(Path(), _jobs(named, Path(), kinds, format), refused)


def _jobs(
    named: Sequence[tuple[str, Path | Member, str]],
    out: Path,
    kinds: Mapping[str, str],
    format: Format,
    is_taken: Callable[[int, str], bool] = lambda index, name: False,
) -> list[Job]:
    """Of photos: what each is called, where it is, and the path that its results mirror below ``out``."""
    suffixes = [same_suffix(path) if format == "same" else f".{format}" for *_, path in named]
    endings = [[each if "." in each else f"{each}{suffix}" for each in kinds.values()] for suffix in suffixes]
    results = result_names([path for *_, path in named], endings, is_taken)
    return [
        Job(name, source, {kind: out / result for kind, result in zip(kinds, own, strict=True)})
        for (name, source, _), own in zip(named, results, strict=True)
    ]


def truth_of(source: Path) -> Path | None:
    """The undamaged half of a pair that `degrade` wrote: ``a_truth.png`` beside ``a.png``."""
    truth = source.with_name(f"{source.stem}_truth.png")
    return truth if source.suffix == ".png" and os.path.isfile(truth) else None


def report_path(out: Path) -> Path:
    """The report of ``out``: in the folder, or beside the file."""
    return (out.parent if is_file_name(out) else out) / "report.jsonl"


def is_done(job: Job, recipe: Mapping[str, Any], made: Mapping[str, Entry], report: Path) -> bool:
    """Are the job's results all there, made from the same photo by the same recipe? ``made`` is `read_report`'s."""
    outputs = relative(job.outputs, report)
    if not all(outputs[kind] in made and os.path.isfile(path) for kind, path in job.outputs.items()):
        return False
    with job.opened() as path:
        wanted = outputs, sha256(path), recipe
    entries = [made[name] for name in outputs.values()]
    return all((entry["outputs"], entry["input_sha256"], entry["recipe"]) == wanted for entry in entries)


def sha256(photo: Path) -> str:
    """Of the photo as it is now; empty where it cannot be read, as whoever reads it will say."""
    try:
        return hashlib.sha256(photo.read_bytes()).hexdigest() if os.path.isfile(photo) else ""
    except OSError:
        return ""


def _made_from(report: Path) -> dict[Path, str]:
    """The result files of earlier runs, and the name of the photo that each was made from."""
    folder = report.parent.resolve()
    found = {(folder / name).resolve(): entry["input"] for name, entry in read_report(report).items()}
    return {path: Path(legible(source)).name for path, source in found.items() if folder in path.parents}
