"""The tables of the app's About page, in both languages: the page has their heads, and their rows come from here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .common import EXAMPLES, ROOT, Json
from .quality_tables import trained

Rows = Iterable[Sequence[str]]

DEGRADED = {"en": "degraded input, of {photos} photos", "fr": "entrée abîmée, de {photos} photos"}
MEASURES = {"psnr_luminance": (2, 1), "psnr": (2, 1), "colour_adds": (2, 0), "ssim": (3, 1), "lpips": (3, -1)}
"""The digits of each measure, and whether more (1) or less (-1) of it is better; 0 ranks nobody."""


def tables(quality: Json, manifest: Json, language: str) -> dict[str, str | Rows]:
    """The rows of every table, and the citation, by the mark."""
    restoring = {name: entry for name, entry in manifest["files"].items() if entry["task"] == "restore"}
    condition = quality["conditions"]["original"]
    degraded = DEGRADED[language].format(photos=condition["photos"])
    scored = {"degraded": degraded, **{entry["model"]: entry["title"] for entry in restoring.values()}}
    rows: dict[str, Rows] = {
        "about_training": [[entry["title"], *trained(entry)] for entry in restoring.values()],
        "about_scores": [[title, *_scores(condition, name)] for name, title in scored.items()],
        "about_files": [
            [f"`{name}`", f"{entry['parameters']:,}", f"{entry['size'] / 1e6:.1f}", f"`{entry['sha256'][:12]}`"]
            for name, entry in manifest["files"].items()
        ],
    }
    return {
        **{mark: [[_written(cell, language) for cell in row] for row in each] for mark, each in rows.items()},
        "about_examples": _credits(),
        "about_citation": _citation(),
    }


def _scores(condition: Json, name: str) -> list[str]:
    scores = condition["scores"][name]
    cells = []
    for measure, (digits, sign) in MEASURES.items():
        if measure not in scores:  # LPIPS needs weights that are fetched
            cells.append("–")
            continue
        cell = scores[measure]
        gain, (low, high) = cell["gain"], cell["interval"]
        shown = f"{cell['mean']:.{digits}f}"
        if name != "degraded":
            shown = f"**{shown}**" if sign and _is_best(condition, name, measure, sign) else shown
            gained = f"{gain:+.{digits}f}; " if gain != cell["mean"] else ""
            shown += f" ({gained}{low:+.{digits}f}…{high:+.{digits}f})"
        cells.append(shown)
    return [*cells, f"{100 * scores['colourfulness']['mean'] / condition['truth_colourfulness']:.0f}"]


def _is_best(condition: Json, name: str, measure: str, sign: int) -> bool:
    """Does no other network beat ``name`` by more than chance, over the same photos?"""
    others = condition["differences"][name].values()
    return not any(max(sign * end for end in other[measure]["interval"]) < 0 for other in others)


def _credits() -> Rows:
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return rows[1:]  # the first is its head


def _written(cell: str, language: str) -> str:
    """Numbers as the language writes them."""
    if language == "en":
        return cell
    return re.sub(r"(?<=\d)\.(?=\d)", ",", re.sub(r"(?<=\d),(?=\d{3})", "\u202f", cell)) if "`" not in cell else cell


def _citation() -> str:
    """How to cite the project, in the version of pyproject.toml."""
    found = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return (
        "```bibtex\n"
        "@software{restoration_lab,\n"
        "  title   = {Restoration Lab},\n"
        "  author  = {{Restoration Lab contributors}},\n"
        "  year    = {2026},\n"
        f"  version = {{{found[1]}}},\n"
        "}\n"
        "```"
    )
