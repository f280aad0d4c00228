"""`python -m deploy.space`: out/space, the folder that is pushed to a Hugging Face Space."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from deploy.address import SPACES, urls
from deploy.generated import ROOT

SPACE = ROOT / "out" / "space"
PARTS = (
    *("app.py", "ui", "restoration", "weights"),
    *("assets", "benchmarks/results", "benchmarks/RESULTS.md", "pyproject.toml"),  # what About and README show
    *("README.md", "docs", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE"),
    "requirements.txt",
)
ZEROGPU = "requirements-zerogpu.txt"
LIMIT = 200_000_000
"""Bytes; the folder has a tenth of them."""


def files() -> list[Path]:
    """The files of `PARTS` that git tracks."""
    command = ["git", "ls-files", "-z", "--", *PARTS]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit("A Space is made of the files that git tracks; run this in a git clone.") from error
    return [Path(name) for name in done.stdout.split("\0") if name]


def assemble(target: Path, *, zerogpu: bool = False) -> int:
    """Make ``target`` the folder, whatever it was before; returns its size in bytes."""
    sizes = {path: (ROOT / path).stat().st_size for path in files()}
    if sum(sizes.values()) > LIMIT:
        largest = max(sizes, key=lambda path: sizes[path])
        raise SystemExit(
            f"The Space would have {sum(sizes.values()) / 1e6:.0f} MB, and {LIMIT / 1e6:.0f} are the most; "
            f"make {largest} smaller ({sizes[largest] / 1e6:.0f} MB), or fetch it from the Hub."
        )
    shutil.rmtree(target, ignore_errors=True)
    for path in sizes:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target / path)
    if zerogpu:
        shutil.copyfile(ROOT / ZEROGPU, target / "requirements.txt")
    return sum(sizes.values())


def main(zerogpu: Annotated[bool, typer.Option("--zerogpu", help="For a Space on ZeroGPU.")] = False) -> None:
    """Assemble out/space."""
    size = assemble(SPACE, zerogpu=zerogpu)
    named = urls((ROOT / "pyproject.toml").read_text(encoding="utf-8")).get("space", "USER/NAME")
    folder = SPACE.relative_to(ROOT)
    typer.echo(f"{folder}: {size / 1e6:.1f} MB. To push it, once you have run `.venv/bin/hf auth login`:")
    typer.echo(f".venv/bin/hf upload {named.removeprefix(SPACES)} {folder} . --repo-type space")


if __name__ == "__main__":
    typer.run(main)
