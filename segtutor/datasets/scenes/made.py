"""Vehicles and other made things. All look to the right, stand on (0, 0) and are drawn in meters."""

from __future__ import annotations

import math
from random import Random

from segtutor.datasets.scenes.layout import Placed
from segtutor.datasets.scenes.living import any_color
from segtutor.datasets.scenes.pen import Color, Pen, shade

GLASS: tuple[Color, ...] = ((70, 88, 104), (120, 150, 170), (46, 56, 66))
TIRE: Color = (34, 34, 36)


def wheel(pen: Pen, x: float, radius: float) -> None:
    """A car's wheel."""
    pen.ellipse(x, radius, radius, radius, TIRE)
    pen.ellipse(x, radius, 0.58 * radius, 0.58 * radius, (168, 170, 174))
    pen.ellipse(x, radius, 0.2 * radius, 0.2 * radius, (90, 92, 96))


def car(pen: Pen, random: Random, placed: Placed) -> None:
    """A saloon, hatchback or van."""
    paint, glass = any_color(random), random.choice(GLASS)
    roof, rear = random.choice(((1.42, -1.25), (1.46, -1.75), (1.9, -1.95), (1.62, -1.8)))
    hood = random.uniform(0.85, 1.0)
    van = roof > 1.8
    front = 1.25 if van else 0.75
    pen.rectangle(-1.95, 0.2, 1.95, 0.5, (30, 30, 32))
    pen.polygon([(-2.05, 0.32), (2.08, 0.32), (2.1, 0.7), (1.9, hood - 0.06), (front + 0.35, hood + 0.02),
                 (-2.0, hood + 0.06), (-2.1, 0.75)], paint)  # fmt: skip
    pen.polygon([(rear - 0.12, hood), (rear + 0.22, roof - 0.08), (rear + 0.5, roof), (front - 0.45, roof),
                 (front - 0.15, roof - 0.08), (front + 0.5, hood)], shade(paint, 1.06))  # fmt: skip
    middle = (rear + front) / 2 - 0.1
    pen.polygon([(rear + 0.12, hood + 0.03), (rear + 0.38, roof - 0.13), (middle - 0.05, roof - 0.12),
                 (middle - 0.05, hood + 0.03)], glass)  # fmt: skip
    pen.polygon([(middle + 0.05, hood + 0.03), (middle + 0.05, roof - 0.12), (front - 0.32, roof - 0.13),
                 (front + 0.28, hood + 0.03)], glass)  # fmt: skip
    pen.stroke([(middle, hood), (middle, 0.42)], 0.03, shade(paint, 0.7))
    pen.rectangle(-2.06, 0.36, 2.06, 0.46, shade(paint, 0.66))
    pen.ellipse(1.98, 0.68, 0.1, 0.09, (250, 246, 214))
    pen.ellipse(-2.02, 0.72, 0.07, 0.1, (190, 30, 30))
    for x in (-1.25, 1.3):
        pen.ellipse(x, 0.36, 0.42, 0.42, (24, 24, 26))
        wheel(pen, x, 0.34)


def bus(pen: Pen, random: Random, placed: Placed) -> None:
    """A bus: a long box with a row of windows and doors."""
    paint, glass, trim = any_color(random), random.choice(GLASS), any_color(random)
    half = random.uniform(4.2, 5.0)
    pen.rectangle(-half + 0.1, 0.3, half - 0.1, 0.6, (30, 30, 32))
    pen.polygon([(-half, 0.45), (half, 0.45), (half + 0.05, 1.6), (half - 0.1, 2.85), (half - 0.35, 3.0),
                 (-half + 0.3, 3.0), (-half, 2.85)], paint)  # fmt: skip
    pen.rectangle(-half, 1.05, half, 1.22, trim)
    count = random.randrange(5, 8)
    width = (2 * half - 1.9) / count
    for k in range(count):
        left = -half + 0.25 + k * width
        pen.rectangle(left, 1.5, left + width - 0.12, 2.6, glass)
    pen.polygon([(half - 1.5, 1.35), (half - 0.05, 1.35), (half - 0.12, 2.65), (half - 1.5, 2.65)], shade(glass, 1.15))
    pen.rectangle(half - 2.9, 0.5, half - 1.85, 2.6, shade(glass, 0.8))
    pen.stroke([(half - 2.37, 0.5), (half - 2.37, 2.6)], 0.06, shade(paint, 0.7))
    pen.ellipse(half - 0.05, 0.75, 0.12, 0.14, (250, 246, 214))
    for x in (-half + 1.8, half - 3.6 + 0.2):
        pen.ellipse(x, 0.5, 0.58, 0.56, (24, 24, 26))
        wheel(pen, x, 0.46)


def bicycle(pen: Pen, random: Random, placed: Placed) -> None:
    """A bicycle: two rings, spokes, a frame of tubes."""
    paint = any_color(random)
    rear, front, pedal, seat, bar = (-0.52, 0.34), (0.52, 0.34), (-0.06, 0.32), (-0.22, 0.86), (0.36, 0.92)
    for x, y in (rear, front):
        pen.ring(x, y, 0.32, 0.05, TIRE)
        for k in range(4):
            a = k * math.pi / 4 + 0.3
            dx, dy = 0.3 * math.cos(a), 0.3 * math.sin(a)
            if pen.detail > 60:
                pen.stroke([(x - dx, y - dy), (x + dx, y + dy)], 0.008, (150, 150, 154))
    for start, end in (
        (rear, pedal),
        (rear, (-0.19, 0.72)),
        (pedal, seat),
        (pedal, (0.38, 0.74)),
        ((-0.19, 0.74), (0.38, 0.78)),
    ):
        pen.stroke([start, end], 0.05, paint)
    pen.stroke([front, (0.40, 0.76), bar], 0.05, paint)
    pen.stroke([bar, (0.30, 1.0), (0.44, 1.0)], 0.045, (40, 40, 42))
    pen.stroke([(-0.34, 0.89), (-0.10, 0.88)], 0.075, (40, 34, 30))
    pen.ellipse(*pedal, 0.075, 0.075, (60, 60, 62))
    if random.random() < 0.3:
        pen.polygon([(0.42, 0.70), (0.72, 0.70), (0.76, 0.95), (0.40, 0.95)], (146, 104, 62))


def boat(pen: Pen, random: Random, placed: Placed) -> None:
    """A boat's hull, with sails, a cabin or a bench; the mast is a figure of its own."""
    paint, stripe = any_color(random), any_color(random)
    if placed.variant == "sail":
        height = random.uniform(6.0, 7.4)
        furled = random.random() < 0.3
        cloth = random.choice(((240, 238, 230), (246, 240, 220), any_color(random)))
        if furled:
            pen.stroke([(0.15, 1.45), (-1.9, 1.4)], 0.28, cloth)
        else:
            pen.polygon([(0.22, 1.4), (0.22, height - 0.5), (-0.6, 4.0), (-2.0, 1.55)], cloth)
            pen.polygon([(0.45, 1.3), (0.40, height - 1.2), (1.2, 3.0), (2.3, 1.1)], shade(cloth, 0.86))
    elif placed.variant == "motor":
        pen.polygon([(-1.5, 0.9), (-1.5, 1.95), (0.4, 1.95), (0.95, 0.9)], (232, 232, 228))
        pen.polygon([(-1.2, 1.25), (-1.2, 1.75), (-0.5, 1.75), (-0.5, 1.25)], (60, 76, 90))
        pen.polygon([(-0.35, 1.25), (-0.35, 1.75), (0.35, 1.75), (0.62, 1.25)], (60, 76, 90))
    else:
        pen.polygon([(-0.3, 0.8), (-0.3, 1.05), (0.4, 1.05), (0.4, 0.8)], (150, 110, 70))
    hull = [(-2.4, 0.95), (-0.5, 0.86), (1.4, 0.95), (2.75, 1.3), (2.2, 0.35), (1.7, -0.1), (-2.1, -0.1)]
    pen.polygon(hull, paint)
    pen.polygon([(-2.42, 1.02), (-0.5, 0.93), (1.4, 1.02), (2.8, 1.38), (2.7, 1.2), (1.4, 0.84), (-0.5, 0.75),
                 (-2.38, 0.84)], shade(paint, 1.25))  # fmt: skip
    pen.polygon([(-2.2, 0.12), (2.02, 0.12), (1.7, -0.1), (-2.1, -0.1)], stripe)


def mast(pen: Pen, random: Random, placed: Placed) -> None:
    """The mast of a sailing boat with its boom."""
    wood = random.choice(((226, 224, 220), (150, 110, 72), (70, 66, 64)))
    pen.stroke([(0.22, 0.9), (0.22, 7.6)], 0.17, wood)
    pen.stroke([(0.22, 1.42), (-2.1, 1.42)], 0.12, wood)


def aeroplane(pen: Pen, random: Random, placed: Placed) -> None:
    """An airliner seen from the side; one unit is a tenth of its length... in meters, 10 long."""
    paint = random.choice(((238, 240, 242), (226, 228, 232), any_color(random)))
    livery = any_color(random)
    pen.polygon([(-4.9, 0.35), (-5.3, 2.0), (-4.5, 2.0), (-3.0, 0.55)], livery)
    pen.polygon([(0.9, 0.1), (-1.3, 1.3), (-1.8, 1.3), (-0.9, 0.1)], shade(paint, 0.72))
    pen.polygon([(-5.0, 0.5), (-3.6, 0.62), (4.0, 0.62), (4.7, 0.35), (5.0, 0.02), (4.5, -0.4), (3.6, -0.55),
                 (-2.6, -0.52)], paint)  # fmt: skip
    pen.polygon([(-5.0, 0.5), (-3.6, 0.05), (4.9, -0.1), (4.5, -0.4), (3.6, -0.55), (-2.6, -0.52)], shade(paint, 0.84))
    pen.polygon([(3.95, 0.56), (4.6, 0.32), (4.35, 0.22), (3.8, 0.26)], (50, 60, 72))
    for k in range(16):
        pen.rectangle(-3.1 + 0.42 * k, 0.14, -2.92 + 0.42 * k, 0.34, (70, 84, 98))
    pen.ellipse(0.55, -0.72, 0.62, 0.26, shade(livery, 0.9))
    pen.polygon([(1.5, -0.2), (-1.4, -1.5), (-2.0, -1.5), (-0.7, -0.2)], shade(paint, 0.92))
    pen.polygon([(-4.2, 0.3), (-5.4, 0.75), (-5.7, 0.72), (-5.0, 0.2)], shade(paint, 0.8))


def bollard(pen: Pen, random: Random, placed: Placed) -> None:
    """A cast-iron post: base plate, shaft, band and round head. The same in a street and in a harbor."""
    iron = random.choice(((58, 62, 68), (84, 40, 36), (40, 70, 58), (120, 118, 112)))
    band = random.choice(((236, 196, 40), (236, 236, 232), (214, 60, 40)))
    pen.ellipse(0, 0.03, 0.20, 0.05, shade(iron, 0.7))
    pen.polygon([(-0.15, 0.03), (0.15, 0.03), (0.11, 0.55), (-0.11, 0.55)], iron)
    pen.polygon([(-0.127, 0.32), (0.127, 0.32), (0.118, 0.44), (-0.118, 0.44)], band)
    pen.ellipse(0, 0.57, 0.17, 0.05, shade(iron, 0.8))
    pen.ellipse(0, 0.65, 0.15, 0.10, shade(iron, 1.15))


def leash(pen: Pen, random: Random, placed: Placed) -> None:
    """A leash from the hand at (0, 0.9) to the dog's collar, hanging through a little."""
    x, y = placed.reach
    sag = random.uniform(0.0, 0.12)
    points = [(x * t, 0.9 + (y - 0.9) * t - sag * 4 * t * (1 - t)) for t in (0, 0.25, 0.5, 0.75, 1)]
    pen.stroke(points, 0.03, random.choice(((150, 30, 30), (30, 30, 34), (40, 60, 130))))


def post(pen: Pen, random: Random, placed: Placed) -> None:
    """A lamp post, a sign post or a flag pole."""
    iron = random.choice(((70, 72, 76), (120, 124, 128), (46, 70, 60), (206, 206, 204)))
    kind = random.random()
    height = random.uniform(3.6, 4.6)
    pen.stroke([(0, 0), (0, height)], 0.10, iron)
    pen.stroke([(0, 0), (0, 0.5)], 0.16, shade(iron, 0.8))
    if kind < 0.5:
        pen.stroke([(0, height - 0.05), (0.35, height + 0.12), (0.8, height + 0.08)], 0.08, iron)
        pen.ellipse(0.85, height, 0.22, 0.1, (250, 240, 200))
    elif kind < 0.8:
        face = random.choice(((200, 40, 40), (40, 80, 180), (240, 200, 40)))
        pen.ellipse(0, height - 0.3, 0.34, 0.34, (240, 240, 240))
        pen.ellipse(0, height - 0.3, 0.27, 0.27, face)
    else:
        pen.ellipse(0, height, 0.14, 0.2, (250, 244, 210))


def bin_(pen: Pen, random: Random, placed: Placed) -> None:
    """A litter bin."""
    paint = any_color(random)
    pen.polygon([(-0.26, 0), (0.26, 0), (0.32, 0.85), (-0.32, 0.85)], paint)
    for x in (-0.14, 0, 0.14):
        pen.stroke([(x, 0.06), (x * 1.2, 0.75)], 0.03, shade(paint, 0.7))
    pen.ellipse(0, 0.88, 0.35, 0.1, shade(paint, 0.6))


def bench(pen: Pen, random: Random, placed: Placed) -> None:
    """A park bench."""
    wood = random.choice(((150, 104, 62), (110, 76, 50), (96, 120, 96)))
    for x in (-0.7, 0.7):
        pen.stroke([(x, 0), (x, 0.9)], 0.09, (60, 60, 62))
    for y in (0.42, 0.62, 0.74, 0.86):
        pen.rectangle(-0.85, y, 0.85, y + 0.085, shade(wood, 0.8 + 0.3 * y))


def crate(pen: Pen, random: Random, placed: Placed) -> None:
    """A wooden crate."""
    wood = random.choice(((176, 132, 84), (150, 108, 66), (120, 130, 140)))
    pen.rectangle(-0.5, 0, 0.5, 0.8, wood)
    for y in (0.02, 0.22, 0.42, 0.62):
        pen.rectangle(-0.46, y, 0.46, y + 0.16, shade(wood, 0.84 + 0.3 * y))
    pen.stroke([(-0.44, 0.06), (0.44, 0.74)], 0.09, shade(wood, 0.7))
    for x in (-0.46, 0.46):
        pen.stroke([(x, 0.03), (x, 0.77)], 0.09, shade(wood, 0.75))


def parasol(pen: Pen, random: Random, placed: Placed) -> None:
    """A striped parasol on a beach."""
    cloth, stripe = any_color(random), random.choice(((245, 245, 240), any_color(random)))
    pen.stroke([(0, 0), (0, 2.2)], 0.07, (220, 216, 208))
    for k, reach in enumerate((1.4, 1.05, 0.7, 0.35)):
        outline = [(reach * math.cos(a), 1.75 + 0.75 * math.sin(a)) for a in (j * math.pi / 12 for j in range(13))]
        pen.polygon(outline, stripe if k % 2 else cloth)
