"""Weights files: ours (safetensors, whose header names the model), Real-ESRGAN's (.pth) and the original project's."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import RestorationError, WeightsError, no_room
from ..machine import is_lack

if TYPE_CHECKING:
    import torch

PARTS = {
    "vae": ("fc_mu.weight", "vae_unet_best.pth"),
    "gan": ("u3.1.weight", "gan_best.pth or checkpoint_epoch_N.pth"),
    "cnn1": ("body.5.block.4.weight", "epoch_N.pth"),
    "cnn2": ("down1.1.net.0.weight", "color_epoch_N.pth"),
}
"""The original project's networks: a key that only this one has, and the names of its files."""
WRAPPINGS = ("params_ema", "params", "model_state_dict", "gen_state_dict")
"""Under what keys Real-ESRGAN (in the order that it prefers) and the original save weights, unless a file is nothing
else."""


@dataclass(frozen=True, kw_only=True)
class Original:
    """A model of the original project: ``asked`` is how it is called where the user gives its files."""

    title: str
    asked: str
    parts: tuple[str, ...]


ORIGINALS = {
    "vae-original": Original(title="VAE (original)", asked="vae", parts=("vae",)),
    "gan-original": Original(title="GAN (original)", asked="gan", parts=("gan",)),
    "cnn-original": Original(title="CNN (original)", asked="cnn", parts=("cnn1", "cnn2")),
    "cnn1": Original(title="CNN1 (original)", asked="cnn1", parts=("cnn1",)),
}
"""By id; the CNN before its first half alone. The last part is what only this model has."""


def part(path: Path) -> str | None:
    """Which of `PARTS` a file holds, None where it is something else; raises `WeightsError` where it cannot be read."""
    stat = path.stat()
    return _part(path, stat.st_size, stat.st_mtime_ns)


@cache
def _part(path: Path, size: int, modified: int) -> str | None:
    """Of one state of the file: a pickle's keys take a while to read."""
    if path.suffix == ".pth":
        keys = keys_of(path)
        return next((name for name, (key, _) in PARTS.items() if key in keys), None)
    name, _, rest = header(path).get("model", "").partition("-")
    return name if rest == "original" and name in PARTS else None


def keys_of(path: Path) -> list[str]:
    """The keys of a pickle's weights, or of what it holds instead. Raises `WeightsError`."""
    with path.open("rb") as file:
        is_zip = zipfile.is_zipfile(file)  # if not, it was written before PyTorch 1.6, and cannot be mapped
        file.seek(0)
        return list(_state(path, file, mmap=str(path) if is_zip else None))


def foreign(path: Path, expected: Iterable[str]) -> WeightsError:
    """The refusal of a file that holds no weights for anything here."""
    if path.is_dir():
        found = ", ".join(sorted(each.name for each in path.iterdir())) or "an empty folder"
    elif path.suffix == ".pth":
        found = ", ".join(keys_of(path)) or "nothing that has keys"
    elif path.suffix == ".safetensors":
        found = f"the header's model {header(path).get('model')!r}"
    else:
        found = f"a file that ends in {path.suffix!r}"
    wanted = ", ".join(expected) or "a checkpoint of the original project"
    originals = ", ".join(f"{name} (with the key {key})" for key, name in PARTS.values())
    found = textwrap.shorten(found, 300, placeholder=" ...")
    return WeightsError("weights_foreign", path=path, expected=wanted, originals=originals, found=found)


def header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, read without torch; other files have none. Raises `WeightsError`."""
    import safetensors

    if path.suffix != ".safetensors":
        return {}
    try:
        with safetensors.safe_open(path, "np") as file:
            return file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise WeightsError("weights_incomplete", path=path, reason=str(error)) from error


def read(path: Path, contents: bytes) -> tuple[Any, dict[str, torch.Tensor]]:
    """The config in the header (None in a pickle), and the tensors, the floating ones as float32.

    Raises `WeightsError` for a file that holds no weights, or numbers that are none.
    """
    is_pickle = path.suffix == ".pth"
    config, tensors = (None, _read_pickle(path, contents)) if is_pickle else _read_safetensors(path, contents)
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise WeightsError("weights_undefined", path=path)
    return config, {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in tensors.items()}


def original(path: Path) -> tuple[str, dict[str, torch.Tensor]]:
    """Which of `PARTS` a checkpoint is, and its tensors as they are; raises `WeightsError` for any other file."""
    contents = contents_of(path)
    found = part(path) if path.suffix == ".pth" else None
    if found is None:
        raise foreign(path, [])
    return found, _read_pickle(path, contents)


def packed(part: str, tensors: Mapping[str, torch.Tensor]) -> bytes:
    """One of `PARTS` as safetensors, number by number."""
    import safetensors.torch

    metadata = {"model": f"{part}-original", "config": "{}"}
    return safetensors.torch.save({key: tensor.clone().contiguous() for key, tensor in tensors.items()}, metadata)


def contents_of(path: Path) -> bytes:
    """The file's bytes; raises `WeightsError` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError("weights_unreadable", path=path, reason=error.strerror) from error


def _read_safetensors(path: Path, contents: bytes) -> tuple[Any, dict[str, torch.Tensor]]:
    import safetensors.torch

    try:
        return json.loads(header(path).get("config", "null")), safetensors.torch.load(contents)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise WeightsError("weights_incomplete", path=path, reason=str(error)) from error


def _read_pickle(path: Path, contents: bytes) -> dict[str, torch.Tensor]:
    import torch

    state = _state(path, io.BytesIO(contents))
    if not state or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise WeightsError("weights_pickle", path=path)
    return state


def _state(path: Path, file: BinaryIO, *, mmap: str | None = None) -> dict[str, Any]:
    """A pickle's weights themselves, out of what Real-ESRGAN and the original project save around them.

    It is read by torch's `weights_only`: tensors and plain containers, never code. With ``mmap``, the file's path,
    tensors stay on the disk as long as nobody wants them.
    """
    import torch

    try:
        values = torch.load(mmap or file, map_location="cpu", weights_only=True, mmap=bool(mmap))
    except MemoryError:
        raise
    except Exception as error:  # unpickling raises whatever the file makes it trip over
        raise WeightsError("weights_pickle", path=path) from error
    if not isinstance(values, dict):
        return {}
    wrapped = (values[key] for key in WRAPPINGS if isinstance(values.get(key), dict))
    return {str(key): value for key, value in next(wrapped, values).items()}


def architecture_mismatch(path: Path, error: Exception) -> RestorationError:
    """The refusal of weights that a network did not take, with torch's reason, unless that is a lack of memory."""
    if is_lack(error):
        return no_room(path.name)
    return WeightsError("weights_of_another", path=path, reason=textwrap.shorten(str(error), 200, placeholder=" ..."))
