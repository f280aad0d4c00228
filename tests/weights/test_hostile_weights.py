"""Damaged weights, and weights that are none: one sentence, and code in them never runs."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from restoration import Photo, RestorationError, Restorer, WeightsError, upscale, weights
from restoration.weights import released
from tests import original
from tests.corpus.damage import cuts, flips

pytestmark = pytest.mark.hostile

VAE = "vae.safetensors"
FAST = upscale.ENGINES["fast"].weights
GENERAL = upscale.ENGINES["general"].weights


def refused(path: Path, photo: Photo) -> str:
    """What the refusal of the user's own file says: one sentence that names it."""
    with pytest.raises(WeightsError) as caught:
        use(path, photo)
    says = str(caught.value)
    assert path.name in says
    assert (says.isprintable(), says.endswith("."), len(says) < 1500) == (True, True, True)
    return says


def use(path: Path, photo: Photo) -> None:
    """Do with the user's own file what it is for."""
    restorer = Restorer("cpu", [path])
    if weights.UserWeights([path]).models:
        restorer.restore(photo, restorer.model)
    else:
        restorer.upscale(Photo(photo.pixels[:16, :16].copy()), engine="fast")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each kind."""
    folder = tmp_path_factory.mktemp("sound")
    found = {
        "fast": released.FOLDER / FAST,
        "ours": Path(shutil.copy(released.FOLDER / VAE, folder / "own.safetensors")),
    }
    found["original"] = original.save(folder, "gan")["gan"]
    found["before 1.6"] = folder / "gan_old.pth"
    torch.save({"gen_state_dict": original.state("gan")}, found["before 1.6"], _use_new_zipfile_serialization=False)
    found["Real-ESRGAN"] = folder / "mine.pth"
    torch.save({"params": {"body.0.weight": torch.ones(64, 3, 3, 3)}}, found["Real-ESRGAN"])
    return found


@pytest.mark.parametrize("kind", ["ours", "fast", "original", "before 1.6"])
def test_damage_is_refused_or_in_the_numbers_only(
    sound: dict[str, Path], tmp_path: Path, photo: Photo, kind: str
) -> None:
    """The user's own file, which no SHA-256 guards."""
    own, contents = tmp_path / sound[kind].name, sound[kind].read_bytes()
    own.write_bytes(contents)
    use(own, photo)
    for cut in cuts(contents):
        own.write_bytes(cut)
        refused(own, photo)
    for flipped in flips(contents, 8):
        own.write_bytes(flipped)
        with suppress(RestorationError):
            use(own, photo)


@pytest.mark.parametrize("name", [VAE, FAST, GENERAL])
def test_a_released_file_is_whole_or_refused(
    sound: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = sound["Real-ESRGAN"] if name == GENERAL else released.FOLDER / name
    contents = source.read_bytes()
    entry = replace(weights.manifest()[name], sha256=hashlib.sha256(contents).hexdigest())
    monkeypatch.setattr(released, "manifest", lambda: {name: entry})
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    file = tmp_path / name
    file.write_bytes(contents)
    assert weights.load(name).path == file
    for damaged in [*cuts(contents), *flips(contents, 20)]:
        file.write_bytes(damaged)
        mend = "replace it by a copy of https://" if entry.url else "restore it with `git checkout weights`"
        with pytest.raises(WeightsError, match=rf"is damaged \(its SHA-256 is not the manifest's\); {mend}"):
            weights.load(name)


@pytest.mark.parametrize(
    "config", ['{"widths": [0, 0, 0, 0], "latent": 0}', '{"widths": "32", "latent": 32}', "[1]", "NaN", "{"]
)
def test_a_config_of_another_network(tmp_path: Path, photo: Photo, config: str) -> None:
    own = tmp_path / "own.safetensors"
    safetensors.torch.save_file(dict(weights.load(VAE).tensors), own, {"model": "vae", "config": config})
    refused(own, photo)


def test_an_engine_that_enlarges_less_than_it_says(tmp_path: Path, photo: Photo) -> None:
    """A sound network of another factor under the name of one that enlarges four times."""
    entry, tensors = weights.manifest()[FAST], dict(weights.load(FAST).tensors)
    tensors = {key: tensor[:12].clone() if len(tensor) == 48 else tensor for key, tensor in tensors.items()}
    own = tmp_path / "own.safetensors"
    config = json.dumps({**entry.config, "upscale": 2})
    safetensors.torch.save_file(tensors, own, {"model": entry.model, "config": config})
    refused(own, photo)


@pytest.mark.parametrize("holds", [b"", b"PK\x03\x04", b"no pickle", pickle.dumps([1, 2])])
def test_what_is_no_checkpoint(tmp_path: Path, photo: Photo, holds: bytes) -> None:
    own = tmp_path / "gan_best.pth"
    own.write_bytes(holds)
    refused(own, photo)


def test_an_archive_of_something_else(sound: dict[str, Path], tmp_path: Path, photo: Photo) -> None:
    own = tmp_path / "gan_best.pth"
    with zipfile.ZipFile(own, "w") as opened:
        opened.write(sound["original"], "gan_best.pth")
    refused(own, photo)


def test_a_manifest_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    for written in ('{"files":', '{"files": {"a": {}}, "hub": {}}', "[]"):
        (tmp_path / "manifest.json").write_text(written)
        released._manifest.cache_clear()
        with pytest.raises(WeightsError, match="restore it with `git checkout weights`"):
            weights.manifest()
    released._manifest.cache_clear()
