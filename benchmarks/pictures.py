"""`python -m benchmarks.pictures`: README's sheet of real results, every example photo, preset `original`."""

from __future__ import annotations

import json
from pathlib import Path

from restoration import PRESETS, Restorer, image, metrics
from restoration.image import write_whole
from restoration.sheet import Panel, sheet
from restoration.weights import restorers

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    restorer = Restorer("cpu")
    released = {entry.model: entry.sha256 for entry in restorers()}
    rows = []
    for seed, path in enumerate(sorted((ROOT / "assets" / "examples").glob("*.jpg"))):
        truth = image.fit(image.load(path))
        degraded = PRESETS["original"].draw(seed).apply(truth, seed)
        row = [Panel(degraded, [f"degraded, {metrics.compare(degraded, truth).psnr:.1f} dB"])]
        for name in released:
            restored = restorer.restore(degraded, name).photo
            row.append(Panel(restored, [f"{name.upper()}, {metrics.compare(restored, truth).psnr:.1f} dB"]))
        rows.append([*row, Panel(truth, [f"truth ({path.stem})"])])
    half = len(rows) // 2  # two examples side by side
    pairs = [left + right for left, right in zip(rows[:half], rows[half:], strict=True)]
    image.save(sheet(pairs, side=128), ROOT / "assets" / "results.jpg")
    made = json.dumps({"preset": "original", "weights_sha256": released}, indent=1) + "\n"
    write_whole(ROOT / "benchmarks" / "results" / "pictures.json", made.encode())


if __name__ == "__main__":
    main()
