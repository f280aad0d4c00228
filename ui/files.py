"""Files that visitors send and fetch; each run's results are in a folder whose name nobody else can guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import uuid4

from gradio.utils import get_upload_folder, is_in_or_equal

from restoration import Photo, image

from .errors import not_sent

KEPT: set[str] = set()
"""The paths of what stays for as long as the app runs: what nobody sent."""


def keep(paths: Iterable[str]) -> None:
    """Have the files at ``paths``, which `publish` wrote, never cleaned up."""
    KEPT.update(paths)


def name_of(path: str) -> str:
    """What the files that are made of the visitor's photo at ``path`` are called after."""
    return Path(path).stem[:60] or "photo"


def received(path: str) -> str:
    """``path``, of a file that a visitor sent; `ControlError` where it is none.

    Gradio 6.31 takes the path of a file that comes without ``meta`` at its word, so a client could name any file here.
    """
    try:
        is_sent = is_in_or_equal(path, get_upload_folder())
    except ValueError:  # no path at all
        is_sent = False
    if not is_sent:
        raise not_sent()
    return path


def publish(results: Mapping[str, Photo | bytes]) -> dict[str, str]:
    """Write each result under its file name (photos as PNG) into one new folder; returns the paths by name.

    The folder lies in Gradio's cache, so nothing is copied, and `delete_cache` clears it.
    """
    folder = Path(get_upload_folder()) / uuid4().hex
    folder.mkdir(parents=True)
    for name, result in results.items():
        (folder / name).write_bytes(result if isinstance(result, bytes) else image.encode(result))
    return {name: str(folder / name) for name in results}
