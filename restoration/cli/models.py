"""`models`, `convert` and `export`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from .. import files, weights
from ..errors import ControlError, WeightsError
from ..report import writing
from .options import ModelsFlag, WeightsFlag, make_restorer, model_names
from .typer_app import app


@app.command("models")
def models_command() -> None:
    """List the models: id, title, parameters, where the weights were found, and their SHA-256."""
    for entry in weights.manifest().values():
        try:
            path = weights.find(entry.name)
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            state = f"{path}  {found}{'' if found in entry.files.values() else '  damaged'}"
        except WeightsError as error:
            later = error.code == "weights_later"
            state = f"not here; fetched when needed from {error.fields['url']}" if later else str(error)
        typer.echo(f"{entry.model:26}{entry.title:38}{entry.parameters:>10,}  {state}")
    for id, paths in weights.originals().items():
        for path in paths:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            typer.echo(f"{id:26}{weights.title(id):48}  {path}  {found}")


@app.command("convert")
def convert_command(
    checkpoint: Annotated[Path, typer.Argument(metavar="FILE.pth", help="A checkpoint of the original project.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="The new file, ending in .safetensors.")],
) -> None:
    """Turn a checkpoint of the original project into safetensors, which cannot hold code: the same numbers, and
    --weights takes it in the place of the checkpoint.
    """
    from ..weights import checkpoints

    if out.suffix != ".safetensors" or out.exists() or not out.parent.is_dir():
        raise ControlError("convert_out", out=out)
    part, tensors = checkpoints.original(checkpoint)
    from ..models._original import check_shapes

    check_shapes(checkpoint, part, tensors)
    with writing(out):
        files.write_atomically(out, checkpoints.packed(part, tensors))
    typer.echo(f"{out}: the original project's {part.upper()}.")


@app.command("export")
def export_command(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Folder of the new files.")],
    onnx: Annotated[bool, typer.Option("--onnx", help="As ONNX, the only format so far.")] = False,
    models: ModelsFlag = None,
    weights: WeightsFlag = None,
) -> None:
    """Write networks for other runtimes: vae.onnx and so on, float32 [B, 3, 128, 128] RGB in [0, 1] to the same.

    ONNX Runtime restores photos with each before it is kept: no pixel may differ by more than 1 level of 255. Needs,
    in a checkout, pip install -e ".[onnx]".
    """
    from .. import onnx_export

    if not onnx:
        raise ControlError("export_format")
    names = model_names(models)
    restorer = make_restorer("cpu", weights)
    restorer.prepare(names)
    restorer.check_own_weights()
    for name in names:
        path = out / f"{name}.onnx"
        levels = onnx_export.to_onnx(restorer, name, path)
        typer.echo(f"{path}: {restorer.title(name)}, within {levels}/255 of PyTorch.")
