"""A photo is restored whole: at its own size, without seams, in the colours that are asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from restoration import PRESETS, ControlError, Look, Photo, Restorer, WeightsError, image, metrics, whole_photo
from restoration.colour import LUMA
from restoration.restorer import OWN_LOOK
from tests.conftest import EXAMPLES

MODELS = ("vae", "gan", "cnn")
GREY = Look(colour="none")
LONG = pytest.param(10_000, 200, marks=pytest.mark.slow)


def large(name: str) -> Photo:
    return image.load(EXAMPLES / name, reduce_to=None)


def light(photo: Photo) -> np.ndarray:
    """In levels of 255."""
    return photo.pixels @ np.array(LUMA)


def levels(a: Photo, b: Photo) -> int:
    return int(np.abs(a.pixels.astype(int) - b.pixels).max())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("preset", ["original", "antique"])
def test_at_128_pixels_it_is_the_laboratorys_result(restorer: Restorer, photo: Photo, model: str, preset: str) -> None:
    degraded = PRESETS[preset].draw(2).apply(photo, 2)
    made = restorer.restore_whole(degraded, model, look=Look())
    assert np.array_equal(made.photo.pixels, restorer.restore(degraded, model).photo.pixels)
    assert made.colour == "new"


@pytest.mark.parametrize("model", MODELS)
def test_tiles_leave_no_seam(restorer: Restorer, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = large("coffee.jpg")
    degraded = PRESETS["original"].draw(3).apply(photo, 3)
    ramp = np.linspace(20, 235, 800)[None, :] * np.linspace(0.6, 1, 420)[:, None]
    gradient = Photo(np.repeat(np.rint(ramp).astype(np.uint8)[..., None], 3, 2))
    monkeypatch.setattr(whole_photo, "DOUBT", 0)  # or the gradient would come back as it is, however it is restored
    at_once = [restorer.restore_whole(each, model, look=GREY).photo for each in (degraded, gradient)]
    monkeypatch.setattr(whole_photo, "TILE", 320)
    for each, made in zip((degraded, gradient), at_once, strict=True):
        assert levels(made, restorer.restore_whole(each, model, look=GREY).photo) <= 2


def test_one_damaged_corner_of_a_large_photo_is_restored(restorer: Restorer) -> None:
    photo = Photo(large("flower.jpg").pixels.repeat(2, 0).repeat(2, 1))
    spoilt, corner = photo.pixels.copy(), (slice(0, 160), slice(0, 160))
    specks = np.random.default_rng(0).random((160, 160)) < 0.02
    spoilt[corner][specks] = 255
    made = restorer.restore_whole(Photo(spoilt), "cnn", look=replace(GREY, tone=0)).photo
    wrong = [np.abs(light(each) - light(photo))[corner][specks].mean()
             for each in (Photo(spoilt), made)]  # fmt: skip
    assert wrong[1] < wrong[0] / 2


def test_a_damaged_photo_is_restored_whole(restorer: Restorer) -> None:
    photo = large("coffee.jpg")
    degraded = PRESETS["original"].draw(3).apply(photo, 3)
    for model in MODELS:
        made = restorer.restore_whole(degraded, model)
        assert made.colour == "new"  # what is grey has no colours of its own
        assert metrics.psnr_luminance(made.photo, photo) > metrics.psnr_luminance(degraded, photo) + 0.3
        assert metrics.psnr(made.photo, photo) > metrics.psnr(degraded, photo) + 0.5


@pytest.mark.parametrize("name", ["coffee.jpg", "astronaut.jpg", "flower.jpg"])
def test_it_keeps_an_undamaged_photo_and_its_colours(restorer: Restorer, name: str) -> None:
    photo = large(name)
    made = restorer.restore_whole(photo, "cnn")
    assert made.colour == "keep"
    assert metrics.psnr_luminance(made.photo, photo) > (36 if name == "coffee.jpg" else 40)  # glints on its spoon go
    assert metrics.compare(made.photo, photo).ciede2000 < 2.5


def test_nothing_is_invented_in_an_empty_sky(restorer: Restorer) -> None:
    """Where zeros lay around the photo, a network made a row of dots of them, eight pixels apart."""
    photo = large("china.jpg")
    old = PRESETS["antique"].draw(2).apply(photo, 2)
    sky = slice(12, 28), slice(120, 440)
    made = restorer.restore_whole(old, "cnn", look=replace(GREY, tone=0)).photo
    assert np.abs(made.pixels[sky].astype(int) - old.pixels[sky]).max() < 8


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("level", [0, 128, 235, 255])
def test_a_plain_picture_gets_no_stains(restorer: Restorer, model: str, level: int) -> None:
    plain = Photo(np.full((260, 300, 3), level, np.uint8))
    assert levels(restorer.restore_whole(plain, model).photo, plain) <= 12


def test_colours_are_kept_guessed_or_left_away(restorer: Restorer) -> None:
    photo = large("astronaut.jpg")
    made = {colour: restorer.restore_whole(photo, "vae", look=Look(colour=colour)).photo for colour in ("new", "none")}
    assert np.ptp(made["none"].pixels, axis=2).max() == 0
    lights = [light(each) for each in made.values()]
    assert np.abs(lights[0] - lights[1]).max() <= 2  # rounded to 8 bits, and no colour left the gamut
    paler = restorer.restore_whole(photo, "vae", look=Look(colour="new", colour_strength=0.5)).photo
    assert 0.4 < metrics.colourfulness(paler) / metrics.colourfulness(made["new"]) < 0.6


def test_a_sample_of_the_vae_is_the_result(restorer: Restorer, photo: Photo) -> None:
    look = Look(sample=3)
    drawn = restorer.samples(photo, 4, seed=5).photos[2]
    assert np.array_equal(restorer.restore_whole(photo, "vae", look=look, seed=5).photo.pixels, drawn.pixels)
    with pytest.raises(ControlError, match="CNN has no samples"):
        restorer.restore_whole(photo, "cnn", look=look)
    assert restorer.restore_whole(large("chelsea.jpg"), "vae", look=replace(OWN_LOOK, sample=2)).colour == "new"
    with pytest.raises(ControlError, match="A sample is of colours that are guessed"):
        Look(colour="keep", sample=2)


def test_fading_is_undone_as_much_as_is_asked(restorer: Restorer) -> None:
    photo = large("flower.jpg")
    y = (light(photo) * 0.5 + 90)[..., None]
    faded = Photo(np.rint(np.repeat(y, 3, 2)).astype(np.uint8))
    contrast = [
        light(restorer.restore_whole(faded, "cnn", look=replace(GREY, tone=tone)).photo).std() for tone in (0, 0.5, 1)
    ]
    assert abs(contrast[0] / y.std() - 1) < 0.05
    assert contrast[0] < contrast[1] < contrast[2]
    assert contrast[2] > 1.3 * contrast[0]


@pytest.mark.parametrize(("width", "height"), [(17, 17), (16, 40), (400, 1600), LONG])
def test_any_shape_comes_back_as_it_is(restorer: Restorer, width: int, height: int) -> None:
    photo = Photo(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))
    for look in (OWN_LOOK, Look()):
        made = restorer.restore_whole(photo, "gan", look=look).photo
        assert (made.width, made.height) == (width, height)


def test_tiles_are_counted(restorer: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_photo, "TILE", 320)
    calls: list[tuple[int, int]] = []
    restorer.restore_whole(large("coffee.jpg"), "cnn", look=GREY, progress=lambda *each: calls.append(each))
    assert calls == [(done, len(calls)) for done in range(1, len(calls) + 1)]
    assert len(calls) > 1


def test_weights_that_give_no_numbers_are_said(photo: Photo) -> None:
    for part in ("detail", "colouriser"):
        broken = Restorer("cpu")
        head = getattr(broken.network("gan"), part).head.conv
        head.weight.fill_(float("nan"))
        with pytest.raises(WeightsError, match="undefined numbers"):
            broken.restore_whole(photo, "gan", look=Look())
