"""What every model promises, found by the folder: a new file is tested as soon as it is there."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import nn

from restoration import ControlError, Photo, Restorer, image, weights
from restoration.colour import in_gamut, luminance, to_rgb, to_ycc
from restoration.models import model, models
from restoration.models.vae import VAE
from restoration.network import LuminanceNetwork, SamplingNetwork, luminance_features
from restoration.network.encoder import ENCODER_WEIGHTS
from train.__main__ import load_config
from train.objectives import build_objective

RELEASED = [entry.model for entry in weights.restorers()]


def fresh(name: str) -> LuminanceNetwork:
    """A network without training, but for the encoder, as ever."""
    network = cast(LuminanceNetwork, model(name).build(load_config(name)["network"]))
    network.encoder.load_state_dict(dict(weights.load(ENCODER_WEIGHTS).tensors))
    return network.eval()


def trained(name: str, restorer: Restorer) -> LuminanceNetwork:
    """The released network; of a model that is not released yet, one whose last layers say something."""
    if name in RELEASED:
        return cast(LuminanceNetwork, restorer.network(name))
    network = fresh(name)
    for head in network.heads():
        for parameter in head.parameters():
            nn.init.normal_(parameter, std=0.01)
    return network


@pytest.fixture(scope="module", params=sorted(models()))
def network(request: pytest.FixtureRequest, restorer: Restorer) -> LuminanceNetwork:
    return trained(request.param, restorer)


@pytest.fixture(scope="module", params=RELEASED)
def released(request: pytest.FixtureRequest, restorer: Restorer) -> LuminanceNetwork:
    """What only training can give is asked of these alone."""
    return cast(LuminanceNetwork, restorer.network(request.param))


def test_the_three_are_there() -> None:
    assert {"vae", "gan", "cnn"} <= set(models())
    assert {entry.model: entry.name for entry in weights.restorers()}.items() <= {
        (name, spec.weights) for name, spec in models().items()
    }
    with pytest.raises(ControlError, match=", ".join(models())):
        model("diffusion")


@pytest.mark.parametrize("name", sorted(models()))
def test_a_model_can_be_trained(name: str) -> None:
    """It has a configuration and an objective; the optimisers take each parameter that learns once."""
    objective = build_objective(name, load_config(name))
    optimised = [
        parameter
        for optimisers in objective.optimisers.values()
        for optimiser in optimisers
        for group in optimiser.param_groups
        for parameter in group["params"]
    ]
    assert len(optimised) == len(set(optimised))
    assert set(optimised) == {each for each in objective.parameters() if each.requires_grad}


@pytest.mark.parametrize("name", sorted(models()))
@torch.inference_mode()
def test_an_untrained_network_returns_the_luminance_in_grey(name: str, photos: list[Photo]) -> None:
    images = image.to_tensor(photos[:1])
    assert torch.allclose(fresh(name)(images), luminance(images).expand_as(images), atol=0.01)


@torch.inference_mode()
def test_light_and_colour_can_be_asked_for_alone(network: LuminanceNetwork, photos: list[Photo]) -> None:
    y = luminance(image.to_tensor([image.fit(photo, side=160) for photo in photos[:2]]))[..., :144]
    assert network.detail(luminance_features(y)).shape == y.shape
    restored = network.restored(y)
    assert restored.shape == y.shape
    assert network.chroma(restored).shape == (2, 2, 160, 144)


@pytest.mark.parametrize("name", sorted(models()))
def test_samples_are_declared(name: str, restorer: Restorer, photos: list[Photo]) -> None:
    network = trained(name, restorer)
    assert isinstance(network, SamplingNetwork) == model(name).samples
    if isinstance(network, SamplingNetwork):
        with torch.inference_mode():
            drawn = network.draw(image.to_tensor(photos[:1]), 3, torch.Generator().manual_seed(0))
        assert drawn.shape == (3, 3, 128, 128)
        assert not torch.equal(drawn[0], drawn[1])


@pytest.mark.parametrize("side", [128, 256])
@torch.inference_mode()
def test_shape_dtype_and_range(network: nn.Module, photos: list[Photo], side: int) -> None:
    images = image.to_tensor([image.fit(photo, side=side) for photo in photos[:2]])
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
def test_flat_and_shaded_greys_stay_grey(released: nn.Module) -> None:
    """Where nothing is to be seen, little colour is guessed."""
    ramp = torch.linspace(0, 1, 128)[None, None, None, :].expand(1, 3, 128, 128)
    plain = torch.cat([torch.full((1, 3, 128, 128), grey) for grey in (0.0, 0.25, 0.5, 0.75, 1.0)])
    for images, levels in ((plain, 10), (torch.cat([ramp, ramp.flip(3)]), 10), (ramp.mT, 12)):  # as a sky is shaded
        assert 255 * to_ycc(released(images))[:, 1:].abs().max() <= levels


@torch.inference_mode()
def test_detail_keeps_the_tone_and_undamaged_photos(released: LuminanceNetwork, photos: list[Photo]) -> None:
    y = luminance(image.to_tensor(photos))
    for tone in (y, 0.3 + 0.5 * y):
        error = (released.detail(luminance_features(tone)) - tone).square().mean((1, 2, 3))
        assert (-10 * error.log10()).mean() > 38


@torch.inference_mode()
def test_tone_undoes_fading_and_leaves_other_photos_alone(released: LuminanceNetwork, photos: list[Photo]) -> None:
    y = luminance(image.to_tensor(photos))

    def error(images: torch.Tensor) -> torch.Tensor:
        return (released.light(images).restored - y).square().mean((1, 2, 3))

    faded = 0.3 + 0.5 * y
    assert (error(faded) / (faded - y).square().mean((1, 2, 3))).mean() < 0.5
    assert error(y).mean() < 2e-3


@torch.inference_mode()
def test_one_encoder_serves_all(restorer: Restorer) -> None:
    """It is a file of its own, and no model's file holds anything of it."""
    seen = weights.load(ENCODER_WEIGHTS).tensors
    for name in RELEASED:
        assert not any(key.startswith("encoder.") for key in weights.load(model(name).weights).tensors)
        own = cast(LuminanceNetwork, restorer.network(name)).encoder.state_dict()
        assert all(torch.equal(own[key], tensor) for key, tensor in seen.items())


def test_families() -> None:
    """Three different networks, each with what its family's name promises."""
    vae, gan, cnn = map(fresh, ("vae", "gan", "cnn"))
    for network, transposed in ((vae, True), (gan, False), (cnn, False)):
        colouriser = cast(nn.Module, network.colouriser)
        assert any(isinstance(layer, nn.ConvTranspose2d) for layer in colouriser.modules()) == transposed
    y = torch.rand(1, 1, 128, 128)
    mean, log_variance = cast(VAE, vae).colouriser.moments_of(vae.encoder(y))
    assert mean.shape == log_variance.shape


def test_the_vaes_draws_differ_in_colour_alone(restorer: Restorer, photos: list[Photo]) -> None:
    for photo in photos[:4]:
        drawn = to_ycc(image.to_tensor(restorer.samples(photo, 16).photos))
        light, *chroma = 255 * drawn.std(0).mean((1, 2))
        assert light < 0.5  # each is rounded to 8 bits
        assert sum(chroma) / 2 > 2


def test_the_vaes_mean_is_a_latent_that_its_decoder_listens_to(photos: list[Photo]) -> None:
    vae = cast(VAE, fresh("vae"))
    nn.init.normal_(vae.colouriser.head.weight)
    y = luminance(image.to_tensor(photos[:1]))
    seen = vae.encoder(y)
    mean, _ = vae.colouriser.moments_of(seen)
    assert torch.equal(vae.colouriser(y, seen), vae.colouriser(y, seen, mean))
    assert not torch.equal(vae.colouriser(y, seen), vae.colouriser(y, seen, mean + 1))


def test_colour_planes_round_trip(photos: list[Photo]) -> None:
    images = image.to_tensor(photos)
    assert torch.allclose(to_rgb(to_ycc(images)), images, atol=1e-5)


def test_a_colour_that_no_screen_has_is_paler_at_its_luminance_and_hue() -> None:
    y = torch.linspace(0, 1, 16)[None, None, :, None].expand(1, 1, 16, 16)
    chroma = torch.stack(torch.meshgrid(*2 * [torch.linspace(-0.5, 0.5, 16)], indexing="ij"))[None]
    rgb = in_gamut(y, chroma)
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    made = to_ycc(rgb)
    assert torch.allclose(made[:, :1], y, atol=1e-5)
    across = made[:, 1] * chroma[:, 1] - made[:, 2] * chroma[:, 0]
    assert across.abs().max() < 1e-5
    pale = 0.05 * chroma[:, :, 4:12]
    assert torch.allclose(to_ycc(in_gamut(y[:, :, 4:12], pale))[:, 1:], pale, atol=1e-5)
