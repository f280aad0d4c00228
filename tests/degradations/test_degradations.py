from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image

from restoration import PRESETS, ControlError, Degradation, Photo, Recipe, metrics
from restoration.colour import luminance
from restoration.degradations import CONTROLS, degrade_batch, fade_batch, jpeg_dct
from restoration.degradations.kernels import blur, lines
from restoration.degradations.presets import jpeg_round_trip
from restoration.image import to_tensor
from tests.conftest import GOLDEN, ROOT

STRONG = {
    "gaussian": 0.1, "salt_pepper": 0.05, "speckle": 0.2, "correlated": 0.2, "lines": 3, "blur": 7, "jpeg": 20,
    "fading": 0.3, "scratches": 6, "dust": 0.3,
}  # fmt: skip
OLD_RECIPES = json.loads((GOLDEN / "recipes_schema_3.json").read_text())
"""Of the time before prints aged: `tests/golden` holds what became of photos then."""


def test_the_default_changes_nothing(photo: Photo) -> None:
    assert np.array_equal(Degradation().apply(photo, 0).pixels, photo.pixels)


@pytest.mark.parametrize("name", CONTROLS)
def test_each_control_damages_more_the_further_it_goes(photo: Photo, name: str) -> None:
    control = CONTROLS[name]
    far = control.low if name == "jpeg" else control.high
    psnr = [
        metrics.compare(Degradation(**{name: value}).apply(photo, 1), photo).psnr
        for value in (control.off, STRONG[name], far)
    ]
    assert psnr[0] == float("inf")
    assert psnr[0] > psnr[1] > psnr[2]


def test_grayscale_leaves_the_luminance(photo: Photo) -> None:
    grey = Degradation(grayscale=True).apply(photo, 0).pixels.astype(float)
    assert np.ptp(grey, axis=2).max() == 0
    assert np.abs(grey[..., 0] - photo.pixels @ [0.299, 0.587, 0.114]).max() <= 0.51


@pytest.mark.parametrize("name", ["heavy", "antique"])
def test_one_seed_gives_one_picture_in_every_process(photo: Photo, name: str) -> None:
    code = (
        "import hashlib; from pathlib import Path; from restoration import PRESETS, image\n"
        "photo = image.fit(image.load('assets/examples/astronaut.jpg'))\n"
        f"print(hashlib.sha256(PRESETS['{name}'].draw(5).apply(photo, 5).pixels.tobytes()).hexdigest())"
    )
    prints = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        prints.add(subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT, env=environment))
    here = hashlib.sha256(PRESETS[name].draw(5).apply(photo, 5).pixels.tobytes()).hexdigest()
    assert prints == {here + "\n"}


def test_seeds_differ_and_controls_do_not_disturb_each_other(photo: Photo) -> None:
    noisy = Degradation(gaussian=0.1)
    assert not np.array_equal(noisy.apply(photo, 1).pixels, noisy.apply(photo, 2).pixels)
    two, three = (replace(noisy, lines=n).apply(photo, 1).pixels for n in (2, 3))
    columns = np.flatnonzero((two != three).any(axis=(0, 2)))
    assert 0 < len(columns) <= 4  # the third line alone: the noise around it stayed


def test_units_of_the_noises(photo: Photo) -> None:
    grey = Photo(np.full((128, 128, 3), 128, np.uint8))
    spread = lambda **control: (Degradation(grayscale=True, **control).apply(grey, 0).pixels[..., 0] / 255).std()  # noqa: E731
    assert spread(gaussian=0.05) == pytest.approx(0.05, rel=0.03)
    assert spread(speckle=0.1) == pytest.approx(0.1 * 128 / 255, rel=0.03)
    assert 0.1 < spread(correlated=0.2) / 0.2 < 0.4  # smoothing took most of it
    lost = Degradation(grayscale=True, salt_pepper=0.1).apply(grey, 0).pixels[..., 0]
    assert (lost != 128).mean() == pytest.approx(0.1, abs=0.01)
    assert set(np.unique(lost)) in ({0, 128}, {128, 255})  # one draw decides for the whole photo


def test_lines_run_over_the_full_height(photo: Photo) -> None:
    rng = np.random.default_rng(0)
    image = np.ones((1, 1, 128, 128), np.float32)
    drawn = lines(image, np.array([4]), rng.random((1, 3, 16), dtype=np.float32))
    touched = (drawn < 1)[0, 0]
    assert np.array_equal(touched.all(0), touched.any(0))
    assert 1 <= touched.any(0).sum() <= 16
    assert 0.1 <= drawn.min() <= drawn[drawn < 1].max() <= 0.4


def test_blur_is_opencvs(photo: Photo) -> None:
    cv2 = pytest.importorskip("cv2")
    image = photo.pixels.astype(np.float32).transpose(2, 0, 1)[None] / 255
    for size in (3, 5, 7, 21):
        sigma = 0.3 * ((size - 1) / 2 - 1) + 0.8
        theirs = cv2.GaussianBlur(image[0].transpose(1, 2, 0), (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
        assert np.abs(blur(image, np.array([size]))[0].transpose(1, 2, 0) - theirs).max() < 1e-5


def test_batched_jpeg_is_libjpegs(photos: list[Photo]) -> None:
    images = (luminance(to_tensor(photos)) * 255).round() / 255
    quality = np.array([5, 20, 35, 50, 65, 80, 89, 95, 10, 30, 60, 100])
    ours = jpeg_dct(images, quality) * 255
    for image, coded, q in zip(images, ours, quality, strict=True):
        pixels = (image * 255).round().byte().permute(1, 2, 0).numpy()
        theirs = jpeg_round_trip(pixels, int(q)) if q < 100 else pixels
        error = np.abs(coded.permute(1, 2, 0).numpy() - theirs)
        # Rounding on the way differs; what JPEG itself takes away is larger by far.
        assert error.mean() < 0.4
        assert q == 100 or error.mean() < 0.5 * np.abs(pixels.astype(float) - theirs).mean()


@pytest.mark.parametrize("name", ["original", "antique"])
def test_the_batched_path_agrees_in_distribution_with_the_single_one(photos: list[Photo], name: str) -> None:
    truth = luminance(to_tensor(photos)).repeat(25, 1, 1, 1)
    rng, fields, preset = np.random.default_rng(0), torch.Generator().manual_seed(0), PRESETS[name]
    batched = torch.cat([degrade_batch(part, preset.draw_many(rng, 12), fields) for part in truth.split(12)])
    drawn = [replace(preset.draw(seed), grayscale=True).apply(photos[seed % 12], seed) for seed in range(300)]
    single = to_tensor(drawn)[:, :1]

    def statistics(degraded: torch.Tensor) -> torch.Tensor:
        error = (degraded - truth).flatten(1)
        return torch.stack([error.mean(1), error.square().mean(1).log10(), degraded.flatten(1).std(1)])

    ours, theirs = statistics(batched), statistics(single)
    standard_error = (ours.var(1) / 300 + theirs.var(1) / 300).sqrt()
    assert ((ours.mean(1) - theirs.mean(1)).abs() < 3.5 * standard_error).all()
    assert torch.allclose(ours.std(1), theirs.std(1), rtol=0.25)


@pytest.mark.parametrize("name", ["original", "antique"])
def test_a_preset_has_its_probabilities_and_ranges(name: str) -> None:
    drawn = PRESETS[name].draw_many(np.random.default_rng(0), 4000)
    for control, (probability, low, high) in PRESETS[name].ranges.items():
        acting = drawn[control][drawn[control] != CONTROLS[control].off]
        assert len(acting) / 4000 == pytest.approx(probability, abs=0.03)
        assert low <= acting.min() <= acting.max() <= high
        assert acting.mean() == pytest.approx((low + high) / 2, rel=0.1)
    assert set(np.unique(drawn["blur"])) == ({1, 3, 5, 7} if name == "original" else {1, 3, 5})


def test_a_photo_fades_first_and_the_faded_one_is_the_target(photos: list[Photo]) -> None:
    truth = luminance(to_tensor(photos))
    off = {name: np.full(12, control.off, dtype=float) for name, control in CONTROLS.items()}
    faded = fade_batch(
        truth, {**off, "fading": np.full(12, 0.4), "dust": np.ones(12)}, torch.Generator().manual_seed(0)
    )
    assert torch.equal(fade_batch(truth, off, torch.Generator().manual_seed(0)), truth)
    assert 0.5 < faded.std() / truth.std() < 0.7  # and no dust on it
    once = degrade_batch(truth, {**off, "fading": np.full(12, 0.4)}, torch.Generator().manual_seed(0))
    assert (once - faded).abs().max() < 0.6 / 255  # the same, in 8 bits
    soiled = degrade_batch(faded, {**off, "dust": np.ones(12)}, torch.Generator().manual_seed(1))
    assert ((soiled - faded).abs() < 0.6 / 255).float().mean() > 0.8  # between the dust the target is met


@pytest.mark.parametrize("name", OLD_RECIPES)
def test_older_presets_and_recipes_damage_as_they_did(photos: list[Photo], name: str) -> None:
    """Every fourth pixel of six photos by their seeds, then of a batch of six: the last digit may be another's."""
    with Image.open(GOLDEN / "degraded.png") as picture:
        then = np.asarray(picture, dtype=float).reshape(len(OLD_RECIPES), 2, 32, 6, 32).swapaxes(2, 3)
    alone, batched = then[list(OLD_RECIPES).index(name)]
    for seed, (values, picture) in enumerate(zip(OLD_RECIPES[name], alone, strict=True)):
        recipe = Recipe.from_json(values)
        assert recipe.degradation == PRESETS[name].draw(seed)
        damaged = recipe.degradation.apply(photos[seed], seed).pixels[::4, ::4, 0]
        assert np.abs(damaged - picture).mean() < 0.01
    drawn, fields = PRESETS[name].draw_many(np.random.default_rng(1), 6), torch.Generator().manual_seed(0)
    now = degrade_batch(luminance(to_tensor(photos[:6])), drawn, fields)[:, 0, ::4, ::4] * 255
    assert np.abs(now.numpy() - batched).mean() < 0.02


@pytest.mark.parametrize("name", OLD_RECIPES)
def test_older_presets_draw_from_one_generator_what_they_drew(name: str) -> None:
    rng = np.random.default_rng(0)
    for then in json.loads((GOLDEN / "strengths.json").read_text())[name]:
        now = PRESETS[name].draw_many(rng, len(then["gaussian"]))
        assert {control: values.tolist() for control, values in now.items() if control in then} == then
        assert not any(now[control].any() for control in set(now) - set(then))


def test_presets_order_by_damage(photos: list[Photo]) -> None:
    def mean_psnr(name: str) -> float:
        damaged = (PRESETS[name].draw(seed).apply(photo, seed) for seed, photo in enumerate(photos))
        return float(np.mean([metrics.compare(d, p).psnr_luminance for d, p in zip(damaged, photos, strict=True)]))

    assert mean_psnr("light") > mean_psnr("original") > mean_psnr("heavy")


@pytest.mark.parametrize(
    "controls",
    [
        {"gaussian": float("nan")},
        {"gaussian": float("inf")},
        {"gaussian": -0.1},
        {"speckle": 9},
        {"lines": 2.5},
        {"fading": 0.9},
        {"scratches": 2.5},
        {"scratches": 25},
        {"dust": -0.1},
        {"blur": 4},
        {"jpeg": 0},
        {"jpeg": "20"},
        {"gaussian": None},
        {"lines": True},
        {"grayscale": 1},
    ],
)
def test_a_control_outside_its_range_is_refused(controls: dict) -> None:
    with pytest.raises(ControlError, match=next(iter(controls))):
        Degradation(**controls)


def test_unknown_names_and_seeds_are_refused(photo: Photo) -> None:
    with pytest.raises(ControlError, match="sepia"):
        Degradation.from_mapping({"sepia": 1})
    with pytest.raises(ControlError, match="seed"):
        Degradation().apply(photo, -1)
    with pytest.raises(ControlError, match="seed"):
        PRESETS["light"].draw(1.5)  # type: ignore[arg-type]


def test_a_degradation_survives_a_dictionary() -> None:
    drawn = PRESETS["heavy"].draw(3)
    assert Degradation.from_mapping(asdict(drawn)) == drawn
