"""The project's address is written in one place; README and the notebook follow."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import address
from restoration.weights import manifest
from tests.conftest import ROOT

REPOSITORY = "https://github.com/somebody/their-lab"
SPACE = "https://huggingface.co/spaces/somebody/lab"
HUB = {
    "repo": "somebody/weights",
    "revision": "0123456789abcdef0123456789abcdef01234567",
    "files": ["vae.safetensors", "realesr-general-x4v3.pth"],
}
PUBLISHED = f'[project.urls]\nrepository = "{REPOSITORY}"\nspace = "{SPACE}"\n'


def test_the_files_say_what_they_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["address", "--check"])
    address.main()


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files that matter, which `address` takes for the project."""
    for name in ("README.md", "pyproject.toml", "requirements.txt", "weights/manifest.json", address.NOTEBOOK):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(address, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["address"])
    return tmp_path


def publish(copy: Path, urls: str = PUBLISHED) -> None:
    """What somebody does who publishes the project."""
    path = copy / "pyproject.toml"
    path.write_text(re.sub(r"\[project\.urls\]\n.*?\n\n", f"{urls}\n", path.read_text(), flags=re.DOTALL))
    path = copy / "weights" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "hub": HUB}))


def unpublish(copy: Path) -> None:
    publish(copy, "[project.urls]\n")
    path = copy / "weights" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "hub": {}}))


def front_matter(readme: str) -> dict[str, Any]:
    block = re.match(r"---\n(.*?)\n---\n\n# ", readme, re.DOTALL)
    assert block
    return yaml.safe_load(block[1])


def test_unpublished_nothing_points_to_anybody(copy: Path) -> None:
    unpublish(copy)
    address.main()
    readme = (copy / "README.md").read_text()
    assert "<!-- make-address -->\n<!-- /make-address -->" in readme
    assert "\n    git clone … && cd restoration-lab\n" in readme
    assert (front_matter(readme)["models"], front_matter(readme)["preload_from_hub"]) == ([], [])
    assert r'"REPOSITORY = \"\"\n"' in (copy / address.NOTEBOOK).read_text()


def test_published_everything_leads_there(copy: Path) -> None:
    publish(copy)
    before = json.loads((copy / address.NOTEBOOK).read_text())
    address.main()
    readme = (copy / "README.md").read_text()
    marked = readme.split("<!-- make-address -->")[1].split("<!-- /make-address -->")[0]
    assert f"]({SPACE})\n" in marked
    assert "](https://colab.research.google.com/github/somebody/their-lab/blob/main/" in marked
    assert (ROOT / marked.split("/blob/main/")[1].split(")")[0]).is_file()
    assert f"\n    git clone {REPOSITORY} && cd their-lab\n" in readme
    assert front_matter(readme)["models"] == ["somebody/weights"]
    assert front_matter(readme)["preload_from_hub"] == [f"somebody/weights realesr-general-x4v3.pth {HUB['revision']}"]
    text = (copy / address.NOTEBOOK).read_text()
    after = json.loads(text)
    lines = [line for cell in after["cells"] for line in cell["source"]]
    assert [line for cell in before["cells"] for line in cell["source"]] == [
        'REPOSITORY = ""\n' if line.startswith("REPOSITORY = ") else line for line in lines
    ]
    assert f'REPOSITORY = "{REPOSITORY}"\n' in lines
    assert len(text) - len((ROOT / address.NOTEBOOK).read_text()) == len(REPOSITORY)  # its formatting is kept
    unpublish(copy)
    address.main()
    for name in ("README.md", address.NOTEBOOK):
        assert (copy / name).read_text() == (ROOT / name).read_text()


def test_what_was_not_published_is_not_preloaded() -> None:
    """A Space that asks for it would not be built."""
    text = address.front_matter("gradio==6.0.0\n", {**HUB, "files": ["vae.safetensors"]})
    assert front_matter(f"{text}\n# ")["preload_from_hub"] == []


def test_what_is_preloaded_is_in_the_manifest() -> None:
    assert set(address.PRELOADED) <= set(manifest())


@pytest.mark.parametrize("name", ["README.md", address.NOTEBOOK])
def test_a_stale_file_is_noticed(copy: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    publish(copy)
    address.main()
    (copy / name).write_text((copy / name).read_text().replace(REPOSITORY, "https://github.com/another/lab"))
    monkeypatch.setattr("sys.argv", ["address", "--check"])
    with pytest.raises(SystemExit, match=name):
        address.main()


def test_front_matter_is_what_a_space_wants() -> None:
    readme = (ROOT / "README.md").read_text()
    found = front_matter(readme)
    assert f"gradio[mcp]=={found['sdk_version']}" in (ROOT / "requirements.txt").read_text()
    assert found["title"] == re.search(r"^# (.+)$", readme, re.MULTILINE)[1]  # type: ignore[index]
    assert (ROOT / found["app_file"]).is_file()
    assert (found["sdk"], found["python_version"], found["license"]) == ("gradio", "3.12", "mit")
    assert len(found["short_description"]) <= 60
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {found["colorFrom"], found["colorTo"]} <= colours
    assert len(found["emoji"]) == 1


@pytest.mark.parametrize(
    "line",
    [
        'repository = "https://gitlab.com/somebody/lab"',
        'repository = "https://github.com/somebody"',
        'repository = "https://github.com/somebody/lab.git"',
        "repository = 'https://github.com/somebody/lab'",
        'space = "https://huggingface.co/somebody/lab"',
        'homepage = "https://github.com/somebody/lab"',
        'repository = ""',
    ],
)
def test_an_address_that_leads_nowhere_is_refused(line: str) -> None:
    with pytest.raises(SystemExit, match=r"write repository = .*https://github.com/USER/NAME"):
        address.urls(f"[project.urls]\n{line}\n[tool.x]\n")


def test_a_lost_mark_is_noticed(copy: Path) -> None:
    path = copy / "README.md"
    path.write_text(path.read_text().replace("<!-- make-address -->\n", ""))
    with pytest.raises(SystemExit, match=r"README\.md must have one place for .*make-address"):
        address.main()


def test_without_a_pin_of_gradio_there_is_no_space(copy: Path) -> None:
    with pytest.raises(SystemExit, match=r"requirements\.txt pins no Gradio"):
        address.front_matter("gradio>=6\n", {})
