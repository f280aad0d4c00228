"""A run's folder: the checkpoint from which it goes on exactly, and the weights that it has reached."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from restoration.files import write_atomically
from restoration.weights import checkpoints


def locate(run: Path, resume: bool) -> Path:
    """Where a run keeps its checkpoint: it must be there to be resumed, and must not be for a run to begin."""
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists() != resume:
        there = "has no checkpoint to resume from" if resume else "has a checkpoint already; go on with --resume"
        raise SystemExit(f"{run} {there}, or choose another --run.")
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"{run} cannot be made ({error.strerror}); choose another --run.") from error
    return checkpoint


def save(path: Path, state: dict[str, Any]) -> None:
    """Whole or not at all: a kill in mid-write leaves the previous checkpoint."""
    contents = io.BytesIO()
    torch.save(state, contents)
    aside = path.with_suffix(".tmp")
    try:
        with aside.open("wb") as file:
            file.write(contents.getbuffer())
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
        os.replace(aside, path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise SystemExit(
            f"{path} cannot be written ({error.strerror}); make room, and go on from the last checkpoint with --resume."
        ) from error


def start_from(network: nn.Module, path: Path) -> list[str]:
    """Give ``network`` what fits of a weights file; returns the names of what it keeps of its own."""
    held = checkpoints.read(path, checkpoints.contents_of(path))[1]
    own = network.state_dict()
    fitting = {name: each for name, each in held.items() if name in own and each.shape == own[name].shape}
    network.load_state_dict(fitting, strict=False)
    return [name for name in own if name not in fitting and not name.startswith("encoder.")]


def mix_in(network: nn.Module, start: Mapping[str, Tensor], share: float) -> None:
    """Give ``network`` back a ``share`` of what it began with: the mean of two ends does better than either.

    Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models ...".
    """
    for name, own in network.state_dict().items():
        if own.is_floating_point():
            own.lerp_(start[name].to(own.device), share)


def in_half_precision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A network's tensors as they are released: in fp16, without the encoder, which is a file of its own."""
    own = {name: each for name, each in tensors.items() if not name.startswith("encoder.")}
    return {name: each.half().cpu().contiguous() for name, each in own.items() if each.is_floating_point()}


def write_weights(path: Path, network: nn.Module, model: str, training: Mapping[str, Any]) -> None:
    """What a network has become, as it would be released; ``training`` says how, for `train.export`."""
    metadata = {"model": model, "config": json.dumps(training["config"]["network"]), "training": json.dumps(training)}
    write_atomically(path, safetensors.torch.save(in_half_precision(network.state_dict()), metadata))
