from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from restoration import image
from restoration.weights import released
from tests.conftest import EXAMPLES
from train import export


def make_shard(path: Path, count: int) -> Path:
    """A shard like the training ones, of the twelve examples over and over."""
    photos = [image.fit(image.load(each), side=150) for each in sorted(EXAMPLES.glob("*.jpg"))]
    jpegs = [image.encode(photo, ".jpg") for photo in photos]
    with tarfile.open(path, "w") as archive:
        for index in range(count):
            info = tarfile.TarInfo(f"{index:06}.jpg")
            info.size = len(jpegs[index % 12])
            archive.addfile(info, io.BytesIO(jpegs[index % 12]))
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    make_shard(folder / "train-0000.tar", 60)
    return folder


@pytest.fixture
def weights_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the released weights, into which `train.export` releases a run."""
    copy = tmp_path / "weights"
    shutil.copytree(released.FOLDER, copy)
    for module in (released, export):
        monkeypatch.setattr(module, "FOLDER", copy)
    monkeypatch.setattr(export, "CURVES", tmp_path / "curves")
    released._manifest.cache_clear()
    yield copy
    released._manifest.cache_clear()


@pytest.fixture(autouse=True)
def _denormal_numbers() -> Iterator[None]:
    """As every other test has them; training does without."""
    yield
    torch.set_flush_denormal(False)
