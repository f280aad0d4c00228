"""Zip archives of photos: what of one may be read, one file at a time, and the archive that results go into."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ..errors import PhotoError
from ..files import MAX_NAME, legible, shortened, write_aside
from ..image import OUTPUT_SUFFIXES
from .photos import HEAD, is_litter, is_photo

MAX_MEMBERS = 1000
MAX_MEMBER_BYTES = 100_000_000
MAX_BYTES = 2_000_000_000  # of all members together, unpacked
MAX_DIRECTORY_BYTES = 2_000_000  # 1000 members, their long names and as much litter
MAX_PATH_BYTES = 1000
CHUNK = 1 << 20  # bytes read at once

# zipfile bounds what one reading unpacks for these only; few other programs read the other methods anyway. Deflate
# gives at most 1032 bytes for one, so that with the limits above there is no need to look at the ratio.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
NESTED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
TRICKS = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    ``name`` is its path there, relative and without any ``..``, with ``/`` between folders. ``refusal`` says why the
    file is not read, where that shows before reading; a refused member's name is for showing only.
    """

    archive: Path
    name: str
    info: zipfile.ZipInfo
    refusal: PhotoError | None


def members(archive: Path) -> list[Member]:
    """The files of ``archive`` and of all its folders in the order of their names, but for what systems leave there.

    Reads the archive's directory, and how those files begin whose names are no photos'. Raises `PhotoError` where
    nothing of the archive should be read: it is no zip, or damaged, or has no files, more than 1000, more than 2 GB of
    photos, or files that share their bytes.
    """
    files = [(_name(info), info) for info in _directory(archive) if not info.filename.endswith("/")]
    files = [(name, info) for name, info in files if not is_litter(name)]
    if not files:
        raise PhotoError("archive_empty", name=archive.name)
    if len(files) > MAX_MEMBERS:
        raise PhotoError("archive_too_many", name=archive.name, most=MAX_MEMBERS)
    found: list[Member] = []
    last = None
    with _opened(archive) as opened:
        for name, info in sorted(files, key=lambda file: file[0]):
            refusal = PhotoError("archive_repeated", name=name) if name == last else _refusal(name, info)
            if not refusal and not is_photo(name, partial(_head, opened, info)):
                refusal = PhotoError("archive_no_photo", name=name)
            last = name
            found.append(Member(archive, refusal.fields["name"] if refusal else name, info, refusal))
    if sum(member.info.file_size for member in found if not member.refusal) > MAX_BYTES:
        raise PhotoError("archive_too_large", name=archive.name, most=MAX_BYTES // 10**6)
    return found


@contextmanager
def extracted(member: Member, folder: Path | None = None) -> Iterator[Path]:
    """The member as a temporary file of its own name, somewhere in ``folder``, or where the system has such files.

    Raises `PhotoError`: the member's refusal, or one that shows in reading: it is damaged, or an archive itself.
    """
    if member.refusal:
        raise member.refusal
    with TemporaryDirectory(dir=folder) as own:
        path = Path(own) / shortened(PurePosixPath(member.name).name)
        with path.open("wb") as file:
            for chunk in _contents(member):
                file.write(chunk)
        yield path


def pack(archive: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write the files, each with its path in it, to a zip archive that appears whole or not at all.

    The same files in the same order give the same archive: every one is dated 1980. Pictures, which are compressed
    already, are stored as they are. ``files`` may make each when it is asked for it.
    """
    aside = write_aside(archive, b"")
    try:
        with zipfile.ZipFile(aside, "w") as out:
            for name, contents in files:
                info = zipfile.ZipInfo(name)
                is_picture = name.lower().endswith(OUTPUT_SUFFIXES)
                info.compress_type = zipfile.ZIP_STORED if is_picture else zipfile.ZIP_DEFLATED
                info.create_system, info.external_attr = 3, (stat.S_IFREG | 0o644) << 16
                out.writestr(info, contents)
        os.replace(aside, archive)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


class _Reader(io.FileIO):
    """An archive's file. zipfile reads and parses a directory of any size before its entries can be counted."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise PhotoError("archive_too_many", name=Path(str(self.name)).name, most=MAX_MEMBERS)
        return super().read(size)


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    with _Reader(archive) as file, zipfile.ZipFile(file) as opened:
        yield opened


def _directory(archive: Path) -> list[zipfile.ZipInfo]:
    try:
        with _opened(archive) as opened:
            infos = opened.infolist()
    except PhotoError:
        raise
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise PhotoError("archive_unreadable", name=archive.name) from None
    except Exception as error:  # zipfile raises whatever a damaged directory makes it trip over
        raise PhotoError("archive_damaged", name=archive.name) from error
    ordered = sorted(infos, key=lambda info: info.header_offset)
    if any(one.header_offset + 30 + one.compress_size > other.header_offset for one, other in pairwise(ordered)):
        # How a small archive becomes a bomb without nesting; 30 bytes are the shortest header.
        raise PhotoError("archive_overlap", name=archive.name)
    return infos


def _contents(member: Member) -> Iterator[bytes]:
    """The member's bytes; soon over where they exceed the declared size, which is checked before."""
    left = member.info.file_size
    try:
        with _opened(member.archive) as opened, opened.open(member.info) as source:
            while left >= 0 and (chunk := source.read(CHUNK)):
                if left == member.info.file_size and chunk.startswith((b"PK\x03\x04", b"PK\x05\x06")):
                    raise PhotoError("archive_nested", name=member.name)
                left -= len(chunk)
                yield chunk
            if left:
                raise zipfile.BadZipFile("declared with another size")
    except PhotoError:
        raise
    except Exception as error:  # whatever damaged data make the unpackers trip over
        raise PhotoError("archive_member_damaged", name=member.name) from error


def _head(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """How a member begins; nothing where that is damaged."""
    with suppress(Exception), opened.open(info) as source:
        return source.read(HEAD)
    return b""


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: zipfile takes all that does not say that it is UTF-8 for cp437, as Windows writes it.

    Many programs write UTF-8 without saying so, and others the bytes that the name has on their disk: cp1252's letters
    lie where cp437 draws lines.
    """
    name = info.filename
    if not info.flag_bits & 0x800:
        with suppress(UnicodeEncodeError):  # of a name in the Unicode path field
            raw = name.encode("cp437")
            meant = legible(raw.decode("utf-8", "surrogateescape"))
            name = meant if meant.encode() == raw or max(raw) >= 0xC0 else name
    return str(PurePosixPath(name))


def _refusal(name: str, info: zipfile.ZipInfo) -> PhotoError | None:
    """Why a member is not read, from the archive's directory alone."""
    leaves = ".." in PurePosixPath(name).parts or re.match("/|[A-Za-z]:", name)
    if leaves or TRICKS.search(info.orig_filename + name):
        return PhotoError("archive_path", name=TRICKS.sub("?", name)[-MAX_NAME:])
    if len(name.encode()) > MAX_PATH_BYTES:
        return PhotoError("archive_long_name", name=f"{name[:40]}...")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return PhotoError("archive_special", name=name)
    if name.lower().endswith(NESTED):
        return PhotoError("archive_nested", name=name)
    if info.flag_bits & 0x1:
        return PhotoError("archive_encrypted", name=name)
    if info.compress_type not in METHODS:
        return PhotoError("archive_method", name=name)
    if info.file_size > MAX_MEMBER_BYTES:
        return PhotoError("archive_large_file", name=name, most=MAX_MEMBER_BYTES // 10**6)
    return None
