"""What looks like damage and is none: drawn on photos for the network to leave it alone.

Each of `NEGATIVES` draws itself on a luminance ``[SIDE, SIDE]`` in [0, 1]; the last line says how often each comes.
"""

from __future__ import annotations

import string

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .damage import SIDE, directions, log_uniform, noise, strokes

FONTS = (0, 1, 2, 3, 4, 6, 7)  # OpenCV's by Hershey, without the small one


def drawn(y: np.ndarray, cover: np.ndarray, rng: np.random.Generator, least: float, most: float = 1) -> np.ndarray:
    """``y`` with ``cover`` ``[SIDE, SIDE]`` drawn on it, in a grey that shows, of random opacity."""
    grey = rng.uniform(0, 0.35) if y.mean() > rng.uniform(0.3, 0.7) else rng.uniform(0.65, 1)
    return np.asarray(y + rng.uniform(least, most) * cover * (grey - y))


def text(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Writing and dates, printed or by hand, also small in a corner."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    size = int(log_uniform(rng, 8, 60))
    letters = string.digits + " /.-" if rng.random() < 0.3 else string.ascii_letters + "  .,'"
    left, top = (int(each) for each in rng.uniform(-10, SIDE * 0.7, 2))
    for line in range(int(rng.integers(1, 5))):
        words = "".join(rng.choice(list(letters), int(rng.integers(4, 24))))
        foot = top + int(1.3 * size * (line + 1))
        if rng.random() < 0.5:
            image = Image.fromarray(canvas)
            ImageDraw.Draw(image).text((left, foot - size), words, 255, ImageFont.load_default(size))
            canvas = np.array(image)
        else:
            font, thickness = FONTS[rng.integers(len(FONTS))], 1 + int(rng.random() < 0.3) * size // 14
            cv2.putText(canvas, words, (left, foot), font, size / 30, 255, thickness, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.normal(0, 12), 1)
    cover = cv2.warpAffine(canvas, turn, (SIDE, SIDE)).astype(np.float32) / 255
    return drawn(y, cover, rng, 0.5)


def bars(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Window bars, fences, stripes: straight lines at even distances, one way or two, in perspective."""
    paths = []
    for way in range(int(rng.integers(1, 3))):
        angle = rng.normal(0, 0.15) + way * np.pi / 2
        space, width = log_uniform(rng, 5, 60), log_uniform(rng, 0.6, 8)
        width = min(width, space / 2)
        along, across = directions(angle), directions(angle + np.pi / 2)
        narrows = rng.uniform(0.5, 1)
        for place in np.arange(-1.2 * SIDE, 1.2 * SIDE, space):
            ends = SIDE / 2 + place * across - 400 * along, SIDE / 2 + narrows * place * across + 400 * along
            paths.append((np.stack(ends), np.array([width])))
    area = np.ones((SIDE, SIDE), np.float32)
    if rng.random() < 0.5:  # in a part of the photo only
        (left, top), (width, height) = (rng.uniform(0, 0.5, 2) * SIDE).astype(int), rng.integers(60, SIDE, 2)
        area[:] = 0
        area[top : top + height, left : left + width] = 1
    return drawn(y, strokes(paths, SIDE) * area, rng, 0.3)


def rain(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rain, grass, fur: many short strokes that run about one way."""
    angle, spread = rng.uniform(0, np.pi), rng.uniform(0, 0.25)
    length, width = rng.uniform(6, 40), rng.uniform(0.5, 1.6)
    starts = rng.uniform(-20, SIDE + 20, (int(rng.integers(60, 400)), 2))
    angles = angle + rng.normal(0, spread, len(starts))
    ways = directions(angles) * length * rng.uniform(0.4, 1.3, (len(starts), 1))
    paths = [(np.stack([start, start + way]), np.array([width])) for start, way in zip(starts, ways, strict=True)]
    cover = strokes(paths, SIDE)
    return drawn(y, cover, rng, 0.1, 0.7)


def curve(start: np.ndarray, end: np.ndarray, sag: float) -> np.ndarray:
    """Fourteen points ``[14, 2]`` of a parabola between two, which hangs by ``sag`` pixels."""
    way = np.linspace(0, 1, 14)[:, None]
    across = np.array([start[1] - end[1], end[0] - start[0]]) / max(1, np.hypot(*(end - start)))
    return np.asarray(start + way * (end - start) + 4 * sag * way * (1 - way) * across)


def wires(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Wires that hang side by side from one side of the photo to the other, each as wide as it is everywhere."""
    left, right = (np.array([at, rng.uniform(-0.2, 1.2) * SIDE]) for at in (-4.0, SIDE + 4.0))
    space, sag, width = rng.uniform(4, 40), rng.uniform(-30, 30), rng.uniform(0.5, 2.5)
    closer = rng.uniform(0.5, 1)
    paths = []
    for number in range(int(rng.integers(2, 7))):
        step = np.array([0, number * space])
        points = curve(left + step, right + closer * step, sag)
        paths.append((points, np.full(len(points) - 1, width)))
    cover = strokes(paths, SIDE)
    return drawn(y, cover if rng.random() < 0.6 else cover.T, rng, 0.4)


def whiskers(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whiskers, eyelashes and strands of hair: a fan of curves that begin together and thin out."""
    paths = []
    middle = rng.uniform(0.15, 0.85, 2) * SIDE
    heading, spread, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.7), rng.uniform(20, 130)
    width, sag = rng.uniform(0.6, 2), rng.normal(0, 0.15)
    for side in range(int(rng.integers(1, 3))):
        for _ in range(int(rng.integers(4, 14))):
            angle = rng.normal(heading, spread)
            angle = np.pi - angle if side else angle
            start = middle + rng.normal(0, 8, 2) + side * np.array([-30, 0])
            long = length * rng.uniform(0.5, 1.2)
            points = curve(start, start + long * directions(angle), sag * long * rng.uniform(0.3, 1.5))
            paths.append((points, width * np.linspace(1.1, 0.3, len(points) - 1)))
    return drawn(y, strokes(paths, SIDE), rng, 0.4)


def branches(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A bare tree or bush, mostly dark: it forks again and again, each time thinner."""
    paths: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(int(rng.integers(1, 4))):
        start = np.array([rng.uniform(0, SIDE), SIDE + 5.0])
        grow(paths, rng, start, -np.pi / 2 + rng.normal(0, 0.3), rng.uniform(3, 9), rng.uniform(30, 80))
    cover = np.rot90(strokes(paths, SIDE), rng.choice([0, 0, 0, 1, 3]))
    grey = rng.uniform(0, 0.3) if rng.random() < 0.75 else rng.uniform(0.7, 1)
    return np.asarray(y + rng.uniform(0.6, 1) * cover * (grey - y))


def grow(
    paths: list[tuple[np.ndarray, np.ndarray]],
    rng: np.random.Generator,
    start: np.ndarray,
    heading: float,
    width: float,
    length: float,
) -> None:
    """Add a branch, and those that grow out of it, to ``paths``."""
    bends = heading + np.cumsum(rng.normal(0, 0.12, 5))
    points = np.concatenate([start[None], start + np.cumsum(directions(bends) * length / 5, 0)])
    paths.append((points, np.linspace(width, 0.75 * width, 5)))
    if width > 0.7 and len(paths) < 160:
        for turn in rng.normal(0, 0.5, int(rng.integers(2, 4))):
            fork = points[rng.integers(2, 6)]
            thinner, shorter = width * rng.uniform(0.5, 0.8), length * rng.uniform(0.6, 0.95)
            grow(paths, rng, fork, bends[-1] + turn, thinner, shorter)


def border(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The margin of a print, or the edge of a film with its holes: straight, and of one grey."""
    y = y.copy()
    grey, width = (rng.uniform(0.75, 1) if rng.random() < 0.65 else rng.uniform(0, 0.15)), int(rng.integers(2, 30))
    holes = rng.random() < 0.2
    for turn in np.flatnonzero(rng.random(4) < 0.5).tolist():
        side = np.rot90(y, turn)  # a view
        side[:width] = grey + 0.02 * (noise(rng, 60, SIDE)[:width] - 0.5)
        if holes and width > 10:
            space = int(rng.integers(12, 30))
            for left in range(int(rng.integers(space)), SIDE - space // 2, space):
                side[width // 4 : -(-3 * width // 4), left : left + space // 2] = 1 - grey
        elif rng.random() < 0.4:
            line = width + int(rng.integers(1, 10))
            side[line : line + int(rng.integers(1, 3))] = 1 - grey if rng.random() < 0.5 else grey
    return y


def rings(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Plates, wheels, glasses: whole outlines, with or without spokes."""
    canvas = np.zeros((2 * SIDE, 2 * SIDE), np.uint8)
    middle = tuple(int(each) for each in rng.uniform(0, 2 * SIDE, 2))
    size, turn, thickness = rng.uniform(20, 300), rng.uniform(0, 180), int(rng.integers(1, 10))
    axes = int(size), int(size * rng.uniform(0.3, 1))
    for part in rng.uniform(0.4, 1, int(rng.integers(1, 4))):
        each = int(axes[0] * part), int(axes[1] * part)
        cv2.ellipse(canvas, middle, each, turn, 0, 360, 255, thickness, cv2.LINE_AA)
    if rng.random() < 0.4:
        for spoke in np.linspace(0, 2 * np.pi, int(rng.integers(8, 40)), endpoint=False):
            end = middle[0] + int(axes[0] * np.cos(spoke)), middle[1] + int(axes[1] * np.sin(spoke))
            cv2.line(canvas, middle, end, 255, max(1, thickness // 2), cv2.LINE_AA)
    cover = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return drawn(y, cover, rng, 0.3)


def scales(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Petals, feathers, roof tiles, shells: rows of arcs, straight or around a middle, each before the next."""
    paths = []
    size, width = log_uniform(rng, 10, 50), rng.uniform(0.6, 3)
    bent = np.linspace(-1, 1, 13)
    arc = np.stack([bent, rng.uniform(0.5, 1.2) * (1 - bent**2) ** rng.uniform(0.5, 1)], 1) * size / 2
    round_about = rng.random() < 0.6
    middle, first, turn = rng.uniform(0.2, 0.8, 2) * SIDE, rng.uniform(0, 30), rng.uniform(0, 2 * np.pi)
    for row in range(int(rng.integers(3, 9))):
        out = first + row * size * rng.uniform(0.4, 0.6)
        count = max(5, int(2 * np.pi * out / size)) if round_about else int(1.6 * SIDE / size)
        for number in range(count):
            if round_about:
                away = directions(turn + 2 * np.pi * (number + 0.5 * (row % 2)) / count)
                along = np.array([-away[1], away[0]])
                start = middle + out * away
            else:
                along, away = directions(turn), directions(turn + np.pi / 2)
                start = middle + (number + 0.5 * (row % 2) - count / 2) * size * along + (out - SIDE / 2) * away
            points = start + arc[:, :1] * along + arc[:, 1:] * away + rng.normal(0, 0.03 * size, 2)
            paths.append((points, width * rng.uniform(0.4, 1.2, len(points) - 1)))
    return drawn(y, strokes(paths, SIDE), rng, 0.3)


def halftone(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The dots of a printed picture."""
    down, across = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    angle, space = rng.uniform(0, np.pi / 2), rng.uniform(2.5, 8)
    u, v = np.cos(angle) * across + np.sin(angle) * down, np.cos(angle) * down - np.sin(angle) * across
    screen = (np.cos(2 * np.pi * u / space) + np.cos(2 * np.pi * v / space)) / 4 + 0.5
    dots = ((y - screen) * space / 1.5 + 0.5).clip(0, 1)
    return np.asarray(y + rng.uniform(0.15, 0.9) * (dots - y))


def dots(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The dots of a dress, lamps, rivets: round, smooth, and alike, at even distances."""
    radius = log_uniform(rng, 0.8, 9)
    space, turn = radius * rng.uniform(3, 6) + 3, rng.uniform(0, np.pi)
    grid = np.stack(np.meshgrid(*[np.arange(-SIDE, SIDE, space)] * 2), -1).reshape(-1, 2)
    places = grid @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + SIDE / 2
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for place in places[((places > -20) & (places < SIDE + 20)).all(1)]:
        cv2.circle(canvas, np.rint(place * 16).astype(int).tolist(), round(radius * 16), 255, -1, cv2.LINE_AA, 4)
    cover = cv2.GaussianBlur(canvas, (0, 0), 0.3 + 0.4 * radius * rng.random()).astype(np.float32) / 255
    return drawn(y, cover, rng, 0.4)


NEGATIVES = (text, text, bars, rain, wires, whiskers, whiskers, branches, border, rings, scales, scales, halftone, dots)
