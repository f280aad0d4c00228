"""What README and docs/api.md tell to copy and paste does run, against the running app."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from restoration import image
from tests.conftest import EXAMPLES, ROOT

ADDRESS = "http://127.0.0.1:7860"


def block(page: str, section: str, language: str) -> str:
    """The one block of code in ``language`` under the heading ``section`` of ``page``."""
    whole = (ROOT / page).read_text(encoding="utf-8")
    (text,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", whole, re.M | re.S)
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the photos are that it names."""
    for name in ("a.jpg", "old.jpg"):
        shutil.copy(EXAMPLES / "coffee.jpg", tmp_path / name)
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_in_python(folder: Path) -> None:
    printed = run([sys.executable, "-c", block("README.md", "In Python", "python")], folder)
    assert printed.startswith("Metrics(psnr=")
    whole, large = (image.load(folder / name, reduce_to=None) for name in ("whole.jpg", "large.png"))
    assert (whole.width, large.width) == (600, 1200)


def test_from_python_over_http(url: str, folder: Path) -> None:
    code = block("docs/api.md", "From Python", "python")
    assert ADDRESS in code
    *_, first, second = run([sys.executable, "-c", code.replace(ADDRESS, url)], folder).splitlines()
    assert first.endswith("enlarged.png fast")  # the tests reach no network, so auto has to do with fast
    compared = ast.literal_eval(second)
    assert list(compared) == ["vae", "gan", "cnn"]
    assert all(Path(path).is_file() and psnr > 10 for path, psnr in compared.values())


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="needs curl and bash")
def test_from_a_shell(url: str, folder: Path) -> None:
    code = block("docs/api.md", "From a shell", "sh")
    assert ADDRESS in code
    told = run(["bash", "-c", code.replace(ADDRESS, url)], folder)
    assert told.startswith("event: complete")
    restored, enlarged, report = json.loads(told.partition("data: ")[2])
    assert httpx.get(restored["url"]).content.startswith(b"\x89PNG")
    assert enlarged is None
    assert list(report["recipe"]["models"]) == ["vae"]


def test_the_configuration_of_the_tools_leads_to_them(url: str) -> None:
    servers = json.loads(block("docs/api.md", "As tools of a language model (MCP)", "json"))["mcpServers"]
    assert servers["restoration-lab"]["url"].startswith(f"{ADDRESS}/")
    page = httpx.get(servers["restoration-lab"]["url"].replace(ADDRESS, url))
    assert "Model Context Protocol" in page.text
    command = [str(Path(sys.executable).with_name("gradio")), *servers["upload"]["args"]]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=60)  # serves until its input ends
