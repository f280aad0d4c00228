"""A file that breaks what decodes it breaks nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from restoration import PhotoError, image, metadata
from tests.conftest import EXAMPLES, ROOT
from tests.corpus import AMPLIFIED
from ui.hardening import decoding

COFFEE = EXAMPLES / "coffee.jpg"


def decoders(app: int | None = None) -> list[psutil.Process]:
    """Of ``app``, which is this process if not another's id is given."""
    return [child for child in psutil.Process(app).children() if "ui.hardening.decoding" in child.cmdline()]


def kill_decoders() -> list[int]:
    """Their ids."""
    killed = decoders()
    for process in killed:
        process.send_signal(signal.SIGKILL)
    for _ in range(100):  # until they are waited for, as a notebook's kernel demands before it ends itself
        if not any(psutil.pid_exists(process.pid) for process in killed):
            break
        time.sleep(0.1)
    return [process.pid for process in killed]


@pytest.mark.parametrize("reduce_to", [128, None])
def test_it_decodes_as_the_library_does(reduce_to: int | None) -> None:
    expected = image.load(COFFEE, reduce_to=reduce_to)
    assert np.array_equal(decoding.load(str(COFFEE), reduce_to=reduce_to).pixels, expected.pixels)


def test_details_come_with_the_photo_but_for_its_place(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271], exif[34853] = "Leica", {1: "N", 2: (51.0, 46.0, 29.99)}
    with Image.open(COFFEE) as picture:
        picture.save(tmp_path / "a.jpg", exif=exif, comment="Grand-mère 👵", dpi=(300, 600))
    expected = image.load(tmp_path / "a.jpg").details
    found = decoding.load(str(tmp_path / "a.jpg")).details
    assert found == metadata.without_place(expected)
    assert len(found.exif) < len(expected.exif)
    assert (found.dpi, found.description) == ((300, 600), "Grand-mère 👵")


def test_notes_and_transparency_come_with_the_photo(tmp_path: Path) -> None:
    with Image.open(COFFEE) as picture:
        picture.putalpha(picture.getchannel("R"))
        picture.save(tmp_path / "a.png", icc_profile=b"none")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-10_000])
    expected, found = image.load(tmp_path / "a.png"), decoding.load(str(tmp_path / "a.png"))
    assert np.array_equal(found.pixels, expected.pixels)
    assert found.details.transparency
    assert expected.details.transparency
    assert found.details.transparency.ground == expected.details.transparency.ground
    assert np.array_equal(found.details.transparency.alpha, expected.details.transparency.alpha)
    codes = [note.code for note in found.details.notes]
    assert codes == ["photo_partial", "photo_profile"]
    assert [str(note) for note in found.details.notes] == [str(note) for note in expected.details.notes]


def test_the_longest_details_come_whole(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[270] = "x" * (metadata.MAX_EXIF - 60)
    with Image.open(COFFEE) as picture:
        picture.save(tmp_path / "a.jpg", exif=exif)
    long = image.load(tmp_path / "a.jpg")
    assert len(long.details.exif) > metadata.MAX_EXIF - 60
    photo = replace(long, details=replace(long.details, description="👵" * metadata.MAX_DESCRIPTION))
    image.save(photo, tmp_path / "b.jpg")
    assert decoding.load(str(tmp_path / "b.jpg")).details == photo.details
    assert decoding.load(str(COFFEE)).width == 600  # nothing is left on the line


def test_a_refusal_is_the_librarys(tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"<html>" * 50)
    for path in (tmp_path / "page.png", tmp_path / "none.png", tmp_path):
        with pytest.raises(PhotoError) as expected:
            image.load(path)
        with pytest.raises(PhotoError) as refused:
            decoding.load(str(path))
        assert (str(refused.value), refused.value.code) == (str(expected.value), expected.value.code)
    with pytest.raises(PhotoError, match=r"smaller than 0\.1 megapixels"):
        decoding.load(str(COFFEE), max_pixels=100_000)


@pytest.mark.parametrize("bomb", ["tags.tif", "comment.gif"])
def test_what_would_never_end_is_refused_and_the_next_photo_is_decoded(
    tmp_path: Path, bomb: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(AMPLIFIED[bomb]())
    with pytest.raises(PhotoError, match=r"bomb\.png takes more time or memory to read than a photo should"):
        decoding.load(str(path))
    assert decoding.load(str(COFFEE)).width == 600
    assert "A photo ended the process that decoded it" in caplog.text


def test_who_comes_after_a_killed_process_does_not_notice() -> None:
    decoding.load(str(COFFEE))
    killed = kill_decoders()
    assert decoding.load(str(COFFEE)).width == 600
    assert not {process.pid for process in decoders()} & {*killed}


def test_many_at_once_share_the_processes() -> None:
    expected = image.load(COFFEE)
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(decoding.load, [str(COFFEE)] * 12))
    assert all(np.array_equal(photo.pixels, expected.pixels) for photo in found)
    assert len(decoders()) <= decoding.PROCESSES


def test_it_knows_no_secrets_and_imports_nothing_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    kill_decoders()
    decoding.load(str(COFFEE))
    (process,) = decoders()
    assert "hf_secret" not in process.environ().values()
    mapped = {part for each in process.memory_maps() for part in Path(each.path).parts}
    assert "numpy" in mapped
    assert not mapped & {"torch", "gradio"}


def test_it_ends_with_the_app() -> None:
    """Also with one that is killed: nobody writes to its pipe any more."""
    load = "import sys, time\nfrom ui.hardening import decoding\ndecoding.load(sys.argv[1])"
    code = f"{load}\nprint(flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(COFFEE)], cwd=ROOT, stdout=subprocess.PIPE) as app:
        assert app.stdout
        app.stdout.readline()
        (orphan,) = decoders(app.pid)
        app.kill()
    with suppress(psutil.NoSuchProcess):
        orphan.wait(10)
