"""A folder on a Ray cluster of two nodes of one CPU each: what the local run makes, whatever happens to a worker."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from restoration import Restorer, image
from restoration.batch import ray_cluster
from restoration.batch.ray_cluster import Cluster, WorkerTask
from restoration.errors import PhotoError
from tests.cli.test_main import program, run
from tests.conftest import EXAMPLES, ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # 127.0.0.1 alone
    pytest.importorskip("ray", reason='needs Ray: pip install -e ".[ray]"')
    from ray.cluster_utils import Cluster as Nodes

    node = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 100_000_000, "node_ip_address": "127.0.0.1"}
    nodes = Nodes(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    nodes.add_node(**node)
    yield nodes.address
    nodes.shutdown()


@pytest.fixture
def on_cluster(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven photos in two folders, one of them damaged, one with its truth."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "deep").mkdir()
    for place, path in enumerate(sorted(EXAMPLES.glob("*.jpg"))[:9]):
        shutil.copy(path, folder / "deep" if place % 2 else folder)
    (folder / "broken.jpg").write_bytes((EXAMPLES / "coffee.jpg").read_bytes()[:9000])
    assert run("degrade", EXAMPLES / "rocket.jpg", "-o", folder / "pair.png")[0] == 0
    (folder / "report.jsonl").unlink()
    return folder


def lines(out: Path) -> list[dict]:
    """The report without times, in the order of the photos."""
    entries = [json.loads(line) for line in (out / "report.jsonl").read_text().splitlines()]
    return sorted(({**entry, "seconds": list(entry["seconds"])} for entry in entries), key=lambda entry: entry["input"])


def check_same(out: Path, expected: Path) -> None:
    assert lines(out) == lines(expected)
    made = sorted(path.relative_to(out) for path in out.rglob("*.png"))
    assert made == sorted(path.relative_to(expected) for path in expected.rglob("*.png"))
    for name in made:
        pixels, others = (image.load(place / name, reduce_to=None).pixels.astype(int) for place in (out, expected))
        assert np.abs(pixels - others).max() <= 1


@pytest.mark.usefixtures("on_cluster")
def test_a_folder_gives_what_it_gives_here_though_a_worker_is_killed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    here, there = tmp_path / "here", tmp_path / "there"
    flags = ["--upscale", "4", "--engine", "fast", "--model", "cnn"]
    code, stdout, stderr = run("restore", "--size", 128, folder.name, "-o", here, "--device", "cpu", *flags)
    assert (code, "10 of 11 done;" in stdout, stderr.count("\n")) == (1, True, 1)
    assert run("restore", "--size", 128, f"{folder.name}/astronaut.jpg", "-o", there, "--device", "cpu", *flags)[0] == 0

    command = program("restore", "--size", 128, folder.name, "-o", there, "--ray", *flags)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, text=True, **pipes)
    while len(lines(there)) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    workers = [each for each in psutil.process_iter() if re.match("ray::(?!IDLE)", "".join(each.cmdline()[:1]))]
    assert len(workers) == 2
    workers[0].kill()
    assert len(lines(there)) < 9
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    done, _, *refused = stdout.replace(str(here), str(there)).splitlines()
    assert [done.replace(" done;", " done, 1 of them before;"), *refused] == [
        line for line in said.splitlines() if not line.startswith("Slowest: ")
    ][-1 - len(refused) :]  # after what Ray says of the worker
    assert [line for line in errors.splitlines() if "Set ray log level" not in line] == stderr.splitlines()
    check_same(there, here)
    again = run("restore", "--size", 128, folder.name, "-o", there, "--device", "cpu", *flags)
    assert "10 of 11 done, 10 of them before" in again[1]


def test_a_worker_makes_what_is_made_here(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Ray: all that it would carry to a worker in this process and back is packed, but for the functions."""

    def outcomes(cluster: Cluster, items: Mapping[int, Any], there: WorkerTask, batch: int) -> Iterator[Any]:
        worker = ray_cluster._Worker(cluster, there, batch)
        for row in worker({"item": [pickle.dumps(pair) for pair in items.items()]}):
            yield pickle.loads(row["outcome"][0])

    here = Cluster(device="cpu", weights=(), folder=Path.cwd(), workers=1)
    monkeypatch.setattr(ray_cluster, "connected", lambda *_: nullcontext(here))
    monkeypatch.setattr(Cluster, "ask", lambda self, question: pickle.loads(ray_cluster._answer(self, question)))
    monkeypatch.setattr(Cluster, "_outcomes", outcomes)
    flags = ["--size", 128, "--model", "cnn"]
    told = [
        run("restore", folder, "-o", tmp_path / out, *flags, *more)
        for out, more in (("one", ["--device", "cpu"]), ("other", ["--ray"]))
    ]
    assert [(code, errors) for code, _, errors in told] == [(1, told[0][2])] * 2
    assert "10 of 11 done" in told[1][1]
    check_same(tmp_path / "other", tmp_path / "one")


def kill_at_three(items: Sequence[int], _: Restorer) -> Sequence[int]:
    if 3 in items:
        os._exit(1)
    return items


@pytest.mark.usefixtures("on_cluster")
def test_a_photo_that_kills_its_workers_does_not_go_round_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "RETRIES", 0)
    written: list[str] = []
    with ray_cluster.connected("auto", []) as connection:
        outcomes = dict(connection.run((0, 2, 3, 4), int, kill_at_three, written.append, finish=str))
    assert {item: str(error) for item, error in outcomes.items() if error} == {
        3: "Its worker died, in each of 1 tries; try it, or what lies beside it, alone."
    }
    assert sorted(written) == ["0", "2", "4"]


@pytest.mark.parametrize("place", ["127.0.0.1:{free}", "no-such-host.invalid:6379", "127.0.0.1:99999999", "nonsense"])
def test_a_cluster_that_is_not_there(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    pytest.importorskip("ray", reason='needs Ray: pip install -e ".[ray]"')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("RAY_ADDRESS", place.format(free=probe.getsockname()[1]))
    code, _, stderr = run("restore", "--size", 128, folder, "-o", tmp_path / "out", "--ray")
    assert (code, stderr.count("\n")) == (2, 1)
    assert stderr.startswith(f"Error: There is no Ray cluster at {os.environ['RAY_ADDRESS']} (")


def test_without_ray_it_says_what_to_install(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    code, stdout, stderr = run("restore", "--size", 128, folder, "-o", tmp_path / "out", "--ray")
    assert (code, stderr) == (2, 'Error: Ray is not installed; run in a checkout: pip install -e ".[ray]"\n')
    assert not (tmp_path / "out").exists()
    assert run("restore", "--size", 128, folder, "-o", tmp_path / "out", "--engine", "ray") == (code, stdout, stderr)


def test_errors_cross_between_processes() -> None:
    error = PhotoError("photo_missing", name="<a>.jpg")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code, again.fields) == (PhotoError, str(error), error.code, error.fields)
