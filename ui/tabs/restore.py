"""The Restore tab: a photo becomes pictures, a verdict, and something to take home."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.blocks import Block
from PIL import Image

from restoration import Degradation, Photo, Recipe, Restorer, Run, image, scratches, upscale
from restoration.degradations import preset
from restoration.restorer import OWN_LOOK
from restoration.tiling import Progress, Stopped
from restoration.types import drawn_sha256

from .. import error_maps, examples
from ..cancellation import PROGRESS, Cancellation, discard
from ..components import scratch_editor, viewer
from ..context import QUIET, RUNNING, SAMPLERS, TITLES, AppContext, logged
from ..errors import refuse, sentence
from ..files import keep, publish
from ..results import Measured, Result, everything, measure, publish_run
from ..sidebar import Sidebar, chosen, recipe_from_controls, requested_recipe, usual_scale
from ..texts import i18n, is_french, text

LARGE, PREVIEW = 2_000_000, 1_000_000
"""A photo of more pixels than the first is shown at about as many as the second, until its full size is asked for."""
UNSHOWN = (".heic", ".heif", ".tif", ".tiff", ".jp2")
"""What most browsers cannot show."""
SAMPLES = 8
OPENING = "grace_hopper"
"""The example that the page opens with."""
CHOOSE = "() => document.querySelector('#photo input[type=file]').click()"
_opening_turn = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Page:
    """The tab's components, by what they hold."""

    viewer: gr.HTML
    verdict: gr.Markdown
    numbers: gr.HTML
    last: gr.State
    """The last `Result`."""
    go: gr.State
    """When a photo, or what is done to it, was chosen that is to be restored at once."""
    running: gr.State
    """The `Cancellation` of what runs, or has run last."""


# --- A run ------------------------------------------------------------------------------------------------------------


def run_each(
    lab: AppContext, values: Mapping[str, Any], recipe: Recipe, tell: Progress
) -> Iterator[tuple[Result, Run]]:
    """Restore the photo of the panel's ``values`` as ``recipe`` says: what there is after each model.

    A large photo is made a preview of. Raises `RestorationError`.
    """
    path = values["photo"]
    photo, drawn, whole = lab.load_for(recipe, path), None, None
    if recipe.size == "own":
        if recipe.upscaling:
            upscale.check_size(photo, recipe.upscaling.scale)  # said now, not when the full size is asked for
        if photo.width * photo.height > LARGE:
            photo, whole = preview(photo), (photo.width, photo.height)
        inpaint, drawn = scratch_editor.inpainting_from_controls(values, photo)
        recipe = replace(recipe, inpaint=inpaint)
    result = None
    for run in lab.run_each(photo, recipe, tell, drawn=drawn):
        result = publish_run(path, run, result, whole)
        yield result, run


def preview(photo: Photo) -> Photo:
    """``photo`` at about `PREVIEW` pixels."""
    factor = (PREVIEW / (photo.width * photo.height)) ** 0.5
    size = (round(photo.width * factor), round(photo.height * factor))
    return Photo(np.array(Image.fromarray(photo.pixels).resize(size, Image.Resampling.BOX)), photo.details)


def at_full_size(lab: AppContext, result: Result, models: list[str], tell: Progress) -> Result:
    """A preview's ``result`` with the pictures of ``models`` at the photo's full size; as it is where they are."""
    times = result.recipe.upscaling.scale if result.recipe.upscaling else 1
    missing = [
        name for name in models
        if result.whole and result.sizes[result.largest(name)] != tuple(times * side for side in result.whole)
    ]  # fmt: skip
    if not missing:
        return result
    photo, drawn = lab.load(result.photo, reduce_to=None), None
    recipe = replace(result.recipe, models=dict.fromkeys(missing))
    if recipe.inpaint and recipe.inpaint.mask != "auto":
        drawn = scratches.picture(scratches.marked(scratches.mask_of(result.read("mask"), photo)))
        recipe = replace(recipe, inpaint=replace(recipe.inpaint, mask=drawn_sha256(drawn)))
    made = publish_run(result.photo, lab.run(photo, recipe, tell, drawn=drawn))
    inpaint = made.recipe.inpaint
    return replace(
        result,
        recipe=replace(result.recipe, inpaint=inpaint),
        paths={**result.paths, **made.paths},
        sizes={**result.sizes, **made.sizes},
    )


def prepare(lab: AppContext) -> None:
    """Make ready, at the start, what the first visitors would wait for."""
    with logged():
        opening(lab)
    lab.warm_up()


def opening(lab: AppContext) -> tuple[Result, Mapping[bool, Measured]]:
    """What the page opens with: an old print, restored once for all visitors, and what is said of it, in French and
    not. Raises `RestorationError`.
    """
    with _opening_turn:
        return _opening(lab)


@cache
def _opening(lab: AppContext) -> tuple[Result, Mapping[bool, Measured]]:
    path = examples.photo(OPENING, damaged=True)
    recipe = Recipe(size="own", look=OWN_LOOK, models=dict.fromkeys(TITLES))
    run = lab.run(image.load(path, reduce_to=None), recipe)
    result = publish_run(path, run)
    keep(result.paths.values())
    return result, {french: measure(run, "auto", french) for french in (False, True)}


# --- What the page does -----------------------------------------------------------------------------------------------


def tab(panel: Sidebar, lab: AppContext) -> Page:
    """Lay out and wire the tab, inside the caller's Blocks."""
    choose = gr.Button(i18n("choose"), variant="primary", elem_id="choose")  # where the photo's own box is far below
    choose.click(None, js=CHOOSE, api_visibility="private")
    verdict = gr.Markdown(elem_id="verdict")
    picture = viewer.build()
    with gr.Row(elem_id="take-home"):
        save = gr.Button(i18n("save"), size="sm", min_width=120, elem_id="save")
        save_all = gr.Button(i18n("save_all"), size="sm", min_width=120, elem_id="save-all")
        maps = gr.Button(i18n("error_maps"), size="sm", min_width=120, visible=False, elem_id="error-maps")
    scratched = scratch_editor.stage(panel, lab)
    with gr.Accordion(i18n("numbers"), open=False, elem_id="numbers"):
        numbers = gr.HTML(elem_id="measures")
    with gr.Accordion(i18n("samples"), open=False, visible=bool(SAMPLERS), elem_id="samples"):
        draw = gr.Button(i18n("samples_run"), size="sm")
        gallery = gr.Gallery(
            label=i18n("samples_gallery"), format="png", columns=4, interactive=False, elem_classes="pixels"
        )
        uncertainty = gr.Image(label=i18n("samples_map"), format="png", interactive=False, elem_id="uncertainty",
                               elem_classes="pixels")  # fmt: skip
    last = gr.State(time_to_live=3000)
    page = Page(viewer=picture, verdict=verdict, numbers=numbers, last=last, go=gr.State(), running=gr.State())
    inputs = {**panel.inputs, **scratched.inputs}

    def restore(
        values: Mapping[Any, Any], request: gr.Request, progress: gr.Progress = PROGRESS
    ) -> Iterator[dict[Any, Any]]:
        french, running = is_french(request), Cancellation()
        named = {name: values[component] for name, component in inputs.items()}
        chosen(named, request)
        recipe = requested_recipe(named, request)
        yield {page.running: running}
        seen: tuple[Result, Run] | None = None
        with suppress(Stopped):
            for seen in run_each(lab, named, recipe, running.reporting(progress, french)):
                running.raise_if_ended()
                yield {picture: _seen(seen[0], french), page.last: seen[0]}
        if seen and not running.is_unwanted:
            result, run = seen
            yield {**_judged(page, result, measure(run, named["engine"], french), french),
                   maps: gr.Button(visible=run.truth is not None), gallery: None, uncertainty: None}  # fmt: skip

    def take_in(path: str | None, request: gr.Request) -> dict[Any, Any]:
        """The visitor's own photo, or none any more; one that the browser could not show, as a PNG."""
        photo = {}
        if path and Path(path).suffix.lower() in UNSHOWN:
            read = lab.load(path, reduce_to=None)
            photo[panel.photo] = publish({f"{Path(path).stem}.png": read}).popitem()[1]
            for note in read.details.notes:  # which the PNG does not hold
                gr.Warning(sentence(note, is_french(request)))
        return {**photo, panel.example: None, panel.arrived: time.time()}

    def arrive(path: str | None, running: Cancellation | None) -> dict[Any, Any]:
        """Another photo is there: what is shown is never another photo's, and it is restored at once."""
        discard(running)
        emptied: dict[Any, Any] = dict.fromkeys([picture, page.last, verdict, numbers, gallery, uncertainty])
        go = {page.go: time.time()} if path else {}
        return {**emptied, panel.start: gr.Button(interactive=bool(path)), **go}

    def halt(running: Cancellation | None) -> None:
        if running:
            running.is_stopped = True

    def taker(
        models: Callable[[Result, str], list[str]], file: Callable[[Result, str, bool], str | None]
    ) -> Callable[..., Iterator[dict[Any, Any]]]:
        """The listener that makes the pictures of ``models`` at their full size, and sends ``file`` to the visitor."""

        def take(
            result: Result | None, view: Any, request: gr.Request, progress: gr.Progress = PROGRESS
        ) -> Iterator[dict[Any, Any]]:
            french, running = is_french(request), Cancellation()
            found, kind = _chosen(result, view, request)
            yield {page.running: running}
            with suppress(Stopped):
                full = at_full_size(lab, found, models(found, kind), running.reporting(progress, french))
                path = file(full, kind, french)
                value = {**_seen(full, french, view), "save": path and {"path": path, "at": time.time()}}
                yield {page.last: full, picture: value}

        return take

    def shown(result: Result, kind: str) -> list[str]:
        return [kind] if kind in TITLES else []

    def show_maps(result: Result | None, view: Any, request: gr.Request) -> Any:
        found, kind = _chosen(result, view, request)
        value = _seen(found, is_french(request), {"shown": kind, "all": True})
        return {**value, "maps": {} if view.get("maps") else error_maps.error_maps(found)}

    def sample(result: Result | None, seed: Any, request: gr.Request) -> tuple[Any, Any]:
        if result is None:
            raise refuse("samples_first", request)
        french = is_french(request)
        sampler = next((name for name in SAMPLERS if name in result.recipe.models), SAMPLERS[0])
        photo = image.fit(result.read(result.given), result.recipe.fit)
        drawn = lab.work(Restorer.samples, photo, SAMPLES, seed=seed, model=sampler)
        named = {f"{result.name}_sample{place}.png": photo for place, photo in enumerate(drawn.photos, 1)}
        *each, where = publish({**named, f"{result.name}_uncertainty.png": drawn.map()}).values()
        captions = [text("sample", french, number=place) for place in range(1, SAMPLES + 1)]
        alt = text("samples_map", french)
        return list(zip(each, captions, strict=True)), gr.Image(where, alt_text=alt)

    gr.on(
        [panel.start.click, page.go.change], restore, {*inputs.values()},
        [picture, page.last, page.running, verdict, numbers, maps, gallery, uncertainty], show_progress_on=verdict,
        trigger_mode="always_last", **RUNNING,
    )  # fmt: skip
    panel.stop.click(halt, page.running, None, queue=False, **QUIET)
    for event, models, file in (
        (save.click, shown, lambda full, kind, french: full.paths[full.largest(kind)]),
        (
            save_all.click,
            lambda result, kind: [*result.recipe.models],
            lambda full, kind, french: everything(full, french),
        ),
        (picture.expand, shown, lambda full, kind, french: None),
    ):
        event(
            taker(models, file), [page.last, picture], [picture, page.last, page.running], show_progress_on=verdict,
            **RUNNING,
        )  # fmt: skip
    maps.click(show_maps, [page.last, picture], picture, **QUIET)
    draw.click(sample, [page.last, panel.damage["seed"]], [gallery, uncertainty], **RUNNING)
    panel.photo.input(take_in, panel.photo, [panel.photo, panel.example, panel.arrived], **QUIET)
    panel.arrived.change(
        arrive, [panel.photo, page.running],
        [picture, page.last, verdict, numbers, gallery, uncertainty, panel.start, page.go], **QUIET,
    )  # fmt: skip
    _wire_damage(panel, page, lab)
    _open(panel, page, lab)
    return page


def _wire_damage(panel: Sidebar, page: Page, lab: AppContext) -> None:
    """What of the column changes the photo's damage, and what follows at once: another draw, or the pictures dimmed."""
    by_hand = {name: each for name, each in panel.damage.items() if name not in ("seed", "fit")}
    everything: set[Block] = {*panel.inputs.values(), panel.preset, page.last, page.viewer, page.running}

    def again(photo: str | None) -> dict[Any, Any]:
        """Have it restored at once, if there is one."""
        return {page.go: time.time()} if photo else {page.go: gr.skip()}

    def draw(values: Mapping[Any, Any]) -> dict[Any, Any]:
        """The preset's draw by the seed: the sliders follow, and the photo is restored."""
        discard(values[page.running])
        name = values[panel.preset]
        if name is None:  # set by hand: the seed says where the noise falls, and no more
            return again(values[panel.photo])
        drawn = asdict(Degradation() if name == "off" else preset(name).draw(values[panel.damage["seed"]]))
        return {**{each: drawn[control] for control, each in by_hand.items()}, **again(values[panel.photo])}

    def roll(values: Mapping[Any, Any]) -> dict[Any, Any]:
        seed = random.randrange(1_000_000)
        return {panel.damage["seed"]: seed, **draw({**values, panel.damage["seed"]: seed})}

    def damage(values: Mapping[Any, Any], request: gr.Request) -> dict[Any, Any]:
        """The damage by hand, shown at once; what was restored is dimmed until the visitor restores again."""
        result: Result | None = values[page.last]
        if not values[panel.photo] or result is None or result.given != "degraded":
            return {panel.preset: None}
        recipe = recipe_from_controls({name: values[each] for name, each in panel.inputs.items()})
        assert recipe.degradation
        truth = image.fit(lab.load(values[panel.photo]), recipe.fit)
        damaged = recipe.degradation.apply(truth, recipe.seed or 0)
        (path,) = publish({"damaged.png": damaged}).values()
        draft = replace(result, paths={**result.paths, "degraded": path})
        return {panel.preset: None, page.viewer: _seen(draft, is_french(request), values[page.viewer])}

    def switch(mode: str, name: str | None, photo: str | None, running: Cancellation | None) -> dict[Any, Any]:
        """The other mode: other controls, the example as it is or as an old print, and the photo restored."""
        discard(running)
        next_photo = try_example(name, mode) if name else again(photo)
        return {**panel.for_mode(mode), panel.settings["scale"]: usual_scale(mode), **next_photo}

    def try_example(name: str, mode: str) -> dict[Any, Any]:
        return {panel.photo: examples.photo(name, damaged=mode == "damaged"), panel.arrived: time.time()}

    moved = [each.input for each in by_hand.values()]  # type: ignore[attr-defined]
    gr.on(moved, damage, everything, [page.viewer, panel.preset], trigger_mode="always_last", concurrency_limit=4,
          **QUIET)  # fmt: skip
    drawn = [*by_hand.values(), page.go]
    seed = panel.damage["seed"]
    gr.on([panel.preset.input, seed.submit], draw, everything, drawn, trigger_mode="always_last", **QUIET)  # type: ignore[attr-defined]
    panel.dice.click(roll, everything, [seed, *drawn], **QUIET)
    panel.mode.input(
        switch, [panel.mode, panel.example, panel.photo, page.running],
        [*panel.of_one_mode, panel.settings["scale"], panel.photo, panel.arrived, page.go], **QUIET,
    )  # fmt: skip
    panel.example.input(try_example, [panel.example, panel.mode], [panel.photo, panel.arrived], **QUIET)
    settings = [each.input for each in (*panel.settings.values(), *panel.damage.values())]  # type: ignore[attr-defined]
    gr.on(settings, None, js="() => lab.stale()", api_visibility="private")


def _open(panel: Sidebar, page: Page, lab: AppContext) -> None:
    """Have the page open with the example that was restored at the start, unless its address says what is wanted."""

    def open_page(request: gr.Request) -> dict[Any, Any]:
        if request and request.query_params.keys() & {"recipe", "job"}:
            return {page.last: None}
        french = is_french(request)
        result, measured = opening(lab)
        return {
            panel.photo: result.photo, panel.example: OPENING, page.last: result,
            page.viewer: _seen(result, french), panel.start: gr.Button(interactive=True),
            **_judged(page, result, measured[french], french),
        }  # fmt: skip

    gr.on(
        None, open_page, None,
        [panel.photo, panel.example, panel.start, page.last, page.viewer, page.verdict, page.numbers],
        **QUIET,
    )  # fmt: skip


def _seen(result: Result, french: bool, view: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The viewer's value, showing what ``view`` shows, the visitor's; else the first model's picture large or, in the
    laboratory, all side by side.
    """
    shown = view.get("shown") if view else None
    first = next((name for name in result.recipe.models if name in result.paths), result.given)
    side_by_side = bool(view.get("all")) if view else result.given == "degraded"
    return viewer.value(
        result,
        french,
        shown=shown if isinstance(shown, str) and shown in result.paths else first,
        side_by_side=side_by_side,
    )


def _judged(page: Page, result: Result, measured: Measured, french: bool) -> dict[Any, Any]:
    result = replace(result, notes=measured.notes)
    return {page.viewer: _seen(result, french), page.last: result, page.verdict: measured.verdict,
            page.numbers: measured.table}  # fmt: skip


def _chosen(result: Result | None, view: Any, request: gr.Request) -> tuple[Result, str]:
    """The last result, and the name of the picture of it that the visitor's page shows."""
    if result is None:
        raise refuse("samples_first", request)
    kind = view.get("shown") if isinstance(view, dict) else None
    return result, kind if isinstance(kind, str) and kind in result.paths else next(iter(result.recipe.models))
