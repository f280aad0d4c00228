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


def main(
    run: Annotated[Path, typer.Option(help="The run's folder.")] = Path("runs/scratches"),
    data: Annotated[str, typer.Option(help="A sentence on the photos that trained it, for the card.")] = "Not stated.",
    licence: Annotated[str, typer.Option(help="What the photos allow.")] = "not stated",
) -> None:
    """Write the weights, the manifest entry and the card."""
    state = torch.load(run / "checkpoint.pt", map_location="cpu")
    tensors = {name: each.half().contiguous() for name, each in state["average"].items() if each.is_floating_point()}
    release(
        WEIGHTS,
        safetensors.torch.save(tensors, {"model": "scratches", "config": json.dumps(NETWORK)}),
        "scratches.md",
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
