"""What evaluation measured, as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .common import read_log
from .markdown import MODELS, Json, markdown, title, with_gain

EQUAL_TERMS = {
    "the original's CNN1": "original/cnn1",
    "the original's CNN1, then CNN2": "original/cnn2",
    "the original's GAN": "original/gan",
    "our CNN": "from_nothing/cnn",
    "our GAN": "from_nothing/gan",
}
"""Networks that were begun with nothing, and the logs of their runs, which saw as many photos."""


def compared(scores: Json, name: str) -> list[str]:
    """Luminance PSNR, RGB PSNR and SSIM, with the gain over the degraded input; LPIPS, with its ratio to that one's."""
    row, before = scores[name], scores["degraded"].get("lpips")
    cells = [
        f"{row[measure]['mean']:.{digits}f}" if name == "degraded" else with_gain(row[measure], digits)
        for measure, digits in (("psnr_luminance", 2), ("psnr", 2), ("ssim", 3))
    ]
    return [*cells, f"{row['lpips']['mean']:.3f} ({row['lpips']['mean'] / before['mean']:.2f}×)" if before else "–"]


def whole_section(quality: Json, name: str, models: Iterable[str] = MODELS) -> str:
    """All measures of one condition, with the gain over the degraded input and its interval."""
    condition, rows = quality["conditions"][name], []
    for candidate in ("degraded", *models):
        scores = condition["scores"][candidate]
        luminance, rgb, ssim, lpips = compared(condition["scores"], candidate)
        adds, (low, high) = scores["colour_adds"]["mean"], scores["colour_adds"]["interval"]
        colour = f"{adds:.2f}" if candidate == "degraded" else f"{adds:+.2f} ({low:+.2f} to {high:+.2f})"
        vivid = f"{scores['colourfulness']['mean'] / condition['truth_colourfulness']:.2f} of the truth's"
        rows.append([title(candidate), luminance, rgb, colour, ssim, lpips, vivid])
    fit = "squashed to a square, bilinear without antialiasing" if name.endswith("squashed") else "centre crop"
    return markdown(
        ["", "luminance PSNR (dB)", "RGB PSNR (dB)", "colour adds (dB)", "SSIM", "LPIPS", "colourfulness"],
        rows,
        f"{condition['photos']} photos of `{quality['shard']}` that nobody trained on, {fit}, preset"
        f" `{name.split(',')[0]}`, seed = the photo's index. In brackets: gain over the degraded input, mean and"
        " bootstrap 95 % interval; for LPIPS (SqueezeNet, lower is closer) the ratio to the degraded input's. “Colour"
        " adds” is RGB PSNR less that of the same picture in grey. Written by `python -m train.evaluate`.",
    )


def single_table(quality: Json) -> str:
    """The luminance gain on each degradation alone."""
    rows = []
    for condition, result in quality["conditions"].items():
        if not condition.startswith(("original", "antique", "heavy", "clean")):
            psnr = {name: scores["psnr_luminance"] for name, scores in result["scores"].items()}
            gains = [f"{psnr[name]['gain']:+.2f}" for name in MODELS]
            rows.append([condition.replace("_", " and "), f"{psnr['degraded']['mean']:.2f}", *gains])
    return markdown(
        ["degradation, strength", "degraded (dB)", *(f"{title(name)}, gain" for name in MODELS)],
        rows,
        f"The first {quality['conditions']['clean']['photos']} of these photos, each in grey.",
    )


def clean_table(quality: Json) -> str:
    scores = quality["conditions"]["clean"]["scores"]
    psnr = [f"{scores[name]['psnr_luminance']['mean']:.2f}" for name in MODELS]
    head = ["an undamaged grey photo comes back at", *map(title, MODELS)]
    return markdown(head, [["luminance PSNR (dB)", *psnr]])


def detail_table(quality: Json) -> str:
    rows = [
        [which, *(f"{third[name]:+.2f}" for name in MODELS)]
        for which, third in zip(("least detail", "middle", "most detail"), quality["by_detail"], strict=True)
    ]
    return markdown(["third of the photos", *(f"{title(name)}, luminance gain (dB)" for name in MODELS)], rows)


def judges_table(quality: Json, name: str) -> str:
    """What two networks that judge pictures say, and how far the set of pictures is from the set of truths."""
    condition, rows = quality["conditions"][name], []
    for candidate in ("degraded", *MODELS):
        scores = condition["scores"][candidate]
        distances = [f"{scores[measure]['mean']:.3f}" for measure in ("lpips", "st_lpips") if measure in scores]
        rows.append([title(candidate), *distances, f"{1000 * condition['frechet'][candidate]:.2f}"])
    return markdown(["", "LPIPS (SqueezeNet)", "ST-LPIPS (AlexNet)", "Fréchet distance × 1000"], rows)


def people_table(quality: Json) -> str:
    """The photos that show people, by how many they show."""
    rows = []
    for kind, found in quality["people"].items():
        for candidate in MODELS:
            shown = [kind, str(found["photos"])] if candidate == MODELS[0] else ["", ""]
            rows.append([*shown, title(candidate), *compared(found["scores"], candidate)])
    return markdown(
        ["what they show", "photos", "", "luminance PSNR (dB)", "RGB PSNR (dB)", "SSIM", "LPIPS"],
        rows,
        "Preset `original`. Somebody looked at the photos and wrote down what they show before any was scored:"
        " `benchmarks/people.json`.",
    )


def baselines_table(quality: Json, baselines: Json) -> str:
    """Our models stand among them where both were measured on the same photos."""
    condition = quality["conditions"]["original"]
    rows = {name: row for name, row in baselines["scores"].items() if name != "degraded"}
    same = (baselines["photos"], baselines["shard"]) == (condition["photos"], quality["shard"])
    rows |= {title(name): condition["scores"][name] for name in MODELS if same}
    ordered = sorted(rows.items(), key=lambda item: item[1]["psnr_luminance"]["gain"])
    return markdown(
        ["", "luminance PSNR (dB)", "luminance SSIM"],
        [[name, with_gain(row["psnr_luminance"], 2), with_gain(row["ssim_luminance"], 3)] for name, row in ordered],
        *([] if same else ["They were measured on other photos than our models, which are left out here."]),
    )


def originals_table(quality: Json, original: Json) -> str:
    """The original project's networks on the photos and the damage of ours."""
    ours, theirs, rows = quality["conditions"]["original"]["scores"], original["scores"], []
    for scores, candidate in [*((theirs, name) for name in theirs), *((ours, name) for name in MODELS)]:
        photos = original["networks"].get(candidate, {}).values()
        rows.append([title(candidate), ", ".join(f"{each:,}" for each in photos), *compared(scores, candidate)])
    return markdown(["", "photos seen", "luminance PSNR (dB)", "RGB PSNR (dB)", "SSIM", "LPIPS"], rows)


def equal_terms_table() -> str:
    rows = []
    for name, log in EQUAL_TERMS.items():
        last = read_log(log)[-1]
        rows.append([name, f"{last['photos']:,}", f"{last['luminance_gain']:+.2f}", f"{last['rgb_gain']:+.2f}"])
    return markdown(["", "photos seen", "luminance gain (dB)", "RGB gain (dB)"], rows)


def leads(condition: Json, measure: str, unit: str = "dB", digits: int = 2, sign: int = 1) -> str:
    """Who comes first in a measure, and by how much over the same photos, with the interval.

    Where that holds 0, two share the place. A ``sign`` of -1 is for measures of which less is better.
    """
    mean = {name: condition["scores"][name][measure]["mean"] for name in MODELS}
    first, *others = sorted(MODELS, key=lambda name: -sign * mean[name])
    places, led = [first.upper()], []
    for name in others:
        cell = condition["differences"][first][name][measure]
        low, high = sorted(sign * each for each in cell["interval"])
        places += [name.upper()] if low <= 0 else []
        led.append(f"{name.upper()} by {sign * cell['gain']:.{digits}f} {unit}, {low:.{digits}f} to {high:.{digits}f}")
    return f"**{' or '.join(places)}** ({first.upper()} leads {'; '.join(led)})"


def answer(quality: Json, old_prints: Json) -> str:
    """Which is best, for what, in five sentences."""
    original, heavy = (quality["conditions"][name] for name in ("original", "heavy"))
    judge = "lpips" if "lpips" in original["scores"]["degraded"] else "st_lpips"  # which is always scored
    eye: Json = {"measure": judge, "unit": judge.upper().replace("_", "-"), "digits": 3, "sign": -1}
    kept = "; ".join(
        f"{each['model'].upper()} {100 * each['chance']:.0f} %, {100 * each['low']:.0f} to {100 * each['high']:.0f}"
        for each in old_prints["standings"]
    )
    sentences = (
        f"For light and shade: {leads(original, 'psnr_luminance')}.",
        f"For colour closest to the truth: {leads(original, 'psnr')}.",
        f"For the eye: {leads(original, **eye)}.",
        f"When damage grows (preset `heavy`): in light {leads(heavy, 'psnr_luminance')}, for the eye"
        f" {leads(heavy, **eye)}.",
        f"On real old prints: **{old_prints['standings'][0]['model'].upper()}** (by {old_prints['votes']} votes on"
        f" {old_prints['photos']} of them, of vision models that saw no names, the chance to be kept rather than an"
        f" average one: {kept}).",
    )
    return "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1))


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
        ["colourfulness of the truth", f"{latent['colourfulness_of_the_truth']:.1f}"],
        ["colourfulness of the mean", f"{latent['colourfulness_of_the_mean']:.1f}"],
        ["colourfulness of a sample", f"{latent['colourfulness_of_a_sample']:.1f}"],
    ]
    return markdown([f"the first {latent['photos']} of these photos", ""], rows)


def own_size_section(found: Json, preset: str) -> str:
    """Large photos restored at their own size, and by way of 128x128."""
    there = found["presets"][preset]
    squares = {f"{name}, 128 then ×4": f"{name.upper()}, 128 then ×4" for name in MODELS}
    rows = []
    scores = {name: {**row, "psnr": there["coloured"][name]["psnr"]} for name, row in there["scores"].items()}
    for name, called in {**{name: title(name) for name in ("degraded", *MODELS)}, **squares}.items():
        lost = [f"{photo} {gain:+.2f}" for photo, gain in there["gains"].get(name, {}).items() if gain < 0]
        lost = lost or (["none"] if name in MODELS else [])
        rows.append([called, *compared(scores, name), ", ".join(lost)])
    head = ["", "luminance PSNR (dB)", "RGB PSNR (dB)", "SSIM", "LPIPS", "photos whose light and shade lost (dB)"]
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
    rows = [[name, *(f"{scores[model]:.1f}" for model in MODELS)] for name, scores in found["undamaged"].items()]
    return markdown(["an undamaged grey photo comes back at, luminance PSNR (dB)", *map(title, MODELS)], rows)


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


def training_table(manifest: Json) -> str:
    rows = [[title(name), *trained(manifest["files"][f"{name}.safetensors"])] for name in MODELS]
    return markdown(["", "parameters", "photos seen", "minutes"], rows)


def trained(entry: Json) -> list[str]:
    """How large the network of an entry of the manifest is, and what it took to train."""
    last = read_log(entry["model"])[-1]
    return [f"{entry['parameters']:,}", f"{last['photos']:,}", f"{last['seconds'] / 60:.0f}"]
