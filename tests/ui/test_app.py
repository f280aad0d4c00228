"""The app as a visitor's browser meets it: a process of its own, over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from restoration import PRESETS, Photo, Restorer, image, metrics, upscale
from restoration.degradations import CONTROLS
from tests.conftest import EXAMPLES, ROOT
from tests.test_image import png_header
from ui.restore import ENGINES
from ui.texts import _TEXTS


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "log"
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port)}
    with log.open("w") as stream:
        app = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=stream, stderr=stream)
    try:
        for _ in range(240):
            assert app.poll() is None, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.5)
        yield Client(f"http://127.0.0.1:{port}", verbose=False, download_files=tmp_path_factory.mktemp("files"))
        assert "Traceback" not in log.read_text()
    finally:
        app.terminate()
        app.wait(20)


def restore(
    client: Client,
    path: Path,
    *,
    model: str = "all",
    enlarge: bool = True,
    engine: str = "auto",
    seed: int = 4,
    **changes: object,
):
    drawn = PRESETS["original"].draw(seed)
    controls = {"grayscale": drawn.grayscale, **{name: getattr(drawn, name) for name in CONTROLS}, **changes}
    fit = "crop"
    return client.predict(
        handle_file(path), model, enlarge, engine, 1, seed, *controls.values(), fit, api_name="/restore"
    )


def pixels(result: dict | str) -> np.ndarray:
    path = result["value"] if isinstance(result, dict) else result
    assert path.endswith(".png")
    return image.load(path).pixels


def test_a_photo_comes_back_restored_enlarged_and_measured(client: Client) -> None:
    truth_, degraded_, table, *pictures = restore(client, EXAMPLES / "coffee.jpg")
    truth = image.fit(image.load(EXAMPLES / "coffee.jpg"))
    degraded = PRESETS["original"].draw(4).apply(truth, 4)
    assert np.array_equal(pixels(truth_), truth.pixels)
    assert np.array_equal(pixels(degraded_), degraded.pixels)
    restorer, before = Restorer("cpu"), metrics.compare(degraded, truth).psnr
    for name, small, large in zip(("vae", "gan", "cnn"), pictures[::2], pictures[1::2], strict=True):
        expected = restorer.restore(degraded, name).photo
        assert np.array_equal(pixels(small), expected.pixels)
        assert np.array_equal(pixels(large), restorer.upscale(expected, engine="fast").photo.pixels)
        psnr = metrics.compare(expected, truth).psnr
        assert f"**{name.upper()}** | {psnr:.2f} ({psnr - before:+.2f})" in table


def test_one_model_without_upscaling(client: Client) -> None:
    _, _, table, *pictures = restore(client, EXAMPLES / "coffee.jpg", model="gan", enlarge=False)
    assert [bool(each["visible"]) for each in pictures] == [False, False, True, False, False, False]
    assert "VAE" not in table


@pytest.mark.parametrize(
    ("engine", "says"),
    [("auto", "engine *fast*. The better"), ("fast", "engine *fast*."), ("bicubic", "bicubic filter, without")],
)
def test_the_engine_that_ran_is_named(client: Client, engine: str, says: str) -> None:
    _, _, table, *pictures = restore(client, EXAMPLES / "coffee.jpg", model="gan", engine=engine)
    assert says in table
    assert ("could not be used" in table) == (engine == "auto")  # tests reach no network
    restored, large = pixels(pictures[2]), pixels(pictures[3])
    assert np.array_equal(large, Restorer("cpu").upscale(Photo(restored.copy()), engine=engine).photo.pixels)


def test_an_engine_without_its_weights_is_one_sentence(client: Client) -> None:
    with pytest.raises(AppError, match="HF_HUB_OFFLINE forbids"):
        restore(client, EXAMPLES / "coffee.jpg", model="gan", engine="x4plus")


def test_a_photo_that_is_damaged_already_is_not_measured(client: Client) -> None:
    off = {"grayscale": False, **{name: control.off for name, control in CONTROLS.items()}}
    _, degraded, table, *_ = restore(client, EXAMPLES / "coffee.jpg", model="cnn", enlarge=False, **off)
    assert np.array_equal(pixels(degraded), image.fit(image.load(EXAMPLES / "coffee.jpg")).pixels)
    assert "PSNR" not in table


def test_what_cannot_be_done_is_one_sentence(client: Client, tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes((EXAMPLES / "coffee.jpg").read_bytes()[:20_000])
    with pytest.raises(AppError, match="damaged or incomplete"):
        restore(client, tmp_path / "cut.jpg")
    for name, contents, says in (
        ("empty.png", b"", "is empty"),
        ("page.png", b"<html>" * 50, "not a picture"),
        ("bomb.png", png_header(60_000, 60_000), "too large"),
    ):
        (tmp_path / name).write_bytes(contents)
        with pytest.raises(AppError, match=says):
            restore(client, tmp_path / name)
    with pytest.raises(AppError, match="odd number"):
        restore(client, EXAMPLES / "coffee.jpg", blur=4)


def test_a_16_bit_photo_keeps_its_levels(client: Client, tmp_path: Path) -> None:
    grey = np.asarray(Image.open(EXAMPLES / "coffee.jpg").convert("L").resize((128, 128)))
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    truth, *_ = restore(client, tmp_path / "deep.png", model="cnn", enlarge=False)
    assert np.array_equal(pixels(truth)[..., 0], grey)


def test_every_sentence_is_there_in_both_languages() -> None:
    assert all(english.strip() and french.strip() for english, french in _TEXTS.values())
    assert set(CONTROLS) | set(PRESETS) | {f"engine_{name}" for name in ENGINES} <= set(_TEXTS)
    assert set(ENGINES) <= set(upscale.CHOICES)
