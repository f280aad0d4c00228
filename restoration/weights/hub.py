"""Fetching a published file, from the Hugging Face Hub or from its authors' release, by huggingface_hub's own client.

`hf_hub_download` starts a killed download again from nothing; this goes on where it stopped, by the same client's
`http_get`, and shows a file only when it is whole and its SHA-256 is the pinned one.
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

    ``size`` is in bytes. What a killed download left is gone on with; processes that want the same file wait for one.
    Raises `WeightsError`: what went wrong at the last of ``urls``, and what to do.
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
                        if url == urls[-1]:
                            raise
                        logger.warning("%s", error)
                part.replace(target)
    except OSError as error:
        raise WeightsError("cache_unwritable", name=name, folder=folder(), reason=error.strerror or error) from error
    return target


def is_whole(path: Path, sha256: str) -> bool:
    """Is there a file at ``path`` with that SHA-256?"""
    if not path.is_file():
        return False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest() == sha256


def _download(name: str, url: str, part: Path, sha256: str, size: int) -> None:
    """Make ``part`` the whole file at ``url``, or raise `WeightsError`."""
    from huggingface_hub import constants, get_hf_file_metadata
    from huggingface_hub.errors import HTTPError
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    token = None if url.startswith(f"{constants.ENDPOINT}/") else False  # the user's token is for the Hub alone
    try:
        headers = build_hf_headers(token=token)
        # This says at once what `http_get` would try again and again.
        if get_hf_file_metadata(url, token=token).size in (size, None):
            for _ in range(2):  # once more where what was gone on with was no part of it
                if part.is_file() and part.stat().st_size > size:
                    part.unlink()
                with part.open("ab") as file:
                    begun = file.tell()
                    http_get(url, file, resume_size=begun, headers=headers, expected_size=size, displayed_filename=name)
                if is_whole(part, sha256):
                    return
                part.unlink()
                if not begun:
                    break
    except HTTPError as error:
        raise _refusal(error, name, url) from error
    except (ValueError, ImportError) as error:  # the latter of a proxy, for which another package is needed
        raise WeightsError(
            "fetch_settings", name=name, url=url, reason=str(error).rstrip(".").replace(". ", "; ")
        ) from error
    except OSError as error:
        if error.errno is not None:  # the disk's
            raise
        part.unlink(missing_ok=True)  # of another length
    raise WeightsError("fetch_wrong", name=name, host=urlsplit(url).hostname)


def _refusal(error: Exception, name: str, url: str) -> WeightsError:
    """What an answer of the server, or none, means to the user."""
    response = getattr(error, "response", None)
    if response is None:
        return WeightsError(
            "fetch_unconnected", name=name, host=urlsplit(url).hostname or url, url=url, folder=folder()
        )
    if response.status_code in (401, 403):
        return WeightsError("fetch_refused", name=name, url=url)
    if response.status_code == 404:
        return WeightsError("fetch_absent", name=name, url=url)
    return WeightsError("fetch_failed", name=name, reason=str(error).splitlines()[0], url=url, folder=folder())
