"""`python -m benchmarks.render`: README's tables, the model cards' and the manifest's scores from benchmarks/results.

With ``--check`` nothing is written: it fails where a file does not say what was measured, or where a released file has
changed since.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
QUALITY = ROOT / "benchmarks" / "results" / "quality.json"
PICTURES = ROOT / "benchmarks" / "results" / "pictures.json"


def cell(scores: dict[str, Any], measure: str, digits: int, gain: bool) -> str:
    value = scores[measure]
    text = f"{value['mean']:.{digits}f}"
    if gain:
        low, high = value["interval"]
        text += f" ({value['gain']:+.{digits}f}; {low:+.{digits}f} to {high:+.{digits}f})"
    return text


def table(quality: dict[str, Any], candidates: tuple[str, ...]) -> str:
    """Means over the photos, and the gain over the degraded input with its bootstrap 95 % interval."""
    lines = [
        "| | RGB PSNR (dB) | luminance PSNR (dB) | SSIM | CIEDE2000 | RGB PSNR in grey (dB) | colourfulness |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in candidates:
        scores, gain = quality["scores"][name], name != "degraded"
        title = name.upper() if gain else "degraded input"
        cells = [
            cell(scores, "psnr", 2, gain),
            cell(scores, "psnr_luminance", 2, gain),
            cell(scores, "ssim", 3, gain),
            cell(scores, "ciede2000", 2, gain),
            f"{scores['psnr_in_grey']['mean']:.2f}",
            f"{scores['colourfulness']['mean'] / quality['truth_colourfulness']:.2f} of the truth's",
        ]
        lines.append(f"| **{title}** | {' | '.join(cells)} |")
    lines.append("")
    lines.append(
        f"{quality['photos']} photos of `{quality['shard']}` that nobody trained on, centre crop, preset"
        f" `{quality['preset']}`, seed = the photo's index. In brackets: gain over the degraded input, mean and"
        " bootstrap 95 % interval. Written by `python -m train.evaluate`."
    )
    return "\n".join(lines)


def between(text: str, mark: str, contents: str) -> str:
    pattern = rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)"
    if not re.search(pattern, text, re.DOTALL):
        raise SystemExit(f"The mark <!-- {mark} --> is missing.")
    return re.sub(pattern, lambda match: f"{match[1]}{contents}\n{match[2]}", text, flags=re.DOTALL)


def rendered() -> dict[Path, str]:
    """Every file that shows a score, as it should be."""
    quality = json.loads(QUALITY.read_text(encoding="utf-8"))
    manifest = json.loads((ROOT / "weights" / "manifest.json").read_text(encoding="utf-8"))
    files = {}
    models = {entry["model"]: entry for entry in manifest["files"].values() if entry["task"] == "restore"}
    for name, entry in models.items():
        if entry["sha256"] != quality["weights_sha256"][name]:
            raise SystemExit(f"The {name.upper()}'s scores are of another file; run `python -m train.evaluate` again.")
        entry["scores"] = {
            "photos": quality["photos"],
            "shard": quality["shard"],
            "preset": quality["preset"],
            "gain": {measure: value["gain"] for measure, value in quality["scores"][name].items()},
        }
        card = ROOT / "weights" / f"{name}.md"
        scores = table(quality, ("degraded", name))
        files[card] = between(card.read_text(encoding="utf-8"), "scores", scores)
    pictures = json.loads(PICTURES.read_text(encoding="utf-8"))
    if pictures["weights_sha256"] != quality["weights_sha256"]:
        raise SystemExit("README's pictures are of other weights; run `python -m benchmarks.pictures` again.")
    readme = ROOT / "README.md"
    files[readme] = between(readme.read_text(encoding="utf-8"), "quality", table(quality, ("degraded", *models)))
    files[ROOT / "weights" / "manifest.json"] = json.dumps(manifest, indent=2) + "\n"
    return files


def main() -> None:
    stale = {path: text for path, text in rendered().items() if path.read_text(encoding="utf-8") != text}
    if "--check" not in sys.argv:
        for path, text in stale.items():
            path.write_text(text, encoding="utf-8")
    elif stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        raise SystemExit(f"Not what benchmarks/results says: {names}; run `make results`.")


if __name__ == "__main__":
    main()
