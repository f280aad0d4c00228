"""`python -m train.export MODEL`: a run's averaged weights become a released file, its manifest entry and its card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import safetensors.torch
import typer

from restoration.files import write_atomically
from restoration.models import model as find_model
from restoration.models import models
from restoration.network.scratch_detector import SCRATCH_WEIGHTS
from restoration.weights import FOLDER
from restoration.weights.checkpoints import header

from . import RESULTS

CARDS = Path(__file__).resolve().parent / "cards"
CURVES = RESULTS / "training"


def losses_of(settings: Mapping[str, Any]) -> str:
    """The losses in words, with what features the perceptual one looks at."""
    names = [name.replace("_", " ") for name in {**settings["content"], **settings.get("adversarial_content", {})}]
    if "perceptual" in names:
        names[names.index("perceptual")] += f" (features of {settings['features']}, ImageNet)"
    names += ["adversarial"] if "adversarial_weight" in settings else []
    names += ["KL"] if "beta" in settings else []
    return ", ".join(names)


def release(name: str, contents: bytes, template: str, card: Mapping[str, Any], **entry: Any) -> None:
    """Write weights/``name``, its manifest ``entry`` and its card: ``template`` filled in by ``card`` and the entry."""
    tensors = safetensors.torch.load(contents)
    if not all(each.isfinite().all() for each in tensors.values()):
        raise SystemExit(f"The weights of {name} do not fit in fp16; train it again with a lower learning rate.")
    entry |= {
        "sha256": hashlib.sha256(contents).hexdigest(),
        "size": len(contents),
        "parameters": sum(each.numel() for each in tensors.values()),
        "scores": {},
    }
    write_atomically(FOLDER / name, contents)
    manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    if manifest["files"].get(name, {}).get("sha256") != entry["sha256"]:
        manifest["hub"] = {}  # what is published is another file
    manifest["files"][name] = entry
    write_atomically(FOLDER / "manifest.json", (json.dumps(manifest, indent=2) + "\n").encode())
    text = (CARDS / template).read_text(encoding="utf-8").format(**{**entry, "name": name, **card})
    write_atomically((FOLDER / name).with_suffix(".md"), text.encode())
    typer.echo(f"{FOLDER / name}: {len(contents):,} bytes, SHA-256 {entry['sha256']}")


def main(
    name: Annotated[str, typer.Argument(metavar="MODEL", help=f"{', '.join(models())}, or scratches.")],
    run: Annotated[Path | None, typer.Option(help="The run's folder \\[default: runs/MODEL].")] = None,
    data: Annotated[Path | None, typer.Option(help="A text on the photos that trained it, for the card.")] = None,
    licence: Annotated[str, typer.Option(help="What the photos allow.")] = "not stated",
) -> None:
    """Release what a run has become: weights/MODEL.safetensors, its manifest entry and its card."""
    run = run or Path("runs") / name
    file = run / "weights.safetensors"
    if not file.exists():
        raise SystemExit(f"{run} has no {file.name}; name the run that was trained with --run.")
    training = json.loads(header(file)["training"])
    config = training["config"]
    told = {
        **training,
        "init": f"`{training['init']}`" if training["init"] else "nothing",
        "data": data.read_text(encoding="utf-8").strip() if data else "Not stated.",
        "settings": json.dumps(config),
    }
    entry = {"model": name, "config": config["network"], "licence": licence}
    if name == "scratches":
        entry |= {
            "task": "detect",
            "title": "Scratches",
            "data": "pieces of photos, mostly large ones; see the card",
        }
        release(SCRATCH_WEIGHTS, file.read_bytes(), "scratches.md", told, **entry)
        return
    spec = find_model(name)
    told |= {"id": name, "summary": spec.summary, "losses": losses_of(config["objective"])}
    entry |= {"task": "restore", "title": spec.title, "data": f"{training['training_photos']:,} photos; see the card"}
    release(spec.weights, file.read_bytes(), "restorer.md", told, **entry)
    CURVES.mkdir(exist_ok=True, parents=True)
    write_atomically(CURVES / f"{name}.jsonl", (run / "log.jsonl").read_bytes())


if __name__ == "__main__":
    typer.run(main)
