from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch

from restoration import Photo, Restorer, WeightsError, upscale, weights

NAME = "vae.safetensors"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of weights/ that may be damaged."""
    copy = tmp_path / "weights"
    shutil.copytree(weights.FOLDER, copy)
    monkeypatch.setattr(weights, "FOLDER", copy)
    return copy


@pytest.mark.parametrize("name", weights.manifest())
def test_released_files_are_what_the_manifest_says(name: str) -> None:
    entry, path = weights.manifest()[name], weights.FOLDER / name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256
    assert path.stat().st_size == entry.size <= 16 * 2**20
    tensors = weights.load(name).tensors
    assert all(tensor.dtype == torch.float32 and tensor.isfinite().all() for tensor in tensors.values())
    if entry.model in ("vae", "gan", "cnn"):
        assert all(tensor.dtype == torch.float16 for tensor in safetensors.torch.load_file(path).values())


def test_a_missing_file(folder: Path, photo: Photo) -> None:
    (folder / NAME).unlink()
    with pytest.raises(WeightsError, match="missing; restore it"):
        Restorer().restore(photo, "vae")


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_file(folder: Path, photo: Photo, damage: str) -> None:
    contents = bytearray((folder / NAME).read_bytes())
    contents[len(contents) // 2] ^= 1
    (folder / NAME).write_bytes({"flip": contents, "cut": contents[:1000], "empty": b""}[damage])
    with pytest.raises(WeightsError, match=r"SHA-256.*restore it"):
        Restorer().restore(photo, "vae")


def test_a_manifest_that_cannot_be_read(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")
    weights.manifest.cache_clear()
    try:
        with pytest.raises(WeightsError, match="cannot be read"):
            weights.manifest()
    finally:
        weights.manifest.cache_clear()


def test_explicit_paths_come_first(folder: Path, tmp_path: Path, photo: Photo) -> None:
    """One's own file needs no manifest, but must be a whole file of the right model."""
    checkpoint = weights.load(NAME)
    halved = {name: tensor / 2 for name, tensor in checkpoint.tensors.items()}
    with safetensors.safe_open(folder / NAME, "pt") as file:
        metadata = file.metadata()
    own = tmp_path / "own" / "mine.safetensors"
    own.parent.mkdir()
    safetensors.torch.save_file(halved, own, metadata)
    result = Restorer(weights=[own]).restore(photo, "vae")
    assert result.weights_sha256 == hashlib.sha256(own.read_bytes()).hexdigest()
    assert weights.load("cnn.safetensors", [own]).path.parent == folder  # not this model's: the released ones
    with pytest.raises(WeightsError, match="no weights for what was asked"):
        Restorer(weights=[own]).prepare(["cnn"])
    Restorer(weights=[own]).prepare(["cnn", "vae"])

    in_folder = own.rename(own.with_name(NAME))
    assert weights.find(NAME, [own.parent]) == in_folder


def test_explicit_paths_that_do_not_work(tmp_path: Path, photo: Photo) -> None:
    with pytest.raises(WeightsError, match="no weights at"):
        Restorer(weights=[tmp_path / "none"]).restore(photo, "vae")
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match="holds no weights"):
        Restorer(weights=[tmp_path / "empty"])
    half = tmp_path / "half.safetensors"
    half.write_bytes((weights.FOLDER / NAME).read_bytes()[:5000])
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        Restorer(weights=[half]).restore(photo, "vae")


def test_numbers_that_are_none_are_refused(tmp_path: Path, photo: Photo) -> None:
    """They would give a black picture that looks like a result."""
    tensors = dict(weights.load(upscale.WEIGHTS).tensors)
    next(iter(tensors.values()))[0] = float("nan")
    safetensors.torch.save_file(tensors, tmp_path / upscale.WEIGHTS)
    with pytest.raises(WeightsError, match="infinite or undefined"):
        Restorer(weights=[tmp_path]).upscale(photo, 4)


def test_weights_of_another_network_are_refused(tmp_path: Path, photo: Photo) -> None:
    """Never a network that is partly random."""
    with safetensors.safe_open(weights.FOLDER / NAME, "pt") as file:
        metadata = file.metadata()
    tensors = dict(weights.load(NAME).tensors)
    tensors.pop(next(iter(tensors)))
    safetensors.torch.save_file(tensors, tmp_path / "a.safetensors", metadata)
    with pytest.raises(WeightsError, match="another network"):
        Restorer(weights=[tmp_path / "a.safetensors"]).restore(photo, "vae")
    safetensors.torch.save_file(tensors, tmp_path / "b.safetensors", {**metadata, "config": '{"depth": 3}'})
    with pytest.raises(WeightsError, match="another network"):
        Restorer(weights=[tmp_path / "b.safetensors"]).restore(photo, "vae")
