from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from restoration import PRESETS, ControlError, Photo, Restorer, image, metrics, weights
from restoration.restorer import _warn_of_torch
from train.photos import find_photos, split

MODELS = ("vae", "gan", "cnn")


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer("cpu")


def gains(restorer: Restorer, model: str, truths: list[Photo]) -> tuple[float, float]:
    """Mean RGB PSNR over the degraded photo's, and over that of the result in grey, preset `original`."""
    over_input, over_grey = [], []
    for seed, truth in enumerate(truths):
        degraded = PRESETS["original"].draw(seed).apply(truth, seed)
        restored = restorer.restore(degraded, model).photo
        grey = np.rint(restored.pixels @ [0.299, 0.587, 0.114]).astype(np.uint8)
        psnr = metrics.compare(restored, truth).psnr
        over_input.append(psnr - metrics.compare(degraded, truth).psnr)
        over_grey.append(psnr - metrics.compare(Photo(np.stack([grey] * 3, 2)), truth).psnr)
    return float(np.mean(over_input)), float(np.mean(over_grey))


@pytest.mark.parametrize("model", MODELS)
def test_results_are_better_than_the_degraded_examples(restorer: Restorer, photos: list[Photo], model: str) -> None:
    over_input, _ = gains(restorer, model, photos)
    assert over_input > 0.5


@pytest.mark.parametrize("model", MODELS)
def test_results_beat_the_input_on_unseen_photos_and_colours_help(restorer: Restorer, shared, model: str) -> None:
    _, held_out = split(find_photos(str(shared / "photos")))
    jpegs = [io.BytesIO(photo.read()) for photo in held_out[:150]]
    truths = [image.fit(Photo(np.array(Image.open(jpeg).convert("RGB")))) for jpeg in jpegs]
    over_input, over_grey = gains(restorer, model, truths)
    assert over_input > 0.8
    assert over_grey > 0


@pytest.mark.parametrize("model", MODELS)
def test_the_result_is_never_the_input(restorer: Restorer, photos: list[Photo], model: str) -> None:
    for photo in photos:
        result = restorer.restore(photo, model)
        assert result.photo.pixels.shape == (128, 128, 3)
        assert not np.array_equal(result.photo.pixels, photo.pixels)
        assert result.weights_sha256 == weights.manifest()[f"{model}.safetensors"].sha256
        assert result.model == model


def test_a_larger_photo_is_fitted_first(restorer: Restorer) -> None:
    from tests.conftest import EXAMPLES

    photo = image.load(EXAMPLES / "china.jpg")
    for how in ("crop", "squash", "pad"):
        direct = restorer.restore(photo, "cnn", fit=how)
        fitted = restorer.restore(image.fit(photo, how), "cnn")
        assert np.array_equal(direct.photo.pixels, fitted.photo.pixels)


def test_threads_share_one_restorer_and_keep_their_results(photos: list[Photo]) -> None:
    alone = Restorer("cpu")
    expected = [alone.restore(photo, "gan").photo.pixels.astype(int) for photo in photos]
    shared = Restorer("cpu")  # not loaded yet: the threads meet at the lock
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda photo: shared.restore(photo, "gan").photo.pixels, photos))
    for one, other in zip(expected, together, strict=True):
        assert np.abs(one - other).max() <= 1


def test_samples_follow_from_their_seed(restorer: Restorer, photo: Photo) -> None:
    one, again, other = (restorer.samples(photo, 4, seed=seed) for seed in (1, 1, 2))
    assert len(one.photos) == 4
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one.photos, again.photos, strict=True))
    assert not np.array_equal(one.photos[0].pixels, other.photos[0].pixels)
    assert not np.array_equal(one.photos[0].pixels, one.photos[1].pixels)
    assert one.weights_sha256 == weights.manifest()["vae.safetensors"].sha256


def test_the_uncertainty_is_the_samples_spread(restorer: Restorer, photo: Photo) -> None:
    samples = restorer.samples(photo, 8)
    pixels = np.stack([each.pixels for each in samples.photos]).astype(float)
    assert samples.uncertainty.shape == (128, 128)
    assert np.allclose(samples.uncertainty, pixels.std(0).mean(2), atol=1e-3)
    brightest = np.unravel_index(samples.uncertainty.argmax(), (128, 128))
    assert samples.map().pixels[brightest].min() == samples.map().pixels.max()


@pytest.mark.parametrize("n", [1, 65])
def test_too_few_or_too_many_samples_are_refused(restorer: Restorer, photo: Photo, n: int) -> None:
    with pytest.raises(ControlError, match="2 to 64"):
        restorer.samples(photo, n)


def test_unknown_names_are_refused(restorer: Restorer, photo: Photo) -> None:
    with pytest.raises(ControlError, match="cnn, gan, vae"):
        restorer.restore(photo, "diffusion")
    with pytest.raises(ControlError, match="crop, squash, pad"):
        restorer.restore(photo, "vae", fit="stretch")  # type: ignore[arg-type]
    with pytest.raises(ControlError, match="auto, cpu, cuda"):
        Restorer("tpu")


@pytest.mark.parametrize(("version", "warned"), [("2.9.1+cu126", 1), ("2.10.0", 0), ("2.15.0+cu132", 0)])
def test_an_old_pytorch_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, version: str, warned: int
) -> None:
    monkeypatch.setattr("torch.__version__", version)
    _warn_of_torch.cache_clear()
    for _ in range(2):
        Restorer("cpu")
    assert len([message for message in caplog.messages if "published vulnerabilities" in message]) == warned
