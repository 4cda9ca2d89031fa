"""People and animals. All look to the right, stand on (0, 0) and are drawn in meters."""

from __future__ import annotations

import math
from random import Random

from segtutor.datasets.scenes.layout import Placed
from segtutor.datasets.scenes.pen import Color, Pen, shade

SKIN: tuple[Color, ...] = ((240, 200, 170), (222, 172, 136), (178, 124, 88), (120, 80, 58), (90, 60, 46))
HAIR: tuple[Color, ...] = ((40, 30, 26), (88, 58, 36), (196, 160, 96), (150, 146, 144), (130, 60, 30))
FUR: tuple[Color, ...] = (
    (60, 46, 40), (118, 80, 50), (170, 126, 82), (205, 178, 140), (226, 220, 210), (128, 124, 120), (46, 44, 46),
)  # fmt: skip


def any_color(random: Random) -> Color:
    """A color of clothes, cars and boats: any hue, now and then black, gray or white."""
    if random.random() < 0.3:
        value = random.choice((38, 70, 130, 200, 236))
        return value, value, min(255, value + random.randrange(10))
    hue, strength, light = random.random() * 6, random.uniform(0.3, 0.8), random.uniform(110, 230)
    channels = [1 - strength * (1 - min(1.0, max(0.0, abs((hue + s) % 6 - 3) - 1))) for s in (0, 4, 2)]
    red, green, blue = (round(light * c) for c in channels)
    return red, green, blue


def person(pen: Pen, random: Random, placed: Placed) -> None:
    """A man, woman or child, standing or walking; ``leading`` stretches one hand forward, for a leash."""
    leading = placed.variant == "leading"
    h = 1.0 if leading else random.choice((1.0, 1.0, 0.94, 1.04, 0.68))
    skin, hair = random.choice(SKIN), random.choice(HAIR)
    top, bottom = any_color(random), any_color(random)
    shoes = random.choice(((40, 36, 34), (230, 230, 230), (120, 70, 40)))
    step = random.choice((0.05, 0.12, 0.22)) * h
    hip, shoulder, head = 0.88 * h, 1.40 * h, 1.60 * h
    width = random.uniform(0.15, 0.20) * h
    skirt = random.random() < 0.25
    legs = skin if skirt or random.random() < 0.25 else bottom
    swing = random.uniform(0.05, 0.25) * h

    def arm(hand: tuple[float, float], at: float, factor: float) -> None:
        elbow = ((at + hand[0]) / 2 - 0.05 * h, (shoulder + hand[1]) / 2 - 0.03 * h)
        pen.stroke([(at, shoulder - 0.05 * h), elbow, hand], 0.10 * h, shade(top, factor))
        pen.ellipse(*hand, 0.05 * h, 0.05 * h, shade(skin, factor))

    def leg(foot: float, factor: float) -> None:
        knee = (foot * 0.55 + 0.03 * h, 0.46 * h)
        pen.stroke([(foot * 0.2, hip), knee, (foot, 0.06 * h)], 0.14 * h, shade(legs, factor))
        pen.ellipse(foot + 0.05 * h, 0.045 * h, 0.11 * h, 0.05 * h, shade(shoes, factor))

    arm((-swing, 0.86 * h), -0.03 * h, 0.72)
    leg(-step, 0.74)
    leg(step, 0.95)
    if random.random() < 0.25:
        pen.ellipse(-width - 0.03 * h, 1.18 * h, 0.11 * h, 0.22 * h, any_color(random))
    torso = [(-0.8 * width, hip - 0.04 * h), (0.8 * width, hip - 0.04 * h), (width, shoulder - 0.06 * h)]
    pen.polygon([*torso, (0.5 * width, shoulder + 0.03 * h), (-0.5 * width, shoulder + 0.03 * h),
                 (-width, shoulder - 0.06 * h)], top)  # fmt: skip
    if skirt:
        pen.polygon([(-0.75 * width, hip + 0.08 * h), (0.75 * width, hip + 0.08 * h), (1.35 * width, 0.52 * h),
                     (-1.35 * width, 0.52 * h)], bottom)  # fmt: skip
    else:
        pen.rectangle(-0.8 * width, hip - 0.08 * h, 0.8 * width, hip + 0.04 * h, bottom)
    pen.rectangle(-0.045 * h, shoulder - 0.02 * h, 0.045 * h, head - 0.06 * h, shade(skin, 0.85))
    if random.random() < 0.4:
        pen.ellipse(-0.05 * h, head - 0.05 * h, 0.11 * h, 0.19 * h, hair)
    pen.ellipse(0, head, 0.095 * h, 0.125 * h, skin)
    cap = [(0.1 * h * math.cos(a), head + 0.02 * h + 0.125 * h * math.sin(a)) for a in (0.35, 0.9, 1.5, 2.2, 2.8, 3.6)]
    pen.polygon([*cap, (-0.04 * h, head + 0.01 * h)], any_color(random) if random.random() < 0.25 else hair)
    arm((0.36, 0.90) if leading else (swing * 1.2, 0.86 * h), 0.02 * h, 1.06)


def quadruped(
    pen: Pen, coat: Color, length: float, height: float, depth: float, leg: float, step: float, hoof: Color
) -> None:
    """Four legs and a barrel: ``length`` and ``depth`` of the trunk, ``height`` of its middle, ``leg`` thickness."""
    for x, lean, factor in ((-0.36, -1, 0.66), (0.30, 1, 0.66), (-0.32, 1, 0.92), (0.36, -1, 0.92)):
        start, foot = x * length, x * length + lean * step
        knee = ((start + foot) / 2 + (0.03 if x > 0 else -0.05) * length, height * 0.45)
        pen.stroke([(start, height - 0.2 * depth), knee], leg * 1.4, shade(coat, factor))
        pen.stroke([knee, (foot, leg * 0.5)], leg, shade(coat, factor))
        pen.stroke([(foot, leg * 0.5), (foot + leg * 0.4, leg * 0.5)], leg, shade(hoof, factor))
    pen.ellipse(-0.26 * length, height + 0.02 * depth, 0.27 * length, 0.55 * depth, coat)
    pen.ellipse(0.27 * length, height, 0.26 * length, 0.56 * depth, coat)
    pen.polygon([(-0.3 * length, height + 0.54 * depth), (0.3 * length, height + 0.52 * depth),
                 (0.3 * length, height - 0.5 * depth), (-0.3 * length, height - 0.36 * depth)], coat)  # fmt: skip


def dog(pen: Pen, random: Random, placed: Placed) -> None:
    """A dog: snout, drooping or pricked ears, a raised tail, a collar."""
    coat = random.choice(FUR)
    second = random.choice(FUR) if random.random() < 0.4 else shade(coat, 0.75)
    tail = random.uniform(0.12, 0.3)
    pen.stroke([(-0.33, 0.60), (-0.45, 0.66), (-0.52, 0.62 + tail)], 0.055, shade(coat, 0.9))
    quadruped(pen, coat, 0.72, 0.5, 0.24, 0.065, random.uniform(0, 0.1), second)
    if random.random() < 0.4:
        pen.ellipse(-0.1, 0.53, 0.14, 0.09, second)
    pen.stroke([(0.24, 0.54), (0.36, 0.72)], 0.19, coat)
    pen.stroke([(0.22, 0.62), (0.36, 0.58)], 0.045, any_color(random))
    pen.ellipse(0.39, 0.76, 0.13, 0.115, coat)
    pen.polygon([(0.42, 0.83), (0.62, 0.75), (0.63, 0.69), (0.58, 0.66), (0.40, 0.65)], coat)
    pen.ellipse(0.61, 0.745, 0.028, 0.025, (25, 20, 20))
    pen.ellipse(0.45, 0.80, 0.018, 0.018, (20, 16, 16))
    if random.random() < 0.6:
        pen.ellipse(0.33, 0.73, 0.055, 0.12, shade(second, 0.85), -0.25)
    else:
        pen.polygon([(0.28, 0.82), (0.31, 0.97), (0.40, 0.86)], shade(second, 0.85))


def cat(pen: Pen, random: Random, placed: Placed) -> None:
    """A cat, walking or sitting: round head, pricked ears, a long tail."""
    coat = random.choice(FUR) if random.random() < 0.7 else (196, 122, 58)
    stripe = shade(coat, 0.68)
    if random.random() < 0.5:
        curve = random.uniform(-0.08, 0.1)
        pen.stroke([(-0.3, 0.34), (-0.42, 0.44), (-0.44 + curve, 0.60), (-0.38 + curve, 0.74)], 0.05, stripe)
        quadruped(pen, coat, 0.6, 0.29, 0.17, 0.05, random.uniform(0, 0.09), shade(coat, 1.15))
        for x in (-0.2, -0.08, 0.04):
            pen.stroke([(x, 0.37), (x - 0.02, 0.27)], 0.03, stripe)
        head = (0.33, 0.43)
    else:
        pen.stroke([(-0.12, 0.05), (-0.34, 0.04), (-0.44, 0.12)], 0.05, stripe)
        pen.ellipse(-0.04, 0.17, 0.19, 0.18, shade(coat, 0.92))
        pen.ellipse(0.05, 0.28, 0.12, 0.22, coat, 0.2)
        pen.stroke([(0.10, 0.26), (0.14, 0.03)], 0.065, coat)
        pen.stroke([(0.05, 0.24), (0.07, 0.03)], 0.06, shade(coat, 0.85))
        for y in (0.2, 0.28, 0.36):
            pen.stroke([(-0.1, y), (-0.02, y + 0.01)], 0.025, stripe)
        head = (0.08, 0.52)
    cx, cy = head
    for side in (-1, 1):
        pen.polygon(
            [(cx + side * 0.02, cy + 0.08), (cx + side * 0.115, cy + 0.2), (cx + side * 0.13, cy + 0.02)], stripe
        )
    pen.ellipse(cx, cy, 0.14, 0.115, coat)
    pen.ellipse(cx + 0.03, cy - 0.045, 0.06, 0.045, shade(coat, 1.2))
    for shift in (-0.04, 0.06):
        pen.ellipse(cx + shift, cy + 0.02, 0.022, 0.026, (210, 200, 90))
        pen.ellipse(cx + shift, cy + 0.02, 0.009, 0.024, (20, 20, 16))


def horse(pen: Pen, random: Random, placed: Placed) -> None:
    """A horse, head up or grazing: long legs, neck with mane, long tail."""
    coat = random.choice(FUR[:5])
    mane = random.choice(((40, 32, 30), (220, 205, 180), shade(coat, 0.5)))
    pen.stroke([(-0.68, 1.30), (-0.86, 1.10), (-0.88, 0.70)], 0.15, mane)
    quadruped(pen, coat, 1.35, 1.16, 0.50, 0.105, random.uniform(0, 0.16), (50, 42, 38))
    if random.random() < 0.65:
        pen.polygon([(0.28, 1.36), (0.66, 1.02), (0.96, 1.62), (0.98, 1.86), (0.76, 1.84)], coat)
        pen.polygon([(0.20, 1.40), (0.50, 1.42), (0.80, 1.78), (0.84, 1.95), (0.68, 1.90)], mane)
        pen.polygon([(0.76, 1.88), (0.92, 1.92), (1.26, 1.58), (1.24, 1.46), (1.12, 1.44), (0.86, 1.60)], coat)
        pen.polygon([(0.80, 1.86), (0.83, 2.02), (0.90, 1.88)], shade(coat, 0.8))
        pen.ellipse(1.20, 1.52, 0.07, 0.07, shade(coat, 0.7))
        pen.ellipse(0.98, 1.76, 0.025, 0.025, (20, 16, 16))
    else:
        pen.polygon([(0.34, 1.38), (0.56, 0.96), (0.92, 0.50), (1.12, 0.62), (0.86, 1.12)], coat)
        pen.polygon([(0.34, 1.40), (0.62, 1.38), (0.98, 0.98), (1.14, 0.64), (1.0, 0.72), (0.8, 1.06)], mane)
        pen.polygon([(0.90, 0.62), (1.12, 0.68), (1.16, 0.20), (1.06, 0.10), (0.96, 0.16)], coat)
        pen.ellipse(1.08, 0.17, 0.075, 0.08, shade(coat, 0.7))
    if random.random() < 0.3:
        pen.ellipse(-0.2, 1.22, 0.26, 0.16, random.choice(FUR))


def sheep(pen: Pen, random: Random, placed: Placed) -> None:
    """A sheep: a woolly cloud on short legs."""
    wool = random.choice(((232, 226, 212), (214, 204, 186), (226, 220, 210), (96, 84, 74), (168, 156, 140)))
    face = random.choice(((46, 42, 42), (226, 214, 198), (90, 70, 58)))
    for x, factor in ((-0.28, 0.65), (0.22, 0.65), (-0.22, 0.9), (0.28, 0.9)):
        pen.stroke([(x, 0.42), (x + random.uniform(-0.05, 0.05), 0.04)], 0.075, shade(face, factor))
    for k in range(11):
        angle = 2 * math.pi * k / 11
        lump = shade(wool, 0.86 + 0.12 * math.sin(angle))
        pen.ellipse(0.36 * math.cos(angle), 0.58 + 0.17 * math.sin(angle), 0.15, 0.13, lump)
    pen.ellipse(0, 0.58, 0.42, 0.23, wool)
    down = random.choice((0.0, 0.0, 0.28))
    pen.ellipse(0.48, 0.72 - down, 0.13, 0.095, face, -0.6)
    pen.ellipse(0.38, 0.80 - down, 0.11, 0.09, wool)
    pen.ellipse(0.36, 0.72 - down, 0.09, 0.035, shade(face, 0.8), 0.5)
    pen.ellipse(0.50, 0.75 - down, 0.016, 0.016, (15, 15, 15) if sum(face) > 300 else (200, 190, 120))


def bird(pen: Pen, random: Random, placed: Placed) -> None:
    """A gull, crow or dove; standing, or flying with raised or lowered wings."""
    body = random.choice(((238, 238, 236), (50, 50, 56), (142, 146, 158), (120, 92, 66)))
    wing = random.choice((shade(body, 0.62), (90, 94, 104)))
    beak = random.choice(((236, 170, 40), (60, 56, 50)))
    if placed.variant == "flying":
        lift = random.choice((0.36, 0.22, -0.2))
        pen.polygon(
            [(-0.02, 0.04), (0.14, 0.03), (0.0, lift * 0.7), (-0.3, lift), (-0.16, lift * 0.5)], shade(wing, 0.8)
        )
        pen.polygon([(-0.24, 0.03), (-0.42, 0.07), (-0.40, -0.05), (-0.22, -0.03)], shade(body, 0.8))
        pen.ellipse(0, 0, 0.28, 0.085, body)
        pen.ellipse(0.27, 0.04, 0.085, 0.07, body)
        pen.polygon([(0.33, 0.07), (0.45, 0.03), (0.33, 0.01)], beak)
        pen.polygon([(-0.12, 0.03), (0.10, 0.02), (0.16, lift * 0.8), (-0.06, lift * 1.45), (-0.04, lift * 0.7)], wing)
        return
    for x in (-0.02, 0.05):
        pen.stroke([(x, 0.18), (x + 0.01, 0.02), (x + 0.06, 0.015)], 0.025, beak)
    pen.polygon([(-0.16, 0.26), (-0.40, 0.17), (-0.36, 0.26), (-0.1, 0.36)], shade(wing, 0.8))
    pen.ellipse(0, 0.27, 0.22, 0.12, body, 0.35)
    pen.ellipse(-0.05, 0.28, 0.19, 0.075, wing, 0.25)
    pen.stroke([(0.13, 0.34), (0.18, 0.42)], 0.11, body)
    pen.ellipse(0.18, 0.45, 0.08, 0.075, body)
    pen.polygon([(0.25, 0.48), (0.36, 0.44), (0.25, 0.42)], beak)
    pen.ellipse(0.205, 0.465, 0.015, 0.015, (15, 15, 15))
