"""`python -m deploy.check_space`: does the folder of `deploy.space` run as on a Space, with nothing else there?

What it needs is installed anew from its requirements.txt; the folder is read-only, HOME empty, the user not root.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from gradio_client import Client, handle_file
from PIL import Image

from deploy.process import free_port, launched
from deploy.space import assemble
from restoration import image

NOBODY = 65534
"""The user who runs the app where root checks it."""


@contextmanager
def workplace() -> Iterator[Path]:
    """A temporary folder that every user may enter, and that goes even where something in it is read-only."""
    with tempfile.TemporaryDirectory(prefix="restoration-lab-space-") as folder:
        os.chmod(folder, 0o755)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)


def interpreter(folder: Path) -> tuple[Path, Mapping[str, str]]:
    """This Python without its virtual environment, and what it must find in the environment.

    It is copied into ``folder`` where it lies in somebody's home that `NOBODY` may not enter.
    """
    base = Path(sys.base_prefix)
    program = Path("bin") / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in (base, *base.parents)):
        return base / program, {}
    shutil.copytree(base, folder / "python", symlinks=True, ignore=shutil.ignore_patterns("site-packages", "test"))
    return folder / "python" / program, {"LD_LIBRARY_PATH": str(folder / "python" / "lib")}


def install(python: Path, environment: Mapping[str, str], requirements: Path, target: Path) -> Path:
    """The Python of a new virtual environment at ``target`` that has what ``requirements`` names."""
    own = str(target / "bin" / "python")
    pip = [own, "-I", "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    for command in ([str(python), "-m", "venv", str(target)], [*pip, "-U", "pip>=25"], [*pip, "-r", str(requirements)]):
        if subprocess.run(command, env={**os.environ, **environment}).returncode:
            raise SystemExit(f"{requirements.name} cannot be installed; pip says above what is wrong with it.")
    return Path(own)


@contextmanager
def running(python: Path, environment: Mapping[str, str], space: Path, folder: Path) -> Iterator[str]:
    """The address of the app in ``space``, which it may read and no more; ``folder`` gets its HOME and its log."""
    subprocess.run(["chmod", "-R", "a+rX,a-w", space], check=True)
    is_root = os.geteuid() == 0
    user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if is_root else {}
    environment, port = {**environment, "PATH": os.defpath}, free_port()
    for variable, name in (("HOME", "home"), ("TMPDIR", "tmp")):
        environment[variable] = str(folder / name)
        (folder / name).mkdir()
        if is_root:
            os.chown(folder / name, NOBODY, NOBODY)
    environment |= {"SPACE_ID": "somebody/restoration-lab", "GRADIO_SERVER_PORT": str(port)}
    environment |= {"PYTHONUNBUFFERED": "1"}  # so that the log is whole
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            urlopen(address, timeout=10).close()
        except OSError:
            return False
        return True

    with launched([python, "app.py"], folder / "log", answers, cwd=space, env=environment, **user):
        yield address


def restore(address: str, photo: Path, folder: Path) -> float:
    """Let the app restore ``photo``, and look at what comes back; how many seconds it took."""
    client = Client(address, verbose=False, download_files=folder)
    started = time.monotonic()
    restored, *_ = client.predict(handle_file(str(photo)), model="vae", api_name="/restore")
    seconds = time.monotonic() - started
    with Image.open(restored) as opened:
        is_png = opened.format == "PNG"
    result, given = image.load(restored, reduce_to=None), image.load(photo, reduce_to=None)
    if not is_png or result.pixels.shape != given.pixels.shape or (result.pixels == given.pixels).all():
        raise SystemExit(
            f"The app restored nothing: {restored} is no other PNG of its size; see the endpoint /restore."
        )
    return seconds


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """What a folder holds: size and time of each file, by its path."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")
    }


def check(python: Path, environment: Mapping[str, str], space: Path, folder: Path) -> tuple[float, float]:
    """Run the app in ``space``, have it restore a photo; how many seconds it took to start, and to restore."""
    before = contents(space)
    started = time.monotonic()
    with running(python, environment, space, folder) as address:
        answered = time.monotonic()
        seconds = restore(address, space / "assets" / "examples" / "astronaut.jpg", folder)
        try:  # another of this machine's addresses, where what listens on 127.0.0.1 alone does not answer
            urlopen(address.replace("127.0.0.1", "127.0.0.2"), timeout=10).close()
        except OSError as error:
            raise SystemExit(
                "The app does not listen on 0.0.0.0, as it must on a Space; see what app.py makes of SPACE_ID."
            ) from error
    if contents(space) != before:
        raise SystemExit("The app wrote into its own folder, which goes with every restart; let it write to HOME.")
    return answered - started, seconds


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that it, too, stops the app and clears away
    with workplace() as folder:
        size = assemble(folder / "space")
        print(f"The Space's folder: {size / 1e6:.1f} MB.", flush=True)
        started = time.monotonic()
        base, environment = interpreter(folder)
        python = install(base, environment, folder / "space" / "requirements.txt", folder / "venv")
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"Its requirements installed for Python {version}: {time.monotonic() - started:.0f} s.", flush=True)
        start, call = check(python, environment, folder / "space", folder)
        print(f"From the start to the first answer: {start:.1f} s. A photo restored: {call:.1f} s.")


if __name__ == "__main__":
    main()
