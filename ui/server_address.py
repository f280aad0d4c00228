"""Where the app listens, and how it reaches itself whatever proxies are set."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import suppress
from urllib.request import getproxies

import httpx

logger = logging.getLogger(__name__)
EVERYWHERE = "0.0.0.0"


def check(host: str, port: int | None) -> None:
    """Raise OSError where nothing can listen, which Gradio would find out in 5 seconds for each of 100 ports."""
    family, *_, address = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def pass_by_proxies(host: str) -> None:
    """Ask no proxy for this machine's own addresses, as Gradio does when it starts; and none for anything, with a word
    in the log, where one is set that httpx cannot use.
    """
    proxies = getproxies()
    proxies["no"] = ",".join(filter(None, (proxies.get("no"), "localhost,127.0.0.1", host)))
    os.environ.update({f"{scheme}_proxy": address for scheme, address in proxies.items()})
    try:
        httpx.Client().close()
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        logger.warning(
            "No proxy is used: those that are set cannot be (%s).", str(error).rstrip(".").replace(". ", "; ")
        )
        os.environ["no_proxy"] = "*"


def prefix(root_path: str) -> str | None:
    """``root_path`` in the one way that Gradio understands it: /lab, or a whole address; None where there is none."""
    bare = root_path.strip("/")
    return bare if "://" in bare else f"/{bare}" if bare else None


def told(url: str, host: str) -> str:
    """What a browser opens for ``url``; what listens everywhere, those of other machines find by this one's address."""
    url = url.replace("[::]", "[::1]")
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        if host == EVERYWHERE:
            probe.connect(("192.0.2.1", 9))  # sends nothing, but asks which way it would go
            return f"{url} here, and at {url.replace('localhost', probe.getsockname()[0])} from other machines"
    return url
