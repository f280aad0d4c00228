from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from restoration import (
    PRESETS,
    ControlError,
    Photo,
    Recipe,
    Restoration,
    Restorer,
    Upscaling,
    WeightsError,
    image,
    machine,
    metrics,
    pipeline,
    robustness,
    upscale,
    weights,
)
from restoration import device as devices
from restoration.device import CPU, Place
from restoration.weights import released
from tests.conftest import EXAMPLES
from train.photos import find_photos, split

MODELS = ("vae", "gan", "cnn")


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


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_results_beat_the_input_on_unseen_photos_and_colours_help(restorer: Restorer, shared, model: str) -> None:
    _, held_out = split(find_photos(str(shared / "photos")))
    jpegs = [io.BytesIO(photo.read()) for photo in held_out[:100]]
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


# --- A GPU that fails -------------------------------------------------------------------------------------------------


def test_a_gpu_that_vanished_gives_way_to_the_cpu(
    photo: Photo, restorer: Restorer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For PyTorch there is one when the restorer is made; when it is wanted, no driver answers."""
    if torch.cuda.is_available():
        pytest.skip("here is a GPU that would answer")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    abandoned = Restorer("auto")
    assert abandoned.device.type == "cuda"
    assert not torch.backends.cudnn.allow_tf32
    asked = Recipe(models={"vae": None}, upscaling=Upscaling(scale=2, engine="fast"))
    run = pipeline.run(abandoned, photo, asked)
    assert run.fell_back
    assert run.recipe.versions["device"] == "cpu"
    assert run.recipe.upscaling
    assert run.recipe.upscaling.precision == "float32"
    expected = pipeline.run(restorer, photo, asked)
    assert not expected.fell_back
    assert np.array_equal(run.restored["vae"].photo.pixels, expected.restored["vae"].photo.pixels)
    assert np.array_equal(run.enlarged["vae"].photo.pixels, expected.enlarged["vae"].photo.pixels)
    assert caplog.text.count("The GPU failed, so the CPU stands in.") == 1  # it is not asked again
    assert pipeline.run(abandoned, photo, asked).fell_back
    assert robustness.sweep(abandoned, photo, "jpeg", (50, 10), ["vae"]).fell_back


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """For an Apple GPU: this CPU under another name."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(devices, "APPLE", torch.device("cpu", 0))
    return devices.APPLE


@pytest.mark.parametrize(("levels", "is_chosen"), [(0, True), (2, True), (3, False)])
def test_an_apple_gpu_is_chosen_where_it_restores_as_the_cpu_does(
    stand_in: torch.device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    levels: int, is_chosen: bool,
) -> None:  # fmt: skip
    made = Restorer._restored

    def restored(self: Restorer, *rest: Any) -> list[Restoration]:
        (one,) = made(self, *rest)
        pixels = one.photo.pixels.copy()
        if rest[-1].device == stand_in:
            pixels[0, 0, 0] += levels if pixels[0, 0, 0] < 128 else -levels
        return [replace(one, photo=Photo(pixels))]

    monkeypatch.setattr(Restorer, "_restored", restored)
    assert Restorer("auto").device == (stand_in if is_chosen else torch.device("cpu"))
    assert caplog.messages == ([] if is_chosen else ["The CPU restores, as the GPU's result differs by 3 levels."])


def test_an_apple_gpu_that_lacks_something_leaves_all_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Here PyTorch was built without it, and says so as it does of an operator that is not there."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Restorer("auto").device == torch.device("cpu")
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("The CPU restores, as the GPU cannot. ")


class _Half(torch.nn.Module):
    """Enlarges, but in half precision gives no numbers, as GPUs of NVIDIA's series 16 do."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        made = self.gain * torch.nn.functional.interpolate(images, scale_factor=4)
        return made * float("nan") if images.dtype == torch.float16 else made


def test_half_precision_that_gives_no_numbers_gives_way_to_single(
    photo: Photo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upscale, "build", lambda config, tensors: _Half())
    restorer = Restorer("cpu")
    gpu = torch.device("cpu", 0)
    restorer._places._left = [Place(gpu, torch.float16), Place(gpu), Place(CPU)]
    asked = Recipe(models={"vae": None}, upscaling=Upscaling(scale=4, engine="fast"))
    assert restorer.upscaling(engine="fast").precision == "float16"
    for _ in range(2):
        run = pipeline.run(restorer, photo, asked)
        assert run.recipe.upscaling
        assert run.recipe.upscaling.precision == "float32"
        small = run.enlarged["vae"].photo.pixels[::4, ::4]
        assert np.array_equal(small, run.restored["vae"].photo.pixels)
    assert caplog.messages == ["The GPU cannot enlarge in half precision, so it does in single precision."]


class _Small(torch.nn.Module):
    """Enlarges, but has no memory for more than so many pixels a side at once."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.seen, self.gain = most, [], torch.nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(max(images.shape[2:]))
        if self.seen[-1] > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return self.gain * torch.nn.functional.interpolate(images, scale_factor=4)


@pytest.mark.parametrize(("most", "runs"), [(120, "on the GPU"), (20, "on the CPU")])
def test_a_gpu_without_memory_gets_smaller_tiles_and_then_gives_way(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, most: int, runs: str
) -> None:
    machine._warn.cache_clear()
    restorer, gpu = Restorer("cpu"), torch.device("cpu", 0)
    restorer._places._left = [Place(gpu), Place(CPU)]
    networks = {gpu: _Small(most), CPU: _Small(1000)}
    loaded = restorer._networks.upscaler
    monkeypatch.setattr(
        restorer._networks, "upscaler", lambda name, at: replace(loaded(name, at), network=networks[at.device])
    )
    large = Photo(np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8))
    result = restorer.upscale(large, engine="fast")
    assert np.array_equal(result.photo.pixels[::4, ::4], large.pixels)
    seen = networks[gpu].seen
    assert max(seen) > most
    assert (min(seen) <= most) == (runs == "on the GPU")
    assert bool(networks[CPU].seen) == (runs == "on the CPU")
    assert caplog.text.count("so photos are taken in smaller parts") == 1
    assert caplog.text.count("The GPU failed, so the CPU stands in.") == (runs == "on the CPU")


def test_undefined_numbers_are_no_photo(restorer: Restorer, photo: Photo, tmp_path: Path) -> None:
    """One flipped bit makes a weight vast; what comes of it would be black."""
    tensors = load_file(released.FOLDER / "vae.safetensors")
    name = next(name for name, tensor in tensors.items() if name.endswith("weight") and tensor.ndim == 4)
    tensors[name] = torch.full_like(tensors[name].float(), 3e38)
    with safe_open(released.FOLDER / "vae.safetensors", "pt") as file:
        save_file(tensors, tmp_path / "own.safetensors", file.metadata())
    own = Restorer("cpu", [tmp_path / "own.safetensors"])
    for work in (own.restore, own.samples):
        with pytest.raises(WeightsError, match=r"own\.safetensors gives undefined numbers"):
            work(photo)
