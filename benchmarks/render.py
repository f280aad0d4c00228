"""`python -m benchmarks.render`: every table, from benchmarks/results: README, RESULTS.md, docs, cards, the manifest.

With ``--check`` nothing is written: it fails where a file does not say what was measured, or where a released file has
changed since.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from deploy.generated import write_or_check

from . import about_page, quality_tables, speed_tables
from .about_page import Rows
from .common import ROOT, Json, read
from .markdown import markdown


def filled(path: Path, contents: Mapping[str, str | Rows]) -> str:
    """The text of a page with its contents between each two marks; rows go under the head that is there."""

    def replaced(match: re.Match[str]) -> str:
        before, mark, old, after = match.groups()
        new = contents[mark]
        if not isinstance(new, str):
            new = markdown([cell.strip() for cell in old.splitlines()[0].strip("|").split("|")], new)
        return f"{before}{new}\n{after}"

    text = path.read_text(encoding="utf-8")
    return re.sub(r"(<!-- (\w+) -->\n)(.*?)(<!-- /\2 -->)", replaced, text, flags=re.DOTALL)


def check_weights(manifest: Json) -> None:
    """End where a result is of other weights than those that are released."""
    files = manifest["files"]
    released = {entry["model"]: entry["sha256"] for entry in files.values() if entry["task"] == "restore"}
    for name, expected, command in (
        ("quality", released, "train.evaluate"),
        ("pictures", released, "benchmarks.pictures"),
        ("whole", released, "benchmarks.whole"),
        ("old_prints", released, "benchmarks.old_prints"),
        ("latent", released["vae"], "train.latent"),
        ("scratches", files["scratches.safetensors"]["sha256"], "train.scratches.evaluate"),
    ):
        if read(name)["weights_sha256"] != expected:
            raise SystemExit(f"What `python -m {command}` made is of other weights; run it again.")
    accepted = {sha for each in files.values() for sha in (each["sha256"], *each.get("also", {}).values())}
    for name, measured in read("upscale")["weights"].items():
        if not set(measured.values()) <= accepted:
            raise SystemExit(f"The engine {name} was measured with other weights; run `python -m benchmarks.upscale`.")


def sections(manifest: Json) -> dict[str, str]:
    """What stands in README and the docs, by its mark."""
    quality, own_size, speed = read("quality"), read("whole"), read("speed")
    return {
        "quality": quality_tables.whole_section(quality, "original"),
        "squashed": quality_tables.whole_section(quality, "original, squashed"),
        "antique": quality_tables.whole_section(quality, "antique"),
        "heavy": quality_tables.whole_section(quality, "heavy"),
        "answer": quality_tables.answer(quality, read("old_prints")),
        "single": quality_tables.single_table(quality),
        "clean": quality_tables.clean_table(quality),
        "detail": quality_tables.detail_table(quality),
        "judges": quality_tables.judges_table(quality, "original"),
        "judges_antique": quality_tables.judges_table(quality, "antique"),
        "originals": quality_tables.originals_table(quality, read("original")),
        "equal_terms": quality_tables.equal_terms_table(),
        "people": quality_tables.people_table(quality),
        "baselines": quality_tables.baselines_table(quality, read("baselines")),
        "latent": quality_tables.latent_table(read("latent")),
        "training": quality_tables.training_table(manifest),
        "downloads": quality_tables.downloads(manifest),
        **speed_tables.upscale_tables(read("upscale")),
        "app": speed_tables.app_table(read("app")),
        "first_result": speed_tables.first_result_table(read("first_result")),
        "speed_networks": speed_tables.networks_table(speed),
        "speed_path": speed_tables.path_table(speed["path"]),
        "speed_start": speed_tables.start_table(speed["start"]),
        "pixels": speed_tables.pixels_table(read("pixels")),
        **{f"own_size_{preset}": quality_tables.own_size_section(own_size, preset) for preset in own_size["presets"]},
        "own_size_notes": quality_tables.own_size_notes(own_size),
        "undamaged": quality_tables.undamaged_table(own_size),
        "scratches": quality_tables.scratches_section(read("scratches")),
        "load": speed_tables.load_table(read("load")),
    }


def rendered() -> dict[Path, str]:
    """Every file that shows a score, as it should be."""
    manifest = json.loads((ROOT / "weights" / "manifest.json").read_text(encoding="utf-8"))
    check_weights(manifest)
    quality, scratched = read("quality"), read("scratches")
    original, cards = quality["conditions"]["original"], {}
    for entry in manifest["files"].values():
        if entry["task"] == "restore":
            gains = {measure: cell["gain"] for measure, cell in original["scores"][entry["model"]].items()}
            measured = {"photos": original["photos"], "shard": quality["shard"], "preset": "original"}
            entry["scores"] = {**measured, "gain": gains}
            cards[entry["model"]] = quality_tables.whole_section(quality, "original", [entry["model"]])
    docs = sorted((ROOT / "docs").glob("*.md"))
    f1 = {name: group["f1"] for name, group in scratched["groups"].items()}
    manifest["files"]["scratches.safetensors"]["scores"] = {"photos": scratched["photos"], "f1": f1}
    cards["scratches"] = quality_tables.scratches_section(scratched)

    contents: dict[Path, Mapping[str, str | Rows]] = {
        **{ROOT / "weights" / f"{name}.md": {"scores": card} for name, card in cards.items()},
        **dict.fromkeys((ROOT / "README.md", ROOT / "benchmarks" / "RESULTS.md", *docs), sections(manifest)),
        **{
            ROOT / "ui" / "locales" / f"about.{language}.md": about_page.tables(quality, manifest, language)
            for language in about_page.DEGRADED
        },
    }
    pages = {path: filled(path, by_mark) for path, by_mark in contents.items()}
    return {ROOT / "weights" / "manifest.json": json.dumps(manifest, indent=2) + "\n", **pages}


def main() -> None:
    write_or_check(rendered(), ROOT, "run `make results`")


if __name__ == "__main__":
    main()
