"""What every tab works with."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from restoration import ControlError, Look, Photo, PhotoError, Recipe, Restorer, Upscaling, image, upscale
from restoration.models import models
from restoration.weights import manifest, released
from restoration.whole_photo import TILE
from tests.conftest import EXAMPLES, ROOT
from tests.original import save, state
from ui.context import OFFERED_ENGINES, TITLES, AppContext, only_by_able_models


def test_every_model_of_the_manifest_has_its_title() -> None:
    assert {name: spec.title for name, spec in models().items()} == TITLES
    assert list(TITLES) == [entry.model for entry in manifest().values() if entry.task == "restore"]


def test_every_engine_is_offered_but_the_one_that_only_serves_twice() -> None:
    """x4plus gives way to it where that is right."""
    assert set(OFFERED_ENGINES) == set(upscale.CHOICES) - {"x2plus"}
    assert OFFERED_ENGINES[0] == "auto"


def test_a_photo_is_read_as_the_library_reads_it(restorer: Restorer) -> None:
    path = EXAMPLES / "coffee.jpg"
    assert np.array_equal(AppContext(restorer).load(str(path)).pixels, image.load(path).pixels)


def test_a_photo_may_not_be_larger_than_the_app_allows(restorer: Restorer, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(image.encode(image.load(EXAMPLES / "coffee.jpg", reduce_to=None)))
    photo = image.load(path)
    pixels = photo.width * photo.height
    assert AppContext(restorer, pixels).load(str(path)).width == photo.width
    with pytest.raises(PhotoError, match="too large"):
        AppContext(restorer, pixels - 1).load(str(path))


def test_warming_up_loads_every_network(photo: Photo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no visitor waits for a file: none is needed any more."""
    lab = AppContext(Restorer("cpu"))
    lab.warm_up()
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    for name in models():
        assert lab.restorer.restore(photo, name)
    assert lab.restorer.upscale(photo, engine="fast")


def test_warming_up_with_damaged_weights_is_a_line_in_the_log(
    photo: Photo, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the others are warmed up all the same."""
    folder = tmp_path / "weights"
    shutil.copytree(released.FOLDER, folder)
    (folder / "vae.safetensors").write_bytes((folder / "vae.safetensors").read_bytes()[:100_000])
    monkeypatch.setattr(released, "FOLDER", folder)
    lab = AppContext(Restorer("cpu"))
    with caplog.at_level(logging.WARNING):
        lab.warm_up()
    damaged, fallback = caplog.records
    assert "vae.safetensors" in damaged.getMessage()
    assert damaged.exc_info is None
    assert "engine fast" in fallback.getMessage()
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    for name in ("gan", "cnn"):
        assert lab.restorer.restore(photo, name)


def test_warming_up_without_weights_is_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = AppContext(Restorer("cpu"))
    manifest()  # read before its folder is gone
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    with caplog.at_level(logging.WARNING):
        lab.warm_up()
    assert "is missing; restore it" in caplog.records[0].getMessage()


def test_a_recipe_of_another_app_names_a_model_that_is_not_here(restorer: Restorer) -> None:
    with pytest.raises(ControlError, match="no model called 'gan-original'; choose from vae, gan, cnn"):
        AppContext(restorer).run(image.load(EXAMPLES / "coffee.jpg"), Recipe(models={"gan-original": None}))


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (Recipe(size="own", look=Look(sample=2), models={"vae": None, "cnn": None}), "CNN has no samples"),
        (Recipe(size="own", models={"vae": None}, upscaling=Upscaling(scale=4, engine="fast")), "too large to upscale"),
    ],
)
def test_what_a_whole_photo_cannot_have_is_said_before_it_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, says: str
) -> None:
    """Without their weights the models could not even begin."""
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    lab, large = AppContext(Restorer("cpu")), Photo(np.zeros((1025, 1024, 3), np.uint8))
    with pytest.raises((ControlError, PhotoError), match=says):
        lab.run(large, recipe)


def test_a_run_tells_of_each_tile(restorer: Restorer) -> None:
    told: list[tuple[int, int]] = []
    wide = Photo(np.full((64, 2 * TILE, 3), 99, np.uint8))
    asked = Recipe(size="own", models={"gan": None})
    AppContext(restorer).run(wide, asked, lambda done, total: told.append((done, total)))
    tiles = told[-1][1]
    assert tiles > 2
    assert told == [(0, 1), *((done, tiles) for done in range(1, tiles + 1))]


@pytest.mark.slow
def test_an_original_that_would_not_run_is_not_offered(tmp_path: Path) -> None:
    """It would take the other models of a comparison along."""
    save(tmp_path, "gan", "cnn1")
    torch.save({key: tensor * float("nan") for key, tensor in state("cnn1").items()}, tmp_path / "epoch_9.pth")
    shutil.copy(released.FOLDER / "manifest.json", tmp_path)
    code = (
        "import pathlib, sys; from restoration.weights import released; released.FOLDER = pathlib.Path(sys.argv[1])\n"
        "from ui.context import TITLES; print(*TITLES)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [*TITLES, "gan-original"], done.stderr
    assert "epoch_9.pth holds infinite or undefined numbers" in done.stderr


def test_networks_of_128_pixels_do_not_keep_the_others_from_whole_photos() -> None:
    both = Recipe(size="own", look=Look(colour="auto"), models={"gan": None, "gan-original": None})
    assert only_by_able_models(both) == replace(both, models={"gan": None})
    alone = replace(both, models={"gan-original": None})
    assert only_by_able_models(alone) == Recipe(size=128, models={"gan-original": None})
    for asked in (replace(both, models={"gan": None}), replace(both, size=128, look=Look())):
        assert only_by_able_models(asked) is asked
