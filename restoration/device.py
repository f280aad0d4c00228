"""Where networks run: on a GPU where there is one that can be trusted, and elsewhere once it fails."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import torch

from .errors import ControlError, MemoryShortage, PhotoError
from .machine import core_quota, is_lack

SAFE_TORCH = 2, 10  # the first version without a published vulnerability; older ones run, as on Colab
CPU, APPLE = torch.device("cpu"), torch.device("mps")
logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A device, and the precision in which it runs Real-ESRGAN's networks; photos are restored in single precision."""

    device: torch.device
    precision: torch.dtype = torch.float32


class Places:
    """The places where ``asked`` (auto, cpu, cuda or mps) wants tasks to run: the best first, the CPU last.

    ``is_right(place)`` says whether a place gives the CPU's results: Apple's GPUs have given wrong numbers, and said
    nothing. Raises `ControlError` for a device that is not there.
    """

    def __init__(self, asked: str, is_right: Callable[[Place], bool]) -> None:
        self.device = _chosen(asked, is_right)
        self._left = [Place(CPU)]
        if self.device != CPU:
            torch.backends.cudnn.allow_tf32 = False  # so that a GPU gives the CPU's pixels, to 1 level of 255
            self._left.insert(0, Place(self.device))
        if self.device.type == "cuda":  # half elsewhere is slower, or not all of it is there
            self._left.insert(0, Place(self.device, torch.float16))

    def run(self, task: Callable[[Place], T]) -> T:
        """``task`` in the first place that can do it.

        What a place cannot do, as half precision that gives no numbers or a GPU that fails, is done in the next, and
        the log says so. A place that failed is not tried again, but for one that merely had too little memory.
        """
        places = self._left
        while True:
            try:
                return task(places[0])
            except (RuntimeError, MemoryShortage, PhotoError) as error:
                places = self._after(error, places)
                if not places:
                    raise

    def _after(self, error: Exception, places: list[Place]) -> list[Place]:
        """Those of ``places`` that may do what the first failed to do with ``error``."""
        failed = places[0]
        cause = error.__cause__ if isinstance(error, MemoryShortage) and error.__cause__ else error
        if isinstance(error, PhotoError) and error.code == "engine_undefined" and failed.precision == torch.float16:
            lost = [failed]
            if failed in self._left:
                logger.warning("The GPU cannot enlarge in half precision, so it does in single precision.")
        elif failed.device != CPU and _is_of_the_gpu(cause):
            lost = [place for place in places if place.device == failed.device]
            logger.warning("The GPU failed, so the CPU stands in. %s", cause)
        else:
            return []
        if not is_lack(cause):  # of memory, of which there may be enough the next time
            self._left = [place for place in self._left if place not in lost]
        return [place for place in places if place not in lost]


def _chosen(asked: str, is_right: Callable[[Place], bool]) -> torch.device:
    """What ``asked`` stands for on this machine."""
    has: dict[str, Callable[[], bool]] = {"cuda": _has_cuda, "mps": torch.backends.mps.is_available}
    choices = ("auto", "cpu", *has)
    if asked not in choices:
        raise ControlError("device_unknown", device=asked, choices=", ".join(choices))
    if asked in has and not has[asked]():
        raise ControlError("device_missing", maker={"cuda": "CUDA", "mps": "Apple"}[asked])
    if asked != "auto":
        return torch.device(asked)
    if has["cuda"]():
        return torch.device("cuda")
    return APPLE if has["mps"]() and is_right(Place(APPLE)) else CPU


def _has_cuda() -> bool:
    """Is there a GPU of NVIDIA's? Why there is none, as with a driver that is too old, is a line in the log."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = torch.cuda.is_available()
    for each in told:
        logger.warning("%s", " ".join(str(each.message).partition(" (Triggered")[0].split()))
    return found


def _is_of_the_gpu(error: BaseException) -> bool:
    """Is it the GPU that failed? PyTorch has a class for it since 2.8, and its libraries have their own words."""
    kinds = (torch.OutOfMemoryError, getattr(torch, "AcceleratorError", torch.OutOfMemoryError))
    return isinstance(error, kinds) or re.search(r"CUDA|CUDNN|CUBLAS|NVIDIA|\bMPS\b", str(error), re.I) is not None


@cache
def set_up_torch(version: str) -> None:
    """Let PyTorch use as many cores as this container may, and warn of a ``version`` that is known to be unsafe."""
    if (quota := core_quota()) < torch.get_num_threads():
        torch.set_num_threads(int(quota))
    if tuple(map(int, version.split(".")[:2])) < SAFE_TORCH:
        logger.warning(
            "PyTorch %s has published vulnerabilities; upgrade to %d.%d or later where you can.", version, *SAFE_TORCH
        )
