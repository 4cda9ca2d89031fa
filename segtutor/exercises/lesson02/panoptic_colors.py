"""Exercise 2.4: segment ids as the colors of a panoptic PNG."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded

STUB = '''
def panoptic_colors(ids):
    """H x W segment ids below 256^3 -> H x W x 3 colors, with id = R + 256 G + 256^2 B."""
    raise NotImplementedError("Write panoptic_colors() here, then run this cell again.")
'''


def panoptic_colors(ids: np.ndarray) -> np.ndarray:
    """H x W segment ids below 256^3 -> H x W x 3 colors, with id = R + 256 G + 256^2 B."""
    red = ids % 256
    green = ids // 256 % 256
    blue = ids // 256**2
    return np.stack([red, green, blue], axis=2)


def _shifts(ids):  # type: ignore[no-untyped-def]
    return np.stack([ids & 255, (ids >> 8) & 255, ids >> 16], axis=-1).astype(np.uint8)


def _bytes(ids):  # type: ignore[no-untyped-def]
    return np.ascontiguousarray(ids.astype("<u4")).view(np.uint8).reshape(*ids.shape, 4)[..., :3]


def _rest(ids):  # type: ignore[no-untyped-def]
    rest, channels = ids, []
    for _ in range(3):
        rest, channel = np.divmod(rest, 256)
        channels.append(channel)
    return np.moveaxis(np.array(channels), 0, 2)


def _in_place(ids):  # type: ignore[no-untyped-def]
    channels = []
    for _ in range(3):
        channels.append(ids % 256)
        ids //= 256
    return np.stack(channels, axis=2)


_IDS = np.array([[0, 1, 255], [256, 257, 65535], [65536, 66051, 256**3 - 1]])


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    return (generator.integers(0, 1 << 24, generator.integers(2, 9, 2)),)


EXERCISE = Exercise(
    id="2.4",
    title="Write a panoptic PNG",
    name="panoptic_colors",
    statement="""
The way back: write `panoptic_colors(ids)`, which turns H x W segment ids, 0 ... 256³ - 1, into the H x W x 3 colors
of a panoptic PNG. Each channel lies in 0 ... 255, and R + 256 G + 256² B is the id again.
""",
    stub=STUB,
    reference=panoptic_colors,
    drawn=_drawn,
    cases=(
        Case("ids below 256", (np.array([[0, 7, 255]]),), np.array([[[0, 0, 0], [7, 0, 0], [255, 0, 0]]])),
        Case("256 and 515", (np.array([[256], [515]]),), np.array([[[0, 1, 0]], [[3, 2, 0]]])),
        Case("a square of ids", (_IDS,)),
        Case("random ids", (seeded(3).integers(0, 1 << 24, (8, 11)),)),
        Case("66051 = 3 + 256 * 2 + 65536", (np.array([[66051]]),), np.array([[[3, 2, 1]]]), "order"),
        Case("the largest id", (np.array([[256**3 - 1]]),), np.array([[[255, 255, 255]]]), "range"),
    ),
    hints={
        "general": Hint(
            "These are the digits of the id in base 256, the lowest first.",
            "The remainder keeps the lowest digit, whole-number division drops it. Each channel is the remainder of "
            "the id after none, one or two digits were dropped; stack the three along a last axis.",
        ),
        "order": Hint(
            "Look at the order of the digits: red is the lowest, blue the highest.",
            "np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=2).",
        ),
        "range": Hint(
            "Look at large ids: each channel stays within 0 ... 255, and nothing above 255 or 65,535 is lost.",
            "Take every digit modulo 256: green is ids // 256 % 256.",
        ),
        "axis": Hint(
            "The axes stand in another order: the result is H x W x 3, as Pillow wants it.",
            "np.stack([...], axis=2), or axis=-1.",
        ),
        "division": Hint(
            "The digits are whole numbers: / gives fractions.",
            "Use // and %.",
        ),
        "base": Hint(
            "The base is 256, the number of values of a byte, not 255.",
            "256 and 256 ** 2.",
        ),
        "digits": Hint(
            "Look at ids above 255: green and blue hold the digits that do not fit into red.",
            "ids % 256, ids // 256 % 256, ids // 65536.",
        ),
        "blue": Hint(
            "Look at ids above 65,535: blue is the digit of 256² = 65,536, and 16 bits do not hold such ids.",
            "ids // 65536, computed with int64.",
        ),
        "scaled": Hint(
            "These are numbers from 0 to 1. The channels are bytes, 0 to 255.", "Leave out the division by 255."
        ),
        "changed": Hint(
            "Your function changes the ids it was given; whoever called it loses them.",
            "Write rest = ids // 256 instead of ids //= 256.",
        ),
    },
    mistakes=(
        Mistake("BGR", lambda ids: _shifts(ids)[..., ::-1], "order"),
        Mistake("green and blue swapped", lambda ids: _shifts(ids)[..., [0, 2, 1]], "order"),
        Mistake("green not reduced", lambda ids: np.stack([ids % 256, ids // 256, ids // 65536], axis=2), "range"),
        Mistake(
            "cut off at 255",
            lambda ids: np.stack([np.minimum(ids // base, 255) for base in (1, 256, 65536)], axis=2),
            "range",
        ),
        Mistake("red and green exchanged", lambda ids: _shifts(ids)[..., [1, 0, 2]], "order"),
        Mistake("a fourth channel", lambda ids: np.insert(_shifts(ids), 3, 255, axis=2), "axis"),
        Mistake("only red", lambda ids: np.stack([ids % 256, 0 * ids, 0 * ids], axis=2), "digits"),
        Mistake("channels first", lambda ids: np.moveaxis(_shifts(ids), 2, 0), "axis"),
        Mistake("fractions", lambda ids: np.stack([ids % 256, ids / 256 % 256, ids / 65536], axis=2), "division"),
        Mistake("base 255", lambda ids: np.stack([ids % 255, ids // 255 % 255, ids // 255**2], axis=2), "base"),
        Mistake("ids changed", _in_place, "changed"),
        Mistake("no blue", lambda ids: _shifts(ids) * np.array([1, 1, 0]), "blue"),
        Mistake("nothing reduced", lambda ids: np.stack([ids, ids // 256, ids // 65536], axis=2), "range"),
        Mistake("red not reduced", lambda ids: np.stack([ids, ids // 256 % 256, ids // 65536], axis=2), "range"),
        Mistake("blue by 512", lambda ids: np.stack([ids % 256, ids // 256 % 256, ids // 512 % 256], axis=2), "blue"),
        Mistake("blue by 256 twice", lambda ids: np.stack([ids % 256, ids // 256, ids // 256 // 256], axis=2), "range"),
        Mistake("gray", lambda ids: np.stack([ids % 256] * 3, axis=2), "digits"),
        Mistake("ids in 16 bits", lambda ids: _shifts(ids.astype(np.uint16).astype(int)), "blue"),
        Mistake("ids in 8 bits", lambda ids: _shifts(ids.astype(np.uint8).astype(int)), "digits"),
        Mistake("signed bytes", lambda ids: _shifts(ids).astype(np.int8), "range"),
        Mistake(
            "rounded", lambda ids: np.round(np.stack([ids % 256, ids / 256 % 256, ids / 65536], axis=2)), "division"
        ),
        Mistake("scaled to 1", lambda ids: _shifts(ids) / 255, "scaled"),
        Mistake("transposed", lambda ids: _shifts(ids).swapaxes(0, 1), "axis"),
        Mistake("modulo 255", lambda ids: np.stack([ids % 255, ids // 256 % 255, ids // 65536], axis=2), "base"),
    ),
    alternatives=(_shifts, _bytes, _rest),
    points=2,
    minutes=8,
    difficulty=1,
)
