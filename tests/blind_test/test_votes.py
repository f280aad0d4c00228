"""Votes: what one is, and that what was kept is read again."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from restoration import ControlError
from restoration.blind_test.votes import Folder, Vote, opened, read
from restoration.errors import OutputError
from tests.conftest import ROOT
from tests.hub import TOKEN, Hub

REPO = "somebody/votes"
VOTE = Vote(
    weights={"vae": "a" * 64, "gan": "b" * 64, "cnn": "c" * 64}, shown=("gan", "vae", "cnn"), choice="vae",
    preset="heavy", seed=7, time="2026-01-02T03:04+00:00",
)  # fmt: skip
NONE = replace(VOTE, choice=None, seed=8)


def lines(votes: list[Vote]) -> str:
    return "".join(json.dumps(vote.to_json()) + "\n" for vote in votes)


# --- One vote ---------------------------------------------------------------------------------------------------------


def test_a_vote_says_what_it_says_and_no_more() -> None:
    """Nothing of the visitor or the photo, as the app and SECURITY.md promise."""
    names = ["weights", "shown", "choice", "preset", "seed", "size", "time"]
    assert [each.name for each in fields(Vote)] == names
    assert list(VOTE.to_json()) == names


@pytest.mark.parametrize(
    "changes",
    [
        {"choice": "other"}, {"choice": ["vae"]}, {"shown": ["vae"]}, {"shown": ["vae", "vae"]}, {"shown": None},
        {"shown": ["vae", "other"]}, {"shown": [["vae"], ["gan"]]}, {"weights": {"vae": 1, "gan": 2, "cnn": 3}},
        {"weights": ["vae", "gan", "cnn"]}, {"seed": "7"}, {"seed": -1}, {"seed": True}, {"seed": 2**80},
        {"size": 0.5}, {"preset": None}, {"time": 3}, {"photo": "coffee.jpg"}, None, 3, "vote", [],
    ],
)  # fmt: skip
def test_what_is_no_vote_is_refused(changes: Any) -> None:
    with pytest.raises(ControlError, match=r"is no vote; use a file of votes as it was written\.$"):
        Vote.from_json({**VOTE.to_json(), **changes} if isinstance(changes, dict) else changes)


# --- In a folder ------------------------------------------------------------------------------------------------------


def test_votes_in_a_folder_are_there_again(tmp_path: Path) -> None:
    votes = Folder(tmp_path / "new" / "folder")
    assert votes.all() == []
    votes.add(VOTE)
    votes.add(NONE)
    assert Folder(tmp_path / "new" / "folder").all() == [VOTE, NONE]
    with closing(sqlite3.connect(votes.path)) as database:
        rows = database.execute("SELECT * FROM votes").fetchall()
    told = ('{"vae"', '["gan"')
    assert [[each for each in row if not str(each).startswith(told)] for row in rows] == [
        ["vae", "heavy", 7, 128, VOTE.time],
        [None, "heavy", 8, 128, VOTE.time],
    ]


def test_votes_of_many_at_once_are_all_kept(tmp_path: Path) -> None:
    stores = [Folder(tmp_path), Folder(tmp_path)]

    def add(first: int) -> None:
        for seed in range(first, first + 10):
            stores[seed % 2].add(replace(VOTE, seed=seed))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(0, 60, 10)))
    assert sorted(vote.seed for vote in stores[0].all()) == list(range(60))


def test_a_folder_that_is_none_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"^Votes cannot be kept in .+; make room there, or name another folder\.$"):
        opened(tmp_path / "file")


def test_a_disk_that_is_gone_is_one_clear_sentence(tmp_path: Path) -> None:
    votes = Folder(tmp_path)
    votes.path.unlink()
    with pytest.raises(OutputError, match=r"Votes cannot be kept in .+ \(no such table: votes\)"):
        votes.add(VOTE)


def test_without_a_place_none_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESTORATION_VOTES_REPO", raising=False)
    assert opened(None) is None


# --- Files ------------------------------------------------------------------------------------------------------------


def test_json_lines_are_read_but_for_what_a_kill_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text(lines([VOTE, NONE]), encoding="utf-8")
    assert read(path) == [VOTE, NONE]
    path.write_text(lines([VOTE, NONE])[:-9], encoding="utf-8")
    assert read(path) == [VOTE]
    path.write_text("")
    assert read(path) == []


@pytest.mark.parametrize(
    "contents", [b"words\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b'{"shown": 1}\n', b"SQLite format 3\0 and no more"]
)
def test_a_file_of_something_else_is_one_clear_sentence(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "file").write_bytes(contents)
    with pytest.raises(ControlError, match="votes"):
        read(tmp_path / "file")


def test_a_file_that_is_not_there_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"no\.sqlite has no votes that can be read \(.+\); give the file"):
        read(tmp_path / "no.sqlite")


# --- In a dataset of the Hub ------------------------------------------------------------------------------------------

KEEP = """
import json, sys
from restoration.blind_test.votes import Vote, opened
votes = opened(None)
if votes:
    before = len(votes.all())
    for line in sys.stdin:
        votes.add(Vote.from_json(json.loads(line)))
    print(before, len(votes.all()))
"""


def keep(hub: Hub, home: Path, votes: list[Vote], **changes: str) -> subprocess.CompletedProcess[str]:
    """Add ``votes`` in a process of its own, as the Hub's client reads its environment when it is imported."""
    environment = hub.environment(home, **{"HF_TOKEN": TOKEN, "RESTORATION_VOTES_REPO": REPO, **changes})
    command = [sys.executable, "-c", KEEP]
    done = subprocess.run(
        command, input=lines(votes), env=environment, cwd=ROOT, text=True, capture_output=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done


def test_votes_reach_the_dataset_when_the_process_ends(hub: Hub, tmp_path: Path) -> None:
    assert keep(hub, tmp_path, [VOTE, NONE]).stdout == "0 2\n"
    assert hub.made[REPO] == {"type": "dataset", "visibility": "private"}
    files = {name: file for name, file in hub.newest(REPO).items() if name.endswith(".jsonl")}
    assert [re.fullmatch(r"[0-9a-f]{32}\.jsonl", name) is not None for name in files] == [True]
    (tmp_path / "votes.jsonl").write_bytes(*files.values())
    assert read(tmp_path / "votes.jsonl") == [VOTE, NONE]


def test_another_machine_goes_on_where_the_first_stopped(hub: Hub, tmp_path: Path) -> None:
    """As a Space does after a restart: its disk is empty."""
    assert keep(hub, tmp_path / "first", [VOTE]).stdout == "0 1\n"
    assert keep(hub, tmp_path / "second", [NONE, NONE]).stdout == "1 3\n"
    assert keep(hub, tmp_path / "first", []).stdout == "3 3\n"  # none is counted twice
    kept = [file for name, file in hub.newest(REPO).items() if name.endswith(".jsonl")]
    assert sorted(file.count(b"\n") for file in kept) == [1, 2]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"HF_TOKEN": ""}, "there is no token"), ({"HF_TOKEN": "hf_wrong"}, "401"), ({"HF_HUB_OFFLINE": "1"}, "offline")],
    ids=["none", "wrong", "offline"],
)
def test_a_dataset_that_cannot_be_written_is_told_in_the_log(
    hub: Hub, tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    done = keep(hub, tmp_path, [VOTE], **changes)
    assert done.stdout == ""
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("Votes cannot be kept")]
    assert reason in said
    assert said.endswith("; check RESTORATION_VOTES_REPO, and that HF_TOKEN may write there.")


# --- The command ------------------------------------------------------------------------------------------------------


def command(path: Path) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "restoration", "votes", str(path)]
    return subprocess.run(run, capture_output=True, text=True, cwd=ROOT)


def test_the_command_ranks_what_a_folder_or_a_dataset_holds(tmp_path: Path) -> None:
    votes = [replace(VOTE, seed=seed, choice="vae" if seed % 4 else "cnn") for seed in range(80)] + [NONE]
    folder = Folder(tmp_path)
    for vote in votes:
        folder.add(vote)
    (tmp_path / "a.jsonl").write_text(lines(votes))
    first, second = (command(path) for path in (folder.path, tmp_path / "a.jsonl"))
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout
    head, *rows = first.stdout.splitlines()
    assert head == "81 votes on cnn cccccccc, gan bbbbbbbb, vae aaaaaaaa; 1 of them for none."
    assert [row.split()[0] for row in rows] == ["vae", "cnn", "gan"]
    assert re.fullmatch(r"vae +\d+ % \(\d+ to \d+\), chosen 60 times", rows[0])


def test_the_command_says_that_votes_are_too_few(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines([VOTE] * 29 + [NONE] * 29))
    assert command(tmp_path / "a.jsonl").stdout.splitlines() == [
        "58 votes on cnn cccccccc, gan bbbbbbbb, vae aaaaaaaa; 29 of them for none.",
        "Too few votes for a ranking: it takes 30 that choose a picture.",
    ]


def test_the_command_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    done = command(tmp_path / "none.sqlite")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
