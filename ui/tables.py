"""The measures as HTML tables: what changed, in words, sign and colour, and who is best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from restoration.metrics import Judgement, Metrics

from .texts import number, text


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A measure: its digits, whether more is better, and the change from which on there is one."""

    digits: int
    sign: int
    least: float


_COLUMNS: Mapping[str, _Column] = {
    "psnr_luminance": _Column(digits=2, sign=1, least=0.05),
    "psnr": _Column(digits=2, sign=1, least=0.05),
    "ssim": _Column(digits=3, sign=1, least=0.002),
    "ciede2000": _Column(digits=2, sign=-1, least=0.05),
}
# Where a measure without reference passes from one word to the next: noise in levels of 255, blur from 0 to 1 (Crete et
# al.), contrast in levels, colourfulness by the words of Hasler and Süsstrunk's paper, fewer of them.
_WORDS = {"noise": (1.5, 4, 10), "blur": (0.35, 0.45, 0.6), "contrast": (25, 40, 75), "colour": (4, 20, 45)}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A photo's line of the table."""

    title: str
    measured: Metrics | Judgement
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
    """The places of the best of a measure, among those that are better than ``before`` where that is given: several
    where no more than its smallest step tells them apart.
    """
    values = {place: getattr(row, name) for place, row in enumerate(rows)}
    if before:
        least = getattr(before, name)
        values = {place: value for place, value in values.items() if change(name, value, least) == "better"}
    first = max(values.values(), key=lambda value: _COLUMNS[name].sign * value, default=math.nan)
    return {place for place, value in values.items() if change(name, value, first) == "same"}


def note(row: Metrics, before: Metrics, french: bool) -> str:
    """The measures in a line: light and shade, structure, colour; with the gain in light of what is not ``before``."""
    gain = "" if row is before else f" ({number(row.psnr_luminance - before.psnr_luminance, 1, french, sign=True)})"
    return text(
        "note", french, light=number(row.psnr_luminance, 1, french), gain=gain, ssim=number(row.ssim, 2, french),
        colour=number(row.ciede2000, 1, french),
    )  # fmt: skip


def measured(degraded: Row, models: Sequence[Row], french: bool) -> str:
    """The table of photos measured against the original: ``degraded``, then each model's with its change."""
    before = degraded.measured
    assert isinstance(before, Metrics)
    after = [row.measured for row in models if isinstance(row.measured, Metrics)]
    leaders = {name: best(name, after, before) for name in _COLUMNS}
    cells = [_cell(text(name, french), _value(name, before, french)) for name in _COLUMNS]
    lines = [_line(degraded.title, [*cells, "<td></td><td></td>"])]
    for place, (row, metrics) in enumerate(zip(models, after, strict=True)):
        cells = []
        for name in _COLUMNS:
            told = _value(name, metrics, french) + _changed(name, metrics, before, french)
            if place in leaders[name] and len(leaders[name]) < len(after):
                told += f'<span class="best">★ {text("best", french)}</span>'
            cells.append(_cell(text(name, french), told))
        cells.append(_cell(text("helped", french), text(helped(metrics, before), french)))
        cells.append(_cell(text("time", french), row.time))
        lines.append(_line(row.title, cells))
    head = [text(name, french) for name in ("photo_column", *_COLUMNS, "helped", "time")]
    return _table(head, lines, text("table_caption", french))


def judged(rows: Sequence[Row], french: bool) -> str:
    """The table of photos that have no original to be measured against, in words."""
    lines = []
    for row in rows:
        judgement = row.measured
        assert isinstance(judgement, Judgement)
        cells = [
            _cell(text("noise", french), _worded("noise", judgement.noise, 1, french)),
            _cell(text("sharpness", french), _worded("blur", judgement.blur, 2, french)),
            _cell(text("contrast", french), _worded("contrast", judgement.contrast, 0, french)),
            _cell(text("colourfulness", french), _worded("colour", judgement.colourfulness, 0, french)),
            _cell(text("time", french), row.time),
        ]
        lines.append(_line(row.title, cells))
    head = [text(name, french) for name in ("photo_column", "noise", "sharpness", "contrast", "colourfulness", "time")]
    return _table(head, lines, text("judged_caption", french))


def _worded(scale: str, value: float, digits: int, french: bool) -> str:
    word = text(f"{scale}_{sum(value >= step for step in _WORDS[scale])}", french)
    return f"{word} ({number(value, digits, french)})"


def _value(name: str, metrics: Metrics, french: bool) -> str:
    return number(getattr(metrics, name), _COLUMNS[name].digits, french)


def _changed(name: str, after: Metrics, before: Metrics, french: bool) -> str:
    gain = getattr(after, name) - getattr(before, name)
    kind = change(name, getattr(after, name), getattr(before, name))
    arrow = {"better": "▲", "worse": "▼", "same": "="}[kind]
    amount = f" {number(gain, _COLUMNS[name].digits, french, sign=True)}" if math.isfinite(gain) else ""
    return f'<small class="{kind}">{arrow}{amount} {text(kind, french)}</small>'


def _cell(label: str, contents: str) -> str:
    """A cell, with its column's title for screens that are too narrow for columns."""
    return f'<td data-label="{label}">{contents}</td>'


def _line(title: str, cells: Sequence[str]) -> str:
    return f'<tr><th scope="row">{title}</th>{"".join(cells)}</tr>'


def _table(head: Sequence[str], lines: Sequence[str], caption: str) -> str:
    titles = "".join(f'<th scope="col">{each}</th>' for each in head)
    return (
        f'<table class="measures"><caption>{caption}</caption><thead><tr>{titles}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )
