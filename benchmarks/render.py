"""`python -m benchmarks.render`: every table, from benchmarks/results: README, RESULTS.md, docs, cards, the manifest.

With ``--check`` nothing is written: it fails where a file does not say what was measured, or where a released file has
changed since.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from deploy.generated import write_or_check

from . import about_page
from .common import ROOT, Json, read
from .markdown import markdown
from .quality_tables import (
    baselines_table,
    clean_table,
    conditions_of,
    detail_table,
    downloads,
    latent_table,
    own_size_notes,
    own_size_section,
    ranking,
    scratches_section,
    single_table,
    training_table,
    undamaged_table,
    whole_section,
    whole_table,
)
from .speed_tables import app_table, first_result_table, load_table, pixels_table, speed_tables, upscale_tables


def accepted(entry: Json) -> set[str]:
    """The SHA-256 that a file of the manifest may have."""
    return {entry["sha256"], *entry.get("also", {}).values()}


def between(text: str, mark: str, contents: str) -> str:
    pattern = rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)"
    if not re.search(pattern, text, re.DOTALL):
        raise SystemExit(f"The mark <!-- {mark} --> is missing.")
    return re.sub(pattern, lambda match: f"{match[1]}{contents}\n{match[2]}", text, flags=re.DOTALL)


def head(text: str, mark: str) -> list[str]:
    """Of the table at ``mark``, as the page has it."""
    found = re.search(rf"<!-- {mark} -->\n\|(.*)\|\n", text)
    assert found, mark
    return [cell.strip() for cell in found[1].split("|")]


def rendered() -> dict[Path, str]:
    """Every file that shows a score, as it should be."""
    quality, baselines, latent, pictures, upscaling, app = map(
        read, ("quality", "baselines", "latent", "pictures", "upscale", "app")
    )
    manifest = json.loads((ROOT / "weights" / "manifest.json").read_text(encoding="utf-8"))
    entries = {entry["model"]: entry for entry in manifest["files"].values() if entry["task"] == "restore"}
    models = list(entries)
    hashes = {name: entry["sha256"] for name, entry in entries.items()}
    if quality["weights_sha256"] != hashes:
        raise SystemExit("The scores are of other weights; run `python -m train.evaluate` again.")
    if pictures["weights_sha256"] != hashes:
        raise SystemExit("The pictures are of other weights; run `python -m benchmarks.pictures` again.")

    own_size = read("whole")
    if own_size["weights_sha256"] != hashes:
        raise SystemExit("The whole photos were restored by other weights; run `python -m benchmarks.whole` again.")
    if latent["weights_sha256"] != hashes["vae"]:
        raise SystemExit("The latent's figures are of other weights; run `python -m train.latent` again.")
    for name, files in upscaling["weights"].items():
        if not set(files.values()) <= {sha256 for entry in manifest["files"].values() for sha256 in accepted(entry)}:
            raise SystemExit(f"The engine {name} was measured with other weights; run `python -m benchmarks.upscale`.")
    original = quality["conditions"]["original"]

    few = f"The first {quality['conditions']['clean']['photos']} of these photos, each in grey."
    files = {}
    for name, entry in entries.items():
        entry["scores"] = {
            "photos": original["photos"],
            "shard": quality["shard"],
            "preset": "original",
            "gain": {measure: cell["gain"] for measure, cell in original["scores"][name].items()},
        }
        card = ROOT / "weights" / f"{name}.md"
        scores = f"{whole_table(original, ('degraded', name))}\n\n{conditions_of(quality, 'original')}"
        files[card] = between(card.read_text(encoding="utf-8"), "scores", scores)
    scratched = read("scratches")
    detector = manifest["files"]["scratches.safetensors"]
    if scratched["weights_sha256"] != detector["sha256"]:
        raise SystemExit("Scratches were found by other weights; run `python -m train.scratches.evaluate` again.")
    detector["scores"] = {
        "photos": scratched["photos"],
        "f1": {name: group["f1"] for name, group in scratched["groups"].items()},
    }
    card = ROOT / "weights" / "scratches.md"
    files[card] = between(card.read_text(encoding="utf-8"), "scores", scratches_section(scratched))
    files[ROOT / "weights" / "manifest.json"] = json.dumps(manifest, indent=2) + "\n"

    sections = {
        "quality": whole_section(quality, "original", models),
        "squashed": whole_section(quality, "original, squashed", models),
        "antique": whole_section(quality, "antique", models),
        "ranking": ranking(original, models),
        "ranking_antique": ranking(quality["conditions"]["antique"], models),
        "single": f"{single_table(quality, models)}\n\n{few}",
        "clean": clean_table(quality, models),
        "detail": detail_table(quality, models),
        "baselines": baselines_table(quality, baselines, models),
        "latent": latent_table(latent),
        "training": training_table(manifest, models),
        "downloads": downloads(manifest),
        **upscale_tables(upscaling),
        "app": app_table(app),
        "first_result": first_result_table(read("first_result")),
        **speed_tables(read("speed")),
        "pixels": pixels_table(read("pixels")),
        **{f"own_size_{preset}": own_size_section(own_size, preset) for preset in own_size["presets"]},
        "own_size_notes": own_size_notes(own_size),
        "undamaged": undamaged_table(own_size),
        "scratches": scratches_section(scratched),
        "load": load_table(read("load")),
    }
    pages = (ROOT / "README.md", ROOT / "benchmarks" / "RESULTS.md", *sorted((ROOT / "docs").glob("*.md")))
    for path in pages:
        text = path.read_text(encoding="utf-8")
        for mark in re.findall(r"<!-- (\w+) -->", text):
            text = between(text, mark, sections[mark])
        files[path] = text
    for language in about_page.DEGRADED:
        path = ROOT / "ui" / "locales" / f"about.{language}.md"
        text = between(path.read_text(encoding="utf-8"), "about_citation", about_page.citation())
        for mark, rows in about_page.tables(quality, manifest, language).items():
            text = between(text, mark, markdown(head(text, mark), rows))
        files[path] = text
    return files


def main() -> None:
    write_or_check(rendered(), ROOT, "run `make results`")


if __name__ == "__main__":
    main()
