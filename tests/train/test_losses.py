from __future__ import annotations

import torch

from restoration import Photo, image
from restoration.models._luminance import to_ycc
from train.losses import PatchDiscriminator, adversarial, content, kl_divergence, log_mse
from train.muon import orthogonalise


def test_content_falls_towards_the_truth(photos: list[Photo]) -> None:
    truth = to_ycc(image.to_tensor(photos))
    far, near = (content(truth + torch.randn_like(truth) * s, truth, 1.0) for s in (0.1, 0.01))
    assert all(far[name] > near[name] > content(truth, truth, 1.0)[name] for name in far)


def test_log_mse_weighs_every_photo_alike() -> None:
    truth = torch.zeros(2, 1, 8, 8)
    for scale in (0.1, 0.5):
        halved = torch.stack([torch.full((1, 8, 8), scale), torch.full((1, 8, 8), 0.3)])
        gain = log_mse(halved, truth) - log_mse(halved * torch.tensor([0.5, 1]).view(2, 1, 1, 1), truth)
        assert torch.isclose(gain, torch.tensor(4.0).log() / 2, atol=0.02)


def test_kl() -> None:
    zeros = torch.zeros(3, 4, 8, 8)
    assert kl_divergence(zeros, zeros, 0) == 0
    assert torch.isclose(kl_divergence(zeros + 1, zeros, 0), torch.tensor(0.5 * 4 * 64))  # half a nat per dimension
    assert torch.isclose(kl_divergence(zeros, zeros, 0.1), torch.tensor(0.1 * 4 * 64))  # free nats are not pushed down


def test_the_discriminator_sees_the_condition_and_the_colour(photos: list[Photo]) -> None:
    torch.manual_seed(0)
    judge, truth = PatchDiscriminator(8), to_ycc(image.to_tensor(photos[:2]))
    logits = judge(truth[:, :1], truth)
    assert logits.shape == (2, 1, 16, 16)
    assert not torch.equal(judge(truth[:, :1].flip(3), truth), logits)
    grey = truth * torch.tensor([1, 0, 0]).view(1, 3, 1, 1)
    assert not torch.equal(judge(truth[:, :1], grey), logits)
    assert adversarial(torch.full((1, 1), 9.0), real=False) > adversarial(torch.full((1, 1), 9.0), real=True)


def test_muons_update_is_nearly_orthogonal() -> None:
    torch.manual_seed(0)
    for shape in ((16, 144), (64, 27)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
        assert 0.5 < values.min() <= values.max() < 1.5
