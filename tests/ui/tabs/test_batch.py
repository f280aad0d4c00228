"""The Batch tab: files and archives in, one archive out, and not a word lost about those that failed."""

from __future__ import annotations

import errno
import io
import json
import tempfile
import weakref
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import gradio as gr
import numpy as np
import pytest
from gradio.data_classes import FileData, ListFiles
from PIL import Image

from restoration import Look, Photo, PhotoError, Recipe, Restorer, Run, Upscaling, image, pipeline
from restoration.errors import ControlError
from restoration.tiling import Stopped
from tests.batch.test_archive import OTHER, PHOTO, zipped
from tests.conftest import EXAMPLES
from ui.context import TITLES, AppContext
from ui.files import publish
from ui.tabs import batch
from ui.tabs.batch import Batch, summary

CNN = Recipe(models={"cnn": None})
WHOLE = Recipe(size="own", look=Look(colour="auto"), models={"gan": None})


@pytest.fixture
def lab(restorer: Restorer) -> AppContext:
    return AppContext(restorer)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go during the test."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def example(folder: Path, name: str, contents: bytes = PHOTO) -> str:
    folder.mkdir(exist_ok=True, parents=True)
    (folder / name).write_bytes(contents)
    return str(folder / name)


def silent(done: int, total: int, name: str) -> None:
    pass


def contents(made: Batch) -> dict[str, bytes]:
    assert made.archive
    with zipfile.ZipFile(made.archive) as opened:
        assert opened.testzip() is None
        assert len(opened.namelist()) == len(set(opened.namelist()))
        return {name: opened.read(name) for name in opened.namelist()}


def pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return np.array(picture)


def report(made: Batch) -> list[dict[str, Any]]:
    return [json.loads(line) for line in contents(made)["batch.jsonl"].decode().splitlines()]


def failed(made: Batch) -> list[tuple[str, str]]:
    return [(name, error.code) for name, error in made.failures]


def test_an_upload_is_its_path(lab: AppContext) -> None:
    with gr.Blocks() as demo:
        batch.wire(batch.layout(lab))
    (files,) = [each for each in demo.blocks.values() if each.elem_id == "batch-files"]
    assert isinstance(files, gr.File)
    assert files.preprocess(None) == []
    paths = [*publish({"b.jpg": b"", "c.zip": b""}).values()]
    assert files.preprocess(ListFiles([FileData(path=path) for path in paths])) == paths
    with pytest.raises(ControlError, match="must be an uploaded file"):
        files.preprocess(ListFiles([FileData(path=path) for path in [*paths, str(EXAMPLES / "coffee.jpg")]]))


# --- What comes of it -------------------------------------------------------------------------------------------------


def test_files_and_archives_become_one_archive(lab: AppContext, tmp_path: Path, temporary: Path) -> None:
    packed = zipped(
        tmp_path / "album.zip",
        [
            ("été/plage.jpg", OTHER),
            ("été/2/mer.JPEG", PHOTO),
            ("notes.txt", b"hello"),
            ("cut.jpg", PHOTO[:20_000]),
            ("more.zip", b"PK\x05\x06" + bytes(18)),
            ("../evil.jpg", PHOTO),
        ],
    )
    told: list[tuple[int, int, str]] = []
    paths = [example(tmp_path, "portrait.jpg"), str(packed)]
    made = batch.restore(lab, paths, CNN, lambda *progress: told.append(progress))

    found = contents(made)
    assert list(found) == ["portrait.png", "été/2/mer.png", "été/plage.png", "batch.jsonl"]
    for name, source in (("portrait", "astronaut"), ("été/2/mer", "astronaut"), ("été/plage", "chelsea")):
        expected = lab.restorer.restore(image.load(EXAMPLES / f"{source}.jpg"), "cnn").photo.pixels
        assert np.array_equal(pixels(found[f"{name}.png"]), expected)

    assert made.total == 7
    assert sorted(failed(made)) == [
        ("../evil.jpg", "archive_path"),
        ("cut.jpg", "photo_damaged"),
        ("more.zip", "archive_nested"),
        ("notes.txt", "archive_no_photo"),
    ]
    assert told == [(0, 4, "portrait.jpg"), (1, 4, "cut.jpg"), (2, 4, "été/2/mer.JPEG"), (3, 4, "été/plage.jpg")]
    assert list(temporary.iterdir()) == []
    assert made.archive
    assert [path.name for path in Path(made.archive).parent.iterdir()] == ["restored.zip"]

    done, errors = report(made)[:3], report(made)[3:]
    assert [(line["input"], line["outputs"]) for line in done] == [
        ("portrait.jpg", ["portrait.png"]),
        ("été/2/mer.JPEG", ["été/2/mer.png"]),
        ("été/plage.jpg", ["été/plage.png"]),
    ]
    assert {line["input"]: line["error"] for line in errors} == {name: str(error) for name, error in made.failures}
    again = pipeline.run(lab.restorer, image.load(EXAMPLES / "chelsea.jpg"), Recipe.from_json(done[2]["recipe"]))
    assert np.array_equal(again.restored["cnn"].photo.pixels, pixels(found["été/plage.png"]))


def test_photos_are_restored_whole_each_with_colours_of_its_own_kind(lab: AppContext, tmp_path: Path) -> None:
    colour = image.load(EXAMPLES / "chelsea.jpg", reduce_to=None)
    grey = Photo(np.repeat(colour.pixels[:90, :140, 1:2], 3, axis=2))
    paths = [example(tmp_path, "cat.jpg", OTHER), example(tmp_path, "grey.png", image.encode(grey))]
    made = batch.restore(lab, paths, WHOLE, silent)
    found = contents(made)
    assert list(found) == ["cat.jpg", "grey.png", "batch.jsonl"]
    for name, photo, suffix in (("cat.jpg", colour, ".jpg"), ("grey.png", grey, ".png")):
        restored = lab.restorer.restore_whole(photo, "gan").photo
        assert found[name] == image.encode(restored, suffix)
    told = [(line["size"], line["colour"]) for line in report(made)]
    assert told == [
        ({"photo": [451, 300], "restored": [451, 300]}, "keep"),
        ({"photo": [140, 90], "restored": [140, 90]}, "new"),
    ]


def test_one_photos_pixels_are_in_memory_at_a_time(
    lab: AppContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[weakref.ref[Run]] = []
    run_one = AppContext.run

    def remembered(self: AppContext, photo: Photo, recipe: Recipe) -> Run:
        run = run_one(self, photo, recipe)
        runs.append(weakref.ref(run))
        return run

    def gone(done: int, total: int, name: str) -> None:
        assert [run() for run in runs] == [None] * done

    monkeypatch.setattr(AppContext, "run", remembered)
    batch.restore(lab, [example(tmp_path, f"{place}.jpg") for place in range(3)], CNN, gone)
    assert len(runs) == 3


def test_a_photo_is_turned_upright(lab: AppContext, photo: Photo, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned to the right by a quarter
    lying = Image.fromarray(np.rot90(photo.pixels))
    lying.save(tmp_path / "lying.png", exif=exif)
    lying.save(tmp_path / "lying.jpg", exif=exif, quality=95)
    made = contents(batch.restore(lab, [str(tmp_path / "lying.png"), str(tmp_path / "lying.jpg")], CNN, silent))
    upright = lab.restorer.restore(photo, "cnn").photo.pixels
    assert np.array_equal(pixels(made["lying.png.png"]), upright)
    assert np.abs(pixels(made["lying.jpg.png"]).astype(int) - upright).mean() < 4


@pytest.mark.parametrize(
    ("recipe", "names"),
    [
        (Recipe(models={"vae": None}), ["a.png"]),
        (Recipe(models={"vae": None}, upscaling=Upscaling(scale=2, engine="bicubic")), ["a.png", "a_x2.png"]),
        (Recipe(models=dict.fromkeys(TITLES)), ["a_vae.png", "a_gan.png", "a_cnn.png"]),
        (
            Recipe(models=dict.fromkeys(("gan", "cnn")), upscaling=Upscaling(scale=4, engine="bicubic")),
            ["a_gan.png", "a_gan_x4.png", "a_cnn.png", "a_cnn_x4.png"],
        ),
    ],
)
def test_results_are_named_after_what_made_them(
    lab: AppContext, tmp_path: Path, recipe: Recipe, names: list[str]
) -> None:
    made = batch.restore(lab, [example(tmp_path, "a.jpg")], recipe, silent)
    found = contents(made)
    assert list(found) == [*names, "batch.jsonl"]
    assert report(made)[0]["outputs"] == names
    run = pipeline.run(lab.restorer, image.load(EXAMPLES / "astronaut.jpg"), recipe)
    for name in names:
        model = next((each for each in TITLES if f"_{each}" in name), "vae")
        source = run.enlarged if "_x" in name else run.restored
        assert np.array_equal(pixels(found[name]), source[model].photo.pixels)


def two_albums(folder: Path, files: Sequence[tuple[str, bytes]]) -> list[str]:
    folder.mkdir(exist_ok=True)
    return [str(zipped(folder / f"{name}.zip", files)) for name in ("one", "two")]


def test_photos_of_one_name_all_have_a_result(lab: AppContext, tmp_path: Path) -> None:
    paths = [example(tmp_path / "1", "a.jpg"), example(tmp_path / "2", "a.jpg", OTHER)]
    paths += two_albums(tmp_path, [("a.jpg", PHOTO)])
    made = batch.restore(lab, paths, CNN, silent)
    found = contents(made)
    assert len(found) == 5
    assert made.total == 4
    assert not made.failures
    other = lab.restorer.restore(image.load(EXAMPLES / "chelsea.jpg"), "cnn").photo.pixels
    assert [np.array_equal(pixels(found[line["outputs"][0]]), other) for line in report(made)] == [
        False, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("models", [["cnn"], ["cnn", "vae"]])
def test_a_photo_may_be_called_as_anothers_result(lab: AppContext, tmp_path: Path, models: list[str]) -> None:
    recipe = Recipe(models=dict.fromkeys(models), upscaling=Upscaling(scale=2, engine="bicubic"))
    names = ("a.jpg", "a_x2.jpg", "A_X2_x2.jpg", "a_cnn.jpg", "a_vae_x2.jpg")
    made = batch.restore(lab, [example(tmp_path, name) for name in names], recipe, silent)
    outputs = [name for line in report(made) for name in line["outputs"]]
    assert len(outputs) == len({name.casefold() for name in outputs}) == len(names) * len(models) * 2
    assert set(contents(made)) == {*outputs, "batch.jsonl"}


def test_failures_of_one_name_are_all_told(lab: AppContext, tmp_path: Path) -> None:
    """Two archives with the same two bad names."""
    paths = two_albums(tmp_path, [("cut.jpg", PHOTO[:20_000]), ("notes.txt", b""), ("a.jpg", PHOTO)])
    made = batch.restore(lab, paths, CNN, silent)
    assert made.total == 6
    assert sorted(failed(made)) == [
        *[("cut.jpg", "photo_damaged")] * 2, *[("notes.txt", "archive_no_photo")] * 2
    ]  # fmt: skip
    assert [line["input"] for line in report(made) if "error" in line].count("notes.txt") == 2
    assert summary(made, False).startswith("<p>2 of 6 restored.")


def test_where_nothing_is_restored_there_is_no_archive(lab: AppContext, tmp_path: Path, temporary: Path) -> None:
    paths = [example(tmp_path, "page.png", b"<html>" * 50), example(tmp_path, "none.zip", b"no zip")]
    told: list[str] = []
    made = batch.restore(lab, paths, CNN, lambda done, total, name: told.append(name))
    assert made.archive is None
    assert made.total == 2
    assert sorted(failed(made)) == [("none.zip", "archive_damaged"), ("page.png", "photo_unknown")]
    assert told == ["page.png"]
    assert list(temporary.iterdir()) == []


def test_what_a_photos_file_lacks_is_told_with_the_others(lab: AppContext, tmp_path: Path) -> None:
    made = batch.restore(lab, [example(tmp_path, "cut.jpg", PHOTO[:-3000]), example(tmp_path, "a.jpg")], CNN, silent)
    assert [(name, note.code) for name, note in made.warnings] == [("cut.jpg", "photo_partial")]
    assert [("warning" in line, line.get("partial", False)) for line in report(made)] == [(True, True), (False, False)]


@pytest.mark.parametrize("enough", [0, 1, 2])
def test_what_is_finished_stays_when_it_is_stopped(
    lab: AppContext, tmp_path: Path, temporary: Path, enough: int
) -> None:
    def tell(done: int, total: int, name: str) -> None:
        if done == enough:
            raise Stopped

    paths = [example(tmp_path, f"{place}.jpg") for place in range(3)]
    made = batch.restore(lab, paths, CNN, tell)
    assert (made.total, made.left, made.failures) == (3, 3 - enough, [])
    if enough:
        finished = [str(place) for place in range(enough)]
        assert list(contents(made)) == [*(f"{name}.png" for name in finished), "batch.jsonl"]
        assert [line["input"] for line in report(made)] == [f"{name}.jpg" for name in finished]
    else:
        assert made.archive is None
    assert list(temporary.iterdir()) == []


def test_the_apps_limit_holds(restorer: Restorer, tmp_path: Path) -> None:
    small, large = (example(tmp_path, name) for name in ("small.png", "large.png"))
    for path, side in ((small, 64), (large, 65)):
        Image.new("RGB", (side, 64)).save(path)
    made = batch.restore(AppContext(restorer, max_pixels=64 * 64), [small, large], CNN, silent)
    assert failed(made) == [("large.png", "photo_too_large")]
    assert list(contents(made)) == ["small.png", "batch.jsonl"]


def test_a_failure_that_nobody_foresaw_leaves_nothing_behind(lab: AppContext, tmp_path: Path, temporary: Path) -> None:
    def stop(done: int, total: int, name: str) -> None:
        if done:
            raise KeyError(name)

    packed = zipped(tmp_path / "album.zip", [("a.jpg", PHOTO), ("b.jpg", OTHER)])
    with pytest.raises(KeyError):
        batch.restore(lab, [str(packed)], CNN, stop)
    assert list(temporary.iterdir()) == []


def test_a_full_disk_is_no_photos_fault(lab: AppContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    with pytest.raises(OSError, match="No space left"):
        batch.restore(lab, [example(tmp_path, "a.jpg"), example(tmp_path, "b.jpg")], CNN, silent)


# --- What is said of it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("french", [False, True], ids=["en", "fr"])
def test_what_failed_is_said(french: bool) -> None:
    error = PhotoError("photo_empty", name="<b>&.png")
    told = ElementTree.fromstring(f"<div>{summary(Batch('a.zip', 3, (('<b>&.png', error),) * 2), french)}</div>")
    first, second = told.iter("li")
    assert "".join(first.itertext()) == "".join(second.itertext())
    head = "".join(told[0].itertext())
    if french:
        assert head == "1 sur 3 restaurées. Non restaurées :"
        assert "".join(first.itertext()) == "<b>&.png : Le fichier ‹b›&.png est vide ; choisissez-en un autre."
    else:
        assert head == "1 of 3 restored. Not restored:"
        assert "".join(first.itertext()) == "<b>&.png: ‹b›&.png is empty; choose another file."
    noted = ElementTree.fromstring(f"<div>{summary(Batch('a.zip', 3, (), [('a&b.jpg', error)]), french)}</div>")
    assert ["".join(each.itertext()) for each in noted[:2]] == (
        ["3 sur 3 restaurées.", "Restaurées, mais :"] if french else ["3 of 3 restored.", "Restored, but:"]
    )
    assert "".join(noted[2].itertext()).startswith("a&b.jpg :" if french else "a&b.jpg:")
    stopped = summary(Batch("a.zip", 3, (), left=2), french)
    if french:
        assert stopped == "<p>1 sur 3 restaurées. Arrêt demandé : 2 non commencées.</p>"
    else:
        assert stopped == "<p>1 of 3 restored. It was stopped: 2 not begun.</p>"
    assert summary(Batch("a.zip", 3, ()), french) == f"<p>{'3 sur 3 restaurées.' if french else '3 of 3 restored.'}</p>"
