"""What a run becomes for whoever asked: its pictures as files, its measures as a table, and what ran in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from restoration import Photo, Recipe, Run, Upscaling, image, metrics, scratches
from restoration.batch import archive
from restoration.contact_sheet import Cell, sheet
from restoration.restorer import Mended

from . import scores
from .context import TITLES
from .errors import sentence
from .files import name_of, publish
from .texts import duration, number, text

WHITE = 64
"""Levels of 255 that an error map shows as white."""


@dataclass(frozen=True, kw_only=True, eq=False)  # each is another, for whoever asks whether there is a new one
class Result:
    """A run as the visitor sees it.

    Only the files hold pixels: a page keeps its last result, and whole photos of many visitors would fill the memory.
    """

    photo: str
    """The path of the visitor's photo."""
    recipe: Recipe
    paths: Mapping[str, str]
    """The pictures' files, by `pictures`' names."""
    sizes: Mapping[str, tuple[int, int]]
    """Width and height, by the same names."""
    whole: tuple[int, int] | None = None
    """Of a preview: width and height of the photo itself."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """`Measured.notes`."""

    @property
    def name(self) -> str:
        """What its files are called after."""
        return name_of(self.photo)

    @property
    def given(self) -> str:
        """The name in `paths` of what the models were given."""
        return "degraded" if "degraded" in self.paths else "photo"

    def largest(self, kind: str) -> str:
        """The name of ``kind``'s picture, or of the enlarged one of it, where there is one."""
        return next((each for each in self.paths if each.startswith(f"{kind}_x")), kind)

    def read(self, kind: str) -> Photo:
        """A picture, read from its file."""
        return image.load(self.paths[kind], reduce_to=None, max_pixels=prod(self.sizes[kind]))


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


def publish_run(path: str, run: Run, earlier: Result | None = None, whole: tuple[int, int] | None = None) -> Result:
    """The run of the photo at ``path`` with its pictures as files, of which those of an ``earlier`` part of it stay."""
    kept = earlier.paths if earlier else {}
    name = name_of(path)
    found = pictures(run)
    new = {f"{name}_{kind}_{each.width}x{each.height}.png": each for kind, each in found.items() if kind not in kept}
    paths = iter(publish(new).values())
    return Result(
        photo=path,
        recipe=run.recipe,
        paths={kind: kept[kind] if kind in kept else next(paths) for kind in found},
        sizes={kind: (each.width, each.height) for kind, each in found.items()},
        whole=whole,
    )


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
    named = {"original": "original_photo", "degraded": "degraded", "photo": "given", "mask": "mask"}
    if kind in named:
        return text(named[kind], french)
    model, _, _ = kind.partition("_x")
    return text("restored_by", french, model=TITLES[model], width=size[0], height=size[1])


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A run's measures in the visitor's language."""

    verdict: str
    """Who won, in words; what the photo's file lacks, what was mended, and whether the GPU failed."""
    table: str
    """All numbers, as HTML, and what ran beside them."""
    notes: Mapping[str, str]
    """A line for each picture, by `pictures`' names; none where there is no original."""


def measure(run: Run, engine: str, french: bool) -> Measured:
    """Measure a run, against the original where there is one. ``engine`` is the one that was asked for."""
    photos = {name: restored.photo for name, restored in run.restored.items()}
    times = {name: _time(name, run, french) for name in photos}
    also = [*(sentence(note, french) for note in run.notes), what_was_mended(run.mended, french)]
    also += [text("gpu_failed", french)] if run.fell_back else []
    ran = run.recipe.upscaling
    beneath = (
        text("degraded_in", french, ms=round(run.degrade_seconds * 1000)) if run.truth else "",
        colours_that_were_chosen(run, french),
        engine_that_ran(ran, french),
        text("fell_back", french) if ran and engine == "auto" and ran.engine == "fast" else "",
    )
    said = f"<p>{_sentences(*beneath)}</p>"
    if run.truth:
        before = metrics.compare(run.degraded, run.truth)
        after = {name: metrics.compare(photo, run.truth) for name, photo in photos.items()}
        degraded = scores.Row(text("degraded", french), before)
        compared = [scores.Row(TITLES[name], row, times[name]) for name, row in after.items()]
        return Measured(
            verdict=_sentences(scores.summary(degraded, compared, french), *also),
            table=scores.table(degraded, compared, french) + said,
            notes={name: scores.note(row, before, french) for name, row in {"degraded": before, **after}.items()},
        )
    given = scores.Row(text("given", french), metrics.judge(run.degraded))
    judged = [scores.Row(TITLES[name], metrics.judge(photo), times[name]) for name, photo in photos.items()]
    pixels = run.degraded.pixels.astype(np.int16)
    changed = max(float(np.abs(photo.pixels - pixels).mean()) for photo in photos.values())
    return Measured(
        verdict=_sentences(scores.summary_without_original(judged, changed, french), *also),
        table=scores.table_without_original([given, *judged], french) + said,
        notes={},
    )


def _sentences(*said: str) -> str:
    return " ".join(filter(None, said))


def what_was_mended(mended: Mended | None, french: bool) -> str:
    """What became of the scratches, where they were to be mended."""
    if mended is None:
        return ""
    if not mended.share:
        return text("mended_nothing", french)
    return text("mended", french, share=number(100 * mended.share, 1, french))


def _time(name: str, run: Run, french: bool) -> str:
    spent = duration(run.restored[name].seconds)
    if larger := run.enlarged.get(name):
        spent += f", ×{larger.upscaling.scale}{' :' if french else ':'} {duration(larger.seconds)}"
    return spent


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
    cells = []
    for kind, photo in found:
        size = photo.width, photo.height
        captions = [title(kind, size, french)]
        if truth and size == (truth.width, truth.height):
            captions.append(f"PSNR {number(metrics.psnr(photo, truth), 2, french)} dB")
        cells.append(Cell(photo, captions))
        truth = photo if kind == "original" else truth
    columns = 4 if len(cells) > 5 else len(cells)
    return sheet([cells[start : start + columns] for start in range(0, len(cells), columns)], side=384)


def everything(result: Result, french: bool) -> str:
    """The path of a zip with every picture, all of them as a labelled sheet, and the recipe."""
    found = ((kind, result.read(kind)) for kind in result.paths)  # one after the other, as they may be large
    others: dict[str, Photo | bytes] = {
        f"{result.name}_sheet.png": labelled_sheet(found, french),
        f"{result.name}_recipe.json": json.dumps(result.recipe.to_json(), indent=1).encode(),
    }
    paths = [*map(Path, result.paths.values()), *map(Path, publish(others).values())]
    packed = publish({f"{result.name}.zip": b""})[f"{result.name}.zip"]
    archive.pack(Path(packed), ((path.name, path.read_bytes()) for path in paths))
    return packed


def error_map(photo: Photo, truth: Photo) -> Photo:
    """Where ``photo`` differs from the truth, in grey: red, green and blue averaged, black where they are equal."""
    difference = np.abs(photo.pixels.astype(float) - truth.pixels).mean(2)
    grey = np.rint(np.clip(difference * (255 / WHITE), 0, 255)).astype(np.uint8)
    return Photo(np.repeat(grey[..., None], 3, axis=2))


def error_maps(result: Result) -> dict[str, str]:
    """The path of each picture's error map, by its name; none where there is no original."""
    if "original" not in result.paths:
        return {}
    truth = result.read("original")
    kinds = [kind for kind in result.paths if kind != "original" and result.sizes[kind] == result.sizes["original"]]
    paths = publish({f"{result.name}_{kind}_error.png": error_map(result.read(kind), truth) for kind in kinds})
    return dict(zip(kinds, paths.values(), strict=True))
