"""The endpoints for programs: the HTTP API and, with ``--mcp``, the tools of a language model.

They run what the tabs run. Their components are never drawn: they only say what goes in and what comes out.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeVar, get_args
from urllib.parse import unquote

import gradio as gr
from gradio.components import Component
from gradio.components.api_component import Api
from gradio.data_classes import FileData, ImageData
from gradio.utils import get_upload_folder, is_in_or_equal
from gradio_client.utils import is_http_url_like

from restoration import Degradation, Look, Recipe, Restorer, Run, Upscaling, image, metrics, robustness, scratches
from restoration.degradations import CONTROLS, PRESETS, preset
from restoration.errors import ControlError
from restoration.recipe import library_versions
from restoration.report import finite
from restoration.types import MAX_SAMPLES, Colour, Inpainting, Photo, Size, drawn_sha256
from restoration.upscale import check as check_upscaling

from .cancellation import raise_if_disconnected
from .context import OFFERED_ENGINES, RUNNING, TITLES, AppContext, bound
from .files import publish, received
from .results import labelled_sheet, pictures, reported_sizes
from .texts import text

logger = logging.getLogger(__name__)
Json = dict[str, Any]
T = TypeVar("T", bound=Callable[..., Any])
MAX_MEASURED = 4_000_000
"""Pixels of a photo that is measured; more take many seconds, and 160 bytes each."""
MAX_WHOLE = 2**53
"""Up to here every program reads a whole number of JSON alike."""


def _choice(description: str, choices: Any) -> Json:
    return {"type": "string", "enum": list(choices), "description": description}


def _number(description: str, low: float | None = None, high: float | None = None, *, kind: str = "number") -> Json:
    limits = {"minimum": low, "maximum": high}
    return {"type": kind, "description": description} | {key: each for key, each in limits.items() if each is not None}


PARAMETERS: dict[str, Json] = {
    "photo": {
        **ImageData.model_json_schema(),
        "description": "JPEG, PNG, WebP, HEIC, AVIF, JPEG 2000, TIFF, BMP or GIF: an uploaded file or a web address.",
    },
    "model": _choice("Which network restores.", TITLES),
    "size": _choice("The photo whole, at its own size, as usual, or made 128x128 first.", map(str, get_args(Size))),
    "fit": _choice(
        "How the photo becomes 128x128, where it does: its middle square, squashed, or whole with mirrored edges.",
        get_args(image.Fit),
    ),
    "colour": _choice(
        "Guessed anew (new), the photo's own without its noise (keep) or left away (none); auto keeps real colours, "
        "and guesses where there are none. Left out, auto at the photo's own size, and new at 128x128.",
        get_args(Colour),
    ),
    "colour_strength": _number("How strong the colours are: 0 is grey, 1 as they are, 2 twice as strong.", 0, 2),
    "tone": _number("How much of the fading that is found is undone: 0 for none of it, 1 for all.", 0, 1),
    "sample": _number(
        "Take that one of the model's samples as the colours; left out, its mean.", 1, MAX_SAMPLES, kind="integer"
    ),
    "inpaint": _choice("Whether scratches, creases and dust are found and mended first (auto).", ("off", "auto")),
    "sensitivity": _number(
        "How little a place has to look like a scratch to be taken for one: 0 for none, 0.5 as usual.", 0, 1
    ),
    "mask": {
        **ImageData.model_json_schema(),
        "description": "A mask drawn by hand, white where the photo is to be mended, in the place of what is found.",
    },
    "scale": {
        "type": "integer",
        "enum": [0, 2, 4],
        "description": "How many times larger: 2 or 4; where a restored photo is enlarged also 0, for not at all.",
    },
    "engine": _choice(
        "What enlarges: a network of Real-ESRGAN, auto for the best at hand, or a filter.", OFFERED_ENGINES
    ),
    "denoise": _number(
        "The engine general's denoise strength, 0 (keeps noise) to 1; left out for other engines.", 0, 1
    ),
    "recipe": {
        "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": True}],
        "description": "A recipe to replay, as JSON: its settings, its damage included, take the place of all others.",
    },
    "damage": _choice("The preset that the seed draws the damage from; off for none.", (*PRESETS, "off")),
    "seed": _number("The same seed gives the same damage, or the same samples.", 0, MAX_WHOLE, kind="integer"),
    "grayscale": {"type": "boolean", "description": "Whether the colour is taken away."},
    **{
        name: _number(
            f"In place of what is drawn: {control.help}, {control.low:g} to {control.high:g}, {control.off:g} is off.",
            control.low,
            control.high,
            kind="integer" if control.step >= 1 else "number",
        )
        for name, control in CONTROLS.items()
    },
    "control": _choice("The one degradation that grows.", CONTROLS),
    "low": _number("Its lowest strength; left out, the lowest that shows."),
    "high": _number("Its highest strength; left out, the highest that shows."),
    "steps": _number("How many strengths are tried.", 2, 32, kind="integer"),
    "measure": _choice("What the plot shows.", robustness.PLOTTED),
}
"""What each parameter is, by the name that it has in every endpoint: JSON schemas."""


def check(**values: Any) -> None:
    """Raise `ControlError` for what is none of its parameter's choices, or no number; its range the library checks."""
    for name, value in values.items():
        choices = PARAMETERS[name].get("enum")
        if choices and value not in choices:
            raise ControlError("choice_unknown", name=name, choices=", ".join(map(str, choices)), value=value)
        if choices or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ControlError("control_no_number", name=name, value=value)
        if value > MAX_WHOLE:
            raise ControlError("number_too_large", name=name, most=MAX_WHOLE)


def sent(photo: Any) -> str:
    """The path of a photo that was sent; Gradio has put it into its own folder, and nothing outside is ever opened."""
    path = photo.get("path") if isinstance(photo, dict) else None
    if isinstance(path, str) and is_http_url_like(path):
        raise ControlError("photo_unfetched", url=path)
    return received(path if isinstance(path, str) else "")


def sized(size: Any) -> Size:
    """The size that was asked for; 128 may be a number too. Raises `ControlError`."""
    check(size=str(size))
    return "own" if size == "own" else 128


def replayed(recipe: str | Json) -> Recipe:
    """The recipe that was given, as JSON or as its text; raises `ControlError`."""
    found = Recipe.from_json(recipe) if isinstance(recipe, dict) else Recipe.from_text(str(recipe))
    check(seed=found.seed)
    return found


def fallen_back(has: bool) -> Json:
    """What a report says where the CPU stood in for a GPU that failed."""
    return {"warning": text("gpu_failed", french=False)} if has else {}


def report(run: Run, asked: Recipe) -> Json:
    """What a program wants to know of a run: measures, times and the recipe that replays it."""
    photos = {"degraded": run.degraded, **{name: each.photo for name, each in run.restored.items()}}
    warnings = [str(differs)] if (differs := asked.mismatch(run.recipe)) else []
    warnings += [*fallen_back(run.fell_back).values(), *map(str, run.notes)]
    against = f"the original at {run.truth.width}x{run.truth.height}" if run.truth else "nothing: it came as it is"
    if run.degraded.width * run.degraded.height > MAX_MEASURED:
        photos, against = {}, "nothing: it is too large to be measured here"
    return {
        "against": against,
        "measures": {
            name: finite(asdict(metrics.compare(photo, run.truth) if run.truth else metrics.judge(photo)))
            for name, photo in photos.items()
        },
        "seconds": {
            **{name: round(each.seconds, 4) for name, each in run.restored.items()},
            **{f"{name}_upscale": round(each.seconds, 4) for name, each in run.enlarged.items()},
        },
        "size": reported_sizes(run),
        **({"colour": next(iter(run.restored.values())).colour} if run.restored else {}),
        **({"mended": round(run.mended.share, 5)} if run.mended else {}),
        **({"warning": " ".join(warnings)} if warnings else {}),
        "recipe": run.recipe.to_json(),
    }


def as_files(photos: dict[str, Photo]) -> dict[str, str]:
    """The photos as PNG files, by their names."""
    paths = publish({f"{name}.png": photo for name, photo in photos.items()})
    return dict(zip(photos, paths.values(), strict=True))


ENDPOINTS: dict[Callable[..., Any], tuple[str, ...]] = {}
"""The functions below that are endpoints, with their results' names; what they share comes before what is sent."""


def endpoint(*results: str) -> Callable[[T], T]:
    """Have a function be an endpoint that gives ``results``. Gradio makes the tools' schemas from its docstring, so
    `PARAMETERS`' descriptions are written into that.
    """

    def register(function: T) -> T:
        about, returns = inspect.cleandoc(function.__doc__ or "").split("Returns:")
        names = [name for name in inspect.signature(function).parameters if name in PARAMETERS]
        lines = [f"    {name}: {PARAMETERS[name]['description']}" for name in names]
        function.__doc__ = "\n".join([f"{about}Args:", *lines, f"\nReturns:{returns}"])
        ENDPOINTS[function] = results
        return function

    return register


@endpoint("restored", "enlarged", "report")
def restore(
    context: AppContext, photo: Json, model: str = next(iter(TITLES)), fit: image.Fit = "crop", scale: int = 0,
    engine: str = "auto", denoise: float | None = None, recipe: str | Json | None = None, size: str | None = None,
    colour: str | None = None, colour_strength: float = 1, tone: float = 1, sample: int | None = None, seed: int = 0,
    inpaint: str = "off", sensitivity: float = 0.5, mask: Json | None = None,
) -> tuple[str, str | None, Json]:  # fmt: skip
    """Restore and colourise a damaged photo with a VAE, a GAN or a CNN, and enlarge the result by Real-ESRGAN.

    Scratches, creases and dust are mended first, where that is asked for.
    The photo is restored whole, at its own size, or made 128x128 first. Whole, it keeps colours that are real, and
    has them guessed where it is grey or toned; at 128x128 they are guessed from its luminance. Nothing says whether
    the result is true: fine detail, and colours that are guessed, are plausible at best.

    Returns:
        The restored photo, its enlarged copy if there is one, and a report with measures, times, the size of the
        photo and of the result, what became of the colours, and the recipe.
    """
    check(model=model, fit=fit, engine=engine, denoise=denoise, inpaint=inpaint, sensitivity=sensitivity)
    check(colour_strength=colour_strength, tone=tone, sample=sample, seed=seed)
    if scale:
        check_upscaling(scale, engine, denoise)
    at: Size = sized(size) if size is not None else "own" if context.restorer.restores_whole(model) else 128
    drawn = context.load(sent(mask), reduce_to=None) if mask else None
    mending = Inpainting(sensitivity=sensitivity) if inpaint == "auto" else None
    if colour is None:
        colour = "auto" if at == "own" else "new"
    look = Look(colour=colour, colour_strength=colour_strength, tone=tone, sample=sample)  # type: ignore[arg-type]
    inpainting = Inpainting(mask=drawn_sha256(drawn)) if drawn else mending
    upscaling = Upscaling(scale=scale, engine=engine, denoise=denoise) if scale else None
    asked = Recipe(
        size=at, fit=fit, inpaint=inpainting, look=look, seed=seed, models={model: None}, upscaling=upscaling
    )
    if recipe is not None:
        asked = replayed(recipe)
    if len(asked.models) != 1:
        raise ControlError("recipe_one_model")
    run = context.run(context.load_for(asked, sent(photo)), asked, drawn=drawn)
    (name,) = run.restored
    enlarged = {"enlarged": run.enlarged[name].photo} if name in run.enlarged else {}
    made = as_files({"restored": run.restored[name].photo, **enlarged})
    return made["restored"], made.get("enlarged"), report(run, asked)


@endpoint("mask", "overlay", "report")
def find_scratches(context: AppContext, photo: Json, sensitivity: float = 0.5) -> tuple[str, str, Json]:
    """Find scratches, creases and dust on a photo, to look at or to correct before restoring it by that mask.

    Returns:
        The mask, white where damage was found, the photo with that in red, and a report with its share.
    """
    check(sensitivity=sensitivity)
    inpainting = Inpainting(sensitivity=sensitivity)
    source = context.load(sent(photo), reduce_to=None)
    found = scratches.marked(context.work(Restorer.find_scratches, source), inpainting.sensitivity)
    made = as_files({"mask": scratches.picture(found), "overlay": scratches.overlay(source, found)})
    return made["mask"], made["overlay"], {"marked": round(float(found.mean()), 5)}


@endpoint("degraded", "original", "report")
def degrade(
    context: AppContext, photo: Json, damage: str = "original", seed: int = 0, fit: image.Fit = "crop",
    grayscale: bool = True, gaussian: float | None = None, salt_pepper: float | None = None,
    speckle: float | None = None, correlated: float | None = None, lines: int | None = None, blur: int | None = None,
    jpeg: int | None = None, fading: float | None = None, scratches: int | None = None, dust: float | None = None,
    size: str = "128",
) -> tuple[str, str, Json]:  # fmt: skip
    """Damage a good photo as the original project made its dataset, or as prints age, to test what restores it.

    Returns:
        The degraded photo, the undamaged one at the same size, and a report with measures and the recipe.
    """
    by_hand: Json = {
        "gaussian": gaussian, "salt_pepper": salt_pepper, "speckle": speckle, "correlated": correlated,
        "lines": lines, "blur": blur, "jpeg": jpeg, "fading": fading, "scratches": scratches, "dust": dust,
    }  # fmt: skip
    check(damage=damage, seed=seed, fit=fit)
    drawn = Degradation() if damage == "off" else preset(damage).draw(seed)
    given = {name: strength for name, strength in by_hand.items() if strength is not None}
    degradation = replace(drawn, grayscale=grayscale, **given)
    asked = Recipe(size=sized(size), fit=fit, degradation=degradation, seed=seed)
    run = context.run(context.load_for(asked, sent(photo)), asked)
    made = as_files(pictures(run))
    return made["degraded"], made["original"], report(run, asked)


@endpoint("original", "degraded", "restored by model", "sheet", "report")
def compare(
    context: AppContext, photo: Json, damage: str = "original", seed: int = 0, fit: image.Fit = "crop",
    recipe: str | Json | None = None,
) -> tuple[str | None, str, dict[str, Json], str, Json]:  # fmt: skip
    """Damage a good photo, let every model restore it, and measure each against the original.

    With the damage off the photo is taken as damaged already; then there is nothing to measure against.

    Returns:
        The original, the degraded photo, what each model restored by the model's name, all of them as a labelled
        sheet, and a report with measures.
    """
    check(damage=damage, seed=seed, fit=fit)
    drawn = None if damage == "off" else preset(damage).draw(seed)
    asked = Recipe(fit=fit, degradation=drawn, seed=seed if drawn else None)
    if recipe is not None:
        asked = replayed(recipe)
    asked = replace(asked, models={**dict.fromkeys(TITLES), **asked.models}, upscaling=None)
    run = context.run(context.load_for(asked, sent(photo)), asked)
    found = pictures(run)
    made = as_files({**found, "sheet": labelled_sheet(found.items(), french=False)})
    restored = {name: dict(FileData(path=made[name]).model_dump()) for name in TITLES}
    original, degraded = (made["original"], made["degraded"]) if run.truth else (None, made["photo"])
    return original, degraded, restored, made["sheet"], report(run, asked)


@endpoint("original", "degraded", *TITLES, "sheet", "report")
def compare_by_position(
    context: AppContext, photo: Json, damage: str = "original", seed: int = 0, fit: image.Fit = "crop",
    recipe: str | Json | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    """What compare returned before it named its results; it will go with version 0.2.

    Returns:
        The original, the degraded photo, each model's, all of them as a labelled sheet, and a report with measures.
    """
    original, degraded, restored, sheet, told = compare(context, photo, damage, seed, fit, recipe)
    return original, degraded, *(each["path"] for each in restored.values()), sheet, told


@endpoint("enlarged", "report")
def upscale(
    context: AppContext, photo: Json, scale: int = 4, engine: str = "auto", denoise: float | None = None,
) -> tuple[str, Json]:  # fmt: skip
    """Enlarge a photo 2 or 4 times by Real-ESRGAN, in colour and without restoring it; to 4096x4096 at most.

    Returns:
        The enlarged photo, and a report with the engine that ran, its settings and its time.
    """
    check(engine=engine, denoise=denoise)
    check_upscaling(scale, engine, denoise)
    source = context.load(sent(photo), reduce_to=None)
    result = context.work(
        Restorer.upscale, source, scale, engine=engine, denoise=denoise, progress=raise_if_disconnected
    )
    versions = {**library_versions(), "device": result.device}
    recipe = Recipe(size="own", upscaling=result.upscaling, versions=versions)
    enlarged = as_files({"enlarged": result.photo})["enlarged"]
    told = {"seconds": round(result.seconds, 4), "recipe": recipe.to_json()}
    return enlarged, told | fallen_back(result.device != context.restorer.device.type)


@endpoint("plot", "strip", "table", "report")
def sweep(
    context: AppContext, photo: Json, control: str = "gaussian", low: float | None = None, high: float | None = None,
    steps: int = 8, measure: str = "psnr_luminance", seed: int = 0, fit: image.Fit = "crop",
) -> tuple[Any, ...]:  # fmt: skip
    """Stress-test the networks: damage a good photo by one degradation, from mild to severe, and measure each step.

    Returns:
        The plot, the pictures as a strip, a table of all measures (CSV), and a report with a sentence that says
        where each network helped, and each strength's recipe.
    """
    check(control=control, measure=measure, seed=seed, fit=fit)
    lowest, highest = robustness.reach(control)
    ends = lowest if low is None else low, highest if high is None else high
    at = robustness.strengths(control, *ends, steps)
    truth = image.fit(context.load(sent(photo)), fit)
    swept = context.work(
        robustness.sweep, truth, control, at, list(TITLES), seed=seed, fit=fit, progress=raise_if_disconnected
    )
    strip, table = robustness.strip(swept), robustness.table(swept).encode()
    made = publish({"plot.png": robustness.plot(swept, measure), "strip.png": strip, "table.csv": table})
    told = {
        "control": control, "strengths": at, "measure": measure,
        "measured": {name: [finite(asdict(each))[measure] for each in row] for name, row in swept.measures.items()},
        "verdict": robustness.verdict(swept, measure), "recipes": [recipe.to_json() for recipe in swept.recipes],
    }  # fmt: skip
    return (*made.values(), told | fallen_back(swept.fell_back))


def endpoints(context: AppContext) -> None:
    """Register them on the caller's Blocks, before anything else takes their names."""
    for function, results in ENDPOINTS.items():
        handler = bound(function, context)
        parameters = inspect.signature(handler).parameters.values()
        gr.Button(visible=False).click(
            handler,
            [_parameter(each.name, None if each.default is each.empty else each.default) for each in parameters],
            [_result(name) for name in results],
            **{**RUNNING, "api_visibility": "public", "api_name": function.__name__},
        )


def _parameter(name: str, default: Any) -> Component:
    """The component that tells what a parameter is; it hands on whatever is sent."""
    schema = PARAMETERS[name]
    component = Api(default, {**schema, "additional_description": schema["description"]}, name)
    if name in ("photo", "mask"):
        component.async_move_resource_to_block_cache = partial(_fetch, component)  # type: ignore[method-assign]
        component.example_payload = lambda: {"path": "a.jpg", "url": "a.jpg", "meta": {"_type": "gradio.FileData"}}  # type: ignore[method-assign]
    elif schema.get("type") == "integer":
        component.preprocess = _whole  # type: ignore[method-assign, assignment]
    return component


async def _fetch(component: Component, source: Any) -> Any:
    """Where a photo lies in Gradio's folder, fetched if need be; ``source`` itself where that fails: `sent` says so.

    Gradio fetches nothing from this machine, but the files in its folder have addresses too: results, and uploads.
    """
    _, is_own, path = str(source).partition("/gradio_api/file=")
    if is_own and is_in_or_equal(unquote(path), get_upload_folder()):
        return unquote(path)
    try:
        return await type(component).async_move_resource_to_block_cache(component, source)
    except Exception as error:  # Gradio's own, httpx's and the system's: for the visitor they are one
        logger.info("a photo was not fetched: %s", error)
        return source


def _whole(value: Any) -> Any:
    """A whole number as an int: to JSON 4.0 is one."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < MAX_WHOLE else value


def _result(name: str) -> Component:
    """The component that tells what a result is."""
    if name in ("report", "restored by model"):
        return gr.JSON(label=name, visible=False)
    if name == "table":
        return gr.File(label=name, visible=False)
    return gr.Image(label=name, format="png", visible=False)
