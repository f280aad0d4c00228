"""The original project's networks, held against the outputs of its own code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from restoration import Photo, Restorer, image, weights
from restoration.models import model
from restoration.weights.checkpoints import ORIGINALS
from tests.original import GOLDEN, save


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    found = [*save(tmp_path_factory.mktemp("original"), "vae", "gan", "cnn1", "cnn2").values()]
    yield found
    for path in found:
        path.unlink()  # 175 MB


@pytest.fixture(scope="module", params=ORIGINALS)
def network(request: pytest.FixtureRequest, files: list[Path]) -> nn.Module:
    checkpoint = weights.load(request.param, files)
    network = model(request.param).build(checkpoint.config)
    network.load_state_dict(dict(checkpoint.tensors))
    network.id = request.param  # type: ignore[assignment]
    return network.eval()


@torch.inference_mode()
def test_outputs_are_those_of_the_original(network: nn.Module) -> None:
    given = image.to_tensor([image.load(GOLDEN / "input.png")])
    expected = np.load(GOLDEN / "expected.npz")[ORIGINALS[str(network.id)].asked]
    assert expected.shape == (3, 128, 128)
    assert np.abs(network(given)[0].numpy() - expected).max() < 1e-3


@torch.inference_mode()
def test_a_photo_does_not_depend_on_its_batch(network: nn.Module, photos: list) -> None:
    images = image.to_tensor(photos[:2])
    assert torch.allclose(network(images)[1:], network(images[1:]), atol=1e-4)


@torch.inference_mode()
def test_only_the_luminance_is_read(network: nn.Module, photos: list) -> None:
    images = image.to_tensor(photos[:1])
    grey = network(images.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1).mul(images).sum(1, True).expand_as(images))
    assert torch.allclose(network(images), grey, atol=1e-3)


def test_the_vae_draws_too(files: list[Path], photo: Photo) -> None:
    """Its latent decides here, with weights of chance, and the same seed draws the same."""
    restorer = Restorer("cpu", [files[0]])
    one, again, other = (restorer.samples(photo, 3, seed=seed) for seed in (1, 1, 2))
    assert one.weights_sha256 == restorer.weights_sha256("vae")
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one.photos, again.photos, strict=True))
    assert not np.array_equal(one.photos[0].pixels, one.photos[1].pixels)
    assert not np.array_equal(one.photos[0].pixels, other.photos[0].pixels)
