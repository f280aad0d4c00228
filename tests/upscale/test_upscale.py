"""Engines, each against the project that it comes from; the large ones with the weights in ../shared."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.upscale import make_importable, upstream
from restoration import ControlError, Photo, PhotoError, Restorer, WeightsError, image, metrics, upscale, weights
from restoration.colour import LUMA
from restoration.errors import LibraryError
from restoration.upscale import ENGINES
from restoration.weights import released
from tests.conftest import EXAMPLES, ROOT


@pytest.fixture(scope="module")
def full(shared: Path) -> Restorer:
    """With the large engines' weights."""
    return Restorer("cpu", [shared / "weights"])


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> tuple[Restorer, str]:
    name = request.param
    return request.getfixturevalue("restorer" if name in ("fast", "bicubic") else "full"), name


# Not by whether basicsr can be found: where it should be there and is not, these tests must fail.
with_basicsr = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="basicsr cannot be installed on Python 3.13 and later"
)
LARGEST = pytest.param("x4plus", marks=pytest.mark.slow)
every_engine = pytest.mark.parametrize("engine", ["fast", "general", LARGEST], indirect=True)


def crop(name: str, width: int, height: int) -> Photo:
    return Photo(image.load(EXAMPLES / f"{name}.jpg").pixels[100 : 100 + height, 90 : 90 + width].copy())


# --- The right pixels -------------------------------------------------------------------------------------------------


def difference(ours: Photo, theirs: np.ndarray) -> int:
    assert ours.pixels.shape == theirs.shape
    return int(np.abs(theirs.astype(int) - ours.pixels).max())


@with_basicsr
@every_engine
def test_pixels_are_those_of_realesrganer(
    engine: tuple[Restorer, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    restorer, name = engine
    own = [] if name == "fast" else [request.getfixturevalue("shared") / "weights"]
    theirs = upstream([ENGINES[name].weights], own, tmp_path)
    for photo in (crop("astronaut", 64, 90), crop("china", 81, 40), crop("coffee", 60, 60)):
        result = restorer.upscale(photo, 4, engine=name)
        assert result.upscaling.engine == name
        assert difference(result.photo, theirs(photo)) <= 1


@with_basicsr
@pytest.mark.parametrize("denoise", [0.0, 0.3])
def test_denoise_strength_is_upstreams(full: Restorer, shared: Path, tmp_path: Path, denoise: float) -> None:
    names = [ENGINES["general"].weights, upscale.GENERAL_NOISY]
    theirs = upstream(names, [shared / "weights"], tmp_path, [denoise, 1 - denoise])
    photo = crop("motorcycle", 70, 50)
    ours = full.upscale(photo, engine="general", denoise=denoise)
    assert difference(ours.photo, theirs(photo)) <= 1
    assert ours.upscaling.denoise == denoise
    assert len(ours.upscaling.weights) == 2
    plain = full.upscale(photo, engine="general")
    assert plain.upscaling.denoise == 1
    assert difference(plain.photo, ours.photo.pixels) > 5  # and the network itself is left as it was
    assert np.array_equal(full.upscale(photo, engine="general", denoise=1.0).photo.pixels, plain.photo.pixels)


@with_basicsr
def test_x2plus_takes_odd_sizes_as_upstream_does(tmp_path: Path) -> None:
    """With weights of chance, for the real ones are not at hand here."""
    make_importable()
    from basicsr.archs.rrdbnet_arch import RRDBNet
    from realesrgan import RealESRGANer

    torch.manual_seed(0)
    config = dict(weights.manifest()[ENGINES["x2plus"].weights].config, num_block=1)
    tensors = {name: tensor * 3 for name, tensor in RRDBNet(**config).state_dict().items()}
    torch.save({"params": tensors}, tmp_path / "x2.pth")
    theirs = RealESRGANer(2, str(tmp_path / "x2.pth"), model=RRDBNet(**config), pre_pad=0, device=torch.device("cpu"))
    network = upscale.build(config, tensors)
    for photo in (crop("astronaut", 33, 40), crop("coffee", 20, 21)):
        ours = upscale.enlarge(network, ENGINES["x2plus"], photo, 2)
        expected = theirs.enhance(np.ascontiguousarray(photo.pixels[..., ::-1]))[0][..., ::-1]
        assert difference(ours, expected) <= 1


@with_basicsr
@pytest.mark.parametrize("name", ["fast", "general", LARGEST])
def test_spandrel_gives_the_same_pixels(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in for basicsr on Python 3.13 and later."""
    own = [] if name == "fast" else [request.getfixturevalue("shared") / "weights"]
    checkpoint, photo = weights.load(ENGINES[name].weights, own), crop("flower", 50, 40)
    pictures = []
    for basicsr in (True, False):
        if not basicsr:
            monkeypatch.setattr(upscale, "find_spec", lambda name: None)
        network = upscale.build(checkpoint.config, checkpoint.tensors).eval()
        modules = {type(part).__module__.partition(".")[0] for part in network.modules()}
        assert ("basicsr" in modules, "spandrel" in modules) == (basicsr, not basicsr)
        pictures.append(upscale.enlarge(network, ENGINES[name], photo, 4))
    assert difference(pictures[0], pictures[1].pixels) <= 1


def test_spandrel_serves_where_basicsr_is_not(photo: Photo) -> None:
    """In a process that cannot import it, as on Python 3.13."""
    code = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'basicsr' else find(name, *rest)\n"
        "sys.modules['basicsr'] = None\n"
        "from restoration import Restorer, image\n"
        f"photo = image.fit(image.load({str(EXAMPLES / 'astronaut.jpg')!r}))\n"
        "result = Restorer('cpu').upscale(photo, engine='fast')\n"
        "assert 'spandrel' in sys.modules and result.photo.width == 512"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@every_engine
def test_the_result_is_the_photo_enlarged(engine: tuple[Restorer, str]) -> None:
    """Colours in order, nothing shifted: reduced again it is the photo, and it is sharper than bicubic."""
    restorer, name = engine
    for which in ("coffee", "china"):
        photo = crop(which, 70, 64)
        large = restorer.upscale(photo, 4, engine=name).photo
        back = Photo(np.array(Image.fromarray(large.pixels).reduce(4)))
        assert metrics.compare(back, photo).psnr > 24
        gradient = [np.abs(np.diff(p.pixels.astype(float), axis=0)).mean() for p in (large, upscale.bicubic(photo, 4))]
        assert gradient[0] > gradient[1]


def test_twice_is_four_times_reduced(restorer: Restorer, photo: Photo) -> None:
    four = restorer.upscale(photo, 4, engine="fast").photo.pixels.astype(float).reshape(256, 2, 256, 2, 3).mean((1, 3))
    two = restorer.upscale(photo, 2, engine="fast")
    assert np.abs(four - two.photo.pixels).max() <= 1
    assert two.upscaling.method == "Real-ESRGAN x4, reduced by an area filter"


def test_bicubic_is_bicubic(restorer: Restorer, photo: Photo) -> None:
    result = restorer.upscale(photo, 2, engine="bicubic")
    expected = np.array(Image.fromarray(photo.pixels).resize((256, 256), Image.Resampling.BICUBIC))
    assert np.array_equal(result.photo.pixels, expected)
    assert (result.upscaling.engine, result.upscaling.weights) == ("bicubic", {})


@pytest.mark.parametrize("engine", ["fast", "general", LARGEST, "bicubic"], indirect=True)
def test_grey_stays_grey(engine: tuple[Restorer, str]) -> None:
    """The networks know colour photos, and tint it by up to 63 levels, as they still do where a pixel has a colour."""
    restorer, name = engine
    grey = Photo(crop("china", 120, 60).pixels[..., [1, 1, 1]])
    spot = grey.pixels.copy()
    spot[0, 0, 0] ^= 1
    for scale in (2, 4):
        large = restorer.upscale(grey, scale, engine=name).photo.pixels
        tinted = restorer.upscale(Photo(spot), scale, engine=name).photo.pixels
        assert not np.ptp(large, axis=2).any()
        assert name == "bicubic" or np.ptp(tinted, axis=2).max() > 2
        assert np.abs(tinted @ LUMA - large[..., 0]).mean() < 1


@with_basicsr
def test_no_engine_needs_opencv(tmp_path: Path) -> None:
    """The one that basicsr brings needs libGL, which a server or a container has not; here an import fails as there."""
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    code = (
        "from restoration import Restorer, image, upscale, weights\n"
        f"photo = image.fit(image.load({str(EXAMPLES / 'astronaut.jpg')!r}))\n"
        "assert Restorer('cpu').upscale(photo, engine='fast').photo.width == 512\n"
        "from restoration.upscale.architectures import RRDBNet\n"
        "assert 'basicsr' in RRDBNet.__module__ and not RRDBNet.__mro__[1].__module__.startswith('basicsr')\n"
        "import sys; assert 'basicsr' not in sys.modules  # and whoever wants all of it gets it"
    )
    where = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": where}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@with_basicsr
@pytest.mark.parametrize(
    ("failure", "says"),
    [
        ("ImportError('libgomp.so.1: cannot open shared object file')", "lacks the library libgomp.so.1.*libgomp1`"),
        ("ImportError('libGL.so.1: cannot open shared object file')", "libGL.so.1.*apt-get install libgl1`"),
        ("ImportError('libX11.so.6: cannot open shared object file')", "apt-get install libx11-6`"),
        ("RuntimeError('operator torchvision::nms does not exist')", "nms does not exist.*requirements again"),
    ],
)
def test_a_library_that_fails_is_not_the_weights_fault(
    tmp_path: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch, failure: str, says: str
) -> None:
    (tmp_path / "torchvision.py").write_text(f"raise {failure}")
    monkeypatch.syspath_prepend(tmp_path)
    for name in list(sys.modules):
        if name.partition(".")[0] == "torchvision" or name == "restoration.upscale.architectures":
            monkeypatch.delitem(sys.modules, name)
    with pytest.raises(LibraryError, match=says):
        Restorer("cpu").upscale(photo, engine="fast")


# --- Which engine runs ------------------------------------------------------------------------------------------------


def test_auto_is_general_where_it_can_be_had(full: Restorer, photo: Photo) -> None:
    result = full.upscale(photo)
    assert result.upscaling.engine == "general"
    assert set(result.upscaling.weights.values()) <= set(weights.manifest()[ENGINES["general"].weights].files.values())


def test_auto_is_fast_where_it_cannot_and_says_so(photo: Photo, caplog: pytest.LogCaptureFixture) -> None:
    restorer = Restorer("cpu")
    for _ in range(2):
        assert restorer.upscale(photo).upscaling.engine == "fast"
    assert len(caplog.messages) == 1
    assert "engine fast, not general" in caplog.text
    assert "HF_HUB_OFFLINE" in caplog.text


def test_an_engine_that_was_asked_for_is_never_replaced(restorer: Restorer, photo: Photo) -> None:
    for name in ("general", "x4plus", "x2plus"):
        with pytest.raises(WeightsError, match="by hand into"):
            restorer.upscale(photo, 2, engine=name)


@with_basicsr
def test_x4plus_gives_way_to_x2plus_at_twice(
    photo: Photo, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it lies at hand; here with weights of chance in its place, whose hash is made known."""
    import hashlib

    make_importable()
    from basicsr.archs.rrdbnet_arch import RRDBNet

    name = ENGINES["x2plus"].weights
    entry = weights.manifest()[name]
    torch.save({"params_ema": RRDBNet(**entry.config).state_dict()}, tmp_path / name)
    digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    changed = {**weights.manifest(), name: replace(entry, sha256=digest)}
    monkeypatch.setattr(released, "manifest", lambda: changed)
    restorer, small = Restorer("cpu", [shared / "weights", tmp_path]), Photo(photo.pixels[:24, :24])
    two, four = restorer.upscale(small, 2, engine="x4plus"), restorer.upscale(small, 4, engine="x4plus")
    assert (two.upscaling.engine, two.upscaling.method) == ("x2plus", "Real-ESRGAN x2")
    assert two.photo.width == 48
    assert (four.upscaling.engine, four.photo.width) == ("x4plus", 96)


# --- Large and small photos -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "width", "height", "tile"),
    [("fast", 230, 170, 48), ("general", 230, 170, 64), pytest.param("x4plus", 232, 60, 96, marks=pytest.mark.slow)],
    indirect=["engine"],
)
def test_tiles_leave_no_seam(engine: tuple[Restorer, str], width: int, height: int, tile: int) -> None:
    restorer, name = engine
    photo, calls = crop("picos_de_europa", width, height), []
    whole = restorer.upscale(photo, engine=name, tile=512).photo
    tiled = restorer.upscale(photo, engine=name, tile=tile, progress=lambda *call: calls.append(call)).photo
    assert len(calls) > 1
    assert difference(tiled, whole.pixels) <= 2


@pytest.mark.slow
@with_basicsr
def test_tiles_of_x2plus_leave_no_seam(shared: Path) -> None:
    """With x4plus's weights spread over 2x2 pixels, which make an x2 network of them: it must see the same fours."""
    name = ENGINES["x4plus"].weights
    tensors = dict(weights.load(name, [shared / "weights"]).tensors)
    tensors["conv_first.weight"] = tensors["conv_first.weight"].repeat_interleave(4, 1) / 4
    config = dict(weights.manifest()[ENGINES["x2plus"].weights].config)
    network, photo = upscale.build(config, tensors).eval(), crop("picos_de_europa", 351, 41)
    whole = upscale.enlarge(network, ENGINES["x2plus"], photo, 2, tile=512)
    tiled = upscale.enlarge(network, ENGINES["x2plus"], photo, 2, tile=47)
    assert difference(tiled, whole.pixels) <= 2


@pytest.mark.parametrize(("width", "height"), [(1, 1), (10000, 1), (1, 10000), (70, 45)])
def test_odd_shapes(restorer: Restorer, width: int, height: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    for scale, engine in ((4, "fast"), (2, "fast"), (4, "bicubic")):
        result = restorer.upscale(Photo(pixels.copy()), scale, engine=engine).photo
        assert (result.width, result.height) == (width * scale, height * scale)


def test_settings_that_there_are_not(restorer: Restorer, photo: Photo) -> None:
    wrong: list[tuple[dict, str]] = [
        ({"scale": 3}, "2 or 4"),
        ({"engine": "esrgan"}, "choose from auto, fast"),
        ({"engine": "x2plus"}, "twice only"),
        ({"denoise": 0.5}, "Only the engine general"),
        ({"engine": "general", "denoise": 1.5}, "from 0 to 1"),
        ({"engine": "general", "denoise": float("nan")}, "from 0 to 1"),
        ({"tile": 8}, "16 to 4096"),
    ]
    for settings, says in wrong:
        with pytest.raises(ControlError, match=says):
            restorer.upscale(photo, **settings)


def test_limits(restorer: Restorer) -> None:
    with pytest.raises(PhotoError, match=r"1100x1000.*1024x1024"):
        restorer.upscale(Photo(np.zeros((1000, 1100, 3), np.uint8)), 4, engine="bicubic")
    largest = restorer.upscale(Photo(np.zeros((1024, 1024, 3), np.uint8)), 4, engine="bicubic").photo
    assert (largest.width, largest.height) == (4096, 4096)
    assert restorer.upscale(Photo(np.zeros((1000, 1100, 3), np.uint8)), 2, engine="bicubic").photo.width == 2200


@pytest.mark.slow
def test_a_lack_of_memory_is_one_sentence() -> None:
    """In a process that may take 100 MB more than it has when the network is loaded."""
    code = (
        "import numpy as np, resource\n"
        "from restoration import Photo, Restorer, MemoryShortage\n"
        "restorer, photo = Restorer('cpu'), Photo(np.zeros((400, 600, 3), np.uint8))\n"
        "restorer.upscale(Photo(np.zeros((64, 64, 3), np.uint8)), engine='fast')\n"
        "taken = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (taken + 100 * 2**20,) * 2)\n"
        "try:\n"
        "    restorer.upscale(photo, engine='fast', tile=600)\n"
        "except MemoryShortage as error:\n"
        "    print(error)\n"
        "print(restorer.upscale(photo, engine='fast', tile=64).photo.width)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == (
        "There is not enough memory to upscale 600x400 pixels at once; use smaller tiles (--tile 64 of the command "
        "upscale), or the engine fast.\n2400\n"
    ), done.stderr


def test_undefined_numbers_are_no_picture(photo: Photo) -> None:
    """As half precision gives them on some GPUs; clamped and rounded they would be black."""
    checkpoint = weights.load(ENGINES["fast"].weights)
    network = upscale.build(checkpoint.config, checkpoint.tensors)
    torch.nn.init.constant_(next(network.parameters()), float("nan"))
    with pytest.raises(PhotoError, match="undefined numbers in float32"):
        upscale.enlarge(network, ENGINES["fast"], photo, 4)


# --- Weights that are not what they should be -------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["flip", "cut", "other"])
def test_damaged_weights_of_theirs(shared: Path, tmp_path: Path, photo: Photo, how: str) -> None:
    """Also by an explicit path: nobody trains files of these names anew."""
    name = "realesr-general-x4v3.fp16.safetensors"
    contents = bytearray((shared / "weights" / name).read_bytes())
    contents[-1000] ^= 1
    other = (shared / "weights" / "RealESRGAN_x4plus.fp16.safetensors").read_bytes()
    (tmp_path / name).write_bytes({"flip": contents, "cut": contents[:5000], "other": other}[how])
    with pytest.raises(WeightsError, match=r"damaged.*replace it|not a complete"):
        Restorer("cpu", [tmp_path / name]).upscale(photo, engine="general")


def test_auto_never_passes_over_the_users_own_file(shared: Path, tmp_path: Path, photo: Photo) -> None:
    contents = bytearray((shared / "weights" / "realesr-general-x4v3.fp16.safetensors").read_bytes())
    contents[-1000] ^= 1
    (tmp_path / "realesr-general-x4v3.fp16.safetensors").write_bytes(contents)
    with pytest.raises(WeightsError, match="damaged"):
        Restorer("cpu", [tmp_path]).upscale(photo)


@with_basicsr
@pytest.mark.parametrize("basicsr", [True, False])
def test_weights_of_another_network(basicsr: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not basicsr:
        monkeypatch.setattr(upscale, "find_spec", lambda name: None)
    config = weights.manifest()[ENGINES["fast"].weights].config
    tensors = weights.load("vae.safetensors").tensors
    with pytest.raises((RuntimeError, ValueError)):
        upscale.build(config, tensors)


def test_the_shipped_weights_are_the_published_ones(shared: Path) -> None:
    name = ENGINES["fast"].weights
    assert (shared / "weights" / name).read_bytes() == (released.FOLDER / name).read_bytes()
