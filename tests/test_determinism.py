"""One recipe, the same pixels, over processes, threads, batches, tiles and devices: as closely as it is promised."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from restoration import PRESETS, Degradation, Photo, Recipe, Restorer, Upscaling, image, pipeline, robustness, upscale
from tests.conftest import EXAMPLES, ROOT

MODELS = ("vae", "gan", "cnn")
SEED = 5
RECIPE = Recipe(
    fit="pad",
    degradation=PRESETS["heavy"].draw(SEED),
    seed=SEED,
    models=dict.fromkeys(MODELS),
    upscaling=Upscaling(scale=4, engine="fast", tile=64),
)
Pictures = dict[str, np.ndarray]


def pictures(restorer: Restorer) -> Pictures:
    """What becomes of a photo by the recipe, by chance and in a sweep; the damaged ones' names begin with degraded."""
    photo = image.load(EXAMPLES / "china.jpg")
    run = pipeline.run(restorer, photo, RECIPE)
    named = {"degraded": run.degraded}
    for name, preset in PRESETS.items():
        named[f"degraded {name}"] = preset.draw(SEED).apply(image.fit(photo), SEED)
    named |= {name: each.photo for name, each in run.restored.items()}
    named |= {f"{name} enlarged": each.photo for name, each in run.enlarged.items()}
    named |= {f"sample {index}": each for index, each in enumerate(restorer.samples(photo, 3, seed=SEED).photos)}
    swept = robustness.sweep(restorer, image.fit(photo), "gaussian", (0, 0.3), ["cnn"], seed=SEED)
    named |= {f"{name} swept {place}": each for name, row in swept.photos.items() for place, each in enumerate(row)}
    return {name: photo.pixels for name, photo in named.items()}


SAVE = """
import sys, numpy, torch
from restoration import Restorer
from tests.test_determinism import pictures
assert torch.get_num_threads() == 1
numpy.savez(sys.argv[1], **pictures(Restorer("cpu")))
"""


def difference(one: np.ndarray, other: np.ndarray) -> int:
    """The largest, in levels of 255."""
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


def test_processes_and_threads(restorer: Restorer, tmp_path: Path) -> None:
    """Here two threads, and one in a process of its own."""
    one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SAVE, str(tmp_path / "there.npz")]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **one}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there, threads = dict(np.load(tmp_path / "there.npz")), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        here = pictures(restorer)
    finally:
        torch.set_num_threads(threads)
    assert here.keys() == there.keys()
    for name, pixels in here.items():
        assert difference(pixels, there[name]) <= (0 if name.startswith("degraded") else 1), name
    assert difference(here["vae"], here["gan"]) > 10  # it would be seen if they differed
    assert difference(here["sample 0"], here["sample 1"]) > 3


@pytest.mark.parametrize("model", MODELS)
def test_batches(restorer: Restorer, photos: list[Photo], model: str) -> None:
    turned = [Photo(np.ascontiguousarray(np.rot90(photo.pixels, turns))) for turns in range(3) for photo in photos][:32]
    alone = {place: restorer.restore(turned[place], model).photo.pixels for place in (*range(7), 31)}
    for size in (1, 2, 7, 32):
        batch = restorer.restore_batch(turned[:size], model)
        for place in alone.keys() & set(range(size)):
            assert difference(batch[place].photo.pixels, alone[place]) <= 1


def test_a_sweep_longer_than_a_batch(restorer: Restorer, photo: Photo) -> None:
    at = tuple(step / 100 for step in range(robustness.BATCH + 1))
    swept = robustness.sweep(restorer, photo, "gaussian", at, ["gan"], seed=SEED)
    for place, strength in enumerate(at):
        damaged = Degradation(grayscale=True, gaussian=strength).apply(photo, SEED)
        assert difference(swept.photos["degraded"][place].pixels, damaged.pixels) == 0
        assert difference(swept.photos["gan"][place].pixels, restorer.restore(damaged, "gan").photo.pixels) <= 1


def test_tiles_differ_by_no_more_than_is_stated(restorer: Restorer) -> None:
    stated = re.search(r"differ by more than (\d+) levels", re.sub(r"\s+", " ", upscale.Engine.__doc__ or ""))
    assert stated
    photo = Photo(image.load(EXAMPLES / "picos_de_europa.jpg").pixels[:90, :130].copy())
    whole = restorer.upscale(photo, engine="fast").photo.pixels
    tiled = restorer.upscale(photo, engine="fast", tile=48).photo.pixels
    assert difference(tiled, whole) <= int(stated[1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_gpu_restores_as_a_cpu_does(restorer: Restorer, photos: list[Photo], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TF32, whose mantissa has ten bits."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    gpu = Restorer("cuda")
    for photo in photos:
        run, again = (pipeline.run(each, photo, replace(RECIPE, upscaling=None)) for each in (restorer, gpu))
        assert np.array_equal(run.degraded.pixels, again.degraded.pixels)
        for model in MODELS:
            assert difference(run.restored[model].photo.pixels, again.restored[model].photo.pixels) <= 1
