"""A Hugging Face Hub on 127.0.0.1: what the real client asks for in a download and in a commit, well or badly."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

TOKEN = "hf_right"
LARGE = (".safetensors", ".pth")  # kept outside git, and served by another host, a CDN
Files = dict[str, bytes]


class Request(NamedTuple):
    method: str
    path: str
    range: str | None
    token: str | None


class Hub(ThreadingHTTPServer):
    """A running server: ``repos`` with their commits, oldest first, and ``plain`` files at any other path.

    ``how`` is in what way it answers: well; with bodies that end (cut) or stall till ``go`` is set (slow) after
    ``after`` bytes, or are of the right length but wrong; or always with that status. ``asked`` is all it was asked,
    and ``made`` says how repositories were asked for.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.cdn = f"http://localhost:{self.server_port}/cdn"
        self.repos: dict[str, dict[str, Files]] = {}
        self.private: set[str] = set()
        self.plain: Files = {}
        self.large: dict[str, bytes] = {}
        self.how: Literal["well", "cut", "slow", "wrong", 401, 403, 404, 429, 500] = "well"
        self.after = 9000
        self.go = threading.Event()
        self.asked: list[Request] = []
        self.made: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Hub:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go.set()
        self.shutdown()
        self.server_close()

    def commit(self, repo: str, files: Files) -> str:
        """Put ``files`` into a repository, made where there is none; the new commit's 40 hex."""
        commits = self.repos.setdefault(repo, {})
        revision = hashlib.sha1(f"{repo} {len(commits)} {sorted(files)}".encode()).hexdigest()
        commits[revision] = {**next(reversed(commits.values()), {}), **files}
        self.large |= {_oids(file)["lfs"]: file for file in files.values()}
        return revision

    def environment(self, home: Path, **changed: str) -> dict[str, str]:
        """Of a process whose client asks this Hub alone, and has nothing of this user's."""
        own = ("HF_", "XDG_", "RESTORATION_")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(own)},
            "HF_HOME": str(home),
            "HF_ENDPOINT": self.url,
            "HF_HUB_DISABLE_TELEMETRY": "1",  # it asks the Hub of its own accord
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            **changed,
        }

    def newest(self, repo: str) -> Files:
        """The files of a repository's last commit."""
        return next(reversed(self.repos[repo].values()))


class Refused(Exception):
    """An answer without contents: its status and the Hub's name for it."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.answer(unquote(urlsplit(self.path).path))
        except Refused as refused:
            self.send(refused.args[0], b"", {"X-Error-Code": refused.args[1]})

    do_HEAD = do_POST = do_PUT = do_GET

    def answer(self, path: str) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        self.allowed = token == TOKEN
        self.server.asked.append(Request(self.command, path, self.headers.get("Range"), token))
        if isinstance(self.server.how, int):
            names = {401: "RepoNotFound", 403: "GatedRepo", 404: "EntryNotFound"} if "/resolve/" in path else {}
            raise Refused(self.server.how, names.get(self.server.how, ""))
        for pattern, answer in ROUTES.items():
            if found := re.fullmatch(pattern, f"{self.command} {path}"):
                if self.command == "POST" and not self.allowed:
                    raise Refused(401, "")
                return answer(self, *found.groups())
        if (name := path.removeprefix("/cdn")) not in self.server.plain:
            raise Refused(404, "")
        if name == path:  # as releases on GitHub are served
            return self.send(302, b"", {"Location": f"{self.server.cdn}{path}"})
        return self.send_file(self.server.plain[name], {})

    def resolve(self, repo: str, revision: str, name: str) -> None:
        commit, files = self.files_at(repo, revision)
        if name not in files:
            raise Refused(404, "EntryNotFound")
        oids, headers = _oids(files[name]), {"X-Repo-Commit": commit}
        if not name.endswith(LARGE):
            return self.send_file(files[name], {**headers, "ETag": f'"{oids["regular"]}"'})
        headers |= {"X-Linked-Size": str(len(files[name])), "X-Linked-ETag": f'"{oids["lfs"]}"'}
        return self.send(302, b"", {**headers, "Location": f"{self.server.cdn}/{oids['lfs']}"})

    def create(self) -> None:
        asked = json.loads(self.body)
        repo = f"{asked.pop('organization')}/{asked.pop('name')}"
        status = 409 if repo in self.server.repos else 200
        if status == 200:
            self.server.made[repo] = asked
            self.server.commit(repo, {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})
        self.say({"url": f"{self.server.url}/{repo}"}, status)

    def preupload(self, repo: str, revision: str) -> None:
        _, files = self.files_at(repo, revision)
        asked = json.loads(self.body)["files"]
        for each in asked:
            mode = "lfs" if each["path"].endswith(LARGE) else "regular"
            oid = _oids(files[each["path"]])[mode] if each["path"] in files else None
            each |= {"uploadMode": mode, "shouldIgnore": False, "oid": oid}
        self.say({"files": asked})

    def batch(self, _: str) -> None:
        objects: list[dict[str, Any]] = json.loads(self.body)["objects"]
        for each in objects:
            if each["oid"] not in self.server.large:
                each["actions"] = {"upload": {"href": f"{self.server.cdn}/{each['oid']}"}}
        self.say({"transfer": "basic", "objects": objects})

    def store(self, oid: str) -> None:
        self.server.large[oid] = self.body
        self.say({}, 200 if oid == _oids(self.body)["lfs"] else 400)

    def commit(self, repo: str, _: str) -> None:
        large, lines = self.server.large, [json.loads(line) for line in self.body.splitlines()]
        new = [line["value"] for line in lines if line["key"] != "header"]
        files = {v["path"]: large[v["oid"]] if "oid" in v else base64.b64decode(v["content"]) for v in new}
        made = self.server.commit(repo, files)
        self.say({"commitOid": made, "commitUrl": f"{self.server.url}/{repo}/commit/{made}"})

    def info(self, repo: str, revision: str) -> None:
        self.say({"id": repo, "sha": self.files_at(repo, revision or "main")[0]})

    def tree(self, repo: str, revision: str) -> None:
        _, files = self.files_at(repo, revision)
        told = ((name, len(file), _oids(file)["regular"]) for name, file in files.items())
        self.say([{"type": "file", "path": name, "size": size, "oid": oid} for name, size, oid in told])

    def files_at(self, repo: str, revision: str) -> tuple[str, Files]:
        """A commit and its files. A stranger does not learn whether a repository is there."""
        commits = self.server.repos.get(repo, {})
        if not commits or (repo in self.server.private and not self.allowed):
            raise Refused(404 if self.allowed else 401, "RepoNotFound")
        commit = next(reversed(commits)) if revision == "main" else revision
        if commit not in commits:
            raise Refused(404, "RevisionNotFound")
        return commit, commits[commit]

    def say(self, answer: dict[str, Any] | list[Any], status: int = 200) -> None:
        self.send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def send_file(self, contents: bytes, headers: dict[str, str]) -> None:
        contents, size = contents[::-1] if self.server.how == "wrong" else contents, len(contents)
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if start and start >= size:
            raise Refused(416, "")
        partly = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {"Accept-Ranges": "bytes"}
        self.send(206 if start else 200, contents[start:], {**headers, **partly})

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        body = b"" if self.command == "HEAD" else body
        held = self.server.how in ("cut", "slow") and len(body) > self.server.after
        self.wfile.write(body[: self.server.after] if held else body)
        if held and self.server.how == "slow" and self.server.go.wait(60):
            self.wfile.write(body[self.server.after :])
        self.close_connection = self.close_connection or held


def _oids(contents: bytes) -> dict[str, str]:
    """What names a file outside git, and inside."""
    in_git = b"blob %d\0" % len(contents) + contents
    return {"lfs": hashlib.sha256(contents).hexdigest(), "regular": hashlib.sha1(in_git).hexdigest()}


REPO = r"([\w.-]+/[\w.-]+)"
KIND = "(?:models|datasets)"
ROUTES: dict[str, Callable[..., None]] = {
    rf"(?:HEAD|GET) /(?:datasets/)?{REPO}/resolve/([^/]+)/(.+)": _Handler.resolve,
    r"(?:HEAD|GET) /cdn/(\w{64})": lambda handler, oid: handler.send_file(handler.server.large[oid], {}),
    rf"GET /api/{KIND}/{REPO}(?:/revision/([^/]+))?": _Handler.info,
    rf"GET /api/{KIND}/{REPO}/tree/([^/]+)": _Handler.tree,
    r"POST /api/repos/create": _Handler.create,
    r"POST /api/validate-yaml": lambda handler: handler.say({}),
    rf"POST /api/{KIND}/{REPO}/preupload/([^/]+)": _Handler.preupload,
    rf"POST /{REPO}\.git/info/lfs/objects/batch": _Handler.batch,
    r"PUT /cdn/(\w{64})": _Handler.store,
    rf"POST /api/{KIND}/{REPO}/commit/([^/]+)": _Handler.commit,
}
