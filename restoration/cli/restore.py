"""`restore`, `replay`, `scratches` and `upscale`: what is done to old photos."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .. import image
from ..batch.engine import Made, Way, kinds_of, made_of
from ..batch.parallel import in_parallel, on_one_core
from ..batch.plan import Format, Job, is_file_name, plan, truth_of
from ..errors import ControlError
from ..recipe import Recipe
from ..types import Colour, Inpainting, Look, Photo, Upscaling, default_colour, drawn_sha256
from . import options
from .progress import process, tile_bar
from .typer_app import app

if TYPE_CHECKING:
    from ..batch.ray_cluster import Cluster
    from ..restorer import Restorer

GPU_BATCH = 8
"""Photos that a GPU restores at once; a CPU's core is little slower with one, and a kill costs no more than it."""


@app.command("restore")
def restore_command(
    inputs: options.Inputs,
    out: options.Out,
    model: Annotated[
        str | None, typer.Option(help="vae, gan or cnn [default: what --weights hold, otherwise vae].")
    ] = None,
    upscale: Annotated[
        int | None, typer.Option(help="Also write a copy enlarged 2 or 4 times, 4096x4096 at most.")
    ] = None,
    engine: options.EngineFlag = "auto",
    denoise: options.DenoiseFlag = None,
    size: Annotated[
        Literal["own", "128"] | None,
        typer.Option(
            help="The photo whole, at its own size, or made 128x128 first [default: own; 128 by the original project's "
            "networks, which know nothing else]."
        ),
    ] = None,
    fit: options.FitFlag = "crop",
    format: options.FormatFlag = None,
    colour: Annotated[
        Colour | None,
        typer.Option(
            help="auto keeps colours that are real and guesses where there are none, new guesses, keep keeps them, "
            "none restores in grey [default: auto; at --size 128 new]."
        ),
    ] = None,
    colour_strength: Annotated[float, typer.Option(help="0 is grey, 2 twice as strong.")] = 1,
    tone: Annotated[Literal["auto", "off"], typer.Option(help="Whether fading that is found is undone.")] = "auto",
    tone_strength: Annotated[float, typer.Option(help="How much of it: 0 to 1.")] = 1,
    inpaint: Annotated[
        str,
        typer.Option(
            metavar="off|auto|MASK",
            help="Scratches stay, are found and mended, or are mended where a picture MASK is white.",
        ),
    ] = "off",
    sensitivity: Annotated[
        float | None,
        typer.Option(help="How little has to look like a scratch to be taken for one: 0 to 1 [default: 0.5]."),
    ] = None,
    sample: Annotated[int | None, typer.Option(help="One of the model's samples, from 1 on, as the result.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the samples [default: 0].")] = None,
    max_pixels: options.MaxPixelsFlag = image.MAX_SCAN,
    device: options.DeviceFlag = "auto",
    weights: options.WeightsFlag = None,
    ray: Annotated[
        bool,
        typer.Option(
            "--ray",
            help="Restore on a Ray cluster: the one at $RAY_ADDRESS, or one of this machine. --engine ray is the same.",
        ),
    ] = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Restore and colourise damaged photos, whole: a.jpg gives a.jpg in OUT; with --upscale 4 also a_x4.jpg, four times
    as large.

    --size 128 does what the laboratory does. A pair that `degrade` wrote is measured against its truth.
    """
    if engine == "ray":
        engine, ray = "auto", True
    if upscale is None and (engine != "auto" or denoise is not None):
        raise ControlError("no_upscaling")
    upscaling = Upscaling(scale=upscale, engine=engine, denoise=denoise) if upscale is not None else None
    restorer = options.make_restorer("cpu" if ray else device, weights)
    name = model or restorer.model
    chosen = options.size_of(size) if size else restorer.default_size(name)
    look = Look(
        colour=colour or default_colour(chosen),
        colour_strength=colour_strength,
        tone=0 if tone == "off" else tone_strength,
        sample=sample,
    )
    mending, drawn = _inpainting(inpaint, sensitivity, max_pixels)
    models = {name: None}
    asked = Recipe(size=chosen, fit=fit, inpaint=mending, look=look, seed=seed, models=models, upscaling=upscaling)
    connection: AbstractContextManager[Cluster | None] = nullcontext()
    if ray:
        from ..batch.ray_cluster import connected

        connection = connected(device, weights or ())
    how = Restoring(recipe=asked, drawn=drawn, max_pixels=max_pixels)
    _restore(inputs, out, format, how, restorer, connection, quiet=quiet, as_json=as_json)


def _inpainting(inpaint: str, sensitivity: float | None, max_pixels: int) -> tuple[Inpainting | None, Photo | None]:
    """How scratches are mended, and the mask that was drawn, if one was."""
    if inpaint != "auto" and sensitivity is not None:
        raise ControlError("sensitivity_alone")
    if inpaint == "off":
        return None, None
    if inpaint == "auto":
        return Inpainting(sensitivity=0.5 if sensitivity is None else sensitivity), None
    drawn = image.load(Path(inpaint), reduce_to=None, max_pixels=max_pixels)
    return Inpainting(mask=drawn_sha256(drawn)), drawn


@app.command("replay")
def replay_command(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe's JSON, or the report of one photo.")],
    inputs: options.Inputs,
    out: options.Out,
    mask: Annotated[
        Path | None, typer.Option(metavar="MASK", help="The mask that the recipe names, if one was drawn.")
    ] = None,
    format: options.FormatFlag = None,
    max_pixels: options.MaxPixelsFlag = image.MAX_SCAN,
    device: options.DeviceFlag = "auto",
    weights: options.WeightsFlag = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Do what a recipe of the app or of a report says, its damage included: the same pixels come out.

    Where weights or libraries are others than it names, it says so and runs. A recipe of several models gives a_vae.png
    and so on.
    """
    asked = Recipe.read(recipe)
    if not asked.models:
        raise ControlError("recipe_modelless", path=recipe)
    drawn = image.load(mask, reduce_to=None, max_pixels=max_pixels) if mask else None
    restorer = options.make_restorer(device, weights)
    how = Restoring(recipe=asked, drawn=drawn, max_pixels=max_pixels)
    _restore(inputs, out, format, how, restorer, nullcontext(), quiet=quiet, as_json=as_json)


def _restore(
    inputs: list[Path],
    out: Path,
    format: Format | None,
    how: Restoring,
    restorer: Restorer,
    connection: AbstractContextManager[Cluster | None],
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    """Restore each photo, by ``restorer``, or by one of each worker's where ``connection`` gives a cluster."""
    from ..models import model

    asked = how.recipe
    for name in asked.models:
        model(name)  # before it becomes part of a file's name
    form = options.result_format(out, format, asked.size)
    todo = plan(inputs, out, kinds_of(asked), skip_truths=True, format=form)
    with connection as cluster:
        recipe = cluster.ask(partial(_prepared, asked=asked)) if cluster else _prepared(restorer, asked)
        if difference := asked.mismatch(recipe):
            typer.echo(f"Note: {difference}", err=True)
        task = replace(how, recipe=recipe, shows_tiles=len(todo.jobs) == 1 and not quiet)
        work = task.work if cluster else partial(task.work, restorer=restorer)
        way = _way(recipe, len(todo.jobs), cluster)
        process(todo, quiet, as_json, task.read, work, recipe_of=lambda job: recipe, way=way)


def _way(recipe: Recipe, photos: int, cluster: Cluster | None) -> Way:
    """How so many photos are gone through: in how many threads, or on a cluster, and how many at once."""
    batch, threads = 1, 1
    if recipe.size == 128 and not recipe.upscaling:  # one whole photo takes all cores, and much memory
        import torch

        on_gpu = recipe.versions["device"] != "cpu"
        batch = GPU_BATCH if on_gpu else 1
        cores = 2 if on_gpu else max(2, torch.get_num_threads())  # for a GPU, one thread reads while another waits
        threads = min(photos, cores)
    if cluster:
        return partial(cluster.run, batch=batch)
    return partial(in_parallel, batch=batch, threads=threads, begin=on_one_core)


def _prepared(restorer: Restorer, asked: Recipe) -> Recipe:
    """``asked`` as ``restorer``, which has loaded the models then, will run it."""
    from .. import pipeline

    resolved = pipeline.resolve(restorer, asked)
    restorer.prepare(asked.models)
    restorer.check_own_weights()
    return resolved


@dataclass(frozen=True, kw_only=True)
class Restoring:
    """How each photo is read and restored; on a cluster it is sent to the workers."""

    recipe: Recipe
    drawn: Photo | None
    max_pixels: int
    shows_tiles: bool = False

    def read(self, job: Job, path: Path) -> tuple[Photo, Photo | None]:
        """The photo, and the other half of a pair that `degrade` wrote, unless the recipe has damage of its own."""
        photo = options.load_for(self.recipe, path, self.max_pixels)
        if self.recipe.upscaling:
            from .. import upscale

            upscale.check_size(photo, self.recipe.upscaling.scale)  # before it is restored for nothing
        truth = None if self.recipe.degradation else truth_of(path)
        return photo, options.load_for(self.recipe, truth, self.max_pixels) if truth else None

    def work(self, given: Sequence[tuple[Photo, Photo | None]], restorer: Restorer) -> list[Made]:
        from .. import pipeline

        photos = [photo for photo, _ in given]
        with tile_bar(shown=self.shows_tiles) as progress:
            runs = pipeline.run_batch(restorer, photos, self.recipe, drawn=self.drawn, progress=progress)
        # The recipe as it was to run, by which the next run finds what is done, whether or not a GPU failed.
        return [replace(made_of(run, truth), recipe=self.recipe) for run, (_, truth) in zip(runs, given, strict=True)]


@app.command("scratches")
def scratches_command(
    inputs: options.Inputs,
    out: options.OutFolder,
    sensitivity: Annotated[float, typer.Option(help="How little has to look like a scratch: 0 to 1.")] = 0.5,
    max_pixels: options.MaxPixelsFlag = image.MAX_SCAN,
    device: options.DeviceFlag = "auto",
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Show where photos are scratched, creased or soiled: a.jpg gives a_mask.png, white where damage was found, and
    a_overlay.png, the photo with that in red.

    Correct the mask in any editor, and `restore --inpaint a_mask.png` mends what is white in it.
    """
    todo = plan(inputs, out, {"mask": "_mask", "overlay": "_overlay"}, skip_truths=True)
    restorer = options.make_restorer(device, None)
    inpaint = Inpainting(sensitivity=sensitivity, weights_sha256=restorer.scratches_sha256())
    recipe = Recipe(size="own", inpaint=inpaint)

    def work(job: Job, path: Path) -> Made:
        from .. import scratches

        photo = image.load(path, reduce_to=None, max_pixels=max_pixels)
        started = time.perf_counter()
        mask = restorer.find_scratches(photo)
        seconds = {"find": time.perf_counter() - started}
        found = scratches.marked(mask, sensitivity)
        pictures = {"mask": scratches.picture(found), "overlay": scratches.overlay(photo, found)}
        facts = {"marked": round(float(found.mean()), 5)}
        return Made(results=pictures, recipe=recipe, seconds=seconds, facts=facts)

    process(todo, quiet, as_json, work)


@app.command("upscale")
def upscale_command(
    inputs: options.Inputs,
    out: options.Out,
    scale: Annotated[int, typer.Option(help="2 or 4.")] = 4,
    engine: options.EngineFlag = "auto",
    denoise: options.DenoiseFlag = None,
    tile: Annotated[
        int | None,
        typer.Option(min=16, max=4096, help="Side of the tiles of a large photo [default: what suits the engine]."),
    ] = None,
    format: options.FormatFlag = None,
    device: options.DeviceFlag = "auto",
    weights: options.WeightsFlag = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Enlarge photos by Real-ESRGAN, in colour and without restoring them: a.jpg gives a_x4.jpg.

    auto is x4plus on a GPU, general on a CPU, and fast where those cannot be fetched; the report says which ran.
    """
    kinds = {"upscaled": "" if is_file_name(out) else f"_x{scale}"}
    todo = plan(inputs, out, kinds, format=options.result_format(out, format, "own"))
    restorer = options.make_restorer(device, weights)
    upscaling = restorer.upscaling(scale, engine, denoise, tile)
    restorer.check_own_weights()
    recipe = Recipe(size="own", upscaling=upscaling)

    def work(job: Job, path: Path) -> Made:
        photo = image.load(path, reduce_to=None, max_pixels=image.MAX_SCAN, may_halve=False)
        with tile_bar(shown=not quiet) as bar:
            larger = restorer.upscale(photo, scale, engine=upscaling.engine, denoise=denoise, tile=tile, progress=bar)
        return Made(results={"upscaled": larger.photo}, recipe=recipe, seconds={"upscale": larger.seconds})

    process(todo, quiet, as_json, work, recipe_of=lambda job: recipe)
