"""Where photos lie: tar shards, zip files, folders, Kaggle. Only an index is held in memory."""

from __future__ import annotations

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restoration.batch.photos import search
from restoration.image import OUTPUT_SUFFIXES as SUFFIXES  # of eight bits, which is what training decodes


@dataclass(frozen=True)
class PhotoFile:
    """The place of one photo's bytes. They are read at each sight, so a set may be larger than memory: the operating
    system keeps in memory what fits."""

    name: str
    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


def tar_photos(path: Path) -> list[PhotoFile]:
    """The photos of an uncompressed tar file (WebDataset's layout), in the order of their names."""
    with tarfile.open(path, "r:") as archive:
        members = sorted((each for each in archive if each.isfile()), key=lambda each: each.name)
    return [PhotoFile(m.name, path, m.offset_data, m.size) for m in members if m.name.lower().endswith(SUFFIXES)]


def zip_photos(path: Path) -> list[PhotoFile]:
    """The photos of a zip file that only stores them, in the order of their names.

    What lies before a member's bytes is as long as its own header says; the directory's copy may differ.
    """
    photos = []
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for member in sorted(archive.infolist(), key=lambda member: member.filename):
            if not member.filename.lower().endswith(SUFFIXES):
                continue
            if member.compress_type != zipfile.ZIP_STORED:
                raise SystemExit(f"{path} compresses its photos, which gains nothing; store them, as zip -0 does.")
            file.seek(member.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            photos.append(PhotoFile(member.filename, path, file.tell() + name + extra, member.file_size))
    return photos


def folder_photos(path: Path) -> list[PhotoFile]:
    """The photos of a folder and those below it, in an order that has nothing to do with their names."""
    files = (file for file in search(path, but=()).photos if file.name.lower().endswith(SUFFIXES))
    names = {file.relative_to(path).as_posix(): file for file in files}
    shuffled = sorted(names, key=lambda name: (zlib.crc32(name.encode()), name))
    return [PhotoFile(name, names[name], 0, names[name].stat().st_size) for name in shuffled]


def photos_of(path: Path) -> list[PhotoFile]:
    """The photos of one tar or zip file, or of a folder."""
    photos = folder_photos(path) if path.is_dir() else zip_photos(path) if path.suffix == ".zip" else tar_photos(path)
    if not photos:
        raise SystemExit(f"There are no photos in {path}.")
    return photos


def find_photos(source: str) -> list[PhotoFile]:
    """The photos to learn from: a folder of ``train-*.tar`` shards, of zip files or of photos, one such file, or
    ``kaggle:OWNER/DATASET``.

    Zip files hold a photo as ``SHARD/NAME``; however many there are, their photos come in the shards' order, so that
    the same ones are last.
    """
    path = download(source.removeprefix("kaggle:")) if source.startswith("kaggle:") else Path(source)
    if shards := sorted(path.glob("train-*.tar")):
        return [photo for each in shards for photo in tar_photos(each)]
    if archives := sorted(path.glob("*.zip")):
        return sorted((photo for each in archives for photo in zip_photos(each)), key=lambda photo: photo.name)
    return photos_of(path)


def find_large(source: str) -> list[PhotoFile]:
    """The photos of ``large-*.tar`` in a folder: larger than 128 pixels by far, to learn from in pieces."""
    return [photo for each in sorted(Path(source).glob("large-*.tar")) for photo in tar_photos(each)]


def download(handle: str) -> Path:
    """A Kaggle dataset's folder; the original project's is ``starktony45/image-dataset``."""
    try:
        import kagglehub
    except ImportError as error:
        raise SystemExit("Photos from Kaggle need its client: pip install kagglehub.") from error
    return Path(kagglehub.dataset_download(handle))


def split(photos: Sequence[PhotoFile]) -> tuple[Sequence[PhotoFile], Sequence[PhotoFile]]:
    """Training photos, and the last 400 (or the last tenth of a small set), left out of training to tune on."""
    if len(photos) < 10:
        raise SystemExit(f"{len(photos)} photos are too few to learn from; give 10 or more.")
    held = min(400, len(photos) // 10)
    return photos[: len(photos) - held], photos[len(photos) - held :]
