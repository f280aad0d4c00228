"""Safetensors whose header claims what the file does not hold."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any


def header_of(path: Path) -> tuple[dict[str, Any], bytes]:
    contents = path.read_bytes()
    end = 8 + struct.unpack("<Q", contents[:8])[0]
    return json.loads(contents[8:end]), contents[end:]


def safetensors_file(header: Any, body: bytes = b"", *, length: int | None = None) -> bytes:
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(written) if length is None else length) + written + body


def one_tensor(shape: list[int], ends: tuple[int, int]) -> dict[str, Any]:
    return {"__metadata__": {"model": "vae"}, "a": {"dtype": "F32", "shape": shape, "data_offsets": ends}}


HEADERS: dict[str, bytes] = {
    "longer than the file": safetensors_file({}, length=90_000_000),
    "of 2**60 bytes": safetensors_file({}, length=2**60),
    "of 2**64 - 1 bytes": safetensors_file({}, length=2**64 - 1),
    "nested lists": safetensors_file(b"[" * 200_000),
    "nested objects": safetensors_file(b'{"a":' * 200_000),
    "no UTF-8": safetensors_file(b'{"\xff": 1}'),
    "a vast shape": safetensors_file(one_tensor([2**40], (0, 2**42)), bytes(8)),
    "a shape that overflows": safetensors_file(one_tensor([2**62, 4], (0, 0))),
    "a vast shape of nothing": safetensors_file(one_tensor([2**40, 0], (0, 0))),
    "a negative side": safetensors_file(one_tensor([-1], (0, 8)), bytes(8)),
    "a hole": safetensors_file(one_tensor([2], (8, 16)), bytes(16)),
    "ends the wrong way round": safetensors_file(one_tensor([2], (8, 0)), bytes(8)),
    "tensors that overlap": safetensors_file({**one_tensor([2], (0, 8)), "b": one_tensor([2], (0, 8))["a"]}, bytes(8)),
    "70 dimensions": safetensors_file(one_tensor([1] * 70, (0, 4)), bytes(4)),
    "100,000 dimensions": safetensors_file(one_tensor([1] * 100_000, (0, 4)), bytes(4)),
    "a model that is a path": safetensors_file({"__metadata__": {"model": "../../etc/passwd"}}),
    "a model that prints": safetensors_file({"__metadata__": {"model": "\x1b[2J\n" * 5000}}),
}
