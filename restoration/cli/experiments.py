"""`degrade`, `compare`, `sweep` and `samples`: the laboratory, which damages photos and examines the models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from .. import image
from ..batch.engine import Made
from ..batch.plan import Job, plan
from ..contact_sheet import Cell, sheet
from ..degradations import CONTROLS, Degradation
from ..recipe import Recipe
from ..types import Photo
from . import options
from .progress import process
from .typer_app import app

if TYPE_CHECKING:
    from ..metrics import Metrics


@app.command("degrade")
@options.degradation_flags
def degrade_command(
    inputs: options.Inputs,
    out: options.Out,
    damage: options.DamageFlags,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Damage photos as the original project made its dataset, or as prints age: a.jpg gives the pair a.png and
    a_truth.png, 128x128 or, with --size own, of its own size.

    Without flags by the original's random recipe; controls given alone start from an undamaged grey photo.
    """
    from .. import metrics

    todo = plan(inputs, out, {"degraded": "", "truth": "_truth"})
    recipes = {job.source: damage.recipe_of(index, {}) for index, job in enumerate(todo.jobs)}

    def work(job: Job, path: Path) -> Made:
        recipe = recipes[job.source]
        assert recipe.degradation
        truth = damage.load(path)
        degraded = recipe.degradation.apply(truth, recipe.seed or 0)
        measured = {"degraded": metrics.compare(degraded, truth)}
        return Made(results={"degraded": degraded, "truth": truth}, recipe=recipe, measured=measured)

    process(todo, quiet, as_json, work, recipe_of=lambda job: recipes[job.source])


@app.command("compare")
@options.degradation_flags
def compare_command(
    input: options.GoodPhoto,
    out: options.OutFolder,
    damage: options.DamageFlags,
    models: options.ModelsFlag = None,
    device: options.DeviceFlag = "auto",
    weights: options.WeightsFlag = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Damage one photo, let every model restore it, and measure: pictures, one labelled sheet and a report."""
    from .. import metrics, pipeline

    names = options.model_names(models)
    todo = plan([input], out, {kind: f"_{kind}" for kind in ("degraded", *names, "truth", "sheet")})
    restorer, hashes = options.loaded(device, weights, names)
    recipe = damage.recipe_of(0, hashes)

    def work(job: Job, path: Path) -> Made:
        run = pipeline.run(restorer, damage.load(path), recipe)
        truth = cast(Photo, run.truth)
        pictures = {"degraded": run.degraded, **{name: each.photo for name, each in run.restored.items()}}
        measured = {name: metrics.compare(photo, truth) for name, photo in pictures.items()}
        cells = [_cell("degraded", run.degraded, measured["degraded"])]
        cells += [_cell(restorer.title(name), pictures[name], measured[name], measured["degraded"]) for name in names]
        pictures |= {"truth": truth, "sheet": sheet([[*cells, Cell(truth, ["truth"])]])}
        seconds = {name: each.seconds for name, each in run.restored.items()}
        return Made(results=pictures, recipe=recipe, seconds=seconds, measured=measured)

    process(todo, quiet, as_json, work)


@app.command("sweep")
def sweep_command(
    input: options.GoodPhoto,
    out: options.OutFolder,
    control: Annotated[str, typer.Option(help=f"What to sweep: {', '.join(CONTROLS)}.")] = "gaussian",
    low: Annotated[float | None, typer.Option(help="Lowest strength [default: the lowest that shows].")] = None,
    high: Annotated[float | None, typer.Option(help="Highest strength [default: the highest that shows].")] = None,
    steps: Annotated[int, typer.Option(min=2, max=32, help="How many strengths.")] = 8,
    measure: Annotated[str, typer.Option(help="Of the plot.")] = "psnr_luminance",
    models: options.ModelsFlag = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the damage, the same at each strength.")] = 0,
    fit: options.FitFlag = "crop",
    device: options.DeviceFlag = "auto",
    weights: options.WeightsFlag = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Stress-test the models: a.jpg, damaged from mildly to severely, gives a_sweep.csv with every measure, a_plot.png
    and a_strip.png with the pictures; a sentence says where each model helped.
    """
    from .. import robustness

    names = options.model_names(models)
    todo = plan([input], out, {"table": "_sweep.csv", "plot": "_plot", "strip": "_strip"})
    lowest, highest = robustness.reach(control)
    at = robustness.strengths(control, lowest if low is None else low, highest if high is None else high, steps)
    robustness.check_measure(measure)
    restorer, hashes = options.loaded(device, weights, names)
    worst = Degradation.from_mapping({"grayscale": True, control: at[-1]})
    recipe = Recipe(fit=fit, degradation=worst, seed=seed, models=hashes)

    def label(name: str) -> str:
        return restorer.title(name) if name in names else robustness.english(name)

    def work(job: Job, path: Path) -> Made:
        truth = image.fit(image.load(path), fit)
        swept = robustness.sweep(restorer, truth, control, at, names, seed=seed)
        results: dict[str, Photo | bytes] = {"table": robustness.table(swept).encode()}
        results |= {"plot": robustness.plot(swept, measure, label), "strip": robustness.strip(swept, label)}
        typer.echo(robustness.verdict(swept, measure, label), err=as_json)
        return Made(results=results, recipe=recipe, facts={"control": control, "strengths": at})

    process(todo, quiet, as_json, work)


@app.command("samples")
def samples_command(
    inputs: options.Inputs,
    out: options.OutFolder,
    n: Annotated[int, typer.Option("--n", min=2, max=64, help="How many samples of each photo.")] = 8,
    model: Annotated[str | None, typer.Option(help="A model that has samples [default: the VAE].")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    fit: options.FitFlag = "crop",
    device: options.DeviceFlag = "auto",
    weights: options.WeightsFlag = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Show how sure a model is of its colours: several restorations of each photo, a map of where they differ (black:
    they agree) and a sheet of all.
    """
    names = [f"sample{number + 1}" for number in range(n)]
    todo = plan(inputs, out, {kind: f"_{kind}" for kind in (*names, "uncertainty", "sheet")}, skip_truths=True)
    restorer = options.make_restorer(device, weights)
    name = model or restorer.sampler
    restorer.prepare([name])
    restorer.check_own_weights()
    recipe = Recipe(fit=fit, models={name: restorer.weights_sha256(name)}, seed=seed)

    def work(job: Job, path: Path) -> Made:
        photo = image.fit(image.load(path), fit)
        mean = restorer.restore(photo, name)
        drawn = restorer.samples(photo, n, seed=seed, model=name)
        pictures = dict(zip(names, drawn.photos, strict=True)) | {"uncertainty": drawn.map()}
        cells = [Cell(photo, ["input"]), Cell(mean.photo, ["restored"])]
        cells += [Cell(picture, [name]) for name, picture in pictures.items()]
        pictures["sheet"] = sheet([cells[start : start + 6] for start in range(0, len(cells), 6)], side=128)
        facts = {"uncertainty": round(float(drawn.uncertainty.mean()), 3)}
        return Made(results=pictures, recipe=recipe, seconds={"samples": drawn.seconds}, facts=facts)

    process(todo, quiet, as_json, work)


def _cell(title: str, photo: Photo, measured: Metrics, before: Metrics | None = None) -> Cell:
    """A picture with its scores against the truth, and their change against the degraded photo's."""

    from .. import metrics

    def line(label: str, name: str, digits: int) -> str:
        was = getattr(before, name) if before else None
        return f"{label}: {metrics.with_change(getattr(measured, name), was, digits)}"

    lines = line("PSNR, dB", "psnr", 2), line("luminance, dB", "psnr_luminance", 2), line("SSIM", "ssim", 3)
    return Cell(photo, [title, *lines])
