"""Where networks run, and what stands in for it."""

from __future__ import annotations

import warnings

import pytest
import torch

from restoration import ControlError, Restorer
from restoration.device import CPU, Place, Places, set_up_torch


@pytest.mark.parametrize(("version", "warned"), [("2.9.1+cu126", 1), ("2.10.0", 0), ("2.15.0+cu132", 0)])
def test_an_old_pytorch_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, version: str, warned: int
) -> None:
    monkeypatch.setattr("torch.__version__", version)
    set_up_torch.cache_clear()
    for _ in range(2):
        Restorer("cpu")
    assert len([message for message in caplog.messages if "published vulnerabilities" in message]) == warned


def test_a_gpu_without_memory_is_asked_again_the_next_time() -> None:
    """The stand-in for a GPU is this CPU under another name."""
    places, gpu = Places("cpu", lambda place: True), torch.device("cpu", 0)
    places._left = [Place(gpu, torch.float16), Place(gpu), Place(CPU)]
    asked: list[Place] = []

    def task(place: Place) -> Place:
        asked.append(place)
        if len(asked) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return place

    assert places.run(task) == Place(CPU)
    assert places.run(task) == Place(gpu, torch.float16)


def test_what_is_not_of_the_gpu_is_raised() -> None:
    places, gpu = Places("cpu", lambda place: True), torch.device("cpu", 0)
    places._left = [Place(gpu), Place(CPU)]

    def task(place: Place) -> None:
        raise RuntimeError(f"a bug of ours on {place.device}")

    with pytest.raises(RuntimeError, match="a bug of ours on cpu:0"):
        places.run(task)


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="here is a GPU")
@pytest.mark.parametrize(("device", "maker"), [("cuda", "CUDA"), ("mps", "Apple")])
def test_a_device_that_is_not_there_is_refused(device: str, maker: str) -> None:
    with pytest.raises(ControlError, match=f"no {maker} GPU here; use the device cpu or auto"):
        Restorer(device)


def test_a_driver_that_is_too_old_is_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    def is_available() -> bool:
        warnings.warn("The NVIDIA driver on your system\n is too old. (Triggered internally at x.cpp)", stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    assert Restorer("auto").device == torch.device("cpu")
    assert caplog.messages == ["The NVIDIA driver on your system is too old."]
    assert not recwarn.list
