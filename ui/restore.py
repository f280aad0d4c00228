"""The Restore tab: what the networks make of the photo, enlarged, measured, and to take home."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from restoration import Photo, Recipe, Restorer, Run, Upscaling, image, metrics, scratches, upscale
from restoration.restorer import Mended
from restoration.sheet import Panel as Captioned
from restoration.sheet import sheet
from restoration.types import SIDE

from . import mending, tables
from .errors import refuse, shown
from .files import publish
from .lab import ENGINES, NETWORK, SAMPLERS, TITLES, Lab, able
from .mending import Mending
from .panel import Panel, chosen, wish
from .texts import i18n, is_french, number, text

SAMPLES = 8


@dataclass(frozen=True)
class Controls:
    """The tab's own controls, which a recipe sets too."""

    models: gr.CheckboxGroup
    scale: gr.Radio
    engine: gr.Dropdown
    denoise: gr.Slider

    @property
    def inputs(self) -> dict[str, Component]:
        return {"models": self.models, "scale": self.scale, "engine": self.engine, "denoise": self.denoise}


@dataclass(frozen=True)
class Result:
    """A run as the visitor sees it: ``name`` is the photo's, ``paths`` are its pictures by `pictures`' names.

    Only the files hold pixels: a page keeps its last result, and whole photos of many visitors would fill the memory.
    """

    name: str
    recipe: Recipe
    paths: Mapping[str, str]
    sizes: Mapping[str, tuple[int, int]]
    """Width and height, by the same names."""

    @property
    def given(self) -> str:
        """What the models were given is called so."""
        return "degraded" if "degraded" in self.paths else "photo"

    def photo(self, kind: str) -> Photo:
        """A picture, read from its file."""
        return image.load(self.paths[kind], reduce_to=None, max_pixels=prod(self.sizes[kind]))


def asked(values: Mapping[str, Any], request: gr.Request) -> Recipe:
    """The whole recipe of the panel's and the tab's values."""
    if not values["models"]:
        raise refuse("no_model", request)
    upscaling = None
    if values["scale"]:
        denoise = values["denoise"] if values["engine"] == "general" else None
        upscaling = Upscaling(scale=values["scale"], engine=values["engine"], denoise=denoise)
    models = {name: None for name in TITLES if name in values["models"]}
    recipe = able(replace(wish(values), models=models, upscaling=upscaling))
    if len(recipe.models) < len(models):
        gr.Info(text("left_out", is_french(request)))
    return recipe


def pictures(run: Run) -> dict[str, Photo]:
    """Every picture of a run by what it is, which is also how its file is called."""
    found = {"original": run.truth} if run.truth else {}
    found["degraded" if run.truth else "photo"] = run.degraded
    if run.mended and run.mended.share:
        assert run.recipe.inpaint
        found["mask"] = scratches.picture(scratches.marked(run.mended.mask, run.recipe.inpaint.sensitivity))
    for name, restored in run.restored.items():
        found[name] = restored.photo
        if name in run.enlarged:
            found[f"{name}_x{run.enlarged[name].upscaling.scale}"] = run.enlarged[name].photo
    return found


def publish_run(path: str, run: Run) -> Result:
    """The run with its pictures as files, named after the photo at ``path``."""
    name = Path(path).stem[:60] or "photo"
    found = pictures(run)
    paths = publish({f"{name}_{kind}.png": photo for kind, photo in found.items()})
    sizes = {kind: (photo.width, photo.height) for kind, photo in found.items()}
    return Result(name, run.recipe, dict(zip(found, paths.values(), strict=True)), sizes)


def reported_sizes(run: Run) -> dict[str, list[int]]:
    """Width and height of the photo as it was given to the models, and of what they made, for reports."""
    measured = {"photo": run.degraded}
    for name, restored in run.restored.items():
        measured["restored"] = restored.photo
        if name in run.enlarged:
            measured["enlarged"] = run.enlarged[name].photo
    return {what: [photo.width, photo.height] for what, photo in measured.items()}


def title(kind: str, size: tuple[int, int], french: bool) -> str:
    """What a picture of `pictures` is, in words."""
    named = {"original": "reference", "degraded": "degraded", "photo": "given", "mask": "mask"}
    if kind in named:
        return text(named[kind], french)
    model, _, _ = kind.partition("_x")
    return text("restored_by", french, model=TITLES[model], width=size[0], height=size[1])


def measures(run: Run, french: bool) -> str:
    """The table of a run, against the original where there is one, and what ran beside it."""
    rows: dict[str | None, Photo] = {
        None: run.degraded,
        **{name: restored.photo for name, restored in run.restored.items()},
    }
    lines = [
        tables.Row(
            title=TITLES[name] if name else text("degraded" if run.truth else "given", french),
            measured=metrics.compare(photo, run.truth) if run.truth else metrics.judge(photo),
            time=_time(name, run, french) if name else "",
        )
        for name, photo in rows.items()
    ]
    table = tables.measured(lines[0], lines[1:], french) if run.truth else tables.judged(lines, french)
    degraded = text("degraded_in", french, ms=round(run.degrade_seconds * 1000)) if run.truth else ""
    failed = text("gpu_failed", french) if run.fell_back else ""
    said = (
        degraded,
        what_was_mended(run.mended, french),
        colours_that_were_chosen(run, french),
        engine_that_ran(run.recipe.upscaling, french),
        failed,
    )
    return f"{table}<p>{' '.join(filter(None, said))}</p>"


def what_was_mended(mended: Mended | None, french: bool) -> str:
    """What became of the scratches, where they were to be mended."""
    if mended is None:
        return ""
    if not mended.share:
        return text("mended_nothing", french)
    return text("mended", french, share=number(100 * mended.share, 1, french))


def _time(name: str, run: Run, french: bool) -> str:
    spent = _spent(run.restored[name].seconds)
    if larger := run.enlarged.get(name):
        spent += f", ×{larger.upscaling.scale}{' :' if french else ':'} {_spent(larger.seconds)}"
    return spent


def _spent(seconds: float) -> str:
    return f"{round(seconds * 1000)} ms" if seconds < 10 else f"{round(seconds)} s"


def colours_that_were_chosen(run: Run, french: bool) -> str:
    """What became of the photo's colours, where that was left to the program."""
    if run.recipe.look.colour != "auto" or run.recipe.look.sample:
        return ""
    chosen = next(iter(run.restored.values())).colour  # the photo decides, so they are alike
    return text("colours_kept" if chosen == "keep" else "colours_guessed", french)


def engine_that_ran(ran: Upscaling | None, french: bool) -> str:
    """What enlarged, in words."""
    if ran is None:
        return ""
    if ran.engine == "bicubic":
        return text("ran_bicubic", french, scale=ran.scale)
    said = text("ran", french, scale=ran.scale, engine=ran.engine)
    if ran.denoise is not None:
        said += text("ran_denoise", french, denoise=number(ran.denoise, 2, french))
    return said


def labelled_sheet(found: Iterable[tuple[str, Photo]], french: bool) -> Photo:
    """`pictures`, each with its title and, where there is an original, its PSNR."""
    truth: Photo | None = None
    panels = []
    for kind, photo in found:
        size = photo.width, photo.height
        captions = [title(kind, size, french)]
        if truth and size == (truth.width, truth.height):
            captions.append(f"PSNR {number(metrics.psnr(photo, truth), 2, french)} dB")
        panels.append(Captioned(photo, captions))
        truth = photo if kind == "original" else truth
    columns = 4 if len(panels) > 5 else len(panels)
    return sheet([panels[start : start + columns] for start in range(0, len(panels), columns)], side=384)


def before_and_after(result: Result, model: str) -> tuple[str, str]:
    """What the model was given and what it made of it, as files of one size."""
    upscaling = result.recipe.upscaling
    if upscaling is None:
        return result.paths[result.given], result.paths[model]
    given, times = result.photo(result.given), upscaling.scale
    if has_visible_pixels(result.sizes[result.given]):
        before = Photo(given.pixels.repeat(times, 0).repeat(times, 1))
    else:
        before = upscale.bicubic(given, times)
    return publish({"before.png": before})["before.png"], result.paths[f"{model}_x{times}"]


def has_visible_pixels(size: tuple[int, int]) -> bool:
    """Is a picture of this size shown with each pixel as a square? Those of the laboratory are."""
    return size == (SIDE, SIDE)


def files(result: Result, french: bool) -> list[str]:
    """What can be taken home: every picture, the labelled sheet and the recipe."""
    recipe = json.dumps(result.recipe.to_json(), indent=1).encode()
    found = ((kind, result.photo(kind)) for kind in result.paths)  # one after the other, as they may be large
    others: dict[str, Photo | bytes] = {
        f"{result.name}_sheet.png": labelled_sheet(found, french),
        f"{result.name}_recipe.json": recipe,
    }
    return [*result.paths.values(), *publish(others).values()]


def picture(label: Any, *, pixels: bool, **options: Any) -> gr.Image:
    """A picture to look at; ``pixels`` shows 128 of them as large as 512, each as a square."""
    return gr.Image(
        label=label, format="png", interactive=False, elem_classes=_classes(pixels), buttons=["download", "fullscreen"],
        **options,
    )  # fmt: skip


def shown_picture(result: Result, kind: str, french: bool) -> gr.Image:
    """The update that shows a picture; its label is what a screen reader says, too."""
    size = result.sizes[kind]
    label = title(kind, size, french)
    classes = _classes(has_visible_pixels(size))
    return gr.Image(result.paths[kind], label=label, alt_text=label, elem_classes=classes, visible=True)


def _classes(pixels: bool) -> list[str]:
    return ["result", "pixels"] if pixels else ["result"]


def tab(panel: Panel, lab: Lab) -> tuple[Controls, Mending, gr.State, gr.events.Dependency]:
    """Lay out and wire the tab, inside the caller's Blocks; returns its controls, those of
    mending, its last result, and its run.
    """
    controls = _controls()
    scratched = mending.section(panel, lab)
    start = gr.Button(i18n("run"), variant="primary", elem_id="restore")
    last = gr.State(time_to_live=3000)
    with gr.Row(elem_classes="pictures four"):
        shown_pictures = {
            "reference": picture(i18n("reference"), pixels=True, min_width=150, elem_id="result-reference"),
            "degraded": picture(i18n("degraded"), pixels=True, min_width=150, elem_id="result-degraded"),
        }
        for name, its_title in TITLES.items():
            shown_pictures[name] = picture(its_title, pixels=True, min_width=150, elem_id=f"result-{name}")
            shown_pictures[f"{name}_large"] = picture(
                f"{its_title} ×4", pixels=False, min_width=150, elem_id=f"result-{name}-large"
            )
    table = gr.HTML(elem_id="restore-measures")
    with gr.Row(visible=False) as slider_row:
        slider = gr.ImageSlider(
            label=i18n("before_after"),  # type: ignore[arg-type]
            format="png", interactive=False, max_height=560, elem_classes="pixels", scale=3, elem_id="slider",
        )  # fmt: skip
        of = gr.Radio(list(TITLES), label=i18n("slider_model"), scale=1)
    downloads = gr.File(label=i18n("downloads"), file_count="multiple", interactive=False, visible=False)
    with gr.Accordion(i18n("samples"), open=False, visible=bool(SAMPLERS)):
        draw = gr.Button(i18n("samples_run"))
        gallery = gr.Gallery(
            label=i18n("samples_gallery"), format="png", columns=4, interactive=False, elem_classes="pixels"
        )
        uncertainty = picture(i18n("samples_map"), pixels=True, elem_id="uncertainty")

    inputs = {**panel.inputs, **controls.inputs, **scratched.inputs}
    outputs = [*shown_pictures.values(), table, slider_row, slider, of, last, downloads, gallery, uncertainty]

    def restore(
        values: Mapping[Any, Any], request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how Gradio wants it)
    ) -> dict[Any, Any]:  # fmt: skip
        french = is_french(request)

        def tell(done: int, total: int) -> None:
            progress(done / total, desc=text("restoring", french))

        with shown(request):
            named = {name: values[component] for name, component in inputs.items()}
            path = chosen(named, request)
            recipe, drawn = asked(named, request), None
            photo = lab.load_for(recipe, path)
            if recipe.size == "own":
                inpaint, drawn = mending.wish(named, photo)
                recipe = replace(recipe, inpaint=inpaint)
            run = lab.run(photo, recipe, tell, drawn=drawn)
            result = publish_run(path, run)
            first = next(iter(run.restored))
            choices = [(TITLES[name], name) for name in run.restored]
            pixels = has_visible_pixels(result.sizes[result.given])
            return {
                **_show(shown_pictures, result, french),
                table: measures(run, french) + _fallback(named["engine"], run, french),
                slider_row: gr.Row(visible=True),
                slider: gr.ImageSlider(before_and_after(result, first), elem_classes=["pixels"] if pixels else []),
                of: gr.Radio(choices, value=first, visible=len(choices) > 1),
                last: result,
                downloads: gr.File(visible=False),
                **dict.fromkeys((gallery, uncertainty)),
            }

    def offer(result: Result | None, request: gr.Request) -> gr.File:
        with shown(request):
            found = files(result, is_french(request)) if result else None
            return gr.File(found, visible=found is not None)

    def slide(result: Result | None, model: str, request: gr.Request) -> tuple[str, str] | None:
        with shown(request):
            return before_and_after(result, model) if result else None

    def sample(result: Result | None, seed: Any, request: gr.Request) -> tuple[Any, Any]:
        if result is None:
            raise refuse("samples_first", request)
        french = is_french(request)
        with shown(request):
            sampler = next((name for name in SAMPLERS if name in result.recipe.models), SAMPLERS[0])
            photo = image.fit(result.photo(result.given), result.recipe.fit)
            drawn = lab.work(Restorer.samples, photo, SAMPLES, seed=seed, model=sampler)
            named = {f"{result.name}_sample{place}.png": photo for place, photo in enumerate(drawn.photos, 1)}
            paths = publish({**named, f"{result.name}_uncertainty.png": drawn.map()})
            *each, where = paths.values()
            captions = [text("sample", french, number=place) for place in range(1, SAMPLES + 1)]
            alt = text("samples_map", french)
            return list(zip(each, captions, strict=True)), gr.Image(where, alt_text=alt)

    def show_denoise(name: str) -> gr.Slider:
        return gr.Slider(visible=name == "general")

    def clear() -> dict[Any, Any]:
        emptied: dict[Any, Any] = dict.fromkeys([*shown_pictures.values(), table, last, gallery, uncertainty])
        return {**emptied, slider_row: gr.Row(visible=False), downloads: gr.File(None, visible=False)}

    network: dict[str, Any] = {"concurrency_id": NETWORK, "concurrency_limit": 1, "api_visibility": "private"}
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    ran = start.click(
        restore, {*inputs.values()}, outputs, show_progress_on=shown_pictures["degraded"], **network
    )  # fmt: skip
    ran.success(offer, last, downloads, **quiet)
    of.input(slide, [last, of], slider, **quiet)
    draw.click(sample, [last, panel.seed], [gallery, uncertainty], **network)
    controls.engine.change(show_denoise, controls.engine, controls.denoise, **quiet)
    # What is shown is never another photo's.
    panel.photo.change(clear, None, outputs, cancels=ran, queue=False, **quiet)
    panel.mode.input(usual_scale, panel.mode, controls.scale, **quiet)
    return controls, scratched, last, ran


def usual_scale(mode: str) -> int:
    """How much larger a photo is made unless the visitor says so: one that is restored whole is large enough."""
    return 0 if mode == "damaged" else 4


def _controls() -> Controls:
    with gr.Row():
        models = gr.CheckboxGroup(
            [(its_title, name) for name, its_title in TITLES.items()], value=list(TITLES), label=i18n("model"),
            elem_id="models",
        )  # fmt: skip
        scale = gr.Radio([(i18n(f"upscale_{times}"), times) for times in (0, 2, 4)], value=4, label=i18n("upscale"))
        engine = gr.Dropdown([(i18n(f"engine_{name}"), name) for name in ENGINES], value="auto", label=i18n("engine"))
    denoise = gr.Slider(0, 1, value=1, step=0.05, label=i18n("denoise"), visible=False)
    return Controls(models, scale, engine, denoise)


def _show(components: Mapping[str, gr.Image], result: Result, french: bool) -> dict[Any, Any]:
    """Each picture of the result in its component; the others are hidden."""
    places = {"original": "reference", "degraded": "degraded", "photo": "degraded"}
    updates: dict[Any, Any] = {component: gr.Image(None, visible=False) for component in components.values()}
    for kind in result.paths:
        if kind == "mask":  # to take home; the editor has shown it
            continue
        model, _, scale = kind.partition("_x")
        place = places.get(kind, f"{model}_large" if scale else model)
        updates[components[place]] = shown_picture(result, kind, french)
    return updates


def _fallback(engine: str, run: Run, french: bool) -> str:
    """Says that the automatic choice had to do without its better engine."""
    ran = run.recipe.upscaling
    return f"<p>{text('fell_back', french)}</p>" if ran and engine == "auto" and ran.engine == "fast" else ""
