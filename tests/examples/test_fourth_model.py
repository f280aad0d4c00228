"""A stranger's model goes from a file to a served result, and away again, by its page's own commands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving import serve
from restoration import image
from tests.conftest import EXAMPLES, ROOT

PAGE = ROOT / "examples" / "fourth_model" / "README.md"
ADDRESS = "http://127.0.0.1:7860"
SERVING = ".venv/bin/python app.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of what lies here, with the environment of this one."""
    clone = tmp_path / "lab"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "As it is"]):
        subprocess.run([*git, *command], cwd=clone, check=True)
    (clone / ".venv").symlink_to(sys.prefix)
    return clone


def blocks() -> dict[str, list[str]]:
    """The page's commands, in order, by the heading that they stand under."""
    _, *rest = re.split(r"^## (.+)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        heading: re.findall(r"^    (\S.*)$", text, flags=re.MULTILINE)
        for heading, text in zip(rest[::2], rest[1::2], strict=True)
    }


@pytest.mark.slow
def test_the_page_holds_word_for_word(checkout: Path, tmp_path: Path) -> None:
    def run(command: str) -> str:
        done = subprocess.run(["bash", "-c", command], cwd=checkout, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    files, training, away = blocks().values()
    for command in files:
        run(command)
    served = training.index(SERVING)
    told = {command: run(command) for command in training[:served]}
    assert "U-Net" in told[".venv/bin/python -m restoration models"]
    results = checkout / "runs" / "unet"
    scores = json.loads((results / "quality.json").read_text(encoding="utf-8"))["conditions"]["original"]["scores"]
    assert {"vae", "gan", "cnn", "unet"} < set(scores)
    restored = image.load(results / "friends.png", reduce_to=None)
    given = image.load(EXAMPLES / "friends.jpg", reduce_to=None)
    assert restored.pixels.shape == given.pixels.shape
    assert not np.array_equal(restored.pixels, given.pixels)
    assert "unet" in "".join(path.name for path in (results / "compared").iterdir())

    with serve(tmp_path, checkout=checkout) as address:
        (asking,) = training[served + 1 :]
        assert ADDRESS in asking
        path = run(asking.replace(ADDRESS, address)).split()[-1]
    assert np.array_equal(image.load(Path(path), reduce_to=None).pixels, restored.pixels)

    for command in away:
        run(command)
    assert (
        run("git status --porcelain --ignored runs restoration train weights benchmarks | grep -v __pycache__ || true")
        == ""
    )
