"""Fading is undone by the numbers that made it."""

from __future__ import annotations

import pytest
import torch

from restoration import Photo, image
from restoration.colour import luminance
from restoration.network.tone import undo


@pytest.fixture
def y(photos: list[Photo]) -> torch.Tensor:
    return luminance(image.to_tensor(photos[:2])).clamp(0.01, 1)


def test_an_even_fading(y: torch.Tensor) -> None:
    tone = torch.tensor([[0.4, 0.7, 0, 0, 0, 0]]).expand(2, 6)
    assert torch.allclose(undo(tone, 0.4 * 0.7 + 0.6 * y), y, atol=1e-5)


def test_a_slow_field(y: torch.Tensor) -> None:
    tone = torch.tensor([[0.4, 0.7, 0, 0.3, 0, 0]]).expand(2, 6)
    share = 0.4 * (1 + 0.3 * torch.linspace(-1, 1, 128))
    assert torch.allclose(undo(tone, share * 0.7 + (1 - share) * y), y, atol=1e-5)


def test_nothing_lost_is_nothing_undone(y: torch.Tensor) -> None:
    tone = torch.tensor([[0.4, 0.7, 0.5, 0.3, 0.2, 0.1]]).expand(2, 6)
    assert torch.allclose(undo(tone, y, strength=0), y)
    assert torch.allclose(undo(tone * torch.tensor([0, 1, 1, 1, 1, 1]), y), y)
    half, whole = ((undo(tone, y, strength) - y).abs().mean() for strength in (0.5, 1))
    assert 0 < half < whole


def test_it_is_the_same_at_any_size(y: torch.Tensor) -> None:
    """What is found on a small copy is undone on the whole photo."""
    tone, y = torch.tensor([[0.2, 0.7, 0.3, 0.3, -0.2, 0.2]]).expand(2, 6), 0.3 + 0.5 * y  # nothing is clamped
    large = torch.nn.functional.interpolate(y, size=(384, 256), mode="bilinear", align_corners=True)
    small = torch.nn.functional.interpolate(undo(tone, y), size=(384, 256), mode="bilinear", align_corners=True)
    assert (undo(tone, large) - small).abs().mean() < 2e-3
