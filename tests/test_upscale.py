from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from restoration import ControlError, Photo, PhotoError, Restorer, image, metrics, upscale, weights


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer("cpu")


def test_sizes(restorer: Restorer, photo: Photo) -> None:
    for scale in (2, 4):
        result = restorer.upscale(photo, scale)
        assert result.photo.pixels.shape == (128 * scale, 128 * scale, 3)
        assert result.model == "realesr-animevideov3"


def test_the_result_is_the_photo_enlarged(restorer: Restorer, photos: list[Photo]) -> None:
    """Colours in order, nothing shifted: reduced again it is the photo, and it is sharper than bicubic."""
    for photo in photos[:4]:
        large = restorer.upscale(photo, 4).photo
        back = Photo(np.array(Image.fromarray(large.pixels).reduce(4)))
        assert metrics.compare(back, photo).psnr > 24
        bicubic = Photo(np.array(Image.fromarray(photo.pixels).resize((512, 512), Image.Resampling.BICUBIC)))
        gradient = [np.abs(np.diff(p.pixels.astype(float), axis=0)).mean() for p in (large, bicubic)]
        assert gradient[0] > gradient[1]


def test_twice_is_four_times_reduced(restorer: Restorer, photo: Photo) -> None:
    four = restorer.upscale(photo, 4).photo.pixels.astype(float).reshape(256, 2, 256, 2, 3).mean((1, 3))
    assert np.abs(four - restorer.upscale(photo, 2).photo.pixels).max() <= 1


def test_pixels_are_those_of_realesrganer(restorer: Restorer, photo: Photo) -> None:
    """The project's own pipeline, which wants and gives BGR, is the reference."""
    network = upscale.build(weights.manifest()[upscale.WEIGHTS].config)
    from realesrgan import RealESRGANer

    checkpoint = weights.load(upscale.WEIGHTS)
    network.load_state_dict(dict(checkpoint.tensors))
    reference = RealESRGANer.__new__(RealESRGANer)  # its constructor reads a .pth file
    reference.scale, reference.tile_size, reference.pre_pad, reference.half = 4, 0, 0, False
    reference.mod_scale, reference.device, reference.model = None, torch.device("cpu"), network.eval()
    theirs, _ = reference.enhance(np.ascontiguousarray(photo.pixels[..., ::-1]))
    ours = restorer.upscale(photo, 4).photo.pixels
    assert np.abs(theirs[..., ::-1].astype(int) - ours).max() <= 1


def test_other_shapes(restorer: Restorer) -> None:
    photo = Photo(np.array(Image.open(Path(__file__).parent.parent / "assets/examples/china.jpg").resize((70, 45))))
    assert restorer.upscale(photo, 4).photo.pixels.shape == (180, 280, 3)


def test_limits(restorer: Restorer, photo: Photo) -> None:
    with pytest.raises(ControlError, match="2 or 4"):
        restorer.upscale(photo, 3)
    with pytest.raises(PhotoError, match="1100x1000"):
        restorer.upscale(Photo(np.zeros((1000, 1100, 3), np.uint8)), 4)


def test_the_shipped_weights_are_the_published_ones(shared: Path) -> None:
    assert (shared / "weights" / upscale.WEIGHTS).read_bytes() == (weights.FOLDER / upscale.WEIGHTS).read_bytes()
    assert image.SIDE * 4 == 512
