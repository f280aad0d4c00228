"""A stand-in for Hugging Face's package `spaces` on ZeroGPU: what is decorated runs in a process of its own, to which
arguments and result are pickled, and no network runs anywhere else.

As the real one, it loses every exception but Gradio's.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import gradio as gr
import torch

MAIN = os.getpid()
calls: list[str] = []
"""The names of the tasks that were given a GPU."""
_forward = torch.nn.Module.__call__


def _only_with_a_gpu(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
    if os.getpid() == MAIN:
        raise RuntimeError("A network ran where there is no GPU.")
    return _forward(module, *args, **kwargs)


torch.nn.Module.__call__ = _only_with_a_gpu  # type: ignore[method-assign, assignment]


def GPU(*, duration: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(task: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls.append(args[0].__name__)
            context = multiprocessing.get_context("fork")
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, task, pickle.dumps((args, kwargs))))
            process.start()
            done, result = ours.recv()
            process.join()
            if not done:
                raise gr.Error(f"ZeroGPU worker error: {result}")
            return result

        return call

    return decorate


def _work(connection: Connection, task: Callable[..., Any], sent: bytes) -> None:
    def run() -> tuple[bool, Any]:
        args, kwargs = pickle.loads(sent)
        try:
            return True, task(*args, **kwargs)
        except Exception as error:
            return False, type(error).__name__

    with ThreadPoolExecutor() as pool:  # in a thread, as the real one; the forked one's OpenMP may be broken
        connection.send(pool.submit(run).result())
