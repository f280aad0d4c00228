"""Finding weights.

In this order: an explicit path, the ``weights/`` folder (of a checkout; a wheel has it inside the package), the user's
caches, the Hugging Face Hub, and for Real-ESRGAN's the release of its authors.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import ControlError, WeightsError
from . import checkpoints, hub, released
from .checkpoints import ORIGINALS

logger = logging.getLogger(__name__)


class UserWeights:
    """The weights that a user names by their files or folders.

    They are looked at once, here: a file that vanishes later is missed, and neither another one nor a released one
    stands in for it. ``held`` has the files in each path, by their names in the manifest or by the original project's
    parts; ``files`` are all of them, and ``models`` says what they are for (see `models_of`). Raises `WeightsError` for
    a path that is not there, that is damaged or that no network here could use, and `ControlError` for two files for
    one model.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self.held: dict[Path, Mapping[str, Path]] = {}
        files: dict[str, Path] = {}
        for given in map(Path, paths):
            entries = [(entry, path) for entry in released.manifest().values() if (path := served(given, entry))]
            parts = parts_in(given)
            if not entries and not parts:
                raise checkpoints.foreign(given, released.manifest())
            self.held[given] = {**{entry.name: path for entry, path in entries}, **parts}
            for name in {entry.model for entry, _ in entries} | parts.keys() | models_of(parts).keys():
                other = files.setdefault(name, given)
                if given.is_file() and other.is_file() and not given.samefile(other):
                    raise ControlError("weights_twice", path=given, other=other, name=name)
        self.files = [path for held in self.held.values() for path in held.values()]
        self.models = models_of(*self.held.values())

    def holds(self, name: str) -> bool:
        """Are the weights called ``name`` among them?"""
        return any(name in held for held in self.held.values())

    def unused(self, names: Iterable[str]) -> Iterator[Path]:
        """The paths that hold none of the weights called ``names``, and no part of such an original model."""
        used = {part for name in names for part in (ORIGINALS[name].parts if name in ORIGINALS else (name,))}
        return (given for given, held in self.held.items() if used.isdisjoint(held))


def models_of(*held: Container[str]) -> Mapping[str, str]:
    """Which models weights are for: the id of the model that runs, by the name that a user asks for.

    Each of ``held`` has names of the manifest, or the original project's parts. Where several have weights for a model,
    the first serves. Where they are a checkpoint of the original project, its own model runs.
    """
    found: dict[str, str] = {}
    for names in reversed(held):
        found |= {each.asked: id for id, each in ORIGINALS.items() if each.parts[-1] in names}
        found |= {entry.model: entry.model for entry in released.restorers() if entry.name in names}
    order = [*(entry.model for entry in released.restorers()), "cnn1"]  # the CNN before its first half
    return {model: found[model] for model in order if model in found}


def title(id: str) -> str:
    """What the model ``id`` is called."""
    titles = {entry.model: entry.title for entry in released.restorers()}
    return ORIGINALS[id].title if id in ORIGINALS else titles.get(id, id)


def originals() -> Mapping[str, Sequence[Path]]:
    """The original project's models whose checkpoints lie in ``weights/``: their files by id.

    A file there that is no checkpoint is named in a warning.
    """
    found = parts_in(released.FOLDER, warn=True)
    return {
        id: [found[part] for part in original.parts]
        for id, original in ORIGINALS.items()
        if found.keys() >= set(original.parts)
    }


def find(name: str, explicit: Sequence[str | os.PathLike[str]] = (), *, fetch: bool = False) -> Path:
    """Where the weights called ``name`` in the manifest lie.

    ``explicit`` paths come first: a folder that has a file of that name, or a file that has the name or whose header
    says that it holds the same model. Then the ``weights/`` folder, then the caches. With ``fetch``, weights that are
    published elsewhere are downloaded; never where HF_HUB_OFFLINE is set. Raises `WeightsError` where nothing is found.
    """
    if name not in released.manifest():
        raise WeightsError("weights_unknown", name=name)
    entry = released.manifest()[name]
    for given in (*map(Path, explicit), released.FOLDER):
        if not given.exists() and given != released.FOLDER:
            raise WeightsError("weights_nowhere", path=given)
        if path := served(given, entry):
            return path
    urls = [entry.url] if entry.url else []
    repo = released.published()
    if repo and (repo.files is None or name in repo.files):
        urls.insert(0, hub.address(repo.repo, repo.revision, name))
        from_hub = hub.cached(repo.repo, repo.revision, name)
        if from_hub and hub.is_whole(from_hub, entry.sha256):
            return from_hub
    cached = served(hub.folder(), entry)
    if cached and (not fetch or cached.name != name or hub.is_whole(cached, entry.sha256)):
        return cached
    if not urls:
        raise WeightsError("weights_missing", path=released.FOLDER / name)
    if fetch:
        return hub.fetch(name, urls, sha256=entry.sha256, size=entry.size)
    raise WeightsError("weights_later", name=name, url=urls[0])


def parts_in(given: Path, *, warn: bool = False) -> dict[str, Path]:
    """The original project's parts at ``given``, a file or a folder; of several files for one the best, or the last.

    What is not there or cannot be read raises `WeightsError`, or is left out with a warning where ``warn`` says so, as
    in ``weights/``, which the user did not name.
    """
    if not warn and not given.exists():
        raise WeightsError("weights_nowhere", path=given)
    ours = {name for entry in released.manifest().values() for name in entry.files}
    paths = [given]
    if given.is_dir():
        kinds = (".pth", ".safetensors")
        paths = [path for path in given.iterdir() if path.suffix in kinds and path.is_file()]
    found: dict[str, Path] = {}
    for path in sorted(paths, key=_rank):
        if path.suffix == ".pth" and path.name in ours:
            continue
        try:
            if part := checkpoints.part(path):
                found.setdefault(part, path)
            elif warn and path.name not in ours:
                logger.warning("%s", checkpoints.foreign(path, released.manifest()))
        except (WeightsError, OSError) as error:
            if not warn:
                raise
            logger.warning("%s", error)
    return found


def _rank(path: Path) -> tuple[bool, int, str]:
    """Orders files: what is called best, then by the last number in their names, the highest first."""
    numbers = re.findall(r"\d+", path.stem)
    return "best" not in path.stem, -int(numbers[-1]) if numbers else 0, path.name


def served(given: Path, entry: released.Entry) -> Path | None:
    """The file at ``given``, a file or a folder, that holds the entry's weights: by its header, if it has one."""
    paths = [given / name for name in entry.files] if given.is_dir() else [given]
    for path in paths:
        if not path.is_file():
            continue
        try:
            model = checkpoints.header(path).get("model")
        except WeightsError:
            if path.name not in entry.files:
                raise
            model = None  # damaged, which its SHA-256 will say
        if model == entry.model if model else path.name in entry.files:
            return path
    return None
