"""What a file says of its photo comes back, and is written into results."""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from restoration import Photo, image, metadata
from restoration.types import Details
from tests.conftest import EXAMPLES

pillow_heif.register_heif_opener()  # to write such files here
ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SIGNED_RATIONAL = 2, 3, 4, 5, 7, 10
Tags = Mapping[int, tuple[int, int, bytes]]
DESCRIPTION = "Grand-mère à Łódź, 1938"
LATITUDE = struct.pack(">6I", 51, 1, 46, 1, 2999, 100)
PHOTO: Tags = {
    270: (ASCII, len(DESCRIPTION.encode()) + 1, DESCRIPTION.encode() + b"\0"),
    271: (ASCII, 6, b"Leica\0"),
    274: (SHORT, 1, struct.pack(">H", 6)),
    282: (RATIONAL, 1, struct.pack(">2I", 72, 1)),
    306: (ASCII, 20, b"1998:07:14 10:20:30\0"),
    33432: (ASCII, 4, b"Me!\0"),
    700: (1, 8, b"<xmp ..>"),
}
CAMERA: Tags = {
    33434: (RATIONAL, 1, struct.pack(">2I", 1, 125)),
    36867: (ASCII, 20, b"1998:07:14 10:20:30\0"),
    37380: (SIGNED_RATIONAL, 1, struct.pack(">2i", 0, 3)),
    37396: (SHORT, 2, struct.pack(">2H", 1234, 987)),
    37500: (UNDEFINED, 3000, b"notes" * 600),
    37510: (UNDEFINED, 13, b"ASCII\0\0\0hello"),
    40961: (SHORT, 1, struct.pack(">H", 65_535)),
    40962: (LONG, 1, struct.pack(">I", 6000)),
    42033: (ASCII, 8, b"1234567\0"),
    42036: (ASCII, 4, b"35f\0"),
}
PLACE: Tags = {1: (ASCII, 2, b"N\0"), 2: (RATIONAL, 3, LATITUDE)}


def segment(photo: Tags = PHOTO, camera: Tags = CAMERA, place: Tags = PLACE) -> bytes:
    """EXIF data as a camera writes them, with a small picture of 2,000 bytes after them."""

    def directory(tags: Tags, start: int, following: int = 0) -> bytes:
        values_at, entries, values = start + 2 + 12 * len(tags) + 4, b"", b""
        for tag, (kind, count, value) in sorted(tags.items()):
            place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(">I", values_at + len(values))
            values += value if len(value) > 4 else b""
            entries += struct.pack(">HHI", tag, kind, count) + place
        return struct.pack(">H", len(tags)) + entries + struct.pack(">I", following) + values

    pointed = {34665: camera, 34853: place}
    at = 8 + len(directory({**photo, **dict.fromkeys(pointed, (LONG, 1, bytes(4)))}, 8))
    first, rest = dict(photo), b""
    for pointer, tags in pointed.items():
        first[pointer] = LONG, 1, struct.pack(">I", at + len(rest))
        rest += directory(tags, at + len(rest))
    end = at + len(rest)
    small = {513: (LONG, 1, struct.pack(">I", end + 30)), 514: (LONG, 1, struct.pack(">I", 2000))}
    thumbnail = directory(small, end) + b"\xff\xd8" + bytes(1998)
    return b"Exif\0\0MM\0*\0\0\0\x08" + directory(first, 8, end) + rest + thumbnail


def source() -> Image.Image:
    return Image.open(EXAMPLES / "astronaut.jpg").resize((96, 64))


def loaded(path: Path, **options: Any) -> Photo:
    source().save(path, **options)
    return image.load(path)


def read(exif: bytes) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    """By Pillow, which had no part in writing it."""
    found = Image.Exif()
    found.load(exif)
    camera, place = found.get_ifd(ExifTags.IFD.Exif), found.get_ifd(ExifTags.IFD.GPSInfo)
    return {tag: found[tag] for tag in found if tag not in (34665, 34853)}, camera, place


def in_latin(text: str) -> str:
    """As Pillow takes UTF-8."""
    return text.encode().decode("latin-1")


# --- EXIF data --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.heic"])
def test_exif_comes_back_without_what_belongs_to_the_old_file(tmp_path: Path, name: str) -> None:
    found = loaded(tmp_path / name, exif=segment())
    photo, camera, place = read(found.details.exif)
    assert photo == {
        270: in_latin(DESCRIPTION), 271: "Leica", 274: 1, 306: "1998:07:14 10:20:30", 33432: "Me!",
    }  # fmt: skip
    assert set(camera) == {33434, 36867, 37380, 37510, 40961, 42033, 42036}
    assert (camera[33434], camera[37380], camera[37510]) == (1 / 125, 0, b"ASCII\0\0\0hello")
    assert camera[40961] == 1  # the pixels are sRGB now
    assert place == {1: "N", 2: (51, 46, 29.99)}
    assert len(found.details.exif) < 700
    assert (found.width, found.height) == (64, 96)


def test_values_stay_as_they_were_written(tmp_path: Path) -> None:
    """Byte by byte, also what Pillow would write as another type, or with question marks; and at even places."""
    exif = loaded(tmp_path / "a.jpg", exif=segment()).details.exif
    for tag in (270, 37380, 37510, 42033):
        kind, count, value = {**PHOTO, **CAMERA}[tag]
        at = exif.index(struct.pack(">HHI", tag, kind, count))
        (start,) = struct.unpack_from(">I", exif, at + 8)
        assert exif[6 + start : 6 + start + len(value)] == value
        assert start % 2 == 0


def test_a_tiff_is_built_as_exif_data_are(tmp_path: Path) -> None:
    found = loaded(tmp_path / "a.tif", exif=segment())
    photo, camera, place = read(found.details.exif)
    assert set(photo) == {270, 271, 274, 306, 33432}  # and nothing of its strips
    assert (photo[271], photo[274], photo[306]) == ("Leica", 1, "1998:07:14 10:20:30")
    assert (camera[36867], place[1]) == ("1998:07:14 10:20:30", "N")
    assert found.height == 96


def test_imagemagicks_way_to_hold_exif_in_a_png(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    exif = segment(camera={}, place={})
    texts.add_text("Raw profile type exif", f"\nexif\n{len(exif)}\n{exif.hex()}\n", zip=True)
    found = loaded(tmp_path / "a.png", pnginfo=texts)
    assert read(found.details.exif)[0][271] == "Leica"
    assert found.height == 96


def test_exif_that_says_nothing_to_keep_is_none(tmp_path: Path) -> None:
    for exif in (b"", segment({274: PHOTO[274], 282: PHOTO[282]}, {40962: CAMERA[40962]}, {})):
        assert loaded(tmp_path / "a.jpg", exif=exif).details == Details()


DAMAGED = {
    "rubbish": b"nothing",
    "cut": segment()[:100],
    "beyond": segment()[:8] + b"\xff\xff\xff\xff" + segment()[12:],
    "vast value": segment({**PHOTO, 305: (ASCII, 4_000_000_000, struct.pack(">I", 8))}),
    "no such type": segment({**PHOTO, 305: (99, 4, b"none")}),
    "value beyond": segment({**PHOTO, 305: (ASCII, 50, struct.pack(">I", 60_000))}),
    "shared bytes": segment(camera={tag: (UNDEFINED, 400, struct.pack(">I", 8)) for tag in range(37_888, 38_088)}),
    "entry lost": b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHI", 2, 271, ASCII, 4) + b"Me!\0",
    "lost": b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHII", 1, 34853, LONG, 1, 60_000) + bytes(4),
}


@pytest.mark.parametrize("exif", DAMAGED.values(), ids=DAMAGED)
def test_damaged_exif_is_dropped(tmp_path: Path, exif: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "restoration")
    assert loaded(tmp_path / "a.png", exif=exif).details.exif == b""
    assert "EXIF not kept" in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG and "restoration" in record.name]


def test_exif_larger_than_a_segment_is_dropped(tmp_path: Path) -> None:
    most = metadata.MAX_EXIF - len(segment({}, {37510: (UNDEFINED, 0, b"")}, {}))
    for extra, kept in ((0, True), (1, False)):
        comment = bytes(most + extra)
        exif = segment({}, {37510: (UNDEFINED, len(comment), comment)}, {})
        assert bool(loaded(tmp_path / "a.png", exif=exif).details.exif) == kept
    shared = UNDEFINED, 40_000, struct.pack(">I", 8)
    twice = segment({271: shared}, {37510: shared}, {}) + bytes(40_000)
    assert len(twice) < metadata.MAX_EXIF
    assert loaded(tmp_path / "a.png", exif=twice).details.exif == b""
    with pytest.raises(ValueError, match="too long"):  # the most that a JPEG takes
        source().save(tmp_path / "a.jpg", exif=exif)


def test_the_place_can_be_left_out(tmp_path: Path) -> None:
    found = loaded(tmp_path / "a.jpg", exif=segment(), comment=b"In the garden").details
    without = metadata.without_place(found)
    assert LATITUDE in found.exif
    assert LATITUDE not in without.exif
    assert read(without.exif) == (*read(found.exif)[:2], {})
    assert without.description == "In the garden"
    assert metadata.without_place(Details()) == Details()
    nothing_else = loaded(tmp_path / "b.jpg", exif=segment({}, {})).details
    assert nothing_else.exif
    assert metadata.without_place(nothing_else).exif == b""


# --- Size and description ---------------------------------------------------------------------------------------------


def test_dots_per_inch(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "a.tif"):
        assert loaded(tmp_path / name, dpi=(300, 150)).details.dpi == pytest.approx((300, 150), abs=0.02)
        assert loaded(tmp_path / name).details.dpi is None
    in_centimetres = loaded(tmp_path / "b.tif", resolution_unit=3, x_resolution=100.0, y_resolution=100.0)
    assert in_centimetres.details.dpi == pytest.approx((254, 254))


@pytest.mark.parametrize("dpi", ["none", (1, 1), (72, 72), (0, 0), (1e9, 1e9), (300, float("nan")), (300,), None])
def test_no_dots_per_inch_that_nothing_can_have(dpi: object) -> None:
    picture = source()
    picture.info["dpi"] = dpi
    assert metadata.of(picture).dpi is None  # type: ignore[arg-type]


def test_descriptions_outside_exif(tmp_path: Path) -> None:
    for key in ("Description", "Comment"):
        for text in ("Our house", "Grand-mère", "祖母"):
            texts = PngImagePlugin.PngInfo()
            texts.add_text(key, text)
            texts.add_text("Software", "Not this")
            assert loaded(tmp_path / "a.png", pnginfo=texts).details.description == text
    for comment in ("Grand-mère".encode(), "Grand-mère".encode("latin-1"), b"Grand-m\xc3\xa8re\0\r\n"):
        assert loaded(tmp_path / "a.jpg", comment=comment).details.description == "Grand-mère"
    long = loaded(tmp_path / "a.jpg", comment=b"\0long" * 12_000).details.description
    assert long.startswith("longlong")
    assert len(long) <= metadata.MAX_DESCRIPTION
    assert loaded(tmp_path / "a.gif", comment=b"Our house").details.description == "Our house"
    assert loaded(tmp_path / "b.gif").details == Details()


# --- In results -------------------------------------------------------------------------------------------------------


@pytest.fixture
def described(tmp_path: Path) -> Photo:
    found = loaded(tmp_path / "described.jpg", exif=segment(), comment=DESCRIPTION.encode(), dpi=(600, 600))
    assert found.details.exif
    return Photo(found.pixels, found.details)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg"])
def test_results_hold_the_details(tmp_path: Path, described: Photo, suffix: str) -> None:
    image.save(described, tmp_path / f"a{suffix}")
    again = image.load(tmp_path / f"a{suffix}")
    assert (again.details.exif, again.details.description) == (described.details.exif, DESCRIPTION)
    assert again.details.dpi == pytest.approx((600, 600), abs=0.02)
    assert again.pixels.shape == described.pixels.shape  # it is not turned twice


def test_a_webp_holds_the_description_in_its_exif(tmp_path: Path, described: Photo) -> None:
    image.save(described, tmp_path / "a.webp")
    assert image.load(tmp_path / "a.webp").details == Details(exif=described.details.exif)  # which has one already
    for exif in (b"", loaded(tmp_path / "b.jpg", exif=segment({271: PHOTO[271]})).details.exif):
        image.save(Photo(described.pixels, Details(exif=exif, description="Łódź")), tmp_path / "c.webp")
        photo, *rest = read(image.load(tmp_path / "c.webp").details.exif)
        assert photo == {270: in_latin("Łódź"), 274: 1, **({271: "Leica"} if exif else {})}
        assert rest == list(read(exif)[1:])


def test_the_longest_details_fit_into_each_format(tmp_path: Path) -> None:
    comment = bytes(metadata.MAX_EXIF - len(segment({}, {37510: (UNDEFINED, 0, b"")}, {})))
    exif = loaded(tmp_path / "a.png", exif=segment({}, {37510: (UNDEFINED, len(comment), comment)}, {})).details.exif
    photo = Photo(np.zeros((16, 16, 3), np.uint8), Details(exif=exif, description="祖" * metadata.MAX_DESCRIPTION))
    for suffix in image.OUTPUT_SUFFIXES:
        image.save(photo, tmp_path / f"b{suffix}")
        with Image.open(tmp_path / f"b{suffix}") as picture:
            assert len(picture.info["exif"]) >= len(exif) - len(metadata.PREFIX)


def test_a_photo_of_nothing_but_pixels_says_nothing(photo: Photo) -> None:
    for suffix in image.OUTPUT_SUFFIXES:
        with Image.open(io.BytesIO(image.encode(Photo(photo.pixels), suffix))) as picture:
            assert not {"exif", "dpi", "comment", "Description"} & set(picture.info)


def test_fit_keeps_the_details_but_for_the_resolution(described: Photo) -> None:
    for how in ("crop", "squash", "pad"):
        assert image.fit(described, how).details == replace(described.details, dpi=None)
