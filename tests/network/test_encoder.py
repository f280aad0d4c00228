"""The encoder sees what the package's network sees."""

from __future__ import annotations

import torch
from torch.nn import functional

from restoration import Photo, image, weights
from restoration.colour import luminance
from restoration.network.encoder import CHANNELS, ENCODER_WEIGHTS, Encoder
from train.encoder import package


def released() -> Encoder:
    encoder = Encoder()
    encoder.load_state_dict(dict(weights.load(ENCODER_WEIGHTS).tensors))
    return encoder


@torch.inference_mode()
def test_features_are_those_of_the_package(photos: list[Photo]) -> None:
    y = luminance(image.to_tensor(photos[:3]))
    theirs = package()
    larger = functional.interpolate(y, size=(160, 160), mode="bilinear", align_corners=False)
    mean, deviation = larger.mean((2, 3), keepdim=True), larger.std((2, 3), keepdim=True, correction=0)
    features = (0.5 * (larger - mean) / (deviation + 0.02)).expand(-1, 3, -1, -1)
    features = theirs._swish(theirs._bn0(theirs._conv_stem(features)))  # type: ignore[operator]
    expected = []
    for number, block in enumerate(theirs._blocks):  # type: ignore[arg-type, union-attr]
        features = block(features)
        if number in (2, 4, 10, 15):  # the last ones of the stages whose features are handed on
            expected.append(features)
    for ours, their, channels in zip(released()(y), expected, CHANNELS, strict=True):
        assert ours.shape[1] == channels
        assert (ours - their).abs().mean() < 0.01 * their.abs().mean()  # fp16


@torch.inference_mode()
def test_a_faded_photo_looks_like_what_it_was(photos: list[Photo]) -> None:
    y = luminance(image.to_tensor(photos[:3]))
    for one, other in zip(released()(y), released()(0.3 + 0.5 * y), strict=True):
        assert (one - other).abs().mean() < 0.1 * one.abs().mean()


def test_it_never_learns(photos: list[Photo]) -> None:
    encoder = released().train()
    y = luminance(image.to_tensor(photos[:1])).requires_grad_()
    assert not any(each.requires_grad for each in (*encoder.parameters(), *encoder(y)))
