"""A stranger's pickle is read by torch's `weights_only`: tensors and plain containers, never code.

That keeps code out, but not what is made to exhaust the process or to end it, which is refused before torch looks.
"""

from __future__ import annotations

import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

# What torch would print about an odd file on its way to the one sentence that says it.
warnings.filterwarnings("ignore", module=rf"torch\.(serialization|_weights_only_unpickler)|{re.escape(__name__)}")

MAX_TUPLES = 50_000
"""Of one pickle. Python hashes a tuple in tuples without end until its stack is full; a Real-ESRGAN has 3,500."""


def load(file: BinaryIO, *, mmap: str | None = None) -> Any:
    """What the file holds. Raises whatever torch trips over, and `ValueError` for what it should not see.

    With ``mmap``, the file's path, tensors stay on the disk as long as nobody wants them.
    """
    import torch

    for pickle in _pickles(file):
        _check(pickle)
    file.seek(0)
    return torch.load(mmap or file, map_location="cpu", weights_only=True, mmap=bool(mmap))


def mapping(values: Any) -> dict[str, Any]:
    """A mapping of a pickle as a plain one with keys of text, whatever the file made of its methods."""
    if not isinstance(values, Mapping):
        raise ValueError("no mapping")
    plain: dict[Any, Any] = dict(dict.items(values))  # type: ignore[arg-type]
    if not all(isinstance(key, str) for key in plain):
        raise ValueError("keys that are no text")
    return plain


def _pickles(file: BinaryIO) -> Iterator[Any]:
    """The pickles in a file of torch's: a zip archive, or five in a row before PyTorch 1.6."""
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        file.seek(0)
        for _ in range(5):
            yield file
        return
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ValueError("compressed, as torch writes no file")
        if sum(member.file_size for member in members) > file.seek(0, 2):
            raise ValueError("parts that share their bytes")
        if any(member.filename.endswith("constants.pkl") for member in members):
            raise ValueError("a program for torch, not weights")
        for member in members:
            if member.filename.endswith(".pkl"):
                yield archive.read(member)


def _check(pickle: Any) -> None:
    tuples = 0
    for opcode, argument, _ in pickletools.genops(pickle):
        tuples += opcode.name.startswith("TUPLE")
        if tuples > MAX_TUPLES or (isinstance(argument, str) and "bytearray" in argument):
            raise ValueError("more than weights need")
