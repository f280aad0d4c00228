"""Finding, verifying and loading weights.

In this order: an explicit path, the ``weights/`` folder of the repository, and, for what is not shipped there, the
user's cache and the release that its authors published.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from .types import WeightsError

if TYPE_CHECKING:
    import torch

FOLDER = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of ``weights/manifest.json``. ``model`` is the id of the network that reads it.

    ``url`` is where a file that is not shipped is published; ``also`` are other files that will do, the same weights
    rounded to fp16, with their SHA-256.
    """

    name: str
    model: str
    task: Literal["restore", "upscale"]
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


@cache
def manifest() -> Mapping[str, Entry]:
    """The released files by name. Raises `WeightsError` where the manifest cannot be read."""
    path = FOLDER / "manifest.json"
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {name: Entry(name=name, **entry) for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(
            "manifest_unreadable",
            "{path} cannot be read ({reason}); restore it with `git checkout weights`.",
            path=path,
            reason=str(error),
        ) from error


def restorers() -> list[Entry]:
    """The released files that restore photos, in the manifest's order."""
    return [entry for entry in manifest().values() if entry.task == "restore"]


def check(explicit: Sequence[str | os.PathLike[str]]) -> None:
    """Raise `WeightsError` for an explicit path that is not there or that no network here could use."""
    for given in map(Path, explicit):
        if not given.exists():
            raise WeightsError("weights_nowhere", "There are no weights at {path}; check the path.", path=given)
        if not any(_served(given, entry) for entry in manifest().values()):
            raise WeightsError(
                "weights_foreign",
                "{path} holds no weights for {choices}; name one of these files.",
                path=given,
                choices=", ".join(manifest()),
            )


def serves(given: str | os.PathLike[str], name: str) -> bool:
    """Does a path, of a file or a folder, hold the weights called ``name``?"""
    return _served(Path(given), manifest()[name]) is not None


def find(name: str, explicit: Sequence[str | os.PathLike[str]] = (), *, fetch: bool = False) -> Path:
    """Where the weights called ``name`` in the manifest lie.

    ``explicit`` paths come first: a folder that has a file of that name, or a file that has the name or whose header
    says that it holds the same model. Then the ``weights/`` folder, then the cache. With ``fetch``, weights that are
    published elsewhere are downloaded to the cache; never where HF_HUB_OFFLINE is set. Raises `WeightsError` where
    nothing is found.
    """
    if name not in manifest():
        raise WeightsError(
            "weights_unknown", "The manifest names no weights {name}; train and export them first.", name=name
        )
    entry = manifest()[name]
    for place in (*map(Path, explicit), FOLDER):
        if path := _served(place, entry):
            return path
    if entry.url is None:
        raise WeightsError(
            "weights_missing", "{path} is missing; restore it with `git checkout weights`.", path=FOLDER / name
        )
    cached = _served(cache_folder(), entry)
    if fetch and (cached is None or cached.name == name):
        return _fetched(entry, entry.url)
    if cached:
        return cached
    raise WeightsError(
        "weights_later",
        "{name} is not here yet; it will be fetched from {url} when it is needed.",
        name=name,
        url=entry.url,
    )


def load(name: str, explicit: Sequence[str | os.PathLike[str]] = ()) -> Checkpoint:
    """Find (or fetch), verify and read the weights called ``name``; tensors come back as float32.

    A released file must have a SHA-256 of the manifest's; one's own weights for our models, given by their path, are
    taken at their word. Raises `WeightsError` where the file is missing, damaged or not what the manifest says.
    """
    path = find(name, explicit, fetch=True)
    entry = manifest()[name]
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            "weights_unreadable",
            "{path} cannot be read ({reason}); check its permissions.",
            path=path,
            reason=error.strerror,
        ) from error
    sha256 = hashlib.sha256(contents).hexdigest()
    if (path.resolve().parent == FOLDER.resolve() or entry.url) and sha256 not in entry.files.values():
        if entry.url:
            raise WeightsError(
                "download_damaged",
                "{path} is damaged (its SHA-256 is not the manifest's); replace it by a copy of {url}.",
                path=path,
                url=entry.url,
            )
        raise WeightsError(
            "weights_damaged",
            "{path} is damaged (its SHA-256 is not the manifest's); restore it with `git checkout weights`.",
            path=path,
        )
    config, tensors = _read_pickled(contents, path) if path.suffix == ".pth" else _read_safetensors(contents, path)
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise WeightsError(
            "weights_undefined",
            "{path} holds infinite or undefined numbers; get a fresh copy of it, or train it again.",
            path=path,
        )
    return Checkpoint(path=path, sha256=sha256, config=config or entry.config, tensors=tensors)


def cache_folder() -> Path:
    """Where downloads are kept: ``~/.cache/restoration-lab``, or what the system and XDG_CACHE_HOME say."""
    import pooch

    return Path(pooch.os_cache("restoration-lab"))


def _fetched(entry: Entry, url: str) -> Path:
    """The published file out of the cache; downloaded first where it is missing or damaged there."""
    import huggingface_hub
    import pooch
    import requests  # pooch fetches with it

    cached = cache_folder() / entry.name
    if huggingface_hub.is_offline_mode():
        if cached.is_file():
            return cached
        raise WeightsError(
            "fetch_forbidden",
            "{name} is not here, and HF_HUB_OFFLINE forbids to fetch it; "
            "unset it, or download {url} by hand into {folder}.",
            name=entry.name,
            url=url,
            folder=cached.parent,
        )
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=15)
    try:
        path = pooch.retrieve(url, f"sha256:{entry.sha256}", entry.name, cached.parent, downloader=downloader)
    except requests.ConnectionError as error:
        raise WeightsError(
            "fetch_unconnected",
            "{name} could not be fetched: no connection to {host}; try again, or download {url} by hand into {folder}.",
            name=entry.name,
            host=urlsplit(url).hostname,
            url=url,
            folder=cached.parent,
        ) from error
    except (OSError, ValueError) as error:  # requests' other errors are OSErrors; a wrong hash is a ValueError
        raise WeightsError(
            "fetch_failed",
            "{name} could not be fetched ({reason}); try again, or download {url} by hand into {folder}.",
            name=entry.name,
            reason=str(error).splitlines()[0],
            url=url,
            folder=cached.parent,
        ) from error
    return Path(path)


def _served(place: Path, entry: Entry) -> Path | None:
    """The file at ``place``, a file or a folder, that holds the entry's weights."""
    if place.is_dir():
        return next((place / name for name in entry.files if (place / name).is_file()), None)
    fits = place.is_file() and (place.name in entry.files or _header(place).get("model") == entry.model)
    return place if fits else None


def _read_safetensors(contents: bytes, path: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    import safetensors.torch

    try:
        tensors = {key: tensor.float() for key, tensor in safetensors.torch.load(contents).items()}
        return json.loads(_header(path).get("config", "null")), tensors
    except (safetensors.SafetensorError, ValueError) as error:
        raise _incomplete(path, error) from error


def _read_pickled(contents: bytes, path: Path) -> tuple[None, dict[str, torch.Tensor]]:
    """Real-ESRGAN's own files; tensors only, no code in the pickle is ever run."""
    import torch

    try:
        values = torch.load(io.BytesIO(contents), map_location="cpu", weights_only=True)
        tensors = values.get("params_ema", values.get("params"))  # as Real-ESRGAN prefers them
        return None, {key: tensor.float() for key, tensor in tensors.items()}
    except MemoryError:
        raise
    except Exception as error:  # unpickling raises whatever the file makes it trip over
        raise WeightsError(
            "weights_pickle", "{path} is no weights file of Real-ESRGAN's; get a fresh copy of it.", path=path
        ) from error


def _incomplete(path: Path, error: Exception) -> WeightsError:
    return WeightsError(
        "weights_incomplete",
        "{path} is not a complete safetensors file ({reason}); give one, or get a fresh copy of it.",
        path=path,
        reason=str(error),
    )


def _header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, read without torch; a pickle has none."""
    import safetensors

    if path.suffix == ".pth":
        return {}
    try:
        with safetensors.safe_open(path, "np") as file:
            return file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise _incomplete(path, error) from error
