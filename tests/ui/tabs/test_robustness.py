"""The Robustness tab: a sweep in words and as files."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from restoration import Photo, Recipe, Restorer, image, metrics, pipeline, robustness
from restoration.degradations import CONTROLS
from restoration.metrics import Metrics
from restoration.robustness import GAIN, PLOTTED, Sweep
from restoration.tiling import Stopped
from tests.conftest import EXAMPLES
from ui.context import TITLES, AppContext
from ui.tabs.robustness import described, label, publish_sweep, redrawn, stress, summary, words

LANGUAGES = pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])


@pytest.fixture(scope="module")
def swept(photo: Photo, restorer: Restorer) -> Sweep:
    at = robustness.strengths("salt_pepper", 0.05, 0.2, 3)
    return robustness.sweep(restorer, photo, "salt_pepper", at, list(TITLES), seed=3)


@LANGUAGES
def test_everything_has_a_name(swept: Sweep, french: bool) -> None:
    named = label(french)
    names = [named(name) for name in (*swept.photos, *PLOTTED, GAIN)]
    assert all(names)
    assert len(set(names)) == len(names)
    assert len({named(name) for name in CONTROLS}) == len(CONTROLS)
    assert [named(name) for name in swept.photos] == ["Abîmée" if french else "Damaged", "VAE", "GAN", "CNN"]


@LANGUAGES
@pytest.mark.parametrize("measure", PLOTTED)
def test_the_plot_is_told_in_words(swept: Sweep, measure: str, french: bool) -> None:
    said = described(swept, measure, french)
    for name, row in swept.measures.items():
        first, last = (f"{getattr(row[place], measure):.2f}" for place in (0, -1))
        who = label(french)(name)
        assert (f"{who} de {first} à {last}".replace(".", ",") if french else f"{who} {first} to {last}") in said
    start = "PSNR de la luminance (dB) selon Sel ou poivre" if french else "PSNR of the luminance (dB) against Salt or"
    assert said.startswith(start) == (measure == "psnr_luminance")
    assert said.count(" ; " if french else "; ") == len(TITLES)
    assert "{" not in said


@LANGUAGES
def test_where_each_model_helped_is_a_sentence(swept: Sweep, french: bool) -> None:
    measures = swept.measures
    stories = {"vae": (1, 1, 1), "gan": (-1, -1, -1), "cnn": (-1, 1, 1)}
    given = [each.psnr for each in measures["degraded"]]
    told = {
        name: tuple(
            replace(each, psnr=before + more) for each, before, more in zip(row, given, stories[name], strict=True)
        )
        for name, row in measures.items()
        if name in stories
    }
    said = summary(replace(swept, measures={"degraded": measures["degraded"], **told}), "psnr", french)
    if french:
        assert said == (
            "Sel ou poivre (fraction des pixels), PSNR (dB) : VAE a aidé à chaque intensité essayée ; "
            "GAN n'a jamais aidé ; CNN a aidé à partir de 0,125."
        )
    else:
        assert said == (
            "Salt or pepper (fraction of pixels), PSNR (dB): VAE helped at every strength tried; "
            "GAN never helped; CNN helped from 0.125 up."
        )


@LANGUAGES
def test_what_was_not_tried_is_said(photo: Photo, restorer: Restorer, french: bool) -> None:
    told: list[tuple[int, int, str]] = []

    def tell(done: int, total: int, what: str) -> None:
        told.append((done, total, what))
        if done == 2:
            raise Stopped

    result = stress(AppContext(restorer), "a", photo, "blur", (3, 9), "psnr", french, tell, seed=0, fit="crop")
    said = words(result, "psnr", french)
    assert said.startswith(summary(result.swept, "psnr", french))
    assert said.endswith("L'épreuve a été arrêtée avant GAN, CNN." if french else "It was stopped before GAN, CNN.")
    restoring = "Restauration" if french else "Restoring"
    assert told == [(0, 6, restoring), (2, 6, restoring)]
    assert Path(result.files["strip"]).stat().st_size > 10_000
    assert not result.swept.photos


def test_another_measure_has_a_plot_of_its_own(photo: Photo, restorer: Restorer) -> None:
    result = stress(
        AppContext(restorer), "a", photo, "blur", (3, 9), "psnr", False, lambda *_: None, seed=0, fit="crop"
    )
    other = redrawn(result, "ssim", french=True)
    assert other.measure == "ssim"
    assert Path(other.files["plot"]).name == Path(result.files["plot"]).name
    assert Path(other.files["plot"]).read_bytes() == image.encode(robustness.plot(result.swept, "ssim", label(True)))
    assert other.files.items() - result.files.items() == {("plot", other.files["plot"])}


@LANGUAGES
def test_equal_photos_are_an_infinity_in_words(photo: Photo, restorer: Restorer, french: bool) -> None:
    grey = Photo(np.repeat(photo.pixels[..., :1], 3, axis=2))
    mild = robustness.sweep(restorer, grey, "lines", (0, 16), ["cnn"])
    assert (" de ∞ à " if french else " ∞ to ") in described(mild, "psnr", french)


@LANGUAGES
def test_the_files_of_a_sweep(swept: Sweep, french: bool) -> None:
    made = publish_sweep("mémé", swept, "ssim", french)
    assert {what: Path(path).name for what, path in made.items()} == {
        "plot": "mémé_salt_pepper_plot.png",
        "strip": "mémé_salt_pepper_strip.png",
        "table": "mémé_salt_pepper.csv",
        "recipes": "mémé_salt_pepper_recipes.zip",
    }
    assert len({Path(path).parent for path in made.values()}) == 1
    for what, drawn in (
        ("plot", robustness.plot(swept, "ssim", label(french))),
        ("strip", robustness.strip(swept, label(french))),
    ):
        assert np.array_equal(image.load(made[what], reduce_to=None).pixels, drawn.pixels)


@LANGUAGES
def test_the_table_opens_in_a_spreadsheet(swept: Sweep, french: bool) -> None:
    contents = Path(publish_sweep("a", swept, "psnr", french)["table"]).read_bytes()
    assert contents.startswith(b"\xef\xbb\xbf")  # or some would show the accents wrong
    head, *rows = csv.reader(io.StringIO(contents.decode("utf-8-sig")))
    names = ["salt_pepper", "candidate", *(each.name for each in fields(Metrics))]
    assert head == [label(french)(name) for name in names]
    if french:
        assert head[:4] == ["Sel ou poivre (fraction des pixels)", "photo", "PSNR (dB)", "SSIM"]
        assert "Vivacité des couleurs" in head
        assert rows[0][1] == "Abîmée"
    assert len(set(head)) == len(head)
    assert len(rows) == len(swept.strengths) * len(swept.measures)
    assert float(rows[-1][2]) == swept.measures["cnn"][-1].psnr


def test_each_recipe_gives_its_picture_again(swept: Sweep, restorer: Restorer) -> None:
    """From the visitor's file, not from the photo that the sweep has fitted."""
    with zipfile.ZipFile(publish_sweep("a", swept, "psnr", False)["recipes"]) as packed:
        written = [packed.read(name) for name in packed.namelist()]
        assert packed.namelist()[-1] == f"salt_pepper_{swept.strengths[-1]:g}.json"
    assert len(written) == len(swept.strengths)
    given = image.load(EXAMPLES / "astronaut.jpg")
    for place, line in enumerate(written):
        recipe = Recipe.from_json(json.loads(line))
        assert recipe.degradation
        assert recipe.degradation.salt_pepper == swept.strengths[place]
        run = pipeline.run(restorer, given, recipe)
        assert recipe.mismatch(run.recipe) is None
        assert np.array_equal(run.degraded.pixels, swept.photos["degraded"][place].pixels)
        for name in TITLES:
            alone = run.restored[name].photo.pixels.astype(int)
            assert abs(alone - swept.photos[name][place].pixels).max() <= 1  # a batch may differ in the last bit
            assert metrics.compare(run.restored[name].photo, swept.truth).psnr == pytest.approx(
                swept.measures[name][place].psnr, abs=0.01
            )
