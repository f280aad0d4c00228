"""The original project's checkpoints: known by their keys, run in their own networks, refused where they are not."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from typer.testing import CliRunner

from restoration import ControlError, Photo, Restorer, WeightsError, image, weights
from restoration.__main__ import app
from restoration.weights import checkpoints, released
from tests.conftest import EXAMPLES, ROOT
from tests.original import GOLDEN, save, state

PHOTO = GOLDEN / "input.png"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return save(tmp_path_factory.mktemp("original"), "gan", "cnn1", "cnn2")


def golden(name: str) -> np.ndarray:
    """What the original made of the photo, ``[128, 128, 3]`` in levels of 255."""
    return np.load(GOLDEN / "expected.npz")[name].transpose(1, 2, 0) * 255


def command(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def given(*paths: Path) -> list[object]:
    return [each for path in paths for each in ("--weights", path)]


@pytest.mark.parametrize(
    ("parts", "model", "made"),
    [
        (["gan"], None, "gan"),
        (["gan"], "gan", "gan"),
        (["gan"], "gan-original", "gan"),
        (["cnn1"], None, "cnn1"),
        (["cnn1"], "cnn1", "cnn1"),
        (["cnn1", "cnn2"], None, "cnn"),
        (["cnn2", "cnn1"], "cnn", "cnn"),
    ],
)
def test_the_command_line_restores_by_them(
    files: dict[str, Path], tmp_path: Path, parts: list[str], model: str | None, made: str
) -> None:
    own = given(*(files[part] for part in parts))
    asked = ["--model", model] if model else []
    status, _, error = command("restore", PHOTO, "-o", tmp_path / "after.png", *own, *asked)
    assert status == 0, error
    assert np.abs(image.load(tmp_path / "after.png").pixels - golden(made)).max() <= 0.5 + 0.255
    (entry,) = map(json.loads, (tmp_path / "report.jsonl").read_text().splitlines())
    ordered = [files[part].read_bytes() for part in sorted(parts)]
    assert entry["recipe"]["models"] == {model or made: hashlib.sha256(b"".join(ordered)).hexdigest()}


@pytest.mark.parametrize(
    ("parts", "model", "says"),
    [
        (["gan"], "vae", "gan_best.pth holds weights for gan, which was not asked for"),
        (["cnn1"], "cnn", "epoch_8.pth holds weights for cnn1, which was not asked for"),
        (["cnn1", "cnn2"], "cnn1", "color_epoch_6.pth holds weights for cnn, which"),
        (["gan", "cnn1"], None, "epoch_8.pth holds weights for cnn1, which was not asked for"),
    ],
)
def test_a_contradicting_model_is_wrong_usage(
    files: dict[str, Path], tmp_path: Path, parts: list[str], model: str | None, says: str
) -> None:
    asked = ["--model", model] if model else []
    status, _, error = command("restore", PHOTO, "-o", tmp_path, *given(*(files[part] for part in parts)), *asked)
    assert (status, error.count("\n")) == (2, 1)
    assert says in error
    assert not list(tmp_path.glob("*.png"))


def test_what_is_missing_is_named(files: dict[str, Path]) -> None:
    with pytest.raises(WeightsError, match=r"CNN \(original\) needs epoch_N\.pth"):
        Restorer(weights=[files["cnn2"]]).prepare(["cnn"])
    with pytest.raises(WeightsError, match=r"VAE \(original\) needs vae_unet_best\.pth .*--weights"):
        Restorer().prepare(["vae-original"])


def test_a_result_says_which_network_made_it(files: dict[str, Path]) -> None:
    assert Restorer(weights=[files["gan"]]).title("gan") == "GAN (original)"
    assert Restorer(weights=[files["cnn1"]]).title("cnn") == "CNN"
    assert weights.title("vae") == "VAE"


def test_our_own_file_in_a_folder_comes_before_theirs(files: dict[str, Path], tmp_path: Path, photo: Photo) -> None:
    shutil.copy(files["gan"], tmp_path)
    shutil.copy(released.FOLDER / "gan.safetensors", tmp_path)
    restorer = Restorer(weights=[tmp_path])
    assert restorer.restore(photo, "gan").weights_sha256 == weights.manifest()["gan.safetensors"].sha256
    assert restorer.title("gan-original") == "GAN (original)"


@pytest.mark.parametrize(
    ("model", "part", "names", "serves"),
    [
        ("cnn1", "cnn1", ["epoch_9.pth", "epoch_10.pth", "epoch_2.pth"], "epoch_10.pth"),
        ("gan-original", "gan", ["gan_best.pth", "checkpoint_epoch_9.pth"], "gan_best.pth"),
    ],
)
def test_of_several_files_the_best_or_the_last_one_serves(
    files: dict[str, Path], tmp_path: Path, model: str, part: str, names: list[str], serves: str
) -> None:
    for name in names:
        shutil.copy(files[part], tmp_path / name)
    assert weights.load(model, [tmp_path]).path.name == serves


@pytest.mark.parametrize("part", ["gan", "cnn1", "cnn2"])
def test_convert_keeps_every_number(files: dict[str, Path], tmp_path: Path, part: str) -> None:
    out = tmp_path / f"{part}.safetensors"
    status, said, _ = command("convert", files[part], "-o", out)
    assert (status, checkpoints.part(out)) == (0, part)
    assert part.upper() in said
    with safetensors.safe_open(out, "pt") as file:
        assert {key: file.get_tensor(key).dtype for key in file.keys()} == {  # noqa: SIM118
            key: tensor.dtype for key, tensor in state(part).items()
        }
        assert all(torch.equal(file.get_tensor(key), tensor) for key, tensor in state(part).items())
    assert command("convert", files[part], "-o", out)[0] == 2  # what is there is kept


def test_what_was_converted_serves_in_its_place(files: dict[str, Path], tmp_path: Path) -> None:
    converted = [tmp_path / "cnn1.safetensors", tmp_path / "cnn.safetensors"]  # the header says more than the name
    for part, out in zip(("cnn1", "cnn2"), converted, strict=True):
        command("convert", files[part], "-o", out)
    assert command("restore", PHOTO, "-o", tmp_path / "after.png", *given(*converted))[0] == 0
    assert np.abs(image.load(tmp_path / "after.png").pixels - golden("cnn")).max() <= 0.5 + 0.255


@pytest.mark.parametrize("how", ["restore", "convert"])
def test_a_stranger_is_refused_with_what_was_expected_and_found(tmp_path: Path, how: str) -> None:
    stranger = tmp_path / "best.pth"
    torch.save({"epoch": 3, "state": {"layer.weight": torch.zeros(3)}}, stranger)
    more = given(stranger) if how == "restore" else []
    source = PHOTO if how == "restore" else stranger
    status, _, error = command(how, source, "-o", tmp_path / "out.safetensors", *more)
    assert (status, error.count("\n")) == (1, 1)
    for expected in ("vae_unet_best.pth", "gan_best.pth", "epoch_N.pth", "color_epoch_N.pth", "found epoch, state"):
        assert expected in error
    assert not (tmp_path / "out.safetensors").exists()


class _Code:
    def __reduce__(self) -> tuple:
        return Path.touch, (Path("executed"),)


@pytest.mark.parametrize("how", ["zip", "before PyTorch 1.6", "bare"])
def test_code_in_a_checkpoint_is_refused_unexecuted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    own = tmp_path / "gan_best.pth"
    values = {"gen_state_dict": state("gan"), "args": _Code()}
    if how == "bare":
        own.write_bytes(pickle.dumps(values))
    else:
        torch.save(values, own, _use_new_zipfile_serialization=how == "zip")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match="never code"):
        Restorer(weights=[own])
    assert command("convert", own, "-o", tmp_path / "out.safetensors")[0] == 1
    assert not (tmp_path / "executed").exists()


def test_a_file_of_old_pytorch_is_read(tmp_path: Path, photo: Photo) -> None:
    torch.save(state("cnn1"), tmp_path / "epoch_1.pth", _use_new_zipfile_serialization=False)
    assert Restorer(weights=[tmp_path / "epoch_1.pth"]).restore(photo, "cnn1").model == "cnn1"


APP = """
import json, sys
from pathlib import Path
from restoration import Photo, Recipe, image
from restoration.weights import released
released.FOLDER = Path(sys.argv[1])
import app
from ui.context import TITLES, AppContext
from restoration import Restorer
run = AppContext(Restorer("cpu")).run(image.load(sys.argv[2]), Recipe(models=dict.fromkeys(TITLES)))
choices = next(b.choices for b in app.demo.blocks.values() if getattr(b, "elem_id", "") == "models")
print(json.dumps([TITLES, choices, {id: result.photo.pixels.tolist() for id, result in run.restored.items()}]))
"""


def test_in_the_weights_folder_they_appear_in_the_app(files: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(released.FOLDER, folder)
    for path in files.values():
        shutil.copy(path, folder)
    torch.save({"layer": torch.zeros(3)}, folder / "other.pth")
    command = [sys.executable, "-c", APP, folder, EXAMPLES / "coffee.jpg"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    titles, choices, pixels = json.loads(done.stdout.splitlines()[-1])
    originals = {id: f"{id.split('-')[0].upper()} (original)" for id in ("gan-original", "cnn-original", "cnn1")}
    assert titles == {"vae": "VAE", "gan": "GAN", "cnn": "CNN", **originals}
    assert choices == [[title, id] for id, title in titles.items()]
    restorer = Restorer("cpu", [files["gan"]])
    expected = restorer.restore(image.load(EXAMPLES / "coffee.jpg"), "gan").photo.pixels
    assert np.array_equal(pixels["gan-original"], expected)
    assert "other.pth holds no weights that run here" in done.stderr


def test_what_runs_is_decided_once(files: dict[str, Path], tmp_path: Path, photo: Photo) -> None:
    """However the files change: another network's result never appears under their name."""
    own = tmp_path / "gan_best.pth"
    shutil.copy(files["gan"], own)
    restorer, late = Restorer(weights=[own]), Restorer(weights=[own])
    before = restorer.restore(photo, "gan")
    own.unlink()
    after = restorer.restore(photo, "gan")
    assert after.weights_sha256 == before.weights_sha256
    assert np.array_equal(after.photo.pixels, before.photo.pixels)
    assert restorer.title("gan") == "GAN (original)"
    with pytest.raises(WeightsError, match="There are no weights at"):
        late.restore(photo, "gan")


@pytest.mark.parametrize(
    ("name", "in_folder"),
    [
        ("mine.safetensors", False),
        ("gan.safetensors", False),
        ("gan.safetensors", True),
        ("gan_best.pth", False),
        ("gan_best.pth", True),
    ],
)
def test_what_vanishes_is_not_replaced_by_ours(
    files: dict[str, Path], tmp_path: Path, photo: Photo, name: str, in_folder: bool
) -> None:
    source = files["gan"] if name.endswith(".pth") else released.FOLDER / "gan.safetensors"
    own = shutil.copy(source, tmp_path / name)
    restorer = Restorer(weights=[tmp_path if in_folder else own])
    own.unlink()
    with pytest.raises(WeightsError, match="There are no weights at"):
        restorer.restore(photo, "gan")


def test_a_damaged_file_in_a_folder_is_said(files: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(files["gan"], tmp_path)
    (tmp_path / "vae_unet_best.pth").write_bytes(files["gan"].read_bytes()[:9000])
    with pytest.raises(WeightsError, match=r"vae_unet_best\.pth holds no weights that can be read"):
        Restorer(weights=[tmp_path])


@pytest.mark.parametrize("other", ["checkpoint_epoch_3.pth", "gan.safetensors"])
def test_two_files_for_one_model_are_refused(files: dict[str, Path], tmp_path: Path, other: str) -> None:
    source = files["gan"] if other.endswith(".pth") else released.FOLDER / other
    with pytest.raises(ControlError, match=rf"{other} and .*gan_best\.pth both hold weights for gan; give one"):
        Restorer(weights=[files["gan"], shutil.copy(source, tmp_path / other)])
    restorer = Restorer(weights=[files["gan"], files["gan"]])
    restorer.prepare(["gan"])
    restorer.check_own_weights()


def test_one_network_is_not_compared_with_itself(files: dict[str, Path]) -> None:
    with pytest.raises(ControlError, match="gan-original and gan are the same network here"):
        Restorer(weights=[files["gan"]]).prepare(["gan", "gan-original"])


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        ({"u2.1.bias": torch.zeros(65)}, r"another network .*u2\.1\.bias"),
        ({"u2.1.bias": None}, r"another network .*u2\.1\.bias"),
        ({"more": torch.zeros(1)}, "another network .*more"),
    ],
    ids=["shape", "one less", "one more"],
)
def test_what_is_not_exactly_a_checkpoint_is_neither_run_nor_converted(
    tmp_path: Path, photo: Photo, spoilt: dict[str, torch.Tensor | None], says: str
) -> None:
    own = tmp_path / "gan_best.pth"
    tensors = {key: tensor for key, tensor in (state("gan") | spoilt).items() if tensor is not None}
    torch.save({"gen_state_dict": tensors}, own)
    with pytest.raises(WeightsError, match=says):
        Restorer(weights=[own]).restore(photo, "gan")
    status, _, error = command("convert", own, "-o", tmp_path / "out.safetensors")
    assert (status, error.count("\n")) == (1, 1)
    assert not (tmp_path / "out.safetensors").exists()


def test_a_converted_file_serves_in_a_folder_too(files: dict[str, Path], tmp_path: Path, photo: Photo) -> None:
    """Whatever it is called."""
    command("convert", files["gan"], "-o", tmp_path / "gan.safetensors")
    restorer = Restorer(weights=[tmp_path])
    assert restorer.title("gan") == "GAN (original)"
    expected = Restorer(weights=[files["gan"]]).restore(photo, "gan").photo.pixels
    assert np.array_equal(restorer.restore(photo, "gan").photo.pixels, expected)


def test_models_lists_them_with_their_hashes(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(released.FOLDER, folder)
    shutil.copy(files["gan"], folder)
    monkeypatch.setattr(released, "FOLDER", folder)
    assert command("compare", PHOTO, "-o", tmp_path / "out", "--models", "gan,gan-original")[0] == 0
    ours, theirs = (image.load(tmp_path / "out" / f"input_{id}.png").pixels for id in ("gan", "gan-original"))
    assert not np.array_equal(ours, theirs)
    (line,) = [line for line in command("models")[1].splitlines() if line.startswith("gan-original")]
    assert str(folder / "gan_best.pth") in line
    assert hashlib.sha256(files["gan"].read_bytes()).hexdigest() in line
