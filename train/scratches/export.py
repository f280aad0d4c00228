"""`python -m train.scratches.export`: a run's averaged weights become weights/scratches.safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import safetensors.torch
import torch
import typer

from restoration.network.scratch_detector import WEIGHTS

from ..export import release
from .__main__ import BATCH, NETWORK, RATE

CARD = """\
# Scratches

A small U-Net that marks cracks, scratches, folds, tears, dust, hairs and stains of an old print's scan, so that they
can be filled from what surrounds them.

| | |
|---|---|
| file | `{name}`, {parameters:,} parameters, fp16 safetensors, {size:,} bytes |
| SHA-256 | `{sha256}` |
| input | `[B, 3, H, W]` RGB in [0, 1], H and W multiples of 16; photos of more than a megapixel are reduced to one |
| output | `[B, 1, H, W]`, the logit that a pixel is damage |
| training | {pieces:,} pieces of 256x256 seen in {minutes:.0f} minutes on a share of a CPU core, from {init} |
| settings | `{settings}` |
| losses | cross-entropy, Dice |
| licence | {licence} |

## Scores

<!-- scores -->
<!-- /scores -->

## Data

Photos: {data}

Pieces of large photos at half to one and a half times their size, and small ones, enlarged or four side by side; half
of them in grey, some toned. Damage: the cracks and the dust of the preset `antique`, crooked lines that branch, nets of
fine cracks, folds, torn borders and blots, all drawn anew at every sight; and the real artefacts of
daniela997/FilmDamageSimulator (MIT), without lint, without the last fifth of every other kind, and without its largest
ones (dots and stains). More than a third of the pieces has no damage; four in ten have text, bars, rain, wires,
whiskers, branches, borders, rings, scales, halftone or dots drawn on them, which are none.

To train it again: `python -m train.scratches --photos FOLDER`, then `python -m train.scratches.export` and
`python -m train.scratches.evaluate`.

## Limits

It has seen no real damaged prints, only drawn damage and real film artefacts. It knows what lies on a photo by its
shape and its sharpness: a straw, a cable, a lattice mast or a small figure before a plain ground may be marked, above
all where contrast is hard, and a large stain or a fold without a bright line is not. Look at the mask where something
small matters.
"""


def main(
    run: Annotated[Path, typer.Option(help="The run's folder.")] = Path("runs/scratches"),
    data: Annotated[str, typer.Option(help="A sentence on the photos that trained it, for the card.")] = "Not stated.",
    licence: Annotated[str, typer.Option(help="What the photos allow.")] = "not stated",
) -> None:
    """Write the weights, the manifest entry and the card."""
    state = torch.load(run / "checkpoint.pt", map_location="cpu")
    tensors = {name: each for name, each in state["average"].items() if each.is_floating_point()}
    release(
        WEIGHTS,
        safetensors.torch.save(
            {name: each.half().contiguous() for name, each in tensors.items()},
            {"model": "scratches", "config": json.dumps(NETWORK)},
        ),
        CARD,
        card={
            "pieces": state["step"] * BATCH,
            "minutes": state["seconds"] / 60,
            "settings": json.dumps({"network": NETWORK, "batch": BATCH, "steps": state["step"], "rate": RATE}),
            "init": f"`{state['init']}`" if state["init"] else "nothing",
            "data": data,
        },
        model="scratches",
        task="detect",
        title="Scratches",
        config=NETWORK,
        licence=licence,
        data="large photos in pieces, and small ones; see the card",
    )


if __name__ == "__main__":
    typer.run(main)
