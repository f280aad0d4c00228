"""Fetching a published file, from the Hugging Face Hub or from its authors' release, by huggingface_hub's own client.

A file appears under its name only when it is whole and its SHA-256 is the pinned one.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import WeightsError

logger = logging.getLogger(__name__)


def address(repo: str, revision: str, name: str) -> str:
    """Where the Hub, or the mirror that HF_ENDPOINT names, has a file. Raises `WeightsError` for no name of a repo."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.errors import HFValidationError

    try:
        return hf_hub_url(repo, name, revision=revision)
    except HFValidationError as error:
        raise WeightsError("hub_name", repo=repo) from error


def cached(repo: str, revision: str, name: str) -> Path | None:
    """The file in the Hub's own cache, where a Space's preloading and `hf download` put it; asks nobody."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, name, revision=revision)
    return Path(found) if isinstance(found, str) else None


def folder() -> Path:
    """Where fetched files are kept: among the Hub's assets, in ~/.cache/huggingface unless HF_HOME says otherwise."""
    from huggingface_hub import constants

    return Path(constants.HF_ASSETS_CACHE) / "restoration-lab" / "weights"


def fetch(name: str, urls: Sequence[str], *, sha256: str, size: int) -> Path:
    """Download ``name`` into `folder` from the first of ``urls`` that gives it.

    ``size`` is in bytes. Processes that want the same file wait for one. Raises `WeightsError`: what went wrong at the
    last of ``urls``, and what to do.
    """
    from huggingface_hub import is_offline_mode
    from huggingface_hub.utils import WeakFileLock

    if is_offline_mode():
        raise WeightsError("fetch_forbidden", name=name, url=urls[-1], folder=folder())
    target, part = folder() / name, folder() / f"{sha256}.incomplete"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(target.with_name(f"{name}.lock")):
            if not is_whole(target, sha256):  # another process may just have brought it
                for url in urls:
                    try:
                        _download(name, url, part, sha256, size)
                        break
                    except WeightsError as error:
                        part.unlink(missing_ok=True)
                        if url == urls[-1]:
                            raise
                        logger.warning("%s", error)
                part.replace(target)
    except OSError as error:
        raise WeightsError("cache_unwritable", name=name, folder=folder(), reason=error.strerror or error) from error
    return target


def is_whole(path: Path, sha256: str) -> bool:
    """Is there a file at ``path`` with that SHA-256?"""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _download(name: str, url: str, part: Path, sha256: str, size: int) -> None:
    """Make ``part`` the whole file at ``url``, or raise `WeightsError`."""
    from huggingface_hub import constants, get_hf_file_metadata
    from huggingface_hub.errors import HTTPError
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    token = None if url.startswith(f"{constants.ENDPOINT}/") else False  # the user's token is for the Hub alone
    host = urlsplit(url).hostname or url
    try:
        # The metadata say at once what `http_get` would try again and again.
        if get_hf_file_metadata(url, token=token).size in (size, None):
            with part.open("wb") as file:
                http_get(url, file, headers=build_hf_headers(token=token), expected_size=size, displayed_filename=name)
            if is_whole(part, sha256):
                return
    except HTTPError as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status is None:
            raise WeightsError("fetch_unconnected", name=name, host=host, url=url, folder=folder()) from error
        if status in (401, 403):
            raise WeightsError("fetch_refused", name=name, url=url) from error
        if status == 404:
            raise WeightsError("fetch_absent", name=name, url=url) from error
        reason = str(error).partition("\n")[0]
        raise WeightsError("fetch_failed", name=name, reason=reason, url=url, folder=folder()) from error
    except (ValueError, ImportError) as error:  # the latter of a proxy, for which another package is needed
        reason = str(error).rstrip(".").replace(". ", "; ")
        raise WeightsError("fetch_settings", name=name, url=url, reason=reason) from error
    except OSError as error:
        if error.errno is not None:  # the disk's; the others say that the file has another length
            raise
    raise WeightsError("fetch_wrong", name=name, host=host)
