from __future__ import annotations

import os
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from restoration import MemoryShortage, Photo, Restorer, machine, upscale
from tests.conftest import EXAMPLES, ROOT

LACK = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError(LACK), torch.OutOfMemoryError("CUDA out of memory.")])
def test_parts_become_smaller_until_there_is_memory(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    machine._warn.cache_clear()
    tried: list[int] = []

    def work(most: int, size: int) -> int:
        tried.append(size)
        if size > most:
            raise error
        return size

    for most in (8, 5, 2):
        assert machine.by_parts(partial(work, most), 8, 4, 2) == tried[-1]
    assert tried == [8, 8, 4, 8, 4, 2]
    assert len(caplog.messages) == 1
    with pytest.raises(type(error)):
        machine.by_parts(partial(work, 1), 8, 4, 2)


def test_what_is_no_lack_of_memory_is_not_tried_again() -> None:
    tried: list[int] = []

    def work(size: int) -> None:
        tried.append(size)
        raise RuntimeError("a bug of ours")

    with pytest.raises(RuntimeError, match="a bug"):
        machine.by_parts(work, 8, 4)
    assert tried == [8]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError(LACK)])
def test_a_lack_of_memory_is_not_the_weights_fault(
    photo: Photo, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def build(*_: object) -> None:
        raise error

    monkeypatch.setattr(upscale, "build", build)
    with pytest.raises(MemoryShortage, match=r"not enough memory to load realesr-animevideov3"):
        Restorer("cpu").upscale(photo, engine="fast")


@pytest.mark.skipif(sys.platform != "linux", reason="another system limits memory otherwise")
def test_a_machine_too_small_for_pytorch_is_told_of_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "restoration", "restore", EXAMPLES / "coffee.jpg", "-o", tmp_path / "new.png"],
        cwd=ROOT, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20)),
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "Error: There is not enough memory to load PyTorch; close other programs.\n"
