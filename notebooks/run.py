"""Execute colab_demo.ipynb from top to bottom, and keep what it shows: `make notebook`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).resolve().parent / "colab_demo.ipynb"


@contextmanager
def executed(notebook: NotebookNode, folder: Path, **options: Any) -> Iterator[None]:
    """``notebook`` gets its outputs, executed in ``folder``; its kernel lives until the context ends.

    The kernel is the Python that runs this, whatever kernels its user has installed. ``options`` are what a process is
    started with.
    """
    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(notebook, km=kernel, timeout=600, record_timing=False)
    with client.setup_kernel(cleanup_kc=True, cwd=str(folder), **options):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        yield


def tidy(notebook: NotebookNode) -> None:
    """Keep nothing of this machine's: no warnings, and not the address of the app, which the last cell shows."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in cells:
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    cells[-1].outputs = []


if __name__ == "__main__":
    demo = nbformat.read(NOTEBOOK, as_version=4)
    with executed(demo, NOTEBOOK.parent):
        tidy(demo)
    nbformat.write(demo, NOTEBOOK)
