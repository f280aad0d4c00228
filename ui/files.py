"""Results as files that a visitor may fetch, each run's in a folder whose name nobody else can guess."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from gradio.utils import get_upload_folder

from restoration import Photo, image


def publish(results: Mapping[str, Photo | bytes]) -> dict[str, str]:
    """Write each result under its file name (photos as PNG) into one new folder; returns the paths by name.

    The folder lies in Gradio's cache, so nothing is copied, and `delete_cache` clears it.
    """
    folder = Path(get_upload_folder()) / uuid4().hex
    folder.mkdir(parents=True)
    for name, result in results.items():
        (folder / name).write_bytes(result if isinstance(result, bytes) else image.encode(result))
    return {name: str(folder / name) for name in results}
