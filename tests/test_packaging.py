"""`pip install .` brings the library, the command and the weights into any environment, and nothing beside them."""

from __future__ import annotations

import os
import re
import site
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path
from zipfile import Path as ZipPath
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from restoration import image, metrics
from tests.conftest import EXAMPLES, ROOT

LARGEST = 25_000_000
"""Bytes of a wheel."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", target, ROOT]
    subprocess.run(pip, check=True)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh one with the wheel, which is lent what it needs by this one: not the checkout, to which a .pth leads."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", folder / "bin" / "python"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", wheel], check=True)
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "lent.pth").write_text("".join(f"{lent}\n" for lent in site.getsitepackages()))
    return folder


def run(environment: Path, folder: Path, *arguments: str | Path) -> str:
    """What the installed command says, in ``folder``."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [environment / "bin" / "restoration", *arguments]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_holds_one_package_and_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= LARGEST
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"restoration", "restoration_lab"}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "restoration").rglob("*.py")} <= names
    released = {name.partition("restoration/weights/released/")[2] for name in names} - {""}
    assert released == {path.name for path in (ROOT / "weights").iterdir() if path.suffix != ".pth"}


@pytest.mark.slow
def test_it_requires_what_a_space_is_told_to_install(wheel: Path) -> None:
    """By the build's own reading of pyproject.toml; requirements.txt adds the app's."""

    def read(lines: list[str]) -> set[tuple[str, str, str, str]]:
        found = [Requirement(line.partition("  #")[0].removesuffix("; extra == 'app'")) for line in lines]
        return {(canonicalize_name(each.name), *map(str, (each.extras, each.specifier, each.marker))) for each in found}

    (information,) = (path for path in ZipPath(wheel).iterdir() if path.name.endswith(".dist-info"))
    required = PathDistribution(information).requires or []
    told = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert read([line for line in required if "extra ==" not in line or line.endswith("extra == 'app'")]) == read(told)


@pytest.mark.slow
def test_its_command_restores_a_photo_far_from_any_checkout(environment: Path, tmp_path: Path) -> None:
    models = run(environment, tmp_path, "models")
    for model in ("vae", "gan", "cnn"):
        assert re.search(rf"^{model} .* {environment}/\S+/{model}\.safetensors ", models, re.MULTILINE), models
    run(environment, tmp_path, "degrade", EXAMPLES / "coffee.jpg", "-o", "bad.png", "--gaussian", "0.1", "--lines", "3")
    run(environment, tmp_path, "restore", "bad.png", "-o", "new.png", "--upscale", "4")
    truth = image.fit(image.load(EXAMPLES / "coffee.jpg"))
    bad, new, large = (image.load(tmp_path / name) for name in ("bad.png", "new.png", "new_x4.png"))
    assert metrics.compare(new, truth).psnr > metrics.compare(bad, truth).psnr + 2
    assert large.pixels.shape == (512, 512, 3)


def test_python_versions_are_said_alike() -> None:
    def read(name: str) -> str:
        return (ROOT / name).read_text(encoding="utf-8")

    pyproject, makefile = read("pyproject.toml"), read("Makefile")
    minors = [int(minor) for minor in re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', pyproject)]
    first, last = minors[0], minors[-1]
    assert minors == list(range(first, last + 1))
    assert f'requires-python = ">=3.{first},<3.{last + 1}"' in pyproject
    assert f"(3, {first}) <= sys.version_info < (3, {last + 1})" in makefile
    tried = re.search(r"python: \[(.+)\]", read(".github/workflows/test.yml"))
    assert tried
    assert tried[1] == ", ".join(f'"3.{minor}"' for minor in minors)
    for text in (makefile, read("README.md"), read("CONTRIBUTING.md")):
        assert set(re.findall(r"Python (3\.\d+ to 3\.\d+)", text)) == {f"3.{first} to 3.{last}"}
