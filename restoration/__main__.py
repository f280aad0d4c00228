"""The command line: `python -m restoration COMMAND`."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm import tqdm

from . import image, weights
from .degradations import CONTROLS, PRESETS, Degradation, preset
from .outputs import Job, finite, plan, read_report, relative_names, report_path, write_report
from .recipe import Recipe
from .sheet import Panel, sheet
from .types import ControlError, Photo, RestorationError, WeightsError

if TYPE_CHECKING:
    from .metrics import Metrics
    from .restorer import Restorer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Restore and colourise damaged photos with a VAE, a GAN and a CNN, and compare them.\n\n"
    "INPUT is files or folders (searched through). OUT ending in .png, .jpg or .webp is a file, anything else a folder."
    " A report.json lies beside the results. Exit status: 0 all went well, 1 some photo failed, 2 wrong usage.",
)

Inputs = Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Photos, or folders of photos.")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result file (.png, .jpg, .webp) or folder.")]
FitFlag = Annotated[str, typer.Option("--fit", help="How a photo becomes 128x128: crop, squash or pad.")]
DeviceFlag = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
WeightsFlag = Annotated[
    list[Path] | None, typer.Option("--weights", metavar="PATH", help="Your own weights, a file or folder; repeatable.")
]


# --- What every command does around its work --------------------------------------------------------------------------


@contextmanager
def _clear_errors() -> Iterator[None]:
    """One sentence and an exit status instead of a traceback: 2 for wrong usage, 1 for the rest."""
    try:
        yield
    except ControlError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from error
    except RestorationError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error


def _process(inputs: list[Path], out: Path, kinds: list[str], work: Callable[[Job], list[dict[str, Any]]]) -> None:
    """Run ``work`` on each photo, name those that fail, write the report, and exit 1 if any failed.

    ``work`` returns the report's entries of a photo, with ``outputs`` as paths.
    """
    jobs = plan(inputs, out, kinds)
    report = report_path(out)
    earlier = read_report(report)
    entries: list[dict[str, Any]] = []
    failed = 0
    for job in tqdm(jobs, unit="photo", disable=None if len(jobs) > 1 else True):
        try:
            made = work(job)
        except ControlError:
            raise  # wrong usage, not a bad photo
        except (RestorationError, OSError) as error:
            failed += 1
            tqdm.write(f"{job.source}: {error}", file=sys.stderr)
        else:
            entries += [{**entry, "outputs": relative_names(entry["outputs"], report)} for entry in made]
    if entries:
        write_report(report, earlier, entries)
        typer.echo(f"{len(jobs) - failed} of {len(jobs)} done; results and measures are listed in {report}.")
    if failed:
        raise typer.Exit(1)


def _restorer(device: str, own_weights: list[Path] | None) -> Restorer:
    from .restorer import Restorer

    return Restorer(device, own_weights or ())


# --- Degradation flags, shared by `degrade` and `compare` -------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What the degradation flags ask for: a recipe's, or a preset's draw, with the controls that are set on top."""

    recipe: Recipe | None
    preset: str | None
    seed: int
    controls: dict[str, float | bool]

    def of(self, index: int) -> tuple[Degradation, int]:
        """The degradation of photo ``index`` and its seed; each photo of a run gets a seed of its own."""
        seed = self.seed + index
        if self.recipe and self.recipe.degradation:
            base = self.recipe.degradation
        elif self.preset:
            base = preset(self.preset).draw(seed)
        else:
            base = Degradation(grayscale=True)
        return replace(base, **self.controls), seed  # type: ignore[arg-type]


def _degradation_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that wants ``damage: Damage`` the flags that describe it, one per control."""
    options: dict[str, tuple[Any, typer.models.OptionInfo]] = {
        "preset_": (str | None, typer.Option("--preset", help=f"Random: {', '.join(PRESETS)} [default: original].")),
        "seed": (int | None, typer.Option("--seed", help="Of the first photo; the others count on [default: 0].")),
        "recipe": (Path | None, typer.Option("--recipe", metavar="FILE", help="Replay a recipe's damage and seed.")),
        "grayscale": (bool | None, typer.Option("--grayscale/--colour", help="Take the colour away [default: yes].")),
    }
    for name, control in CONTROLS.items():
        kind = int if control.step >= 1 else float
        what = control.help[0].upper() + control.help[1:]
        text = f"{what}: {control.low:g} to {control.high:g}, {control.off:g} is off."
        options[name] = (kind | None, typer.Option(f"--{name.replace('_', '-')}", help=text))

    @functools.wraps(command)
    def with_flags(**given: Any) -> None:
        flags = {name: given.pop(name) for name in options}
        controls = {name: flags[name] for name in ("grayscale", *CONTROLS) if flags[name] is not None}
        with _clear_errors():
            if flags["recipe"] and flags["preset_"]:
                raise ControlError("A recipe and a preset cannot both be used; give one of --recipe and --preset.")
            recipe = Recipe.read(flags["recipe"]) if flags["recipe"] else None
            if recipe and recipe.degradation is None:
                raise ControlError(f"{flags['recipe']} has no degradation: its photo was damaged already.")
            named = flags["preset_"] or (None if controls or recipe else "original")
            seed = flags["seed"] if flags["seed"] is not None else (recipe and recipe.seed) or 0
            damage = Damage(recipe=recipe, preset=named, seed=seed, controls=controls)
            damage.of(0)  # a control out of its range is wrong usage, found before any photo is touched
        command(**given, damage=damage)

    own = [p for p in inspect.signature(command).parameters.values() if p.name != "damage"]
    flags = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])
        for name, (kind, option) in options.items()
    ]
    hints = inspect.get_annotations(command, eval_str=True)
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[p.name]) for p in own]
    with_flags.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]
    with_flags.__annotations__ = {p.name: p.annotation for p in [*own, *flags]}
    return with_flags


# --- Commands ---------------------------------------------------------------------------------------------------------


@app.command("restore")
def restore_command(
    inputs: Inputs,
    out: Out,
    model: Annotated[str, typer.Option(help="vae, gan or cnn.")] = "vae",
    upscale: Annotated[int | None, typer.Option(help="Also write a copy enlarged 2 or 4 times.")] = None,
    fit: FitFlag = "crop",
    device: DeviceFlag = "auto",
    weights: WeightsFlag = None,
) -> None:
    """Restore and colourise damaged photos: a.jpg gives a.png (128x128), with --upscale 4 also a_x4.png (512x512).

    Only the luminance is read: colours that a photo still has are taken away and guessed anew.
    """
    with _clear_errors():
        restorer = _restorer(device, weights)
        restorer.prepare(model, upscale)

        def work(job: Job) -> list[dict[str, Any]]:
            photo = image.load(job.source, reduce_to=image.SIDE)
            result = restorer.restore(photo, model, fit=fit)  # type: ignore[arg-type]
            image.save(result.photo, job.outputs[""])
            outputs = {"restored": job.outputs[""]}
            seconds = {"restore": result.seconds}
            engine = None
            if upscale:
                larger = restorer.upscale(result.photo, upscale)
                image.save(larger.photo, job.outputs[f"_x{upscale}"])
                outputs["upscaled"] = job.outputs[f"_x{upscale}"]
                engine = larger.model
                seconds["upscale"] = larger.seconds
            recipe = Recipe(
                fit=fit, model=model, weights_sha256=result.weights_sha256, upscale=upscale, upscale_engine=engine
            )
            return [_entry(job.source, outputs, recipe, seconds)]

        _process(inputs, out, ["", f"_x{upscale}"] if upscale else [""], work)


@app.command("degrade")
@_degradation_flags
def degrade_command(inputs: Inputs, out: Out, damage: Damage, fit: FitFlag = "crop") -> None:
    """Damage photos as the original project made its dataset: a.jpg gives the pair a.png and a_truth.png (128x128).

    Without flags by the original's random recipe; controls given alone start from an undamaged grey photo.
    """
    from . import metrics

    indices = iter(range(sys.maxsize))

    def work(job: Job) -> list[dict[str, Any]]:
        degradation, seed = damage.of(next(indices))
        truth = image.fit(image.load(job.source, reduce_to=image.SIDE), fit)  # type: ignore[arg-type]
        degraded = degradation.apply(truth, seed)
        image.save(truth, job.outputs["_truth"])
        image.save(degraded, job.outputs[""])
        outputs = {"degraded": job.outputs[""], "truth": job.outputs["_truth"]}
        recipe = Recipe(fit=fit, degradation=degradation, seed=seed)
        return [_entry(job.source, outputs, recipe, {}, metrics.compare(degraded, truth))]

    with _clear_errors():
        _process(inputs, out, ["", "_truth"], work)


@app.command("compare")
@_degradation_flags
def compare_command(
    input: Annotated[Path, typer.Argument(metavar="INPUT", help="An undamaged photo.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result folder.")],
    damage: Damage,
    models: Annotated[str, typer.Option(help="Which, separated by commas.")] = "vae,gan,cnn",
    fit: FitFlag = "crop",
    device: DeviceFlag = "auto",
    weights: WeightsFlag = None,
) -> None:
    """Damage one photo, let every model restore it, and measure: pictures, one labelled sheet and a report."""
    with _clear_errors():
        if out.suffix.lower() in image.OUTPUT_SUFFIXES:
            raise ControlError(f"compare writes several files, so {out} must be a folder; leave its suffix out.")
        names = [name.strip() for name in models.split(",")]
        restorer = _restorer(device, weights)
        for name in names:
            restorer.prepare(name)
        from . import metrics

        def work(job: Job) -> list[dict[str, Any]]:
            degradation, seed = damage.of(0)
            truth = image.fit(image.load(job.source, reduce_to=image.SIDE), fit)  # type: ignore[arg-type]
            degraded = degradation.apply(truth, seed)
            before = metrics.compare(degraded, truth)
            image.save(degraded, job.outputs["_degraded"])
            image.save(truth, job.outputs["_truth"])
            panels = [_panel("degraded", degraded, before)]
            entries = []
            for name in names:
                result = restorer.restore(degraded, name)
                after = metrics.compare(result.photo, truth)
                image.save(result.photo, job.outputs[f"_{name}"])
                panels.append(_panel(name.upper(), result.photo, after, before))
                outputs = {"restored": job.outputs[f"_{name}"], "degraded": job.outputs["_degraded"]}
                recipe = Recipe(
                    fit=fit, degradation=degradation, seed=seed, model=name, weights_sha256=result.weights_sha256
                )
                entry = _entry(job.source, outputs, recipe, {"restore": result.seconds}, after)
                entries.append({**entry, "metrics_degraded": finite(asdict(before))})
            image.save(sheet([[*panels, Panel(truth, ["truth"])]]), job.outputs["_sheet"])
            return entries

        _process([input], out, ["_degraded", "_truth", "_sheet", *(f"_{name}" for name in names)], work)


@app.command("upscale")
def upscale_command(
    inputs: Inputs,
    out: Out,
    scale: Annotated[int, typer.Option(help="2 or 4.")] = 4,
    device: DeviceFlag = "auto",
    weights: WeightsFlag = None,
) -> None:
    """Enlarge photos by Real-ESRGAN, in colour and without restoring them: a.jpg gives a_x4.png."""
    with _clear_errors():
        restorer = _restorer(device, weights)
        restorer.prepare(scale=scale)
        is_file = out.suffix.lower() in image.OUTPUT_SUFFIXES
        kind = "" if is_file else f"_x{scale}"

        def work(job: Job) -> list[dict[str, Any]]:
            result = restorer.upscale(image.load(job.source), scale)
            image.save(result.photo, job.outputs[kind])
            recipe = Recipe(
                fit="none", upscale=scale, upscale_engine=result.model, weights_sha256=result.weights_sha256
            )
            return [_entry(job.source, {"upscaled": job.outputs[kind]}, recipe, {"upscale": result.seconds})]

        _process(inputs, out, [kind], work)


@app.command("models")
def models_command() -> None:
    """List the models: id, title, parameters, where the weights were found, and their SHA-256."""
    with _clear_errors():
        for entry in weights.manifest().values():
            try:
                place = str(weights.find(entry.name))
            except WeightsError:
                place = "missing"
            typer.echo(f"{entry.model:22}{entry.title:24}{entry.parameters:>10,}  {place}  {entry.sha256}")


def _entry(
    source: Path, outputs: dict[str, Path], recipe: Recipe, seconds: dict[str, float], measured: Metrics | None = None
) -> dict[str, Any]:
    return {
        "input": str(source),
        "outputs": outputs,
        "model": recipe.model,
        "weights_sha256": recipe.weights_sha256,
        "seconds": {step: round(value, 4) for step, value in seconds.items()},
        "metrics": finite(asdict(measured)) if measured else None,
        "recipe": recipe.to_json(),
    }


def _panel(title: str, photo: Photo, measured: Metrics, before: Metrics | None = None) -> Panel:
    now, was = asdict(measured), asdict(before) if before else None

    def line(label: str, name: str, unit: str, digits: int) -> str:
        change = f"  ({now[name] - was[name]:+.{digits}f})" if was else ""
        return f"{label} {now[name]:.{digits}f}{unit}{change}"

    lines = [("PSNR", "psnr", " dB", 2), ("luminance", "psnr_luminance", " dB", 2), ("SSIM", "ssim", "", 3)]
    return Panel(photo, [title, *(line(*each) for each in lines)])


if __name__ == "__main__":
    app()
