from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from restoration import Photo, PhotoError, image
from tests.conftest import EXAMPLES

ASTRONAUT = EXAMPLES / "astronaut.jpg"


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels: decoding it would fail, so only the header can have been read."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 1000) + b"IDAT"


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
        ("large.png", png_header(5000, 5000), "too large"),
        ("bomb.png", png_header(60_000, 60_000), "too large"),
        ("large.jpg", jpeg_header(9000, 6000), "too large"),
        ("drawing.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
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


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (15, 400)])
def test_too_small(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "small.png")
    with pytest.raises(PhotoError, match=f"{size[0]}x{size[1]}"):
        image.load(tmp_path / "small.png")


def source() -> Image.Image:
    return Image.open(ASTRONAUT).resize((96, 64))


def saved(tmp_path: Path, picture: Image.Image, name: str, **options: object) -> np.ndarray:
    picture.save(tmp_path / name, **options)
    return image.load(tmp_path / name).pixels.astype(float)


def test_lossless_formats_come_back_exactly(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "a.tif"):
        assert np.array_equal(saved(tmp_path, source(), name), np.asarray(source()))
    assert np.array_equal(saved(tmp_path, source(), "a.webp", lossless=True), np.asarray(source()))


def test_16_bit_grey_is_scaled_not_saturated(tmp_path: Path) -> None:
    grey = np.asarray(source().convert("L"))
    loaded = saved(tmp_path, Image.fromarray(grey.astype(np.uint16) * 257), "a.png")
    assert np.array_equal(loaded, np.repeat(grey[..., None], 3, 2))


def test_16_bit_grey_with_transparency_or_the_other_byte_order(tmp_path: Path) -> None:
    levels = np.asarray(source().convert("L")).astype(np.uint16) * 257
    mark = int(levels[0, 0])
    loaded = saved(tmp_path, Image.fromarray(levels), "a.png", transparency=mark)
    assert (loaded[levels == mark] == 255).all()
    assert np.array_equal(loaded[levels != mark][:, 0], levels[levels != mark] // 257)
    big_endian = Image.frombytes("I;16B", (96, 64), levels.astype(">u2").tobytes())
    assert np.array_equal(saved(tmp_path, big_endian, "b.tif")[..., 0], levels // 257)


def test_cmyk_is_converted(tmp_path: Path) -> None:
    assert np.abs(saved(tmp_path, source().convert("CMYK"), "a.tif") - np.asarray(source())).mean() < 2


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    faded = source().convert("LA")
    faded.putalpha(0)
    assert saved(tmp_path, faded, "la.png").min() == 255
    palette = source().quantize(16)
    assert (saved(tmp_path, palette, "p.png", transparency=0)[np.asarray(palette) == 0] == 255).all()


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    for name in ("a.gif", "a.webp", "a.png"):
        options = {"lossless": True} if name == "a.webp" else {}
        loaded = saved(tmp_path, frames[0], name, save_all=True, append_images=frames[1:], **options)
        assert (loaded == [255, 0, 0]).all()


def test_float_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="32-bit"):
        saved(tmp_path, source().convert("F"), "a.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    inverse = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what a camera did, as Image.Transpose
    picture = source()
    stored = picture.transpose(Image.Transpose(inverse[orientation])) if orientation > 1 else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(saved(tmp_path, stored, "a.png", exif=exif), np.asarray(picture))


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


def test_written_files_have_the_users_mode_and_any_legal_name(tmp_path: Path, photo: Photo) -> None:
    name = "n" * 250 + ".png"
    before = os.umask(0o077)
    try:
        image.save(photo, tmp_path / name)
    finally:
        os.umask(before)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.mkdir()  # renaming a file onto a folder fails
    with pytest.raises(OSError, match=r"a\.png"):
        image.write_whole(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


# --- Strange and hostile files (the many are in test_hostile_files.py) ------------------------------------------------


def test_heic_as_phones_save_it(tmp_path: Path) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    loaded = saved(tmp_path, source(), "a.heic", quality=95)
    assert np.abs(loaded - np.asarray(source())).mean() < 3


def test_lab_is_converted(tmp_path: Path) -> None:
    lab = ImageCms.profileToProfile(
        source(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab
    assert np.abs(saved(tmp_path, lab, "a.tif") - np.asarray(source())).mean() < 2


def test_damaged_exif_does_not_hide_the_photo(tmp_path: Path) -> None:
    for exif in (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(40), b"nothing", b"\0"):
        for name in ("a.png", "a.webp", "a.jpg"):
            options = {"lossless": True} if name == "a.webp" else {"quality": 100, "subsampling": 0}
            loaded = saved(tmp_path, source(), name, exif=exif, **options)
            assert np.abs(loaded - np.asarray(source())).mean() < 3


def test_a_file_of_too_many_bytes_is_not_opened(tmp_path: Path) -> None:
    with (tmp_path / "vast.png").open("wb") as file:
        file.truncate(image.MAX_BYTES + 1)
    with pytest.raises(PhotoError, match=r"vast\.png has more than 200 MB"):
        image.load(tmp_path / "vast.png")


def test_each_format_has_its_limit(tmp_path: Path) -> None:
    """Phones call 5712x4284 pixels 24 megapixels; a WebP of 24 would take more memory than others."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.new("RGB", (408, 306)).save(tmp_path / "a.heic")
    Image.new("RGB", (360, 290)).save(tmp_path / "a.webp")
    assert image.load(tmp_path / "a.heic", max_pixels=120_000).width == 408
    with pytest.raises(PhotoError, match=r"smaller than 0\.1 megapixels"):
        image.load(tmp_path / "a.webp", max_pixels=120_000)


def test_a_tile_larger_than_its_picture_is_refused(tmp_path: Path) -> None:
    """118 bytes, for which libtiff would take a gigabyte."""
    tags = {256: 16, 257: 16, 258: 8, 259: 1, 262: 1, 277: 1, 322: 32_000, 323: 32_000, 324: 8, 325: 1000}
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    contents = b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + bytes(4)
    (tmp_path / "a.tif").write_bytes(contents)
    with pytest.raises(PhotoError, match="too large"):
        image.load(tmp_path / "a.tif")


def test_a_run_length_bitmap_is_not_read(tmp_path: Path) -> None:
    """Pillow unpacks one in Python, a byte at a time, and a byte may stand for 255 rows."""
    palette = bytes(4 * 256)
    header = struct.pack("<IiiHHIIiiII", 40, 1_000_000, 16, 1, 8, 1, 4, 0, 0, 256, 0)
    start = 14 + len(header) + len(palette)
    contents = b"BM" + struct.pack("<IHHI", start + 4, 0, 0, start) + header + palette + b"\0\2\0\xff"
    (tmp_path / "a.bmp").write_bytes(contents)
    with pytest.raises(PhotoError, match="not a picture that can be read here"):
        image.load(tmp_path / "a.bmp")
