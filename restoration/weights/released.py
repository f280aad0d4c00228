"""Where the project's own files are recorded: ``weights/manifest.json``, and where the Hub has them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ..errors import WeightsError

_INSTALLED = Path(__file__).resolve().parent / "released"
FOLDER = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[2] / "weights"
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
