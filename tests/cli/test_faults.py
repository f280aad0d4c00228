"""Kills, full disks and folders that cannot be written: nothing half made passes for a result, and the same command,
given again, does the rest.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from restoration.report import read_report
from tests import original
from tests.cli.test_main import program
from tests.cli.test_main import run as command
from tests.conftest import EXAMPLES, ROOT
from tests.train.conftest import make_shard
from train.checkpoint import save

pytestmark = pytest.mark.slow


def sentence(error: str, place: Path) -> None:
    """The error is one, names the place that the user gave, and says what to do."""
    assert error.count("\n") == 1, error
    assert str(place) in error
    assert ".part" not in error
    assert "; " in error


def results(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, hidden files too; of its report what each photo was made by, and into what."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    if found.pop("report.jsonl", None) is not None:
        entries = {id(entry): entry for entry in read_report(folder / "report.jsonl").values()}.values()
        kept = [{key: entry[key] for key in ("input", "input_sha256", "outputs", "recipe")} for entry in entries]
        found["report"] = json.dumps(sorted(kept, key=lambda entry: entry["input"])).encode()
    return found


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of photos to train on."""
    folder = tmp_path_factory.mktemp("shard")
    make_shard(folder / "train-0000.tar", 30)
    return folder


# --- kill -9 ----------------------------------------------------------------------------------------------------------

RESTORE = ["--size", "128", "--model", "cnn", "--upscale", "2", "--engine", "bicubic", "-o"]


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight photos, all different."""
    album = tmp_path_factory.mktemp("album")
    for index in range(8):
        Image.open(EXAMPLES / "coffee.jpg").resize((64, 64 + index)).save(album / f"{index:02}.png")
    return album


@pytest.fixture(scope="module")
def undisturbed(album: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run makes of the album when nothing goes wrong."""
    out = tmp_path_factory.mktemp("undisturbed")
    assert command("restore", album, *RESTORE, out)[0] == 0
    return results(out)


def restoring(album: Path, out: Path, until: int) -> subprocess.Popen[str]:
    """A process that restores the album, and has made so many pictures."""
    command = program("restore", album, *RESTORE, out)
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while len(pictures(out)) < until:
        assert running.poll() is None, running.communicate()
        time.sleep(0.005)
    return running


def pictures(out: Path) -> dict[str, int]:
    """Those that are there, and when they came."""
    return {path.name: path.stat().st_mtime_ns for path in out.glob("[0-9]*.png")}


def test_a_batch_killed_at_random_loses_the_unfinished_photo_only(
    album: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    out, draw = tmp_path / "out", random.Random(0)
    for until in (3, 8):
        running, before = restoring(album, out, until), pictures(out)
        time.sleep(draw.uniform(0, 0.1))
        running.kill()
        running.communicate()
        left = results(out)
        assert all(left[name] == undisturbed[name] for name in left if not name.startswith((".", "report")))
        assert before.items() <= pictures(out).items()
    before = pictures(out)
    assert command("restore", album, *RESTORE, out)[0] == 0
    assert len(before.items() - pictures(out).items()) <= 2  # of one photo, killed as they took their places
    assert results(out) == undisturbed


KILLED_AT = """
import os, shutil, signal, sys
from restoration.__main__ import app
source, out = sys.argv[1:]
watched = ("open", "os.rename", "os.remove", "os.mkdir")
moments = at = 0

def kill(event, arguments):
    global moments
    if event in watched and str(arguments[0]).startswith(out):
        moments += 1
        if moments == at:
            os.kill(os.getpid(), signal.SIGKILL)

def degrade(name, moment):
    global at, moments
    at, moments = moment, 0
    if not (child := os.fork()):
        app(["degrade", source, "-o", f"{out}/{name}", "--gaussian", "0.1"])
    return os.waitpid(child, 0)[1]

app(["degrade", f"{source}/coffee.jpg", "-o", f"{out}/earlier", "--gaussian", "0.2"], standalone_mode=False)
sys.addaudithook(kill)
assert degrade("undisturbed", 0) == 0
for moment in range(1, 1000):
    shutil.copytree(f"{out}/earlier", f"{out}/{moment}")
    killed = degrade(moment, moment)
    assert degrade(moment, 0) == 0
    if not killed:
        break
print(moment)
"""


def test_a_kill_at_any_step_on_the_disk_is_made_good(tmp_path: Path) -> None:
    """Before each file that the command opens, renames or removes: two photos, each with two results, of which one has
    others already, by another recipe.
    """
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    for name in ("coffee", "rocket"):
        shutil.copy(EXAMPLES / f"{name}.jpg", source)
    command = [sys.executable, "-c", KILLED_AT, str(source), str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    moments = int(done.stdout.splitlines()[-1])
    assert moments > 12
    expected = results(out / "undisturbed")
    assert len(expected) == 5
    for moment in range(1, moments + 1):
        assert results(out / str(moment)) == expected, moment


KILLED_SAVES = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from train.checkpoint import save
torch.set_num_threads(1)  # others would not outlive the fork
path, draw, parent = Path(sys.argv[1]), random.Random(0), os.getpid()
save(path, {"step": 0, "weights": torch.zeros(3_000_000)})
torn = 0
for _ in range(10):
    before = step = torch.load(path)["step"]
    if not (child := os.fork()):
        while os.getppid() == parent:
            step += 1
            save(path, {"step": step, "weights": torch.full((3_000_000,), step)})
        os._exit(0)
    while torch.load(path)["step"] == before:
        time.sleep(0.001)
    time.sleep(draw.uniform(0, 0.1))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    torn += path.with_suffix(".tmp").exists()
    state = torch.load(path)
    assert (state["weights"] == state["step"]).all()
print(torn, state["step"])
"""


def test_a_checkpoint_is_always_a_whole_one(tmp_path: Path) -> None:
    """Ten times the process that writes one after the other is killed, most often in the midst of one."""
    path = tmp_path / "checkpoint.pt"
    done = subprocess.run([sys.executable, "-c", KILLED_SAVES, path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    torn, steps = map(int, done.stdout.split())
    assert torn > 0
    assert steps >= 10
    save(path, {"step": -1})  # what a kill left does not disturb the next
    assert torch.load(path)["step"] == -1
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint.pt"]


KILLED_TRAINING = """
import os, signal, sys, time
import torch
from train import __main__ as loop
loop.REPORT_SECONDS = 0  # a checkpoint at every step
folder, run = sys.argv[1], loop.Path(sys.argv[2])
torch.set_num_threads(1)  # others would not outlive the fork
if not (child := os.fork()):
    loop.main("cnn", folder, run=run, steps=3, batch=2, cpu=True, workers=0)
    os._exit(0)
while not (run / "checkpoint.pt").exists() and not os.waitpid(child, os.WNOHANG)[0]:
    time.sleep(0.001)
os.kill(child, signal.SIGKILL)
print(torch.load(run / "checkpoint.pt")["step"])
loop.main("cnn", folder, run=run, resume=True, cpu=True, workers=0)
"""


def test_killed_training_goes_on_from_its_last_checkpoint(shard: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", KILLED_TRAINING, str(shard), str(run)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    reached = int(done.stdout)
    steps = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]
    before, after = steps[: reached - 3], steps[reached - 3 :]
    assert before in ([*range(1, reached + 1)], [*range(1, reached + 2)])  # the log is written first
    assert after == [*range(reached + 1, 4)]
    assert torch.load(run / "checkpoint.pt")["step"] == 3


# --- Disks ------------------------------------------------------------------------------------------------------------


class Disk:
    """A small disk, mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.filler = folder, folder / "filler"

    def fill(self, pages: int = 0) -> None:
        """Leave room for so many pages."""
        self.free()
        room = os.statvfs(self.folder)
        self.filler.write_bytes(bytes((room.f_bavail - pages) * room.f_bsize))

    def free(self) -> None:
        self.filler.unlink(missing_ok=True)

    def remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a disk, and not everywhere")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


PHOTO = EXAMPLES / "coffee.jpg"
COMMANDS: dict[str, list[object]] = {
    "restore": ["restore", PHOTO, EXAMPLES / "rocket.jpg", "--size", "128", "--model", "cnn"],
    "degrade": ["degrade", PHOTO, EXAMPLES / "rocket.jpg"],
    "compare": ["compare", PHOTO, "--models", "cnn"],
    "upscale": ["upscale", PHOTO, "--engine", "bicubic", "--scale", "2"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk(disk: Disk, tmp_path: Path, name: str) -> None:
    """One sentence, nothing made; earlier results stay, and with room the same command finishes."""
    arguments, out = [*COMMANDS[name], "-o"], disk.folder / "out"
    assert command(*arguments, tmp_path / "undisturbed")[0] == 0
    disk.fill()
    status, _, error = command(*arguments, out)
    assert status == 1
    sentence(error, out)
    assert results(out) == {}
    disk.free()
    assert command(*arguments, out)[0] == 0
    assert results(out) == results(tmp_path / "undisturbed")
    disk.fill()
    assert command(*arguments, out)[0] == (name == "compare")  # which makes its photo anew
    assert results(out) == results(tmp_path / "undisturbed")


def test_a_disk_that_fills_on_the_way(disk: Disk, tmp_path: Path) -> None:
    """Whatever room is left for two photos, their pairs and the report: none, a page, two, ..."""
    arguments, out = [*COMMANDS["degrade"], "-o"], disk.folder / "out"
    assert command(*arguments, tmp_path / "undisturbed")[0] == 0
    expected, statuses = results(tmp_path / "undisturbed"), []
    for pages in range(200):
        disk.fill(pages)
        status, _, error = command(*arguments, out)
        statuses.append(status)
        made = results(out)
        report = made.pop("report", b"[]")
        assert made.items() <= expected.items(), pages
        assert len(made) == 2 * len(json.loads(report)), pages
        if status:
            sentence(error, out)
        disk.free()
        assert command(*arguments, out)[0] == 0
        assert results(out) == expected, pages
        if not status:
            break
        shutil.rmtree(out)
    assert statuses == [1] * pages + [0]
    assert pages > 10


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Of the original project."""
    return original.save(tmp_path, "gan")["gan"]


def test_convert_onto_a_full_disk(disk: Disk, checkpoint: Path) -> None:
    out = disk.folder / "gan.safetensors"
    for pages in (0, 100):
        disk.fill(pages)
        status, _, error = command("convert", checkpoint, "-o", out)
        assert status == 1
        sentence(error, out)
        assert [path.name for path in disk.folder.iterdir()] == ["filler"]
    disk.free()
    assert command("convert", checkpoint, "-o", out)[0] == 0


@pytest.mark.parametrize("pages", [0, 100])
def test_a_checkpoint_onto_a_full_disk(disk: Disk, pages: int) -> None:
    """The one before it stays, and what there is of the new one does not keep the disk full."""
    path = disk.folder / "checkpoint.pt"
    save(path, {"step": 1, "weights": torch.zeros(500_000)})
    disk.fill(pages)
    with pytest.raises(SystemExit, match=r"cannot be written .*; make room"):
        save(path, {"step": 2, "weights": torch.zeros(500_000)})
    assert torch.load(path)["step"] == 1
    assert sorted(each.name for each in disk.folder.iterdir()) == ["checkpoint.pt", "filler"]
    disk.free()
    save(path, {"step": 3})
    assert torch.load(path)["step"] == 3


@pytest.mark.parametrize("name", [*COMMANDS, "convert"])
def test_a_disk_that_cannot_be_written(disk: Disk, checkpoint: Path, name: str) -> None:
    """Neither a folder that is there, nor one that would have to be made."""
    arguments = COMMANDS.get(name, ["convert", checkpoint])
    (disk.folder / "out").mkdir()
    disk.remount("ro")
    places = [disk.folder / "out", disk.folder / "new"]
    for out in places if name != "convert" else [disk.folder / "out" / "gan.safetensors"]:
        status, _, error = command(*arguments, "-o", out)
        assert status in (1, 2)
        sentence(error, out)
    disk.remount("rw")
    assert list((disk.folder / "out").iterdir()) == []


def test_training_where_nothing_can_be_written(disk: Disk, shard: Path) -> None:
    disk.remount("ro")
    run = disk.folder / "run"
    command = [sys.executable, "-m", "train", "cnn", "--photos", str(shard), "--run", str(run), "--steps", "1", "--cpu"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    sentence(done.stderr, run)


def test_a_results_folder_that_goes_away_on_the_way(album: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """The rest is made in a new one; the same command makes again what went with the old one."""
    out = tmp_path / "out"
    running = restoring(album, out, 4)
    out.rename(tmp_path / "gone")
    assert "Traceback" not in running.communicate(timeout=100)[1]
    assert command("restore", album, *RESTORE, out)[0] == 0
    assert results(out) == undisturbed
