"""`python -m benchmarks.pictures`: README's sheet of real results, every example photo, preset `original`."""

from __future__ import annotations

from pathlib import Path

from restoration import PRESETS, Restorer, image, metrics
from restoration.sheet import Panel, sheet

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("vae", "gan", "cnn")


def main() -> None:
    restorer = Restorer("cpu")
    rows = []
    for seed, path in enumerate(sorted((ROOT / "assets" / "examples").glob("*.jpg"))):
        truth = image.fit(image.load(path))
        degraded = PRESETS["original"].draw(seed).apply(truth, seed)
        row = [Panel(degraded, [f"degraded, {metrics.compare(degraded, truth).psnr:.1f} dB"])]
        for name in MODELS:
            restored = restorer.restore(degraded, name).photo
            row.append(Panel(restored, [f"{name.upper()}, {metrics.compare(restored, truth).psnr:.1f} dB"]))
        rows.append([*row, Panel(truth, [f"truth ({path.stem})"])])
    half = len(rows) // 2  # two examples side by side
    image.save(
        sheet([left + right for left, right in zip(rows[:half], rows[half:], strict=True)], side=128),
        ROOT / "assets" / "results.jpg",
    )


if __name__ == "__main__":
    main()
