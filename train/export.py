"""`python -m train.export MODEL`: a run's averaged weights become a released file, its manifest entry and its card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import safetensors.torch
import torch
import typer
from torch import nn

from restoration.image import write_whole
from restoration.models import model as find_model
from restoration.weights import FOLDER

CURVES = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "training"

CARD = """\
# {title}

{summary}

| | |
|---|---|
| file | `{name}`, {parameters:,} parameters, fp16 safetensors, {size:,} bytes |
| SHA-256 | `{sha256}` |
| input, output | `[B, 3, 128, 128]` RGB in [0, 1]; only the luminance is read |
| predicts | a luminance residual and two chroma planes |
| training | {photos:,} photos seen in {minutes:.0f} minutes on {device} |
| settings | `{settings}` |
| losses | {losses} |
| licence | {licence} |

## Scores

<!-- scores -->
<!-- /scores -->

## Data

{data}

To train on photos of your own: `python -m train {id} --photos FOLDER`, then `python -m train.export {id}`.

## Limits

Colours are a guess from grey: plausible at best, often muted, sometimes wrong. Nothing finer than 128x128 pixels comes
back, and faces are not recognised as anybody's. Do not use it to establish what an old photo showed.
"""


def read_checkpoint(run: Path) -> dict[str, Any]:
    """A run's checkpoint, on the CPU."""
    if not (run / "checkpoint.pt").exists():
        raise SystemExit(f"{run} has no checkpoint; name the run that `python -m train` wrote with --run.")
    return torch.load(run / "checkpoint.pt", map_location="cpu")


def averaged(name: str, state: Mapping[str, Any]) -> nn.Module:
    """A checkpoint's network with its averaged weights, in evaluation mode."""
    network = find_model(name).build(state["config"]["network"])
    average = {key[7:]: value for key, value in state["ema"].items() if key.startswith("module.")}
    network.load_state_dict(average)
    return network.eval()


def losses_of(settings: Mapping[str, Any]) -> str:
    """The losses in words, with what features the perceptual one looks at."""
    names = [name.replace("_", " ") for name in {**settings["content"], **settings.get("adversarial_content", {})}]
    if "perceptual" in names:
        names[names.index("perceptual")] += f" (features of {settings['features']}, ImageNet)"
    names += ["adversarial"] if "adversarial_weight" in settings else []
    names += ["KL"] if "beta" in settings else []
    return ", ".join(names)


def main(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="vae, gan or cnn")],
    run: Annotated[Path | None, typer.Option(help="The run's folder [default: runs/MODEL].")] = None,
    data: Annotated[Path | None, typer.Option(help="A text on the photos that trained it, for the card.")] = None,
    licence: Annotated[str, typer.Option(help="What the photos allow.")] = "not stated",
) -> None:
    """Write weights/MODEL.safetensors, its manifest entry and its card from a run's checkpoint."""
    spec = find_model(name)
    run = run or Path("runs") / name
    state = read_checkpoint(run)
    config = state["config"]["network"]
    network = averaged(name, state)
    tensors = {k: v.half().contiguous() for k, v in network.state_dict().items() if v.is_floating_point()}
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise SystemExit(f"The {spec.title}'s weights do not fit in fp16; train it again with a lower learning rate.")
    contents = safetensors.torch.save(tensors, {"model": name, "config": json.dumps(config)})
    entry = {
        "model": name,
        "task": "restore",
        "title": spec.title,
        "sha256": hashlib.sha256(contents).hexdigest(),
        "size": len(contents),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "config": config,
        "licence": licence,
        "data": f"{state['training_photos']:,} photos; see the card",
        "scores": {},
    }
    write_whole(FOLDER / spec.weights, contents)
    manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    if manifest["files"].get(spec.weights, {}).get("sha256") != entry["sha256"]:
        manifest["hub"] = {}  # what is published is another file
    manifest["files"][spec.weights] = entry
    write_whole(FOLDER / "manifest.json", (json.dumps(manifest, indent=2) + "\n").encode())
    card = CARD.format(
        **{**entry, "data": data.read_text(encoding="utf-8").strip() if data else "Not stated."},
        id=name,
        name=spec.weights,
        summary=spec.summary,
        photos=state["photos"],
        minutes=state["seconds"] / 60,
        losses=losses_of(state["config"]["objective"]),
        device=state["device"],
        settings=json.dumps(state["config"]),
    )
    write_whole(FOLDER / f"{name}.md", card.encode())
    CURVES.mkdir(exist_ok=True, parents=True)
    write_whole(CURVES / f"{name}.jsonl", (run / "log.jsonl").read_bytes())
    typer.echo(f"{FOLDER / spec.weights}: {len(contents):,} bytes, SHA-256 {entry['sha256']}")


if __name__ == "__main__":
    typer.run(main)
