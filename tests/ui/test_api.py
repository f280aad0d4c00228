"""The HTTP API, as a program meets it: every endpoint by gradio_client, its pixels compared with Python's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from restoration import (
    PRESETS,
    Degradation,
    Look,
    Photo,
    Recipe,
    Restorer,
    Upscaling,
    image,
    metrics,
    pipeline,
    robustness,
    scratches,
)
from restoration.degradations import CONTROLS
from restoration.report import finite
from restoration.restorer import OWN_LOOK
from restoration.types import Inpainting
from tests.conftest import EXAMPLES, ROOT
from tests.corpus.formats import png
from ui import recipe_section
from ui.context import TITLES
from ui.tabs import restore as app

COFFEE = EXAMPLES / "coffee.jpg"
FILE = {"_type": "gradio.FileData"}
ENDPOINTS = ("restore", "degrade", "compare", "compare_by_position", "find_scratches", "upscale", "sweep")

Call = Callable[..., Any]


@pytest.fixture
def call(client: Client) -> Call:
    """An endpoint, by its name and its parameters."""

    def predict(endpoint: str, photo: Any = COFFEE, **parameters: Any) -> Any:
        sent = handle_file(photo) if isinstance(photo, Path) else photo
        return client.predict(sent, **parameters, api_name=f"/{endpoint}")

    return predict


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo that is quickly enlarged."""
    path = tmp_path_factory.mktemp("small") / "small.png"
    Image.open(COFFEE).resize((60, 40)).save(path)
    return path


def pixels(path: str) -> np.ndarray:
    """A result's, which is lossless."""
    assert path.endswith(".png")
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture)


def same(path: str, photo: Photo) -> bool:
    return np.array_equal(pixels(path), photo.pixels)


def measured(photo: Photo, truth: Photo) -> dict[str, Any]:
    return finite(asdict(metrics.compare(photo, truth)))


# --- What there is ----------------------------------------------------------------------------------------------------


def test_the_endpoints_are_public_and_say_what_they_take(client: Client) -> None:
    listed = client.view_api(print_info=False, return_format="dict")
    assert set(listed["named_endpoints"]) == {f"/{name}" for name in ENDPOINTS}
    assert not listed["unnamed_endpoints"]
    for endpoint in listed["named_endpoints"].values():
        parameters = {each["parameter_name"]: each for each in endpoint["parameters"]}
        assert [name for name, each in parameters.items() if not each["parameter_has_default"]] == ["photo"]
        assert parameters["photo"]["python_type"]["type"] == "filepath"
        assert all(each["python_type"]["description"] for each in parameters.values())
        assert all(each["python_type"]["type"] != "Any" for each in parameters.values())
        assert endpoint["returns"][-1]["label"] == "report"
    degrade = {each["parameter_name"]: each for each in listed["named_endpoints"]["/degrade"]["parameters"]}
    assert set(CONTROLS) <= set(degrade)
    assert degrade["size"]["parameter_default"] == "128"
    restore = {each["parameter_name"]: each for each in listed["named_endpoints"]["/restore"]["parameters"]}
    assert restore["size"]["parameter_default"] is None  # as large as the model can
    assert degrade["seed"]["type"]["type"] == "integer"
    assert degrade["jpeg"]["type"]["minimum"] == CONTROLS["jpeg"].low


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_photo_alone_is_enough(call: Call, small: Path, endpoint: str) -> None:
    first, *_, report = call(endpoint, small)
    assert len(pixels(first))
    assert "recipe" in report or "marked" in report or len(report["recipes"]) == 8


# --- The same pixels as in Python -------------------------------------------------------------------------------------


def test_restore(call: Call, restorer: Restorer) -> None:
    wanted = Recipe(fit="squash", seed=0, models={"gan": None}, upscaling=Upscaling(scale=2, engine="fast"))
    run = pipeline.run(restorer, image.load(COFFEE), wanted)
    restored, enlarged, report = call("restore", model="gan", size="128", fit="squash", scale=2, engine="fast")
    assert same(restored, run.restored["gan"].photo)
    assert same(enlarged, run.enlarged["gan"].photo)
    assert Recipe.from_json(report["recipe"]) == run.recipe
    assert set(report["seconds"]) == {"gan", "gan_upscale"}
    assert set(report["measures"]) == {"degraded", "gan"}
    assert report["size"] == {"photo": [128, 128], "restored": [128, 128], "enlarged": [256, 256]}
    assert report["colour"] == "new"


def test_scratches_are_found_and_mended(call: Call, restorer: Restorer, tmp_path: Path) -> None:
    whole = image.load(EXAMPLES / "astronaut.jpg", reduce_to=None)
    cracked = Degradation(scratches=6, dust=0.3, grayscale=True).apply(whole, 3)
    image.save(cracked, tmp_path / "cracked.png")
    mask, overlay, found = call("find_scratches", tmp_path / "cracked.png", sensitivity=0.4)
    marked = scratches.marked(restorer.find_scratches(cracked), 0.4)
    assert same(mask, scratches.picture(marked))
    assert same(overlay, scratches.overlay(cracked, marked))
    recipe = Recipe(size="own", inpaint=Inpainting(sensitivity=0.4), look=OWN_LOOK, seed=0, models={"cnn": None})
    expected = pipeline.run(restorer, cracked, recipe)
    by_itself = call("restore", tmp_path / "cracked.png", model="cnn", inpaint="auto", sensitivity=0.4)
    by_mask = call("restore", tmp_path / "cracked.png", model="cnn", mask=handle_file(mask))
    for restored, _, report in (by_itself, by_mask):
        assert same(restored, expected.restored["cnn"].photo)
        assert report["mended"] == found["marked"] == round(marked.mean(), 5)
    assert Recipe.from_json(by_itself[2]["recipe"]) == expected.recipe


def test_a_photo_is_restored_whole_with_its_own_colours(call: Call, restorer: Restorer, small: Path) -> None:
    wanted = Recipe(
        size="own", look=Look(colour="auto"), seed=0, models={"vae": None},
        upscaling=Upscaling(scale=2, engine="bicubic"),
    )  # fmt: skip
    run = pipeline.run(restorer, image.load(small, reduce_to=None), wanted)
    restored, enlarged, report = call("restore", small, scale=2, engine="bicubic")
    assert same(restored, run.restored["vae"].photo)
    assert same(enlarged, run.enlarged["vae"].photo)
    assert Recipe.from_json(report["recipe"]) == run.recipe
    assert report["size"] == {"photo": [60, 40], "restored": [60, 40], "enlarged": [120, 80]}
    assert report["colour"] == run.restored["vae"].colour == "keep"


def test_how_it_is_to_look_is_asked_for(call: Call, restorer: Restorer, small: Path) -> None:
    look = Look(colour="new", colour_strength=1.5, tone=0.25, sample=3)
    expected = restorer.restore_whole(image.load(small, reduce_to=None), "vae", look=look, seed=4)
    restored, _, report = call("restore", small, colour="new", colour_strength=1.5, tone=0.25, sample=3.0, seed=4)
    assert same(restored, expected.photo)
    assert report["colour"] == "new"
    other, _, _ = call("restore", small, colour="new", colour_strength=1.5, tone=0.25, sample=3, seed=5)
    assert not same(other, expected.photo)


@pytest.mark.parametrize("size", [128, "128"])
def test_at_128_colours_are_guessed_unless_somebody_asks_for_others(
    call: Call, restorer: Restorer, small: Path, size: Any
) -> None:
    photo = image.fit(image.load(small))
    restored, _, _ = call("restore", small, size=size)
    assert same(restored, restorer.restore(photo, "vae").photo)
    kept, _, report = call("restore", small, size=size, colour="auto")
    assert same(kept, restorer.restore_whole(photo, "vae").photo)
    assert report["colour"] == "keep"


def test_a_pair_of_a_photos_own_size_is_made_and_measured(call: Call, small: Path) -> None:
    degraded, original, report = call("degrade", small, size="own", damage="light", seed=2)
    truth = image.load(small, reduce_to=None)
    assert same(original, truth)
    assert same(degraded, PRESETS["light"].draw(2).apply(truth, 2))
    assert report["size"] == {"photo": [60, 40]}
    assert "colour" not in report
    restored, _, again = call("restore", small, recipe={**report["recipe"], "models": {"cnn": None}})
    assert again["measures"]["cnn"] == measured(Photo(pixels(restored).copy()), truth)


def test_degrade(call: Call) -> None:
    truth = image.fit(image.load(COFFEE), "pad")
    damage = replace(PRESETS["antique"].draw(7), grayscale=False, blur=5, dust=0.5)
    degraded, original, report = call(
        "degrade", damage="antique", seed=7.0, fit="pad", grayscale=False, blur=5, dust=0.5
    )  # to JSON 7.0 is whole
    assert same(original, truth)
    assert same(degraded, damage.apply(truth, 7))
    assert Recipe.from_json(report["recipe"]) == pipeline.resolve(
        Restorer("cpu"), Recipe(fit="pad", degradation=damage, seed=7)
    )
    assert report["measures"] == {"degraded": measured(damage.apply(truth, 7), truth)}


def test_degrade_by_hand_alone(call: Call) -> None:
    by_hand = {"lines": 3, "fading": 0.2, "scratches": 4}
    *_, report = call("degrade", damage="off", **by_hand)
    assert Degradation.from_mapping(report["recipe"]["degradation"]) == Degradation(grayscale=True, **by_hand)


def test_compare(call: Call, restorer: Restorer) -> None:
    truth = image.fit(image.load(COFFEE))
    degradation = PRESETS["heavy"].draw(3)
    degraded = degradation.apply(truth, 3)
    original_, degraded_, restored, sheet, report = call("compare", damage="heavy", seed=3)
    assert same(original_, truth)
    assert same(degraded_, degraded)
    assert set(restored) == set(TITLES)
    for name, path in restored.items():
        photo = restorer.restore(degraded, name).photo
        assert same(path, photo)
        assert report["measures"][name] == measured(photo, truth)
    assert pixels(sheet).shape[1] > 3 * 128
    *by_position, _ = call("compare_by_position", damage="heavy", seed=3)
    named = (original_, degraded_, *(restored[name] for name in TITLES), sheet)
    assert all(np.array_equal(pixels(one), pixels(other)) for one, other in zip(named, by_position, strict=True))


def test_compare_of_a_photo_that_is_damaged_already(call: Call) -> None:
    original, given, *_, report = call("compare", damage="off")
    assert original is None
    assert same(given, image.fit(image.load(COFFEE)))
    assert "psnr" not in report["measures"]["vae"]


def test_upscale(call: Call, restorer: Restorer, small: Path) -> None:
    expected = restorer.upscale(image.load(small, reduce_to=None), 4, engine="fast")
    enlarged, report = call("upscale", small, engine="fast")
    assert same(enlarged, expected.photo)
    ran = Recipe.from_json(report["recipe"])
    assert ran == Recipe(size="own", upscaling=expected.upscaling, versions=ran.versions)
    assert ran.versions["device"] == "cpu"


@pytest.mark.parametrize(("engine", "ran"), [("auto", "fast"), ("bicubic", "bicubic")])
def test_the_engine_that_ran_is_named(call: Call, small: Path, engine: str, ran: str) -> None:
    *_, report = call("upscale", small, scale=2, engine=engine)  # tests reach no network, so auto has to do with fast
    assert report["recipe"]["upscaling"]["engine"] == ran


def test_sweep(call: Call, restorer: Restorer) -> None:
    truth = image.fit(image.load(COFFEE), "pad")
    at = robustness.strengths("jpeg", 2, 80, 3)
    swept = robustness.sweep(restorer, truth, "jpeg", at, list(TITLES), seed=5)
    plot, strip, table, report = call(
        "sweep", control="jpeg", high=80, steps=3, measure="ssim", seed=5, fit="pad"
    )  # low is left out
    assert same(plot, robustness.plot(swept, "ssim"))
    assert same(strip, robustness.strip(swept))
    assert Path(table).read_bytes().decode() == robustness.table(swept)
    assert report["strengths"] == list(at)
    assert report["verdict"] == robustness.verdict(swept, "ssim")
    assert report["measured"]["gan"] == [each.ssim for each in swept.measures["gan"]]
    for place, recipe in enumerate(report["recipes"]):
        replayed = pipeline.run(restorer, image.load(COFFEE), Recipe.from_json(recipe))
        assert np.array_equal(replayed.degraded.pixels, swept.photos[robustness.DEGRADED][place].pixels)


def test_a_16_bit_photo_keeps_its_levels(call: Call, tmp_path: Path) -> None:
    grey = np.asarray(Image.open(COFFEE).convert("L").resize((128, 128)))
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    _, original, _ = call("degrade", tmp_path / "deep.png")
    assert np.array_equal(pixels(original)[..., 0], grey)


def test_one_recipe_gives_the_same_pixels_everywhere(call: Call, restorer: Restorer, tmp_path: Path) -> None:
    upscaling = Upscaling(scale=2, engine="fast")
    asked = Recipe(fit="pad", degradation=PRESETS["heavy"].draw(3), seed=3, models={"vae": None}, upscaling=upscaling)
    in_python = pipeline.run(restorer, image.load(COFFEE), asked)

    *by_api, report = call("restore", recipe=json.dumps(asked.to_json()))
    assert "warning" not in report
    recipe = Recipe.from_json(report["recipe"])
    assert recipe == in_python.recipe
    again = call("restore", recipe=report["recipe"])  # as an object too, just as it came

    (tmp_path / "recipe.json").write_text(json.dumps(report["recipe"]))
    replay = [sys.executable, "-m", "restoration", "replay"]
    subprocess.run(
        [*replay, tmp_path / "recipe.json", COFFEE, "-o", tmp_path / "a.png"], cwd=ROOT, check=True, capture_output=True
    )
    by_command = [str(tmp_path / "a.png"), str(tmp_path / "a_x2.png")]

    loaded = recipe_section.settings(recipe)  # what the app's controls then hold
    in_app = pipeline.run(restorer, image.load(COFFEE), app.requested_recipe(loaded, None))  # type: ignore[arg-type]

    expected = [in_python.restored["vae"].photo, in_python.enlarged["vae"].photo]
    assert expected[1].width == 256
    for results in (by_api, again[:2], by_command):
        assert [same(path, photo) for path, photo in zip(results, expected, strict=True)] == [True, True]
    assert np.array_equal(in_app.restored["vae"].photo.pixels, expected[0].pixels)
    assert np.array_equal(in_app.enlarged["vae"].photo.pixels, expected[1].pixels)


def test_compare_takes_a_recipes_damage(call: Call) -> None:
    degraded, _, report = call("degrade", damage="heavy", seed=3, fit="pad")
    _, again, *_ = call("compare", recipe=report["recipe"])
    assert np.array_equal(pixels(degraded), pixels(again))


def test_a_recipe_of_other_weights_runs_with_a_warning(call: Call) -> None:
    other = Recipe(models={"cnn": "0" * 64})
    *_, report = call("restore", recipe=other.to_json())
    assert "cnn 000000000000" in report["warning"]


# --- What cannot be done ----------------------------------------------------------------------------------------------

FITLESS = {**Recipe().to_json(), "fit": None, "models": {"vae": None}}


@pytest.mark.parametrize(
    ("endpoint", "parameters", "says"),
    [
        ("restore", {"model": "dcgan"}, "model must be one of vae, gan, cnn, not 'dcgan'."),
        ("restore", {"model": None}, "model must be one of vae, gan, cnn, not None."),
        ("restore", {"model": ["vae"]}, "model must be one of"),
        ("restore", {"fit": "stretch"}, "fit must be one of crop, squash, pad, not 'stretch'."),
        ("restore", {"size": "large"}, "size must be one of own, 128, not 'large'."),
        ("restore", {"size": 512}, "size must be one of own, 128, not '512'."),
        ("degrade", {"size": None}, "size must be one of own, 128, not 'None'."),
        ("restore", {"colour": "red"}, "no colour called 'red'; choose from auto, new, keep, none."),
        ("restore", {"colour_strength": 3}, "colour_strength must be a number from 0 to 2, not 3."),
        ("restore", {"colour_strength": "much"}, "colour_strength must be a number, not 'much'."),
        ("restore", {"tone": -0.5}, "tone must be a number from 0 to 1, not -0.5."),
        ("restore", {"tone": None}, "tone must be a number from 0 to 1, not None."),
        ("restore", {"sample": 0}, "The sample must be a whole number from 1 to 64, not 0."),
        ("restore", {"sample": 2, "model": "gan"}, "GAN has no samples; leave the sample out."),
        ("restore", {"seed": -1}, "The seed must be a whole number, zero or more, not -1."),
        ("restore", {"scale": 3}, "The scale must be 2 or 4, not 3."),
        ("upscale", {"scale": None}, "The scale must be 2 or 4, not None."),
        ("upscale", {"engine": "best"}, "engine must be one of auto, fast, general, x4plus, bicubic, not 'best'."),
        ("upscale", {"denoise": 0.5}, "Only the engine general has a denoise strength"),
        ("upscale", {"denoise": "much", "engine": "general"}, "denoise must be a number, not 'much'."),
        ("upscale", {"denoise": 1.5, "engine": "general"}, "The denoise strength must be from 0 to 1, not 1.5."),
        ("upscale", {"engine": "x4plus"}, "HF_HUB_OFFLINE forbids"),
        ("degrade", {"damage": "worst"}, "damage must be one of original, light, heavy, antique, off, not 'worst'."),
        ("degrade", {"seed": 1.5}, "The seed must be a whole number, zero or more, not 1.5."),
        ("degrade", {"seed": None}, "The seed must be a whole number, zero or more, not None."),
        ("degrade", {"seed": "one"}, "seed must be a number, not 'one'."),
        ("degrade", {"seed": 2**70}, "seed must be 9007199254740992 at most."),
        ("degrade", {"gaussian": 9}, r"gaussian must be between 0 and 0.3 \(0 is off\), not 9."),
        ("degrade", {"gaussian": "much"}, "gaussian must be a number, not 'much'."),
        ("degrade", {"blur": 4}, "blur must be an odd number, not 4."),
        ("degrade", {"grayscale": "yes"}, "grayscale must be true or false, not 'yes'."),
        ("sweep", {"control": "creases"}, "control must be one of gaussian, salt_pepper,"),
        ("sweep", {"measure": "fid"}, "measure must be one of psnr_luminance, psnr, ssim, ciede2000, not 'fid'."),
        ("sweep", {"steps": 1}, "A sweep has 2 to 32 steps, not 1."),
        ("sweep", {"low": 0.2, "high": 0.1}, "A sweep goes from a lower strength to a higher one, not 0.2 to 0.1."),
        ("restore", {"recipe": "{"}, "This is no JSON"),
        ("restore", {"recipe": {}}, "This is not a recipe"),
        ("restore", {"recipe": Recipe().to_json()}, "This endpoint restores by one model"),
        ("restore", {"recipe": FITLESS}, "no fit called None"),
        ("compare", {"recipe": FITLESS}, "no fit called None"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_done_is_one_sentence(
    call: Call, small: Path, endpoint: str, parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(AppError, match=says) as caught:
        call(endpoint, small, **parameters)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    ("photo", "says"),
    [
        (None, "The photo must be an uploaded file"),
        ("coffee.jpg", r"handle_file\(\.\.\.\) makes either"),
        (5, "The photo must be an uploaded file"),
        (handle_file("https://photos.invalid/a.jpg"), "check that https://photos.invalid/a.jpg is a public address"),
        (handle_file("http://127.0.0.1:9/a.jpg"), "check that http://127.0.0.1:9/a.jpg is a public address"),
    ],
    ids=["none", "text", "number", "unknown host", "this machine"],
)
def test_a_photo_that_was_not_sent_is_one_sentence(call: Call, photo: Any, says: str) -> None:
    with pytest.raises(AppError, match=says):
        call("restore", photo)


@pytest.mark.parametrize(
    ("name", "contents", "says"),
    [
        ("cut.jpg", COFFEE.read_bytes()[:20_000], "cut.jpg is damaged or incomplete"),
        ("empty.png", b"", "empty.png is empty"),
        ("page.png", b"<html>" * 50, "page.png is not a picture"),
        ("bomb.png", png(60_000, 60_000, 2, b""), "bomb.png is too large"),
    ],
)
def test_a_file_that_is_no_photo_is_one_sentence(
    call: Call, tmp_path: Path, name: str, contents: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(contents)
    for endpoint in ("restore", "upscale"):
        with pytest.raises(AppError, match=says):
            call(endpoint, tmp_path / name)


def test_errors_are_in_french_for_who_asks_for_it(url: str) -> None:
    french = Client(url, verbose=False, headers={"Accept-Language": "fr-CH, en;q=0.5"})
    with pytest.raises(AppError, match="Le paramètre « model » doit être l'un de vae, gan, cnn"):
        french.predict(handle_file(COFFEE), model="dcgan", api_name="/restore")
    with pytest.raises(AppError, match="La photo doit être un fichier envoyé"):
        french.predict("coffee.jpg", api_name="/restore")


def post(url: str, body: dict[str, Any] | str) -> str:
    """The answer of /degrade without any client."""
    contents = body if isinstance(body, str) else json.dumps(body)
    address = f"{url}/gradio_api/call/v2/degrade"
    event = httpx.post(address, content=contents, headers={"Content-Type": "application/json"}).json()["event_id"]
    return httpx.get(f"{url}/gradio_api/call/degrade/{event}", timeout=60).text


def test_what_is_no_number_to_json_is_one_sentence(url: str) -> None:
    path = httpx.post(f"{url}/gradio_api/upload", files={"files": COFFEE.read_bytes()}).json()[0]
    photo = json.dumps({"path": path, "meta": FILE})
    assert "event: complete" in post(url, f'{{"photo": {photo}}}')
    assert "must be a whole number, zero or more, not nan" in post(url, f'{{"photo": {photo}, "seed": NaN}}')
    assert "must be between 0 and 0.3" in post(url, f'{{"photo": {photo}, "gaussian": NaN}}')
