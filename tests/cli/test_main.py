"""The command line, as real processes where the process matters, and in this one where it does not."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from restoration import (
    PRESETS,
    Degradation,
    Photo,
    Recipe,
    Restoration,
    Restorer,
    Upscaling,
    image,
    metrics,
    pipeline,
    weights,
)
from restoration.__main__ import app
from restoration.report import read_report
from restoration.weights import released
from tests.conftest import EXAMPLES, ROOT


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def program(*arguments: object) -> list[str]:
    """The command that does so in a process of its own."""
    return [sys.executable, "-m", "restoration", *map(str, arguments)]


def report(folder: Path) -> list[dict]:
    """The newest entries, in order."""
    return list({id(entry): entry for entry in read_report(folder / "report.jsonl").values()}.values())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photos in a folder and a subfolder, two of which share a stem."""
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    shutil.copy(EXAMPLES / "coffee.jpg", source / "a.jpg")
    Image.open(EXAMPLES / "flower.jpg").save(source / "a.png")
    shutil.copy(EXAMPLES / "rocket.jpg", source / "deep" / "b.JPG")
    (source / "notes.txt").write_text("no picture")
    return source


def test_restore_in_a_process_of_its_own(tmp_path: Path) -> None:
    out, model = tmp_path / "after.png", "gan"
    command = program("restore", "--size", 128, EXAMPLES / "coffee.jpg", "-o", out, "--model", model, "--upscale", 4)
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    result = image.load(out)
    assert np.array_equal(
        result.pixels, Restorer("cpu").restore(image.load(EXAMPLES / "coffee.jpg"), model).photo.pixels
    )
    assert Image.open(tmp_path / "after_x4.png").size == (512, 512)
    (entry,) = report(tmp_path)
    assert entry["outputs"] == {"restored": "after.png", "upscaled": "after_x4.png"}
    assert entry["recipe"]["models"] == {model: weights.manifest()[f"{model}.safetensors"].sha256}
    assert entry["recipe"]["upscaling"]["engine"] == "fast"
    assert entry["metrics"] is None  # there is no truth to measure against


@pytest.fixture
def cracked(tmp_path: Path) -> Path:
    """A whole photo with cracks and dust on it."""
    path = tmp_path / "cracked.png"
    whole = image.load(EXAMPLES / "astronaut.jpg", reduce_to=None)
    image.save(Degradation(scratches=6, dust=0.3, grayscale=True).apply(whole, 3), path)
    return path


def test_scratches_are_shown_and_mended_by_the_mask_or_by_themselves(tmp_path: Path, cracked: Path) -> None:
    masks, found, drawn = tmp_path / "masks", tmp_path / "found", tmp_path / "drawn"
    assert run("scratches", cracked, "-o", masks)[0] == 0
    assert {path.name for path in masks.glob("*.png")} == {"cracked_mask.png", "cracked_overlay.png"}
    (entry,) = report(masks)
    mask = image.load(masks / "cracked_mask.png", reduce_to=None).pixels > 127
    assert entry["marked"] == round(mask[..., 0].mean(), 5) > 0.01
    assert run("restore", cracked, "-o", found, "--model", "cnn", "--inpaint", "auto")[0] == 0
    assert run("restore", cracked, "-o", drawn, "--model", "cnn", "--inpaint", masks / "cracked_mask.png")[0] == 0
    one, other = (image.load(folder / "cracked.png", reduce_to=None).pixels for folder in (found, drawn))
    assert np.array_equal(one, other)
    assert report(found)[0]["mended"] == report(drawn)[0]["mended"] == entry["marked"]
    assert report(found)[0]["recipe"]["inpaint"]["mask"] == "auto"

    recipe, again = drawn / "report.jsonl", tmp_path / "again"
    code, _, says = run("replay", recipe, cracked, "-o", again)
    assert code != 0
    assert "This recipe needs the mask that was drawn for it" in says
    assert run("replay", recipe, cracked, "-o", again, "--mask", masks / "cracked_mask.png")[0] == 0
    assert np.array_equal(image.load(again / "cracked.png", reduce_to=None).pixels, other)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--sensitivity", 0.4), "add --inpaint auto"),
        (("--inpaint", "auto", "--sensitivity", 2), "from 0 to 1, not 2"),
        (("--inpaint", "nowhere.png"), "nowhere.png"),
        (("--inpaint", EXAMPLES / "astronaut.jpg"), "this looks like a photo"),
        (("--inpaint", EXAMPLES / "friends.jpg"), "another shape than the photo's"),
        (("--inpaint", "auto", "--size", 128), "own size"),
    ],
)
def test_what_cannot_be_mended_is_said(tmp_path: Path, options: tuple[object, ...], says: str) -> None:
    code, _, said = run("restore", EXAMPLES / "astronaut.jpg", "-o", tmp_path / "out", "--model", "cnn", *options)
    assert code != 0
    assert says in " ".join(said.split())


def test_samples_writes_each_draw_the_map_and_a_sheet(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("samples", EXAMPLES / "coffee.jpg", "-o", out, "--n", 3, "--seed", 5)[0] == 0
    names = ["sample1", "sample2", "sample3", "uncertainty", "sheet"]
    assert sorted(path.name for path in out.glob("*.png")) == sorted(f"coffee_{name}.png" for name in names)
    expected = Restorer("cpu").samples(image.load(EXAMPLES / "coffee.jpg"), 3, seed=5)
    assert np.array_equal(image.load(out / "coffee_sample2.png").pixels, expected.photos[1].pixels)
    assert np.array_equal(image.load(out / "coffee_uncertainty.png").pixels, expected.map().pixels)
    (entry,) = report(out)
    assert entry["uncertainty"] == pytest.approx(float(expected.uncertainty.mean()), abs=1e-3)
    assert entry["recipe"]["seed"] == 5
    status, _, error = run("samples", EXAMPLES / "coffee.jpg", "-o", out, "--n", 1)
    assert (status, "greater than or equal to 2" in error) == (2, True)


def test_each_core_restores_photos_of_a_folder_of_its_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By threads that leave the other cores alone; a single photo has them all."""
    seen: list[tuple[bool, int, int]] = []
    both, restore_batch = threading.Barrier(2), Restorer.restore_batch

    def spied(self: Restorer, photos: Sequence[Photo], *arguments: Any, **named: Any) -> list[Restoration]:
        is_main = threading.current_thread() is threading.main_thread()
        seen.append((is_main, torch.get_num_threads(), len(photos)))
        if len(seen) < 3 and not is_main:
            both.wait(20)
        return restore_batch(self, photos, *arguments, **named)

    monkeypatch.setattr(Restorer, "restore_batch", spied)
    assert run("restore", "--size", 128, folder, "-o", tmp_path / "out", "--device", "cpu")[0] == 0
    assert seen == [(False, 1, 1)] * 3
    seen.clear()
    assert run("restore", "--size", 128, folder / "a.jpg", "-o", tmp_path / "one", "--device", "cpu")[0] == 0
    assert seen == [(True, torch.get_num_threads(), 1)]


def test_folders_are_mirrored_and_nothing_collides(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("restore", "--size", 128, folder, "-o", out, "--model", "cnn")[0] == 0
    made = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*"))
    assert made == ["a.jpg.png", "a.png.png", "deep/b.png", "report.jsonl"]
    assert sorted(entry["outputs"]["restored"] for entry in report(out)) == ["a.jpg.png", "a.png.png", "deep/b.png"]


def test_names_that_are_no_utf8(folder: Path, tmp_path: Path) -> None:
    """Under a legible name beside one that is called so already, and found again; the report is UTF-8."""
    try:
        for name in (b"caf\xe9.jpg", "café.jpg".encode(), b"d\xe9j\xe0/vu\n.jpg"):
            path = Path(os.fsdecode(os.path.join(os.fsencode(folder), name)))
            path.parent.mkdir(exist_ok=True)
            shutil.copy(EXAMPLES / "coffee.jpg", path)
    except OSError:
        pytest.skip("this disk takes UTF-8 only")
    (folder / os.fsdecode(b"\xe9.jpg")).write_bytes(b"no picture")
    out = tmp_path / os.fsdecode(b"r\xe9sultat")
    for before in ("", ", 6 of them before"):
        code, stdout, stderr = run("degrade", folder, "-o", out)
        assert (code, f"6 of 7 done{before}" in stdout) == (1, True)
        assert f"{tmp_path}/résultat/report.jsonl" in stdout
        assert stderr == f"{folder}/é.jpg: é.jpg is not a picture that can be read here; save it as PNG or JPEG.\n"
    made = [(entry["input"], entry["outputs"]["degraded"]) for entry in report(out)]
    expected = [("café.jpg", "café.jpg.png"), ("café.jpg", "café.jpg (2).png"), ("déjà/vu_.jpg", "déjà/vu_.png")]
    assert {(f"{folder}/{source}", result) for source, result in expected} < {*made}


def test_the_longest_names(tmp_path: Path) -> None:
    """Beside which no truth, enlarged or unfinished file of a longer name can lie."""
    Image.open(EXAMPLES / "coffee.jpg").resize((40, 30)).save(tmp_path / f"{'n' * 251}.png")
    options = ["--model", "cnn", "--upscale", 4, "--engine", "bicubic"]
    assert run("restore", tmp_path, "-o", tmp_path / "out", *options)[0] == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        *(f"{'n' * 248}{ending}.png" for ending in ("", "_x4")),
        "report.jsonl",
    ]


def test_a_photo_that_is_named_twice_is_done_once(folder: Path, tmp_path: Path) -> None:
    assert "1 of 1 done" in run("degrade", folder / "deep", folder / "deep", "-o", tmp_path / "out")[1]


def test_the_summary(folder: Path, tmp_path: Path) -> None:
    """For people and, with --json, for programs."""
    for name in ("x.jpg", "y.jpg"):
        (folder / name).write_bytes(b"no picture")
    shutil.copy(EXAMPLES / "coffee.jpg", folder / "none")
    (folder / "deep" / "clip.MP4").touch()
    code, stdout, stderr = run("degrade", folder, folder / "gone.jpg", "-o", tmp_path / "out")
    done, slowest, *rest = stdout.splitlines()
    assert (code, done.startswith("4 of 7 done; ")) == (1, True)
    assert re.fullmatch(r"Slowest: (\S+ \(\d\.\d s\)(, |\.)){3}", slowest)
    assert rest == [
        f"Not done: 2 like {folder}/x.jpg: x.jpg is not a picture that can be read here; save it as PNG or JPEG.",
        f"Not done: {folder}/gone.jpg: There is no file gone.jpg; check its path.",
        "Passed over, as they are no photos: 1 .mp4, 1 .txt.",
    ]
    code, stdout, same = run("degrade", folder, folder / "gone.jpg", "-o", tmp_path / "out", "--json", "--quiet")
    told = json.loads(stdout)
    assert (code, same) == (1, stderr)
    assert told == {
        **{"photos": 7, "done": 4, "before": 4, "slowest": [], "report": f"{tmp_path}/out/report.jsonl"},
        "refused": [
            {"code": "photo_unknown", "reason": rest[0].split(": ")[-1], "inputs": [f"{folder}/{n}.jpg" for n in "xy"]},
            {"code": "photo_missing", "reason": rest[1].split(": ")[-1], "inputs": [f"{folder}/gone.jpg"]},
        ],
        "passed_over": {".mp4": 1, ".txt": 1},
    }
    assert len(json.loads(run("degrade", folder, "-o", tmp_path / "new", "--json")[1])["slowest"]) == 3


@pytest.mark.parametrize(("locked", "made"), [("deep", "a.png.png"), ("a.png", "deep/b.png")])
def test_folders_and_photos_that_may_not_be_read(folder: Path, tmp_path: Path, locked: str, made: str) -> None:
    """The others are done."""
    (folder / locked).chmod(0)
    command = program("degrade", folder, "-o", tmp_path / "out")
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may read everything, unless setpriv takes that away")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    (folder / locked).chmod(0o700)  # for pytest to clear away
    assert (done.returncode, (tmp_path / "out" / made).is_file()) == (1, True)
    assert done.stderr == f"{folder}/{locked}: {locked} may not be read; check its permissions.\n"


def test_names_are_utf8_whatever_the_system_is_set_to(folder: Path, tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "coffee.jpg", folder / "été.jpg")
    settings = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = program("degrade", folder / "été.jpg", "-o", tmp_path / "dégâts")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, env=settings)
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"{tmp_path}/dégâts/report.jsonl" in done.stdout.decode()
    assert (tmp_path / "dégâts" / "été.png").is_file()


def test_a_reader_that_has_enough_is_no_error() -> None:
    done = subprocess.Popen(program("models"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.stdout
    done.stdout.close()
    assert done.communicate(timeout=60)[1] == b""


def test_results_inside_the_input_folder_are_not_taken_for_inputs(folder: Path) -> None:
    for _ in range(2):
        assert run("degrade", folder, "-o", folder / "out")[0] == 0
    assert len(report(folder / "out")) == 3
    assert not (folder / "out" / "out").exists()


def test_one_bad_photo_does_not_stop_the_others(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.jpg").write_bytes((folder / "a.jpg").read_bytes()[:9000])
    (folder / "empty.png").touch()
    code, stdout, stderr = run("restore", "--size", 128, folder, folder / "none.jpg", "-o", tmp_path / "out")
    assert code == 1
    for name in ("broken.jpg", "empty.png", "none.jpg"):
        assert name in stderr
    assert "3 of 6 done" in stdout
    assert len(report(tmp_path / "out")) == 3


def test_a_cut_photo_is_restored_and_the_report_says_so(folder: Path, tmp_path: Path) -> None:
    (folder / "cut.jpg").write_bytes((EXAMPLES / "coffee.jpg").read_bytes()[:-3000])
    restored = run("restore", folder / "cut.jpg", folder / "a.png", "-o", tmp_path / "own", "--model", "cnn")
    assert restored[0] == 0
    assert run("degrade", folder / "cut.jpg", "-o", tmp_path / "pair")[0] == 0
    for entry in report(tmp_path / "own") + report(tmp_path / "pair"):
        is_cut = entry["input"].endswith("cut.jpg")
        assert entry.get("partial", False) is is_cut
        assert ("cut short or damaged" in entry.get("warning", "")) is is_cut


def test_what_is_transparent_stays_so_restored_and_enlarged(tmp_path: Path) -> None:
    with Image.open(EXAMPLES / "coffee.jpg") as picture:
        logo = picture.resize((90, 60)).convert("RGBA")
    alpha = np.zeros((60, 90), np.uint8)
    alpha[10:50, 20:70] = 255
    logo.putalpha(Image.fromarray(alpha))
    logo.save(tmp_path / "a.png")
    command = ("restore", tmp_path / "a.png", "-o", tmp_path / "out", "--model", "cnn")
    assert run(*command, "--upscale", 2, "--engine", "bicubic")[0] == 0
    assert run("upscale", tmp_path / "a.png", "-o", tmp_path / "b.webp", "--engine", "bicubic", "--scale", 2)[0] == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "a.png"))[..., 3], alpha)
    for larger in (tmp_path / "out" / "a_x2.png", tmp_path / "b.webp"):
        assert np.abs(np.asarray(Image.open(larger))[::2, ::2, 3].astype(int) - alpha).mean() < 5


def test_degrade_writes_pairs_that_a_recipe_replays(folder: Path, tmp_path: Path) -> None:
    assert run("degrade", folder, "-o", tmp_path / "one", "--seed", 7, "--fit", "pad")[0] == 0
    entries = report(tmp_path / "one")
    assert [entry["recipe"]["seed"] for entry in entries] == [7, 8, 9]
    for entry in entries:
        degraded, truth = (image.load(tmp_path / "one" / entry["outputs"][kind]) for kind in ("degraded", "truth"))
        assert entry["metrics"]["degraded"]["psnr"] == pytest.approx(metrics.compare(degraded, truth).psnr)
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(entries[2]["recipe"]))
    assert entries[2]["recipe"]["fit"] == "pad"
    assert run("degrade", folder / "deep" / "b.JPG", "-o", tmp_path / "again.png", "--recipe", recipe)[0] == 0
    again = image.load(tmp_path / "again.png").pixels
    assert np.array_equal(again, image.load(tmp_path / "one" / entries[2]["outputs"]["degraded"]).pixels)
    assert Recipe.read(tmp_path / "report.jsonl") == Recipe.read(recipe)  # a report of one photo will do as well
    assert run("degrade", folder, "-o", tmp_path / "two", "--recipe", tmp_path / "one" / "report.jsonl")[0] == 2


def test_degradation_flags(tmp_path: Path) -> None:
    photo = EXAMPLES / "coffee.jpg"
    assert run("degrade", photo, "-o", tmp_path, "--gaussian", 0.1, "--lines", 2, "--dust", 0.2)[0] == 0
    assert report(tmp_path)[0]["recipe"]["degradation"] == {
        **{"grayscale": True, "gaussian": 0.1, "salt_pepper": 0, "speckle": 0, "correlated": 0},
        **{"lines": 2, "blur": 1, "jpeg": 100, "fading": 0, "scratches": 0, "dust": 0.2},
    }
    assert run("degrade", photo, "-o", tmp_path, "--preset", "heavy", "--colour", "--blur", 1)[0] == 0
    (entry,) = report(tmp_path)  # the earlier entry's files were made anew
    drawn = entry["recipe"]["degradation"]
    assert not drawn["grayscale"]
    assert drawn["blur"] == 1
    assert drawn["jpeg"] <= 40
    assert run("degrade", photo, "-o", tmp_path, "--colour")[0] == 0  # still by the original's recipe
    assert report(tmp_path)[0]["recipe"]["degradation"]["jpeg"] < 100


def test_compare(tmp_path: Path) -> None:
    assert run("compare", EXAMPLES / "china.jpg", "-o", tmp_path, "--seed", 3)[0] == 0
    (entry,) = report(tmp_path)
    truth = image.load(tmp_path / entry["outputs"]["truth"])
    degraded = image.load(tmp_path / entry["outputs"]["degraded"])
    assert np.array_equal(degraded.pixels, PRESETS["original"].draw(3).apply(truth, 3).pixels)
    assert list(entry["metrics"]) == ["degraded", "vae", "gan", "cnn"]
    for name, measured in entry["metrics"].items():
        photo = image.load(tmp_path / entry["outputs"][name])
        assert measured["psnr"] == pytest.approx(metrics.compare(photo, truth).psnr)
    hashes = {name: weights.manifest()[f"{name}.safetensors"].sha256 for name in ("vae", "gan", "cnn")}
    assert entry["recipe"]["models"] == hashes
    sheet = Image.open(tmp_path / entry["outputs"]["sheet"])
    assert sheet.width > 5 * 256


def test_pairs_are_restored_and_measured_against_their_truth(tmp_path: Path) -> None:
    assert run("degrade", EXAMPLES / "china.jpg", "-o", tmp_path / "pairs")[0] == 0
    assert run("restore", "--size", 128, tmp_path / "pairs", "-o", tmp_path / "out", "--model", "cnn")[0] == 0
    (entry,) = report(tmp_path / "out")
    restored, truth = image.load(tmp_path / "out" / "china.png"), image.load(tmp_path / "pairs" / "china_truth.png")
    assert entry["metrics"]["cnn"]["psnr"] == pytest.approx(metrics.compare(restored, truth).psnr)


def test_whole_photos_are_restored_and_measured_at_their_own_size(tmp_path: Path) -> None:
    made = tmp_path / "pairs"
    assert run("degrade", EXAMPLES / "coffee.jpg", "-o", made, "--size", "own", "--preset", "antique")[0] == 0
    source = image.load(EXAMPLES / "coffee.jpg", reduce_to=None)
    assert np.array_equal(image.load(made / "coffee_truth.png", reduce_to=None).pixels, source.pixels)
    flags = ["--model", "vae", "--colour-strength", 1.5, "--tone", "off", "--sample", 2, "--seed", 4]
    assert run("restore", made, "-o", tmp_path / "out", *flags)[0] == 0
    (entry,) = report(tmp_path / "out")
    restored = image.load(tmp_path / "out" / "coffee.png", reduce_to=None)
    assert [restored.width, restored.height] == [source.width, source.height]
    assert entry["sizes"] == {"given": [600, 400], "restored": [600, 400], "truth": [600, 400]}
    assert entry["metrics"]["vae"]["psnr"] == pytest.approx(metrics.psnr(restored, source))
    assert entry["colour"] == "new"  # `degrade` took the photo's own away
    assert entry["recipe"]["look"] == {"colour": "auto", "colour_strength": 1.5, "tone": 0, "sample": 2}
    assert run("replay", tmp_path / "out", made / "coffee.png", "-o", tmp_path / "again.png")[0] == 2
    recipe = tmp_path / "out" / "report.jsonl"
    assert run("replay", recipe, made / "coffee.png", "-o", tmp_path / "again.png")[0] == 0
    assert np.array_equal(image.load(tmp_path / "again.png", reduce_to=None).pixels, restored.pixels)


def test_a_truth_of_another_size_measures_nothing(tmp_path: Path) -> None:
    with Image.open(EXAMPLES / "coffee.jpg") as picture:
        picture.resize((150, 100)).save(tmp_path / "a.png")
        picture.resize((160, 100)).save(tmp_path / "a_truth.png")
    assert run("restore", tmp_path, "-o", tmp_path / "out", "--model", "cnn")[0] == 0
    (entry,) = report(tmp_path / "out")
    assert entry["metrics"] is None
    assert entry["sizes"]["truth"] == [160, 100]


def test_what_would_be_too_large_is_not_restored_for_nothing(tmp_path: Path) -> None:
    Image.new("L", (1400, 1000), 200).save(tmp_path / "a.png")
    code, _, error = run("restore", tmp_path / "a.png", "-o", tmp_path / "out", "--upscale", 4, "--engine", "bicubic")
    assert (code, "is too large to upscale" in error) == (1, True)
    code, _, error = run("restore", tmp_path / "a.png", "-o", tmp_path / "b.png", "--format", "jpg")
    assert (code, "leave --format out" in error) == (2, True)


def test_own_colours_are_kept_unless_another_is_asked_for(tmp_path: Path) -> None:
    for number, (flags, colour) in enumerate((([], "keep"), (["--colour", "none"], "none"), (["--size", 128], "new"))):
        out = tmp_path / str(number)
        assert run("restore", EXAMPLES / "coffee.jpg", "-o", out, "--model", "cnn", *flags)[0] == 0
        assert report(out)[0]["colour"] == colour


def test_a_photo_comes_back_as_the_kind_of_file_that_it_was(folder: Path, tmp_path: Path) -> None:
    """A JPEG as a JPEG, with its EXIF data; --format, or the name of the one result, decides otherwise."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Zeiss", 6
    with Image.open(EXAMPLES / "coffee.jpg") as picture:
        picture.save(folder / "a.jpg", exif=exif, dpi=(300, 300))
    out = tmp_path / "out"
    assert run("restore", folder, "-o", out, "--model", "gan", "--upscale", 2, "--engine", "bicubic")[0] == 0
    made = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*"))
    names = ["a.jpg", "a.png", "a_x2.jpg", "a_x2.png", "deep/b.jpg", "deep/b_x2.jpg", "report.jsonl"]
    assert made == names
    for name, size, dpi in (("a.jpg", (400, 600), 300), ("a_x2.jpg", (800, 1200), 600)):
        with Image.open(out / name) as picture:
            assert (picture.format, picture.size, picture.info["dpi"]) == ("JPEG", size, (dpi, dpi))
            assert picture.getexif()[0x010F] == "Zeiss"
            assert picture.getexif().get(0x0112, 1) == 1
    sizes = {"given": [400, 600], "restored": [400, 600], "upscaled": [800, 1200]}
    assert [entry["sizes"] for entry in report(out) if entry["input"].endswith("a.jpg")] == [sizes]
    assert run("restore", folder / "a.jpg", "-o", tmp_path / "other", "--model", "gan", "--format", "webp")[0] == 0
    assert (tmp_path / "other" / "a.webp").is_file()
    assert run("restore", folder / "a.jpg", "-o", tmp_path / "new.jpeg", "--model", "gan")[0] == 0
    assert Image.open(tmp_path / "new.jpeg").format == "JPEG"


def test_large_scans_are_read_unless_forbidden(tmp_path: Path) -> None:
    Image.new("L", (6000, 4500), 200).save(tmp_path / "scan.png")  # 27 megapixels: more than the app takes
    code, _, error = run("upscale", tmp_path / "scan.png", "-o", tmp_path / "out", "--engine", "bicubic")
    assert (code, "is too large to upscale" in error) == (1, True)  # it was read, and is too large to be enlarged
    for command in ("restore", "degrade"):
        extra = ["--size", "own"]
        code, _, error = run(command, EXAMPLES / "coffee.jpg", "-o", tmp_path / "out", "--max-pixels", 200_000, *extra)
        assert (code, "coffee.jpg is too large" in error) == (1, True)  # a JPEG is not halved unasked
        code, _, error = run(command, tmp_path / "scan.png", "-o", tmp_path / "out", "--max-pixels", 1_000_000)
        assert (code, "scan.png is too large; make it smaller than 1 megapixels" in error) == (1, True)


def test_a_recipe_is_replayed(tmp_path: Path) -> None:
    recipe = Recipe(
        fit="pad",
        degradation=PRESETS["heavy"].draw(3),
        seed=3,
        models={"gan": None, "cnn": "0" * 64},
        upscaling=Upscaling(scale=2, engine="fast"),
    )
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_json()))
    code, _, stderr = run("replay", tmp_path / "recipe.json", EXAMPLES / "china.jpg", "-o", tmp_path / "out")
    assert code == 0
    assert "(cnn 000000000000 → " in stderr  # said, and run all the same
    expected = pipeline.run(Restorer("cpu"), image.load(EXAMPLES / "china.jpg"), recipe)
    for name in ("gan", "cnn"):
        small, large = (image.load(tmp_path / "out" / f"china_{name}{ending}.png") for ending in ("", "_x2"))
        assert np.array_equal(small.pixels, expected.restored[name].photo.pixels)
        assert np.array_equal(large.pixels, expected.enlarged[name].photo.pixels)
    (entry,) = report(tmp_path / "out")
    truth = image.fit(image.load(EXAMPLES / "china.jpg"), "pad")
    assert entry["metrics"]["gan"]["psnr"] == pytest.approx(metrics.compare(expected.restored["gan"].photo, truth).psnr)
    again = run("replay", tmp_path / "out" / "report.jsonl", EXAMPLES / "china.jpg", "-o", tmp_path / "out")
    assert "1 of them before" in again[1]
    assert again[2] == ""  # its own report names what really ran


def test_a_recipe_without_models_is_not_replayed(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(Recipe(seed=1).to_json()))
    code, _, stderr = run("replay", tmp_path / "recipe.json", EXAMPLES / "china.jpg", "-o", tmp_path / "out")
    assert (code, "names no model" in stderr) == (2, True)


def test_sweep(tmp_path: Path) -> None:
    code, stdout, _ = run(
        "sweep", EXAMPLES / "china.jpg", "-o", tmp_path, "--control", "blur", "--steps", 3, "--models", "cnn"
    )
    assert code == 0
    assert re.search(r"luminance PSNR \(dB\): CNN (never )?helped", stdout)
    (entry,) = report(tmp_path)
    assert entry["strengths"] == [3, 13, 21]
    assert sorted(entry["outputs"].values()) == ["china_plot.png", "china_strip.png", "china_sweep.csv"]
    lines = (tmp_path / "china_sweep.csv").read_text().splitlines()
    assert len(lines) == 1 + 3 * 2
    assert Image.open(tmp_path / "china_plot.png").width > 500
    for flags in (["--control", "sepia"], ["--low", 3], ["--measure", "beauty"], ["--models", "dnn"]):
        assert run("sweep", EXAMPLES / "china.jpg", "-o", tmp_path / "none", *flags)[0] == 2


def test_a_users_own_files_are_not_overwritten(folder: Path) -> None:
    """a.png is another photo than a.jpg, and lies where the result of a.jpg would go."""
    mine = (folder / "a.png").read_bytes()
    for _ in range(2):
        assert run("degrade", folder / "a.jpg", "-o", folder)[0] == 0
    assert (folder / "a.png").read_bytes() == mine
    assert report(folder)[0]["outputs"]["degraded"] == "a.jpg.png"
    (folder / "b.png").write_bytes(mine)
    (folder / "b.JPG.png").write_bytes(mine)
    assert run("degrade", folder / "deep" / "b.JPG", "-o", folder)[0] == 0
    assert "1 of 1 done, 1 of them before" in run("degrade", folder / "deep" / "b.JPG", "-o", folder)[1]
    assert report(folder)[1]["outputs"]["degraded"] == "b.JPG (2).png"
    assert (folder / "b.png").read_bytes() == (folder / "b.JPG.png").read_bytes() == mine


def test_a_folder_that_is_its_own_output_is_not_eaten(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "coffee.jpg", tmp_path)
    for _ in range(2):
        assert run("degrade", tmp_path, "-o", tmp_path)[0] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "coffee.jpg",
        "coffee.png",
        "coffee_truth.png",
        "report.jsonl",
    ]


@pytest.mark.parametrize(("command", "kind"), [("degrade", "degraded"), ("restore", "restored")])
def test_a_stopped_run_lists_what_it_made(tmp_path: Path, command: str, kind: str) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for index in range(400):
        (source / f"{index:03}.jpg").symlink_to(EXAMPLES / "coffee.jpg")
    process = subprocess.Popen(
        program(command, source, "-o", tmp_path / "out", "--size", 128),
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    )
    while not (tmp_path / "out" / "003.png").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    made = {path.name for path in (tmp_path / "out").glob("???.png")}
    assert 4 <= len(made) < 400
    assert made - {entry["outputs"][kind] for entry in report(tmp_path / "out")} <= {max(made)}
    assert not list((tmp_path / "out").glob(".*"))


def test_upscale(tmp_path: Path) -> None:
    Image.open(EXAMPLES / "coffee.jpg").resize((90, 60)).save(tmp_path / "small.png")
    assert run("upscale", tmp_path / "small.png", "-o", tmp_path / "out", "--scale", 2)[0] == 0
    assert Image.open(tmp_path / "out" / "small_x2.png").size == (180, 120)
    upscaling = report(tmp_path / "out")[0]["recipe"]["upscaling"]
    name = "realesr-animevideov3-x4.fp16.safetensors"
    assert (upscaling["engine"], upscaling["precision"]) == ("fast", "float32")
    assert upscaling["method"] == "Real-ESRGAN x4, reduced by an area filter"
    assert upscaling["weights"] == {name: weights.manifest()[name].sha256}
    assert run("upscale", tmp_path / "small.png", "-o", tmp_path / "big.webp")[0] == 0
    assert Image.open(tmp_path / "big.webp").size == (360, 240)


def test_upscale_with_an_engine_of_choice(tmp_path: Path, shared: Path) -> None:
    Image.open(EXAMPLES / "coffee.jpg").resize((40, 30)).save(tmp_path / "a.png")
    own = ["--weights", shared / "weights", "--engine", "general", "--denoise", 0.5]
    assert run("upscale", tmp_path / "a.png", "-o", tmp_path / "b.png", *own, "--tile", 16)[0] == 0
    upscaling = report(tmp_path)[0]["recipe"]["upscaling"]
    assert (upscaling["engine"], upscaling["denoise"], len(upscaling["weights"])) == ("general", 0.5, 2)
    expected = Restorer("cpu", [shared / "weights"]).upscale(
        image.load(tmp_path / "a.png"), engine="general", denoise=0.5
    )
    assert np.abs(image.load(tmp_path / "b.png").pixels.astype(int) - expected.photo.pixels).max() <= 2


def test_upscale_says_what_it_cannot_enlarge(tmp_path: Path) -> None:
    for width, height in ((1, 1), (10000, 1), (1, 10000), (1025, 1025)):
        Image.new("RGB", (width, height)).save(tmp_path / f"{width}x{height}.png")
    Image.open(EXAMPLES / "coffee.jpg").resize((40, 30)).save(tmp_path / "good.png")
    code, stdout, stderr = run("upscale", tmp_path, "-o", tmp_path / "out", "--engine", "bicubic")
    assert code == 1
    assert "1 of 5 done" in stdout
    assert [line.split(": ")[0][len(str(tmp_path)) + 1 :] for line in stderr.splitlines()] == [
        *("10000x1.png", "1025x1025.png", "1x1.png", "1x10000.png")
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "ending", "count"), [(["upscale", "--engine", "fast"], "_x4.png", 40), (["restore"], ".png", 99)]
)
def test_a_killed_folder_goes_on_where_it_was(tmp_path: Path, flags: list[str], ending: str, count: int) -> None:
    """kill -9 in the middle: what was finished stays as it is, and the rest is made."""
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for index in range(count):
        Image.open(EXAMPLES / "coffee.jpg").resize((64, 64 + index % 40)).save(source / f"{index:02}.png")
    command = [*flags, str(source), "-o", str(out)]
    process = subprocess.Popen(program(*command), cwd=ROOT, stderr=subprocess.DEVNULL)
    while len(list(out.glob(f"??{ending}"))) < 4:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    made = {path.name: path.stat().st_mtime_ns for path in out.glob(f"??{ending}")}
    assert 4 <= len(made) < count
    assert len(list(out.glob(".*.part"))) <= 1  # one photo's file at a time is written
    with (out / "report.jsonl").open("a") as file:
        file.write('{"input": "a line that the kill cut o')
    code, stdout, _ = run(*command)
    assert code == 0
    assert f"{count} of {count} done, {len(made)} of them before" in stdout
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")}
    assert len(after) == len(report(out)) == count
    assert made.items() <= after.items()


def test_only_the_same_photo_by_the_same_recipe_is_done(tmp_path: Path) -> None:
    photo, out = tmp_path / "a.png", tmp_path / "out"
    Image.open(EXAMPLES / "coffee.jpg").save(photo)

    def done(*flags: object) -> bool:
        code, stdout, _ = run("restore", "--size", 128, photo, "-o", out, *flags)
        assert code == 0
        return "1 of them before" in stdout

    assert [done("--model", "cnn"), done("--model", "cnn")] == [False, True]
    assert [done("--model", "vae"), done("--model", "cnn"), done("--model", "cnn", "--fit", "pad")] == [False] * 3
    assert [done("--model", "cnn", "--upscale", 2), done("--model", "cnn", "--upscale", 2)] == [False, True]
    (out / "a_x2.png").unlink()
    assert not done("--model", "cnn", "--upscale", 2)
    Image.open(EXAMPLES / "china.jpg").save(photo)
    assert not done("--model", "cnn", "--upscale", 2)
    expected = Restorer("cpu").restore(image.load(photo), "cnn").photo.pixels
    assert np.array_equal(image.load(out / "a.png").pixels, expected)


def test_models() -> None:
    code, stdout, _ = run("models")
    assert code == 0
    for entry in weights.manifest().values():
        assert (entry.url or entry.sha256) in stdout
        assert f"{entry.parameters:,}" in stdout
    assert "damaged" not in stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["restore", "IN", "-o", "OUT", "--model", "diffusion"],
        ["restore", "IN", "-o", "OUT", "--upscale", "3"],
        ["restore", "IN", "-o", "OUT", "--upscale", "0"],
        ["restore", "IN", "-o", "OUT", "--fit", "stretch"],
        ["restore", "IN", "-o", "OUT", "--device", "tpu"],
        ["restore", "IN", "-o", "OUT/one.png"],
        ["restore", "IN/a.jpg", "-o", "IN/a.jpg"],
        ["restore", "IN/a.jpg", "-o", "IN/notes.txt"],
        ["restore", "IN/a.jpg", "-o", "IN/notes.txt/sub"],
        ["restore", "EMPTY", "-o", "OUT"],
        ["restore", "IN"],
        ["degrade", "IN", "-o", "OUT", "--gaussian", "nan"],
        ["degrade", "IN", "-o", "OUT", "--blur", "4"],
        ["degrade", "IN", "-o", "OUT", "--preset", "sepia"],
        ["degrade", "IN", "-o", "OUT", "--seed", "-1"],
        ["degrade", "IN", "-o", "OUT", "--recipe", "IN/notes.txt"],
        ["compare", "IN/a.jpg", "-o", "OUT/a.png"],
        ["compare", "IN/a.jpg", "-o", "OUT", "--models", "vae,diffusion"],
        ["upscale", "IN", "-o", "OUT", "--scale", "8"],
        ["upscale", "IN", "-o", "OUT", "--engine", "esrgan"],
        ["upscale", "IN", "-o", "OUT", "--denoise", "0.5"],
        ["upscale", "IN", "-o", "OUT", "--engine", "fast", "--tile", "3"],
        ["restore", "IN", "-o", "OUT", "--engine", "fast"],
    ],
)
def test_wrong_usage_writes_nothing(folder: Path, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "EMPTY").mkdir()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    places = {"IN": str(folder), "OUT": str(tmp_path / "out"), "EMPTY": str(tmp_path / "EMPTY")}
    first = [
        next((a.replace(k, v, 1) for k, v in places.items() if a == k or a.startswith(f"{k}/")), a) for a in arguments
    ]
    code, _, stderr = run(*first)
    assert code == 2
    assert stderr
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_missing_weights_are_one_sentence(tmp_path: Path) -> None:
    code, _, stderr = run(
        "restore", "--size", 128, EXAMPLES / "coffee.jpg", "-o", tmp_path / "out", "--weights", tmp_path / "none"
    )
    assert code == 1
    assert stderr.count("\n") == 1
    assert "no weights at" in stderr
    assert not (tmp_path / "out").exists()


def test_weights_that_would_not_be_used_are_refused(tmp_path: Path) -> None:
    own = released.FOLDER / "cnn.safetensors"
    code, _, stderr = run(
        "restore", "--size", 128, EXAMPLES / "coffee.jpg", "-o", tmp_path, "--model", "vae", "--weights", own
    )
    assert code == 2
    assert "holds weights for cnn, which was not asked for" in stderr
    assert (
        run("restore", "--size", 128, EXAMPLES / "coffee.jpg", "-o", tmp_path, "--model", "cnn", "--weights", own)[0]
        == 0
    )


def test_readmes_example_runs(tmp_path: Path) -> None:
    code = (ROOT / "README.md").read_text().split("```python\n")[1].split("```")[0]
    for name in ("a.jpg", "old.jpg"):
        shutil.copy(EXAMPLES / "coffee.jpg", tmp_path / name)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Metrics(psnr=" in done.stdout
    assert Image.open(tmp_path / "large.png").size == (1200, 800)
    assert Image.open(tmp_path / "whole.jpg").size == Image.open(EXAMPLES / "coffee.jpg").size
    assert done.stdout.endswith("keep\n")


def test_a_report_that_is_not_ours_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "report.jsonl").write_text('{"precious": true}\n')
    code, _, stderr = run("degrade", EXAMPLES / "coffee.jpg", "-o", tmp_path)
    assert code == 2
    assert "not a report" in stderr
    assert (tmp_path / "report.jsonl").read_text() == '{"precious": true}\n'
    assert not (tmp_path / "coffee.png").exists()


@pytest.mark.parametrize("contents", ["[1, 2]", "notes", '{"input": "a.png"}\n', '{"outputs": {"x": "y.png"}}\n'])
def test_no_other_file_is_taken_for_a_report(tmp_path: Path, contents: str) -> None:
    (tmp_path / "report.jsonl").write_text(contents)
    assert run("degrade", EXAMPLES / "coffee.jpg", "-o", tmp_path)[0] == 2
    assert (tmp_path / "report.jsonl").read_text() == contents


def test_a_report_without_its_last_newline_loses_nothing(tmp_path: Path) -> None:
    """As an editor may leave it."""
    assert run("degrade", EXAMPLES / "coffee.jpg", "-o", tmp_path)[0] == 0
    path = tmp_path / "report.jsonl"
    path.write_text(path.read_text().rstrip("\n"))
    assert run("degrade", EXAMPLES / "rocket.jpg", "-o", tmp_path)[0] == 0
    assert len(report(tmp_path)) == len(path.read_text().splitlines()) == 2


def test_a_replayed_report_may_end_in_a_cut_off_line(tmp_path: Path) -> None:
    assert run("degrade", EXAMPLES / "coffee.jpg", "-o", tmp_path, "--seed", 3)[0] == 0
    with (tmp_path / "report.jsonl").open("a") as file:
        file.write('{"input": "')
    assert Recipe.read(tmp_path / "report.jsonl").seed == 3


@pytest.mark.parametrize("step", [".part", ".jsonl", "replace"])
def test_a_photo_is_done_or_not_whatever_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Broken off at each step of the second run, which makes other pictures of the same names."""
    photo, out = EXAMPLES / "coffee.jpg", tmp_path / "out"
    assert (
        run("restore", "--size", 128, photo, "-o", out, "--model", "vae", "--upscale", 2, "--engine", "bicubic")[0] == 0
    )

    opened = Path.open

    def fail(*_: object) -> NoReturn:
        raise OSError("disk full")

    class FullDisk(io.FileIO):
        write = fail

    def on_full_disk(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if path.suffix != step or "b" not in mode or mode == "rb":
            return opened(path, mode, *arguments, **named)
        return (io.BufferedRandom if "+" in mode else io.BufferedWriter)(FullDisk(path, mode))

    with monkeypatch.context() as broken:
        if step == "replace":
            broken.setattr("os.replace", fail)
        else:
            broken.setattr(Path, "open", on_full_disk)
        assert (
            run("restore", "--size", 128, photo, "-o", out, "--model", "cnn", "--upscale", 2, "--engine", "bicubic")[0]
            == 1
        )
    if step != "replace":  # then nothing is lost: the old pictures, or the new ones
        assert sorted(path.name for path in out.glob("*.png")) == ["coffee.png", "coffee_x2.png"]
    code, stdout, _ = run(
        "restore", "--size", 128, photo, "-o", out, "--model", "cnn", "--upscale", 2, "--engine", "bicubic"
    )
    assert (code, "before" in stdout) == (0, False)
    expected = Restorer("cpu").restore(image.load(photo), "cnn").photo
    assert np.array_equal(image.load(out / "coffee.png").pixels, expected.pixels)
    assert not list(out.glob(".*"))


def test_reports_add_up(tmp_path: Path) -> None:
    for name in ("coffee", "rocket", "coffee"):
        assert run("degrade", EXAMPLES / f"{name}.jpg", "-o", tmp_path)[0] == 0
    assert sorted(entry["outputs"]["degraded"] for entry in report(tmp_path)) == ["coffee.png", "rocket.png"]


def test_a_library_that_is_missing_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object file')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = program("restore", EXAMPLES / "coffee.jpg", "-o", tmp_path / "new.png")
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert done.stderr == (
        "Error: The system lacks the library libgomp.so.1; install the package that has it (on Debian and Ubuntu "
        "likely by `apt-get install libgomp1`).\n"
    )
