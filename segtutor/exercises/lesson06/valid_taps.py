"""Exercise 6.3: how much of a 3 x 3 kernel lies on the map when its rate grows."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson06.valid_taps_mistakes import MISTAKES

STUB = '''
def valid_taps(height, width, rate):
    """Mean share of a 3 x 3 kernel's taps on the map; share of positions with all nine; share with only the middle."""
    raise NotImplementedError("Write valid_taps() here, then run this cell again.")
'''

Shares = tuple[float, float, float]


def valid_taps(height: int, width: int, rate: int) -> Shares:
    """Mean share of a 3 x 3 kernel's taps on the map; share of positions with all nine; share with only the middle."""
    down = [sum(0 <= row + step < height for step in (-rate, 0, rate)) for row in range(height)]
    across = [sum(0 <= column + step < width for step in (-rate, 0, rate)) for column in range(width)]
    taps = np.outer(down, across)
    return float(taps.mean()) / 9, float((taps == 9).mean()), float((taps == 1).mean())


def _pixel_by_pixel(height, width, rate):  # type: ignore[no-untyped-def]
    total = complete = lonely = 0
    for i in range(height):
        for j in range(width):
            taps = 0
            for a in (-1, 0, 1):
                for b in (-1, 0, 1):
                    taps += 0 <= i + a * rate < height and 0 <= j + b * rate < width
            total, complete, lonely = total + taps, complete + (taps == 9), lonely + (taps == 1)
    return total / (9 * height * width), complete / (height * width), lonely / (height * width)


def _with_a_convolution(height, width, rate):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    ones = torch.ones(1, 1, height, width, dtype=torch.float64)
    taps = F.conv2d(ones, ones.new_ones(1, 1, 3, 3), padding=rate, dilation=rate)
    return taps.mean() / 9, (taps == 9).double().mean(), (taps == 1).double().mean()


def _with_formulas(height, width, rate):  # type: ignore[no-untyped-def]
    def along(side):  # type: ignore[no-untyped-def]
        """Taps per position; share of positions with three taps; share with one."""
        return (
            1 + 2 * max(side - rate, 0) / side,
            max(side - 2 * rate, 0) / side,
            (min(2 * rate, 2 * side) - side) / side,
        )

    down, across = along(height), along(width)
    return down[0] * across[0] / 9, down[1] * across[1], max(down[2], 0) * max(across[2], 0)


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    height, width = generator.integers(2, 50, 2).tolist()
    return height, width, int(generator.integers(1, max(height, width) + 2))


EXERCISE = Exercise(
    id="6.3",
    title="A rate that is too large",
    name="valid_taps",
    statement="""
A 3 x 3 kernel at rate $r$ reads at distances $-r$, $0$, $r$ in both directions. Near the border some of its nine taps
fall outside the map, on the zeros of the padding. The larger the rate, the more, until only the middle tap is left:
then the expensive 3 x 3 convolution is a 1 x 1. This is why DeepLab v3 added image pooling (section 3.3 and figure 4).

Write `valid_taps(height, width, rate)` for a map of `height` x `width` positions. A tap is valid if it lies on the map.
Return three numbers from 0 to 1: the share of the nine taps that is valid, averaged over all positions; the share of
the positions at which all nine are valid; and the share at which only the middle is.
""",
    stub=STUB,
    reference=valid_taps,
    drawn=_drawn,
    cases=(
        # 4 corners with 4 taps, 4 sides with 6, the middle with 9
        Case("3 x 3, rate 1", (3, 3, 1), (49 / 81, 1 / 9, 0.0)),
        Case("4 x 4, rate 2: four taps everywhere", (4, 4, 2), (4 / 9, 0.0, 0.0)),
        Case("5 x 5, rate 5: only the middle", (5, 5, 5), (1 / 9, 0.0, 1.0), "middle only"),
        # down 2, 3, 2 taps, across always 1
        Case("3 x 1, rate 1", (3, 1, 1), (7 / 27, 0.0, 0.0), "narrow"),
        # down 2, 2, 1, 2, 2 taps, across 1, 1, 1
        Case("5 x 3, rate 3: beyond the half", (5, 3, 3), (9 * 3 / (15 * 9), 0.0, 1 / 5), "middle only"),
        Case("1 x 1, rate 1", (1, 1, 1), (1 / 9, 0.0, 1.0), "middle only"),
        # down 3 taps on 3 of 5 rows, across on 5 of 7 columns
        Case("5 x 7, rate 1", (5, 7, 1), (13 * 19 / (35 * 9), 15 / 35, 0.0), "all nine"),
        Case("5 x 7, rate 4", (5, 7, 4), hint="middle only"),
        Case("4 x 7, rate 9, larger than both sides", (4, 7, 9), (1 / 9, 0.0, 1.0), "middle only"),
        Case("65 x 65, as in the paper's figure, rate 12", (65, 65, 12)),
        Case("65 x 65, rate 36", (65, 65, 36)),
        Case("33 x 41, rate 18", (33, 41, 18)),
        Case("9 x 20, rate 12", (9, 20, 12)),
    ),
    hints={
        "general": Hint(
            "Count the valid taps of every position, H x W numbers. Along one side a position has one, two or three; "
            "the number of the kernel is the product of both.",
            "Ask for one side first: how many of the three places, one rate before, here, and one rate behind, lie on "
            "the map? An outer product then has the number of every position, and the three answers are three "
            "questions to it.",
        ),
        "border": Hint(
            "A tap is valid at 0 ... height - 1, both included, and height itself is outside.",
            "0 <= row + step < height, the upper limit excluded.",
        ),
        "rate": Hint("The taps lie at distances -rate, 0, rate, in both directions.", "for step in (-rate, 0, rate)."),
        "sides": Hint(
            "The kernel is a square, and the map has two sides: height and width both count, as a product.",
            "taps = np.outer(down, across), nine at most.",
        ),
        "middle": Hint(
            "The third number is the share of positions with exactly one valid tap, the middle one.",
            "(taps == 1).mean().",
        ),
        "share": Hint(
            "Shares are wanted, from 0 to 1: of the nine taps, middle included, and of all positions.",
            "taps.mean() / 9, (taps == 9).mean(), (taps == 1).mean().",
        ),
        "everywhere": Hint(
            "All positions count, also those whose kernel leaves the map: with padding they have a result.",
            "Average over all height x width positions.",
        ),
        "order": Hint(
            "The order is: share of the taps, share with all nine, share with only the middle.",
            "All nine first, then only the middle.",
        ),
        "middle only": Hint(
            "Only the middle is left where a position has one tap down and one across: both directions must be short "
            "of "
            "neighbors, whatever the larger side is.",
            "(taps == 1).mean().",
        ),
        "narrow": Hint(
            "Three rows, one column: down 2, 3 and 2 taps, across always one. The taps of a position are the product.",
            "taps = np.outer(down, across).",
        ),
        "all nine": Hint(
            "All nine taps are there where three are down and three across: `rate` rows and columns at *each* side "
            "fall "
            "out, and never less than none is left.",
            "(taps == 9).mean(), or max(0, height - 2 * rate) * max(0, width - 2 * rate) / (height * width).",
        ),
        "rounded": Hint("The shares are not rounded.", "Return them as they are."),
    },
    mistakes=MISTAKES,
    alternatives=(_pixel_by_pixel, _with_a_convolution, _with_formulas),
    points=3,
    minutes=20,
    difficulty=2,
)
