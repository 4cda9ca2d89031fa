"""Trees and buildings, and the table of all figures with the space each one takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from segtutor.datasets.scenes import living, made
from segtutor.datasets.scenes.layout import Placed
from segtutor.datasets.scenes.pen import Color, Pen, shade

GREENS: tuple[Color, ...] = ((62, 98, 46), (84, 116, 50), (46, 84, 50), (110, 128, 58), (150, 120, 52))
WALLS: tuple[Color, ...] = (
    (196, 150, 116), (214, 196, 162), (170, 96, 78), (150, 146, 142), (226, 214, 196), (188, 170, 190), (140, 160, 170),
)  # fmt: skip


def tree(pen: Pen, random: Random, placed: Placed) -> None:
    """A round tree, a slim one, or a fir."""
    leaves = random.choice(GREENS)
    bark = random.choice(((84, 64, 48), (104, 88, 72), (66, 54, 46)))
    if placed.variant == "fir":
        height, width = random.uniform(4.5, 6.5), random.uniform(1.0, 1.5)
        pen.rectangle(-0.14, 0, 0.14, 0.8, bark)
        for k in range(5):
            low, high = 0.5 + k * height * 0.16, 0.5 + k * height * 0.16 + height * 0.36
            w = width * (1 - 0.17 * k)
            pen.polygon([(-w, low), (0, low + 0.15), (w, low), (0, min(high, height))], shade(leaves, 0.72 + 0.07 * k))
        return
    slim = placed.variant == "tall"
    trunk, radius = random.uniform(1.4, 2.4), random.uniform(1.2, 1.9)
    rx, ry = (radius * 0.6, radius * 1.5) if slim else (radius * 1.1, radius)
    pen.polygon([(-0.22, 0), (0.22, 0), (0.12, trunk + 0.6), (-0.12, trunk + 0.6)], bark)
    pen.stroke([(0, trunk * 0.8), (0.45 * rx, trunk + 0.5 * ry)], 0.12, bark)
    middle = trunk + ry * 0.85
    for k in range(15):
        angle, reach = 2.4 * k, 0.75 * math.sqrt((15 - k) / 15)
        x, y = reach * rx * math.cos(angle), middle + reach * ry * math.sin(angle)
        size = random.uniform(0.34, 0.5)
        pen.ellipse(x, y, size * rx, size * min(rx, ry), shade(leaves, 0.82 + 0.24 * (y - middle) / ry + 0.012 * k))


def building(pen: Pen, random: Random, placed: Placed) -> None:
    """A house with rows of windows, a roof, a door or shop windows; ``reach`` is its width and height."""
    width, height = placed.reach
    half = width / 2
    wall = random.choice(WALLS)
    glass = random.choice(((66, 82, 98), (110, 136, 156), (54, 58, 66)))
    frame = random.choice(((238, 234, 226), shade(wall, 0.7), (90, 70, 60)))
    roof = random.choice(((132, 70, 56), (92, 88, 90), (150, 104, 80)))
    body = height
    if random.random() < 0.55:
        body = height - random.uniform(1.0, 2.0)
        if random.random() < 0.5:
            pen.polygon([(-half - 0.25, body), (half + 0.25, body), (0, height + 0.8)], roof)
        else:
            pen.polygon([(-half - 0.2, body), (half + 0.2, body), (half - 0.9, height), (-half + 0.9, height)], roof)
        x = random.uniform(-0.5, 0.5) * half
        pen.rectangle(x, body + 0.2, x + 0.6, height + 0.5, shade(roof, 0.8))
    pen.rectangle(-half, -0.4, half, body, wall)
    pen.rectangle(-half, body - 0.22, half, body, shade(wall, 1.15))
    pen.rectangle(-half, -0.4, half, 0.5, shade(wall, 0.78))
    if pen.detail < 2:
        return
    columns, storey = max(2, round(width / 2.1)), 2.7
    pitch = width / columns
    lit = (248, 222, 150)
    y = 3.2
    while y + 1.7 < body:
        for k in range(columns):
            x = -half + (k + 0.5) * pitch
            if pen.detail > 4:
                pen.rectangle(x - 0.52, y - 0.08, x + 0.52, y + 1.5, frame)
            pane = lit if random.random() < 0.08 else shade(glass, 0.85 + 0.3 * random.random())
            pen.rectangle(x - 0.42, y, x + 0.42, y + 1.4, pane)
        y += storey
    door = random.randrange(columns)
    for k in range(columns):
        x = -half + (k + 0.5) * pitch
        if k == door:
            pen.rectangle(x - 0.5, -0.4, x + 0.5, 2.1, made.any_color(random))
        else:
            pen.rectangle(x - 0.72, 0.7, x + 0.72, 2.2, frame)
            pen.rectangle(x - 0.64, 0.78, x + 0.64, 2.12, glass)


class Figure(NamedTuple):
    """How to draw something, the space it takes in meters, and how strong its texture is."""

    draw: Callable[[Pen, Random, Placed], None]
    left: float
    bottom: float
    right: float
    top: float
    grain: float = 0.05
    ragged: float = 0.0


FIGURES: dict[str, Figure] = {
    "person": Figure(living.person, -0.5, -0.02, 0.5, 1.85),
    "dog": Figure(living.dog, -0.62, -0.02, 0.7, 1.02, 0.09),
    "cat": Figure(living.cat, -0.55, -0.02, 0.52, 0.8, 0.09),
    "horse": Figure(living.horse, -1.02, -0.02, 1.36, 2.06, 0.06),
    "sheep": Figure(living.sheep, -0.58, -0.02, 0.68, 0.96, 0.16),
    "bird": Figure(living.bird, -0.5, -0.36, 0.5, 0.6),
    "car": Figure(made.car, -2.2, -0.02, 2.2, 2.0, 0.02),
    "bus": Figure(made.bus, -5.1, -0.02, 5.15, 3.1, 0.02),
    "bicycle": Figure(made.bicycle, -0.92, -0.02, 0.92, 1.06, 0.0),
    "boat": Figure(made.boat, -2.6, -0.2, 2.9, 7.6, 0.03),
    "mast": Figure(made.mast, -2.3, 0.7, 0.5, 7.8, 0.0),
    "aeroplane": Figure(made.aeroplane, -5.8, -1.6, 5.1, 2.1, 0.02),
    "bollard": Figure(made.bollard, -0.24, -0.04, 0.24, 0.78, 0.06),
    "leash": Figure(made.leash, -0.1, 0.3, 1.6, 1.0, 0.0),
    "post": Figure(made.post, -0.45, -0.1, 1.15, 4.9, 0.02),
    "bin": Figure(made.bin_, -0.4, -0.02, 0.4, 1.02),
    "bench": Figure(made.bench, -0.9, -0.05, 0.9, 1.0, 0.06),
    "crate": Figure(made.crate, -0.55, -0.02, 0.55, 0.85, 0.08),
    "parasol": Figure(made.parasol, -1.45, -0.05, 1.45, 2.55),
    "tree": Figure(tree, -2.6, -0.05, 2.6, 7.0, 0.20, 0.4),
    "building": Figure(building, -7.0, -0.5, 7.0, 12.0, 0.06),
}
