"""The tone learns to undo fading, and nothing else of a network changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from restoration.network.tone import undo
from train import tone
from train.__main__ import load_config
from train.data import Batches
from train.objectives import build_objective
from train.photos import find_photos


@pytest.mark.slow
def test_fading_is_learned_and_nothing_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tone, "PHOTOS", 64)
    network = build_objective("cnn", load_config("cnn")).network
    photos = Batches(find_photos(str(folder)), batch=8, seed=0, plain_share=0)
    before = {name: each.clone() for name, each in network.state_dict().items()}
    y = tone.restore(network, photos, 8)
    assert y.shape == (64, 1, 64, 64)
    tone.fit(network, photos, 400)
    changed = {name for name, each in network.state_dict().items() if not torch.equal(each, before[name])}
    assert changed == {name for name in before if name.startswith("tone.")}
    torch.manual_seed(1)
    faded = tone.fade(y, 1)
    with torch.inference_mode():
        assert (undo(network.tone(faded), faded) - y).square().mean() < 0.9 * (faded - y).square().mean()


def test_few_photos_fade_in_the_end() -> None:
    torch.manual_seed(0)
    y = torch.rand(400, 1, 8, 8)
    for share in (0.5, 0.05):
        has_faded = (tone.fade(y, share) != y).flatten(1).any(1)
        assert abs(has_faded.float().mean() - share) < 0.06
