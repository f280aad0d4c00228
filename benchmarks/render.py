"""`python -m benchmarks.render`: every table, from benchmarks/results: README, RESULTS.md, docs, cards, the manifest.

With ``--check`` nothing is written: it fails where a file does not say what was measured, or where a released file has
changed since.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from deploy.generated import write_or_check

from . import about_page, quality_tables, speed_tables
from .common import ROOT, read
from .markdown import markdown


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
    own_size, scratched, detector = read("whole"), read("scratches"), manifest["files"]["scratches.safetensors"]
    for measured, released, command in (
        (quality, hashes, "train.evaluate"),
        (pictures, hashes, "benchmarks.pictures"),
        (own_size, hashes, "benchmarks.whole"),
        (latent, hashes["vae"], "train.latent"),
        (scratched, detector["sha256"], "train.scratches.evaluate"),
    ):
        if measured["weights_sha256"] != released:
            raise SystemExit(f"What `python -m {command}` made is of other weights; run it again.")
    accepted = {sha for each in manifest["files"].values() for sha in (each["sha256"], *each.get("also", {}).values())}
    for name, files in upscaling["weights"].items():
        if not set(files.values()) <= accepted:
            raise SystemExit(f"The engine {name} was measured with other weights; run `python -m benchmarks.upscale`.")
    original, speed = quality["conditions"]["original"], read("speed")

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
        scores = quality_tables.whole_section(quality, "original", [name])
        files[card] = between(card.read_text(encoding="utf-8"), "scores", scores)
    f1 = {name: group["f1"] for name, group in scratched["groups"].items()}
    detector["scores"] = {"photos": scratched["photos"], "f1": f1}
    card = ROOT / "weights" / "scratches.md"
    files[card] = between(card.read_text(encoding="utf-8"), "scores", quality_tables.scratches_section(scratched))
    files[ROOT / "weights" / "manifest.json"] = json.dumps(manifest, indent=2) + "\n"

    sections = {
        "quality": quality_tables.whole_section(quality, "original", models),
        "squashed": quality_tables.whole_section(quality, "original, squashed", models),
        "antique": quality_tables.whole_section(quality, "antique", models),
        "ranking": quality_tables.ranking(original, models),
        "ranking_antique": quality_tables.ranking(quality["conditions"]["antique"], models),
        "single": f"{quality_tables.single_table(quality, models)}\n\n{few}",
        "clean": quality_tables.clean_table(quality, models),
        "detail": quality_tables.detail_table(quality, models),
        "baselines": quality_tables.baselines_table(quality, baselines, models),
        "latent": quality_tables.latent_table(latent),
        "training": quality_tables.training_table(manifest, models),
        "downloads": quality_tables.downloads(manifest),
        **speed_tables.upscale_tables(upscaling),
        "app": speed_tables.app_table(app),
        "first_result": speed_tables.first_result_table(read("first_result")),
        "speed_networks": speed_tables.networks_table(speed),
        "speed_path": speed_tables.path_table(speed["path"]),
        "speed_start": speed_tables.start_table(speed["start"]),
        "pixels": speed_tables.pixels_table(read("pixels")),
        **{f"own_size_{preset}": quality_tables.own_size_section(own_size, preset) for preset in own_size["presets"]},
        "own_size_notes": quality_tables.own_size_notes(own_size),
        "undamaged": quality_tables.undamaged_table(own_size),
        "scratches": quality_tables.scratches_section(scratched),
        "load": speed_tables.load_table(read("load")),
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
