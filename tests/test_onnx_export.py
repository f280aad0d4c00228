from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from typer.testing import CliRunner

from restoration import ControlError, Photo, Restorer, WeightsError, image, onnx_export
from restoration.__main__ import app
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of all three, and what the command said."""
    out = tmp_path_factory.mktemp("onnx") / "new"
    result = CliRunner().invoke(app, ["export", "--onnx", "-o", str(out)])
    assert result.exit_code == 0, result.output
    return out, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("model", ["vae", "gan", "cnn"])
def test_it_restores_photos_as_pytorch_does(
    exported: tuple[Path, str], restorer: Restorer, photos: list[Photo], model: str
) -> None:
    session = onnxruntime.InferenceSession(exported[0] / f"{model}.onnx")
    (restored,) = session.run(None, {"images": image.to_tensor(photos).numpy()})
    theirs = image.to_photos(torch.from_numpy(restored))
    for photo, other in zip(photos, theirs, strict=True):
        ours = restorer.restore(photo, model).photo.pixels
        assert np.abs(ours.astype(int) - other.pixels).max() <= 1
        assert np.abs(photo.pixels.astype(int) - other.pixels).max() > 10


@pytest.mark.slow
def test_it_says_what_it_is_and_nothing_of_the_machine(exported: tuple[Path, str], restorer: Restorer) -> None:
    out, said = exported
    assert sorted(path.name for path in out.iterdir()) == ["cnn.onnx", "gan.onnx", "vae.onnx"]
    assert said.count("/255 of PyTorch.") == 3
    told = {each.key: each.value for each in onnx.load(out / "gan.onnx").metadata_props}
    assert (told["model"], told["weights_sha256"]) == ("gan", restorer.weights_sha256("gan"))
    for path in out.iterdir():
        contents = path.read_bytes()
        assert str(ROOT).encode() not in contents
        assert b"site-packages" not in contents


@pytest.mark.slow
def test_what_differs_is_not_kept(
    exported: tuple[Path, str], tmp_path: Path, restorer: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = (exported[0] / "gan.onnx").read_bytes()
    monkeypatch.setattr(onnx_export, "converted", lambda restorer, model: other)
    with pytest.raises(WeightsError, match=r"vae as ONNX differs from PyTorch by \d+ levels of 255"):
        onnx_export.to_onnx(restorer, "vae", tmp_path / "vae.onnx")
    assert not list(tmp_path.iterdir())


def test_what_is_missing_is_one_sentence(tmp_path: Path, restorer: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    find = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "onnxscript":
            raise ModuleNotFoundError(name=name)
        return find(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ControlError, match=r'^onnxscript is not installed; run in a checkout: pip install -e "\.\[onnx\]"$'
    ):
        onnx_export.to_onnx(restorer, "vae", tmp_path / "vae.onnx")


def test_a_format_must_be_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", "-o", str(tmp_path)])
    assert result.exit_code == 2
    assert "--onnx" in result.stderr
