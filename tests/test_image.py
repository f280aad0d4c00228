from __future__ import annotations

import io
import logging
import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import torch
from PIL import Image, ImageCms

from restoration import Photo, PhotoError, image
from restoration.image import strips
from restoration.image.colours import MAX_PROFILE
from tests.conftest import EXAMPLES, ROOT
from tests.corpus.bombs import one_tile
from tests.corpus.formats import adam7, chunk, png, run_length_bmp, tiff

pillow_heif.register_heif_opener()  # to write such files here
ASTRONAUT = EXAMPLES / "astronaut.jpg"


def jpeg_header(width: int, height: int) -> bytes:
    """A real JPEG whose header has been made to claim another size."""
    data = bytearray(ASTRONAUT.read_bytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "contents", "says"),
    [
        ("empty.png", b"", "empty"),
        ("page.png", b"<html>" * 50, "not a picture"),
        ("cut.jpg", ASTRONAUT.read_bytes()[:20_000], "damaged"),
        ("large.png", png(5000, 5000, 2, b""), "too large"),  # without pixels: only the header can have been read
        ("bomb.png", png(60_000, 60_000, 2, b""), "too large"),
        ("large.jpg", jpeg_header(9000, 6000), "too large"),
        ("drawing.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        ("bare.jxl", b"\xff\x0a" + bytes(99), "is a JPEG XL, which is not read here; save it as JPEG or PNG"),
        ("boxed.jpg", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "is a JPEG XL"),
        ("scan.pdf", b"%PDF-1.7" + bytes(99), "is a PDF"),
        ("raw.dng", tiff(48, 32, [bytes(48 * 32)], {254: 1, 258: 8, 262: 1, 278: 32}), "is a raw photo"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path, name: str, contents: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(contents)
    with pytest.raises(PhotoError, match=says) as error:
        image.load(tmp_path / name)
    assert name in str(error.value)
    assert "\n" not in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="no file"):
        image.load(tmp_path / "none.png")
    with pytest.raises(PhotoError, match="folder"):
        image.load(tmp_path)


def source() -> Image.Image:
    return Image.open(ASTRONAUT).resize((96, 64))


def saved(tmp_path: Path, picture: Image.Image, name: str, **options: object) -> np.ndarray:
    picture.save(tmp_path / name, **options)
    return image.load(tmp_path / name).pixels.astype(float)


def test_lossless_formats_come_back_exactly(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "a.tif"):
        assert np.array_equal(saved(tmp_path, source(), name), np.asarray(source()))
    assert np.array_equal(saved(tmp_path, source(), "a.webp", lossless=True), np.asarray(source()))


def test_16_bit_grey_is_scaled_also_with_transparency_or_the_other_byte_order(tmp_path: Path) -> None:
    levels = np.asarray(source().convert("L")).astype(np.uint16) * 257
    assert np.array_equal(saved(tmp_path, Image.fromarray(levels), "a.png"), np.repeat(levels[..., None] // 257, 3, 2))
    mark = int(levels[0, 0])
    loaded = saved(tmp_path, Image.fromarray(levels), "a.png", transparency=mark)
    assert (loaded[levels == mark] == 255).all()
    assert np.array_equal(loaded[levels != mark][:, 0], levels[levels != mark] // 257)
    big_endian = Image.frombytes("I;16B", (96, 64), levels.astype(">u2").tobytes())
    assert np.array_equal(saved(tmp_path, big_endian, "b.tif")[..., 0], levels // 257)


def in_bits(bits: int) -> tuple[np.ndarray, np.ndarray]:
    """The photo in 16 bits that use so many, and what it is in 8."""
    levels = np.rint(np.asarray(source()) * ((2**bits - 1) / 255)).astype(np.uint16)
    return levels, np.rint(levels * (255 / (2**bits - 1)))


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_grey_tiffs_of_fewer_than_16_bits_are_no_darker(tmp_path: Path, bits: int) -> None:
    levels, expected = (pixels[..., 1] for pixels in in_bits(bits))
    for name, mode, order in (("a.tif", "I;16", "<u2"), ("b.tif", "I;16B", ">u2")):
        picture = Image.frombytes(mode, (96, 64), levels.astype(order).tobytes())
        for options in ({}, {"tiffinfo": {281: 2**bits - 1}}, {"compression": "tiff_lzw"}):
            assert np.array_equal(saved(tmp_path, picture, name, **options)[..., 0], expected)


def test_a_dark_scan_of_16_bits_stays_dark_where_its_file_says_so(tmp_path: Path) -> None:
    levels = in_bits(12)[0][..., 1]
    dark = Image.fromarray(levels)
    for said, white in ((65_535, 65_535), (4095, 4095), (3000, 4095), (50_000, 65_535)):
        loaded = saved(tmp_path, dark, "a.tif", tiffinfo={281: said})
        assert np.abs(loaded[..., 0] - levels * (255 / white)).max() <= 1
    assert np.array_equal(saved(tmp_path, dark, "a.png")[..., 0], np.rint(levels / 257))  # a PNG uses all its bits
    assert saved(tmp_path, Image.fromarray(levels * 0), "a.tif").max() == 0


def test_12_bits_without_gaps_between_them(tmp_path: Path) -> None:
    even, odd = in_bits(12)[0][..., 1].reshape(-1, 2).T
    packed = np.stack([even >> 4, (even & 15) << 4 | odd >> 8, odd & 255], axis=-1).astype(np.uint8)
    (tmp_path / "a.tif").write_bytes(tiff(96, 64, [packed.tobytes()], {258: 12, 259: 1, 262: 1, 277: 1, 278: 64}))
    assert np.array_equal(image.load(tmp_path / "a.tif").pixels[..., 0], in_bits(12)[1][..., 1])


@pytest.mark.parametrize("strip", [500, 10**6])
@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_colour_tiffs_of_fewer_than_16_bits_are_no_darker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: int, compression: int, strip: int
) -> None:
    monkeypatch.setattr(strips, "STRIP", strip)
    levels, expected = in_bits(bits)
    with_alpha = [np.pad(levels, [(0, 0), (0, 0), (0, 1)], constant_values=opaque) for opaque in (2**bits - 1, 65_535)]
    for values, tags in ((levels, {277: 3}), *((each, {277: 4, 338: 2}) for each in with_alpha)):
        halves = [half.tobytes() for half in np.split(values, 2)]
        blocks = [zlib.compress(half) for half in halves] if compression == 8 else halves
        contents = tiff(96, 64, blocks, {258: 16, 259: compression, 262: 2, 278: 32, **tags})
        (tmp_path / "a.tif").write_bytes(contents)
        loaded = image.load(tmp_path / "a.tif").pixels
        assert np.abs(loaded - expected).max() <= (1 if bits == 16 else 0)  # of 16, Pillow takes the high byte


@pytest.mark.parametrize(
    ("bits", "compression", "is_read"), [(12, 1, False), (12, 8, False), (16, 1, False), (16, 8, True)]
)
def test_16_bit_colours_in_planes_are_read_right_or_not_at_all(
    tmp_path: Path, bits: int, compression: int, is_read: bool
) -> None:
    levels, expected = in_bits(bits)
    planes = [levels[..., band].tobytes() for band in range(3)]
    blocks = [zlib.compress(plane) for plane in planes] if compression == 8 else planes
    (tmp_path / "a.tif").write_bytes(tiff(96, 64, blocks, {258: 16, 259: compression, 262: 2, 277: 3, 278: 64, 284: 2}))
    if is_read:
        assert np.abs(image.load(tmp_path / "a.tif").pixels - expected).max() <= 1
    else:
        with pytest.raises(PhotoError, match=r"a\.tif stores its 16-bit colours in a way that is not read here"):
            image.load(tmp_path / "a.tif")


@pytest.mark.parametrize("bits", [12, 16])
def test_16_bits_of_grey_whose_white_is_0(tmp_path: Path, bits: int) -> None:
    levels, expected = (pixels[..., 1] for pixels in in_bits(bits))
    contents = ((2**bits - 1) - levels).astype("<u2").tobytes()
    (tmp_path / "a.tif").write_bytes(tiff(96, 64, [contents], {258: 16, 259: 1, 262: 0, 277: 1, 278: 64}))
    assert np.abs(image.load(tmp_path / "a.tif").pixels[..., 0] - expected).max() <= 1


@pytest.mark.parametrize("gamma", [1.0, 1 / 1.8, 0.45455])
@pytest.mark.parametrize("mode", ["RGB", "LA", "I;16"])
def test_a_png_that_says_its_gamma_is_as_light_as_browsers_show_it(tmp_path: Path, mode: str, gamma: float) -> None:
    seen = np.asarray(source() if mode == "RGB" else source().convert("L")) / 255
    levels = np.rint(seen ** (gamma / 0.45455) * (65_535 if mode == "I;16" else 255))
    picture = Image.fromarray(levels.astype(np.uint16 if mode == "I;16" else np.uint8))
    if mode == "LA":
        picture.putalpha(255)
    picture.save(tmp_path / "a.png")
    contents, said = (tmp_path / "a.png").read_bytes(), chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))
    (tmp_path / "a.png").write_bytes(contents[:33] + said + contents[33:])
    difference = np.abs(image.load(tmp_path / "a.png").pixels - 255 * seen.reshape(64, 96, -1))
    assert difference[seen > 0.2].max() <= 3  # of what is darker, 8 bits hold too little


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    faded = source().convert("LA")
    faded.putalpha(0)
    assert saved(tmp_path, faded, "la.png").min() == 255
    palette = source().quantize(16)
    assert (saved(tmp_path, palette, "p.png", transparency=0)[np.asarray(palette) == 0] == 255).all()


def test_what_is_transparent_comes_out_so_and_a_white_logo_shows(tmp_path: Path) -> None:
    for colour, ground in (("white", 128), ("navy", 255)):
        logo = Image.new("RGBA", (96, 64), colour)
        logo.putalpha(faded().getchannel("A"))
        logo.save(tmp_path / "a.png")
        photo = image.load(tmp_path / "a.png")
        assert abs(int(photo.pixels[0, -1, 0]) - ground) <= 1
        assert np.ptp(photo.pixels[..., 0]) > 100
        for suffix in (".png", ".webp"):
            with Image.open(io.BytesIO(image.encode(photo, suffix))) as picture:
                made, alpha = np.split(np.asarray(picture).astype(int), [3], axis=2)
                assert np.array_equal(alpha[..., 0], np.asarray(logo.getchannel("A")))
                strong = alpha[..., 0] > 127
                assert np.abs(made - np.asarray(logo)[..., :3])[strong].max() <= 2  # nothing of the ground at its edge
        assert Image.open(io.BytesIO(image.encode(photo, ".jpg"))).mode == "RGB"
        larger = Photo(photo.pixels.repeat(2, 0).repeat(2, 1), photo.details)
        assert Image.open(io.BytesIO(image.encode(larger))).getchannel("A").size == (192, 128)
        assert Image.open(io.BytesIO(image.encode(image.fit(photo)))).mode == "RGB"  # made a square, it is opaque
    assert image.load(ASTRONAUT).details.transparency is None


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    for name in ("a.gif", "a.webp", "a.png"):
        options = {"lossless": True} if name == "a.webp" else {}
        loaded = saved(tmp_path, frames[0], name, save_all=True, append_images=frames[1:], **options)
        assert (loaded == [255, 0, 0]).all()


def test_a_large_jpeg_is_decoded_reduced(tmp_path: Path) -> None:
    Image.open(ASTRONAUT).resize((2000, 1500)).save(tmp_path / "a.jpg", quality=95)
    whole, reduced = image.load(tmp_path / "a.jpg", reduce_to=None), image.load(tmp_path / "a.jpg")
    assert (whole.width, whole.height) == (2000, 1500)
    assert 256 <= reduced.height < 400
    difference = image.fit(whole).pixels.astype(float) - image.fit(reduced).pixels
    assert np.abs(difference).mean() < 3


def test_a_jpeg_between_the_limits_loads_reduced(tmp_path: Path) -> None:
    Image.open(ASTRONAUT).resize((6000, 5000)).save(tmp_path / "a.jpg", quality=60)
    loaded = image.load(tmp_path / "a.jpg", reduce_to=None)
    assert loaded.width * loaded.height <= image.MAX_PIXELS
    assert [note.code for note in loaded.details.notes] == ["photo_halved"]
    assert not image.load(tmp_path / "a.jpg").details.notes  # for the laboratory, size is no matter


# --- Colour profiles --------------------------------------------------------------------------------------------------

D50, D65 = (0.9642, 1.0, 0.8249), (0.3127, 0.3290)


def fixed(values: Sequence[float]) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))


def tag(kind: bytes, data: bytes) -> bytes:
    return kind + bytes(4) + data


def curve(levels: Sequence[float]) -> bytes:
    """From 0 to 1 in even steps; one alone is a gamma."""
    table = [round(levels[0] * 256)] if len(levels) == 1 else [round(level * 65_535) for level in levels]
    return tag(b"curv", struct.pack(f">I{len(table)}H", len(table), *table))


def icc(space: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr", to: bytes = b"XYZ ") -> bytes:
    """A profile of ICC's version 2."""
    words = {b"desc": tag(b"desc", struct.pack(">I2s78x", 2, b"a\0")), b"cprt": tag(b"text", b"none\0")}
    table, data = b"", b""
    tags = {**words, b"wtpt": tag(b"XYZ ", fixed(D50)), **tags}
    for name, value in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    length = 132 + len(table) + len(data)
    header = struct.pack(">I4sI4s4s4s12x4s28x12s48x", length, b"", 0x2100000, kind, space, to, b"acsp", fixed(D50))
    return header + struct.pack(">I", len(tags)) + table + data


def of_rgb(primaries: Sequence[tuple[float, float]], white: tuple[float, float], tone: bytes) -> bytes:
    """Of a display or a working space, by the chromaticities of its colours."""
    colours = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    light = np.array([white[0] / white[1], 1, (1 - sum(white)) / white[1]])
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    adapted = np.linalg.inv(cones) @ np.diag(cones @ D50 / (cones @ light)) @ cones
    columns = (adapted @ (colours * np.linalg.solve(colours, light))).T
    tags = {
        name + b"XYZ": tag(b"XYZ ", fixed(column)) for name, column in zip((b"r", b"g", b"b"), columns, strict=True)
    }
    return icc(b"RGB ", {**tags, b"rTRC": tone, b"gTRC": tone, b"bTRC": tone})


def of_cmyk() -> bytes:
    """Of inks on paper, by a table of three steps of each."""
    cyan, magenta, yellow, black = np.indices((3, 3, 3, 3)) / 2
    light = (1 - black) * (1 - 0.3 * cyan) * (1 - 0.45 * magenta) * (1 - 0.05 * yellow)
    lab = 255 * light, 128 + (75 * magenta - 40 * cyan) * light, 128 + (90 * yellow - 45 * cyan) * light
    nodes = np.stack(lab, axis=-1).round().astype(np.uint8).tobytes()
    straight = bytes(range(256))
    matrix = fixed([1, 0, 0, 0, 1, 0, 0, 0, 1])
    table = tag(b"mft1", bytes([4, 3, 3, 0]) + matrix + 4 * straight + nodes + 3 * straight)
    return icc(b"CMYK", {b"A2B0": table}, b"prtr", b"Lab ")


STEPS = np.linspace(0, 1, 1024)
SRGB_LEVELS = np.where(STEPS > 0.04045, ((STEPS + 0.055) / 1.055) ** 2.4, STEPS / 12.92)
SRGB_TONE = curve(SRGB_LEVELS.tolist())
NEARLY_SRGB = of_rgb(
    [(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)],
    D65,
    curve(np.interp(np.linspace(0, 1, 20), STEPS, SRGB_LEVELS).tolist()),
)
"""As phones and web sites write it, with a table of few steps."""
RGB_PROFILES = {
    "Adobe RGB": of_rgb([(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], D65, curve([2.2])),
    "Display P3": of_rgb([(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)], D65, SRGB_TONE),
    "ProPhoto": of_rgb([(0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)], (0.3457, 0.3585), curve([1.8])),
}
GREY_PROFILES = {
    "gamma 1.8": icc(b"GRAY", {b"kTRC": curve([1.8])}),
    "dot gain": icc(b"GRAY", {b"kTRC": curve((1 - (1 - STEPS[::4]) ** 0.6).tolist())}),
}
CMYK = of_cmyk()


def converted(picture: Image.Image, profile: bytes) -> np.ndarray:
    """The whole, by LittleCMS."""
    given, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    made = ImageCms.profileToProfile(picture, given, srgb, outputMode="RGBA" if picture.mode == "RGBA" else "RGB")
    return np.asarray(made).astype(float)


def faded() -> Image.Image:
    """The photo, opaque at the left and gone at the right."""
    picture = source().convert("RGBA")
    picture.putalpha(Image.fromarray(np.broadcast_to(np.linspace(255, 0, 96).astype(np.uint8), (64, 96)).copy()))
    return picture


def over_white(pixels: np.ndarray) -> np.ndarray:
    opaque = pixels[..., 3:] / 255
    return pixels[..., :3] * opaque + 255 * (1 - opaque)


@pytest.fixture
def _in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "STRIP", 1000)


def check(loaded: np.ndarray, expected: np.ndarray, ignored: np.ndarray) -> None:
    """As it should be, which is not what it would be without its profile."""
    assert np.abs(loaded - expected).max() <= 2
    assert np.abs(expected - ignored).max() > 5


@pytest.mark.usefixtures("_in_strips")
@pytest.mark.parametrize("profile", RGB_PROFILES.values(), ids=RGB_PROFILES)
def test_colours_are_made_srgb(tmp_path: Path, profile: bytes) -> None:
    picture, plain = source(), np.asarray(source()).astype(float)
    for name in ("a.png", "a.tif", "a.webp"):
        loaded = saved(tmp_path, picture, name, icc_profile=profile, **({"lossless": True} if "webp" in name else {}))
        check(loaded, converted(picture, profile), plain)
    for name in ("a.jpg", "a.heic"):
        loaded = saved(tmp_path, picture, name, icc_profile=profile)
        stored = Image.open(tmp_path / name).convert("RGB")
        check(loaded, converted(stored, profile), np.asarray(stored).astype(float))
    loaded = saved(tmp_path, faded(), "b.png", icc_profile=profile)
    check(loaded, over_white(converted(faded(), profile)), over_white(np.asarray(faded()).astype(float)))
    palette = picture.quantize(64)
    loaded = saved(tmp_path, palette, "c.png", icc_profile=profile)
    check(loaded, converted(palette.convert("RGB"), profile), np.asarray(palette.convert("RGB")).astype(float))
    loaded = saved(tmp_path, picture, "d.png", icc_profile=profile, transparency=picture.getpixel((5, 5)))
    assert (loaded[5, 5] == 255).all()


@pytest.mark.usefixtures("_in_strips")
@pytest.mark.parametrize("profile", GREY_PROFILES.values(), ids=GREY_PROFILES)
def test_greys_are_made_srgb_and_stay_grey(tmp_path: Path, profile: bytes) -> None:
    grey = source().convert("L")
    plain, expected = np.asarray(grey.convert("RGB")).astype(float), converted(grey, profile)
    for name in ("a.png", "a.tif"):
        check(saved(tmp_path, grey, name, icc_profile=profile), expected, plain)
    in_16_bits = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    for name in ("b.png", "b.tif"):
        loaded = saved(tmp_path, in_16_bits, name, icc_profile=profile)
        check(loaded, expected, plain)
        assert (np.ptp(loaded, axis=2) == 0).all()
    alpha = faded().getchannel("A")
    opaque = np.asarray(alpha)[..., None].astype(float)
    loaded = saved(tmp_path, Image.merge("LA", (grey, alpha)), "c.png", icc_profile=profile)
    check(loaded, over_white(np.concatenate([expected, opaque], axis=2)), plain)
    loaded = saved(tmp_path, grey, "d.png", icc_profile=profile, transparency=grey.getpixel((5, 5)))
    assert (loaded[5, 5] == 255).all()
    black_and_white = saved(tmp_path, grey.convert("1"), "e.png", icc_profile=profile)
    assert np.array_equal(black_and_white, np.asarray(grey.convert("1").convert("RGB")))


def test_12_bits_of_grey_have_their_profile_too(tmp_path: Path) -> None:
    levels, grey = (pixels[..., 1] for pixels in in_bits(12))
    loaded = saved(tmp_path, Image.fromarray(levels), "a.tif", icc_profile=GREY_PROFILES["dot gain"])
    expected = converted(Image.fromarray(grey.astype(np.uint8)), GREY_PROFILES["dot gain"])
    assert np.abs(loaded - expected).max() <= 4  # the levels between those of 8 bits


@pytest.mark.usefixtures("_in_strips")
def test_inks_are_made_srgb(tmp_path: Path) -> None:
    picture = source().convert("CMYK")
    plain = np.asarray(picture.convert("RGB")).astype(float)
    check(saved(tmp_path, picture, "a.tif", icc_profile=CMYK), converted(picture, CMYK), plain)
    loaded = saved(tmp_path, picture, "a.jpg", icc_profile=CMYK)
    stored = Image.open(tmp_path / "a.jpg")
    check(loaded, converted(stored, CMYK), plain)


def test_srgb_by_another_name_leaves_pixels_as_they_are(tmp_path: Path) -> None:
    assert np.abs(converted(source(), NEARLY_SRGB) - np.asarray(source())).max() == 1
    assert np.array_equal(saved(tmp_path, source(), "a.png", icc_profile=NEARLY_SRGB), np.asarray(source()))


def test_results_are_read_without_a_look_at_their_profile(
    tmp_path: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    image.save(photo, tmp_path / "a.png")
    monkeypatch.setattr(ImageCms, "ImageCmsTransform", None)
    assert np.array_equal(image.load(tmp_path / "a.png").pixels, photo.pixels)
    assert not caplog.records


@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        ("RGB", b"nothing of the kind"),
        ("RGB", RGB_PROFILES["Adobe RGB"][:300]),
        ("RGB", RGB_PROFILES["Adobe RGB"][:128] + bytes(300)),
        ("RGB", CMYK),
        ("RGB", GREY_PROFILES["dot gain"]),
        ("L", RGB_PROFILES["Adobe RGB"]),
        ("CMYK", RGB_PROFILES["Adobe RGB"]),
        ("CMYK", CMYK + bytes(MAX_PROFILE)),
    ],
)
def test_a_profile_that_cannot_be_the_pictures_is_ignored(
    tmp_path: Path, mode: str, profile: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    picture = source().convert(mode)
    without = saved(tmp_path, picture, "without.tif")
    assert not caplog.records
    assert np.array_equal(saved(tmp_path, picture, "with.tif", icc_profile=profile), without)
    (record,) = (record for record in caplog.records if record.name == "restoration.image")
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("with.tif: The colour profile is not used (")


# --- Large scans ------------------------------------------------------------------------------------------------------

MEASURE = """
import re, sys
from pathlib import Path
from restoration import image

def memory(entry):
    return 1024 * int(re.search(rf"{entry}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

image.load(sys.argv[1])
Path("/proc/self/clear_refs").write_text("5")  # forget the peak
before = memory("VmRSS")
photo = image.load(sys.argv[2], reduce_to=None, max_pixels=image.MAX_SCAN)
print(photo.width, photo.height, (memory("VmHWM") - before) / (photo.width * photo.height))
"""


def scan(name: str, size: tuple[int, int]) -> Image.Image:
    """Grey but for a HEIC and a JPEG of 100 megapixels, which phones and cameras make."""
    grey = np.broadcast_to(np.arange(size[0], dtype=np.uint16) % 256, size[::-1])
    if "heic" in name:
        return Image.new("RGB", size)  # of one colour, or it would take half a minute to write
    if "16" in name:
        return Image.fromarray(grey * 257)
    picture = Image.fromarray(grey.astype(np.uint8))
    return picture if "grey" in name else picture.convert("RGB")


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read in /proc")
@pytest.mark.parametrize(
    ("name", "size", "most"),
    [
        ("grey.jpg", (4960, 7016), 5),
        ("grey.png", (4960, 7016), 5),
        ("grey.tif", (4960, 7016), 5),
        ("grey 16.png", (4960, 7016), 6),
        ("grey 16.tif", (4960, 7016), 6),
        ("phone.heic", (8064, 6048), 9),
        ("camera.jpg", (11_540, 8660), 8),
    ],
)
def test_large_scans_are_read_in_little_memory(tmp_path: Path, name: str, size: tuple[int, int], most: float) -> None:
    """A4 at 600 dpi, 48 and 100 megapixels: whole, with so many bytes a pixel on top of the program."""
    options = {"enc_params": {"preset": "ultrafast"}} if name.endswith("heic") else {}
    scan(name, size).save(tmp_path / name, **options)
    command = [sys.executable, "-W", "error", "-c", MEASURE, str(ASTRONAUT), str(tmp_path / name)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.stderr == ""  # no word of bombs
    width, height, used = map(float, ended.stdout.split())
    assert (width, height) == size
    assert used < most


def test_a_limit_of_pixels_is_one_of_bytes_too(tmp_path: Path) -> None:
    with (tmp_path / "vast.png").open("wb") as file:
        file.truncate(image.MAX_BYTES + 1)
    for max_pixels, says in (
        (image.MAX_PIXELS // 2, "has more than 200 MB"),
        (image.MAX_PIXELS, r"vast\.png has more than 200 MB"),
        (image.MAX_SCAN, "not a picture"),
    ):
        with pytest.raises(PhotoError, match=says):
            image.load(tmp_path / "vast.png", max_pixels=max_pixels)
    with (tmp_path / "vast.png").open("r+b") as file:
        file.truncate(900_000_000)
    with pytest.raises(PhotoError, match="has more than 833 MB"):
        image.load(tmp_path / "vast.png", max_pixels=image.MAX_SCAN)


def test_what_pillow_never_opens_is_too_large_whatever_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg_header(14_000, 13_000))
    with pytest.raises(PhotoError, match=r"smaller than 100 megapixels \(178\.957 for a JPEG\)"):
        image.load(tmp_path / "a.jpg", max_pixels=image.MAX_SCAN)


# --- Sizes, tensors and files -----------------------------------------------------------------------------------------


def test_fit() -> None:
    photo = image.load(EXAMPLES / "china.jpg")
    for how in ("crop", "squash", "pad"):
        fitted = image.fit(photo, how)
        assert (fitted.width, fitted.height) == (128, 128)
        assert image.fit(fitted, how) is fitted
    squashed = np.asarray(Image.fromarray(photo.pixels).resize((128, 128), Image.Resampling.BICUBIC))
    assert np.array_equal(image.fit(photo, "squash").pixels, squashed)
    with pytest.raises(ValueError, match="stretch"):
        image.fit(photo, "stretch")  # type: ignore[arg-type]


def test_pad_keeps_the_whole_photo_in_the_middle() -> None:
    photo = image.load(EXAMPLES / "china.jpg")
    height = round(128 * photo.height / photo.width)
    top = (128 - height) // 2
    inner = image.fit(photo, "pad").pixels[top : top + height]
    whole = Image.fromarray(photo.pixels).resize((128, height), Image.Resampling.BICUBIC)
    assert np.abs(inner.astype(float) - np.asarray(whole)).mean() < 1


@pytest.mark.parametrize("how", ["crop", "squash", "pad"])
def test_thin_photos_fit(how: image.Fit) -> None:
    assert image.fit(Photo(np.zeros((16, 20_000, 3), np.uint8)), how).pixels.shape == (128, 128, 3)


def test_tensors_round_trip_and_round(photo: Photo) -> None:
    tensor = image.to_tensor([photo])
    assert tensor.shape == (1, 3, 128, 128)
    assert tensor.dtype == torch.float32
    assert np.array_equal(image.to_photos(tensor)[0].pixels, photo.pixels)
    assert image.to_photos(torch.full((1, 3, 16, 16), 0.999))[0].pixels.min() == 255  # not floored


def test_saved_pictures_are_the_photo(tmp_path: Path, photo: Photo) -> None:
    for suffix in (".png", ".webp"):
        image.save(photo, tmp_path / f"a{suffix}")
        assert np.array_equal(image.load(tmp_path / f"a{suffix}").pixels, photo.pixels)
    assert (
        np.abs(np.asarray(Image.open(io.BytesIO(image.encode(photo, ".jpg")))).astype(float) - photo.pixels).mean() < 2
    )
    with pytest.raises(ValueError, match="gif"):
        image.save(photo, tmp_path / "a.gif")


def test_results_say_that_they_are_srgb(photo: Photo) -> None:
    profiles = set()
    for suffix in image.OUTPUT_SUFFIXES:
        with Image.open(io.BytesIO(image.encode(photo, suffix))) as picture:
            profiles.add(picture.info["icc_profile"])
    (contents,) = profiles
    profile = ImageCms.ImageCmsProfile(io.BytesIO(contents))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    colours = Image.fromarray(photo.pixels)
    made = ImageCms.profileToProfile(colours, profile, ImageCms.createProfile("sRGB"))
    assert np.array_equal(np.asarray(made), photo.pixels)


def test_the_same_photo_gives_the_same_bytes_at_any_time(photo: Photo) -> None:
    """LittleCMS writes the second into each profile that it makes."""
    before = [image.encode(photo, suffix) for suffix in image.OUTPUT_SUFFIXES]
    image.srgb_profile.cache_clear()
    time.sleep(1.1)
    assert [image.encode(photo, suffix) for suffix in image.OUTPUT_SUFFIXES] == before


def test_a_jpeg_gives_a_jpeg() -> None:
    for name in ("a.jpg", "a.JPEG", "a.jpe", "my.photos/a.jfif"):
        assert image.same_suffix(name) == ".jpg"
    for name in ("a.png", "a.tif", "a.heic", "a.webp", "jpg", "a.jpg.gz"):
        assert image.same_suffix(Path(name)) == ".png"
    assert image.encode(Photo(np.zeros((16, 16, 3), np.uint8)), ".jpeg").startswith(b"\xff\xd8")


def test_written_files_have_the_users_mode_and_any_legal_name(tmp_path: Path, photo: Photo) -> None:
    name = "n" * 250 + ".png"
    before = os.umask(0o077)
    try:
        image.save(photo, tmp_path / name)
    finally:
        os.umask(before)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


# --- Files that are cut short -----------------------------------------------------------------------------------------

CUT = [("a.jpg", "RGB", 128), ("a.jpg", "L", 128), ("a.jpg", "CMYK", None), ("a.png", "RGB", 0), ("a.png", "I;16", 0),
       ("a.tif", "RGB", 0), ("a.bmp", "RGB", 0)]  # fmt: skip


@pytest.mark.parametrize(("name", "mode", "blank"), CUT)
def test_of_a_cut_file_what_it_holds_is_read(tmp_path: Path, name: str, mode: str, blank: int | None) -> None:
    with Image.open(EXAMPLES / "coffee.jpg") as picture:
        levels = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
        (levels if mode == "I;16" else picture.convert(mode)).save(tmp_path / name)
    contents, whole = (tmp_path / name).read_bytes(), image.load(tmp_path / name, reduce_to=None)
    (tmp_path / name).write_bytes(contents[: len(contents) * 8 // 10])
    cut = image.load(tmp_path / name, reduce_to=None)
    (note,) = cut.details.notes
    assert note.code == "photo_partial"
    assert 70 < note.fields["share"] < 90
    rows = int(note.fields["share"] / 100 * cut.height) - 17  # the last blocks of a JPEG are half there
    there = slice(cut.height - rows, None) if name == "a.bmp" else slice(rows)
    assert np.array_equal(cut.pixels[there], whole.pixels[there])
    rest = cut.pixels[:20] if name == "a.bmp" else cut.pixels[-20:]
    assert rest.min() == rest.max()
    assert blank in (None, rest.max())
    (tmp_path / name).write_bytes(contents[: len(contents) * 4 // 10])
    with pytest.raises(PhotoError, match=f"{name} is damaged or incomplete .4.% of it can be read"):
        image.load(tmp_path / name, reduce_to=None)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_last_bytes_is_read(tmp_path: Path, progressive: bool) -> None:
    with Image.open(EXAMPLES / "coffee.jpg") as picture:
        picture.save(tmp_path / "a.jpg", progressive=progressive)
    contents, whole = (tmp_path / "a.jpg").read_bytes(), image.load(tmp_path / "a.jpg", reduce_to=None)
    for missing, most in ((2, 0), (30, 0.3), (len(contents) // 10, 4 if progressive else 20)):
        (tmp_path / "a.jpg").write_bytes(contents[:-missing])
        cut = image.load(tmp_path / "a.jpg", reduce_to=None)
        if missing > 2:
            (note,) = cut.details.notes
            assert note.code == ("photo_coarse" if progressive else "photo_partial")
        assert np.abs(cut.pixels.astype(float) - whole.pixels).mean() <= most


def test_a_cut_file_that_holds_no_rows_is_refused(tmp_path: Path) -> None:
    pixels = np.asarray(source())
    (tmp_path / "a.png").write_bytes(png(96, 64, 2, adam7(pixels), interlaced=True)[:-2000])
    planes = [zlib.compress(pixels[..., band].tobytes()) for band in range(3)]
    planes[2] = planes[2][:-2000]
    (tmp_path / "b.tif").write_bytes(tiff(96, 64, planes, {258: 8, 259: 8, 262: 2, 277: 3, 278: 64, 284: 2}))
    for name in ("a.png", "b.tif"):
        with pytest.raises(PhotoError, match="damaged or incomplete"):
            image.load(tmp_path / name)


def test_pages_that_are_not_read_are_told_of(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "green")]
    assert (saved(tmp_path, pages[0], "a.tif", save_all=True, append_images=pages[1:]) == [255, 0, 0]).all()
    (note,) = image.load(tmp_path / "a.tif").details.notes
    assert str(note) == "Only the first page of the file is read; pages that are left out: 2."


# --- Strange and hostile files (the many are in test_hostile_files.py) ------------------------------------------------


@pytest.mark.parametrize("name", ["a.heic", "a.avif", "a.jp2", "a.j2k"])
def test_heic_avif_and_jpeg_2000_are_read(tmp_path: Path, name: str) -> None:
    assert np.abs(saved(tmp_path, source(), name, quality=95) - np.asarray(source())).mean() < 5
    alpha = faded().getchannel("A")
    loaded = saved(tmp_path, faded(), name, quality=95)
    assert np.abs(loaded - over_white(np.asarray(faded()).astype(float))).mean() < 5
    transparency = image.load(tmp_path / name).details.transparency
    assert transparency
    assert np.abs(transparency.alpha.astype(float) - np.asarray(alpha)).mean() < 3


def bitmap(levels: np.ndarray, bits: int, masks: Sequence[int]) -> bytes:
    """A BMP with a field of bits for each colour."""
    data = levels[::-1].astype(f"<u{bits // 8}").tobytes()
    size = struct.pack("<IiiHHIIiiII", 40, levels.shape[1], levels.shape[0], 1, bits, 3, len(data), 0, 0, 0, 0)
    start = 14 + len(size) + 12
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + size + struct.pack("<3I", *masks) + data


def packed(levels: np.ndarray, bits: int) -> bytes:
    """Grey levels without gaps between them."""
    parts = (levels >> (8 - bits)).reshape(-1, 8 // bits)
    return np.bitwise_or.reduce(parts << (bits * np.arange(8 // bits)[::-1]), axis=1).astype(np.uint8).tobytes()


def rare(name: str) -> bytes:
    """The photo as scanners, phones and Windows write it at times."""
    pixels, grey = np.asarray(source()).astype(int), np.asarray(source().convert("L")).astype(int)
    red, green, blue = np.moveaxis(pixels, 2, 0)
    exif = Image.Exif()
    exif.get_ifd(34665).update({40962: 9999, 40963: 3})
    exif[274] = 99
    match name:
        case "565.bmp":
            levels = (red >> 3) << 11 | (green >> 2) << 5 | blue >> 3
            return bitmap(levels, 16, (0xF800, 0x7E0, 0x1F))
        case "888.bmp":
            return bitmap(red << 16 | green << 8 | blue, 32, (0xFF0000, 0xFF00, 0xFF))
        case "depth.jpg":  # a small picture in the same file
            depth = source().convert("L").resize((24, 16))
            return made(source(), "MPO", quality=95, save_all=True, append_images=[depth])[:-99]
        case "sizes.jpg":
            return made(source(), "JPEG", quality=95, exif=exif)
        case "inks.jpg":  # Adobe's, inverted
            return made(source().convert("CMYK"), "JPEG", quality=95, subsampling=0)
    bits = int(name[0])
    return tiff(96, 64, [packed(grey, bits)], {258: bits, 259: 1, 262: 1, 277: 1, 278: 64})


def made(picture: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "most"),
    [("565.bmp", 4), ("888.bmp", 0), ("depth.jpg", 8), ("sizes.jpg", 8), ("inks.jpg", 4), ("4 bits.tif", 12),
     ("2 bits.tif", 50), ("1 bit.tif", 130)],
)  # fmt: skip
def test_rare_kinds_of_common_formats_are_read_right(tmp_path: Path, name: str, most: float) -> None:
    (tmp_path / name).write_bytes(rare(name))
    photo = image.load(tmp_path / name, reduce_to=None)
    expected = np.asarray(source().convert("L").convert("RGB") if name.endswith(".tif") else source())
    assert np.abs(photo.pixels.astype(float) - expected).mean() <= most
    assert not photo.details.notes


def test_the_main_picture_of_a_heic_is_taken(tmp_path: Path) -> None:
    several = pillow_heif.from_pillow(source().convert("L").resize((32, 32)))
    several.add_from_pillow(source())
    several.save(tmp_path / "a.heic", primary_index=1)
    assert np.abs(image.load(tmp_path / "a.heic").pixels - np.asarray(source()).astype(float)).mean() < 6


def test_each_format_has_its_limit(tmp_path: Path) -> None:
    """Phones call 5712x4284 pixels 24 megapixels; a WebP of 24 would take more memory than others."""
    Image.new("RGB", (408, 306)).save(tmp_path / "a.heic")
    Image.new("RGB", (360, 290)).save(tmp_path / "a.webp")
    assert image.load(tmp_path / "a.heic", max_pixels=120_000).width == 408
    with pytest.raises(PhotoError, match=r"smaller than 0\.1 megapixels"):
        image.load(tmp_path / "a.webp", max_pixels=120_000)


def test_a_tile_larger_than_its_picture_is_refused(tmp_path: Path) -> None:
    """A hundred bytes, for which libtiff would take a gigabyte."""
    (tmp_path / "a.tif").write_bytes(one_tile(1, bytes(4)))
    with pytest.raises(PhotoError, match="too large"):
        image.load(tmp_path / "a.tif")


def test_a_run_length_bitmap_is_not_read(tmp_path: Path) -> None:
    """Pillow unpacks one in Python, a byte at a time, and a byte may stand for 255 rows."""
    (tmp_path / "a.bmp").write_bytes(run_length_bmp(1_000_000, 16, b"\0\2\0\xff"))
    with pytest.raises(PhotoError, match="not a picture that can be read here"):
        image.load(tmp_path / "a.bmp")
