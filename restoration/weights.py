"""Finding, verifying and loading weights.

In this order: an explicit path, the ``weights/`` folder (of a checkout; a wheel has it inside the package), the user's
caches, the Hugging Face Hub, and for Real-ESRGAN's the release of its authors.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import checkpoints, hub
from .checkpoints import ORIGINALS
from .errors import ControlError, WeightsError

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)
_INSTALLED = Path(__file__).resolve().parent / "released"
FOLDER = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parent.parent / "weights"
"""A wheel brings one package and nothing beside it, so pyproject.toml puts ``weights/`` into it as ``released/``."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of ``weights/manifest.json``. ``model`` is the id of the network that reads it.

    ``url`` is where its authors published a file that is not shipped; ``also`` are other files that will do, the same
    weights rounded to fp16, with their SHA-256.
    """

    name: str
    model: str
    task: Literal["restore", "upscale", "see", "detect"]
    title: str
    sha256: str
    size: int
    parameters: int
    config: Mapping[str, Any]
    licence: str
    data: str
    scores: Mapping[str, Any]
    url: str | None = None
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> Mapping[str, str]:
        """The names that the weights may have, with their SHA-256."""
        return {self.name: self.sha256, **self.also}


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Verified weights: what rebuilds a network, and the hash that names it in a report."""

    path: Path
    sha256: str
    config: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class Repo:
    """A repository of the Hub that holds released files. ``revision`` is a commit, or a branch; ``files`` are the names
    of those that it holds, None where nobody knows.
    """

    repo: str
    revision: str
    files: Sequence[str] | None = None


def manifest() -> Mapping[str, Entry]:
    """The released files by name. Raises `WeightsError` where the manifest cannot be read."""
    return _manifest()[0]


def published() -> Repo | None:
    """Where the Hub has the released files: as RESTORATION_HUB_REPO says (USER/NAME, or USER/NAME@REVISION), or as the
    manifest pins it; None until they are published.
    """
    if own := os.environ.get("RESTORATION_HUB_REPO"):
        repo, _, revision = own.partition("@")
        return Repo(repo=repo, revision=revision or "main")
    return _manifest()[1]


@cache
def _manifest() -> tuple[Mapping[str, Entry], Repo | None]:
    path = FOLDER / "manifest.json"
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        entries = {name: Entry(name=name, **entry) for name, entry in contents["files"].items()}
        repo = Repo(**contents["hub"]) if contents["hub"] else None
        if repo and not re.fullmatch("[0-9a-f]{40}", repo.revision):
            raise ValueError(f"the revision {repo.revision!r} is no commit of 40 hexadecimal digits")
        return entries, repo
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError("manifest_unreadable", path=path, reason=str(error)) from error


def restorers() -> list[Entry]:
    """The released files that restore photos, in the manifest's order."""
    return [entry for entry in manifest().values() if entry.task == "restore"]


def resolve_user_weights(explicit: Sequence[str | os.PathLike[str]]) -> Mapping[str, str]:
    """What explicit paths hold: by the model that a user asks for, the id of the one that runs, which is the original
    project's where the file is its checkpoint. Of several folders the first serves.

    Raises `WeightsError` for a path that is not there, that is damaged or that no network here could use, and
    `ControlError` for two files for one model.
    """
    found: dict[str, str] = {}
    files: dict[str, Path] = {}
    for place in map(Path, explicit):
        if not place.exists():
            raise _nowhere(place)
        entries = [entry for entry in manifest().values() if _served(place, entry)]
        parts = {part for part, _ in _parts(place)}
        if not entries and not parts:
            raise checkpoints.foreign(place, manifest())
        originals = {id: each for id, each in ORIGINALS.items() if each.parts[-1] in parts}
        for name in {entry.model for entry in entries} | parts | {each.asked for each in originals.values()}:
            other = files.setdefault(name, place)
            if place.is_file() and other.is_file() and not place.samefile(other):
                raise ControlError(
                    "weights_twice",
                    path=place, other=other, name=name
                )  # fmt: skip
        for entry in entries:
            if entry.task == "restore":
                found.setdefault(entry.model, entry.model)
        for id, original in originals.items():
            found.setdefault(original.asked, id)
    order = [*(entry.model for entry in restorers()), "cnn1"]  # the CNN before its first half
    return {model: found[model] for model in order if model in found}


def files(explicit: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The weights files that explicit paths are or hold. Looked for once: a file that vanishes later is then missed,
    and neither another one nor a released one stands in for it.
    """
    found: list[Path] = []
    for place in map(Path, explicit):
        if place.is_dir():
            served = (_served(place, entry) for entry in manifest().values())
            found += [path for path in served if path] + list(_lying([place]).values())
        else:
            found.append(place)
    return found


def serves(given: str | os.PathLike[str], name: str) -> bool:
    """Does a path, of a file or a folder, hold the weights called ``name``, or part of them?"""
    place = Path(given)
    if name in ORIGINALS:
        return any(part in ORIGINALS[name].parts for part, _ in _parts(place))
    return _served(place, manifest()[name]) is not None


def title(id: str) -> str:
    """What the model ``id`` is called."""
    titles = {entry.model: entry.title for entry in restorers()}
    return ORIGINALS[id].title if id in ORIGINALS else titles.get(id, id)


def originals() -> Mapping[str, Sequence[Path]]:
    """The original project's models whose checkpoints lie in ``weights/``: their files by id.

    A file there that is no checkpoint is named in a warning.
    """
    lying = _lying([FOLDER])
    return {
        id: [lying[part] for part in original.parts]
        for id, original in ORIGINALS.items()
        if lying.keys() >= set(original.parts)
    }


def find(name: str, explicit: Sequence[str | os.PathLike[str]] = (), *, fetch: bool = False) -> Path:
    """Where the weights called ``name`` in the manifest lie.

    ``explicit`` paths come first: a folder that has a file of that name, or a file that has the name or whose header
    says that it holds the same model. Then the ``weights/`` folder, then the caches. With ``fetch``, weights that are
    published elsewhere are downloaded; never where HF_HUB_OFFLINE is set. Raises `WeightsError` where nothing is found.
    """
    if name not in manifest():
        raise WeightsError("weights_unknown", name=name)
    entry = manifest()[name]
    for place in (*map(Path, explicit), FOLDER):
        if not place.exists() and place != FOLDER:
            raise _nowhere(place)
        if path := _served(place, entry):
            return path
    repo = published()
    if repo and repo.files is not None and name not in repo.files:
        repo = None
    urls = [hub.address(repo.repo, repo.revision, name)] if repo else []
    urls += [entry.url] if entry.url else []
    from_hub = hub.cached(repo.repo, repo.revision, name) if repo else None
    if from_hub and hub.is_whole(from_hub, entry.sha256):
        return from_hub
    cached = _served(hub.folder(), entry)
    if cached and (not fetch or cached.name != name or hub.is_whole(cached, entry.sha256)):
        return cached
    if not urls:
        raise WeightsError("weights_missing", path=FOLDER / name)
    if fetch:
        return hub.fetch(name, urls, sha256=entry.sha256, size=entry.size)
    raise WeightsError("weights_later", name=name, url=urls[0])


def load(name: str, explicit: Sequence[str | os.PathLike[str]] = ()) -> Checkpoint:
    """Find (or fetch), verify and read the weights called ``name``, or the original project's model of that id.

    Tensors come back as float32. A released file must have a SHA-256 of the manifest's; one's own weights for what the
    repository ships, given by their path, and the original project's are taken at their word. Raises `WeightsError`
    where the file is missing, damaged or not what the manifest says.
    """
    if name in ORIGINALS:
        return _load_original(name, [Path(given) for given in explicit])
    path = find(name, explicit, fetch=True)
    entry = manifest()[name]
    contents = checkpoints.contents_of(path)
    sha256 = hashlib.sha256(contents).hexdigest()
    users = entry.url is None and any(_served(Path(given), entry) == path for given in explicit)
    if sha256 not in entry.files.values() and (not users or path.resolve().parent == FOLDER.resolve()):
        if entry.url:
            raise WeightsError("download_damaged", path=path, url=entry.url)
        raise WeightsError("weights_damaged", path=path)
    config, tensors = checkpoints.read(path, contents)
    if entry.task == "upscale" and config is not None and config != entry.config:  # these have one shape each
        raise checkpoints.architecture_mismatch(path, ValueError("its config is not the manifest's"))
    return Checkpoint(path=path, sha256=sha256, config=config or entry.config, tensors=tensors)


def _load_original(id: str, places: Sequence[Path]) -> Checkpoint:
    """One or two files of the original project's. The SHA-256 of two is that of one after the other; each tensor's key
    begins with the name of its part.
    """
    original, lying = ORIGINALS[id], _lying([*places, FOLDER])
    if missing := [part for part in original.parts if part not in lying]:
        raise WeightsError(
            "original_missing",
            title=original.title,
            files=" and ".join(checkpoints.PARTS[part][1] for part in missing),
            folder=FOLDER,
        )
    digest = hashlib.sha256()
    tensors: dict[str, torch.Tensor] = {}
    for part in original.parts:
        contents = checkpoints.contents_of(lying[part])
        digest.update(contents)
        tensors |= {f"{part}.{key}": tensor for key, tensor in checkpoints.read(lying[part], contents)[1].items()}
    return Checkpoint(path=lying[part], sha256=digest.hexdigest(), config={}, tensors=tensors)


def _nowhere(place: Path) -> WeightsError:
    return WeightsError("weights_nowhere", path=place)


def _lying(places: Sequence[Path]) -> Mapping[str, Path]:
    """The original project's parts at ``places``, each by the first file that holds it. What is wrong in ``weights/``,
    which the user did not name, is a warning only.
    """
    found: dict[str, Path] = {}
    for place in places:
        for part, path in _parts(place, warn=place == FOLDER):
            found.setdefault(part, path)
    return found


def _parts(place: Path, *, warn: bool = False) -> Iterator[tuple[str, Path]]:
    """The original project's parts at ``place``, a file or a folder; the best or the last of several comes first.

    What is not there or cannot be read raises `WeightsError`, or is left out with a warning where ``warn`` says so.
    """
    if not warn and not place.exists():
        raise _nowhere(place)
    released = {name for entry in manifest().values() for name in entry.files}
    paths = [place]
    if place.is_dir():
        kinds = (".pth", ".safetensors")
        paths = [path for path in place.iterdir() if path.suffix in kinds and path.is_file()]
    for path in sorted(paths, key=_rank):
        if path.suffix == ".pth" and path.name in released:
            continue
        try:
            part = checkpoints.part(path)
        except (WeightsError, OSError) as error:
            if not warn:
                raise
            logger.warning("%s", error)
            continue
        if part:
            yield part, path
        elif warn and path.name not in released:
            logger.warning("%s", checkpoints.foreign(path, manifest()))


def _rank(path: Path) -> tuple[bool, int, str]:
    """Orders files: what is called best, then by the last number in their names, the highest first."""
    numbers = re.findall(r"\d+", path.stem)
    return "best" not in path.stem, -int(numbers[-1]) if numbers else 0, path.name


def _served(place: Path, entry: Entry) -> Path | None:
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
