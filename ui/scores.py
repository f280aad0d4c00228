"""The measures, for someone who reads numbers and for someone who does not: a table of what changed, in words, sign and
colour, and who won, in a sentence or two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from restoration.metrics import Judgement, Metrics

from .texts import number, text

M = TypeVar("M", Metrics, Judgement)
LITTLE = 3
"""Levels of 255 by which pixels change on average where hardly anybody sees that anything has changed."""


@dataclass(frozen=True)
class _Column:
    """A measure: its digits, whether more of it is better (1) or worse (-1), and the least change that counts."""

    digits: int
    sign: int
    least: float


_COLUMNS: Mapping[str, _Column] = {
    "psnr_luminance": _Column(2, 1, 0.05),
    "psnr": _Column(2, 1, 0.05),
    "ssim": _Column(3, 1, 0.002),
    "ciede2000": _Column(2, -1, 0.05),
}
# What is measured without an original: the measure of a `Judgement`, its digits, what its words are called, and where
# one word passes to the next: noise in levels of 255, blur from 0 to 1 (Crete et al.), contrast in levels, and
# colourfulness by the words of Hasler and Süsstrunk's paper, fewer of them.
_LOOKS = {
    "noise": ("noise", 1, "noise", (1.5, 4, 10)),
    "sharpness": ("blur", 2, "blur", (0.35, 0.45, 0.6)),
    "contrast": ("contrast", 0, "contrast", (25, 40, 75)),
    "colourfulness": ("colourfulness", 0, "colour", (4, 20, 45)),
}


@dataclass(frozen=True)
class Row(Generic[M]):
    """A photo and what it measures."""

    title: str
    measured: M
    time: str = ""


def change(name: str, value: float, before: float) -> str:
    """better, worse or same: what ``value`` of a measure is against ``before``."""
    column = _COLUMNS[name]
    gain = column.sign * (value - before)
    if math.isnan(gain) or abs(gain) < column.least:  # two infinities are the same
        return "same"
    return "better" if gain > 0 else "worse"


def helped(after: Metrics, before: Metrics) -> str:
    """The key of the answer to "did it help?": helped_yes, helped_no, helped_light or helped_colour."""
    light = change("psnr_luminance", after.psnr_luminance, before.psnr_luminance) == "better"
    colour = change("ciede2000", after.ciede2000, before.ciede2000) == "better"
    if light == colour:
        return "helped_yes" if light else "helped_no"
    return "helped_light" if light else "helped_colour"


def best(name: str, rows: Sequence[Metrics], before: Metrics | None = None) -> set[int]:
    """The indices of the best of a measure, among those that are better than ``before`` where that is given: several
    where no more than its smallest step tells them apart.
    """
    values = {index: getattr(row, name) for index, row in enumerate(rows)}
    if before:
        least = getattr(before, name)
        values = {index: value for index, value in values.items() if change(name, value, least) == "better"}
    first = max(values.values(), key=lambda value: _COLUMNS[name].sign * value, default=math.nan)
    return {index for index, value in values.items() if change(name, value, first) == "same"}


def note(row: Metrics, before: Metrics, french: bool) -> str:
    """The measures in a line: light and shade, structure, colour; with the gain in light of what is not ``before``."""
    gain = "" if row is before else f" ({number(row.psnr_luminance - before.psnr_luminance, 1, french, sign=True)})"
    light, colour = number(row.psnr_luminance, 1, french), number(row.ciede2000, 1, french)
    return text("note", french, light=light, gain=gain, ssim=number(row.ssim, 2, french), colour=colour)


def summary(degraded: Row[Metrics], models: Sequence[Row[Metrics]], french: bool) -> str:
    """Who came closest to the original. A model that is no closer than the damaged photo came closest to nothing."""
    before, after = degraded.measured, [row.measured for row in models]
    light, colour = (
        [models[index].title for index in sorted(best(name, after, before))] for name in ("psnr_luminance", "ciede2000")
    )
    said = []
    if light:
        gain = max(row.psnr_luminance for row in after) - before.psnr_luminance
        said.append(text("verdict_light", french, who=_listed(light, french), gain=number(gain, 1, french)))
    if colour:
        said.append(text("verdict_colour", french, who=_listed(colour, french)))
    if not said:
        said.append(text("verdict_none", french))
    said += _most_vivid(models, french)
    for row in models:
        if change("psnr_luminance", row.measured.psnr_luminance, before.psnr_luminance) == "worse":
            said.append(text("verdict_worse", french, who=row.title))
    return " ".join(said)


def summary_without_original(models: Sequence[Row[Judgement]], changed: float, french: bool) -> str:
    """What can be said where there is no original: who is the most vivid, and whether even the model that ``changed``
    the photo most, in levels of 255 on average, changed little.
    """
    little = [text("verdict_little", french)] if changed < LITTLE else []
    return " ".join([*little, text("verdict_unknown", french), *_most_vivid(models, french)])


def _most_vivid(models: Sequence[Row[M]], french: bool) -> list[str]:
    """The sentence that names the most vivid of several models."""
    vivid = max(models, key=lambda row: row.measured.colourfulness)
    return [text("verdict_vivid", french, who=vivid.title)] if len(models) > 1 else []


def _listed(titles: Sequence[str], french: bool) -> str:
    *first, last = titles
    return f"{', '.join(first)} {'et' if french else 'and'} {last}" if first else last


def table(degraded: Row[Metrics], models: Sequence[Row[Metrics]], french: bool) -> str:
    """The table of photos measured against the original: ``degraded``, then each model's with its change."""
    before, after = degraded.measured, [row.measured for row in models]
    leaders = {name: best(name, after, before) for name in _COLUMNS}
    cells = [cell(name, _value(name, before, french), french) for name in _COLUMNS]
    lines = [line(degraded.title, [*cells, "<td></td><td></td>"])]
    for index, row in enumerate(models):
        cells = []
        for name in _COLUMNS:
            told = _value(name, row.measured, french) + _changed(name, row.measured, before, french)
            if index in leaders[name] and len(leaders[name]) < len(after):
                told += f'<span class="best">★ {text("best", french)}</span>'
            cells.append(cell(name, told, french))
        cells += [cell("helped", text(helped(row.measured, before), french), french), cell("time", row.time, french)]
        lines.append(line(row.title, cells))
    return html_table(["photo_column", *_COLUMNS, "helped", "time"], lines, "table_caption", french)


def table_without_original(rows: Sequence[Row[Judgement]], french: bool) -> str:
    """The table of photos that have no original to be measured against, in words."""
    lines = []
    for row in rows:
        cells = []
        for name, (measure, digits, words, steps) in _LOOKS.items():
            value = getattr(row.measured, measure)
            word = text(f"{words}_{sum(value >= step for step in steps)}", french)
            cells.append(cell(name, f"{word} ({number(value, digits, french)})", french))
        lines.append(line(row.title, [*cells, cell("time", row.time, french)]))
    return html_table(["photo_column", *_LOOKS, "time"], lines, "judged_caption", french)


def _value(name: str, metrics: Metrics, french: bool) -> str:
    return number(getattr(metrics, name), _COLUMNS[name].digits, french)


def _changed(name: str, after: Metrics, before: Metrics, french: bool) -> str:
    gain = getattr(after, name) - getattr(before, name)
    kind = change(name, getattr(after, name), getattr(before, name))
    arrow = {"better": "▲", "worse": "▼", "same": "="}[kind]
    amount = f" {number(gain, _COLUMNS[name].digits, french, sign=True)}" if math.isfinite(gain) else ""
    return f'<small class="{kind}">{arrow}{amount} {text(kind, french)}</small>'


def cell(name: str, contents: str, french: bool) -> str:
    """A cell, with its column's title for screens that are too narrow for columns."""
    return f'<td data-label="{text(name, french)}">{contents}</td>'


def line(title: str, cells: Sequence[str]) -> str:
    return f'<tr><th scope="row">{title}</th>{"".join(cells)}</tr>'


def html_table(
    columns: Sequence[str], lines: Sequence[str], caption: str, french: bool, classes: str = "measures"
) -> str:
    """A table of such lines, each with a title and a cell of every column; the page styles it by its ``classes``."""
    titles = "".join(f'<th scope="col">{text(name, french)}</th>' if name else "<td></td>" for name in columns)
    return (
        f'<table class="{classes}"><caption>{text(caption, french)}</caption><thead><tr>{titles}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )
