"""Finding weights.

In this order: an explicit path, the ``weights/`` folder (of a checkout; a wheel has it inside the package), the user's
caches, the Hugging Face Hub, and for Real-ESRGAN's the release of its authors.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import ControlError, WeightsError
from . import checkpoints, hub, released
from .checkpoints import ORIGINALS

logger = logging.getLogger(__name__)


def resolve_user_weights(explicit: Sequence[str | os.PathLike[str]]) -> Mapping[str, str]:
    """What explicit paths hold: by the model that a user asks for, the id of the one that runs, which is the original
    project's where the file is its checkpoint. Of several folders the first serves.

    Raises `WeightsError` for a path that is not there, that is damaged or that no network here could use, and
    `ControlError` for two files for one model.
    """
    found: dict[str, str] = {}
    files: dict[str, Path] = {}
    for place in map(Path, explicit):
        entries = [entry for entry in released.manifest().values() if served(place, entry)]
        parts = {part for part, _ in _parts(place)}
        if not entries and not parts:
            raise checkpoints.foreign(place, released.manifest())
        originals = {id: each for id, each in ORIGINALS.items() if each.parts[-1] in parts}
        for name in {entry.model for entry in entries} | parts | {each.asked for each in originals.values()}:
            other = files.setdefault(name, place)
            if place.is_file() and other.is_file() and not place.samefile(other):
                raise ControlError("weights_twice", path=place, other=other, name=name)
        ours = {entry.model: entry.model for entry in entries if entry.task == "restore"}
        found = {**{original.asked: id for id, original in originals.items()}, **ours, **found}
    order = [*(entry.model for entry in released.restorers()), "cnn1"]  # the CNN before its first half
    return {model: found[model] for model in order if model in found}


def files(explicit: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The weights files that explicit paths are or hold. Looked for once: a file that vanishes later is then missed,
    and neither another one nor a released one stands in for it.
    """
    found: list[Path | None] = []
    for place in map(Path, explicit):
        if place.is_dir():
            found += [*(served(place, entry) for entry in released.manifest().values()), *lying([place]).values()]
        else:
            found.append(place)
    return [path for path in found if path]


def serves(given: str | os.PathLike[str], name: str) -> bool:
    """Does a path, of a file or a folder, hold the weights called ``name``, or part of them?"""
    place = Path(given)
    if name in ORIGINALS:
        return any(part in ORIGINALS[name].parts for part, _ in _parts(place))
    return served(place, released.manifest()[name]) is not None


def title(id: str) -> str:
    """What the model ``id`` is called."""
    titles = {entry.model: entry.title for entry in released.restorers()}
    return ORIGINALS[id].title if id in ORIGINALS else titles.get(id, id)


def originals() -> Mapping[str, Sequence[Path]]:
    """The original project's models whose checkpoints lie in ``weights/``: their files by id.

    A file there that is no checkpoint is named in a warning.
    """
    found = lying([released.FOLDER])
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
    for place in (*map(Path, explicit), released.FOLDER):
        if not place.exists() and place != released.FOLDER:
            raise WeightsError("weights_nowhere", path=place)
        if path := served(place, entry):
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


def lying(places: Sequence[Path]) -> Mapping[str, Path]:
    """The original project's parts at ``places``, each by the first file that holds it. What is wrong in ``weights/``,
    which the user did not name, is a warning only.
    """
    found: dict[str, Path] = {}
    for place in places:
        for part, path in _parts(place, warn=place == released.FOLDER):
            found.setdefault(part, path)
    return found


def _parts(place: Path, *, warn: bool = False) -> Iterator[tuple[str, Path]]:
    """The original project's parts at ``place``, a file or a folder; the best or the last of several comes first.

    What is not there or cannot be read raises `WeightsError`, or is left out with a warning where ``warn`` says so.
    """
    if not warn and not place.exists():
        raise WeightsError("weights_nowhere", path=place)
    ours = {name for entry in released.manifest().values() for name in entry.files}
    paths = [place]
    if place.is_dir():
        kinds = (".pth", ".safetensors")
        paths = [path for path in place.iterdir() if path.suffix in kinds and path.is_file()]
    for path in sorted(paths, key=_rank):
        if path.suffix == ".pth" and path.name in ours:
            continue
        try:
            if part := checkpoints.part(path):
                yield part, path
            elif warn and path.name not in ours:
                logger.warning("%s", checkpoints.foreign(path, released.manifest()))
        except (WeightsError, OSError) as error:
            if not warn:
                raise
            logger.warning("%s", error)


def _rank(path: Path) -> tuple[bool, int, str]:
    """Orders files: what is called best, then by the last number in their names, the highest first."""
    numbers = re.findall(r"\d+", path.stem)
    return "best" not in path.stem, -int(numbers[-1]) if numbers else 0, path.name


def served(place: Path, entry: released.Entry) -> Path | None:
    """The file at ``place``, a file or a folder, that holds the entry's weights: by its header, if it has one."""
    paths = [place / name for name in entry.files] if place.is_dir() else [place]
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
