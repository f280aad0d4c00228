"""What every model promises, found by the folder: a new file is tested as soon as it is there."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from restoration import ControlError, Photo, image, weights
from restoration.degradations import luminance
from restoration.models import model, models
from restoration.models._luminance import to_rgb, to_ycc


@pytest.fixture(scope="module", params=sorted(models()))
def network(request: pytest.FixtureRequest) -> nn.Module:
    """The released network."""
    spec = model(request.param)
    checkpoint = weights.load(spec.weights)
    network = spec.build(checkpoint.config)
    network.load_state_dict(dict(checkpoint.tensors))
    return network.eval()


def test_the_three_are_there() -> None:
    assert {"vae", "gan", "cnn"} <= set(models())
    assert {spec.weights for spec in models().values()} == {entry.name for entry in weights.restorers()}
    with pytest.raises(ControlError, match="cnn, gan, vae"):
        model("diffusion")


@torch.inference_mode()
def test_shape_dtype_and_range(network: nn.Module, photos: list[Photo]) -> None:
    images = image.to_tensor(photos[:2])
    restored = network(images)
    assert restored.shape == images.shape
    assert restored.dtype == torch.float32
    assert 0 <= restored.min() < restored.max() <= 1


@torch.inference_mode()
def test_only_the_luminance_is_read(network: nn.Module, photos: list[Photo]) -> None:
    images = image.to_tensor(photos[:1])
    grey = luminance(images).expand_as(images)
    assert torch.allclose(network(images), network(grey), atol=1e-3)


@torch.inference_mode()
def test_a_photo_does_not_depend_on_its_batch(network: nn.Module, photos: list[Photo]) -> None:
    images = image.to_tensor(photos[:3])
    assert torch.allclose(network(images)[1:2], network(images[1:2]), atol=1e-4)


@torch.inference_mode()
def test_a_mirrored_photo_gives_the_mirrored_result(network: nn.Module, photos: list[Photo]) -> None:
    images = image.to_tensor(photos[:1])
    assert torch.allclose(network(images.flip(3)).flip(3), network(images), atol=1e-4)


@torch.inference_mode()
def test_the_same_photo_gives_the_same_result(network: nn.Module, photos: list[Photo]) -> None:
    images = image.to_tensor(photos[:1])
    assert torch.equal(network(images), network(images))


@torch.inference_mode()
def test_other_sizes_work_too(network: nn.Module, photos: list[Photo]) -> None:
    images = image.to_tensor([image.fit(photos[0], side=256)])
    assert network(images).shape == (1, 3, 256, 256)


def test_families() -> None:
    """Three different networks, each with what its family's name promises."""
    vae, gan, cnn = (
        model(name).build(weights.manifest()[f"{name}.safetensors"].config) for name in ("vae", "gan", "cnn")
    )
    assert any(isinstance(layer, nn.ConvTranspose2d) for layer in vae.modules())
    mean, log_variance, skips = vae.encode(torch.rand(1, 1, 128, 128))  # type: ignore[operator]
    assert mean.shape == log_variance.shape
    assert len(skips) == 4
    assert not any(isinstance(layer, nn.ConvTranspose2d) for layer in gan.modules())
    assert [name for name, _ in cnn.named_children()] == ["restore", "colour"]


def test_an_untrained_network_returns_the_luminance_in_grey(photos: list[Photo]) -> None:
    images = image.to_tensor(photos[:1])
    for name in ("vae", "gan", "cnn"):
        fresh = model(name).build(weights.manifest()[f"{name}.safetensors"].config).eval()
        assert torch.allclose(fresh(images), luminance(images).expand_as(images), atol=1e-5)


@torch.inference_mode()
def test_the_vaes_draws_differ_in_colour_and_agree_in_luminance(photos: list[Photo]) -> None:
    checkpoint = weights.load("vae.safetensors")
    vae = model("vae").build(checkpoint.config)
    vae.load_state_dict(dict(checkpoint.tensors))
    vae.eval()
    chroma, light = [], []
    for photo in photos:
        drawn = to_ycc(vae.draw(image.to_tensor([photo]), 16, torch.Generator().manual_seed(0)))  # type: ignore[operator]
        spread = 255 * drawn.std(0).mean((1, 2))
        light.append(spread[0].item())
        chroma.append(spread[1:].mean().item())
    assert sum(chroma) / len(chroma) > 2
    assert sum(chroma) > 2 * sum(light)


def test_the_vaes_mean_is_a_latent_that_its_decoder_listens_to(photos: list[Photo]) -> None:
    vae = model("vae").build(weights.manifest()["vae.safetensors"].config).eval()
    nn.init.normal_(vae.head.weight)  # type: ignore[union-attr, arg-type]
    y = luminance(image.to_tensor(photos[:1]))
    mean, _, skips = vae.encode(y)  # type: ignore[operator]
    assert torch.equal(vae.predict(y), vae.decode(y, mean, skips))  # type: ignore[operator]
    assert not torch.equal(vae.predict(y), vae.decode(y, mean + 1, skips))  # type: ignore[operator]


def test_colour_planes_round_trip(photos: list[Photo]) -> None:
    images = image.to_tensor(photos)
    assert torch.allclose(to_rgb(to_ycc(images)), images, atol=1e-5)
