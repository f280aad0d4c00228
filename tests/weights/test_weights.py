from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import safetensors.torch
import torch

from restoration import ControlError, Photo, Restorer, WeightsError, upscale, weights
from restoration.weights import hub, released
from tests.hub import Hub

NAME = "vae.safetensors"
FAST = upscale.ENGINES["fast"].weights
GENERAL = upscale.ENGINES["general"].weights


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of weights/ that may be damaged."""
    copy = tmp_path / "weights"
    shutil.copytree(released.FOLDER, copy)
    monkeypatch.setattr(released, "FOLDER", copy)
    return copy


@pytest.mark.parametrize("name", [name for name, entry in weights.manifest().items() if entry.url is None])
def test_released_files_are_what_the_manifest_says(name: str) -> None:
    entry, path = weights.manifest()[name], released.FOLDER / name
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


def test_a_shipped_file_is_checked_however_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = bytearray((folder / NAME).read_bytes())
    contents[len(contents) // 2] ^= 1
    (folder / NAME).write_bytes(contents)
    monkeypatch.chdir(folder.parent)
    with pytest.raises(WeightsError, match="damaged"):
        weights.load(NAME, ["weights"])


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
    restorer = Restorer(weights=[own])
    restorer.prepare(["cnn"])
    with pytest.raises(ControlError, match="weights for vae, which was not asked for"):
        restorer.check_own_weights()
    restorer.prepare(["vae"])
    restorer.check_own_weights()

    in_folder = own.rename(own.with_name(NAME))
    assert weights.find(NAME, [own.parent]) == in_folder


def test_explicit_paths_that_do_not_work(tmp_path: Path, photo: Photo) -> None:
    with pytest.raises(WeightsError, match="no weights at"):
        Restorer(weights=[tmp_path / "none"]).restore(photo, "vae")
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match="holds no weights that run here"):
        Restorer(weights=[tmp_path / "empty"])
    half = tmp_path / "half.safetensors"
    half.write_bytes((released.FOLDER / NAME).read_bytes()[:5000])
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        Restorer(weights=[half]).restore(photo, "vae")


def test_numbers_that_are_none_are_refused(tmp_path: Path, photo: Photo) -> None:
    """They would give a black picture that looks like a result."""
    tensors = dict(weights.load(FAST).tensors)
    next(iter(tensors.values()))[0] = float("nan")
    safetensors.torch.save_file(tensors, tmp_path / FAST)
    with pytest.raises(WeightsError, match="infinite or undefined"):
        Restorer(weights=[tmp_path]).upscale(photo, 4, engine="fast")


def test_weights_of_another_network_are_refused(tmp_path: Path, photo: Photo) -> None:
    """Never a network that is partly random."""
    with safetensors.safe_open(released.FOLDER / NAME, "pt") as file:
        metadata = file.metadata()
    tensors = dict(weights.load(NAME).tensors)
    tensors.pop(next(iter(tensors)))
    safetensors.torch.save_file(tensors, tmp_path / "a.safetensors", metadata)
    with pytest.raises(WeightsError, match="another network"):
        Restorer(weights=[tmp_path / "a.safetensors"]).restore(photo, "vae")
    safetensors.torch.save_file(tensors, tmp_path / "b.safetensors", {**metadata, "config": '{"depth": 3}'})
    with pytest.raises(WeightsError, match="another network"):
        Restorer(weights=[tmp_path / "b.safetensors"]).restore(photo, "vae")


# --- Weights that are fetched -----------------------------------------------------------------------------------------


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The engine general's weights, published as a .pth on a server of our own; the cache is empty."""
    torch.manual_seed(0)
    torch.save({"params": _chance(weights.manifest()[GENERAL].config)}, tmp_path / "published.pth")
    contents = (tmp_path / "published.pth").read_bytes()
    with Hub() as server:
        server.plain[f"/releases/{GENERAL}"] = contents
        entry = replace(
            weights.manifest()[GENERAL],
            sha256=hashlib.sha256(contents).hexdigest(),
            size=len(contents),
            url=f"{server.url}/releases/{GENERAL}",
        )
        changed = {**weights.manifest(), GENERAL: entry}
        monkeypatch.setattr(released, "manifest", lambda: changed)
        monkeypatch.setattr("huggingface_hub.constants.HF_ASSETS_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield server


def downloads(server: Hub) -> int:
    return sum(asked.method == "GET" and asked.path.startswith("/cdn/") for asked in server.asked)


def _chance(config: dict) -> dict[str, torch.Tensor]:
    """Weights for SRVGGNetCompact: convolutions and PReLUs in turn."""
    width, tensors = config["num_feat"], {}
    ends = [config["num_in_ch"], *[width] * (config["num_conv"] + 1), config["num_out_ch"] * config["upscale"] ** 2]
    for place, (before, after) in enumerate(pairwise(ends)):
        tensors[f"body.{2 * place}.weight"] = torch.randn(after, before, 3, 3) * 0.02
        tensors[f"body.{2 * place}.bias"] = torch.zeros(after)
        tensors[f"body.{2 * place + 1}.weight"] = torch.full((width,), 0.2)
    tensors.popitem()  # no PReLU after the last convolution
    return tensors


def test_the_first_use_fetches_and_the_second_does_not(release: Hub, photo: Photo, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not here yet"):
        weights.find(GENERAL)
    for _ in range(2):
        assert Restorer("cpu").upscale(photo).upscaling.engine == "general"
    assert downloads(release) == 1
    assert tmp_path in hub.folder().parents
    assert weights.find(GENERAL) == hub.folder() / GENERAL


def test_a_file_damaged_in_the_cache_is_fetched_anew(release: Hub) -> None:
    weights.load(GENERAL)
    (hub.folder() / GENERAL).write_bytes(b"damaged")
    assert weights.load(GENERAL).sha256 == released.manifest()[GENERAL].sha256
    assert downloads(release) == 2


def _asked_at_once(restorer: Restorer) -> list[str]:
    """The engines that eight threads are told, asking for auto together."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: restorer.upscaling().engine, range(8)))


def test_many_at_once(release: Hub) -> None:
    """Threads of one app wait for one download."""
    assert _asked_at_once(Restorer("cpu")) == ["general"] * 8
    assert downloads(release) == 1


def test_many_at_once_without_luck(release: Hub, caplog: pytest.LogCaptureFixture) -> None:
    """One tries, and what it finds holds for all."""
    release.how, restorer = 404, Restorer("cpu")
    assert _asked_at_once(restorer) == ["fast"] * 8
    release.how = "well"
    assert restorer.upscaling().engine == "fast"
    assert (len(release.asked), len([m for m in caplog.messages if "engine fast" in m])) == (1, 1)


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"no pickle"), lambda path: _pickle_code(path)])
def test_a_pickle_that_is_no_weights_is_refused_unexecuted(
    release: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    """Even if its hash were the pinned one."""
    own = tmp_path / "own" / GENERAL
    own.parent.mkdir()
    spoil(own)
    entry = replace(weights.manifest()[GENERAL], sha256=hashlib.sha256(own.read_bytes()).hexdigest())
    monkeypatch.setattr(released, "manifest", lambda: {GENERAL: entry})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match="no weights that can be read"):
        weights.load(GENERAL, [own])
    assert not (tmp_path / "executed").exists()


class _Code:
    def __reduce__(self) -> tuple[Callable, tuple]:
        return Path.touch, (Path("executed"),)


def _pickle_code(path: Path) -> None:
    torch.save({"params": {"body.0.weight": _Code()}}, path)


def test_the_large_files_are_pinned(shared: Path) -> None:
    """Each in the release that its authors published, or rounded to fp16 as in ../shared."""
    for name, entry in weights.manifest().items():
        if entry.url is None:
            continue
        assert entry.url.startswith("https://github.com/xinntao/Real-ESRGAN/releases/download/")
        assert entry.url.endswith(f"/{name}")
        for other, sha256 in entry.also.items():
            assert hashlib.sha256((shared / "weights" / other).read_bytes()).hexdigest() == sha256
            assert len(weights.load(name, [shared / "weights"]).tensors) > 60


def test_the_same_weights_in_fp16_serve_from_the_cache(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_ASSETS_CACHE", str(tmp_path))
    half = next(iter(weights.manifest()[GENERAL].also))
    hub.folder().mkdir(parents=True)
    shutil.copy(shared / "weights" / half, hub.folder())
    assert weights.find(GENERAL, fetch=True) == hub.folder() / half
    assert weights.load(GENERAL).sha256 == weights.manifest()[GENERAL].also[half]
