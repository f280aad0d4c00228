"""`python -m deploy.requirements`: requirements.txt, and one file each for ZeroGPU and Colab, from pyproject.toml.

They are for Spaces and Colab, which read such files and no pyproject.toml. With ``--check`` nothing is written: it
fails where a file does not say what pyproject.toml says.
"""

from __future__ import annotations

import re
from pathlib import Path

from deploy.generated import ROOT, write_or_check

BUILT = ("basicsr", "realesrgan")
"""pip builds them from source, for minutes, and fetches PyTorch once more to do so; spandrel takes their place."""

HEADS = {
    "requirements.txt": "# What the app, the command line and the library need.\n",
    "requirements-zerogpu.txt": """\
# What a Space needs on ZeroGPU: `make space ZEROGPU=1` puts this in the place of requirements.txt. Without basicsr and
# realesrgan, which would be built first, for minutes.
""",
    "requirements-colab.txt": """\
# What Google Colab lacks: requirements.txt without PyTorch, which Colab has, and with spandrel in the place of basicsr
# and realesrgan, which would be built from source and fetch PyTorch once more to do so. The notebook installs it.
""",
}
WRITTEN = "# Written by `make requirements`, from pyproject.toml."


def listed(pyproject: str, name: str) -> dict[str, str]:
    """The list ``name`` in the text of pyproject.toml, as lines of requirements by the package.

    Text, because the reasons are comments, which a parser of TOML drops.
    """
    found = {}
    for line in pyproject.partition(f"\n{name} = [\n")[2].partition("\n]")[0].splitlines():
        entry = re.fullmatch(r' {4}"(([\w-]+)[^"]*)",(  # .+)?', line)
        if not entry:
            raise SystemExit(f'{name} in pyproject.toml cannot say {line!r}; write     "PACKAGE>=1",  # WHY')
        found[entry[2]] = f"{entry[1]}{entry[3] or ''}"
    return found


def written() -> dict[Path, str]:
    """The files as they should be."""
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    usual = {**listed(pyproject, "dependencies"), **listed(pyproject, "app")}
    unbuilt = {package: line for package, line in usual.items() if package not in BUILT}
    unbuilt["spandrel"] = re.sub(r";[^#]*(?=  #)", "", unbuilt["spandrel"])
    lines = {
        "requirements.txt": usual,
        "requirements-zerogpu.txt": {**unbuilt, **listed(pyproject, "zerogpu")},
        "requirements-colab.txt": {name: unbuilt[name] for name in unbuilt if name not in ("torch", "torchvision")},
    }
    return {ROOT / name: "\n".join([f"{HEADS[name]}{WRITTEN}", *lines[name].values(), ""]) for name in HEADS}


def main() -> None:
    write_or_check(written(), ROOT, "run `make requirements`")


if __name__ == "__main__":
    main()
