"""`python -m train.publish --repo USER/NAME`: the released files become a model repository of the Hugging Face Hub, in
one commit, which the manifest then pins.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from huggingface_hub import CommitOperationAdd, EvalResult, HfApi, ModelCard, ModelCardData, constants, get_token
from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import validate_repo_id

from restoration.errors import WeightsError
from restoration.files import write_atomically
from restoration.weights import FOLDER, Entry, find, manifest, restorers

from . import RESULTS
from .export import CARDS

QUALITY = RESULTS / "quality.json"
BORROWED = {"see": ("Encoder", "LICENSE-EfficientNet.txt"), "upscale": ("Real-ESRGAN", "LICENSE-Real-ESRGAN.txt")}
"""Whose networks others trained, by their task, and the text of their licence."""

# What quality.json measured: the Hub's name for the metric, and ours.
MEASURES = {
    "psnr_luminance": ("psnr", "luminance PSNR (dB)"),
    "psnr": ("psnr", "RGB PSNR (dB)"),
    "ssim": ("ssim", "SSIM"),
    "lpips": ("lpips", "LPIPS, lower is closer"),
}
# Sets of photos with a name of their own: the metadata list those that the cards' text on the data names.
DATASETS = ("ImageNet", "Imagenette", "Caltech-101", "Intel scenes", "Flickr8k", "COCO")


def at_hand() -> dict[Path, Entry]:
    """Our networks' files, and those of Real-ESRGAN's that need not be fetched."""
    files = {}
    for name, entry in manifest().items():
        try:
            if (path := find(name)).name == name:  # not its twin in fp16, which nobody fetches
                files[path] = entry
        except WeightsError as error:
            if entry.task != "upscale":
                raise SystemExit(f"{FOLDER / name} is missing; run `git checkout weights`, or export it.") from error
    return files


def measured() -> dict[str, Any]:
    """quality.json, if it measured the released weights and the cards show it."""
    quality = json.loads(QUALITY.read_text(encoding="utf-8"))
    if quality["weights_sha256"] != {entry.model: entry.sha256 for entry in restorers()}:
        raise SystemExit(f"{QUALITY} measured other weights; run `python -m train.evaluate`, then `make results`.")
    for entry in restorers():
        scores = quality["conditions"]["original"]["scores"][entry.model]
        if entry.scores.get("gain") != {measure: cell["gain"] for measure, cell in scores.items()}:
            raise SystemExit(f"The cards in {FOLDER} do not show what {QUALITY} says; run `make results`.")
    return quality


def evaluation(quality: Mapping[str, Any]) -> list[EvalResult]:
    """The means over the photos that nobody trained on, for the card's metadata."""
    original = quality["conditions"]["original"]
    return [
        EvalResult(
            task_type="image-to-image",
            task_name="restore and colourise damaged photos",
            dataset_type=quality["shard"],
            dataset_name=f"{original['photos']} photos of {quality['shard']}, damaged by the preset original",
            metric_type=metric,
            metric_name=f"{entry.title}: {name}",
            metric_value=original["scores"][entry.model][measure]["mean"],
        )
        for entry in restorers()
        for measure, (metric, name) in MEASURES.items()
        if measure in original["scores"][entry.model]
    ]


def card(files: Mapping[Path, Entry], licence: str) -> str:
    """README.md: what is here, with the metadata that the Hub reads. Each network has a card of its own beside it."""
    entries = restorers()
    data = (FOLDER / f"{entries[0].model}.md").read_text(encoding="utf-8")
    upscalers = [f"- `{path.name}`: {each.title}" for path, each in files.items() if each.task == "upscale"]
    template = (CARDS / "hub.md").read_text(encoding="utf-8")
    body = template.format(
        titles=", ".join(entry.title for entry in entries),
        first=entries[0].model,
        networks="\n".join(f"- [{entry.title}]({entry.model}.md)" for entry in entries),
        upscalers="\n".join(upscalers),
        licence=licence,
    )
    results = evaluation(measured())
    metadata = ModelCardData(
        license="other",  # none that the Hub lists
        license_name=re.sub(r"[^a-z0-9]+", "-", entries[0].licence.lower().split(":")[0]).strip("-"),
        license_link="LICENSE.md",
        library_name="restoration-lab",
        pipeline_tag="image-to-image",
        tags=["image-restoration", "image-colorization", *(entry.model for entry in entries)],
        datasets=[name.replace(" ", "-") for name in DATASETS if name in data],
        metrics=list(dict.fromkeys(result.metric_type for result in results)),
        model_name="Restoration Lab",
        eval_results=results,
    )
    return str(ModelCard(f"---\n{metadata.to_yaml()}\n---\n\n{body}"))


def contents() -> dict[str, bytes]:
    """All files of the repository, by name."""
    files = at_hand()
    titles = ", ".join(entry.title for entry in restorers())
    own = "; ".join(dict.fromkeys(entry.licence for entry in restorers()))
    licence = f"- {titles}: {own}."
    for task, (title, text) in BORROWED.items():
        theirs = "; ".join(dict.fromkeys(entry.licence for entry in files.values() if entry.task == task))
        licence += f"\n- {title}: {theirs}; see `{text}`."
    found, config = {}, {}
    for path, entry in files.items():
        found[path.name], sha256 = path.read_bytes(), entry.files[path.name]
        if hashlib.sha256(found[path.name]).hexdigest() != sha256:
            raise SystemExit(f"{path} is damaged (its SHA-256 is not the manifest's); put a sound copy there.")
        held = {"id": entry.model, "title": entry.title, "config": entry.config, "parameters": entry.parameters}
        config[path.name] = {**held, "sha256": sha256}
    return {
        **found,
        **{f"{entry.model}.md": (FOLDER / f"{entry.model}.md").read_bytes() for entry in restorers()},
        "config.json": (json.dumps(config, indent=2) + "\n").encode(),
        "LICENSE.md": f"# Licence\n\n{licence}\n".encode(),
        **{text: (FOLDER / text).read_bytes() for _, text in BORROWED.values()},
        "README.md": card(files, licence).encode(),
    }


def upload(repo: str, files: Mapping[str, bytes]) -> str:
    """Make the repository hold ``files``, and tell its commit: a new one, unless they are there already."""
    if get_token() is None:
        raise SystemExit("You are not logged in to the Hugging Face Hub; run `hf auth login`, or set HF_TOKEN.")
    hub = HfApi()
    try:
        hub.create_repo(repo, repo_type="model", exist_ok=True)
        # Not upload_folder, which may split its files over several commits.
        additions = [CommitOperationAdd(name, each) for name, each in files.items()]
        return hub.create_commit(repo, additions, commit_message="Release the weights").oid
    except OfflineModeIsEnabled as error:
        raise SystemExit("HF_HUB_OFFLINE forbids to reach the Hub; unset it and publish again.") from error
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        raise SystemExit(refusal(error, repo)) from error


def refusal(error: Exception, repo: str) -> str:
    """Why the Hub did not take the files, and what to do."""
    error = error.__cause__ if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception) else error
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status == 401:
        return "The Hub does not know your token; run `hf auth login` with a new one."
    if status == 403:
        return f"You may not write to {repo}; run `hf auth login` with a token that may, or name a repository of yours."
    if isinstance(error, HTTPError) and response is None:
        return f"No connection to {constants.ENDPOINT}; check the network and publish again."
    return f"The Hub did not take {repo} ({' '.join(str(error).split())}); publish again later."


def main(
    repo: Annotated[str, typer.Option(metavar="USER/NAME", help="The repository; made where there is none.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Publish the released weights on the Hugging Face Hub, with their card, and pin the commit in the manifest."""
    try:
        validate_repo_id(repo)
        _, _ = repo.split("/")
    except ValueError as error:  # of both
        raise SystemExit(f"{repo!r} is no name of a repository; give one like USER/NAME.") from error
    try:
        files = contents()
    except WeightsError as error:
        raise SystemExit(str(error)) from error
    except OSError as error:
        raise SystemExit(f"{error.filename} cannot be read ({error.strerror}); put it back.") from error
    path = FOLDER / "manifest.json"
    if dry_run:
        sizes = "\n".join(f"{len(each):>12,}  {name}" for name, each in files.items())
        typer.echo(f"{constants.ENDPOINT}/{repo} would be made where it is not, and hold, in bytes:\n{sizes}")
        typer.echo(f"{path} would pin its commit.\nREADME.md:\n{files['README.md'].decode()}")
        return
    revision = upload(repo, files)
    typer.echo(f"{constants.ENDPOINT}/{repo}/tree/{revision}: {len(files)} files.")
    entries = json.loads(path.read_text(encoding="utf-8"))["files"]
    hub = {"repo": repo, "revision": revision, "files": [name for name in files if name in entries]}
    write_atomically(path, (json.dumps({"hub": hub, "files": entries}, indent=2) + "\n").encode())
    typer.echo(f"{path} pins this commit.")


if __name__ == "__main__":
    typer.run(main)
