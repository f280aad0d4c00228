"""The last step from a name to tensors: is the file that was found the one that was released? Then it is read."""

from __future__ import annotations

import hashlib
import os
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import WeightsError
from . import checkpoints, released
from .checkpoints import ORIGINALS
from .locate import find, parts_in, served

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Verified weights: what rebuilds a network, and the hash that names it in a report."""

    path: Path
    sha256: str
    config: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor]


def load(name: str, explicit: Sequence[str | os.PathLike[str]] = ()) -> Checkpoint:
    """Find (or fetch), verify and read the weights called ``name``, or the original project's model of that id.

    Tensors come back as float32. A released file must have a SHA-256 of the manifest's; one's own weights for what the
    repository ships, given by their path, and the original project's are taken at their word. Raises `WeightsError`
    where the file is missing, damaged or not what the manifest says.
    """
    if name in ORIGINALS:
        return _load_original(name, [Path(given) for given in explicit])
    path = find(name, explicit, fetch=True)
    entry = released.manifest()[name]
    contents = checkpoints.contents_of(path)
    sha256 = hashlib.sha256(contents).hexdigest()
    is_own = entry.url is None and any(served(Path(given), entry) == path for given in explicit)
    if sha256 not in entry.files.values() and (not is_own or path.resolve().parent == released.FOLDER.resolve()):
        if entry.url:
            raise WeightsError("download_damaged", path=path, url=entry.url)
        raise WeightsError("weights_damaged", path=path)
    config, tensors = checkpoints.read(path, contents)
    if entry.task == "upscale" and config is not None and config != entry.config:  # these have one shape each
        raise checkpoints.architecture_mismatch(path, ValueError("its config is not the manifest's"))
    return Checkpoint(path=path, sha256=sha256, config=config or entry.config, tensors=tensors)


def _load_original(id: str, explicit: Sequence[Path]) -> Checkpoint:
    """One or two files of the original project's. The SHA-256 of two is that of one after the other; each tensor's key
    begins with the name of its part.
    """
    original, found = ORIGINALS[id], ChainMap(*map(parts_in, explicit), parts_in(released.FOLDER, warn=True))
    if missing := [part for part in original.parts if part not in found]:
        wanted = " and ".join(checkpoints.PARTS[part][1] for part in missing)
        raise WeightsError("original_missing", title=original.title, files=wanted, folder=released.FOLDER)
    digest = hashlib.sha256()
    tensors: dict[str, torch.Tensor] = {}
    for part in original.parts:
        contents = checkpoints.contents_of(found[part])
        digest.update(contents)
        tensors |= {f"{part}.{key}": tensor for key, tensor in checkpoints.read(found[part], contents)[1].items()}
    return Checkpoint(path=found[part], sha256=digest.hexdigest(), config={}, tensors=tensors)
