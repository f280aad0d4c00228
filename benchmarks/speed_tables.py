"""What the benchmarks timed, as tables and sentences."""

from __future__ import annotations

from .markdown import MODELS, Json, markdown, milliseconds, title


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
        "upscale_quality": markdown(["", "RGB PSNR (dB), against bicubic", "LPIPS"], pictures, furthest),
        "upscale_speed": markdown(head, speed, where),
    }


def app_table(app: Json) -> str:
    """How long a visitor waits."""
    times = f"{app['start'] / app['imports']:.2f}× the bare imports of torch and gradio ({app['imports']:.1f} s)"
    rows = [
        ["from the command to the first answer", f"{app['start']:.1f} s, {times}"],
        ["from there to the first paint, in Chromium", f"{app['paint']:.2f} s"],
        ["a slider's move to the new damage", f"{app['preview']:.0f} ms"],
        ["restore by one model", f"{app['one']:.0f} ms; with ×4 (`fast`) {app['one_x4']:.0f} ms"],
        ["restore by all three", f"{app['all']:.0f} ms; with ×4 (`fast`) {app['all_x4']:.0f} ms"],
        ["robustness, three models at eight severities", f"{app['sweep'] / 1000:.1f} s"],
    ]
    where = f"On {app['cores']} CPU cores, warm, from the click to the pictures in Chromium: medians of one run."
    return markdown(["what a visitor waits for", "median"], rows, where)


def first_result_table(found: Json) -> str:
    """How near a visitor's first result is."""
    desk, phone = (f"{found[each]['width']} pixels wide, its top at {found[each]['top']}" for each in ("desk", "phone"))
    rows = [
        ["clicks after the choice of a file", str(found["clicks"])],
        ["the first restored picture on a desk, 1280×900", desk],
        ["on a phone, 390×844", phone],
        ["presses of Tab to Restore", str(found["tabs"])],
        ["from the first paint to the example", f"{found['opening']:.1f} s"],
        ["from a photo of 1024×1024 to its first restored picture", f"{found['first']:.1f} s"],
        ["to all three", f"{found['all']:.1f} s"],
    ]
    return markdown(["what a visitor meets", ""], rows)


def load_table(load: Json) -> str:
    """What many visitors at once wait for, and what the machine gets done."""
    waits = [
        [kind, str(each["count"]), *(f"{each[name]:.1f} s" for name in ("p50", "p95", "max"))]
        for kind, each in load["waits"].items()
    ]
    megabytes = [f"{load['memory'][when] / 1e6:.0f}" for when in ("before", "peak")]
    said = (
        f"{load['visitors']} visitors at once for {load['seconds']:.0f} s on {load['cores']} cores: "
        f"{load['per_second']:.1f} requests a second, {len(load['failures'])} failures, {load['mixed_up']} results "
        f"mixed up, {load['queue_full']} answers that the queue is full. The app's memory rose from {megabytes[0]} to "
        f"{megabytes[1]} MB at most."
    )
    return markdown(["what a visitor waits for", "done", "median", "95 %", "longest"], waits, said)


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
    by = f"{threads} threads"
    head = ["a photo of 128×128", f"alone, {by}", "alone, 1 thread", f"of 8, {by}", f"of 32, {by}", "most photos/s"]
    best = {name: timed[threads]["32"][name] / operations[name] for name in ("convolutions", *MODELS)}
    share = ", ".join(f"{name.upper()} {best['convolutions'] / best[name]:.0%}" for name in MODELS)
    whole = sum(timed[threads]["1"][name] for name in MODELS)
    said = (
        f"The three one after the other: {milliseconds(whole)}. Of the rate of same-sized convolutions, in batches of "
        f"32: {share}."
    )
    where = f"On {speed['cores']} CPU cores, PyTorch {speed['versions']['torch']}, in turns, medians of one run."
    return markdown([*head, "alone, as fast as the original VAE"], rows, said, where)


def path_table(path: Json) -> str:
    """The stages of a photo's way, and what all of them take together that are no network."""
    rows = [[stage, milliseconds(seconds)] for stage, seconds in path.items()]
    without = sum(path[stage] for stage in ("decode", "degrade", "measure", "encode"))
    said = (
        f"Decoding, degrading, measuring and encoding together: {milliseconds(without)}; with the enlarged picture's"
        f" encoding {milliseconds(without + path['encode the enlarged'])}."
    )
    return markdown(["one photo of 128×128", "median"], rows, said)


def start_table(start: Json) -> str:
    seconds = start["seconds"]
    rows = [[f"`{name}`", f"{each:.2f} s", f"{each / seconds['import torch']:.2f}×"] for name, each in seconds.items()]
    heaviest = ", ".join(f"{name} {each:.2f} s" for name, each in start["imports"].items())
    said = f"What `restore` imports, by package: {heaviest}."
    return markdown(["a whole process", "median", "against `import torch`"], rows, said)


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
    squares = "against the same pixels in squares of 128×128, eight at once"
    head = ["a photo of", "decode and fit to 128×128", "restore whole", squares, "peak memory of `restore`"]
    where = f"By the {found['model'].upper()}, on {found['cores']} CPU cores, in turns, medians of one run."
    return markdown([*head, "enlarge ×2 (`fast`)"], rows, where)
