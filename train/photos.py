"""Where the photos to learn from lie: tar shards, folders, Kaggle. Only an index is held in memory."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


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


def shard(path: Path) -> list[PhotoFile]:
    """The photos of an uncompressed tar file (WebDataset's layout), in the order of their names."""
    with tarfile.open(path, "r:") as archive:
        members = [member for member in archive if member.isfile() and Path(member.name).suffix.lower() in SUFFIXES]
    return [PhotoFile(m.name, path, m.offset_data, m.size) for m in sorted(members, key=lambda m: m.name)]


def folder(path: Path) -> list[PhotoFile]:
    """The photos of a folder and those below it, in an order that has nothing to do with their names."""
    files = [file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()]
    files.sort(key=lambda file: (zlib.crc32(file.relative_to(path).as_posix().encode()), file))
    return [PhotoFile(file.relative_to(path).as_posix(), file, 0, file.stat().st_size) for file in files]


def find_photos(source: str) -> list[PhotoFile]:
    """The photos of ``source``: a folder of ``train-*.tar`` shards or of photos, or ``kaggle:OWNER/DATASET``."""
    path = download(source.removeprefix("kaggle:")) if source.startswith("kaggle:") else Path(source)
    shards = sorted(path.glob("train-*.tar"))
    photos = [photo for each in shards for photo in shard(each)] if shards else folder(path)
    if not photos:
        raise SystemExit(f"There are neither train-*.tar shards nor photos in {source}.")
    return photos


def download(handle: str) -> Path:
    """A Kaggle dataset's folder; the original project's is ``starktony45/image-dataset``."""
    try:
        import kagglehub
    except ImportError as error:
        raise SystemExit("Photos from Kaggle need its client: pip install kagglehub.") from error
    return Path(kagglehub.dataset_download(handle))


def split(photos: Sequence[PhotoFile]) -> tuple[Sequence[PhotoFile], Sequence[PhotoFile]]:
    """Training photos, and the last 400 (or the last tenth of a small set), left out of training to tune on."""
    if len(photos) < 20:
        raise SystemExit(f"{len(photos)} photos are too few to learn from; give 20 or more.")
    held = min(400, len(photos) // 10)
    return photos[: len(photos) - held], photos[len(photos) - held :]
