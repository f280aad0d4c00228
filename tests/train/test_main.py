"""The loop end to end: run, stop, go on exactly, on one process and on two, export. And that it learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
import yaml

from restoration import PRESETS, Photo, Restorer, image, weights
from restoration.colour import luminance, to_ycc
from restoration.degradations import degrade_batch
from restoration.errors import WeightsError
from restoration.weights import released
from tests.conftest import EXAMPLES, ROOT
from train import __main__ as loop
from train import checkpoint, export, optimisers

MODELS = ("vae", "gan", "cnn")


def train(model: str, folder: Path, run: Path, **settings: object) -> dict:
    """Train in this process, on one thread; returns the checkpoint."""
    loop.main(model, str(folder), run=run, cpu=True, workers=0, **settings)  # type: ignore[arg-type]
    return torch.load(run / "checkpoint.pt")


@pytest.mark.parametrize("model", [*(pytest.param(name, marks=pytest.mark.slow) for name in ("vae", "gan")), "cnn"])
def test_train_and_export(folder: Path, tmp_path: Path, model: str, weights_copy: Path) -> None:
    command = [sys.executable, "-m", "train", model, "--photos", folder, "--run", tmp_path / "run", "--steps", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (entry,) = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert entry["step"] == 4
    assert entry["photos"] == 32
    assert all(value == value for value in entry.values())
    assert list((tmp_path / "run").rglob("events.out.tfevents*"))

    manifest = json.loads((weights_copy / "manifest.json").read_text())
    pinned = {**manifest, "hub": {"repo": "somebody/restoration", "revision": "0" * 40}}
    (weights_copy / "manifest.json").write_text(json.dumps(pinned))
    export.main(model, tmp_path / "run", None, "mine")
    result = Restorer("cpu").restore(image.load(EXAMPLES / "coffee.jpg"), model)
    assert result.weights_sha256 == weights.manifest()[f"{model}.safetensors"].sha256
    assert weights.published() is None  # what the Hub has is not this file
    card = (weights_copy / f"{model}.md").read_text()
    assert "## Limits" in card
    assert ("perceptual (features of efficientnet-lite0" in card) == (model == "gan")
    assert (tmp_path / "curves" / f"{model}.jsonl").read_text() == (tmp_path / "run" / "log.jsonl").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_a_killed_run_goes_on_exactly(
    folder: Path, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step, optimisers, average and everything random: after a kill the weights become what they would have been."""
    if model == "gan":
        monkeypatch.setattr(yaml, "safe_load", lambda text, load=yaml.safe_load: early_adversary(load(text)))
    straight = train(model, folder, tmp_path / "straight", steps=5)
    monkeypatch.setattr(loop, "REPORT_SECONDS", 0)  # a checkpoint at every step
    save = checkpoint.save

    def killed_at_three(path: Path, state: dict) -> None:
        save(path, state)
        if state["step"] == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", killed_at_three)
    with pytest.raises(KeyboardInterrupt):
        train(model, folder, tmp_path / "killed", steps=5)
    resumed = train(model, folder, tmp_path / "killed", resume=True)
    assert resumed["step"] == straight["step"] == 5
    for part in ("objective", "ema"):
        for name, value in straight[part].items():
            assert torch.equal(value, resumed[part][name]), name


def early_adversary(config: dict) -> dict:
    return config | {"objective": config["objective"] | {"adversarial_from": 0.2}}


@pytest.mark.slow
def test_two_processes_hold_equal_weights(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(
        "import os, sys, torch\n"
        "from train import __main__ as loop\n"
        "build = loop.build_objective\n"
        "def spy(*settings):\n"
        "    spy.objective = build(*settings)\n"
        "    return spy.objective\n"
        "loop.build_objective = spy\n"
        "folder, run = sys.argv[1:]\n"
        "loop.main('gan', folder, steps=6, run=loop.Path(run), cpu=True, workers=0)\n"
        "torch.save([p.detach() for p in spy.objective.parameters()], f'{run}/{os.environ[\"RANK\"]}.pt')\n"
    )
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launch, script, folder, tmp_path / "run"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    one, other = (torch.load(tmp_path / "run" / f"{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    whole = loop.build_objective("gan", torch.load(tmp_path / "run" / "checkpoint.pt")["config"])
    assert len(one) == len(list(whole.parameters()))  # the discriminator, which has played at step 4, among them
    (entry,) = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert entry["photos"] == 96
    assert {"real", "adversarial"} & entry.keys()


@pytest.mark.parametrize("model", MODELS)
def test_an_objective_learns_one_batch(photos: list[Photo], model: str) -> None:
    torch.manual_seed(0)
    config = loop.load_config(model)
    objective = loop.build_objective(model, config)
    images = image.to_tensor(photos[:4])
    degraded = degrade_batch(
        luminance(images), PRESETS["heavy"].draw_many(np.random.default_rng(0), 4), torch.Generator().manual_seed(0)
    )
    truth = to_ycc(images)
    seen = []
    for _ in range(24):
        objective.zero_grad()
        seen.append(objective(degraded, truth[:, :1], truth, 0, "network"))
        sum(seen[-1].values()).backward()
        optimisers.step(objective.optimisers["network"], 1e-3)
    assert seen[-1]["detail"] < seen[0]["detail"] - 0.1
    assert seen[-1]["chroma_mse"] < seen[0]["chroma_mse"]


def test_the_generator_moves_twice_as_often_as_its_judge() -> None:
    config = loop.load_config("gan")
    objective = loop.build_objective("gan", config)
    turns = [player for step in range(10) for player in objective.players(step, 0.99)]
    assert turns.count("network") == 2 * turns.count("discriminator") == 10
    assert set(objective.players(0, 0.0)) == {"network"}


def test_the_vaes_latent_learns_from_the_true_colours(photos: list[Photo]) -> None:
    """What is drawn from the truth must reach the picture, or the latent would stay silent."""
    torch.manual_seed(0)
    config = loop.load_config("vae")
    objective = loop.build_objective("vae", config)
    torch.nn.init.normal_(objective.network.colouriser.head.weight, std=0.01)
    truth = to_ycc(image.to_tensor(photos[:4]))
    losses = objective(truth[:, :1], truth[:, :1], truth, 0.0, "network")  # at its start the KL's weight is zero
    losses["chroma_mse"].backward()
    assert all(parameter.grad is not None for parameter in objective.posterior.parameters())
    assert next(objective.posterior.parameters()).grad.abs().sum() > 0


def test_a_run_starts_from_what_fits_and_says_what_does_not(folder: Path, tmp_path: Path) -> None:
    held = weights.load("gan.safetensors").tensors
    older = {key: each for key, each in held.items() if key.startswith("detail.")}
    safetensors.torch.save_file(older, tmp_path / "older.safetensors", {"model": "gan"})
    network = loop.build_objective("gan", loop.load_config("gan")).network
    left = checkpoint.start_from(network, tmp_path / "older.safetensors")
    own = network.state_dict()
    assert all(torch.equal(own[key], each) for key, each in held.items() if key.startswith("detail."))
    assert {key for key in left if not key.endswith("num_batches_tracked")} == {
        key for key in held if not key.startswith("detail.")
    }


def test_a_run_that_goes_on_keeps_the_tone_and_some_of_what_it_started_from(folder: Path, tmp_path: Path) -> None:
    path = released.FOLDER / "vae.safetensors"
    begun = weights.load("vae.safetensors").tensors
    train("vae", folder, tmp_path / "run", steps=4, init=path)
    made = {
        name: each.float() for name, each in safetensors.torch.load_file(tmp_path / "run/weights.safetensors").items()
    }
    assert all(torch.equal(made[name], begun[name]) for name in begun if name.startswith("tone."))
    learned = torch.load(tmp_path / "run" / "checkpoint.pt")["objective"]
    moved = [
        ((made[name] - begun[name]).norm() / (learned[f"network.{name}"] - begun[name]).norm()).item()
        for name in ("detail.encoders.0.0.weight", "colouriser.bottom.weight")
    ]
    assert all(share < 0.6 for share in moved)  # the average lags behind, and half of it is the start's


def test_weights_to_start_from_that_are_not_there_are_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        train("cnn", folder, tmp_path / "run", steps=1, init=tmp_path / "none.safetensors")


def test_all_go_on_from_the_released_weights(folder: Path, tmp_path: Path) -> None:
    loop.main("all", str(folder), steps=1, run=tmp_path, cpu=True, workers=0)
    for model in MODELS:
        written = safetensors.torch.load_file(tmp_path / model / "weights.safetensors")
        released = weights.load(f"{model}.safetensors").tensors
        assert written.keys() == released.keys()
        kernels = {key: each for key, each in released.items() if each.ndim == 4}
        assert all((written[key].float() - each).abs().mean() < 0.02 for key, each in kernels.items())


def test_a_run_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").touch()
    with pytest.raises(SystemExit, match="--resume"):
        train("cnn", folder, tmp_path)
    with pytest.raises(SystemExit, match="no checkpoint"):
        train("cnn", folder, tmp_path / "other", resume=True)


def test_what_a_run_has_settled_cannot_be_changed(folder: Path, tmp_path: Path) -> None:
    train("cnn", folder, tmp_path, steps=2)
    with pytest.raises(SystemExit, match="leave them out"):
        train("cnn", folder, tmp_path, steps=9, resume=True)
    with pytest.raises(SystemExit, match="finished"):
        train("cnn", folder, tmp_path, resume=True)


@pytest.mark.slow
def test_minutes_become_steps_and_a_run_can_pause(folder: Path, tmp_path: Path) -> None:
    paused = train("cnn", folder, tmp_path, minutes=1, pause_after=0.2, seed=3)
    assert paused["step"] < paused["total"]
    assert paused["settled"]["seed"] == 3
    assert 12 <= paused["seconds"] < 40


def test_a_run_without_weights_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"has no weights\.safetensors"):
        export.main("cnn", tmp_path, None, "mine")


def test_an_unknown_model_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "train", "foo", "--photos", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("There is no model called 'foo'")


def test_losses_that_are_no_numbers_end_the_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str, load=yaml.safe_load) -> dict:
        config = load(text)
        return config | {"objective": config["objective"] | {"learning_rate": float("inf")}}

    monkeypatch.setattr(yaml, "safe_load", broken)
    with pytest.raises(SystemExit, match="no longer numbers"):
        train("cnn", folder, tmp_path, steps=3)
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_kill_while_saving_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "checkpoint.pt", {"step": 1})

    class Dies:
        def __reduce__(self) -> object:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(tmp_path / "checkpoint.pt", {"step": 2, "object": Dies()})
    assert torch.load(tmp_path / "checkpoint.pt")["step"] == 1


def test_what_a_new_model_lacks_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"^train/objectives/fourth\.py is missing; write what the fourth is taught"):
        loop.build_objective("fourth", {})
    monkeypatch.setattr(loop, "CONFIGS", tmp_path)
    with pytest.raises(
        SystemExit, match=r"^train/configs/cnn\.yaml is missing; write the settings of the cnn there\.$"
    ):
        loop.main("cnn", str(folder), run=tmp_path / "run", cpu=True, steps=1)


@pytest.mark.parametrize("module", ["train", "train.export"])
def test_the_help_says_what_holds_where_nothing_is_said(module: str) -> None:
    """Typer's own markup would take what stands in brackets for a style."""
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, cwd=ROOT)
    assert "[default: runs/MODEL]" in done.stdout
