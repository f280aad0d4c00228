"""The Restore tab: a run that grows, a large photo's preview and its full size, and what the page opens with."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from restoration import PRESETS, Look, Photo, PhotoError, Recipe, Restorer, Upscaling, image, pipeline, scratches
from restoration.tiling import Stopped
from restoration.types import Inpainting
from tests.conftest import EXAMPLES
from ui import examples, sidebar
from ui.cancellation import Cancellation
from ui.context import TITLES, AppContext
from ui.files import KEPT, publish
from ui.tabs import restore

VALUES: dict[str, Any] = {"mode": "damaged", "mend": False, "found": None, "sensitivity": 0.5}
WHOLE = Recipe(size="own", look=Look(colour="auto"), models={"gan": None, "cnn": None})


@pytest.fixture(scope="module")
def lab(restorer: Restorer) -> AppContext:
    return AppContext(restorer)


@pytest.fixture(scope="module")
def coffee() -> str:
    """A visitor's photo, 150x100."""
    with Image.open(EXAMPLES / "coffee.jpg") as opened:
        return publish({"coffee.png": Photo(np.array(opened.resize((150, 100))))})["coffee.png"]


def grown(lab: AppContext, path: str, recipe: Recipe, **values: Any) -> list[tuple[restore.Result, pipeline.Run]]:
    return list(restore.run_each(lab, {**VALUES, "photo": path, **values}, recipe, lambda *_: None))


def test_what_is_finished_is_there_before_the_rest(lab: AppContext, coffee: str) -> None:
    (first, _), (second, run) = grown(lab, coffee, WHOLE)
    assert [list(each.paths) for each in (first, second)] == [["photo", "gan"], ["photo", "gan", "cnn"]]
    assert second.paths["gan"] == first.paths["gan"]  # is not made, and not sent, again
    assert second.recipe == run.recipe
    alone = lab.run(image.load(coffee, reduce_to=None), replace(WHOLE, models={"gan": None}))
    assert np.array_equal(first.read("gan").pixels, alone.restored["gan"].photo.pixels)
    assert first.recipe == alone.recipe  # of a run that is stopped now, the recipe is right


@pytest.fixture
def small_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """On which the photo of 150x100 is a large one."""
    monkeypatch.setattr(restore, "LARGE", 10_000)
    monkeypatch.setattr(restore, "PREVIEW", 3_750)


@pytest.mark.usefixtures("small_screen")
def test_a_large_photo_is_previewed_and_restored_at_its_size_when_that_is_asked_for(
    lab: AppContext, coffee: str
) -> None:
    *_, (result, _) = grown(lab, coffee, WHOLE)
    assert (result.sizes["gan"], result.whole) == ((75, 50), (150, 100))
    full = restore.at_full_size(lab, result, ["gan"], lambda *_: None)
    expected = lab.run(image.load(coffee, reduce_to=None), replace(WHOLE, models={"gan": None}))
    assert np.array_equal(full.read("gan").pixels, expected.restored["gan"].photo.pixels)
    assert np.array_equal(full.read("photo").pixels, image.load(coffee, reduce_to=None).pixels)
    assert full.sizes["cnn"] == (75, 50)
    assert restore.at_full_size(lab, full, ["gan"], lambda *_: pytest.fail("it is there")) is full
    assert Path(full.paths["gan"]).name == "coffee_gan_150x100.png"


@pytest.mark.usefixtures("small_screen")
def test_a_preview_that_is_enlarged_becomes_the_enlarged_photo(lab: AppContext, coffee: str) -> None:
    recipe = replace(WHOLE, models={"gan": None}, upscaling=Upscaling(scale=2, engine="bicubic"))
    ((result, _),) = grown(lab, coffee, recipe)
    assert result.sizes["gan_x2"] == (150, 100)  # as large as the photo, but not as fine
    full = restore.at_full_size(lab, result, ["gan"], lambda *_: None)
    assert full.sizes[full.largest("gan")] == (300, 200)


@pytest.mark.usefixtures("small_screen")
def test_a_mask_that_was_drawn_is_laid_on_the_full_size(lab: AppContext, coffee: str) -> None:
    drawn = np.zeros((50, 75), bool)
    drawn[10:20, 30:33] = True
    photo = restore.preview(image.load(coffee, reduce_to=None))
    mask = scratches.picture(drawn)
    recipe = replace(WHOLE, models={"cnn": None}, inpaint=Inpainting(mask=restore.drawn_sha256(mask)))
    result = restore.publish_run(coffee, lab.run(photo, recipe, drawn=mask), whole=(150, 100))
    full = restore.at_full_size(lab, result, ["cnn"], lambda *_: None)
    marked = full.read("mask").pixels[..., 0] > 127
    assert marked.shape == (100, 150)
    assert marked[22:38, 61:65].all()
    assert not marked[:, 80:].any()
    assert full.recipe.inpaint == Inpainting(mask=restore.drawn_sha256(full.read("mask")))


def test_a_photo_that_would_be_too_large_is_refused_before_anything_runs(lab: AppContext) -> None:
    wide = publish({"wide.png": Photo(np.zeros((1500, 1500, 3), np.uint8))})["wide.png"]
    recipe = replace(WHOLE, upscaling=Upscaling(scale=4, engine="bicubic"))
    with pytest.raises(PhotoError, match="too large to upscale"):
        next(restore.run_each(lab, {**VALUES, "photo": wide}, recipe, lambda *_: pytest.fail("it ran")))


def test_a_run_ends_where_it_is_told_to(lab: AppContext, coffee: str) -> None:
    running = Cancellation()
    growing = restore.run_each(lab, {**VALUES, "photo": coffee}, WHOLE, lambda *_: running.raise_if_ended())
    assert list(next(growing)[0].paths) == ["photo", "gan"]
    running.is_stopped = True
    with pytest.raises(Stopped):
        next(growing)


def test_the_page_opens_with_an_old_print_that_every_model_has_restored(lab: AppContext) -> None:
    result, measured = restore.opening(lab)
    assert restore.opening(lab)[0] is result  # made once
    assert list(result.paths) == ["photo", *TITLES]
    assert not set(result.paths.values()) - KEPT  # and kept for every visitor
    assert result.photo in KEPT
    assert result.recipe == pipeline.run(lab.restorer, image.load(result.photo, reduce_to=None), result.recipe).recipe
    assert [measured[french].verdict.split()[0] for french in (False, True)] == ["There", "Il"]


# --- What the page does -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tab(lab: AppContext) -> restore.RestoreTab:
    with gr.Blocks():
        return restore.layout(lab, sidebar.layout())


def test_a_preset_moves_the_sliders_and_the_photo_is_restored(tab: restore.RestoreTab) -> None:
    running = Cancellation()
    side = tab.sidebar
    values = {side.preset: "light", side.damage["seed"]: 3, side.photo: "a.jpg", tab.running: running}
    updates = restore.draw(tab, values)
    assert {name: updates.pop(slider) for name, slider in side.strengths.items()} == asdict(PRESETS["light"].draw(3))
    assert list(updates) == [tab.go]
    assert running.is_unwanted  # what was shown was of another damage
    assert list(restore.draw(tab, {**values, side.preset: None})) == [tab.go]  # set by hand
    rolled = restore.roll(tab, values)
    assert asdict(PRESETS["light"].draw(rolled[side.damage["seed"]]))["jpeg"] == rolled[side.strengths["jpeg"]]


@pytest.mark.parametrize(("mode", "scale"), [("damaged", 0), ("degrade", 4)])
def test_the_other_mode_has_its_own_example_and_scale(tab: restore.RestoreTab, mode: str, scale: int) -> None:
    side = tab.sidebar
    updates = restore.switch(tab, mode, "coffee", None, None)
    assert updates[side.photo] == examples.photo("coffee", damaged=mode == "damaged")
    assert updates[side.settings["scale"]] == scale
    assert tab.go not in updates  # it is restored once it has come


def test_what_a_browser_cannot_show_is_made_a_png(tab: restore.RestoreTab, coffee: str) -> None:
    request = gr.Request(headers={})
    assert tab.sidebar.photo not in restore.take_in(tab, coffee, request)
    path = publish({"a.tif": b""})["a.tif"]
    with Image.open(coffee) as opened:
        opened.save(path)
    shown = restore.take_in(tab, path, request)[tab.sidebar.photo]
    assert Path(shown).name == "a.png"
    assert np.array_equal(image.load(shown).pixels, image.load(path).pixels)


@pytest.mark.parametrize("name", examples.NAMES)
def test_an_example_is_there_good_and_as_an_old_print(name: str) -> None:
    good, old = (image.load(examples.photo(name, damaged=each), reduce_to=None) for each in (False, True))
    assert good.pixels.shape == old.pixels.shape
    assert (np.ptp(old.pixels, axis=2) == 0).all()
    assert asdict(examples.OLD)["fading"] > 0
    assert examples.photo(name, damaged=True) == examples.photo(name, damaged=True)
    assert examples.undamaged(examples.photo(name, damaged=True)) == examples.photo(name, damaged=False)
    assert examples.undamaged(f"/elsewhere/{name}_old.png") == f"/elsewhere/{name}_old.png"


def test_an_example_that_there_is_not() -> None:
    with pytest.raises(KeyError):
        examples.photo("../../etc/passwd", damaged=False)
