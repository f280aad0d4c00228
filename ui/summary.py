"""Who won, in a sentence or two: what the numbers say to someone who does not read them."""

from __future__ import annotations

from collections.abc import Mapping

from restoration.metrics import Metrics

from .tables import best, change
from .texts import number, text


def measured(before: Metrics, after: Mapping[str, Metrics], french: bool) -> str:
    """Who came closest to the original, from the measures of the damaged photo and of each model's, by title.

    A model that is no closer than the damaged photo came closest to nothing.
    """
    titles, rows = list(after), list(after.values())

    def leaders(name: str) -> list[str]:
        return [titles[place] for place in sorted(best(name, rows, before))]

    light, colour = leaders("psnr_luminance"), leaders("ciede2000")
    said = []
    if light:
        gain = max(row.psnr_luminance for row in rows) - before.psnr_luminance
        said.append(text("verdict_light", french, who=_listed(light, french), gain=number(gain, 1, french)))
    if colour:
        said.append(text("verdict_colour", french, who=_listed(colour, french)))
    if not said:
        said.append(text("verdict_none", french))
    if len(rows) > 1:
        vivid = max(after, key=lambda title: after[title].colourfulness)
        said.append(text("verdict_vivid", french, who=vivid))
    for title, row in after.items():
        if change("psnr_luminance", row.psnr_luminance, before.psnr_luminance) == "worse":
            said.append(text("verdict_worse", french, who=title))
    return " ".join(said)


LITTLE = 3
"""Levels of 255 by which pixels change on average where hardly anybody sees that anything has changed."""


def judged(vividness: Mapping[str, float], changed: float, french: bool) -> str:
    """What can be said where there is no original: from each model's colourfulness, by title, and from how much the
    one that changed the photo most has ``changed`` it, in levels of 255 on average.
    """
    said = text("verdict_unknown", french)
    if changed < LITTLE:
        said = f"{text('verdict_little', french)} {said}"
    if len(vividness) > 1:
        said += f" {text('verdict_vivid', french, who=max(vividness, key=vividness.__getitem__))}"
    return said


def _listed(titles: list[str], french: bool) -> str:
    *first, last = titles
    return f"{', '.join(first)} {'et' if french else 'and'} {last}" if first else last
