"""Colours found small follow the edges of the whole photo."""

from __future__ import annotations

import torch
from torch import Tensor

from restoration.whole_photo import reduced
from restoration.whole_photo.guided_filter import Overlay, smoothed


def laid_on(y: Tensor, chroma: Tensor) -> Tensor:
    """``chroma``, found for the reduced ``y``, over all of its rows."""
    height, width = y.shape[2:]
    overlay = Overlay(reduced(y, *chroma.shape[2:]), chroma, height, width)
    return torch.cat([overlay.rows(y[:, :, top : top + 50], top) for top in range(0, height, 50)], 2)


def test_at_one_size_it_is_the_chroma_as_it_is() -> None:
    y, chroma = torch.rand(1, 1, 128, 160), torch.rand(1, 2, 128, 160) - 0.5
    assert torch.equal(laid_on(y, chroma), chroma)


def test_no_colour_bleeds_over_a_sharp_edge() -> None:
    """A red half and a blue one, which the small photo's pixels cross: plain enlarging bleeds over 8 pixels."""
    y = torch.cat([torch.full((1, 1, 512, 253), 0.3), torch.full((1, 1, 512, 259), 0.7)], 3)
    colours = torch.where(y < 0.5, torch.tensor([-0.1, 0.2])[None, :, None, None], torch.tensor([[[[0.2]], [[-0.1]]]]))
    chroma = reduced(colours, 128, 128)
    error = (laid_on(y, chroma) - colours).abs().amax((0, 1, 2))
    assert error.max() < 0.03  # a tenth of the step
    plain = torch.nn.functional.interpolate(chroma, size=(512, 512), mode="bilinear")
    assert (plain - colours).abs().max() > 0.1


def test_a_plain_wall_keeps_its_colour_where_it_is_noisy() -> None:
    generator = torch.Generator().manual_seed(0)
    y = 0.5 + 0.02 * torch.randn(1, 1, 256, 256, generator=generator)
    chroma = torch.full((1, 2, 64, 64), 0.1)
    assert torch.allclose(laid_on(y, chroma), torch.full((1, 2, 256, 256), 0.1), atol=0.01)


def test_chroma_loses_its_noise_and_keeps_its_edges() -> None:
    """Also where the luminance has none, as between a face and what is behind it."""
    generator = torch.Generator().manual_seed(0)
    true = torch.where(torch.arange(64) < 32, 0.2, -0.2).expand(1, 2, 64, 64)
    noisy = true + 0.02 * torch.randn(1, 2, 64, 64, generator=generator)
    made = (smoothed(noisy, 4) - true).abs()
    assert made[..., 10:-10].mean() < (noisy - true).abs().mean()
    assert made[..., :20].mean() < 0.6 * (noisy - true).abs()[..., :20].mean()
    assert made[..., 28:36].max() < 0.1  # a mean over the neighbourhood: 0.2
