"""Votes of a blind test: which of several unnamed restorations somebody would keep, and where votes are kept.

A vote says nothing of who voted, and nothing of the photo.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from uuid import uuid4

from ..errors import ControlError, OutputError
from ..types import SIDE

logger = logging.getLogger(__name__)

REPO = "RESTORATION_VOTES_REPO"
"""The environment's variable that names a dataset of the Hub, USER/NAME, to keep votes in."""
MINUTES = 5
"""Between two commits to that dataset."""


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One answer to "which would you keep?". Raises `ControlError` for values that no vote has."""

    weights: Mapping[str, str]
    """SHA-256 of the weights of every model that takes part, by the model's id."""
    shown: tuple[str, ...]
    """The ids of those whose pictures were shown, two at least, in the order in which they stood."""
    choice: str | None
    """The id of the one that was chosen; None for none of them."""
    preset: str
    """The preset by which the photo was damaged, drawn by ``seed``."""
    seed: int
    size: int = SIDE
    """Side of the square photo, in pixels."""
    time: str
    """UTC, as ISO 8601 writes it, to the minute."""

    def __post_init__(self) -> None:
        is_whole = all(type(value) is int and 0 <= value < 2**63 for value in (self.seed, self.size))
        is_text = isinstance(self.weights, Mapping) and all(
            isinstance(each, str) for each in (self.preset, self.time, *self.weights, *self.weights.values())
        )
        is_shown = isinstance(self.shown, tuple) and len(self.shown) > 1 and len({*self.shown}) == len(self.shown)
        is_sound = is_whole and is_text and is_shown and {*self.shown} <= {*self.weights}
        if not is_sound or self.choice not in (None, *self.shown):
            raise ControlError("vote_none", value=self)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> Vote:
        """The inverse of `to_json`; raises `ControlError` for what is no vote."""
        try:
            return cls(**{**values, "shown": tuple(values["shown"])})
        except (TypeError, KeyError) as error:
            raise ControlError("vote_none", value=values) from error


def opened(folder: Path | None) -> Votes | None:
    """The votes in ``folder`` or, without one, in the dataset that `REPO` names; None where nothing names a place.

    Raises `OutputError` for a folder that cannot be written. A dataset that cannot is a line in the log, and no votes
    are kept: a Space whose token has expired still restores photos.
    """
    if folder is not None:
        return Folder(folder)
    if repo := os.environ.get(REPO):
        try:
            return Dataset(repo)
        except OutputError as error:
            logger.warning("%s", error)
    return None


def read(path: Path) -> list[Vote]:
    """The votes of an SQLite file that `Folder` wrote, or of a JSON-lines file of a `Dataset`.

    Raises `ControlError` for any other file.
    """
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(16) == b"SQLite format 3\0"
        if is_sqlite:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
                database.row_factory = sqlite3.Row
                rows = database.execute(f"SELECT {', '.join(_COLUMNS)} FROM votes").fetchall()
            found = [{**row, **{name: json.loads(row[name]) for name in _NESTED}} for row in rows]
        else:
            *lines, _ = path.read_text(encoding="utf-8").split("\n")  # what a kill cut off has no end of line
            found = [json.loads(line) for line in lines]
        return [Vote.from_json(each) for each in found]
    except (OSError, ValueError, RecursionError, sqlite3.Error) as error:
        raise ControlError("votes_unreadable", path=path, reason=error) from error


_COLUMNS = tuple(each.name for each in fields(Vote))
_NESTED = ("weights", "shown")
"""The columns that hold JSON."""


class Folder:
    """Votes in the SQLite file votes.sqlite of a folder. The folder is made where there is none.

    Every call opens the file anew, so that threads, and several apps, can share it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "votes.sqlite"
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._do(
                "CREATE TABLE IF NOT EXISTS votes (weights TEXT NOT NULL, shown TEXT NOT NULL, choice TEXT,"
                " preset TEXT NOT NULL, seed INTEGER NOT NULL, size INTEGER NOT NULL, time TEXT NOT NULL)"
            )

    def add(self, vote: Vote) -> None:
        values = vote.to_json()
        values |= {name: json.dumps(values[name]) for name in _NESTED}
        places = ", ".join(f":{name}" for name in _COLUMNS)
        with _writing(self.path):
            self._do(f"INSERT INTO votes ({', '.join(_COLUMNS)}) VALUES ({places})", values)

    def all(self) -> list[Vote]:
        return read(self.path)

    def _do(self, statement: str, values: Mapping[str, Any] | None = None) -> None:
        with closing(sqlite3.connect(self.path, timeout=30)) as database, database:  # the second commits
            database.execute(statement, values or {})


class Dataset:
    """Votes in a dataset of the Hub, which is made, private, where there is none: one JSON-lines file per process.

    The process's own file lies in a folder that `huggingface_hub.CommitScheduler` commits every few minutes, and when
    the process ends; those of earlier processes are fetched at the start. Raises `OutputError` where the Hub cannot be
    reached, or lets nobody write.
    """

    def __init__(self, repo: str) -> None:
        from huggingface_hub import CommitScheduler, constants, get_token, snapshot_download
        from huggingface_hub.errors import HTTPError

        folder = Path(constants.HF_ASSETS_CACHE) / "restoration-lab" / "votes" / repo.replace("/", "--")
        kind: dict[str, Any] = {"repo_type": "dataset", "allow_patterns": "*.jsonl"}
        try:
            if get_token() is None:
                raise ValueError("there is no token")
            self._scheduler = CommitScheduler(repo_id=repo, private=True, folder_path=folder, every=MINUTES, **kind)
            self._earlier = Path(snapshot_download(self._scheduler.repo_id, **kind))
        except (HTTPError, ValueError, OSError) as error:
            reason = str(error).strip().split("\n")[0]
            raise OutputError("votes_repo", repo=repo, reason=reason, variable=REPO) from error
        self.path = folder / f"{uuid4().hex}.jsonl"

    def add(self, vote: Vote) -> None:
        line = json.dumps(vote.to_json()) + "\n"
        with _writing(self.path), self._scheduler.lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line)

    def all(self) -> list[Vote]:
        with self._scheduler.lock:
            found = (*self._earlier.glob("*.jsonl"), *self.path.parent.glob("*.jsonl"))  # of two, the last is newer
            return [vote for path in {path.name: path for path in found}.values() for vote in read(path)]


Votes = Folder | Dataset
"""Where votes are kept: ``add`` keeps one more, or raises `OutputError`; ``all`` gives those that are kept, or raises
`ControlError` where some other file lies in their place."""


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What is done inside writes to ``path``: `OutputError` where it cannot."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise OutputError("votes_unwritable", path=path, reason=error) from error
