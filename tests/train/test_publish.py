"""The real client, in a process of its own, against a Hub of our own; what is pinned is a copy of the manifest."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from huggingface_hub import ModelCard, ModelCardData

from tests.conftest import ROOT
from tests.hub import ROUTES, TOKEN, Hub, Refused

REPO = "somebody/restoration-lab"
OURS = ["vae.safetensors", "gan.safetensors", "cnn.safetensors"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what publishing reads and writes."""
    for name in ("restoration", "train", "weights"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    results = tmp_path / "benchmarks" / "results"
    results.mkdir(parents=True)
    shutil.copy(ROOT / "benchmarks" / "results" / "quality.json", results)
    change(tmp_path / "weights" / "manifest.json", lambda it: it.update(hub={}))
    return tmp_path


def run(project: Path, hub: Hub, *command: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Python in a project's folder, with nothing of this user's but what is named."""
    ours = {"HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}  # the fake speaks git LFS's protocol only
    environment = hub.environment(project / "home", **ours | changed)
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, cwd=project, env=environment, timeout=100
    )


def publish(project: Path, hub: Hub, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    return run(project, hub, "-m", "train.publish", "--repo", REPO, *arguments, **changed)


def manifest(project: Path) -> dict[str, Any]:
    return json.loads((project / "weights" / "manifest.json").read_text(encoding="utf-8"))


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    contents = json.loads(path.read_text(encoding="utf-8"))
    edit(contents)
    path.write_text(json.dumps(contents), encoding="utf-8")


def test_the_first_time(project: Path, hub: Hub) -> None:
    """One commit with everything, which the manifest pins; a stranger downloads from there what was published."""
    before = manifest(project)
    done = publish(project, hub)
    assert (done.returncode, done.stderr) == (0, "")
    first, head = hub.repos[REPO]  # the Hub makes the first commit itself
    assert list(hub.repos[REPO][first]) == [".gitattributes"]
    names = [*OURS, "realesr-animevideov3-x4.fp16.safetensors", "encoder.safetensors", "scratches.safetensors"]
    assert manifest(project) == {**before, "hub": {"repo": REPO, "revision": head, "files": names}}
    text = (project / "weights" / "manifest.json").read_text(encoding="utf-8")
    assert list(manifest(project)) == ["hub", "files"]
    assert text == json.dumps(manifest(project), indent=2) + "\n"

    files = hub.repos[REPO][head]
    for name in (*names, "LICENSE-Real-ESRGAN.txt", "LICENSE-EfficientNet.txt"):
        assert files[name] == (ROOT / "weights" / name).read_bytes()
    config = json.loads(files["config.json"])
    for name in OURS:
        assert config[name]["sha256"] == hashlib.sha256(files[name]).hexdigest()
        assert config[name]["config"] == before["files"][name]["config"]

    download = (
        "import sys, huggingface_hub\n"
        "print(huggingface_hub.hf_hub_download(sys.argv[1], sys.argv[2], revision=sys.argv[3]))"
    )
    for name in ("vae.safetensors", "README.md"):
        got = run(project, hub, "-c", download, REPO, name, head, HF_TOKEN="")
        assert Path(got.stdout.strip()).read_bytes() == files[name], got.stderr


def test_the_card(project: Path, hub: Hub) -> None:
    """Its metadata, read as the Hub reads them, hold what was measured; the networks' own cards lie beside it."""
    publish(project, hub)
    files = list(hub.repos[REPO].values())[-1]
    card = ModelCard(files["README.md"].decode())
    data = cast(ModelCardData, card.data)
    quality = json.loads((ROOT / "benchmarks" / "results" / "quality.json").read_text(encoding="utf-8"))
    scores = quality["conditions"]["original"]["scores"]
    told = {(result.metric_name, result.metric_type): result.metric_value for result in data.eval_results or []}
    for model in ("vae", "gan", "cnn"):
        for measure, metric, name in (
            ("psnr_luminance", "psnr", "luminance PSNR (dB)"),
            ("psnr", "psnr", "RGB PSNR (dB)"),
            ("ssim", "ssim", "SSIM"),
            ("lpips", "lpips", "LPIPS, lower is closer"),
        ):
            assert told.pop((f"{model.upper()}: {name}", metric)) == scores[model][measure]["mean"]
    assert not told
    assert {result.dataset_type for result in data.eval_results or []} == {quality["shard"]}
    assert (data.license, data.license_link) == ("other", "LICENSE.md")
    assert data.license_name == "non-commercial-research-and-demonstration"
    assert b"non-commercial" in files["LICENSE.md"]
    assert (data.pipeline_tag, data.metrics) == ("image-to-image", ["psnr", "ssim", "lpips"])
    for model in ("vae", "gan", "cnn"):
        theirs = (ROOT / "weights" / f"{model}.md").read_bytes()
        assert files[f"{model}.md"] == theirs
        assert f"]({model}.md)" in card.text
        assert all(name.replace("-scenes", " scenes").encode() in theirs for name in data.datasets or [])
    assert {"ImageNet", "Intel-scenes", "COCO"} <= set(data.datasets or [])


def test_nothing_new(project: Path, hub: Hub) -> None:
    """No further commit, and the one that is there stays pinned."""
    publish(project, hub)
    pinned, commits = manifest(project), list(hub.repos[REPO])
    sent = len([each for each in hub.asked if each.method == "PUT"])
    (project / "weights" / "manifest.json").write_text(json.dumps({**pinned, "hub": {}}), encoding="utf-8")
    assert publish(project, hub).returncode == 0
    assert (manifest(project), list(hub.repos[REPO])) == (pinned, commits)
    assert len([each for each in hub.asked if each.method == "PUT"]) == sent == 6


def test_new_weights(project: Path, hub: Hub) -> None:
    """They are sent alone, and their commit is pinned."""
    publish(project, hub)
    (project / "weights" / "cnn.safetensors").write_bytes(b"trained on")
    sha256 = hashlib.sha256(b"trained on").hexdigest()
    change(project / "weights" / "manifest.json", lambda it: it["files"]["cnn.safetensors"].update(sha256=sha256))
    quality = project / "benchmarks" / "results" / "quality.json"
    change(quality, lambda it: it["weights_sha256"].update(cnn=sha256))
    hub.asked.clear()
    assert publish(project, hub).returncode == 0
    *_, before, head = hub.repos[REPO]
    assert manifest(project)["hub"]["revision"] == head
    assert [each.path for each in hub.asked if each.method == "PUT"] == [f"/cdn/{sha256}"]
    old, new = hub.repos[REPO][before], hub.repos[REPO][head]
    assert {name for name in new if old[name] != new[name]} == {"cnn.safetensors", "config.json"}


def test_what_is_at_hand_of_the_others_goes_along(project: Path, hub: Hub) -> None:
    name = "realesr-general-x4v3.pth"
    (project / "weights" / name).write_bytes(b"general")
    sha256 = hashlib.sha256(b"general").hexdigest()
    change(project / "weights" / "manifest.json", lambda it: it["files"][name].update(sha256=sha256))
    assert publish(project, hub).returncode == 0
    files = list(hub.repos[REPO].values())[-1]
    assert files[name] == b"general"
    assert f"`{name}`" in files["README.md"].decode()
    assert "RealESRGAN_x4plus.pth" not in files


def test_a_dry_run(project: Path, hub: Hub) -> None:
    """It says everything, asks nobody, and writes nothing."""
    before = written(project)
    done = publish(project, hub, "--dry-run", HF_TOKEN="", HF_HUB_OFFLINE="1")
    assert (done.returncode, done.stderr, hub.asked) == (0, "", [])
    assert written(project) == before
    assert f"{hub.url}/{REPO}" in done.stdout
    for name in OURS:
        assert f"{(ROOT / 'weights' / name).stat().st_size:,}  {name}" in done.stdout
    assert "manifest.json would pin" in done.stdout
    publish(project, hub)
    card = list(hub.repos[REPO].values())[-1]["README.md"].decode()
    assert done.stdout[done.stdout.index("---\n") :].strip() == card.strip()


def written(project: Path) -> dict[Path, bytes]:
    """Every file in a folder, but what Python compiles."""
    files = (path for path in project.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path: path.read_bytes() for path in files}


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a run that failed."""
    assert (done.returncode, done.stdout, done.stderr.count("\n"), done.stderr[-2:]) == (1, "", 1, ".\n"), done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"HF_TOKEN": ""}, "You are not logged in.*run `hf auth login`, or set HF_TOKEN"),
        ({"HF_TOKEN": "hf_wrong"}, "run `hf auth login` with a new one"),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE forbids.*unset it"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, r"No connection to http://127\.0\.0\.1:9; check the network"),
    ],
)
def test_a_setup_that_does_not_work(project: Path, hub: Hub, changed: dict[str, str], says: str) -> None:
    before = written(project)
    assert re.search(says, refused(publish(project, hub, **changed)))
    assert written(project) == before
    assert not hub.repos


@pytest.mark.parametrize(
    ("how", "says"), [(403, "You may not write to somebody/restoration-lab"), (500, "publish again")]
)
def test_a_hub_that_refuses(project: Path, hub: Hub, how: Literal[403, 500], says: str) -> None:
    before, hub.how = written(project), how
    assert says in refused(publish(project, hub))
    assert written(project) == before


def test_an_upload_that_is_refused(project: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that the Hub did not take are not committed."""

    def refuse(*_: object) -> None:
        raise Refused(403, "")

    monkeypatch.setitem(ROUTES, r"PUT /cdn/(\w{64})", refuse)
    assert f"You may not write to {REPO}" in refused(publish(project, hub))
    assert len(hub.repos[REPO]) == 1
    assert manifest(project)["hub"] == {}


@pytest.mark.parametrize("name", ["lab", "a/b/c", "some body/lab", "a--b/lab"])
def test_a_name_that_is_none(project: Path, hub: Hub, name: str) -> None:
    done = run(project, hub, "-m", "train.publish", "--repo", name, "--dry-run")
    assert f"{name!r} is no name of a repository; give one like USER/NAME." in refused(done)


def test_files_that_are_not_the_released_ones(project: Path, hub: Hub) -> None:
    """Nothing is sent."""
    weights, quality = project / "weights", project / "benchmarks" / "results" / "quality.json"
    contents = bytearray((weights / "gan.safetensors").read_bytes())
    contents[-1] ^= 1
    for damage, says in (
        (lambda: (weights / "gan.safetensors").write_bytes(contents), r"gan\.safetensors is damaged.*put a sound copy"),
        (lambda: (weights / "gan.safetensors").unlink(), r"gan\.safetensors is missing; run `git checkout weights`"),
        (lambda: (weights / "gan.md").unlink(), r"gan\.md cannot be read .*; put it back"),
        (lambda: change(quality, lambda it: it["weights_sha256"].update(gan="0")), "measured other weights; run"),
        (lambda: change(quality, reverse), "cards in .* do not show what .* run `make results`"),
    ):
        sound = {path: path.read_bytes() for path in (weights / "gan.safetensors", weights / "gan.md", quality)}
        damage()
        assert re.search(says, refused(publish(project, hub)))
        for path, each in sound.items():
            path.write_bytes(each)
    assert not hub.asked
    assert manifest(project)["hub"] == {}


def reverse(quality: dict[str, Any]) -> None:
    """The GAN's measured gain becomes a loss."""
    quality["conditions"]["original"]["scores"]["gan"]["psnr"]["gain"] *= -1
