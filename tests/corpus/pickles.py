"""Checkpoints whose pickle holds code, or misuses the names that a pickle of tensors may have."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

from restoration import checkpoints


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def text(string: str) -> bytes:
    return b"X" + struct.pack("<I", len(string.encode())) + string.encode()


def number(value: int) -> bytes:
    written = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(written)]) + written


def several(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + several(*arguments) + b"R"


def storage(count: int = 8, key: str = "0", where: str = "cpu") -> bytes:
    return several(text("storage"), named("torch", "FloatStorage"), text(key), text(where), number(count)) + b"Q"


def tensor(size: int = 8, stride: int = 1, offset: int = 0, held: bytes = storage()) -> bytes:
    hooks = call(named("collections", "OrderedDict"))
    rebuild = named("torch._utils", "_rebuild_tensor_v2")
    return call(rebuild, held, number(offset), several(number(size)), several(number(stride)), b"\x89", hooks)


def state_dict(value: bytes, key: bytes = text(checkpoints.PARTS["gan"][0]), more: bytes = b"") -> bytes:
    """A checkpoint of the original's GAN, were it not for its shapes."""
    return b"}" + text("gen_state_dict") + call(named("collections", "OrderedDict")) + key + value + b"s" + more + b"s"


def in_zip(pickled: bytes) -> bytes:
    """As torch has saved since 1.6; the storage 0 holds eight numbers."""
    files = {"data.pkl": b"\x80\x02" + pickled + b".", "byteorder": b"little", "data/0": bytes(32), "version": b"3\n"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        for name, contents in files.items():
            opened.writestr(f"archive/{name}", contents)
    return out.getvalue()


def in_sequence(pickled: bytes) -> bytes:
    """As torch saved before."""
    sizes = {"short": 2, "int": 4, "long": 4}
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": sizes}
    before = b"".join(pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, system))
    return before + b"\x80\x02" + pickled + b"." + pickle.dumps([], 2)


def repacked(contents: bytes, more: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A checkpoint with other members: changed, or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(contents)) as old, zipfile.ZipFile(out, "w", method) as new:
        for info in old.infolist():
            new.writestr(info.filename, more.get(info.filename) or old.read(info))
        for name in more.keys() - set(old.namelist()):
            new.writestr(name, more[name])
    return out.getvalue()


TOUCH = text("touch executed")
CODE: dict[str, bytes] = {
    "os.system": call(named("os", "system"), TOUCH),
    "posix.system": call(named("posix", "system"), TOUCH),
    "by STACK_GLOBAL": b"\x8c\x05posix\x8c\x06system\x93" + TOUCH + b"\x85R",
    "by INST": b"(" + TOUCH + b"iposix\nsystem\n",
    "by OBJ": b"(" + named("posix", "system") + TOUCH + b"o",
    "by NEWOBJ": named("subprocess", "Popen") + TOUCH + b"\x85\x81",
    "by EXT1": b"\x82\x01",
    "eval": call(named("builtins", "eval"), text("open('executed', 'w')")),
    "getattr": call(named("builtins", "getattr"), call(named("collections", "OrderedDict")), text("__class__")),
    "copyreg": call(named("copyreg", "_reconstructor"), named("pathlib", "Path"), named("builtins", "object"), b"N"),
    "torch.load": call(named("torch", "load"), text("outside.pth")),
    "torch.hub": call(named("torch.hub", "load"), text("somebody/code"), text("model")),
    "_load_from_bytes": call(named("torch.storage", "_load_from_bytes"), text("x")),
    "runpy": call(named("runpy", "run_path"), text("outside.py")),
    "numpy": call(named("numpy", "load"), text("outside.npy")),
    "a subclass": call(named("torch._tensor", "_rebuild_from_type_v2"), named("posix", "system"), TOUCH, b")", b"N"),
    "in the state of a tensor": state_dict(tensor() + b"}" + text("__class__") + named("posix", "system") + b"sb"),
}
NESTED = b")" + b"\x85" * 200_000
"""A tuple in a tuple in a tuple."""
MISUSE: dict[str, bytes] = {
    "too few tensors": state_dict(tensor()),  # so that the others are refused for what is wrong with them
    "a stride backwards": state_dict(tensor(2, -(10**9))),
    "a vast stride": state_dict(tensor(4, 2**62)),
    "an offset behind the end": state_dict(tensor(offset=10**9)),
    "an offset before the start": state_dict(tensor(offset=-(10**9))),
    "a vast size": state_dict(tensor(10**12)),
    "a vast size of one number": state_dict(tensor(10**12, 0)),
    "a negative size": state_dict(tensor(-1)),
    "a vast storage": state_dict(tensor(held=storage(2**50))),
    "a storage that is a path": state_dict(tensor(held=storage(key="../../outside"))),
    "a storage on a device that is none": state_dict(tensor(held=storage(where="cuda:99"))),
    "a storage without numbers": state_dict(tensor(held=storage(where="meta"))),
    "a vast wrapper": state_dict(
        call(named("torch._utils", "_rebuild_meta_tensor_no_storage"), named("torch", "float32"))
    ),
    "a vast bytearray": call(named("builtins", "bytearray"), number(2**34)),
    "a vast tensor of a class": call(named("torch", "FloatTensor"), number(2**40)),
    "a vast storage of a class": call(named("torch.storage", "UntypedStorage"), number(2**40)),
    "a large bytearray": state_dict(tensor(), more=text("more") + call(named("builtins", "bytearray"), number(2**28))),
    "a method that is a number": call(named("collections", "OrderedDict")) + b"}" + text("get") + number(5) + b"sb",
    "methods that are numbers": state_dict(tensor(), more=b"}" + text("values") + number(5) + b"sb"),
    "keys that are numbers": state_dict(tensor(), more=number(5) + tensor() + b"s"),
    "keys that print": state_dict(tensor(), more=text("\x1b[2J\n{x}") + tensor() + b"s"),
    "keys in keys": state_dict(tensor(), key=NESTED),
    "values in values": state_dict(NESTED),
    "itself": b"}q\x00" + text("params") + b"h\x00s",
    "nothing": b"N",
    "a tensor alone": tensor(),
    "a text longer than the file": b"X" + struct.pack("<I", 2**32 - 1),
}
