"""The command line: `restoration COMMAND`, or `python -m restoration COMMAND` in a checkout."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

import typer
from tqdm import tqdm

from . import files, image, weights
from .degradations import CONTROLS, PRESETS, Degradation, preset
from .errors import ControlError, OutputError, PhotoError, RestorationError, WeightsError, not_loaded
from .files import legible
from .outputs import (
    Entry,
    Format,
    Job,
    Plan,
    commit,
    finite,
    input_sha256,
    is_done,
    is_file_name,
    plan,
    read_report,
    report_path,
    truth_of,
    writing,
)
from .parallel import in_parallel
from .recipe import Recipe
from .sheet import Cell, sheet
from .summary import Summary
from .types import Colour, Inpainting, Look, Photo, Size, Upscaling, drawn_sha256

if TYPE_CHECKING:
    from .cluster import Cluster
    from .metrics import Metrics
    from .restorer import Restorer
    from .tiling import Progress


class _Program(typer.core.TyperGroup):
    """Its commands say what they need by importing it, and what cannot be imported is said in a sentence."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (ImportError, MemoryError) as error:
            with _clear_errors():
                raise not_loaded(error) from error


app = typer.Typer(
    cls=_Program,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Restore and colourise damaged photos with a VAE, a GAN and a CNN, and compare them.\n\n"
    "INPUT is files or folders (searched through). OUT ending in .png, .jpg, .jpeg or .webp is a file, anything else a "
    "folder."
    " A report.jsonl lies beside the results; what it lists as done is not done again. Exit status: 0 all went well,"
    " 1 some photo failed, 2 wrong usage.",
)

Inputs = Annotated[list[Path], typer.Argument(metavar="INPUT", help="Photos, or folders of photos.")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result file (.png, .jpg, .webp) or folder.")]
FormatFlag = Annotated[
    Format | None,
    typer.Option(
        "--format", help="Of results in a folder: same [default], a JPEG of a JPEG and a PNG of all else, or one kind."
    ),
]
MaxPixelsFlag = Annotated[
    int, typer.Option("--max-pixels", min=16 * 16, help="Of a photo; what is larger is not read, as it fills memory.")
]
FitFlag = Annotated[image.Fit, typer.Option("--fit", help="How a photo becomes 128x128.")]
DeviceFlag = Annotated[Literal["auto", "cpu", "cuda", "mps"], typer.Option("--device", help="Where the networks run.")]
EngineFlag = Annotated[
    str, typer.Option("--engine", help="Of the upscaling: auto, fast, general, x4plus, x2plus or bicubic.")
]
DenoiseFlag = Annotated[
    float | None, typer.Option("--denoise", help="How much noise the engine general removes: 0 to 1 [default: 1].")
]
TileFlag = Annotated[
    int | None,
    typer.Option(
        "--tile", min=16, max=4096, help="Side of the tiles of a large photo [default: what suits the engine]."
    ),
]
ModelsFlag = Annotated[
    str | None, typer.Option("--models", help="Which, separated by commas [default: all that are released].")
]
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
    except BrokenPipeError:  # whoever read along has enough, as `head` has; Typer leaves without a word
        raise
    except (RestorationError, OSError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error


T = TypeVar("T")
Results = tuple[Mapping[str, Photo | bytes], Entry]
"""What is made of a photo, by what it is (bytes where it is no picture), and what the report says of it beside the
recipe."""
GPU_BATCH = 8
"""Photos that a GPU restores at once; a CPU's core is little slower with one, and a kill costs no more than it."""


def _process(
    todo: Plan,
    telling: Telling,
    work: Callable[[Job], Results],
    recipe_of: Callable[[Job], Recipe],
    *,
    resumable: bool = False,
) -> None:
    """`_process_batches` of one photo each, which ``work`` reads itself."""
    _process_batches(
        todo, telling, lambda job: job, lambda some: [work(job) for job, _ in some], recipe_of, resumable=resumable
    )


def _process_batches(
    todo: Plan,
    telling: Telling,
    read: Callable[[Job], T],
    work: Callable[..., Sequence[Results]],
    recipe_of: Callable[[Job], Recipe],
    *,
    resumable: bool,
    batch: int = 1,
    threads: int = 1,
    cluster: Cluster | None = None,
) -> None:
    """``read`` each photo and ``work`` on batches of them, write the results and a line of the report of each, name
    those that fail, sum up, and exit 1 if any did.

    ``resumable`` says that the recipe alone decides a photo's results: those that are there already are not made again.
    ``work`` gets pairs of a job and what was read, ``batch`` of them at once, in each of the ``threads``; on a
    ``cluster``, a worker's own `Restorer` too.
    """
    report = report_path(todo.out)
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ControlError("out_unmade", folder=report.parent, reason=error.strerror) from error
    made = read_report(report) if resumable else {}
    count = len(todo.jobs)
    summary = Summary(report=report, photos=count, passed_over=todo.passed_over)
    one_at_a_time = threading.Lock()

    def was_done(job: Job) -> bool:
        if done := bool(made) and is_done(job, recipe_of(job).to_json(), made, report):
            with one_at_a_time:
                summary.before += 1
        return done

    def read_with_hash(job: Job) -> tuple[float, Job, str, T]:
        return time.perf_counter(), job, input_sha256(job), read(job)

    def work_on(some: Sequence[tuple[float, Job, str, T]], *own: Restorer) -> list[tuple[float, Job, str, Results]]:
        done = work([(job, found) for _, job, _, found in some], *own)
        return [(begun, job, digest, results) for (begun, job, digest, _), results in zip(some, done, strict=True)]

    def encode(one: tuple[float, Job, str, Results]) -> tuple[Job, float, Entry, dict[Path, bytes]]:
        begun, job, digest, (results, facts) = one
        entry = {"input": legible(str(job.source)), "input_sha256": digest, "outputs": job.outputs, **facts}
        notes = [note for result in results.values() if isinstance(result, Photo) for note in result.details.notes]
        if notes:
            entry["warning"] = " ".join(dict.fromkeys(map(str, notes)))
            entry["partial"] = any(note.code in ("photo_partial", "photo_coarse") for note in notes)
        files = {path: _encode(results[kind], path.suffix) for kind, path in job.outputs.items()}
        return job, time.perf_counter() - begun, {**entry, "recipe": recipe_of(job).to_json()}, files

    def write(encoded: tuple[Job, float, Entry, dict[Path, bytes]]) -> None:
        job, seconds, entry, files = encoded
        with one_at_a_time:
            commit(report, entry, files)
            summary.took(job.source, seconds)

    if cluster:
        from .cluster import WorkerTask

        outcomes = cluster.run(
            todo.jobs, was_done, WorkerTask(read=read_with_hash, work=work_on, finish=encode), write, batch=batch
        )
    else:
        outcomes = in_parallel(
            todo.jobs,
            lambda job: None if was_done(job) else read_with_hash(job),
            work_on,
            lambda one: write(encode(one)),
            batch=batch,
            threads=threads,
            begin=_on_one_core,
        )
    for folder in todo.unreadable:
        forbidden = PhotoError("photo_forbidden", name=folder.name)
        tqdm.write(summary.refuse(folder, forbidden), file=sys.stderr)
    progress = tqdm(total=count, unit="photo", disable=None if count > 1 and not telling.quiet else True)
    try:
        with closing(outcomes), progress as bar:  # closed, so that nothing more is begun after an error or Ctrl+C
            for job, failure in outcomes:
                if failure is None:
                    summary.done += 1
                elif isinstance(failure, ControlError | OutputError):
                    raise failure  # wrong usage, or no room for anything: not a bad photo
                elif isinstance(failure, RestorationError | OSError | RuntimeError | MemoryError):
                    tqdm.write(summary.refuse(job.source, failure), file=sys.stderr)
                else:
                    raise failure
                bar.update()
    finally:
        if said := json.dumps(summary.to_json()) if telling.json else str(summary):
            typer.echo(said)
    if summary.done < count or todo.unreadable:
        raise typer.Exit(1)


def _on_one_core() -> None:
    """What this thread computes stays on one core, as every core has such a thread."""
    import torch

    torch.set_num_threads(1)


def _encode(result: Photo | bytes, suffix: str) -> bytes:
    return result if isinstance(result, bytes) else image.encode(result, suffix)


@contextmanager
def _tile_bar() -> Iterator[Progress]:
    """A progress bar of one photo's tiles."""
    with tqdm(unit="tile", leave=False, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def _restorer(device: str, own_weights: list[Path] | None) -> Restorer:
    from .restorer import Restorer

    return Restorer(device, own_weights or ())


def _names(given: str | None) -> list[str]:
    """Of the models that were asked for, each once."""
    if given is None:
        return [entry.model for entry in weights.restorers()]
    return list(dict.fromkeys(name.strip() for name in given.split(",")))


def _load(path: Path, size: Size, fit: image.Fit, max_pixels: int) -> Photo:
    """The photo at ``path``, at the size that it is to be restored at."""
    if size == "own":
        return image.load(path, reduce_to=None, max_pixels=max_pixels, may_halve=False)
    return image.fit(image.load(path, max_pixels=max_pixels), fit)


def _format(out: Path, given: Format | None, size: Size) -> Format:
    """Of results: what the laboratory made is for measuring, and loses nothing to JPEG unless that is asked for."""
    if given and is_file_name(out):
        raise ControlError("format_named", out=out)
    return given or ("same" if size == "own" else "png")


def _size(given: str) -> Size:
    return "own" if given == "own" else 128


def _cluster(device: str, own_weights: list[Path] | None) -> AbstractContextManager[Cluster]:
    from .cluster import connected

    return connected(device, own_weights or ())


# --- Flags that several commands share --------------------------------------------------------------------------------


def _with_flags(
    command: Callable[..., None],
    value: str,
    options: Mapping[str, tuple[Any, typer.models.OptionInfo]],
    made: Callable[[Mapping[str, Any]], Any],
) -> Callable[..., None]:
    """Give a command that wants ``value`` the flags that it is ``made`` of."""

    @functools.wraps(command)
    def with_flags(**given: Any) -> None:
        flags = {name: given.pop(name) for name in options}
        with _clear_errors():
            given[value] = made(flags)
        command(**given)

    own = [p for p in inspect.signature(command).parameters.values() if p.name != value]
    flags = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])
        for name, (kind, option) in options.items()
    ]
    hints = inspect.get_annotations(command, eval_str=True)
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[p.name]) for p in own]
    with_flags.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]
    with_flags.__annotations__ = {p.name: p.annotation for p in [*own, *flags]}
    return with_flags


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How much is told, and whether to a person or a program."""

    quiet: bool
    json: bool


def _telling_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that wants ``telling: Telling`` the flags that describe it."""
    options: dict[str, tuple[Any, typer.models.OptionInfo]] = {
        "quiet": (bool, typer.Option("--quiet", "-q", help="No progress: what went wrong, and the summary.")),
        "json": (bool, typer.Option("--json", help="The summary as one JSON object, for programs.")),
    }
    return _with_flags(
        command, "telling", options, lambda given: Telling(**{name: bool(each) for name, each in given.items()})
    )


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What the degradation flags ask for: a recipe's, or a preset's draw, with the controls that are set on top."""

    recipe: Recipe | None
    preset: str | None
    seed: int
    size: Size
    fit: image.Fit
    controls: dict[str, float | bool]
    max_pixels: int

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

    def load(self, path: Path) -> Photo:
        """The undamaged photo at ``path``, at the size that it is to have."""
        return _load(path, self.size, self.fit, self.max_pixels)


def _degradation_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that wants ``damage: Damage`` the flags that describe it, one per control."""
    options: dict[str, tuple[Any, typer.models.OptionInfo]] = {
        "preset_": (str | None, typer.Option("--preset", help=f"Random: {', '.join(PRESETS)} [default: original].")),
        "seed": (int | None, typer.Option("--seed", help="Of the first photo; the others count on [default: 0].")),
        "recipe": (Path | None, typer.Option("--recipe", metavar="FILE", help="Replay a recipe's damage and seed.")),
        "size": (
            Literal["own", "128"] | None,
            typer.Option("--size", help="The photo whole, at its own size, or made 128x128 first [default: 128]."),
        ),
        "fit": (image.Fit | None, typer.Option("--fit", help="How a photo becomes 128x128 [default: crop].")),
        "max_pixels": (
            int | None,
            typer.Option("--max-pixels", min=16 * 16, help="Of a photo; what is larger is not read [default: 100 MP]."),
        ),
        "grayscale": (bool | None, typer.Option("--grayscale/--colour", help="Take the colour away [default: yes].")),
    }
    for name, control in CONTROLS.items():
        kind = int if control.step >= 1 else float
        what = control.help[0].upper() + control.help[1:]
        text = f"{what}: {control.low:g} to {control.high:g}, {control.off:g} is off."
        options[name] = (kind | None, typer.Option(f"--{name.replace('_', '-')}", help=text))

    def made(flags: Mapping[str, Any]) -> Damage:
        controls = {name: flags[name] for name in ("grayscale", *CONTROLS) if flags[name] is not None}
        if flags["recipe"] and flags["preset_"]:
            raise ControlError("recipe_preset")
        recipe = Recipe.read(flags["recipe"]) if flags["recipe"] else None
        if recipe and recipe.degradation is None:
            raise ControlError("recipe_undamaged", path=flags["recipe"])
        by_hand = any(name in CONTROLS for name in controls)
        named = flags["preset_"] or (None if by_hand or recipe else "original")
        seed = flags["seed"] if flags["seed"] is not None else (recipe and recipe.seed) or 0
        fit = flags["fit"] or (recipe and recipe.fit) or "crop"
        size = _size(flags["size"]) if flags["size"] else recipe.size if recipe else 128
        damage = Damage(
            recipe=recipe, preset=named, seed=seed, size=size, fit=cast(image.Fit, fit), controls=controls,
            max_pixels=flags["max_pixels"] or image.MAX_SCAN,
        )  # fmt: skip
        damage.of(0)  # a control out of its range is wrong usage, found before any photo is touched
        return damage

    return _with_flags(command, "damage", options, made)


# --- Commands ---------------------------------------------------------------------------------------------------------


@app.command("restore")
@_telling_flags
def restore_command(
    inputs: Inputs,
    out: Out,
    telling: Telling,
    model: Annotated[
        str | None, typer.Option(help="vae, gan or cnn [default: what --weights hold, otherwise vae].")
    ] = None,
    upscale: Annotated[
        int | None, typer.Option(help="Also write a copy enlarged 2 or 4 times, 4096x4096 at most.")
    ] = None,
    engine: EngineFlag = "auto",
    denoise: DenoiseFlag = None,
    size: Annotated[
        Literal["own", "128"] | None,
        typer.Option(
            help="The photo whole, at its own size, or made 128x128 first [default: own; 128 by the original project's "
            "networks, which know nothing else]."
        ),
    ] = None,
    fit: FitFlag = "crop",
    format: FormatFlag = None,
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
    max_pixels: MaxPixelsFlag = image.MAX_SCAN,
    device: DeviceFlag = "auto",
    weights: WeightsFlag = None,
    ray: Annotated[
        bool,
        typer.Option(
            "--ray",
            help="Restore on a Ray cluster: the one at $RAY_ADDRESS, or one of this machine. --engine ray is the same.",
        ),
    ] = False,
) -> None:
    """Restore and colourise damaged photos, whole: a.jpg gives a.jpg in OUT; with --upscale 4 also a_x4.jpg, four times
    as large.

    --size 128 does what the laboratory does. A pair that `degrade` wrote is measured against its truth.
    """
    with _clear_errors():
        if engine == "ray":
            engine, ray = "auto", True
        if upscale is None and (engine != "auto" or denoise is not None):
            raise ControlError("no_upscaling")
        upscaling = Upscaling(scale=upscale, engine=engine, denoise=denoise) if upscale is not None else None
        restorer = _restorer("cpu" if ray else device, weights)
        name = model or restorer.model
        chosen: Size = _size(size) if size else "own" if restorer.restores_whole(name) else 128
        look = Look(
            colour=colour or ("auto" if chosen == "own" else "new"),
            colour_strength=colour_strength,
            tone=0 if tone == "off" else tone_strength,
            sample=sample,
        )
        mending, drawn = _inpainting(inpaint, sensitivity, max_pixels)
        asked = Recipe(
            size=chosen, fit=fit, inpaint=mending, look=look, seed=seed, models={name: None}, upscaling=upscaling
        )
        cluster = _cluster(device, weights) if ray else nullcontext()
        _restore(inputs, out, telling, asked, restorer, cluster, format, max_pixels, drawn)


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
@_telling_flags
def replay_command(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe's JSON, or the report of one photo.")],
    inputs: Inputs,
    out: Out,
    telling: Telling,
    mask: Annotated[
        Path | None, typer.Option(metavar="MASK", help="The mask that the recipe names, if one was drawn.")
    ] = None,
    format: FormatFlag = None,
    max_pixels: MaxPixelsFlag = image.MAX_SCAN,
    device: DeviceFlag = "auto",
    weights: WeightsFlag = None,
) -> None:
    """Do what a recipe of the app or of a report says, its damage included: the same pixels come out.

    Where weights or libraries are others than it names, it says so and runs. A recipe of several models gives a_vae.png
    and so on.
    """
    with _clear_errors():
        asked = Recipe.read(recipe)
        if not asked.models:
            raise ControlError("recipe_modelless", path=recipe)
        drawn = image.load(mask, reduce_to=None, max_pixels=max_pixels) if mask else None
        _restore(inputs, out, telling, asked, _restorer(device, weights), nullcontext(), format, max_pixels, drawn)


def _restore(
    inputs: list[Path],
    out: Path,
    telling: Telling,
    asked: Recipe,
    restorer: Restorer,
    connection: AbstractContextManager[Cluster | None],
    format: Format | None,
    max_pixels: int,
    drawn: Photo | None,
) -> None:
    """Run ``asked`` on each photo: a.png and a_x4.png for one model, a_vae.png and so on for several.

    By ``restorer``, or, where ``connection`` gives a cluster, by one of each worker's.
    """
    import torch

    from . import pipeline, upscale
    from .models import model

    for name in asked.models:
        model(name)  # before it becomes part of a file's name
    endings = {name: f"_{name}" if len(asked.models) > 1 else "" for name in asked.models}
    kinds = {f"restored{ending}": ending for ending in endings.values()}
    if asked.upscaling:
        kinds |= {f"upscaled{ending}": f"{ending}_x{asked.upscaling.scale}" for ending in endings.values()}
    todo = plan(inputs, out, kinds, skip_truths=True, format=_format(out, format, asked.size))

    def prepared(restorer: Restorer) -> Recipe:
        resolved = pipeline.resolve(restorer, asked)
        restorer.prepare(asked.models)
        return resolved

    def results(job: Job, run: pipeline.Run) -> Results:
        truth = run.truth
        if truth is None and (path := truth_of(job.source)):
            truth = _load(path, recipe.size, recipe.fit, max_pixels)
        pictures: dict[str, Photo | bytes] = {}
        seconds, measured = {}, {}
        for name, ending in endings.items():
            result = run.restored[name]
            pictures[f"restored{ending}"], seconds[f"restore{ending}"] = result.photo, result.seconds
            if recipe.upscaling:
                larger = run.enlarged[name]
                pictures[f"upscaled{ending}"], seconds[f"upscale{ending}"] = larger.photo, larger.seconds
            if truth and (truth.width, truth.height) == (result.photo.width, result.photo.height):
                from . import metrics  # SciPy's import, for which most runs need not wait

                measured[name] = metrics.compare(result.photo, truth)
        colours = {f"colour{ending}": run.restored[name].colour for name, ending in endings.items()}
        pixels = {"given": run.degraded, **{kind: each for kind, each in pictures.items() if isinstance(each, Photo)}}
        sizes = {kind: [each.width, each.height] for kind, each in pixels.items()}
        if truth:
            sizes["truth"] = [truth.width, truth.height]  # of another size, it measures nothing
        mended = {"mended": round(run.mended.share, 5)} if run.mended else {}
        if run.mended:
            seconds["mend"] = run.mended.seconds
        return pictures, {**_facts(seconds, measured), "sizes": sizes, **colours, **mended}

    def read(job: Job) -> Photo:
        photo = _load(job.source, recipe.size, recipe.fit, max_pixels)
        if recipe.upscaling:
            upscale.check_size(photo, recipe.upscaling.scale)  # before it is restored for nothing
        return photo

    def work(some: Sequence[tuple[Job, Photo]], restorer: Restorer) -> list[Results]:
        with _tile_bar() if len(todo.jobs) == 1 and not telling.quiet else nullcontext() as progress:
            runs = pipeline.run_batch(restorer, [photo for _, photo in some], recipe, drawn=drawn, progress=progress)
        return [results(job, run) for (job, _), run in zip(some, runs, strict=True)]

    with connection as cluster:
        recipe = cluster.ask(prepared) if cluster else prepared(restorer)
        if difference := asked.mismatch(recipe):
            typer.echo(f"Note: {difference}", err=True)
        by = work if cluster else lambda some: work(some, restorer)
        batch, threads = 1, 1
        if recipe.size == 128 and not recipe.upscaling:  # one whole photo takes all cores, and much memory
            on_gpu = recipe.versions["device"] != "cpu"
            batch = GPU_BATCH if on_gpu else 1
            threads = min(
                len(todo.jobs), 2 if on_gpu else max(2, torch.get_num_threads())
            )  # one reads for a GPU, one waits
        _process_batches(
            todo, telling, read, by, lambda job: recipe, resumable=True, batch=batch, threads=threads, cluster=cluster
        )


@app.command("degrade")
@_telling_flags
@_degradation_flags
def degrade_command(inputs: Inputs, out: Out, damage: Damage, telling: Telling) -> None:
    """Damage photos as the original project made its dataset, or as prints age: a.jpg gives the pair a.png and
    a_truth.png, 128x128 or, with --size own, of its own size.

    Without flags by the original's random recipe; controls given alone start from an undamaged grey photo.
    """
    from . import metrics

    with _clear_errors():
        todo = plan(inputs, out, {"degraded": "", "truth": "_truth"})
        places = {job.source: place for place, job in enumerate(todo.jobs)}

        def recipe_of(job: Job) -> Recipe:
            degradation, seed = damage.of(places[job.source])
            return Recipe(size=damage.size, fit=damage.fit, degradation=degradation, seed=seed)

        def work(job: Job) -> tuple[dict[str, Photo], Entry]:
            degradation, seed = damage.of(places[job.source])
            truth = damage.load(job.source)
            degraded = degradation.apply(truth, seed)
            facts = _facts({}, {"degraded": metrics.compare(degraded, truth)})
            return {"degraded": degraded, "truth": truth}, facts

        _process(todo, telling, work, recipe_of, resumable=True)


@app.command("compare")
@_telling_flags
@_degradation_flags
def compare_command(
    input: Annotated[Path, typer.Argument(metavar="INPUT", help="An undamaged photo.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result folder.")],
    damage: Damage,
    telling: Telling,
    models: ModelsFlag = None,
    device: DeviceFlag = "auto",
    weights: WeightsFlag = None,
) -> None:
    """Damage one photo, let every model restore it, and measure: pictures, one labelled sheet and a report."""
    from . import metrics, pipeline

    with _clear_errors():
        if is_file_name(out):
            raise ControlError("compare_folder", out=out)
        names = _names(models)
        kinds = ["degraded", *names, "truth", "sheet"]
        todo = plan([input], out, {kind: f"_{kind}" for kind in kinds})
        restorer = _restorer(device, weights)
        restorer.prepare(names)
        degradation, seed = damage.of(0)
        hashes = {name: restorer.weights_sha256(name) for name in names}
        recipe = Recipe(size=damage.size, fit=damage.fit, degradation=degradation, seed=seed, models=hashes)

        def work(job: Job) -> tuple[dict[str, Photo], Entry]:
            run = pipeline.run(restorer, damage.load(job.source), recipe)
            truth = cast(Photo, run.truth)
            pictures = {"degraded": run.degraded, **{name: each.photo for name, each in run.restored.items()}}
            measured = {name: metrics.compare(photo, truth) for name, photo in pictures.items()}
            panels = [_panel("degraded", run.degraded, measured["degraded"])]
            panels += [
                _panel(restorer.title(name), pictures[name], measured[name], measured["degraded"]) for name in names
            ]
            pictures |= {"truth": truth, "sheet": sheet([[*panels, Cell(truth, ["truth"])]])}
            return pictures, _facts({name: each.seconds for name, each in run.restored.items()}, measured)

        _process(todo, telling, work, lambda job: recipe)


@app.command("sweep")
@_telling_flags
def sweep_command(
    input: Annotated[Path, typer.Argument(metavar="INPUT", help="An undamaged photo.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result folder.")],
    telling: Telling,
    control: Annotated[str, typer.Option(help=f"What to sweep: {', '.join(CONTROLS)}.")] = "gaussian",
    low: Annotated[float | None, typer.Option(help="Lowest strength [default: the lowest that shows].")] = None,
    high: Annotated[float | None, typer.Option(help="Highest strength [default: the highest that shows].")] = None,
    steps: Annotated[int, typer.Option(min=2, max=32, help="How many strengths.")] = 8,
    measure: Annotated[str, typer.Option(help="Of the plot.")] = "psnr_luminance",
    models: ModelsFlag = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the damage, the same at each strength.")] = 0,
    fit: FitFlag = "crop",
    device: DeviceFlag = "auto",
    weights: WeightsFlag = None,
) -> None:
    """Stress-test the models: a.jpg, damaged from mildly to severely, gives a_sweep.csv with every measure, a_plot.png
    and a_strip.png with the pictures; a sentence says where each model helped.
    """
    from . import robustness

    with _clear_errors():
        if is_file_name(out):
            raise ControlError("sweep_folder", out=out)
        names = _names(models)
        todo = plan([input], out, {"table": "_sweep.csv", "plot": "_plot", "strip": "_strip"})
        lowest, highest = robustness.reach(control)
        at = robustness.strengths(control, lowest if low is None else low, highest if high is None else high, steps)
        robustness.check_measure(measure)
        restorer = _restorer(device, weights)
        restorer.prepare(names)
        hashes = {name: restorer.weights_sha256(name) for name in names}
        worst = Degradation.from_mapping({"grayscale": True, control: at[-1]})

        def label(name: str) -> str:
            return restorer.title(name) if name in names else robustness.english(name)

        def work(job: Job) -> tuple[dict[str, Photo | bytes], Entry]:
            truth = image.fit(image.load(job.source), fit)
            swept = robustness.sweep(restorer, truth, control, at, names, seed=seed)
            results: dict[str, Photo | bytes] = {"table": robustness.table(swept).encode()}
            results |= {"plot": robustness.plot(swept, measure, label), "strip": robustness.strip(swept, label)}
            typer.echo(robustness.verdict(swept, measure, label), err=telling.json)
            return results, {"control": control, "strengths": at}

        recipe = Recipe(fit=fit, degradation=worst, seed=seed, models=hashes)
        _process(todo, telling, work, lambda job: recipe)


@app.command("samples")
@_telling_flags
def samples_command(
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result folder.")],
    telling: Telling,
    n: Annotated[int, typer.Option("--n", min=2, max=64, help="How many samples of each photo.")] = 8,
    model: Annotated[str | None, typer.Option(help="A model that has samples [default: the VAE].")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    fit: FitFlag = "crop",
    device: DeviceFlag = "auto",
    weights: WeightsFlag = None,
) -> None:
    """Show how sure a model is of its colours: several restorations of each photo, a map of where they differ (black:
    they agree) and a sheet of all.
    """
    with _clear_errors():
        if is_file_name(out):
            raise ControlError(
                "several_files",
                command="samples", out=out
            )  # fmt: skip
        names = [f"sample{number + 1}" for number in range(n)]
        kinds = [*names, "uncertainty", "sheet"]
        todo = plan(inputs, out, {kind: f"_{kind}" for kind in kinds}, skip_truths=True)
        restorer = _restorer(device, weights)
        name = model or restorer.sampler
        restorer.prepare([name])
        recipe = Recipe(fit=fit, models={name: restorer.weights_sha256(name)}, seed=seed)

        def work(job: Job) -> tuple[dict[str, Photo], Entry]:
            photo = image.fit(image.load(job.source), fit)
            mean = restorer.restore(photo, name)
            drawn = restorer.samples(photo, n, seed=seed, model=name)
            pictures = dict(zip(names, drawn.photos, strict=True)) | {"uncertainty": drawn.map()}
            panels = [Cell(photo, ["input"]), Cell(mean.photo, ["restored"])]
            panels += [Cell(picture, [name]) for name, picture in pictures.items()]
            pictures["sheet"] = sheet([panels[start : start + 6] for start in range(0, len(panels), 6)], side=128)
            facts = _facts({"samples": drawn.seconds})
            return pictures, {**facts, "uncertainty": round(float(drawn.uncertainty.mean()), 3)}

        _process(todo, telling, work, lambda job: recipe)


@app.command("scratches")
@_telling_flags
def scratches_command(
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Result folder.")],
    telling: Telling,
    sensitivity: Annotated[float, typer.Option(help="How little has to look like a scratch: 0 to 1.")] = 0.5,
    max_pixels: MaxPixelsFlag = image.MAX_SCAN,
    device: DeviceFlag = "auto",
) -> None:
    """Show where photos are scratched, creased or soiled: a.jpg gives a_mask.png, white where damage was found, and
    a_overlay.png, the photo with that in red.

    Correct the mask in any editor, and `restore --inpaint a_mask.png` mends what is white in it.
    """
    with _clear_errors():
        if is_file_name(out):
            raise ControlError(
                "several_files",
                command="scratches", out=out
            )  # fmt: skip
        todo = plan(inputs, out, {kind: f"_{kind}" for kind in ("mask", "overlay")}, skip_truths=True)
        restorer = _restorer(device, None)
        inpaint = Inpainting(sensitivity=sensitivity, weights_sha256=restorer.scratches_sha256())
        recipe = Recipe(size="own", inpaint=inpaint)

        def work(job: Job) -> tuple[dict[str, Photo], Entry]:
            from . import scratches

            photo = image.load(job.source, reduce_to=None, max_pixels=max_pixels)
            started = time.perf_counter()
            mask = restorer.find_scratches(photo)
            facts = _facts({"find": time.perf_counter() - started})
            found = scratches.marked(mask, sensitivity)
            pictures = {"mask": scratches.picture(found), "overlay": scratches.overlay(photo, found)}
            return pictures, {**facts, "marked": round(float(found.mean()), 5)}

        _process(todo, telling, work, lambda job: recipe)


@app.command("upscale")
@_telling_flags
def upscale_command(
    inputs: Inputs,
    out: Out,
    telling: Telling,
    scale: Annotated[int, typer.Option(help="2 or 4.")] = 4,
    engine: EngineFlag = "auto",
    denoise: DenoiseFlag = None,
    tile: TileFlag = None,
    format: FormatFlag = None,
    device: DeviceFlag = "auto",
    weights: WeightsFlag = None,
) -> None:
    """Enlarge photos by Real-ESRGAN, in colour and without restoring them: a.jpg gives a_x4.jpg.

    auto is x4plus on a GPU, general on a CPU, and fast where those cannot be fetched; the report says which ran.
    """
    with _clear_errors():
        todo = plan(
            inputs, out, {"upscaled": "" if is_file_name(out) else f"_x{scale}"}, format=_format(out, format, "own")
        )
        restorer = _restorer(device, weights)
        upscaling = restorer.upscaling(scale, engine, denoise, tile)
        restorer.prepare()
        recipe = Recipe(size="own", upscaling=upscaling)

        def work(job: Job) -> tuple[dict[str, Photo], Entry]:
            photo = image.load(job.source, reduce_to=None, max_pixels=image.MAX_SCAN, may_halve=False)
            with nullcontext() if telling.quiet else _tile_bar() as progress:
                larger = restorer.upscale(
                    photo, scale, engine=upscaling.engine, denoise=denoise, tile=tile, progress=progress
                )
            return {"upscaled": larger.photo}, _facts({"upscale": larger.seconds})

        _process(todo, telling, work, lambda job: recipe, resumable=True)


@app.command("models")
def models_command() -> None:
    """List the models: id, title, parameters, where the weights were found, and their SHA-256."""
    with _clear_errors():
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


@app.command("votes")
def votes_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="votes.sqlite, or a .jsonl file of a dataset.")],
) -> None:
    """Rank the models by the votes of the app's blind test: by how likely each is to be kept rather than an average
    one, with its 95 % interval. A model with new weights is another one.
    """
    from . import ranking, votes

    with _clear_errors():
        for ranked in ranking.rank(votes.read(file)):
            named = ", ".join(f"{name} {sha256[:8]}" for name, sha256 in ranked.weights.items())
            typer.echo(f"{ranked.votes} votes on {named}; {ranked.none} of them for none.")
            for each in ranked.standings:
                chance, low, high = (round(100 * value) for value in (each.chance, each.low, each.high))
                typer.echo(f"{each.model:26}{chance:>4} % ({low} to {high}), chosen {each.kept} times")
            if not ranked.standings:
                typer.echo(f"Too few votes for a ranking: it takes {ranking.LEAST} that choose a picture.")


@app.command("convert")
def convert_command(
    checkpoint: Annotated[Path, typer.Argument(metavar="FILE.pth", help="A checkpoint of the original project.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="The new file, ending in .safetensors.")],
) -> None:
    """Turn a checkpoint of the original project into safetensors, which cannot hold code: the same numbers, and
    --weights takes it in the place of the checkpoint.
    """
    from . import checkpoints

    with _clear_errors():
        if out.suffix != ".safetensors" or out.exists() or not out.parent.is_dir():
            raise ControlError("convert_out", out=out)
        part, tensors = checkpoints.original(checkpoint)
        from .models._original import check_fit

        check_fit(checkpoint, part, tensors)
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
    from . import export

    with _clear_errors():
        if not onnx:
            raise ControlError("export_format")
        names = _names(models)
        restorer = _restorer("cpu", weights)
        restorer.prepare(names)
        for name in names:
            exported = export.to_onnx(restorer, name, out / f"{name}.onnx")
            typer.echo(f"{exported.path}: {restorer.title(name)}, within {exported.difference}/255 of PyTorch.")


def _facts(seconds: Mapping[str, float], measured: Mapping[str, Metrics] | None = None) -> Entry:
    """What the report says of a photo beside its recipe; measures by candidate, null where there is no truth."""
    return {
        "seconds": {step: round(value, 4) for step, value in seconds.items()},
        "metrics": {name: finite(asdict(each)) for name, each in measured.items()} if measured else None,
    }


def _panel(title: str, photo: Photo, measured: Metrics, before: Metrics | None = None) -> Cell:
    """A picture with its scores against the truth, and their change against the degraded photo's."""
    from .metrics import with_change

    captions = [title]
    for label, name, digits in (
        ("PSNR, dB:", "psnr", 2),
        ("luminance, dB:", "psnr_luminance", 2),
        ("SSIM:", "ssim", 3),
    ):
        was = getattr(before, name) if before else None
        captions.append(f"{label} {with_change(getattr(measured, name), was, digits)}")
    return Cell(photo, captions)


def main() -> None:
    """The program; in UTF-8, as Python 3.15 is by itself, where a system's settings know no sign but ASCII's."""
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, sys.orig_argv)
    app()


if __name__ == "__main__":
    main()
