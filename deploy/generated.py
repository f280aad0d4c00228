"""Files that are written from others: written anew, or only checked where ``--check`` is given."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_or_check(texts: Mapping[Path, str], root: Path, remedy: str) -> None:
    """Make each file below ``root`` say its text; with ``--check`` end instead where one does not, with ``remedy``."""
    stale = {path: text for path, text in texts.items() if path.read_text(encoding="utf-8") != text}
    if "--check" not in sys.argv:
        for path, text in stale.items():
            path.write_text(text, encoding="utf-8")
    elif stale:
        raise SystemExit(f"Out of date: {', '.join(str(path.relative_to(root)) for path in stale)}; {remedy}.")
