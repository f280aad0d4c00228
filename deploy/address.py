"""`python -m deploy.address`: what the world knows the project by, in README and the notebook.

The addresses come from [project.urls] of pyproject.toml, the weights' repository from weights/manifest.json, Gradio's
version from requirements.txt. With ``--check`` nothing is written: it fails where a file does not say what they say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.generated import ROOT, write_or_check

NOTEBOOK = "notebooks/colab_demo.ipynb"
COLAB = "https://colab.research.google.com"
SPACES = "https://huggingface.co/spaces/"
PRELOADED = ("realesr-general-x4v3.pth",)
"""What a Space fetches when it is built and not when it is first asked: what enlarges photos there, on a CPU."""


def urls(pyproject: str) -> dict[str, str]:
    """The public addresses in the text of pyproject.toml, by their names: none until the project is published."""
    section = re.search(r"^\[project\.urls\]\n(.*?)(?=^\[|\Z)", pyproject, re.MULTILINE | re.DOTALL)
    found = {}
    for line in section[1].splitlines() if section else []:
        if not line.strip() or line.startswith("#"):
            continue
        entry = re.fullmatch(
            r'(repository) = "(https://github\.com/[\w.-]+/[\w.-]+?)(?<!\.git)"'
            rf'|(space) = "({SPACES}[\w.-]+/[\w.-]+)"',
            line,
        )
        if not entry:
            raise SystemExit(
                f"[project.urls] in pyproject.toml cannot say {line!r}; write repository = "
                '"https://github.com/USER/NAME" or space = "https://huggingface.co/spaces/USER/NAME" there.'
            )
        name, address = filter(None, entry.groups())
        found[name] = address
    return found


def front_matter(requirements: str, hub: Mapping[str, Any]) -> str:
    """How Hugging Face configures a Space, at the top of its README: with the version of Gradio that requirements.txt
    pins, and the repository of the weights, if there is one.
    """
    pin = re.search(r"^gradio(?:\[.*\])?==([\d.]+)", requirements, re.MULTILINE)
    if not pin:
        raise SystemExit("requirements.txt pins no Gradio, which a Space must name; write gradio==VERSION there.")
    models = [hub["repo"]] if hub else []
    names = [name for name in PRELOADED if name in hub.get("files", ())]  # a Space that misses one would not build
    preloaded = [f"{hub['repo']} {','.join(names)} {hub['revision']}"] if names else []
    template = Path(__file__).with_name("front_matter.md").read_text(encoding="utf-8")
    return template.format(gradio=pin[1], models=_listed(models), preloaded=_listed(preloaded))


def badges(found: Mapping[str, str]) -> str:
    """The pictures in README that open the Space and the notebook."""
    made = ""
    if space := found.get("space"):
        picture = "https://huggingface.co/datasets/huggingface/badges/resolve/main/open-in-hf-spaces-sm.svg"
        made += f"[![Open in Spaces]({picture})]({space})\n"
    if repository := found.get("repository"):
        notebook = repository.replace("https://github.com", f"{COLAB}/github")
        made += f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({notebook}/blob/main/{NOTEBOOK})\n"
    return made


def written() -> dict[Path, str]:
    """README and the notebook as they should be."""
    found = urls(_read("pyproject.toml"))
    hub = json.loads(_read("weights/manifest.json")).get("hub", {})
    repository = found.get("repository", "")
    clone = f"git clone {repository or '…'} && cd {repository.split('/')[-1] or 'restoration-lab'}"
    readme = re.sub(r"\A---\n.*?\n---\n\n?", "", _read("README.md"), flags=re.DOTALL)
    readme = f"{front_matter(_read('requirements.txt'), hub)}\n{readme}"
    readme = _replaced(readme, r"(<!-- make-address -->\n).*?(<!-- /make-address -->)", badges(found), "README.md")
    readme = _replaced(readme, r"(^    )git clone \S+ && cd \S+($)", clone, "README.md")
    notebook = _replaced(_read(NOTEBOOK), r'(REPOSITORY = \\")[^"\\]*(\\")', repository, NOTEBOOK)
    return {ROOT / "README.md": readme, ROOT / NOTEBOOK: notebook}


def _listed(items: list[str]) -> str:
    return "".join(f"\n- {item}" for item in items) if items else " []"


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _replaced(text: str, pattern: str, value: str, name: str) -> str:
    """``text`` with ``value`` between the two groups of ``pattern``, which it must have once."""
    replaced, count = re.subn(pattern, lambda match: match[1] + value + match[2], text, flags=re.M | re.S)
    if count != 1:
        raise SystemExit(f"{name} must have one place for {pattern}, not {count}; put back what `git diff` shows.")
    return replaced


def main() -> None:
    write_or_check(written(), ROOT, "run `make address`")


if __name__ == "__main__":
    main()
