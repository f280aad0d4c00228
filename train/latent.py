"""`python -m train.latent --photos SHARD`: does the VAE's latent carry anything, and are its draws worth looking at?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import numpy as np
import torch
import typer
from torch import Tensor

from restoration import Restorer, image, metrics, weights
from restoration.colour import luminance, to_ycc
from restoration.models.vae import VAE

from . import RESULTS, write_result
from .evaluate import CONDITIONS, pairs
from .objectives import build_objective
from .objectives.vae import VAEObjective, kl_divergence
from .photos import photos_of


def main(
    photos: Annotated[Path, typer.Option(help="Photos that were not trained on: a tar or zip file, or a folder.")],
    run: Annotated[Path, typer.Option(help="The released run; it holds the encoder of the truth.")] = Path("runs/vae"),
    draws: Annotated[int, typer.Option(help="Samples per photo.")] = 8,
    limit: Annotated[int, typer.Option(help="Only the first so many photos.")] = 200,
    out: Annotated[Path, typer.Option(help="Where the figures are written.")] = RESULTS / "latent.json",
) -> None:
    """KL of each latent dimension, the samples' spread in luminance and chroma, and the best of the samples' PSNR."""
    released = weights.load("vae.safetensors")
    if not (run / "checkpoint.pt").exists() or released.path.read_bytes() != (run / "weights.safetensors").read_bytes():
        raise SystemExit(f"{run} is not the run that was released; export it first, or name the right one.")
    state = torch.load(run / "checkpoint.pt", map_location="cpu")
    restorer = Restorer("cpu")
    network = cast(VAE, restorer.network("vae"))
    objective = cast(VAEObjective, build_objective("vae", state["config"]))
    objective.load_state_dict(state["objective"])
    posterior = objective.posterior.eval()
    nats, rows = [], []
    for seed, (truth, degraded) in enumerate(pairs(photos_of(photos)[:limit], CONDITIONS["original"])):
        with torch.inference_mode():
            light = network.light(luminance(image.to_tensor([degraded])))
            prior = network.colouriser.moments_of(light.seen)
            true: tuple[Tensor, Tensor] = posterior(to_ycc(image.to_tensor([truth])))
            nats.append(kl_divergence(*true, *prior)[0])
        drawn = restorer.samples(degraded, draws, seed=seed).photos
        spread = 255 * to_ycc(image.to_tensor(drawn)).std(0).mean((1, 2))
        scores = [metrics.psnr(each, truth) for each in drawn]
        mean = restorer.restore(degraded, "vae").photo
        rows.append(
            {
                "spread_luminance": float(spread[0]),
                "spread_chroma": float(spread[1:].mean()),
                "psnr_of_the_mean": metrics.psnr(mean, truth),
                "psnr_of_a_sample": float(np.mean(scores)),
                "psnr_of_the_best_sample": max(scores),
                "colourfulness_of_the_truth": metrics.colourfulness(truth),
                "colourfulness_of_the_mean": metrics.colourfulness(mean),
                "colourfulness_of_a_sample": float(np.mean([*map(metrics.colourfulness, drawn)])),
            }
        )
    per_dimension = sorted(torch.stack(nats).mean(0).tolist(), reverse=True)
    result = {
        "photos": len(rows),
        "shard": photos.name,
        "draws": draws,
        "weights_sha256": released.sha256,
        "kl_per_dimension": [round(value, 3) for value in per_dimension],
        **{name: round(float(np.mean([row[name] for row in rows])), 3) for name in rows[0]},
    }
    write_result(out, result)


if __name__ == "__main__":
    typer.run(main)
