from __future__ import annotations

import subprocess
import sys

import torch
from torchvision.transforms.functional import gaussian_blur

from restoration import Photo, image
from tests.conftest import ROOT
from train.perceptual import BACKBONES, Perceptual


def test_blur_costs_more_the_stronger_it_is(photos: list[Photo]) -> None:
    truth = image.to_tensor(photos)
    loss = Perceptual("efficientnet-lite0")
    costs = [loss(gaussian_blur(truth, kernel), truth) for kernel in (3, 5, 9)]
    assert 0 == loss(truth, truth) < costs[0] < costs[1] < costs[2]


def test_the_features_are_trained_ones() -> None:
    """Random features would pass for a loss unnoticed. These know a cat from a rocket, at their first layer's scale."""
    first = next(Perceptual("efficientnet-lite0").parameters())
    assert 0.05 < first.std() < 5
    assert first.flatten(1).std(1).min() < 0.5 * first.flatten(1).std(1).max()


def test_it_does_not_learn(photos: list[Photo]) -> None:
    loss = Perceptual("efficientnet-lite0").train()
    before = {name: value.clone() for name, value in loss.state_dict().items()}
    images = image.to_tensor(photos[:2]).requires_grad_()
    loss(images, images.detach().flip(3)).backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert all(torch.equal(before[name], value) for name, value in loss.state_dict().items())
    assert not any(parameter.requires_grad for parameter in loss.parameters())


def test_no_loss_uses_what_lpips_scores_with() -> None:
    assert set(BACKBONES) == {"vgg16", "efficientnet-lite0"}
    names = "train.losses, train.perceptual, train.objectives.vae, train.objectives.gan, train.__main__"
    check = (
        f"import sys, {names}; print([m for m in sys.modules if m.split('.')[0] in ('lpips', 'gradio', 'webdataset')])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[]\n", done.stderr
    for path in (ROOT / "train").rglob("*.py"):
        if path.name not in ("lpips.py", "evaluate.py"):
            assert "squeezenet" not in path.read_text(encoding="utf-8").lower().replace("never squeezenet's", "")
