"""What evaluation measured, as tables and sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .markdown import Json, markdown, title, with_gain

ROOT = Path(__file__).resolve().parent.parent


def whole_table(condition: Json, candidates: Sequence[str]) -> str:
    """All measures of one condition, with the gain over the degraded input and its interval."""
    head = ["", "luminance PSNR (dB)", "RGB PSNR (dB)", "colour adds (dB)", "SSIM", "LPIPS", "colourfulness"]
    return markdown(head, [[title(name), *whole_row(condition, condition["scores"][name])] for name in candidates])


def whole_row(condition: Json, scores: Json) -> list[str]:
    degraded = condition["scores"]["degraded"]

    def shown(measure: str, digits: int) -> str:
        cell = scores[measure]
        return f"{cell['mean']:.{digits}f}" if scores is degraded else with_gain(cell, digits)

    adds, (low, high) = scores["colour_adds"]["mean"], scores["colour_adds"]["interval"]
    colour = f"{adds:.2f}" if scores is degraded else f"{adds:+.2f} ({low:+.2f} to {high:+.2f})"
    lpips = "–"
    if "lpips" in scores.keys() & degraded.keys():
        lpips = f"{scores['lpips']['mean']:.3f} ({scores['lpips']['mean'] / degraded['lpips']['mean']:.2f}×)"
    vivid = f"{scores['colourfulness']['mean'] / condition['truth_colourfulness']:.2f} of the truth's"
    return [shown("psnr_luminance", 2), shown("psnr", 2), colour, shown("ssim", 3), lpips, vivid]


def conditions_of(quality: Json, name: str) -> str:
    fit = "squashed to a square, bilinear without antialiasing" if name.endswith("squashed") else "centre crop"
    return (
        f"{quality['conditions'][name]['photos']} photos of `{quality['shard']}` that nobody trained on, {fit}, preset"
        f" `{name.split(',')[0]}`, seed = the photo's index. In brackets: gain over the degraded input, mean and"
        " bootstrap 95 % interval; for LPIPS (SqueezeNet, lower is closer) the ratio to the degraded input's. “Colour"
        " adds” is RGB PSNR less that of the same picture in grey. Written by `python -m train.evaluate`."
    )


def whole_section(quality: Json, name: str, models: Sequence[str]) -> str:
    """One condition's table, and what it shows."""
    return f"{whole_table(quality['conditions'][name], ('degraded', *models))}\n\n{conditions_of(quality, name)}"


def single_table(quality: Json, models: Sequence[str]) -> str:
    """The luminance gain on each degradation alone."""
    rows = []
    for condition, result in quality["conditions"].items():
        if condition.startswith(("original", "antique", "clean")):
            continue
        gains = [f"{result['scores'][name]['psnr_luminance']['gain']:+.2f}" for name in models]
        rows.append(
            [condition.replace("_", " and "), f"{result['scores']['degraded']['psnr_luminance']['mean']:.2f}", *gains]
        )
    return markdown(["degradation, strength", "degraded (dB)", *(f"{title(name)}, gain" for name in models)], rows)


def clean_table(quality: Json, models: Sequence[str]) -> str:
    scores = quality["conditions"]["clean"]["scores"]
    return markdown(
        ["an undamaged grey photo comes back at", *map(title, models)],
        [["luminance PSNR (dB)", *(f"{scores[name]['psnr_luminance']['mean']:.2f}" for name in models)]],
    )


def detail_table(quality: Json, models: Sequence[str]) -> str:
    names = ("least detail", "middle", "most detail")
    rows = [
        [which, *(f"{third[name]:+.2f}" for name in models)]
        for which, third in zip(names, quality["by_detail"], strict=True)
    ]
    return markdown(["third of the photos", *(f"{title(name)}, luminance gain (dB)" for name in models)], rows)


def baselines_table(quality: Json, baselines: Json, models: Sequence[str]) -> str:
    """Our models stand among them where both were measured on the same photos."""
    condition = quality["conditions"]["original"]
    rows = {name: row for name, row in baselines["scores"].items() if name != "degraded"}
    same = (baselines["photos"], baselines["shard"]) == (condition["photos"], quality["shard"])
    rows |= {title(name): condition["scores"][name] for name in models if same}
    ordered = sorted(rows.items(), key=lambda item: item[1]["psnr_luminance"]["gain"])
    head = ["", "luminance PSNR (dB)", "luminance SSIM"]
    table = markdown(
        head,
        [[name, with_gain(row["psnr_luminance"], 2), with_gain(row["ssim_luminance"], 3)] for name, row in ordered],
    )
    return table if same else f"{table}\n\nThey were measured on other photos than our models, which are left out here."


def ranking(condition: Json, models: Sequence[str]) -> str:
    """Who comes first in each measure, and how far the others are from there, over the same photos."""
    lines = []
    for what, measure, sign, digits in (
        ("Light and shade closest to the truth (luminance PSNR, dB)", "psnr_luminance", 1, 2),
        ("Picture closest to the truth (RGB PSNR, dB)", "psnr", 1, 2),
        ("Structure closest to the truth (SSIM)", "ssim", 1, 3),
        ("Closest to the truth for the eye (LPIPS)", "lpips", -1, 3),
        ("Most colourful", "colourfulness", 1, 1),
    ):
        if measure not in condition["scores"]["degraded"]:
            continue
        mean = {name: condition["scores"][name][measure]["mean"] for name in models}
        first, *others = sorted(models, key=lambda name: -sign * mean[name])
        places = [f"{first.upper()} {mean[first]:.{digits}f}"]
        for name in others:
            cell = {"mean": mean[name], **condition["differences"][name][first][measure]}
            places.append(f"{name.upper()} {with_gain(cell, digits)}")
        lines.append(f"- {what}: {', '.join(places)}.")
    return "\n".join(lines)


def latent_table(latent: Json) -> str:
    nats = latent["kl_per_dimension"]
    speaking = [value for value in nats if value > 0.1]
    rows = [
        ["KL of the latent from its prior", f"{sum(nats):.1f} nats, in {len(speaking)} of {len(nats)} dimensions"],
        ["the five strongest dimensions (nats)", ", ".join(f"{value:.2f}" for value in nats[:5])],
        ["spread of the samples in chroma (levels of 255)", f"{latent['spread_chroma']:.2f}"],
        ["spread of the samples in luminance", f"{latent['spread_luminance']:.2f}"],
        ["RGB PSNR of the mean (dB)", f"{latent['psnr_of_the_mean']:.2f}"],
        ["RGB PSNR of a sample", f"{latent['psnr_of_a_sample']:.2f}"],
        [f"RGB PSNR of the best of {latent['draws']} samples", f"{latent['psnr_of_the_best_sample']:.2f}"],
        *(
            [f"colourfulness of {which}", f"{latent[f'colourfulness_of_{which.replace(chr(32), chr(95))}']:.1f}"]
            for which in ("the truth", "the mean", "a sample")
        ),
    ]
    return markdown([f"the first {latent['photos']} of these photos", ""], rows)


def own_size_section(found: Json, preset: str) -> str:
    """Large photos restored at their own size, and by way of 128x128."""
    there = found["presets"][preset]
    models = list(found["weights_sha256"])
    head = ["", "luminance PSNR (dB)", "RGB PSNR (dB)", "SSIM", "LPIPS", "photos whose light and shade lost (dB)"]
    shown = {"degraded": "degraded input", **{name: title(name) for name in models}}
    shown |= {f"{name}, 128 then ×4": f"{name.upper()}, 128 then ×4" for name in models}
    rows = []
    for name, called in shown.items():
        row = [called]
        for measure, digits in (("psnr_luminance", 2), ("psnr", 2), ("ssim", 3)):
            cell = there["coloured" if measure == "psnr" else "scores"][name][measure]
            row.append(f"{cell['mean']:.{digits}f}" if name == "degraded" else with_gain(cell, digits))
        distance, before = (there["scores"][each]["lpips"]["mean"] for each in (name, "degraded"))
        row.append(f"{distance:.3f} ({distance / before:.2f}×)")
        lost = [f"{photo} {gain:+.2f}" for photo, gain in there["gains"].get(name, {}).items() if gain < 0]
        rows.append([*row, ", ".join(lost) or ("none" if name in models else "")])
    return markdown(head, rows)


def own_size_notes(found: Json) -> str:
    photos = ", ".join(f"{name} ({width}×{height})" for name, (width, height) in found["photos"].items())
    coloured = next(iter(found["presets"].values()))["coloured_photos"]
    return (
        f"Photos: {photos}; RGB of the {coloured} that have colours. Seed = the place in this list. In brackets: gain"
        " over the degraded photo, mean and bootstrap 95 % interval; for LPIPS the ratio. “128 then ×4”: squashed to"
        f" 128×128, restored, enlarged by `{found['engine']}`, brought back to its own size. Written by `python -m"
        " benchmarks.whole`."
    )


def undamaged_table(found: Json) -> str:
    models = list(found["weights_sha256"])
    rows = [[name, *(f"{scores[model]:.1f}" for model in models)] for name, scores in found["undamaged"].items()]
    return markdown(["an undamaged grey photo comes back at, luminance PSNR (dB)", *map(title, models)], rows)


def scratches_section(found: Json) -> str:
    """What finds scratches, and what fills them."""

    def table(head: Sequence[str], lines: Json, digits: int) -> str:
        rows = [[name, *(f"{line[each]:.{digits}f}" for each in head)] for name, line in lines.items()]
        return markdown(["", *head], rows)

    scores = ("precision", "recall", "f1")
    filled = found["filling"]
    methods = [name for name in next(iter(filled.values())) if name not in scores]
    filling = {name: {damage: row[name] for damage, row in filled.items()} for name in methods}
    held, shown = (list(found["undamaged, %"][name].values()) for name in ("held out", "examples"))
    took = found["seconds"]
    return "\n\n".join(
        (
            f"Of {found['photos']} large photos left out of training, pixel by pixel; means over kinds, then each:",
            table(scores, found["groups"], 2),
            table(scores, found["kinds"], 2),
            "Cracks between cells, which are drawn for this table alone, by their width in pixels:",
            table(scores, found["widths"], 2),
            "PSNR (dB) inside the cracks and the dust of the preset `antique`'s kernels, on 512×512 pixels, by mask:",
            table(list(filled), filling, 2),
            "Luminance PSNR (dB) inside and outside of 5 cracks and dust 0.3, after mending by our mask and restoring:",
            table(("inside", "outside"), found["restored"], 1),
            f"Of the undamaged photos left out {sum(held) / len(held):.2f} % of the pixels are marked on average, "
            f"of one {max(held):.2f} %; of the examples {sum(shown) / len(shown):.2f} % and {max(shown):.2f} %. At one "
            f"megapixel finding takes {took['find']:.1f} s and filling {took['fill']:.1f} s, by {took['threads']} "
            "threads. Written by `python -m train.scratches.evaluate`.",
        )
    )


def downloads(manifest: Json) -> str:
    """What is fetched when it is needed, and how large it is."""
    sizes = {name: entry["size"] for name, entry in manifest["files"].items() if "url" in entry}
    return f"Fetched: {', '.join(f'`{name}` ({size / 1e6:.1f} MB)' for name, size in sizes.items())}."


def training_table(manifest: Json, models: Sequence[str]) -> str:
    rows = []
    for name in models:
        log = ROOT / "benchmarks" / "results" / "training" / f"{name}.jsonl"
        last = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
        entry = manifest["files"][f"{name}.safetensors"]
        rows.append([title(name), f"{entry['parameters']:,}", f"{last['photos']:,}", f"{last['seconds'] / 60:.0f}"])
    return markdown(["", "parameters", "photos seen", "minutes"], rows)
