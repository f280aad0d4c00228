"""The Restore tab: a photo becomes pictures, a verdict, and something to take home."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import gradio as gr
import numpy as np
from gradio.blocks import Block
from gradio.components import Component
from PIL import Image

from restoration import Degradation, Photo, Recipe, Restorer, Run, image, scratches, upscale
from restoration.degradations import preset
from restoration.restorer import OWN_LOOK
from restoration.tiling import Progress, Stopped
from restoration.types import drawn_sha256

from .. import examples
from ..cancellation import PROGRESS, Cancellation, discard
from ..components import scratch_editor, viewer
from ..components.pictures import html_component
from ..components.scratch_editor import ScratchEditor
from ..context import QUIET, RUNNING, SAMPLERS, TITLES, AppContext, bound, logged
from ..errors import refuse, sentence
from ..files import keep, publish
from ..hardening import cleanup
from ..results import Measured, Result, error_maps, everything, measure, publish_run
from ..sidebar import Sidebar, chosen, recipe_from_controls, requested_recipe
from ..texts import i18n, is_french, text

LARGE, PREVIEW = 2_000_000, 1_000_000
"""A photo of more pixels than the first is shown at about as many as the second, until its full size is asked for."""
UNSHOWN = (".heic", ".heif", ".tif", ".tiff", ".jp2")
"""What most browsers cannot show."""
SAMPLES = 8
OPENING = "grace_hopper"
"""The example that the page opens with."""
CHOOSE = "() => document.querySelector('#photo input[type=file]').click()"
Updates = dict[Any, Any]
"""What a handler changes, by component."""
_opening_turn = threading.Lock()


# --- The page ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RestoreTab:
    """The tab's components, by what they hold, and what its handlers share."""

    context: AppContext
    sidebar: Sidebar
    choose: gr.Button
    verdict: gr.Markdown
    viewer: gr.HTML
    save: gr.Button
    save_all: gr.Button
    maps: gr.Button
    scratches: ScratchEditor
    numbers: gr.HTML
    draw_samples: gr.Button
    samples: gr.Gallery
    uncertainty: gr.Image
    last: gr.State
    """The last `Result`."""
    go: gr.State
    """When a photo, or what is done to it, was chosen that is to be restored at once."""
    running: gr.State
    """The `Cancellation` of what runs, or has run last."""

    @property
    def inputs(self) -> dict[str, Component]:
        """What decides a run, by name."""
        return {**self.sidebar.inputs, **self.scratches.inputs}

    @property
    def results(self) -> list[Component]:
        """What shows a run, and is emptied when another photo comes."""
        return [self.viewer, self.last, self.verdict, self.numbers, self.samples, self.uncertainty]


def layout(context: AppContext, sidebar: Sidebar) -> RestoreTab:
    """Lay out the tab, inside the caller's Blocks."""
    choose = gr.Button(i18n("choose"), variant="primary", elem_id="choose")  # where the photo's own box is far below
    verdict = gr.Markdown(elem_id="verdict")
    pictures = html_component("viewer", "viewer")
    with gr.Row(elem_id="take-home"):
        save = gr.Button(i18n("save"), size="sm", min_width=120, elem_id="save")
        save_all = gr.Button(i18n("save_all"), size="sm", min_width=120, elem_id="save-all")
        maps = gr.Button(i18n("error_maps"), size="sm", min_width=120, visible=False, elem_id="error-maps")
    editor = scratch_editor.layout()
    with gr.Accordion(i18n("numbers"), open=False, elem_id="numbers"):
        numbers = gr.HTML(elem_id="measures")
    with gr.Accordion(i18n("samples"), open=False, visible=bool(SAMPLERS), elem_id="samples"):
        draw_samples = gr.Button(i18n("samples_run"), size="sm")
        samples = gr.Gallery(
            label=i18n("samples_gallery"), format="png", columns=4, interactive=False, elem_classes="pixels"
        )
        uncertainty = gr.Image(
            label=i18n("samples_map"), format="png", interactive=False, elem_id="uncertainty", elem_classes="pixels"
        )
    return RestoreTab(
        context=context, sidebar=sidebar, choose=choose, verdict=verdict, viewer=pictures, save=save, save_all=save_all,
        maps=maps, scratches=editor, numbers=numbers, draw_samples=draw_samples, samples=samples,
        uncertainty=uncertainty, last=gr.State(time_to_live=cleanup.AGE), go=gr.State(), running=gr.State(),
    )  # fmt: skip


def wire(tab: RestoreTab) -> None:
    """Wire the tab and the sidebar, which decides what it shows."""
    sidebar, last, pictures, running, go = tab.sidebar, tab.last, tab.viewer, tab.running, tab.go
    tab.choose.click(None, js=CHOOSE, api_visibility="private")
    scratch_editor.wire(tab.scratches, tab.context, sidebar)
    shown = {"show_progress_on": tab.verdict, **RUNNING}
    restored = [*tab.results, tab.maps, running]
    start, inputs = [sidebar.start.click, go.change], {*tab.inputs.values()}
    gr.on(start, bound(restore, tab), inputs, restored, trigger_mode="always_last", **shown)
    sidebar.stop.click(halt, running, None, queue=False, **QUIET)
    for event, wanted in ((tab.save.click, "picture"), (tab.save_all.click, "archive"), (pictures.expand, "view")):
        event(bound(take, tab, wanted), [last, pictures], [pictures, last, running], **shown)
    tab.maps.click(show_maps, [last, pictures], pictures, **QUIET)
    tab.draw_samples.click(
        bound(sample, tab.context), [last, sidebar.damage["seed"]], [tab.samples, tab.uncertainty], **RUNNING
    )
    sidebar.photo.input(bound(take_in, tab), sidebar.photo, [sidebar.photo, sidebar.example, sidebar.arrived], **QUIET)
    sidebar.arrived.change(bound(arrive, tab), [sidebar.photo, running], [*tab.results, sidebar.start, go], **QUIET)
    _wire_damage(tab)
    opened = [sidebar.photo, sidebar.example, sidebar.start, last, pictures, tab.verdict, tab.numbers]
    gr.on(None, bound(open_page, tab), None, opened, **QUIET)  # no trigger: when the page loads


def _wire_damage(tab: RestoreTab) -> None:
    """What of the sidebar changes the damage, and what follows at once: another draw, or the pictures dimmed."""
    sidebar, go = tab.sidebar, tab.go
    seed, strengths = sidebar.damage["seed"], sidebar.strengths
    everything: set[Block] = {*sidebar.inputs.values(), sidebar.preset, tab.last, tab.viewer, tab.running}
    latest = {"trigger_mode": "always_last", **QUIET}
    moved = [each.input for each in strengths.values()]  # type: ignore[attr-defined]
    gr.on(moved, bound(damage, tab), everything, [tab.viewer, sidebar.preset], concurrency_limit=4, **latest)
    drawn = [*strengths.values(), go]
    gr.on([sidebar.preset.input, seed.submit], bound(draw, tab), everything, drawn, **latest)  # type: ignore[attr-defined]
    sidebar.dice.click(bound(roll, tab), everything, [seed, *drawn], **QUIET)
    switched = [*sidebar.of_one_mode, sidebar.settings["scale"], sidebar.photo, sidebar.arrived, go]
    sidebar.mode.input(
        bound(switch, tab), [sidebar.mode, sidebar.example, sidebar.photo, tab.running], switched, **QUIET
    )
    sidebar.example.input(
        bound(try_example, tab), [sidebar.example, sidebar.mode], [sidebar.photo, sidebar.arrived], **QUIET
    )
    changed = [each.input for each in (*sidebar.settings.values(), *sidebar.damage.values())]  # type: ignore[attr-defined]
    gr.on(changed, None, js="() => lab.stale()", api_visibility="private")


# --- A photo comes, and is restored -----------------------------------------------------------------------------------


def open_page(tab: RestoreTab, request: gr.Request) -> Updates:
    """The page opens with the example that was restored at the start, unless its address says what is wanted."""
    if request and request.query_params.keys() & {"recipe", "job"}:
        return {tab.last: None}
    french, sidebar = is_french(request), tab.sidebar
    result, measured = opening(tab.context)
    photo = {sidebar.photo: result.photo, sidebar.example: OPENING, sidebar.start: gr.Button(interactive=True)}
    return {**photo, **_judged(tab, result, measured[french], french)}


def take_in(tab: RestoreTab, path: str | None, request: gr.Request) -> Updates:
    """The visitor's own photo, or none any more; one that the browser could not show, as a PNG."""
    sidebar, photo = tab.sidebar, {}
    if path and Path(path).suffix.lower() in UNSHOWN:
        read = tab.context.load(path, reduce_to=None)
        photo[sidebar.photo] = publish({f"{Path(path).stem}.png": read}).popitem()[1]
        for note in read.details.notes:  # which the PNG does not hold
            gr.Warning(sentence(note, is_french(request)))
    return {**photo, sidebar.example: None, sidebar.arrived: time.time()}


def arrive(tab: RestoreTab, path: str | None, running: Cancellation | None) -> Updates:
    """Another photo is there: what is shown is never another photo's, and it is restored at once."""
    discard(running)
    go = {tab.go: time.time()} if path else {}
    return {**dict.fromkeys(tab.results), tab.sidebar.start: gr.Button(interactive=bool(path)), **go}


def restore(
    tab: RestoreTab, values: Mapping[Any, Any], request: gr.Request, progress: gr.Progress = PROGRESS
) -> Iterator[Updates]:
    """Restore the photo as the controls say: each model's picture once it is there, at the end what they measure."""
    french, running = is_french(request), Cancellation()
    named = {name: values[component] for name, component in tab.inputs.items()}
    chosen(named["photo"], request)
    recipe = requested_recipe(named, request)
    yield {tab.running: running}
    seen: tuple[Result, Run] | None = None
    with suppress(Stopped):
        for seen in run_each(tab.context, named, recipe, running.reporting(progress, french)):
            running.raise_if_ended()
            yield {tab.viewer: viewer.value(seen[0], french), tab.last: seen[0]}
    if seen and not running.is_unwanted:
        result, run = seen
        judged = _judged(tab, result, measure(run, named["engine"], french), french)
        yield {**judged, tab.maps: gr.Button(visible=bool(run.truth)), tab.samples: None, tab.uncertainty: None}


def halt(running: Cancellation | None) -> None:
    """End the run, and leave what is finished."""
    if running:
        running.is_stopped = True


def _judged(tab: RestoreTab, result: Result, measured: Measured, french: bool) -> Updates:
    """A result that is whole, with what it measures."""
    result = replace(result, notes=measured.notes)
    shown = {tab.viewer: viewer.value(result, french), tab.last: result}
    return {**shown, tab.verdict: measured.verdict, tab.numbers: measured.table}


# --- What is done with the pictures -----------------------------------------------------------------------------------


def take(
    tab: RestoreTab, wanted: Literal["picture", "archive", "view"], result: Result | None, view: Any,
    request: gr.Request, progress: gr.Progress = PROGRESS,
) -> Iterator[Updates]:  # fmt: skip
    """Make the picture that is shown, or for an archive each model's, at the photo's full size; send it to the visitor,
    unless it is only to be viewed.
    """
    french, running = is_french(request), Cancellation()
    found, kind = _shown(result, view, request)
    models = [*found.recipe.models] if wanted == "archive" else [kind] if kind in TITLES else []
    yield {tab.running: running}
    with suppress(Stopped):
        full, path = at_full_size(tab.context, found, models, running.reporting(progress, french)), None
        if wanted != "view":
            path = everything(full, french) if wanted == "archive" else full.paths[full.largest(kind)]
        saved = path and {"path": path, "at": time.time()}
        yield {tab.last: full, tab.viewer: {**viewer.value(full, french, view), "save": saved}}


def show_maps(result: Result | None, view: Any, request: gr.Request) -> dict[str, Any]:
    """All pictures side by side as maps of their errors, or, where these are shown, as they are again."""
    found, kind = _shown(result, view, request)
    value = viewer.value(found, is_french(request), {"shown": kind, "all": True})
    return {**value, "maps": {} if view.get("maps") else error_maps(found)}


def sample(context: AppContext, result: Result | None, seed: Any, request: gr.Request) -> tuple[Any, Any]:
    """Several answers of a model that knows more than one, and where they differ."""
    if result is None:
        raise refuse("samples_first", request)
    french = is_french(request)
    sampler = next((name for name in SAMPLERS if name in result.recipe.models), SAMPLERS[0])
    photo = image.fit(result.read(result.given), result.recipe.fit)
    drawn = context.work(Restorer.samples, photo, SAMPLES, seed=seed, model=sampler)
    named = {f"{result.name}_sample{number}.png": photo for number, photo in enumerate(drawn.photos, 1)}
    *each, where = publish({**named, f"{result.name}_uncertainty.png": drawn.map()}).values()
    captions = [text("sample", french, number=number) for number in range(1, SAMPLES + 1)]
    return list(zip(each, captions, strict=True)), gr.Image(where, alt_text=text("samples_map", french))


def _shown(result: Result | None, view: Any, request: gr.Request) -> tuple[Result, str]:
    """The last result, and the name of the picture of it that the visitor's page shows."""
    if result is None:
        raise refuse("samples_first", request)
    return result, viewer.shown(result, view) or next(iter(result.recipe.models))


# --- What changes the damage ------------------------------------------------------------------------------------------


def again(tab: RestoreTab, photo: str | None) -> Updates:
    """Have the photo restored at once, if there is one."""
    return {tab.go: time.time() if photo else gr.skip()}


def draw(tab: RestoreTab, values: Mapping[Any, Any]) -> Updates:
    """The preset's draw by the seed: the sliders follow, and the photo is restored."""
    discard(values[tab.running])
    sidebar = tab.sidebar
    name, go = values[sidebar.preset], again(tab, values[sidebar.photo])
    if name is None:  # set by hand: the seed says where the noise falls, and no more
        return go
    drawn = asdict(Degradation() if name == "off" else preset(name).draw(values[sidebar.damage["seed"]]))
    return {**{slider: drawn[control] for control, slider in sidebar.strengths.items()}, **go}


def roll(tab: RestoreTab, values: Mapping[Any, Any]) -> Updates:
    """The preset's draw by another seed."""
    seed = {tab.sidebar.damage["seed"]: random.randrange(1_000_000)}
    return {**seed, **draw(tab, {**values, **seed})}


def damage(tab: RestoreTab, values: Mapping[Any, Any], request: gr.Request) -> Updates:
    """The damage by hand, shown at once; what was restored is dimmed until the visitor restores again."""
    sidebar = tab.sidebar
    photo, result = values[sidebar.photo], values[tab.last]
    if not photo or result is None or result.given != "degraded":
        return {sidebar.preset: None}
    recipe = recipe_from_controls({name: values[each] for name, each in sidebar.inputs.items()})
    assert recipe.degradation
    damaged = recipe.degradation.apply(image.fit(tab.context.load(photo), recipe.fit), recipe.seed or 0)
    draft = replace(result, paths={**result.paths, "degraded": publish({"damaged.png": damaged})["damaged.png"]})
    return {sidebar.preset: None, tab.viewer: viewer.value(draft, is_french(request), values[tab.viewer])}


def switch(tab: RestoreTab, mode: str, name: str | None, photo: str | None, running: Cancellation | None) -> Updates:
    """The other mode: other controls, the example as it is or as an old print, and the photo restored."""
    discard(running)
    next_photo = try_example(tab, name, mode) if name else again(tab, photo)
    scale = 0 if mode == "damaged" else 4  # a photo that is restored whole is large enough
    return {**tab.sidebar.for_mode(mode), tab.sidebar.settings["scale"]: scale, **next_photo}


def try_example(tab: RestoreTab, name: str, mode: str) -> Updates:
    """The example called ``name``, as it is or, in the mode of damaged photos, as an old print."""
    return {tab.sidebar.photo: examples.photo(name, damaged=mode == "damaged"), tab.sidebar.arrived: time.time()}


# --- A run ------------------------------------------------------------------------------------------------------------


def run_each(
    context: AppContext, values: Mapping[str, Any], recipe: Recipe, tell: Progress
) -> Iterator[tuple[Result, Run]]:
    """Restore the photo of the sidebar's ``values`` as ``recipe`` says: what there is after each model.

    A large photo is made a preview of. Raises `RestorationError`.
    """
    path = values["photo"]
    photo, drawn, whole = context.load_for(recipe, path), None, None
    if recipe.size == "own":
        if recipe.upscaling:
            upscale.check_size(photo, recipe.upscaling.scale)  # said now, not when the full size is asked for
        if photo.width * photo.height > LARGE:
            photo, whole = preview(photo), (photo.width, photo.height)
        inpaint, drawn = scratch_editor.inpainting_from_controls(values, photo)
        recipe = replace(recipe, inpaint=inpaint)
    result = None
    for run in context.run_each(photo, recipe, tell, drawn=drawn):
        result = publish_run(path, run, result, whole)
        yield result, run


def preview(photo: Photo) -> Photo:
    """``photo`` at about `PREVIEW` pixels."""
    factor = (PREVIEW / (photo.width * photo.height)) ** 0.5
    size = (round(photo.width * factor), round(photo.height * factor))
    return Photo(np.array(Image.fromarray(photo.pixels).resize(size, Image.Resampling.BOX)), photo.details)


def at_full_size(context: AppContext, result: Result, models: list[str], tell: Progress) -> Result:
    """A preview's ``result`` with the pictures of ``models`` at the photo's full size; as it is where they are."""
    times = result.recipe.upscaling.scale if result.recipe.upscaling else 1
    full = tuple(times * side for side in result.whole or ())
    missing = [name for name in models if full and result.sizes[result.largest(name)] != full]
    if not missing:
        return result
    photo, drawn = context.load(result.photo, reduce_to=None), None
    recipe = replace(result.recipe, models=dict.fromkeys(missing))
    if recipe.inpaint and recipe.inpaint.mask != "auto":
        drawn = scratches.picture(scratches.marked(scratches.mask_of(result.read("mask"), photo)))
        recipe = replace(recipe, inpaint=replace(recipe.inpaint, mask=drawn_sha256(drawn)))
    made = publish_run(result.photo, context.run(photo, recipe, tell, drawn=drawn))
    inpaint = made.recipe.inpaint
    return replace(
        result,
        recipe=replace(result.recipe, inpaint=inpaint),
        paths={**result.paths, **made.paths},
        sizes={**result.sizes, **made.sizes},
    )


def prepare(context: AppContext) -> None:
    """Make ready, at the start, what the first visitors would wait for."""
    with logged():
        opening(context)
    context.warm_up()


def opening(context: AppContext) -> tuple[Result, Mapping[bool, Measured]]:
    """What the page opens with: an old print, restored once for all visitors, and what is said of it, in French and
    not. Raises `RestorationError`.
    """
    with _opening_turn:
        return _opening(context)


@cache
def _opening(context: AppContext) -> tuple[Result, Mapping[bool, Measured]]:
    path = examples.photo(OPENING, damaged=True)
    recipe = Recipe(size="own", look=OWN_LOOK, models=dict.fromkeys(TITLES))
    run = context.run(image.load(path, reduce_to=None), recipe)
    result = publish_run(path, run)
    keep(result.paths.values())
    return result, {french: measure(run, "auto", french) for french in (False, True)}
