"""On ZeroGPU every network runs in a process that is lent a GPU; anywhere else nothing is changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from benchmarks.serving import serve
from restoration import Photo, Recipe, Restorer, Upscaling, image, pipeline, robustness
from tests.conftest import EXAMPLES, ROOT
from ui import zerogpu
from ui.context import TITLES, AppContext
from ui.tabs.restore import SAMPLES

pytestmark = pytest.mark.slow

STAND_IN = Path(__file__).with_name("zerogpu")
ZEROGPU = {"SPACES_ZERO_GPU": "true", "PYTHONPATH": f"{STAND_IN}{os.pathsep}{ROOT}"}
"""The environment in which the app takes this machine for ZeroGPU."""


def test_elsewhere_a_task_is_simply_called(restorer: Restorer) -> None:
    assert not zerogpu.IS_LENT
    assert "spaces" not in vars(zerogpu)
    here = object()
    assert AppContext(restorer).work(lambda *given, **named: (given, named), here, n=here) == (
        (restorer, here),
        {"n": here},
    )


def test_the_endpoints_run_where_the_gpu_is(
    restorer: Restorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And give what they give anywhere; the log stays free of tracebacks, so nothing ran without a GPU."""
    path = EXAMPLES / "astronaut.jpg"
    photo = handle_file(str(path))
    for name, value in ZEROGPU.items():
        monkeypatch.setenv(name, value)
    with serve(tmp_path, mcp=False) as address:
        client = Client(address, verbose=False, download_files=tmp_path)
        whole, *_ = client.predict(photo, model="gan", api_name="/restore")
        expected = restorer.restore_whole(image.load(path, reduce_to=None), "gan").photo
        assert (image.load(whole, reduce_to=None).pixels == expected.pixels).all()

        call: dict[str, Any] = {"model": "vae", "size": "128", "scale": 2, "engine": "fast"}
        restored, enlarged, report = client.predict(photo, **call, api_name="/restore")
        asked = Recipe(models={"vae": None}, upscaling=Upscaling(scale=2, engine="fast"))
        run = pipeline.run(restorer, image.load(path), asked)
        assert (image.load(restored).pixels == run.restored["vae"].photo.pixels).all()
        assert (image.load(enlarged, reduce_to=None).pixels == run.enlarged["vae"].photo.pixels).all()
        assert report["recipe"]["models"] == run.recipe.models

        *_, report = client.predict(photo, seed=2, api_name="/compare")
        assert report["measures"]["cnn"]["psnr"] > report["measures"]["degraded"]["psnr"]
        *_, report = client.predict(photo, seed=2, api_name="/degrade")
        assert report["recipe"]["models"] == {}
        *_, report = client.predict(photo, control="blur", steps=2, api_name="/sweep")
        assert list(report["measured"]) == [robustness.DEGRADED, *TITLES]
        _, report = client.predict(handle_file(restored), scale=2, engine="fast", api_name="/upscale")
        assert report["recipe"]["upscaling"]["engine"] == "fast"

        huge = tmp_path / "huge.png"
        huge.write_bytes(image.encode(Photo(run.degraded.pixels.repeat(17, 0).repeat(17, 1))))
        with pytest.raises(AppError, match="is too large to upscale 4 times; reduce it to"):
            client.predict(handle_file(str(huge)), scale=4, engine="fast", api_name="/upscale")


def test_the_tabs_run_where_the_gpu_is() -> None:
    """And an error says there what it says here."""
    command = [sys.executable, str(STAND_IN / "tabs.py"), str(EXAMPLES / "coffee.jpg")]
    done = subprocess.run(command, env={**os.environ, **ZEROGPU}, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    samples, downloads, error, calls = json.loads(done.stdout)
    assert (samples, downloads) == (SAMPLES, 4)
    assert error == ["ControlError", "There can be 2 to 64 samples, not 1000.", "samples", {"most": 64, "n": 1000}]
    assert calls == ["run", "samples", "sweep", "samples"]
