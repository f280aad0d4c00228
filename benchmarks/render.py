"""`python -m benchmarks.render`: every table, from benchmarks/results: README, RESULTS.md, docs, cards, the manifest.

With ``--check`` nothing is written: it fails where a file does not say what was measured, or where a released file has
changed since.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import about_page
from restoration.weights import restorers

ROOT = Path(__file__).resolve().parent.parent

MODELS = tuple(entry.model for entry in restorers())

Json = dict[str, Any]


def results(name: str) -> Json:
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


# --- Tables -----------------------------------------------------------------------------------------------------------


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def with_gain(cell: Json, digits: int) -> str:
    low, high = cell["interval"]
    return f"{cell['mean']:.{digits}f} ({cell['gain']:+.{digits}f}; {low:+.{digits}f} to {high:+.{digits}f})"


def title(candidate: str) -> str:
    """Our models stand out."""
    return (
        f"**{candidate.upper()}**" if candidate in MODELS else {"degraded": "degraded input"}.get(candidate, candidate)
    )


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


def opponents_table(quality: Json, opponents: Json, models: Sequence[str]) -> str:
    """Our models stand among them where both were measured on the same photos."""
    condition = quality["conditions"]["original"]
    rows = {name: row for name, row in opponents["scores"].items() if name != "degraded"}
    same = (opponents["photos"], opponents["shard"]) == (condition["photos"], quality["shard"])
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


def upscale_tables(upscaling: Json) -> dict[str, str]:
    """The engines' pictures, speed and memory."""
    scores = upscaling["quality"]["scores"]
    pictures = [
        [f"**{name}**", f"{each['psnr']:.2f} ({each['psnr'] - scores['bicubic']['psnr']:+.2f})", f"{each['lpips']:.3f}"]
        for name, each in scores.items()
    ]
    speed = []
    for name, each in upscaling["speed"].items():
        ours, theirs = each["seconds"]["ours"], each["seconds"]["RealESRGANer"]
        peaks = [f"{side}×{side}: {run['bytes'] / 1e9:.2f} GB" for side, run in upscaling["command"][name].items()]
        row = [f"**{name}**", f"{ours * 1000:.0f} ms", f"{theirs * 1000:.0f} ms", f"{theirs / ours:.2f}×"]
        speed.append([*row, f"{each['difference']}/255", ", ".join(peaks)])
    each = upscaling["quality"]["psnr_of_each"]
    loss = {photo: score - each["bicubic"][photo] for photo, score in each["x4plus"].items()}
    worst = min(loss, key=lambda photo: loss[photo])
    furthest = f"Furthest from bicubic: `x4plus` on {worst}, {loss[worst]:+.1f} dB."
    head = ["128×128 → 512×512", "ours", "`RealESRGANer`", "as fast", "largest difference", "peak memory of `upscale`"]
    where = f"On {upscaling['cores']} CPU cores, PyTorch {upscaling['torch']}, called in turn, medians of one run."
    return {
        "upscale_quality": f"{markdown(['', 'RGB PSNR (dB), against bicubic', 'LPIPS'], pictures)}\n\n{furthest}",
        "upscale_speed": f"{markdown(head, speed)}\n\n{where}",
    }


def app_table(app: Json) -> str:
    """How long a visitor waits."""
    engine = app["engine"]
    rows = [
        ["from the command to the first answer", f"{app['start']:.1f} s, {app['start'] / app['imports']:.2f}× the bare "
         f"imports of torch and gradio ({app['imports']:.1f} s)"],
        ["from there to the first paint, in Chromium", f"{app['paint']:.2f} s"],
        ["a slider's move to the new damage", f"{app['preview']:.0f} ms"],
        ["restore by one model", f"{app['one']:.0f} ms; with ×4 (`{engine}`) {app['one_x4']:.0f} ms"],
        ["restore by all three", f"{app['all']:.0f} ms; with ×4 (`{engine}`) {app['all_x4']:.0f} ms"],
        ["robustness, three models at eight severities", f"{app['sweep'] / 1000:.1f} s"],
    ]  # fmt: skip
    where = f"On {app['cores']} CPU cores, warm, from the click to the pictures in Chromium: medians of one run."
    return f"{markdown(['what a visitor waits for', 'median'], rows)}\n\n{where}"


def first_result_table(found: Json) -> str:
    """How near a visitor's first result is."""

    def place(screen: Json) -> str:
        return f"{screen['width']} pixels wide, its top at {screen['top']}"

    rows = [
        ["clicks after the choice of a file", str(found["clicks"])],
        ["the first restored picture on a desk, 1280×900", place(found["desk"])],
        ["on a phone, 390×844", place(found["phone"])],
        ["presses of Tab to Restore", str(found["tabs"])],
        ["from the first paint to the example", f"{found['opening']:.1f} s"],
        ["from a photo of 1024×1024 to its first restored picture", f"{found['first']:.1f} s"],
        ["to all three", f"{found['all']:.1f} s"],
    ]
    return markdown(["what a visitor meets", ""], rows)


def load_table(load: Json) -> str:
    """What many visitors at once wait for, and what the machine gets done."""
    crowd, alone = load["crowd"], [load[when]["throughput"] for when in ("before", "after")]
    waits = [
        [kind, str(each["count"]), *(f"{each[name]:.1f} s" for name in ("p50", "p95", "max"))]
        for kind, each in crowd["waits"].items()
    ]
    megabytes = [f"{load['memory'][when] / 1e6:.0f}" for when in ("before", "peak")]
    said = (
        f"{load['visitors']} visitors at once for {crowd['seconds']:.0f} s on {load['cores']} cores: "
        f"{crowd['per_second']:.1f} requests a second, {crowd['throughput'] / (sum(alone) / 2):.2f}× the work that one "
        f"visitor gets done, {len(crowd['failures'])} failures, {crowd['mixed_up']} results mixed up, "
        f"{crowd['queue_full']} answers that the queue is full. The app's memory rose from {megabytes[0]} to "
        f"{megabytes[1]} MB at most."
    )
    return f"{markdown(['what a visitor waits for', 'done', 'median', '95 %', 'longest'], waits)}\n\n{said}"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.{0 if seconds >= 0.01 else 1}f} ms"


def speed_tables(speed: Json) -> dict[str, str]:
    """How quick the networks, the whole path and the start are, by the name of the table."""
    return {
        "speed_networks": networks_table(speed),
        "speed_path": path_table(speed["path"]),
        "speed_start": start_table(speed["start"]),
    }


def networks_table(speed: Json) -> str:
    """A photo's time and the rate of the machine, by candidate, threads and batch."""
    timed, operations = speed["networks"]["seconds"], speed["networks"]["operations"]
    threads = str(speed["threads"])
    rows = []
    for name, each in timed[threads]["1"].items():
        work = operations.get(name)
        cells = []
        for count, batch in ((threads, "1"), ("1", "1"), (threads, "8"), (threads, "32")):
            seconds = timed[count][batch].get(name)
            photos = 1 if name == "matrix product" else int(batch)
            rate = f" ({work * photos / seconds / 1e9:.0f} GFLOP/s)" if work and seconds else ""
            cells.append(f"{milliseconds(seconds / photos)}{rate}" if seconds else "–")
        rates = [int(batch) / seconds[name] for batch, seconds in timed[threads].items() if name in seconds]
        most = "–" if name == "matrix product" else f"{max(rates):.0f}"
        restores = name not in ("matrix product", "convolutions")
        against = f"{timed[threads]['1']['vae-original'] / each:.1f}×" if restores else "–"
        rows.append([title(name), *cells, most, against])
    head = ["a photo of 128×128", f"alone, {threads} threads", "alone, 1 thread", f"of 8, {threads} threads",
            f"of 32, {threads} threads", "most photos/s", "alone, as fast as the original VAE"]  # fmt: skip
    best = {name: timed[threads]["32"][name] / operations[name] for name in ("convolutions", *MODELS)}
    share = ", ".join(f"{name.upper()} {best['convolutions'] / best[name]:.0%}" for name in MODELS)
    whole = sum(timed[threads]["1"][name] for name in MODELS)
    said = (
        f"The three one after the other: {milliseconds(whole)}. Of the rate of same-sized convolutions, in batches of "
        f"32: {share}."
    )
    where = f"On {speed['cores']} CPU cores, PyTorch {speed['versions']['torch']}, in turns, medians of one run."
    return f"{markdown(head, rows)}\n\n{said}\n\n{where}"


def path_table(path: Json) -> str:
    """The stages of a photo's way, and what all of them take together that are no network."""
    rows = [[stage, milliseconds(seconds)] for stage, seconds in path.items()]
    without = sum(path[stage] for stage in ("decode", "degrade", "measure", "encode"))
    said = (
        f"Decoding, degrading, measuring and encoding together: {milliseconds(without)}; with the enlarged picture's"
        f" encoding {milliseconds(without + path['encode the enlarged'])}."
    )
    return f"{markdown(['one photo of 128×128', 'median'], rows)}\n\n{said}"


def start_table(start: Json) -> str:
    seconds = start["seconds"]
    rows = [[f"`{name}`", f"{each:.2f} s", f"{each / seconds['import torch']:.2f}×"] for name, each in seconds.items()]
    heaviest = ", ".join(f"{name} {each:.2f} s" for name, each in start["imports"].items())
    table = markdown(["a whole process", "median", "against `import torch`"], rows)
    return f"{table}\n\nWhat `restore` imports, by package: {heaviest}."


def pixels_table(found: Json) -> str:
    """What a whole photo takes, by its size; memory beyond that of the smallest."""
    rows = []
    least = min(each["bytes"] for each in found["sides"].values())
    for side, each in found["sides"].items():
        seconds, area = each["seconds"], int(side) ** 2
        memory = f"{each['bytes'] / 1e6:.0f} MB"
        if area > 1e6:
            memory += f", {(each['bytes'] - least) / area:.0f} bytes a pixel more than the smallest"
        enlarged = milliseconds(seconds["enlarge ×2"]) if "enlarge ×2" in seconds else "–"
        ratio = f"{seconds['restore whole'] / seconds['squares']:.2f}×"
        times = [milliseconds(seconds[way]) for way in ("decode and fit", "restore whole")]
        rows.append([f"{side}×{side}", *times, ratio, memory, enlarged])
    head = ["a photo of", "decode and fit to 128×128", "restore whole", "against the same pixels in squares of 128×128,"
            " eight at once", "peak memory of `restore`", "enlarge ×2 (`fast`)"]  # fmt: skip
    where = f"By the {found['model'].upper()}, on {found['cores']} CPU cores, in turns, medians of one run."
    return f"{markdown(head, rows)}\n\n{where}"


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


# --- Files ------------------------------------------------------------------------------------------------------------


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
    quality, opponents, latent, pictures, upscaling, app = map(
        results, ("quality", "opponents", "latent", "pictures", "upscale", "app")
    )
    manifest = json.loads((ROOT / "weights" / "manifest.json").read_text(encoding="utf-8"))
    entries = {entry["model"]: entry for entry in manifest["files"].values() if entry["task"] == "restore"}
    models = list(entries)
    hashes = {name: entry["sha256"] for name, entry in entries.items()}
    if quality["weights_sha256"] != hashes:
        raise SystemExit("The scores are of other weights; run `python -m train.evaluate` again.")
    if pictures["weights_sha256"] != hashes:
        raise SystemExit("The pictures are of other weights; run `python -m benchmarks.pictures` again.")

    own_size = results("whole")
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
    scratched = results("scratches")
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
        "opponents": opponents_table(quality, opponents, models),
        "latent": latent_table(latent),
        "training": training_table(manifest, models),
        "downloads": downloads(manifest),
        **upscale_tables(upscaling),
        "app": app_table(app),
        "first_result": first_result_table(results("first_result")),
        **speed_tables(results("speed")),
        "pixels": pixels_table(results("pixels")),
        **{f"own_size_{preset}": own_size_section(own_size, preset) for preset in own_size["presets"]},
        "own_size_notes": own_size_notes(own_size),
        "undamaged": undamaged_table(own_size),
        "scratches": scratches_section(scratched),
        "load": load_table(results("load")),
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
    stale = {path: text for path, text in rendered().items() if path.read_text(encoding="utf-8") != text}
    if "--check" not in sys.argv:
        for path, text in stale.items():
            path.write_text(text, encoding="utf-8")
    elif stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        raise SystemExit(f"Not what benchmarks/results says: {names}; run `make results`.")


if __name__ == "__main__":
    main()
