"""Photos restored on a Ray cluster: machines that read and restore, while this process writes what they made.

Every machine has the program, and the photos and the user's own weights, under the same paths as this one.
"""

from __future__ import annotations

import logging
import math
import os
import pickle
import re
import socket
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import ControlError, RestorationError
from .parallel import in_parallel

if TYPE_CHECKING:
    from ..restorer import Restorer

Item = TypeVar("Item")
Read = TypeVar("Read")
Made = TypeVar("Made")
Finished = TypeVar("Finished")
T = TypeVar("T")
RETRIES = 3
"""How often photos are tried again whose worker died: one of them may be what kills it."""


@dataclass(frozen=True, kw_only=True)
class WorkerTask(Generic[Item, Read, Made, Finished]):
    """What workers do to an item, in order; it is sent to them, with all that it refers to."""

    read: Callable[[Item], Read]
    work: Callable[[Sequence[Read], Restorer], Sequence[Made]]
    finish: Callable[[Made], Finished]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster that we are connected to, and how a worker makes its `Restorer`."""

    device: str
    weights: tuple[Path, ...]
    folder: Path
    """What relative paths start from."""
    workers: int

    def ask(self, question: Callable[[Restorer], T]) -> T:
        """What one worker answers, or raises."""
        import ray

        with _one_sentence():
            packed = ray.get(ray.remote(_answer).options(**self._resources).remote(self, question))
        if isinstance(answer := pickle.loads(packed), Exception):
            raise answer
        return answer

    def run(
        self,
        items: Iterable[Item],
        read: Callable[[Item], Read],
        work: Callable[[Sequence[Read], Restorer], Sequence[Made]],
        write: Callable[[Finished], None],
        *,
        finish: Callable[[Made], Finished],
        batch: int = 1,
    ) -> Generator[tuple[Item, BaseException | None], None, None]:
        """Each item when what was made of it is written, or with the error that it came to, as they come.

        ``write`` runs here, the rest on workers. An item whose worker dies is made by another one, and written once.
        """
        left = dict(enumerate(items))
        there = WorkerTask(read=read, work=work, finish=finish)
        for index, outcome in self._outcomes(left, there, batch) if left else ():
            try:
                if isinstance(outcome, BaseException):
                    raise outcome
                write(outcome)
                failure = None
            except Exception as error:
                failure = error
            yield left.pop(index), failure
        for item in left.values():
            yield item, RestorationError("worker_lost", tries=RETRIES + 1)

    def _outcomes(self, items: Mapping[int, Item], there: WorkerTask[Item, Any, Any, Any], batch: int) -> Iterator[Any]:
        """Each index with what workers made of its item, or the error."""
        import ray.data

        # Workers read by `image.load`, not Ray by its `read_images`, whose decoder knows none of our limits and
        # conversions, and ends the whole run at the first damaged photo.
        rows = [{"item": pickle.dumps(pair)} for pair in items.items()]
        each = min(4 * batch, math.ceil(len(rows) / (4 * self.workers)))  # what a worker's death costs
        blocks = math.ceil(len(rows) / each)
        photos = ray.data.from_items(rows, override_num_blocks=blocks)
        pool = ray.data.ActorPoolStrategy(
            min_size=1,
            max_size=self.workers,
            initial_size=min(self.workers, blocks),
            max_tasks_in_flight_per_actor=1,  # what waits for a worker would count as tried when it dies
        )
        retries: dict[str, Any] = {"max_restarts": -1, "max_task_retries": RETRIES}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of such arguments, see `ray` in pyproject.toml
            how = {**self._resources, **retries}
            made = photos.map_batches(
                _Worker, fn_constructor_args=(self, there, batch), batch_size=None, compute=pool, **how
            )
        with _one_sentence():
            for row in made.iter_rows():
                yield pickle.loads(row["outcome"])

    @property
    def _resources(self) -> dict[str, Any]:
        return {"num_cpus": 1, "num_gpus": 1 if self.device == "cuda" else 0}

    def _restorer(self) -> Restorer:
        """A worker's own."""
        from ..restorer import Restorer

        with suppress(OSError):  # paths that are not relative do without
            os.chdir(self.folder)
        return Restorer(self.device, self.weights)


@contextmanager
def connected(device: str, weights: Sequence[Path]) -> Iterator[Cluster]:
    """The cluster at $RAY_ADDRESS, or one of this machine for the time being, where that is not set.

    Its workers run on GPUs where there are any, unless ``device`` is cpu. Raises `ControlError` where there is no Ray,
    no such cluster, or no GPU in it though ``device`` is one.
    """
    address = os.environ.get("RAY_ADDRESS") or "local"
    settings = {  # which are read at import
        "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody
        "RAY_BACKEND_LOG_LEVEL": "fatal",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what the next release does, and a warning says
    }
    if address == "local":  # whoever reaches Ray's ports may run anything, so they are this machine's alone
        settings["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ControlError("ray_missing") from error
    program = {"PYTHONPATH": f"{Path(__file__).parent.parent}{os.pathsep}${{PYTHONPATH}}"}  # added to a worker's own
    alone: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
    try:
        if re.fullmatch(r"[^/]+:\d+", address):  # where Ray itself would try for minutes
            host, port = address.rsplit(":", 1)
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
        ray.init(address, runtime_env={"env_vars": program}, log_to_driver=False, logging_level=logging.ERROR, **alone)
    except (OSError, ValueError, OverflowError, RuntimeError) as error:
        raise ControlError("ray_unreachable", address=address, reason=error) from error
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        context.max_errored_blocks = -1  # `run` says which photos were lost with them
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        there = ray.cluster_resources()
        gpus = int(there.get("GPU", 0)) if device != "cpu" else 0
        if device not in ("auto", "cpu") and not gpus:
            raise ControlError("ray_device", address=address)
        workers = gpus or max(1, int(there.get("CPU", 1)))
        yield Cluster(device="cuda" if gpus else "cpu", weights=tuple(weights), folder=Path.cwd(), workers=workers)
    finally:
        ray.shutdown()


@contextmanager
def _one_sentence() -> Iterator[None]:
    """What Ray itself raises, as an error of ours."""
    from ray.data.exceptions import SystemException
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, SystemException) as error:
        raise RestorationError("ray_failed", reason=str(error).strip().rpartition("\n")[2]) from error


# --- What runs on the workers -----------------------------------------------------------------------------------------


def _answer(cluster: Cluster, question: Callable[[Restorer], Any]) -> bytes:
    try:
        return pickle.dumps(question(cluster._restorer()))
    except Exception as error:
        return _packed(error)


class _Worker:
    """An actor of Ray Data's: one `Restorer` for all the photos that come to it."""

    def __init__(self, cluster: Cluster, there: WorkerTask[Any, Any, Any, Any], batch: int) -> None:
        self.there, self.batch = there, batch
        self.restorer = cluster._restorer()

    def __call__(self, rows: Mapping[str, Sequence[bytes]]) -> Iterator[dict[str, list[bytes]]]:
        finished: dict[int, Any] = {}

        def work(found: Sequence[tuple[int, Any]]) -> list[tuple[int, Any]]:
            places, read = zip(*found, strict=True)
            return list(zip(places, self.there.work(read, self.restorer), strict=True))

        outcomes = in_parallel(
            [pickle.loads(packed) for packed in rows["item"]],
            lambda pair: (pair[0], self.there.read(pair[1])),
            work,
            lambda made: finished.update({made[0]: self.there.finish(made[1])}),
            batch=self.batch,
            threads=1 if self.restorer.device.type == "cpu" else 2,  # while a GPU restores, others are read
        )
        for (index, _), error in outcomes:
            yield {"outcome": [_packed((index, finished.pop(index) if error is None else error))]}


def _packed(outcome: Any) -> bytes:
    """For its way back, errors among them; some libraries' cannot be packed, and come as their words."""
    try:
        packed = pickle.dumps(outcome)
        pickle.loads(packed)
    except Exception:  # whatever a foreign error's own code raises there; it stays an error, never a result
        index, error = outcome if isinstance(outcome, tuple) else (None, outcome)
        words = RuntimeError(str(error))
        return pickle.dumps(words if index is None else (index, words))
    return packed
