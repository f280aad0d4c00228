"""Diagrams of the networks as inline SVG, drawn from the config that their weights carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from restoration.types import SIDE

Say = Callable[[str], str]
Block = tuple[str, str]  # what a box says: its name, and a detail below

CSS = """
.diagram { display: block; width: 100%; max-width: 27rem; height: auto; color: var(--body-text-color); }
.diagram rect { fill: var(--background-fill-secondary); stroke: currentColor; stroke-width: 1; }
.diagram rect.end { fill: none; stroke-width: 2; }
.diagram path { fill: none; stroke: currentColor; stroke-width: 2.2; }
.diagram .training { stroke-dasharray: 5 4; }
.diagram polygon { fill: currentColor; }
.diagram text { fill: currentColor; font-size: 14px; text-anchor: middle; }
.diagram text.name { font-weight: 600; }
"""

LEFT, MARGIN, WIDTH = 4, 354, 368  # the boxes begin and the luminance passes them by; the whole
WIDE, HEIGHT, ROW = 324, 46, 66


def diagram(model: str, config: Mapping[str, Any], say: Say) -> str:
    """The SVG of one network in the words of ``say``; empty where nobody has drawn this model."""
    if model not in ("vae", "gan", "cnn"):
        return ""
    light, colour = config["restore"], config["colour"]
    chain: list[tuple[str, Block]] = [
        ("end", (say("about_d_in"), f"{say('about_d_grey')} {SIDE}×{SIDE}")),
        ("", (say("about_d_detail"), _channels(light["widths"], say))),
        ("", (say("about_d_tone"), say("about_d_tone_use"))),
        ("", (say("about_d_encoder"), say("about_d_encoder_use"))),
        ("", (say("about_d_colour"), _channels(colour["widths"], say))),
        ("end", (say("about_d_out"), f"{SIDE}×{SIDE}")),
    ]
    if model == "vae":
        latent = say("about_d_latent").format(latent=colour["latent"]), say("about_d_latent_use")
        chain[4:4] = [("", latent), ("training", (say("about_d_posterior"), say("about_d_posterior_use")))]
    if model == "gan":
        patches = say("about_d_discriminator_use").format(patches=f"{SIDE // 16}×{SIDE // 16}")  # four strides
        chain.append(("training", (say("about_d_discriminator"), patches)))
    boxes = [_box(row, *each) for row, each in enumerate(chain)]
    steps = [row for row, (kind, _) in enumerate(chain) if kind != "training"]
    arrows = [
        _arrow((LEFT + WIDE // 2, 2 + one * ROW + HEIGHT), (LEFT + WIDE // 2, 2 + other * ROW))
        for one, other in pairwise(steps)
        if other == one + 1
    ]
    tone, out = (2 + row * ROW + HEIGHT // 2 for row in (2, steps[-1]))
    arrows.append(_arrow((LEFT + WIDE, tone), (MARGIN, tone), (MARGIN, out), (LEFT + WIDE, out)))
    for row, (kind, _) in enumerate(chain):
        if kind == "training":  # what it teaches, or judges, is above it
            arrows.append(_arrow((LEFT + 60, 2 + row * ROW), (LEFT + 60, 2 + (row - 1) * ROW + HEIGHT), kind=kind))
            if row < len(chain) - 1:  # and the way goes on around it
                x, start, end = LEFT + WIDE - 60, 2 + (row - 1) * ROW + HEIGHT, 2 + (row + 1) * ROW
                arrows.append(_arrow((x, start), (x, end)))
    title = say("about_d_title").format(model=model.upper())
    described = "; ".join(f"{name}: {detail}" for _, (name, detail) in chain)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="0 0 {WIDTH} {len(chain) * ROW - 14}"'
        f' role="img" aria-labelledby="about-{model}-title" aria-describedby="about-{model}-description">'
        f'<title id="about-{model}-title">{escape(title)}</title>'
        f'<desc id="about-{model}-description">{escape(described)}</desc>{"".join(arrows)}{"".join(boxes)}</svg>'
    )


def _channels(widths: Sequence[int], say: Say) -> str:
    return say("about_d_channels").format(widths=", ".join(map(str, widths)))


def _box(row: int, kind: str, block: Block) -> str:
    name, detail = block
    y, centre = 2 + row * ROW, LEFT + WIDE // 2
    return (
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{WIDE}" height="{HEIGHT}" rx="6"/>'
        f'<text class="name" x="{centre}" y="{y + 20}">{escape(name)}</text>'
        f'<text x="{centre}" y="{y + 38}">{escape(detail)}</text>'
    )


def _arrow(*points: tuple[int, int], kind: str = "") -> str:
    """A line through the points, which runs along the axes, with its head at the last."""
    (x0, y0), (x, y) = points[-2:]
    dx, dy = (x > x0) - (x < x0), (y > y0) - (y < y0)
    base = (x - 8 * dx, y - 8 * dy)
    line = " L".join(f"{a} {b}" for a, b in (*points[:-1], base))
    head = [(x, y), (base[0] + 4 * dy, base[1] + 4 * dx), (base[0] - 4 * dy, base[1] - 4 * dx)]
    corners = " ".join(f"{a},{b}" for a, b in head)
    return f'<path class="{kind}" d="M{line}"/><polygon points="{corners}"/>'
