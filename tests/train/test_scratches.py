"""The network that finds scratches learns, from pieces that say the truth about where damage is."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from restoration import scratches as ours
from train import export
from train.photos import find_large, find_photos, tar_photos
from train.scratches import __main__ as training
from train.scratches.damage import KINDS, SIDE, Damage, artefacts
from train.scratches.evaluate import cells, damaged
from train.scratches.negatives import NEGATIVES
from train.scratches.pieces import Pieces, composite, split_large


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Small photos, large ones (the same), and artefacts of two kinds."""
    materials = tmp_path_factory.mktemp("materials")
    shutil.copy(folder / "train-0000.tar", materials)
    shutil.copy(folder / "train-0000.tar", materials / "large-photos.tar")
    with tarfile.open(materials / "film-artefacts.tar", "w") as archive:
        for kind in ("hair", "lint"):
            for number in range(5):
                mask = cv2.line(np.zeros((224, 224), np.uint8), (20, 20 + number), (200, 180), 255, 2)
                contents = cv2.imencode(".png", mask)[1].tobytes()
                info = tarfile.TarInfo(f"{kind}-{number:03}.png")
                info.size = len(contents)
                archive.addfile(info, io.BytesIO(contents))
    return materials


@pytest.fixture(scope="module")
def pieces(materials: Path) -> Pieces:
    film = artefacts(materials / "film-artefacts.tar", held_out=False)
    return Pieces(find_large(str(materials))[:4], find_photos(str(materials)), Damage(film), batch=4, seed=0)


def test_a_batch_follows_from_its_number(pieces: Pieces) -> None:
    images, target = pieces[3]
    assert images.shape == (4, 3, SIDE, SIDE)
    assert target.shape == (4, 1, SIDE, SIDE)
    assert set(target.unique().tolist()) <= {0, 1, 2}
    again = pieces[3]
    assert torch.equal(images, again[0])
    assert torch.equal(target, again[1])
    assert not torch.equal(images, pieces[4][0])


@pytest.mark.parametrize("kind", [*KINDS, cells], ids=lambda kind: kind.__name__)
def test_what_is_marked_is_what_changed(kind: object) -> None:
    y = np.full((SIDE, SIDE, 1), 0.5, np.float32)
    shares = []
    for seed in range(8):
        layer = kind(np.random.default_rng(seed), SIDE)  # type: ignore[operator]
        assert layer.cover.min() >= 0
        assert layer.cover.max() <= 1 + 1e-5
        worn, target = composite(y, [layer], 0)
        assert (target[abs(worn - y)[..., 0] > 0.1] == 1).all()
        assert not (target[abs(worn - y)[..., 0] < 0.01] == 1).any()
        shares.append((target == 1).mean())
    assert 0.001 < np.mean(shares) < 0.4


@pytest.mark.parametrize("look", dict.fromkeys(NEGATIVES), ids=lambda look: look.__name__)
def test_negatives_are_seen_and_stay_in_range(look: object) -> None:
    changed = []
    for seed in range(6):
        y = np.full((SIDE, SIDE), 0.5, np.float32)
        drawn = look(y.copy(), np.random.default_rng(seed))  # type: ignore[operator]
        assert drawn.shape == y.shape
        assert -0.05 < drawn.min() <= drawn.max() < 1.05
        changed.append(abs(drawn - y).max() > 0.05)
    assert any(changed)


def test_what_is_held_out(materials: Path) -> None:
    large = tar_photos(materials / "large-photos.tar")
    train, held = split_large(large)
    assert len(train) + len(held) == len(large)
    assert not {photo.name for photo in train} & {photo.name for photo in held}
    film = materials / "film-artefacts.tar"
    assert {kind: len(masks) for kind, masks in artefacts(film, held_out=False).items()} == {"hair": 4}
    assert {kind: len(masks) for kind, masks in artefacts(film, held_out=True).items()} == {"hair": 1, "lint": 5}


def test_it_learns_and_goes_on(
    materials: Path, tmp_path: Path, weights_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "BATCH", 2)
    monkeypatch.setattr(training, "EVERY", 3)
    monkeypatch.setattr(training, "NETWORK", {"widths": [4, 8], "dilations": [1]})
    run = tmp_path / "run"
    training.main(str(materials), steps=3, run=run)
    with pytest.raises(SystemExit, match="has a checkpoint already"):
        training.main(str(materials), steps=3, run=run)
    training.main(str(materials), steps=6, run=run, resume=True)
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 6]
    state = torch.load(run / "checkpoint.pt")
    tensors = {name: each for name, each in state["average"].items() if each.is_floating_point()}
    network = ours.build(training.NETWORK, tensors)
    photo, target = damaged(np.full((64, 96, 3), 128, np.uint8), [cells], np.random.default_rng(0))
    mask = ours.detect(photo, network)
    assert mask.pixels.shape == target.shape == (64, 96)

    export.main("scratches", run)
    entry = json.loads((weights_copy / "manifest.json").read_text())["files"]["scratches.safetensors"]
    assert entry["sha256"] == hashlib.sha256((run / "weights.safetensors").read_bytes()).hexdigest()
    assert entry["config"] == training.NETWORK
    assert "12 pieces of 256x256" in (weights_copy / "scratches.md").read_text()
