"""Finding, verifying and loading weights: an explicit path first, then the ``weights/`` folder of the repository."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .types import WeightsError

if TYPE_CHECKING:
    import torch

FOLDER = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of ``weights/manifest.json``. ``model`` is the id of the network that reads it."""

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
        raise WeightsError(f"{path} cannot be read ({error}); restore it with `git checkout weights`.") from error


def restorers() -> list[Entry]:
    """The released files that restore photos, in the manifest's order."""
    return [entry for entry in manifest().values() if entry.task == "restore"]


def check(explicit: Sequence[str | os.PathLike[str]]) -> None:
    """Raise `WeightsError` for an explicit path that is not there or that no network here could use."""
    for given in map(Path, explicit):
        if not given.exists():
            raise WeightsError(f"There are no weights at {given}; check the path.")
        if not any(_serves(given, entry) for entry in manifest().values()):
            raise WeightsError(f"{given} holds no weights for {', '.join(manifest())}; name one of these files.")


def find(name: str, explicit: Sequence[str | os.PathLike[str]] = ()) -> Path:
    """Where the weights called ``name`` in the manifest lie.

    ``explicit`` paths come first: a folder that has a file of that name, or a file that has the name or whose header
    says that it holds the same model. Then the ``weights/`` folder. Raises `WeightsError` where nothing is found.
    """
    if name not in manifest():
        raise WeightsError(f"The manifest names no weights {name}; train and export them first.")
    for given in map(Path, explicit):
        if _serves(given, manifest()[name]):
            return given / name if given.is_dir() else given
    if (FOLDER / name).is_file():
        return FOLDER / name
    raise WeightsError(f"{FOLDER / name} is missing; restore it with `git checkout weights`.")


def load(name: str, explicit: Sequence[str | os.PathLike[str]] = ()) -> Checkpoint:
    """Find, verify and read the weights called ``name``; tensors come back as float32.

    A released file must have the manifest's SHA-256; one's own file, given by its path, is taken at its word. Raises
    `WeightsError` where it is missing, damaged or not what the manifest says.
    """
    import safetensors.torch

    path = find(name, explicit)
    contents = path.read_bytes()
    sha256 = hashlib.sha256(contents).hexdigest()
    entry = manifest()[name]
    if path.parent == FOLDER and sha256 != entry.sha256:
        raise WeightsError(
            f"{path} is damaged (its SHA-256 is not the manifest's); restore it with `git checkout weights`."
        )
    try:
        tensors = {key: tensor.float() for key, tensor in safetensors.torch.load(contents).items()}
        config = json.loads(_header(path).get("config", "null")) or entry.config
    except (safetensors.SafetensorError, ValueError) as error:
        raise WeightsError(_incomplete(path, error)) from error
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise WeightsError(f"{path} holds infinite or undefined numbers; get a fresh copy of it, or train it again.")
    return Checkpoint(path=path, sha256=sha256, config=config, tensors=tensors)


def _serves(given: Path, entry: Entry) -> bool:
    if given.is_dir():
        return (given / entry.name).is_file()
    return given.is_file() and (given.name == entry.name or _header(given).get("model") == entry.model)


def _incomplete(path: Path, error: Exception) -> str:
    return f"{path} is not a complete safetensors file ({error}); give one, or get a fresh copy of it."


def _header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, read without torch."""
    import safetensors

    try:
        with safetensors.safe_open(path, "np") as file:
            return file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise WeightsError(_incomplete(path, error)) from error
