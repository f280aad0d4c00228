"""Block diagrams of the networks as inline SVG, drawn from the config that their weights carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from restoration.types import SIDE

Say = Callable[[str], str]
Block = tuple[str, str]  # what a box says: its name, and a detail below

CSS = """
.diagram { display: block; width: 100%; max-width: 27rem; height: auto; color: var(--body-text-color); }
.diagram rect { fill: var(--background-fill-secondary); stroke: currentColor; stroke-width: 1; }
.diagram rect.end { fill: none; stroke-width: 2; }
.diagram path { fill: none; stroke: currentColor; stroke-width: 2.2; }
.diagram path.skip { stroke-width: 1; }
.diagram .training { stroke-dasharray: 5 4; }
.diagram polygon { fill: currentColor; }
.diagram text { fill: currentColor; font-size: 14px; text-anchor: middle; }
.diagram text.name { font-weight: 600; }
.diagram text.stage { font-weight: 700; text-anchor: start; }
"""

LEFT, RIGHT, COLUMN = 4, 194, 156  # the columns on the way down and up, and their width
MARGIN, WIDTH = 362, 368  # where an arrow runs down beside everything; the whole
WIDE = RIGHT + COLUMN - LEFT
HEIGHT, ROW = 46, 66


def diagram(model: str, config: Mapping[str, Any], say: Say) -> str:
    """The SVG of one network in the words of ``say``; empty where nobody has drawn this model."""
    if model not in _DRAWINGS:
        return ""
    return _DRAWINGS[model](config, say)


class _Canvas:
    """Boxes and arrows from top to bottom; ``end`` is the lowest point so far."""

    def __init__(self) -> None:
        self.shapes: list[str] = []
        self.end = 0

    def box(self, x: int, y: int, width: int, block: Block, kind: str = "") -> None:
        name, detail = block
        centre = x + width // 2
        self.shapes += [
            f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{HEIGHT}" rx="6"/>',
            f'<text class="name" x="{centre}" y="{y + 20}">{escape(name)}</text>',
            f'<text x="{centre}" y="{y + 38}">{escape(detail)}</text>',
        ]
        self.end = max(self.end, y + HEIGHT)

    def arrow(self, *points: tuple[int, int], kind: str = "") -> None:
        """A line through the points, which runs along the axes, with its head at the last."""
        (x0, y0), (x, y) = points[-2:]
        dx, dy = (x > x0) - (x < x0), (y > y0) - (y < y0)
        base = (x - 8 * dx, y - 8 * dy)
        line = " L".join(f"{a} {b}" for a, b in (*points[:-1], base))
        head = [(x, y), (base[0] + 4 * dy, base[1] + 4 * dx), (base[0] - 4 * dy, base[1] - 4 * dx)]
        self.shapes += [
            f'<path class="{kind}" d="M{line}"/>',
            f'<polygon points="{" ".join(f"{a},{b}" for a, b in head)}"/>',
        ]

    def stage(self, y: int, name: str) -> None:
        self.shapes.append(f'<text class="stage" x="{LEFT + COLUMN // 2 + 12}" y="{y}">{escape(name)}</text>')

    def u_net(self, top: int, down: Sequence[Block], bottom: Block, up: Sequence[Block]) -> int:
        """What goes in and each size below it, the bottom, each size again and what comes out; returns its lower end.

        ``up`` is from the top as well: its first is what comes out.
        """
        for row, (one, other) in enumerate(zip(down, up, strict=True)):
            y = top + row * ROW
            self.box(LEFT, y, COLUMN, one, "" if row else "end")
            self.box(RIGHT, y, COLUMN, other, "" if row else "end")
            self.arrow((LEFT + COLUMN, y + HEIGHT // 2), (RIGHT, y + HEIGHT // 2), kind="skip")
            self.arrow((LEFT + COLUMN // 2, y + HEIGHT), (LEFT + COLUMN // 2, y + ROW))
            self.arrow((RIGHT + COLUMN // 2, y + ROW), (RIGHT + COLUMN // 2, y + HEIGHT))
        self.box(LEFT, top + len(down) * ROW, WIDE, bottom)
        return self.end

    def svg(self, model: str, say: Say, description: str) -> str:
        title = say("about_d_title").format(model=model.upper())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="0 0 {WIDTH} {self.end + 4}" role="img"'
            f' aria-labelledby="about-{model}-title" aria-describedby="about-{model}-description">'
            f'<title id="about-{model}-title">{escape(title)}</title>'
            f'<desc id="about-{model}-description">{escape(description)}</desc>{"".join(self.shapes)}</svg>'
        )


def _side(side: int) -> str:
    return f"{side}×{side}"


def _vae(config: Mapping[str, Any], say: Say) -> str:
    canvas = _Canvas()
    widths, latent = config["widths"], config["latent"]
    sizes = [_features(width, SIDE // 2 ** (level + 1), say) for level, width in enumerate(widths)]
    into, out = _ends(say)
    numbers = say("about_d_latent").format(latent=latent), say("about_d_latent_use")
    end = canvas.u_net(2, [into, *sizes], numbers, [out, *sizes])
    canvas.box(LEFT, end + ROW - HEIGHT, WIDE, (say("about_d_posterior"), say("about_d_posterior_use")), "training")
    canvas.arrow((LEFT + WIDE // 2, end + ROW - HEIGHT), (LEFT + WIDE // 2, end), kind="training")
    said = say("about_d_vae").format(widths=_listed(widths), last=_side(SIDE // 2 ** len(widths)), latent=latent)
    return canvas.svg("vae", say, said)


def _gan(config: Mapping[str, Any], say: Say) -> str:
    canvas = _Canvas()
    widths, blocks = config["widths"], config["blocks"]
    *sizes, (name, side) = [_features(width, SIDE // 2 ** (level + 1), say) for level, width in enumerate(widths)]
    into, out = _ends(say)
    bottom = name, f"{side} · {_blocks(blocks, say)}"
    end = canvas.u_net(2, [into, *sizes], bottom, [out, *sizes])
    patches = say("about_d_discriminator_use").format(patches=_side(SIDE // 16))  # its four strides, in training only
    canvas.box(LEFT, end + ROW - HEIGHT, WIDE, (say("about_d_discriminator"), patches), "training")
    middle = canvas.end - HEIGHT // 2
    canvas.arrow(
        (RIGHT + COLUMN, 2 + HEIGHT // 2), (MARGIN, 2 + HEIGHT // 2), (MARGIN, middle), (RIGHT + COLUMN, middle),
        kind="training",
    )  # fmt: skip
    said = say("about_d_gan").format(
        widths=_listed(widths), last=_side(SIDE // 2 ** len(widths)), blocks=blocks, patches=_side(SIDE // 16)
    )
    return canvas.svg("gan", say, said)


def _cnn(config: Mapping[str, Any], say: Say) -> str:
    canvas = _Canvas()
    into, out = _ends(say)
    luminance = say("about_d_luminance"), say("about_d_restored").format(side=_side(SIDE))

    widths, before, after = (config["restore"][key] for key in ("widths", "before", "after"))
    sides = [SIDE // 2 ** (level + 1) for level in range(len(widths))]
    *down, bottom = [
        _features(width, side, say, _blocks(count, say))
        for width, side, count in zip(widths, sides, before, strict=True)
    ]
    up = [
        _features(width, side, say, _blocks(count, say))
        for width, side, count in zip(widths[:-1], sides[:-1], after, strict=True)
    ]
    canvas.stage(16, say("about_d_stage_1"))
    first = 28
    end = canvas.u_net(first, [into, *down], bottom, [luminance, *up])

    colours = config["colour"]["widths"]
    *sizes, bottom = [_features(width, SIDE // 4 // 2**level, say) for level, width in enumerate(colours)]
    second, gutter, column = end + 58, end + 16, LEFT + COLUMN // 2
    canvas.stage(second - 12, say("about_d_stage_2"))
    middle = first + HEIGHT // 2
    canvas.arrow((RIGHT + COLUMN, middle), (MARGIN, middle), (MARGIN, gutter), (column, gutter), (column, second))
    canvas.u_net(second, [luminance, *sizes], bottom, [out, *sizes])
    said = say("about_d_cnn").format(
        widths=_listed(widths), last=_side(sides[-1]), colours=_listed(colours), first=_side(SIDE // 4)
    )
    return canvas.svg("cnn", say, said)


_DRAWINGS: dict[str, Callable[[Mapping[str, Any], Say], str]] = {"vae": _vae, "gan": _gan, "cnn": _cnn}


def _ends(say: Say) -> tuple[Block, Block]:
    """What every network is given, and what it gives."""
    return (say("about_d_in"), f"{say('about_d_grey')} {_side(SIDE)}"), (say("about_d_out"), _side(SIDE))


def _features(width: int, side: int, say: Say, more: str = "") -> Block:
    return say("about_d_channels").format(width=width), f"{_side(side)} · {more}" if more else _side(side)


def _blocks(count: int, say: Say) -> str:
    return say("about_d_block" if count == 1 else "about_d_blocks").format(count=count)


def _listed(widths: Sequence[int]) -> str:
    return ", ".join(map(str, widths))
