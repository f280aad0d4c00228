"""Downloads by the real client over real HTTP, from a Hub of our own; each in a process of its own, as the client reads
its environment when it is imported.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.conftest import ROOT
from tests.hub import TOKEN, Hub, Request

REPO, OTHER = "somebody/restoration-lab", "another/copy"
NAME = "vae.safetensors"
CONTENTS = (ROOT / "weights" / NAME).read_bytes()
BORROWED = "realesr-general-x4v3.pth"

FIND = """
import json, sys
from restoration import WeightsError, weights
try:
    print(json.dumps({"path": str(weights.find(sys.argv[1], fetch=True))}))
except WeightsError as error:
    print(json.dumps({"code": error.code, "says": str(error)}))
"""
LOAD = "import sys; from restoration import weights; print(weights.load(sys.argv[1]).sha256)"
DOWNLOAD = (
    "import sys, huggingface_hub as hf; print(hf.hf_hub_download(sys.argv[2], sys.argv[1], revision=sys.argv[3]))"
)


@dataclass(frozen=True)
class Clone:
    """A user's copy of the project whose weights/ holds no weights, and an empty home for the client."""

    folder: Path
    hub: Hub

    @property
    def cache(self) -> Path:
        return self.folder / "home" / "assets" / "restoration-lab" / "weights"

    def pin(self, revision: str, repo: str = REPO, **more: Any) -> None:
        self.change(hub={"repo": repo, "revision": revision, **more})

    def describe(self, name: str, **entry: Any) -> None:
        """What the manifest says of a file."""
        files = json.loads((self.folder / "weights" / "manifest.json").read_text(encoding="utf-8"))["files"]
        self.change(files={**files, name: {**files[name], **entry}})

    def change(self, **entries: Any) -> None:
        path = self.folder / "weights" / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **entries}), encoding="utf-8")

    def start(self, code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        command, pipe = [sys.executable, "-c", code, *arguments], subprocess.PIPE
        patient = {"HF_HUB_DOWNLOAD_TIMEOUT": "60", **environment}
        theirs = self.hub.environment(self.folder / "home", **patient)
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=self.folder, env=theirs)

    def run(self, code: str, *arguments: str, **environment: str) -> str:
        running = self.start(code, *arguments, **environment)
        out, errors = running.communicate(timeout=100)
        assert running.returncode == 0, errors
        return out

    def fetch(self, name: str = NAME, **environment: str) -> Path:
        answer = json.loads(self.run(FIND, name, **environment))
        assert "path" in answer, answer
        return Path(answer["path"])

    def refusal(self, name: str = NAME, **environment: str) -> str:
        """The one sentence of a fetch that fails, and leaves nothing that would be taken for weights."""
        answer = json.loads(self.run(FIND, name, **environment))
        assert "says" in answer, answer
        assert re.fullmatch(r"[^\n]+\.", answer["says"])
        assert ". " not in answer["says"]
        assert not (self.cache / name).exists()
        return answer["says"]

    def downloads(self) -> list[Request]:
        """The requests for the contents of a file; what the CDN is asked is not counted again."""
        return [each for each in self.hub.asked if each.method == "GET" and not each.path.startswith("/cdn/")]


@pytest.fixture
def clone(tmp_path: Path, hub: Hub) -> Clone:
    shutil.copytree(ROOT / "restoration", tmp_path / "restoration", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "weights").mkdir()
    shutil.copy(ROOT / "weights" / "manifest.json", tmp_path / "weights")
    clone = Clone(tmp_path, hub)
    clone.pin(hub.commit(REPO, {NAME: CONTENTS}))
    hub.commit(REPO, {NAME: b"a later release"})
    return clone


def test_the_first_use_fetches_and_the_second_asks_nobody(clone: Clone) -> None:
    assert clone.fetch() == clone.cache / NAME
    assert (clone.cache / NAME).read_bytes() == CONTENTS
    assert len(clone.downloads()) == 1
    clone.hub.asked.clear()
    assert clone.fetch() == clone.cache / NAME
    assert clone.run(LOAD, NAME).strip() == hashlib.sha256(CONTENTS).hexdigest()
    assert clone.hub.asked == []


def test_what_the_hubs_own_client_has_downloaded_serves(clone: Clone) -> None:
    """As on a Space that preloads; only as long as it is sound."""
    revision = next(iter(clone.hub.repos[REPO]))
    preloaded = Path(clone.run(DOWNLOAD, NAME, REPO, revision).strip())
    clone.hub.asked.clear()
    assert clone.fetch() == preloaded
    assert clone.hub.asked == []
    preloaded.resolve().write_bytes(b"damaged")
    assert clone.fetch() == clone.cache / NAME
    assert (clone.cache / NAME).read_bytes() == CONTENTS


def test_offline(clone: Clone) -> None:
    says = clone.refusal(HF_HUB_OFFLINE="1")
    assert re.search(r"HF_HUB_OFFLINE forbids.*unset it, or download http\S+ by hand into", says)
    assert clone.hub.asked == []
    clone.fetch()
    clone.hub.asked.clear()
    assert clone.fetch(HF_HUB_OFFLINE="1") == clone.cache / NAME
    assert clone.hub.asked == []


@pytest.mark.parametrize("missing", ["repository", "revision", "file"])
@pytest.mark.parametrize("token", ["", TOKEN])
def test_what_is_not_there(clone: Clone, missing: str, token: str) -> None:
    """To those who may read it; a stranger is not told whether a repository is there."""
    if missing == "repository":
        clone.pin("0" * 40, "nobody/nothing")
    elif missing == "revision":
        clone.pin("0" * 40)
    else:
        clone.pin(clone.hub.commit("somebody/empty", {"README.md": b""}), "somebody/empty")
    says = clone.refusal(HF_TOKEN=token)
    hidden = missing == "repository" and not token
    assert ("is private, or not there" if hidden else "there is no http") in says
    assert re.search("; check RESTORATION_HUB_REPO, or (run `hf auth login`|update this project)", says)
    assert clone.downloads() == []


def test_a_private_repository(clone: Clone) -> None:
    clone.hub.private.add(REPO)
    assert re.search("private.*run `hf auth login` with an account", clone.refusal())
    assert clone.fetch(HF_TOKEN=TOKEN).read_bytes() == CONTENTS


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (401, "run `hf auth login`"),
        (403, "run `hf auth login`"),
        (429, r"\(.*429.*\); try again, or download http.* by hand into"),
        (500, r"\(.*500.*\); try again, or download http.* by hand into"),
        ("cut", "try again, or download http.* by hand into"),
        ("wrong", "is another file .*update this project, or report it"),
    ],
)
def test_a_download_that_fails(clone: Clone, how: Literal[401, 403, 429, 500, "cut", "wrong"], says: str) -> None:
    """What is left of it is never taken for weights, and does not spoil the next."""
    clone.hub.how = how
    assert re.search(says, clone.refusal())
    clone.refusal(HF_HUB_OFFLINE="1")
    clone.hub.how = "well"
    assert clone.fetch().read_bytes() == CONTENTS


def test_a_hub_that_cannot_be_reached(clone: Clone) -> None:
    says = clone.refusal(HF_ENDPOINT="http://127.0.0.1:9")
    assert re.search(r"127\.0\.0\.1 cannot be reached.*try again, or download http\S+ by hand into", says)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used(clone: Clone, proxy: str) -> None:
    assert re.search(r"could not be fetched .*; check .*HTTPS_PROXY and ALL_PROXY", clone.refusal(ALL_PROXY=proxy))


@pytest.fixture
def large(clone: Clone) -> bytes:
    """A release so large that the client writes it in pieces (of 10 MiB)."""
    contents = random.Random(0).randbytes(25 * 2**20)
    clone.describe(NAME, sha256=hashlib.sha256(contents).hexdigest(), size=len(contents))
    clone.pin(clone.hub.commit(REPO, {NAME: contents}))
    return contents


def stalled(clone: Clone, running: subprocess.Popen[str]) -> None:
    """Wait until a download holds 20 MiB and gets no more."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if any(path.stat().st_size == 20 * 2**20 for path in clone.cache.glob("*")):
            return
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    raise AssertionError(f"only {list(clone.cache.glob('*'))} after a minute")


def test_a_killed_download_starts_again(clone: Clone, large: bytes) -> None:
    clone.hub.how, clone.hub.after = "slow", 22 * 2**20
    running = clone.start(FIND, NAME)
    stalled(clone, running)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    clone.hub.go.set()
    clone.hub.how = "well"
    clone.refusal(HF_HUB_OFFLINE="1")
    assert clone.fetch().read_bytes() == large
    assert [each.name for each in clone.cache.glob("*.incomplete")] == []


def test_two_at_once(clone: Clone, large: bytes) -> None:
    """The second waits for what the first brings."""
    clone.hub.how, clone.hub.after = "slow", 22 * 2**20
    first = clone.start(FIND, NAME)
    stalled(clone, first)
    second = clone.start(f"print('ready', flush=True)\n{FIND}", NAME)
    assert second.stdout is not None
    assert second.stdout.readline() == "ready\n"
    time.sleep(2)  # it has imported the client, and looked for the file
    clone.hub.go.set()
    for running in (first, second):
        assert json.loads(running.communicate(timeout=60)[0]) == {"path": str(clone.cache / NAME)}
    assert (clone.cache / NAME).read_bytes() == large
    assert len(clone.downloads()) == 1


@pytest.fixture
def read_only(clone: Clone) -> Iterator[Path]:
    """A home for the client with a download in it, where nothing can be written."""
    clone.fetch()
    home = clone.folder / "read_only"
    if os.geteuid() != 0:
        shutil.copytree(clone.folder / "home", home)
        for path in (home, *home.rglob("*")):
            path.chmod(0o500 if path.is_dir() else 0o400)
        yield home
        for path in (home, *home.rglob("*")):
            path.chmod(0o700)
        return
    home.mkdir()  # permissions do not bind root, but a file system does
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(home)], capture_output=True).returncode:
        pytest.skip("root can write everywhere, and mount nothing")
    try:
        shutil.copytree(clone.folder / "home", home, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
        yield home
    finally:
        subprocess.run(["umount", str(home)], check=True)


def test_a_read_only_cache(clone: Clone, read_only: Path) -> None:
    """What it holds serves; what it lacks cannot be added."""
    clone.hub.asked.clear()
    assert clone.fetch(HF_HOME=str(read_only)).is_relative_to(read_only)
    assert clone.hub.asked == []
    clone.pin(clone.hub.commit(REPO, {"gan.safetensors": b"new"}))
    clone.describe("gan.safetensors", sha256=hashlib.sha256(b"new").hexdigest(), size=3)
    says = clone.refusal("gan.safetensors", HF_HOME=str(read_only))
    assert re.search(r"cannot be kept in \S+ \(.+\); set HF_HOME to a folder that can be written", says)


def test_a_cache_that_cannot_be_made(clone: Clone) -> None:
    (clone.folder / "file").touch()
    assert "set HF_HOME to a folder that can be written" in clone.refusal(HF_HOME=str(clone.folder / "file"))


def test_another_repository(clone: Clone) -> None:
    """RESTORATION_HUB_REPO: its newest files, or those of a revision; they must be the released ones all the same."""
    good = clone.hub.commit(OTHER, {NAME: CONTENTS})
    assert clone.fetch(RESTORATION_HUB_REPO=OTHER).read_bytes() == CONTENTS
    assert [each.path for each in clone.downloads()] == [f"/{OTHER}/resolve/main/{NAME}"]
    (clone.cache / NAME).unlink()
    clone.hub.commit(OTHER, {NAME: CONTENTS[::-1]})
    assert "is another file" in clone.refusal(RESTORATION_HUB_REPO=OTHER)
    assert clone.fetch(RESTORATION_HUB_REPO=f"{OTHER}@{good}").read_bytes() == CONTENTS
    assert clone.downloads()[-1].path == f"/{OTHER}/resolve/{good}/{NAME}"


@pytest.mark.parametrize("contents", [b"short", CONTENTS + b"more"], ids=["shorter", "longer"])
def test_a_file_of_another_length(clone: Clone, contents: bytes) -> None:
    """However often it is tried, it is the wrong one."""
    clone.hub.commit(OTHER, {NAME: contents})
    for _ in range(2):
        assert "is another file" in clone.refusal(RESTORATION_HUB_REPO=OTHER)
    assert clone.fetch().read_bytes() == CONTENTS


def test_it_serves_where_nothing_is_pinned(clone: Clone) -> None:
    clone.change(hub={})
    assert "restore it with `git checkout weights`" in clone.refusal()
    clone.hub.commit(OTHER, {NAME: CONTENTS})
    assert clone.fetch(RESTORATION_HUB_REPO=OTHER).read_bytes() == CONTENTS


@pytest.mark.parametrize("repo", ["some body/lab", "a/b/c", "a--b/lab", "@main"])
def test_a_repository_that_is_none(clone: Clone, repo: str) -> None:
    assert "set RESTORATION_HUB_REPO to USER/NAME" in clone.refusal(RESTORATION_HUB_REPO=repo)
    assert clone.hub.asked == []


def test_the_authors_release_comes_after_the_hub(clone: Clone) -> None:
    """And is not told the user's token."""
    contents = random.Random(1).randbytes(20000)
    with Hub() as release:
        release.plain[f"/releases/{BORROWED}"] = contents
        url = f"{release.url}/releases/{BORROWED}"
        clone.describe(BORROWED, sha256=hashlib.sha256(contents).hexdigest(), size=len(contents), url=url, also={})
        assert clone.fetch(BORROWED, HF_TOKEN=TOKEN).read_bytes() == contents
        assert [each.token for each in clone.hub.asked] == [TOKEN]
        assert release.asked
        assert {each.token for each in release.asked} == {None}

        (clone.cache / BORROWED).unlink()
        release.asked.clear()
        clone.pin(clone.hub.commit(REPO, {BORROWED: contents}))
        assert clone.fetch(BORROWED, HF_TOKEN=TOKEN).read_bytes() == contents
        assert release.asked == []
        assert {each.token for each in clone.hub.asked if each.path.startswith("/cdn/")} == {None}

        (clone.cache / BORROWED).unlink()
        clone.hub.asked.clear()
        clone.pin(clone.hub.commit(REPO, {NAME: CONTENTS}), files=[NAME])  # the Hub is known not to have it
        assert clone.fetch(BORROWED, HF_TOKEN=TOKEN).read_bytes() == contents
        assert clone.hub.asked == []

        (clone.cache / BORROWED).unlink()
        clone.hub.how = release.how = 404
        assert f"there is no {url}" in clone.refusal(BORROWED)
