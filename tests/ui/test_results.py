"""Every file and sentence that a run becomes."""

from __future__ import annotations

import io
import math
import pickle
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from restoration import PRESETS, Degradation, Look, Photo, Recipe, Restorer, Run, Upscaling, image, pipeline
from restoration.metrics import compare, psnr
from restoration.restorer import Mended
from restoration.types import Mask
from tests.conftest import EXAMPLES
from tests.ui.test_scores import lines, said
from ui.context import TITLES
from ui.results import everything, labelled_sheet, measure, pictures, publish_run, title

LANGUAGES = pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])
DAMAGE = PRESETS["original"].draw(4)


def recipe(*models: str, scale: int = 0, engine: str = "bicubic", damage: Degradation | None = DAMAGE) -> Recipe:
    upscaling = Upscaling(scale=scale, engine=engine) if scale else None
    seed = 4 if damage else None
    return Recipe(degradation=damage, seed=seed, models=dict.fromkeys(models), upscaling=upscaling)


@pytest.fixture(scope="module")
def plain(photo: Photo, restorer: Restorer) -> Run:
    """Three models, nothing enlarged."""
    return pipeline.run(restorer, photo, recipe(*TITLES))


@pytest.fixture(scope="module")
def large(photo: Photo, restorer: Restorer) -> Run:
    """One model, enlarged four times by a network."""
    return pipeline.run(restorer, photo, recipe("gan", scale=4, engine="fast"))


@pytest.fixture(scope="module")
def double(photo: Photo, restorer: Restorer) -> Run:
    """Two models, enlarged twice."""
    return pipeline.run(restorer, photo, recipe("vae", "cnn", scale=2))


@pytest.fixture(scope="module")
def untrue(photo: Photo, restorer: Restorer) -> Run:
    """A photo that came damaged already."""
    return pipeline.run(restorer, photo, recipe("vae", scale=4, damage=None))


@pytest.fixture(scope="module")
def own() -> Photo:
    """A small photo in colour that is no square."""
    with Image.open(EXAMPLES / "coffee.jpg") as opened:
        return Photo(np.array(opened.resize((150, 100))))


@pytest.fixture(scope="module")
def whole(own: Photo, restorer: Restorer) -> Run:
    """It, restored whole."""
    asked_ = Recipe(size="own", look=Look(colour="auto"), models={"gan": None, "cnn": None})
    return pipeline.run(restorer, own, asked_)


@pytest.fixture(scope="module")
def wholes_double(own: Photo, restorer: Restorer) -> Run:
    """It without colours, restored whole and enlarged twice."""
    grey = Photo(np.repeat(own.pixels[..., 1:2], 3, axis=2))
    upscaling = Upscaling(scale=2, engine="bicubic")
    return pipeline.run(
        restorer, grey, Recipe(size="own", look=Look(colour="auto"), models={"cnn": None}, upscaling=upscaling)
    )


# --- Pictures ---------------------------------------------------------------------------------------------------------


def test_every_picture_has_its_name(plain: Run, large: Run, double: Run, untrue: Run) -> None:
    assert list(pictures(plain)) == ["original", "degraded", "vae", "gan", "cnn"]
    assert list(pictures(large)) == ["original", "degraded", "gan", "gan_x4"]
    assert list(pictures(double)) == ["original", "degraded", "vae", "vae_x2", "cnn", "cnn_x2"]
    assert list(pictures(untrue)) == ["photo", "vae", "vae_x4"]
    sides = {name: photo.width for name, photo in pictures(double).items()}
    assert sides == {"original": 128, "degraded": 128, "vae": 128, "vae_x2": 256, "cnn": 128, "cnn_x2": 256}
    found = pictures(large)
    assert found["original"] is large.truth
    assert found["degraded"] is large.degraded
    assert found["gan"] is large.restored["gan"].photo
    assert found["gan_x4"] is large.enlarged["gan"].photo
    assert pictures(untrue)["photo"] is untrue.degraded


def test_a_run_becomes_files_named_after_its_photo(double: Run, untrue: Run) -> None:
    result = publish_run("/somewhere/Mémé 1932.old.JPG", double)
    assert result.name == "Mémé 1932.old"
    assert list(result.paths) == list(pictures(double))
    for kind, path in result.paths.items():
        width, height = result.sizes[kind]
        assert Path(path).name == f"Mémé 1932.old_{kind}_{width}x{height}.png"
        assert np.array_equal(image.load(path, reduce_to=None).pixels, pictures(double)[kind].pixels)
    assert len({Path(path).parent for path in result.paths.values()}) == 1
    again = publish_run("/somewhere/Mémé 1932.old.JPG", double)
    assert not set(again.paths.values()) & set(result.paths.values())
    assert publish_run(f"/tmp/{'é' * 120}.jpg", untrue).name == "é" * 60  # no longer than a disk takes
    assert publish_run("", untrue).name == "photo"


def titles(run: Run, french: bool) -> list[str]:
    return [title(kind, (photo.width, photo.height), french) for kind, photo in pictures(run).items()]


def test_titles_say_what_a_picture_is(plain: Run, large: Run, whole: Run, wholes_double: Run) -> None:
    assert titles(large, False) == ["Original", "Damaged", "GAN 128×128", "GAN 512×512"]
    assert titles(plain, True) == ["Original", "Abîmée", "VAE 128×128", "GAN 128×128", "CNN 128×128"]
    assert titles(whole, False) == ["Your photo", "GAN 150×100", "CNN 150×100"]
    assert titles(wholes_double, True) == ["Votre photo", "CNN 150×100", "CNN 300×200"]


def test_a_page_keeps_no_pixels(whole: Run) -> None:
    """They would be megabytes of each visitor's, for an hour."""
    result = publish_run("a.jpg", whole)
    assert len(pickle.dumps(result)) < 10_000
    for kind, photo in pictures(whole).items():
        assert np.array_equal(result.read(kind).pixels, photo.pixels)


def sheet_of(run: Run, french: bool) -> Photo:
    return labelled_sheet(pictures(run).items(), french)


@LANGUAGES
def test_the_sheet_holds_every_picture(plain: Run, large: Run, untrue: Run, french: bool) -> None:
    shapes = {name: sheet_of(run, french) for name, run in (("5", plain), ("4", large), ("3", untrue))}
    assert shapes["5"].width > shapes["4"].width > shapes["3"].width > 3 * 384  # one row each
    assert shapes["5"].height == shapes["4"].height > shapes["3"].height > 384  # no PSNR without an original
    assert plain.truth is not None
    corner = shapes["5"].pixels[8 : 8 + 384, 8 : 8 + 384]
    assert np.array_equal(corner[1::3, 1::3], plain.truth.pixels)


def test_more_than_five_pictures_take_rows_of_four(double: Run, large: Run) -> None:
    assert len(pictures(double)) == 6
    one, two = sheet_of(large, False), sheet_of(double, False)
    assert two.width == one.width
    assert two.height > 2 * 384


def test_the_sheet_keeps_a_photos_shape(whole: Run) -> None:
    cell = sheet_of(whole, False).pixels[8 : 8 + 384, 8 : 8 + 384]
    assert (cell[:60] == 255).all()
    assert (cell[-60:] == 255).all()
    middle = np.asarray(Image.fromarray(cell[64 : 64 + 256]).resize((150, 100)), float)
    assert np.abs(middle - whole.degraded.pixels).mean() < 4


@LANGUAGES
@pytest.mark.parametrize("name", ["plain", "large", "double", "untrue", "whole", "wholes_double"])
def test_everything_can_be_taken_home(name: str, french: bool, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(name)
    result = publish_run("a.jpg", run)
    with zipfile.ZipFile(everything(result, french)) as packed:
        found = {each: packed.read(each) for each in packed.namelist()}
    assert [*found] == [*(Path(path).name for path in result.paths.values()), "a_sheet.png", "a_recipe.json"]
    for kind, path in result.paths.items():
        assert np.array_equal(decoded(found[Path(path).name]), pictures(run)[kind].pixels)
    assert np.array_equal(decoded(found["a_sheet.png"]), sheet_of(run, french).pixels)
    assert Recipe.from_text(found["a_recipe.json"].decode()) == run.recipe


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


# --- The table --------------------------------------------------------------------------------------------------------


def table_of(run: Run, french: bool, engine: str = "fast") -> str:
    return measure(run, engine, french).table


def split(html: str) -> tuple[str, str]:
    """The table, and what is said beneath it."""
    table, _, beneath = html.partition("</table>")
    return f"{table}</table>", " ".join("".join(ElementTree.fromstring(beneath).itertext()).split())


@LANGUAGES
def test_a_run_with_an_original_is_measured(plain: Run, french: bool) -> None:
    table, beneath = split(table_of(plain, french))
    (first, _), *others = lines(table)
    assert first == ("Abîmée" if french else "Damaged")
    assert [name for name, _ in others] == ["VAE", "GAN", "CNN"]
    assert plain.truth is not None
    for model, (_, cells) in zip(plain.restored, others, strict=True):
        expected = compare(plain.restored[model].photo, plain.truth)
        shown = f"{expected.psnr_luminance:.2f}"
        assert said(cells[0]).startswith(shown.replace(".", ",") if french else shown)
        assert re.fullmatch(r"\d+ ms", said(cells[5]))
    assert re.fullmatch(r"Abîmée en \d+ ms\." if french else r"Degraded in \d+ ms\.", beneath)


@LANGUAGES
def test_what_is_missing_of_a_photo_is_said(tmp_path: Path, restorer: Restorer, french: bool) -> None:
    (tmp_path / "a.jpg").write_bytes((EXAMPLES / "coffee.jpg").read_bytes()[:-9000])
    for damage in (None, DAMAGE):
        run = pipeline.run(restorer, image.load(tmp_path / "a.jpg"), recipe("cnn", damage=damage))
        says = r"est tronqué ou abîmé : \d\d % de la photo" if french else r"cut short or damaged: \d\d % of the photo"
        assert re.search(says, measure(run, "auto", french).verdict)


@LANGUAGES
def test_what_enlarged_is_said(large: Run, double: Run, french: bool) -> None:
    table, beneath = split(table_of(large, french))
    assert beneath.endswith("×4 par Real-ESRGAN, moteur fast." if french else "×4 by Real-ESRGAN, engine fast.")
    colon = " :" if french else ":"
    assert re.fullmatch(rf"\d+ ms, ×4{colon} \d+ ms", said(lines(table)[1][1][5]))
    table, beneath = split(table_of(double, french))
    assert beneath.endswith(
        "×2 par un filtre bicubique, sans réseau." if french else "×2 by a bicubic filter, without a network."
    )
    assert re.fullmatch(rf"\d+ ms, ×2{colon} \d+ ms", said(lines(table)[2][1][5]))


@LANGUAGES
def test_a_denoise_strength_is_said(photo: Photo, shared: Path, french: bool) -> None:
    asked_ = Recipe(models={"cnn": None}, upscaling=Upscaling(scale=2, engine="general", denoise=0.3))
    run = pipeline.run(Restorer("cpu", [shared / "weights"]), Photo(photo.pixels[:32, :32].copy()), asked_)
    says = "moteur general. Sa force de débruitage : 0,30." if french else "engine general. Its denoise strength: 0.30."
    assert split(table_of(run, french))[1].endswith(says)


@LANGUAGES
def test_a_photo_without_an_original_is_judged_only(untrue: Run, french: bool) -> None:
    table, beneath = split(table_of(untrue, french))
    assert [name for name, _ in lines(table)] == ["Votre photo" if french else "Your photo", "VAE"]
    assert "PSNR" not in table
    assert "Degraded in" not in beneath
    assert "Abîmée en" not in beneath


@LANGUAGES
def test_what_became_of_the_colours_is_said(whole: Run, wholes_double: Run, untrue: Run, french: bool) -> None:
    kept, guessed = (split(table_of(run, french))[1] for run in (whole, wholes_double))
    assert kept == ("Ses propres couleurs ont été gardées." if french else "Its own colours were kept.")
    says = (
        "Elle n'avait pas de couleurs ; elles ont été devinées." if french else "It had no colours; they were guessed."
    )
    assert guessed.startswith(says)
    assert not re.search("colour|couleur", split(table_of(untrue, french))[1])  # nothing was left to be chosen


@LANGUAGES
def test_what_was_mended_is_said_where_it_is_seen(whole: Run, french: bool) -> None:
    """Also that nothing was, to who asked for it."""
    mask = Mask(np.zeros(whole.degraded.pixels.shape[:2], np.uint8))
    for share, says in (
        (0.031, "Réparé : 3,1 %" if french else "Mended: 3.1 %"),
        (0.0, "Aucune rayure n'a été trouvée" if french else "No scratches were found, so nothing was mended."),
    ):
        run = replace(whole, mended=Mended(photo=whole.degraded, mask=mask, share=share, seconds=0))
        assert says in measure(run, "fast", french).verdict
    assert "Mended" not in measure(whole, "fast", False).verdict


@pytest.mark.parametrize(("seconds", "shown"), [(0.0123, "12 ms"), (9.4, "9400 ms"), (83.4, "83 s")])
def test_long_times_are_seconds(untrue: Run, seconds: float, shown: str) -> None:
    run = replace(untrue, restored={"vae": replace(untrue.restored["vae"], seconds=seconds)}, enlarged={})
    assert said(lines(split(table_of(run, False))[0])[1][1][-1]) == shown


@LANGUAGES
def test_no_damage_at_all_is_an_infinite_psnr(photo: Photo, restorer: Restorer, french: bool) -> None:
    run = pipeline.run(restorer, photo, recipe("cnn", damage=Degradation()))
    assert run.truth is not None
    assert psnr(run.degraded, run.truth) == math.inf
    cells = lines(split(table_of(run, french))[0])[0][1]
    assert said(cells[0]) == "∞"
    assert sheet_of(run, french).width
