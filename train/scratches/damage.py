"""What lies on a print and hides it: cracks, folds, tears, dust, hairs and stains, drawn with the truth of where.

A kind of damage is a function that draws one `Layer`. The kernels of `restoration.degradations.ageing` are among them,
at the sizes that they have in a piece of a larger photo; the textures of film-artefacts.tar, which are of real damage,
too.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from restoration.degradations import ageing

from ..photos import tar_photos

SIDE = 256
"""Of the pieces that are learned from."""


@dataclass(frozen=True)
class Layer:
    """``cover`` ``[H, W]`` in [0, 1] is how much of the photo it hides, ``light`` what it shines with itself."""

    cover: np.ndarray
    light: np.ndarray

    def over(self, pixels: np.ndarray) -> np.ndarray:
        """A photo ``[H, W, 1 or 3]`` with this on it."""
        return np.asarray(pixels * (1 - self.cover[..., None]) + self.light[..., None])


Kind = Callable[[np.random.Generator, int], Layer]
"""Draws a layer that is so many pixels wide and high. Widths are in pixels, whatever the side."""


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform, so that each doubling is as likely as the next."""
    return np.exp(rng.uniform(np.log(low), np.log(high)))


def directions(angles: np.ndarray | float) -> np.ndarray:
    """Unit vectors ``[..., 2]``, across and down."""
    return np.stack([np.cos(angles), np.sin(angles)], -1)


def noise(rng: np.random.Generator, cells: float, side: int) -> np.ndarray:
    """Smooth noise ``[side, side]`` in about [0, 1], as fine as ``cells`` over `SIDE` pixels."""
    count = round(cells * side / SIDE) + 3
    grid = rng.random((count, count), np.float32)
    return np.asarray(cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC))


def random_grey(rng: np.random.Generator, dark: float = 0.3) -> float:
    """A dark grey with the probability ``dark``, else a light one, in [0, 1]."""
    return float(rng.uniform(0, 0.3) if rng.random() < dark else rng.uniform(0.7, 1))


def grey_layer(rng: np.random.Generator, cover: np.ndarray, dark: float = 0.3) -> Layer:
    """A layer of one grey that varies a little, and of random opacity; ``dark`` is how likely a dark grey is."""
    grey = np.clip(random_grey(rng, dark) + 0.15 * (noise(rng, rng.uniform(2, 40), len(cover)) - 0.5), 0, 1)
    cover = cover * rng.uniform(0.5, 1)
    return Layer(cover, cover * grey)


# --- The kernels of the preset antique --------------------------------------------------------------------------------


def _by_kernel(kernel: Callable[[np.ndarray], np.ndarray], side: int) -> Layer:
    """What a kernel of `ageing` does to a photo of two channels, a black and a white one, says what it does to any."""
    black, white = kernel(np.stack([np.zeros((side, side), np.float32), np.ones((side, side), np.float32)])[None])[0]
    return Layer(1 - (white - black), black)


def scratches(rng: np.random.Generator, side: int) -> Layer:
    """As on a photo of `SIDE` pixels, or on a part of one that is up to three times larger: longer, wider and fewer."""
    larger = log_uniform(rng, 0.8, 3) * SIDE / side
    fields = rng.random(ageing.FIELDS["scratches"], np.float32)
    fields[2] = larger * (0.15 + fields[2]) - 0.15
    fields[7] = np.cbrt((larger * (0.4 + 0.85 * fields[7] ** 3) - 0.4) / 0.85)
    count = rng.integers(1, max(2, round(12 / larger)) + 1, 1)
    return _by_kernel(lambda images: ageing.scratches(images, count, fields[None]), side)


def dust(rng: np.random.Generator, side: int) -> Layer:
    """As on a part of a larger photo, as `scratches`."""
    larger = log_uniform(rng, 0.8, 3) * SIDE / side
    specks, hairs = (rng.random(ageing.FIELDS[name], np.float32) for name in ("specks", "hairs"))
    specks[6] = ((larger * (0.3 + 1.1 * specks[6] ** 6) - 0.3) / 1.1).clip(0) ** (1 / 6)
    hairs[6] = (larger * (4 + 14 * hairs[6]) - 4) / 14
    amount = np.minimum(rng.uniform(0.05, 1, 1) / larger, 1)
    return _by_kernel(lambda images: ageing.dust(images, amount, specks[None], hairs[None]), side)


# --- Drawn ------------------------------------------------------------------------------------------------------------


def strokes(paths: Sequence[tuple[np.ndarray, np.ndarray]], side: int) -> np.ndarray:
    """Lines of varying width, smooth at their edges: ``[side, side]`` in [0, 1].

    Each is its points ``[N, 2]``, across and down, and the width ``[N - 1]`` of each part; drawn at twice the size.
    """
    canvas = np.zeros((2 * side, 2 * side), np.uint8)
    for points, widths in paths:
        ends = np.rint(points * 32).astype(int)
        for start, end, width in zip(ends[:-1].tolist(), ends[1:].tolist(), widths.tolist(), strict=True):
            cv2.line(canvas, start, end, 255, max(1, round(2 * width)), cv2.LINE_AA, 4)
    small = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small.astype(np.float32) / 255)


def random_walk(
    rng: np.random.Generator, start: np.ndarray, heading: float, count: int, step: float, crooked: float, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """A crooked path from ``start``, for `strokes`."""
    headings = heading + np.cumsum(rng.normal(0, 0.3 * crooked, count)) + rng.normal(0, crooked, count)
    moves = directions(headings) * step * rng.uniform(0.4, 1.6, (count, 1))
    widths = width * np.clip(1 + np.cumsum(rng.normal(0, 0.12, count)), 0.3, 1.8)
    return np.concatenate([start[None], start + np.cumsum(moves, 0)]), widths


def cracks(rng: np.random.Generator, side: int) -> Layer:
    """Crooked lines that branch, break off and fade, some with a rim of the other tone."""
    paths = []
    for _ in range(int(rng.integers(1, 6))):
        width, crooked, step = log_uniform(rng, 0.6, 7), rng.uniform(0.05, 0.7), rng.uniform(3, 18)
        heading = rng.uniform(0, 2 * np.pi)
        path = random_walk(rng, rng.uniform(0, side, 2), heading, int(rng.integers(6, 60)), step, crooked, width)
        paths.append(path)
        for _ in range(int(rng.integers(0, 5))):
            fork = path[0][rng.integers(len(path[0]))]
            turned, thinner = heading + rng.normal(0, 0.9), width * rng.uniform(0.3, 0.9)
            paths.append(random_walk(rng, fork, turned, int(rng.integers(3, 25)), step, crooked, thinner))
    drawn = strokes(paths, side)
    if rng.random() < 0.6:  # here and there it is gone
        drawn = drawn * ((noise(rng, rng.uniform(4, 40), side) - rng.uniform(0.1, 0.45)) * 6).clip(0, 1)
    core = grey_layer(rng, drawn)
    if rng.random() < 0.3:
        rim = cv2.GaussianBlur(drawn, (0, 0), rng.uniform(1, 3)) * rng.uniform(0.2, 0.6)
        other = 1 - core.light.max()
        return Layer(1 - (1 - core.cover) * (1 - rim), core.light + (1 - core.cover) * rim * other)
    return core


def net(rng: np.random.Generator, side: int) -> Layer:
    """Fine cracks of an emulsion that has dried: where smooth noises have one height."""
    cells, shape = rng.uniform(3, 14), noise(rng, 3, side)
    drawn = np.zeros((side, side), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        height = noise(rng, cells, side) - 0.5 + 0.03 * (noise(rng, 60, side) - 0.5)
        down, across = np.gradient(height)
        away = abs(height) / np.hypot(down, across).clip(1e-4)
        drawn = np.maximum(drawn, (rng.uniform(0.4, 1.6) + 0.5 - away).clip(0, 1))
    return grey_layer(rng, drawn * ((shape - rng.uniform(0.2, 0.6)) * 8).clip(0, 1), dark=0.4)


def fold(rng: np.random.Generator, side: int) -> Layer:
    """A long, almost straight line where the print was folded: light where its surface broke, flaking, and a soft dark
    or light side."""
    angle = rng.uniform(0, np.pi) if rng.random() < 0.4 else np.pi / 2 * rng.integers(2) + rng.normal(0, 0.06)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    along, away = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    across, down = rng.uniform(0.05, 0.95, 2) * side
    away = (
        away
        - (np.cos(angle) * down - np.sin(angle) * across)
        + 3 * (noise(rng, 3, side) - 0.5)
        + rng.uniform(0, 2) * (noise(rng, 30, side) - 0.5)
    )
    width = log_uniform(rng, 0.6, 4)
    worn = noise(rng, rng.uniform(8, 50), side)
    core = (0.5 + width * (0.4 + 1.2 * worn) - abs(away)).clip(0, 1)
    if rng.random() < 0.6:
        core = core * ((noise(rng, rng.uniform(5, 60), side) - rng.uniform(0, 0.4)) * 5).clip(0, 1)
    flakes = (noise(rng, 50, side) > rng.uniform(0.75, 1)) * (abs(away) < width * rng.uniform(2, 6))
    core = np.maximum(core, cv2.GaussianBlur(flakes.astype(np.float32), (0, 0), 0.6))
    shade = np.exp(-0.5 * ((away - rng.uniform(-1.5, 1.5) * width) / (1.2 * width + 1)) ** 2) * rng.uniform(0, 0.35)
    ends = ((along - along.min() - rng.uniform(-120, 120)) / 10).clip(0, 1)
    bright = grey_layer(rng, core * ends, dark=0.15)
    shade = shade * ends * (1 - bright.cover)
    return Layer(bright.cover + shade, bright.light + shade * random_grey(rng, 0.7))


def tear(rng: np.random.Generator, side: int) -> Layer:
    """A piece that is missing at the border or the corner, down to white or dark paper, with a ragged rim."""
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    ragged = 14 * (noise(rng, 8, side) - 0.5) + 6 * (noise(rng, 30, side) - 0.5) + 3 * (noise(rng, 90, side) - 0.5)
    inside: np.ndarray
    match rng.integers(3):
        case 0:  # a corner
            inside = rng.uniform(15, 90) - (x * rng.uniform(0.4, 1) + y * rng.uniform(0.4, 1))
        case 1:  # a notch
            inside = rng.uniform(0.15, 0.9) * (rng.uniform(15, 80) - abs(x - rng.uniform(0, side))) * 2 - y
        case _:  # along the border
            inside = rng.uniform(2, 14) + rng.uniform(0, 40) * (noise(rng, 4, side)[:1] - 0.4) - y
    inside = np.rot90(inside + ragged * rng.uniform(0.3, 1), int(rng.integers(4)))
    gone = (inside + 0.5).clip(0, 1)
    paper = random_grey(rng, 0.35) + 0.1 * (noise(rng, 100, side) - 0.5)
    rim = ((inside + rng.uniform(0.5, 4)).clip(0, 1) - gone) * rng.uniform(0.4, 1)
    return Layer(gone + rim, (gone * paper + rim * random_grey(rng, 0.15)).clip(0, 1))


def blots(rng: np.random.Generator, side: int) -> Layer:
    """Spots of ink and mould, and places where the emulsion is off: irregular, of many sizes."""
    y, x = np.mgrid[:side, :side].astype(np.float32)
    height = np.full((side, side), -9.0)
    for _ in range(int(rng.integers(1, 9))):
        radius = log_uniform(rng, 1.5, 14)
        (across, down), stretch = rng.uniform(0, side, 2), rng.uniform(0.6, 1.6)
        height = np.maximum(height, radius - np.hypot((x - across) * stretch, (y - down) / stretch))
    cells = rng.uniform(10, 70)
    return grey_layer(rng, (height + 0.4 * SIDE / cells * 2 * (noise(rng, cells, side) - 0.5)).clip(0, 1), dark=0.5)


# --- Real damage ------------------------------------------------------------------------------------------------------


UNTRAINED = ("lint",)
"""Kinds of real artefacts that are left out of training altogether, to evaluate on."""
OMITTED = ("dots", "stain")
"""Kinds as large as a head: no filling brings back what they hide, and what learns to mark them marks coats, too."""


def artefacts(path: Path, *, held_out: bool) -> Mapping[str, Sequence[np.ndarray]]:
    """The masks of film-artefacts.tar by kind, uint8 ``[224, 224]``, without the `OMITTED` ones: of each kind the last
    fifth by name is held out, and all of the kinds that are `UNTRAINED`.
    """
    found: dict[str, list[np.ndarray]] = {}
    for file in tar_photos(path):
        if file.name.startswith(OMITTED):
            continue
        with Image.open(io.BytesIO(file.read())) as image:
            found.setdefault(file.name.split("-")[0], []).append(np.asarray(image.convert("L")))
    parts = {kind: 0 if kind in UNTRAINED else len(masks) * 4 // 5 for kind, masks in found.items()}
    split = {kind: masks[parts[kind] :] if held_out else masks[: parts[kind]] for kind, masks in found.items()}
    return {kind: masks for kind, masks in split.items() if masks}


def film(rng: np.random.Generator, side: int, masks: Sequence[np.ndarray]) -> Layer:
    """Real artefacts, turned and scaled: one to four on as much as `SIDE` pixels square."""
    cover = np.zeros((side, side), np.float32)
    for _ in range(round(rng.integers(1, 5) * (side / SIDE) ** 2)):
        mask = masks[int(rng.integers(len(masks)))]
        turn = cv2.getRotationMatrix2D((112, 112), rng.uniform(0, 360), log_uniform(rng, 0.5, 2))
        turn = turn + np.array([[0, 0, 1], [0, 0, 1]]) * rng.uniform(-112, side - 112, (2, 1))
        turned = cv2.warpAffine(mask, turn, (side, side), flags=cv2.INTER_LINEAR)
        cover = np.maximum(cover, turned.astype(np.float32) / 255)
    return grey_layer(rng, cover, dark=0.4)


# --- Together ---------------------------------------------------------------------------------------------------------


KINDS = {scratches: 0.33, dust: 0.24, cracks: 0.13, net: 0.03, fold: 0.08, tear: 0.05, blots: 0.04}
"""The shares of the drawn kinds, mostly the cracks and the dust of the preset antique; real damage has the rest."""


class Damage:
    """Draws what a piece has."""

    def __init__(self, film_masks: Mapping[str, Sequence[np.ndarray]]) -> None:
        self.kinds: list[Kind] = [*KINDS, *(partial(film, masks=masks) for masks in film_masks.values())]
        real = (1 - sum(KINDS.values())) / len(film_masks)
        shares = np.array([*KINDS.values(), *[real] * len(film_masks)])
        self.shares = shares / shares.sum()

    def draw(self, rng: np.random.Generator, side: int = SIDE) -> list[Layer]:
        """One to three layers."""
        count = int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))
        return [self.kinds[kind](rng, side) for kind in rng.choice(len(self.kinds), count, p=self.shares)]
