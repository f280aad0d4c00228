from __future__ import annotations

import pytest
import torch

from restoration import Photo, image
from restoration.colour import to_ycc
from restoration.network import Light
from train.losses import Content, log_mse
from train.objectives.gan import PatchDiscriminator, adversarial
from train.objectives.vae import beyond_free_nats, kl_divergence


def of(content: Content, prediction: torch.Tensor, truth: torch.Tensor) -> dict[str, torch.Tensor]:
    """The losses of a Y, Cb, Cr prediction of photos that have not faded."""
    y, chroma = prediction.split((1, 2), 1)
    return content(Light(detail=y, restored=y, seen=[]), chroma, truth[:, :1], truth)


def test_every_loss_falls_towards_the_truth(photos: list[Photo]) -> None:
    truth = to_ycc(image.to_tensor(photos))
    names = ("detail", "chroma_mse", "chroma_deviation", "perceptual")
    content = Content(dict.fromkeys(names, 1.0), "efficientnet-lite0")
    far, near, there = (of(content, truth + torch.randn_like(truth) * sigma, truth) for sigma in (0.1, 0.02, 0))
    assert far.keys() == {*names}
    assert all(far[name] > near[name] > there[name] for name in far)


def test_weights_multiply_and_unknown_losses_are_refused(photos: list[Photo]) -> None:
    truth = to_ycc(image.to_tensor(photos[:2]))
    one, ten = (of(Content({"chroma_mse": weight}), truth + 0.1, truth)["chroma_mse"] for weight in (1, 10))
    assert torch.isclose(10 * one, ten)
    with pytest.raises(SystemExit, match="l2"):
        Content({"l2": 1})
    with pytest.raises(SystemExit, match="both or neither"):
        Content({"perceptual": 1})


def test_log_mse_weighs_every_photo_alike() -> None:
    truth = torch.zeros(2, 3, 8, 8)
    for scale in (0.1, 0.5):
        photos = torch.stack([torch.full((3, 8, 8), scale), torch.full((3, 8, 8), 0.3)])
        halved = photos * torch.tensor([0.5, 1]).view(2, 1, 1, 1)
        gain = log_mse(photos, truth, 1e-5) - log_mse(halved, truth, 1e-5)
        assert torch.isclose(gain, torch.tensor(4.0).log() / 2, atol=0.02)


def test_kl() -> None:
    zeros = torch.zeros(3, 4)
    assert torch.equal(kl_divergence(zeros, zeros, zeros, zeros), zeros)
    assert torch.equal(kl_divergence(zeros + 1, zeros, zeros, zeros), zeros + 0.5)
    mean, log_variance, other, other_log_variance = torch.randn(4, 3, 4)
    ours = kl_divergence(mean, log_variance, other, other_log_variance)
    normals = [
        torch.distributions.Normal(m, (0.5 * v).exp()) for m, v in ((mean, log_variance), (other, other_log_variance))
    ]
    assert torch.allclose(ours, torch.distributions.kl_divergence(*normals), rtol=1e-4)


def test_free_nats_are_not_pushed_down() -> None:
    kl = torch.tensor([[0.0, 2.0], [0.1, 4.0]], requires_grad=True)
    loss = beyond_free_nats(kl, 0.1)
    assert torch.isclose(loss, torch.tensor(3.1))
    loss.backward()
    assert kl.grad is not None
    assert torch.equal(kl.grad, torch.tensor([[0.0, 0.5], [0.0, 0.5]]))


def test_the_discriminator_sees_the_condition_and_the_colour(photos: list[Photo]) -> None:
    torch.manual_seed(0)
    judge, truth = PatchDiscriminator(8), to_ycc(image.to_tensor(photos[:2]))
    logits = judge(truth[:, :1], truth)
    assert logits.shape == (2, 1, 8, 8)
    assert not torch.equal(judge(truth[:, :1].flip(3), truth), logits)
    grey = truth * torch.tensor([1, 0, 0]).view(1, 3, 1, 1)
    assert not torch.equal(judge(truth[:, :1], grey), logits)
    assert adversarial(torch.full((1, 1), 9.0), real=False) > adversarial(torch.full((1, 1), 9.0), real=True)
