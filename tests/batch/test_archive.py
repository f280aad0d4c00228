from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from restoration import PhotoError
from restoration.batch import archive
from tests.conftest import EXAMPLES

PHOTO = (EXAMPLES / "astronaut.jpg").read_bytes()
OTHER = (EXAMPLES / "chelsea.jpg").read_bytes()
File = tuple[str, bytes]


def zipped(path: Path, files: Sequence[File | tuple[zipfile.ZipInfo, bytes]]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        warnings.simplefilter("ignore")  # names that come twice
        for name, contents in files:
            out.writestr(name, contents)
    return path


def patched(path: Path, name: str, at: int, value: bytes, *, local: int | None = None) -> Path:
    """Change a member's entry in the archive's directory, and its local header where ``local`` says at which byte."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as opened:
        start, header = opened.start_dir, opened.getinfo(name).header_offset
    entry = data.index(name.encode(), start) - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    data[entry + at : entry + at + len(value)] = value
    if local is not None:
        data[header + local : header + local + len(value)] = value
    path.write_bytes(data)
    return path


def unpacked(path: Path) -> dict[str, bytes | str]:
    """Every member: its bytes, or what is said of it. Nothing may be written outside of the one folder, or stay."""
    place = path.parent / "place"
    place.mkdir()
    around = {p: p.read_bytes() for p in path.parent.rglob("*") if p.is_file()}
    found: dict[str, bytes | str] = {}
    for member in archive.members(path):
        assert member.name not in found
        refusal = None
        try:
            with archive.extracted(member, place) as file:
                assert place in file.resolve().parents
                assert member.name.rpartition("/")[2].startswith(file.name)
                assert [p for p in path.parent.rglob("*") if p.is_file() and p not in around] == [file]
                found[member.name] = file.read_bytes()
        except PhotoError as error:
            refusal = error
        if refusal:
            found[member.name] = said = str(refusal)
            assert refusal.code.startswith("archive_")
            assert refusal.fields["name"] == member.name
            assert "\n" not in said
    assert {p: p.read_bytes() for p in path.parent.rglob("*") if p.is_file()} == around
    assert list(place.iterdir()) == []
    return found


def refused(path: Path, code: str) -> str:
    with pytest.raises(PhotoError) as error:
        archive.members(path)
    assert error.value.code == code
    assert path.name in str(error.value)
    assert str(path.parent) not in str(error.value)
    return str(error.value)


# --- Good members -----------------------------------------------------------------------------------------------------


def test_photos_come_out_byte_for_byte_sorted_with_their_folders(tmp_path: Path) -> None:
    files = [("z.JPG", PHOTO), ("album/b/2.jpg", OTHER), ("./album/1.jpeg", PHOTO), ("album/", b""), ("10.jpg", OTHER)]
    path = zipped(tmp_path / "photos.zip", files)
    assert list(unpacked(path).items()) == [
        ("10.jpg", OTHER),
        ("album/1.jpeg", PHOTO),
        ("album/b/2.jpg", OTHER),
        ("z.JPG", PHOTO),
    ]


def test_stored_members_are_read_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w", zipfile.ZIP_STORED) as out:
        out.writestr("a.jpg", PHOTO)
        out.writestr("big.bmp", bytes(5_000_000))
    assert unpacked(tmp_path / "photos.zip") == {"a.jpg": PHOTO, "big.bmp": bytes(5_000_000)}


def test_what_systems_leave_in_folders_is_passed_over(tmp_path: Path) -> None:
    litter = ["__MACOSX/._a.jpg", ".DS_Store", "album/.DS_Store", "album/Thumbs.db", "desktop.ini", ".git/x.png"]
    path = zipped(tmp_path / "photos.zip", [("a.jpg", PHOTO), *((name, OTHER) for name in litter)])
    assert unpacked(path) == {"a.jpg": PHOTO}


def as_bytes(path: Path, name: bytes, flag: int) -> Path:
    """An archive whose one name is these very bytes."""
    plain = "n" * len(name)
    zipped(path, [(plain, PHOTO)])
    path.write_bytes(path.read_bytes().replace(plain.encode(), name))
    data = bytearray(path.read_bytes())
    for header, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        where = data.rindex(header) + at
        data[where : where + 2] = struct.pack("<H", flag)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("raw", "flag", "name"),
    [
        ("Été/雪 ☃.jpg".encode(), 0x800, "Été/雪 ☃.jpg"),
        ("Été/雪 ☃.jpg".encode(), 0, "Été/雪 ☃.jpg"),  # as macOS writes it
        ("Été.jpg".encode("cp437"), 0, "Été.jpg"),
        ("caf\xe9, 1 \u0153uvre.jpg".encode("cp1252"), 0, "café, 1 œuvre.jpg"),  # as it lay on an older disk
        (b"\xff\x81.jpg", 0, "ÿ\ufffd.jpg"),
        ("at 3.00\u202fPM.jpg".encode(), 0x800, "at 3.00\u202fPM.jpg"),
    ],
)
def test_names_in_any_encoding(tmp_path: Path, raw: bytes, flag: int, name: str) -> None:
    assert unpacked(as_bytes(tmp_path / "photos.zip", raw, flag)) == {name: PHOTO}


def test_a_name_that_belies_its_encoding_is_damage(tmp_path: Path) -> None:
    refused(as_bytes(tmp_path / "photos.zip", b"\xff\xfe\xfd.jpg", 0x800), "archive_damaged")


# --- Bad members, and a good one among them ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.jpg", "a/../../evil.jpg", "album/../a.jpg", "a/..", "/evil.jpg", "//evil.jpg"),
        *("C:/evil.jpg", "c:evil.jpg", "..\\evil.jpg", "a\\b.jpg", "\\\\host\\evil.jpg", "a\nb.jpg", "\x1b[2J.jpg"),
        "../" * 5000 + "evil.jpg",
    ],
)
def test_path_tricks(tmp_path: Path, name: str) -> None:
    found = unpacked(zipped(tmp_path / "photos.zip", [(name, OTHER), ("ok.jpg", PHOTO)]))
    assert found.pop("ok.jpg") == PHOTO
    ((shown, said),) = found.items()
    assert said == f"{shown} does not name a place inside the archive; rename it."
    assert shown.isprintable()
    assert len(shown) <= 255


def test_a_nul_does_not_cut_a_name_off(tmp_path: Path) -> None:
    found = unpacked(as_bytes(tmp_path / "photos.zip", b"evil.jpg\x00.txt", 0))
    assert found == {"evil.jpg": "evil.jpg does not name a place inside the archive; rename it."}


def test_the_unicode_path_field_is_looked_at_too(tmp_path: Path) -> None:
    """Newer zipfiles take the name from it."""
    info = zipfile.ZipInfo("plain.jpg")
    trick = b"\x01" + struct.pack("<L", zlib.crc32(b"plain.jpg")) + b"..\\evil.jpg"
    info.extra = struct.pack("<HH", 0x7075, len(trick)) + trick
    path = zipped(tmp_path / "photos.zip", [(info, PHOTO)])
    assert unpacked(path) in (
        {"plain.jpg": PHOTO},
        {"..?evil.jpg": "..?evil.jpg does not name a place inside the archive; rename it."},
    )


@pytest.mark.parametrize("name", ["album/" * 200 + "a.jpg", "n" * 60_000])
def test_names_too_long(tmp_path: Path, name: str) -> None:
    found = unpacked(zipped(tmp_path / "photos.zip", [(name, OTHER), ("a.jpg", PHOTO)]))
    assert found == {f"{name[:40]}...": f"{name[:40]}... has too long a name; shorten it.", "a.jpg": PHOTO}


@pytest.mark.parametrize("name", ["n" * 300 + ".jpg", "雪" * 90 + ".jpg"])
def test_names_that_other_disks_hold(tmp_path: Path, name: str) -> None:
    """A Mac's hold 255 signs."""
    assert unpacked(zipped(tmp_path / "photos.zip", [(name, PHOTO)])) == {name: PHOTO}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR])
def test_links_and_special_files(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("link.jpg")
    info.external_attr = (kind | 0o777) << 16
    found = unpacked(zipped(tmp_path / "photos.zip", [(info, b"/etc/passwd"), ("ok.jpg", PHOTO)]))
    assert found == {"link.jpg": "link.jpg is a link or no file at all; pack the photo itself.", "ok.jpg": PHOTO}


def test_encrypted_members(tmp_path: Path) -> None:
    path = zipped(tmp_path / "photos.zip", [("a.jpg", OTHER), ("ok.jpg", PHOTO)])
    found = unpacked(patched(path, "a.jpg", 8, b"\x01\x00", local=6))
    assert found == {"a.jpg": "a.jpg is encrypted; pack it without a password.", "ok.jpg": PHOTO}


@pytest.mark.parametrize("method", [6, 9, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93, 99])
def test_other_compressions(tmp_path: Path, method: int) -> None:
    path = zipped(tmp_path / "photos.zip", [("a.jpg", OTHER), ("ok.jpg", PHOTO)])
    found = unpacked(patched(path, "a.jpg", 10, struct.pack("<H", method), local=8))
    assert found == {
        "a.jpg": "a.jpg is compressed in a way that is not read here; pack it as an ordinary zip.",
        "ok.jpg": PHOTO,
    }


@pytest.mark.parametrize(
    "name", ["b.zip", "b.ZIP", "b.tar", "b.tar.gz", "b.tgz", "b.bz2", "b.xz", "b.7z", "b.rar", "b.zst"]
)
def test_nested_archives_by_name(tmp_path: Path, name: str) -> None:
    found = unpacked(zipped(tmp_path / "photos.zip", [(name, b"any"), ("ok.jpg", PHOTO)]))
    assert found == {name: f"{name} is an archive itself; unpack it first.", "ok.jpg": PHOTO}


@pytest.mark.parametrize("files", [[("x.jpg", PHOTO)], []], ids=["zip", "empty zip"])
def test_a_nested_archive_under_another_name(tmp_path: Path, files: list[File]) -> None:
    inner = zipped(tmp_path / "inner", files).read_bytes()
    found = unpacked(zipped(tmp_path / "photos.zip", [("b.jpg", inner), ("ok.jpg", PHOTO)]))
    assert found == {"b.jpg": "b.jpg is an archive itself; unpack it first.", "ok.jpg": PHOTO}


@pytest.mark.parametrize("name", ["notes.txt", "photo", "jpg"])
def test_no_photos(tmp_path: Path, name: str) -> None:
    found = unpacked(zipped(tmp_path / "photos.zip", [(name, b"any"), ("ok.jpg", PHOTO)]))
    assert found.pop("ok.jpg") == PHOTO
    assert found == {
        name: f"{name} is no photo, or of a kind that is not read here; leave it out, or save it as PNG or JPEG."
    }


def test_photos_are_known_by_their_contents(tmp_path: Path) -> None:
    files = dict.fromkeys(("a.JPG_large", "b.jfif", "c", "d.txt"), PHOTO)
    assert unpacked(zipped(tmp_path / "photos.zip", [*files.items()])) == files


def test_what_is_damaged_where_it_begins_is_no_photo(tmp_path: Path) -> None:
    path = patched(
        zipped(tmp_path / "photos.zip", [("a", PHOTO), ("ok.jpg", PHOTO)]), "a", 42, struct.pack("<L", 10**9)
    )
    assert [member.refusal and member.refusal.code for member in archive.members(path)] == ["archive_no_photo", None]


def test_the_second_of_one_name_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "photos.zip", [("a.jpg", PHOTO), ("a.jpg", OTHER), ("./a.jpg", OTHER)])
    first, *rest = archive.members(path)
    assert first.refusal is None
    assert [str(member.refusal) for member in rest] == ["a.jpg is in the archive twice; rename the second one."] * 2
    with archive.extracted(first, tmp_path) as file:
        assert file.read_bytes() == PHOTO


DAMAGED = "a.jpg is damaged in the archive; make or download it again."


def test_a_bad_checksum(tmp_path: Path) -> None:
    path = zipped(tmp_path / "photos.zip", [("a.jpg", OTHER), ("ok.jpg", PHOTO)])
    assert unpacked(patched(path, "a.jpg", 16, b"\0\0\0\0")) == {"a.jpg": DAMAGED, "ok.jpg": PHOTO}


def test_bytes_that_cannot_be_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "photos.zip", [("a.jpg", OTHER), ("ok.jpg", PHOTO)])
    data = bytearray(path.read_bytes())
    data[100:5000] = b"\xff" * 4900
    path.write_bytes(data)
    assert unpacked(path) == {"a.jpg": DAMAGED, "ok.jpg": PHOTO}


def test_a_member_that_lies_somewhere_else(tmp_path: Path) -> None:
    path = zipped(tmp_path / "photos.zip", [("a.jpg", OTHER), ("ok.jpg", PHOTO)])
    assert unpacked(patched(path, "a.jpg", 42, struct.pack("<L", 10**9))) == {"a.jpg": DAMAGED, "ok.jpg": PHOTO}


# --- Bombs ------------------------------------------------------------------------------------------------------------

ZEROS = bytes(archive.MAX_MEMBER_BYTES + 1)


def test_a_bomb_that_says_so_is_not_opened(tmp_path: Path) -> None:
    path = zipped(tmp_path / "photos.zip", [("a.png", ZEROS), ("ok.jpg", PHOTO)])
    assert path.stat().st_size < 300_000
    assert archive.members(path)[0].refusal is not None
    assert unpacked(path) == {"a.png": "a.png has more than 100 MB; make it smaller.", "ok.jpg": PHOTO}


def test_a_bomb_that_claims_to_be_small_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "photos.zip", [("a.jpg", ZEROS), ("ok.jpg", PHOTO)])
    patched(path, "a.jpg", 24, struct.pack("<L", 1000), local=22)
    read = 0
    plain = zipfile.ZipExtFile.read

    def counted(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        nonlocal read
        chunk = plain(self, n)
        read += len(chunk) if self.name == "a.jpg" else 0
        return chunk

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    assert unpacked(path) == {"a.jpg": DAMAGED, "ok.jpg": PHOTO}
    assert read <= 1000


def test_the_size_is_held_to_whatever_zipfile_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= 1 << 20
            Endless.given += size
            assert Endless.given < 10_000_000, "read on and on"
            return bytes(size)

    (member,) = archive.members(zipped(tmp_path / "photos.zip", [("a.jpg", bytes(3_000_000))]))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: Endless())
    with pytest.raises(PhotoError, match="damaged"), archive.extracted(member, tmp_path):
        pass
    assert 3_000_000 < Endless.given < 6_000_000
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: io.BytesIO(bytes(2_999_999)))
    with pytest.raises(PhotoError, match="damaged"), archive.extracted(member, tmp_path):
        pass


def test_too_much_together(tmp_path: Path) -> None:
    """As declared, before anything is read; refused members, which nobody reads, do not count."""
    files = [(f"{i:02}.jpg", PHOTO) for i in range(22)]
    path = zipped(tmp_path / "photos.zip", files)
    for name, _ in files[:20]:
        patched(path, name, 24, struct.pack("<L", 99_990_000))
    assert len(archive.members(path)) == 22
    patched(path, files[20][0], 24, struct.pack("<L", 300_000_000))
    assert len(archive.members(path)) == 22
    patched(path, files[20][0], 24, struct.pack("<L", 99_990_000))
    assert refused(path, "archive_too_large") == (
        "photos.zip holds more than 2000 MB of photos; split it into smaller archives."
    )


def test_files_that_share_their_bytes(tmp_path: Path) -> None:
    path = zipped(tmp_path / "photos.zip", [("a.jpg", PHOTO), ("b.jpg", OTHER)])
    with zipfile.ZipFile(path) as opened:
        second = opened.getinfo("b.jpg").header_offset
    patched(path, "b.jpg", 42, struct.pack("<L", second - 6))
    assert refused(path, "archive_overlap") == (
        "photos.zip has files that share the same bytes, as no sound archive does; make it again."
    )
    patched(path, "b.jpg", 42, struct.pack("<L", 0))
    refused(path, "archive_overlap")


def test_too_many_members(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "photos.zip", [(f"{i:04}.jpg", b"") for i in range(1000)] + [(".DS_Store", b""), ("d/", b"")]
    )
    assert len(archive.members(path)) == 1000
    zipped(path, [(f"{i:04}.jpg", b"") for i in range(1001)])
    assert refused(path, "archive_too_many") == ("photos.zip has more than 1000 files; split it into smaller archives.")


def test_a_huge_directory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "photos.zip", [(f"{i:060}/", b"") for i in range(20_000)])
    monkeypatch.setattr(zipfile.ZipInfo, "__init__", lambda *_: pytest.fail("an entry was made of it"))
    refused(path, "archive_too_many")


# --- Archives that are none -------------------------------------------------------------------------------------------


def test_no_zip(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    whole = zipped(path, [("a.jpg", PHOTO), ("b.jpg", OTHER)]).read_bytes()
    for contents in (b"", b"PK", PHOTO, whole[:-1], whole[:-30], whole[: len(whole) // 2], b"Rar!\x1a\x07\x00" * 100):
        path.write_bytes(contents)
        assert refused(path, "archive_damaged") == (
            "photos.zip is not a zip archive, or is damaged or incomplete; make or download it again."
        )


def test_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "none.zip", "archive_unreadable")
    refused(tmp_path, "archive_unreadable")


def test_no_members(tmp_path: Path) -> None:
    path = zipped(tmp_path / "photos.zip", [(".DS_Store", b""), ("album/", b"")])
    assert refused(path, "archive_empty") == "photos.zip has no files in it; put photos into it."


def test_damage_anywhere_is_a_sentence(tmp_path: Path) -> None:
    """Every byte of the structure in turn: whatever becomes of the others, nothing but our own errors is raised."""
    path = tmp_path / "photos.zip"
    whole = zipped(path, [("a.jpg", b"any" * 9), ("b.jpg", b"any" * 9)]).read_bytes()
    for at in range(len(whole)):
        for value in (0, 255, whole[at] ^ 1):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            try:
                for member in archive.members(path):
                    with archive.extracted(member, tmp_path) as file:
                        assert len(file.read_bytes()) == 27
            except PhotoError:
                pass
    assert list(tmp_path.iterdir()) == [path]


# --- Writing ----------------------------------------------------------------------------------------------------------


def test_results_come_back_from_the_archive(tmp_path: Path) -> None:
    files = [("z.png", PHOTO), ("album/é.jpg", OTHER), ("report.json", b"{}" * 5000)]
    path = tmp_path / "out" / "results.zip"
    archive.pack(path, iter(files))
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        assert [(name, opened.read(name)) for name in opened.namelist()] == files
        infos = opened.infolist()
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert [info.compress_type for info in infos] == [zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
    assert [stat.filemode(info.external_attr >> 16) for info in infos] == ["-rw-r--r--"] * 3
    assert list(unpacked(path)) == ["album/é.jpg", "report.json", "z.png"]


def test_equal_results_give_equal_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.pack(tmp_path / "1.zip", [("a.png", PHOTO), ("b.csv", b"1,2")])
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr("sys.platform", "win32")
    archive.pack(tmp_path / "2.zip", [("a.png", PHOTO), ("b.csv", b"1,2")])
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_an_archive_is_never_half_there(tmp_path: Path) -> None:
    path = tmp_path / "results.zip"
    path.write_bytes(b"earlier")

    def files() -> Iterator[File]:
        yield "a.png", PHOTO
        assert path.read_bytes() == b"earlier"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.pack(path, files())
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]
