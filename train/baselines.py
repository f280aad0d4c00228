"""`python -m train.baselines --photos SHARD`: what others do to the luminance of the same damaged photos.

None of them colours. Their strengths are the best of a short list on the development photos, not on these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from safetensors.torch import load_file
from scipy.ndimage import median_filter
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, estimate_sigma
from torch import nn

from restoration import metrics
from restoration.colour import LUMA

from . import RESULTS, write_result
from .evaluate import CONDITIONS, Scores, grey_photo, pairs, summarise
from .photos import tar_photos

Filter = Callable[[np.ndarray], np.ndarray]  # luminance in [0, 1], float [H, W] -> the same


def non_local_means(y: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Buades et al. 2005, at ``strength`` times the noise that the photo seems to have."""
    sigma = estimate_sigma(y)
    return denoise_nl_means(y, patch_size=5, patch_distance=6, h=strength * sigma, sigma=sigma, fast_mode=True)


def total_variation(y: np.ndarray, weight: float = 0.015) -> np.ndarray:
    """Rudin et al. 1992, by Chambolle's algorithm."""
    return denoise_tv_chambolle(y, weight=weight)


def bm3d(y: np.ndarray) -> np.ndarray:
    """Dabov et al. 2007, by the package bm3d."""
    import bm3d as package

    return package.bm3d(y, estimate_sigma(y))


class DnCNN(nn.Module):
    """Zhang et al. 2017, "Beyond a gaussian denoiser": a residual that is taken off the input."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, 64, 3, padding=1)]
        for _ in range(18):
            layers += [nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1)]
        self.model = nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(64, 1, 3, padding=1))

    @torch.inference_mode()
    def __call__(self, y: np.ndarray) -> np.ndarray:
        image = torch.from_numpy(y).float()[None, None]
        return (image - self.model(image))[0, 0].numpy()


def dncnn(path: Path) -> DnCNN:
    network = DnCNN()
    network.load_state_dict(load_file(path))
    return network.eval()


def main(
    photos: Annotated[Path, typer.Option(help="A tar shard of photos that were not trained on.")],
    dncnn3: Annotated[Path | None, typer.Option(help="DnCNN-3's weights, safetensors with KAIR's names.")] = None,
    with_bm3d: Annotated[bool, typer.Option("--bm3d", help="BM3D too (pip install bm3d): a second per photo.")] = False,
    limit: Annotated[int | None, typer.Option(help="Only the first so many photos.")] = None,
    out: Annotated[Path, typer.Option(help="Where the table is written.")] = RESULTS / "baselines.json",
) -> None:
    """Luminance PSNR and SSIM of the classical filters and of DnCNN-3, preset `original`, seed = the photo's index."""
    filters: dict[str, Filter] = {
        "median 3x3": partial(median_filter, size=3),
        "non-local means": non_local_means,
        "total variation": total_variation,
    }
    if with_bm3d:
        filters["BM3D"] = bm3d
    if dncnn3:
        filters["DnCNN-3"] = dncnn(dncnn3)
    scores: Scores = {name: [] for name in ("degraded", *filters)}
    for truth, degraded in pairs(tar_photos(photos)[:limit], CONDITIONS["original"]):
        y = degraded.pixels @ np.array(LUMA) / 255
        filtered = {name: grey_photo(255 * apply(y)) for name, apply in filters.items()}
        for name, photo in {"degraded": degraded, **filtered}.items():
            psnr, ssim = metrics.psnr_luminance(photo, truth), metrics.ssim_luminance(photo, truth)
            scores[name].append({"psnr_luminance": psnr, "ssim_luminance": ssim})
    table = summarise(scores)
    result = {"photos": len(scores["degraded"]), "shard": photos.name, "preset": "original", "scores": table}
    for name, row in table.items():
        typer.echo(f"{name:16} luminance PSNR {row['psnr_luminance']['gain']:+.3f} dB")
    write_result(out, result)


if __name__ == "__main__":
    typer.run(main)
