"""Exercise 4.7: how wide the levels of the pyramid may be within a budget of multiplications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson04.cost_mistakes import MISTAKES

STUB = '''
def widest_levels(channels, bins, out_channels, height, width, budget):
    """The most channels per level for which levels and the 3 x 3 behind them stay in the budget; -1 if none does."""
    raise NotImplementedError("Write widest_levels() here, then run this cell again.")
'''


def widest_levels(channels: int, bins: Sequence[int], out_channels: int, height: int, width: int, budget: int) -> int:
    """The most channels per level for which levels and the 3 x 3 behind them stay in the budget; -1 if none does."""
    behind = 9 * out_channels * height * width  # for each channel that the 3 x 3 reads
    if channels * behind > budget:
        return -1
    each = sum(channels * count * count + behind for count in bins)
    return (budget - channels * behind) // each


def _counting(channels, bins, out_channels, height, width, levels):  # type: ignore[no-untyped-def]
    """Multiplications with so many channels in a level."""
    pooled = sum(n * n * channels * levels for n in bins)
    return pooled + height * width * 3 * 3 * out_channels * (channels + len(bins) * levels)


def _by_trying(channels, bins, out_channels, height, width, budget):  # type: ignore[no-untyped-def]
    """Doubles until it is too much, then halves the interval."""
    given = channels, bins, out_channels, height, width
    if _counting(*given, 0) > budget:
        return -1
    low, high = 0, 1
    while _counting(*given, high) <= budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _counting(*given, middle) <= budget:
            low = middle
        else:
            high = middle
    return low


def _from_two_counts(channels, bins, out_channels, height, width, budget):  # type: ignore[no-untyped-def]
    """The cost is a straight line: two points of it are enough."""
    given = channels, bins, out_channels, height, width
    none, one = _counting(*given, 0), _counting(*given, 1)
    return max((budget - none) // (one - none), -1)


def _with_fractions(channels, bins, out_channels, height, width, budget):  # type: ignore[no-untyped-def]
    from fractions import Fraction
    from math import floor

    taps = Fraction(9 * out_channels * height * width)
    levels = (budget - taps * channels) / (len(bins) * taps + channels * sum(n**2 for n in bins))
    return floor(levels) if levels >= 0 else -1


_PSPNET = (2048, (1, 2, 3, 6), 512, 60, 60)
_OF_PSPNET = _counting(*_PSPNET, 512)
_WIDE = (2**20 + 1, (3, 5), 2**20 + 7, 4001, 5003)


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    channels, out_channels, height, width = generator.integers(2, 60, 4).tolist()
    bins = tuple(generator.integers(1, 8, generator.integers(1, 5)).tolist())
    of_the_map = 9 * channels * out_channels * height * width
    return channels, bins, out_channels, height, width, int(of_the_map * generator.uniform(0.9, 4))


EXERCISE = Exercise(
    id="4.7",
    title="How wide may the levels be?",
    name="widest_levels",
    statement="""
Lesson 4 counted the weights of a bottleneck. Now turn the question around, as somebody does who builds a network for a
phone: the pyramid may cost so many multiplications and no more. How many channels K may each of its levels have?

The map has `channels` = C channels and `height` x `width` positions. For each number n of `bins` a level is pooled to
n x n regions, and a 1 x 1 convolution makes K channels of C there, **before** it is upsampled. Then the map and all
levels are concatenated, and a 3 x 3 convolution with padding makes `out_channels` of them at every position. Count the
multiplications of these convolutions for one picture, one per weight and position of the result. Pooling, upsampling
and biases cost nothing here; the zeros of the padding count like other values.

Write `widest_levels(channels, bins, out_channels, height, width, budget)`: the largest whole number K for which the
multiplications are at most `budget`. K = 0 means that there is room for the 3 x 3 convolution on the map alone, and if
not even that fits, return -1. There is at least one level. All numbers are whole and may be very large: the answer must
be exact.
""",
    stub=STUB,
    reference=widest_levels,
    drawn=_drawn,
    cases=(
        Case("one channel, bin 1, one position: 9 + 10 K within 29", (1, (1,), 1, 1, 1, 29), 2),
        Case("one less than the third channel costs", (1, (1,), 1, 1, 1, 38), 2, "rounded"),
        Case("just the third channel", (1, (1,), 1, 1, 1, 39), 3, "rounded"),
        Case("nothing is left for the levels", (1, (1,), 1, 1, 1, 9), 0),
        Case("not even the map", (1, (1,), 1, 1, 1, 8), -1, "none"),
        Case("far below", (4, (1, 2), 3, 5, 5, 10), -1, "none"),
        Case("bins 1 and 2, 2 x 2 positions: 144 + 154 K within 608", (2, (1, 2), 2, 2, 2, 608), 3),
        Case("one less", (2, (1, 2), 2, 2, 2, 605), 2, "rounded"),
        Case("many regions on a small map", (5, (6, 7), 2, 2, 3, 10000)),
        Case("a map that is not square", (3, (1, 2, 3), 4, 7, 11, 100000)),
        Case("PSPNet itself", (*_PSPNET, _OF_PSPNET), 512),
        Case("PSPNet with one multiplication less", (*_PSPNET, _OF_PSPNET - 1), 511, "exact"),
        Case("a network that nobody has", (*_WIDE, _counting(*_WIDE, 10**6 + 3)), 10**6 + 3, "exact"),
        Case("the same with one multiplication less", (*_WIDE, _counting(*_WIDE, 10**6 + 3) - 1), 10**6 + 2, "exact"),
    ),
    hints={
        "general": Hint(
            "Write down what K channels cost. It is a straight line in K: a part that is there without any level, and "
            "the same amount for each channel more.",
            "What does one channel more cost in a level, and what in the 3 x 3 convolution, which reads it as well? "
            "Add that up over the levels. How often does it fit into what the map leaves of the budget?",
        ),
        "regions": Hint(
            "A level has n x n regions, and its 1 x 1 convolution works on those alone, before they are upsampled.",
            "channels * n * n for each channel of the level.",
        ),
        "behind": Hint(
            "The 3 x 3 convolution reads the map and *all* levels, nine values of each channel, at every position.",
            "9 * out_channels * height * width * (channels + len(bins) * K).",
        ),
        "map": Hint(
            "The map goes into the 3 x 3 convolution as well: that part of the budget is gone before the first level.",
            "Subtract 9 * channels * out_channels * height * width from the budget first.",
        ),
        "levels": Hint(
            "There are as many levels as bins, each with K channels and a convolution of its own.", "Sum over bins."
        ),
        "rounded": Hint(
            "K channels must fit as a whole, and a budget that is used up to the last multiplication is kept.",
            "Divide and round down.",
        ),
        "none": Hint(
            "If the map alone costs more than the budget, the answer is -1; if it costs just that, it is 0.",
            "Ask for this case first.",
        ),
        "exact": Hint(
            "These numbers are too large for 64 bits and for the 16 digits of a float.",
            "Python's whole numbers and // are exact.",
        ),
        "counted": Hint(
            "Multiplications are counted, one per weight and position: no additions, no biases, no weights.",
            "Every weight is used once at each position of its result.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_by_trying, _from_two_counts, _with_fractions),
    points=3,
    minutes=20,
    difficulty=2,
)
