"""What the viewer is told to show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restoration import Look, Photo, Recipe, Restorer, pipeline
from tests.ui.test_results import recipe
from ui.components import viewer
from ui.results import Result, measure, publish_run


@pytest.fixture(scope="module")
def result(photo: Photo, restorer: Restorer) -> Result:
    run = pipeline.run(restorer, photo, recipe("vae", "gan", scale=2))
    return replace(publish_run("a.jpg", run), notes=measure(run, "bicubic", False).notes)


def test_each_picture_has_its_words_and_its_enlarged_one(result: Result) -> None:
    value = viewer.value(result, False, {"shown": "gan", "all": True})
    pictures = {each["kind"]: each for each in value["pictures"]}
    assert list(pictures) == ["original", "degraded", "vae", "gan"]
    assert (value["before"], value["shown"], value["all"]) == ("degraded", "gan", True)
    assert pictures["vae"]["name"] == "VAE"
    assert pictures["vae"]["large"]["title"] == "VAE 256×256"
    assert pictures["vae"]["large"]["path"] == result.paths["vae_x2"]
    assert "large" not in pictures["degraded"]
    assert all(each["alt"] for each in pictures.values())
    assert pictures["gan"]["note"].startswith("2")
    assert "dB (+" in pictures["gan"]["note"]
    assert not pictures["original"]["note"]
    assert "preview" not in value["words"]


def test_a_preview_says_so(photo: Photo, restorer: Restorer) -> None:
    run = pipeline.run(restorer, photo, Recipe(size="own", look=Look(), models={"cnn": None}))
    value = viewer.value(publish_run("a.jpg", run, whole=(4000, 3000)), True, {"shown": "cnn"})
    assert "4000×3000" in value["words"]["preview"]
    assert value["words"]["stale"] == "Réglages modifiés : restaurez de nouveau."


def test_another_run_has_another_name_and_new_damage_has_not(result: Result, photo: Photo, restorer: Restorer) -> None:
    def name(each: Result) -> str:
        return str(viewer.value(each, False, {"shown": "vae"})["run"])

    again = publish_run("a.jpg", pipeline.run(restorer, photo, recipe("vae", "gan")))
    assert name(again) != name(result)
    assert name(replace(result, paths={**result.paths, "degraded": again.paths["degraded"]})) == name(result)
