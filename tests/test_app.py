"""The app's entry: its options, and what there is once it is imported."""

from __future__ import annotations

import inspect
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import torch
from gradio_client import Client

from benchmarks.serving import serve
from deploy.process import free_port
from tests.conftest import EXAMPLES, ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT)


def test_help_lists_every_option_and_imports_nothing_heavy() -> None:
    import app

    done = run("-X", "importtime", "app.py", "--help")
    assert done.returncode == 0
    options = [f"--{name.replace('_', '-')}" for name in inspect.signature(app.launch).parameters]
    assert len(options) >= 7
    for option in [*options, "--no-share", "auto|cpu|cuda|mps"]:
        assert option in done.stdout
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"torch", "gradio", "ui", "skimage"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--device", "tpu"], "'tpu' is not one of 'auto', 'cpu', 'cuda', 'mps'"),
        (["--queue-size", "0"], "'--queue-size'"),
        (["--max-pixels", "100"], "'--max-pixels'"),
        (["--gpu"], "No such option: --gpu"),
        (["--votes", "README.md"], "Error: Invalid value for --votes: Votes cannot be kept in README.md ("),
        pytest.param(
            ["--device", "cuda"],
            "Error: Invalid value for --device: There is no CUDA GPU here; use the device cpu or auto.\n",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here"),
        ),
    ],
)
def test_a_wrong_option_is_one_clear_sentence(arguments: list[str], says: str) -> None:
    done = run("app.py", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_the_app_is_there_once_it_is_imported() -> None:
    """As hosts such as Spaces want it."""
    import app

    assert app.demo.title == "Restoration Lab"
    assert app.demo.delete_cache == (60, 3000)
    assert not app.demo.analytics_enabled


def test_whatever_runs_a_network_waits_for_its_turn() -> None:
    import app

    named = {each.api_name: each for each in app.demo.fns.values() if each.concurrency_id == "network"}
    assert {"restore", "degrade", "compare", "upscale", "sweep", "sample"} <= set(named)
    assert {each.concurrency_limit for each in named.values()} == {1}


@pytest.mark.slow
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_asked_to_though_networks_are_at_work(asked: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
    command = [sys.executable, "app.py", "--port", str(free_port())]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    ) as process:  # fmt: skip
        assert process.stdout
        assert " is open: " in process.stdout.readline()  # as every network is being loaded and run once
        process.send_signal(asked)
        process.send_signal(asked)  # an impatient one
        assert process.wait(60) == 0
        assert process.stdout.read() == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_it_works_where_little_is_as_usual(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A locale of ASCII alone, no home, no folder for temporary files, and a folder with a name that is not English."""
    checkout = tmp_path / "dossier été"
    for name in ("ui", "restoration", "weights", "assets"):
        shutil.copytree(ROOT / name, checkout / name)
    for name in ("app.py", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    odd = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOME": "/proc/no", "TMPDIR": "/proc/no"}
    for variable, value in odd.items():
        monkeypatch.setenv(variable, value)
    with serve(tmp_path, checkout=checkout, mcp=False) as url:
        for name in ("été 東京 #1 50%.jpg", f"{'東' * 100}.jpg"):
            files = {"files": (name, (EXAMPLES / "coffee.jpg").read_bytes())}
            (path,) = httpx.post(f"{url}/gradio_api/upload", files=files).json()
            (restored, *_) = Client(url, verbose=False, download_files=tmp_path).predict(
                {"path": path, "meta": {"_type": "gradio.FileData"}}, api_name="/restore"
            )
            assert Path(restored).read_bytes().startswith(b"\x89PNG")
