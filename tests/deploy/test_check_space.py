"""The check of a Space's folder finds what would go wrong there. The whole of it runs in CI, after the tests."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import gradio as gr
import pytest

from deploy import check_space
from tests.conftest import EXAMPLES

Python = tuple[Path, Mapping[str, str]]

SERVER = """
import os, sys
from http.server import HTTPServer, SimpleHTTPRequestHandler
print(f"http://{HOST}", flush=True)
WORK
HTTPServer((HOST, int(os.environ["GRADIO_SERVER_PORT"])), SimpleHTTPRequestHandler).serve_forever()
"""
"""An app as simple as can be, which serves its folder."""


REPORT = """
import json
home = os.environ["HOME"]
rights = [os.access(folder, os.W_OK) for folder in (".", home)]
print(json.dumps([os.getuid(), os.listdir(home), rights, "SECRET" in os.environ, sys.prefix]), flush=True)
"""


@pytest.fixture(scope="module")
def python() -> Iterator[Python]:
    with check_space.workplace() as folder:
        yield check_space.interpreter(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    with check_space.workplace() as found:
        (found / "space").mkdir()
        yield found


def app(folder: Path, work: str = "", host: str = "0.0.0.0") -> tuple[Path, Path]:
    """The folders of an app that does ``work`` when it starts."""
    (folder / "space" / "app.py").write_text(SERVER.replace("HOST", repr(host)).replace("WORK", work))
    return folder / "space", folder


def test_the_app_runs_alone(python: Python, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as root, with its own folder to read, its HOME empty, and with nothing of the developer's environment."""
    monkeypatch.setenv("SECRET", "1")
    with check_space.running(*python, *app(folder, REPORT)) as address:
        assert address.startswith("http://127.0.0.1:")
    user, files, rights, secret, prefix = json.loads((folder / "log").read_text().splitlines()[1])
    assert user == (check_space.NOBODY if os.geteuid() == 0 else os.geteuid())
    assert (files, rights, secret) == ([], [False, True], False)
    assert prefix == str(python[0].parent.parent)
    with pytest.raises(OSError, match="refused"):
        check_space.urlopen(address)


def test_an_app_that_dies_is_told_with_its_log(python: Python, folder: Path) -> None:
    with (
        pytest.raises(SystemExit, match=r"does not start from (.|\n)*No module named 'missing'"),
        check_space.running(*python, *app(folder, "import missing")),
    ):
        pass


def test_an_app_for_this_machine_alone_is_refused(
    python: Python, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_space, "restore", lambda *_: 0)
    with pytest.raises(SystemExit, match=r"does not listen on 0\.0\.0\.0"):
        check_space.check(*python, *app(folder, host="127.0.0.1"))


def test_an_app_that_changes_its_folder_is_refused(
    python: Python, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_space, "restore", lambda *_: (folder / "space" / "app.py").touch())
    with pytest.raises(SystemExit, match="wrote into its own folder"):
        check_space.check(*python, *app(folder))


def test_an_app_that_gives_the_photo_back_has_restored_nothing(tmp_path: Path) -> None:
    from restoration import image

    given = tmp_path / "given.png"
    given.write_bytes(image.encode(image.fit(image.load(EXAMPLES / "coffee.jpg"))))
    with gr.Blocks() as demo:
        named = {"photo": gr.File(), "model": gr.Textbox()}
        gr.Button().click(lambda photo, model: (photo, model), [*named.values()], [*named.values()], api_name="restore")
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True)
    try:
        with pytest.raises(SystemExit, match="restored nothing"):
            check_space.restore(address, given, tmp_path)
    finally:
        demo.close()


def test_a_requirement_that_there_is_not_is_told(python: Python, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (folder / "requirements.txt").write_text("./nowhere\n")
    with pytest.raises(SystemExit, match=r"requirements\.txt cannot be installed"):
        check_space.install(*python, folder / "requirements.txt", folder / "venv")


def test_nothing_stays() -> None:
    with check_space.workplace() as folder:
        (folder / "locked").mkdir()
        (folder / "locked" / "file").write_text("")
        subprocess.run(["chmod", "-R", "a-w", str(folder / "locked")], check=True)
    assert not folder.exists()
