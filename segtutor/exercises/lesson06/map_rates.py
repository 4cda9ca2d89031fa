"""Exercise 6.13: rates that fit a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson06.valid_taps import valid_taps

STUB = '''
def choose_rates(height, width, shares):
    """For each share the largest rate at which so much of a 3 x 3 kernel is on the map, on average; 0 for none."""
    raise NotImplementedError("Write choose_rates() here, then run this cell again.")
'''


def choose_rates(height: int, width: int, shares: Sequence[float]) -> list[int]:
    """For each share the largest rate at which so much of a 3 x 3 kernel is on the map, on average; 0 for none."""
    rates = []
    for share in shares:
        rate = 0
        while valid_taps(height, width, rate + 1)[0] >= share:
            rate += 1
        rates.append(rate)
    return rates


def _from_a_table(height, width, shares):  # type: ignore[no-untyped-def]
    table = [valid_taps(height, width, rate)[0] for rate in range(1, max(height, width) + 1)]
    return [sum(left >= share for left in table) for share in shares]


def _by_formula(height, width, shares):  # type: ignore[no-untyped-def]
    """Of a side of n places, a tap r away is on the map at n - r of them."""
    rates = np.arange(1, max(height, width) + 1)

    def of_side(side):  # type: ignore[no-untyped-def]
        return (side + 2 * np.maximum(side - rates, 0)) / (3 * side)

    left = of_side(height) * of_side(width)
    return [(left >= share).sum() for share in shares]


def _by_halving(height, width, shares):  # type: ignore[no-untyped-def]
    found = []
    for share in shares:
        low, high = 0, max(height, width) + 1  # the kernel is a 1 x 1 from there on
        while high - low > 1:
            middle = (low + high) // 2
            if valid_taps(height, width, middle)[0] >= share:
                low = middle
            else:
                high = middle
        found.append(low)
    return np.array(found)


def _rates(height, width, shares, left=lambda found: found[0], enough=np.greater_equal):  # type: ignore[no-untyped-def]
    """The rates with the switches of the mistakes; as it stands, the right ones."""
    table = np.array([left(valid_taps(height, width, rate)) for rate in range(1, max(height, width) + 1)])
    return [int(enough(table, share).sum()) for share in shares]


def _square(side):  # type: ignore[no-untyped-def]
    return lambda height, width, shares: _rates(side(height, width), side(height, width), shares)


def _nearest(height, width, shares):  # type: ignore[no-untyped-def]
    table = np.array([valid_taps(height, width, rate)[0] for rate in range(1, max(height, width) + 1)])
    return [int(np.abs(table - share).argmin()) + 1 for share in shares]


def _one_side(height, width, shares):  # type: ignore[no-untyped-def]
    """Taps along one side instead of the whole kernel."""
    rates = np.arange(1, max(height, width) + 1)
    left = (width + 2 * np.maximum(width - rates, 0)) / (3 * width)
    return [int((left >= share).sum()) for share in shares]


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    height, width = generator.integers(3, 45, 2).tolist()
    shares = generator.uniform(0.15, 0.95, generator.integers(2, 5)).round(3) + 0.0003  # no share is one exactly
    return height, width, tuple(shares.tolist())


EXERCISE = Exercise(
    id="6.13",
    title="Rates that fit a map",
    name="choose_rates",
    statement="""
The rates 6, 12 and 18 belong to a map of 33 x 33 positions. On the map of your own pictures they may be far too large,
as 6.3 has shown, and then the ASPP reads zeros. So turn 6.3 around: how large may a rate be?

Write `choose_rates(height, width, shares)` for a map of `height` x `width` positions. For each number s of `shares`
find the **largest** rate at which the share of the nine taps that is on the map, averaged over all positions (the first
result of `valid_taps`), is still **at least** s; if it is less at rate 1 already, the answer is 0. Return one whole
number per share. The shares come in any order and are above 1/9: so much is on the map at every rate.
""",
    stub=STUB,
    reference=choose_rates,
    drawn=_drawn,
    cases=(
        # a 3 x 3 map: at rate 1 a side has 2, 3 and 2 taps, so 49 of 81 are on the map; at 2 there are 25, at 3 nine
        Case("3 x 3, half of the taps", (3, 3, (0.5,)), [1]),
        Case("3 x 3, more than rate 1 leaves", (3, 3, (0.61,)), [0], "none"),
        Case("3 x 3, three shares", (3, 3, (0.6, 0.3, 0.2)), [1, 2, 2]),
        Case("one row of four: 10, 8 and 6 of 36 at rates 1, 2, 3", (1, 4, (0.25, 0.2, 0.15)), [1, 2, 3], "sides"),
        Case("one column of four", (4, 1, (0.25, 0.2, 0.15)), [1, 2, 3], "sides"),
        Case("shares in any order", (3, 3, (0.2, 0.6, 0.3, 0.6)), [2, 1, 2, 1], "own"),
        Case("one position: nothing but the middle", (1, 1, (0.12,)), [0], "none"),
        Case("no shares", (5, 5, ()), []),
        Case("DeepLab's 33 x 33", (33, 33, (0.8, 0.6, 0.4))),
        Case("a scene of 96 x 128 at stride 8", (12, 16, (0.9, 0.7, 0.5))),
        Case("a wide map", (9, 30, (0.75, 0.5, 0.4, 0.3))),
        Case("a tall map", (31, 6, (0.85, 0.45, 0.2))),
    ),
    hints={
        "general": Hint(
            "The larger the rate, the fewer taps are on the map. Go up from rate 1 as long as enough of them are.",
            "For each share by itself: count the rates that leave enough. Up to which rate must you look? From the "
            "longer side on, only the middle tap is left.",
        ),
        "mean": Hint(
            "The first result of valid_taps is meant, the share of the taps averaged over the positions.",
            "valid_taps(height, width, rate)[0].",
        ),
        "largest": Hint(
            "The largest rate that still leaves enough: not the first that does not, not the nearest one.",
            "The number of rates with at least that share.",
        ),
        "none": Hint("Where rate 1 leaves too little, the answer is 0.", "Begin with 0 and go up from there."),
        "sides": Hint(
            "Height and width both count, and they may differ; rates up to the longer side make sense.",
            "valid_taps(height, width, rate), for rates up to max(height, width).",
        ),
        "own": Hint("Every share has its own rate, in the order of the shares.", "One number per share."),
    },
    mistakes=(
        Mistake("positions with all nine", lambda h, w, s: _rates(h, w, s, left=lambda found: found[1]), "mean"),
        Mistake("positions of the middle alone", lambda h, w, s: _rates(h, w, s, left=lambda found: found[2]), "mean"),
        Mistake("taps off the map", lambda h, w, s: _rates(h, w, s, left=lambda found: 1 - found[0]), "mean"),
        Mistake("taps of one side", _one_side, "mean"),
        Mistake("one too large", lambda *a: [rate + 1 for rate in _rates(*a)], "largest"),
        Mistake("one too small", lambda *a: [max(rate - 1, 0) for rate in _rates(*a)], "largest"),
        Mistake("the smallest rate", lambda *a: [min(rate, 1) for rate in _rates(*a)], "largest"),
        Mistake("the nearest", _nearest, "largest"),
        Mistake("at least 1", lambda *a: [max(rate, 1) for rate in _rates(*a)], "none"),
        Mistake("-1 for none", lambda *a: [rate or -1 for rate in _rates(*a)], "none"),
        Mistake("height alone", _square(lambda height, width: height), "sides"),
        Mistake("width alone", _square(lambda height, width: width), "sides"),
        Mistake("the shorter side alone", _square(min), "sides"),
        Mistake("the longer side alone", _square(max), "sides"),
        Mistake("up to the shorter side", lambda h, w, s: [min(rate, min(h, w)) for rate in _rates(h, w, s)], "sides"),
        Mistake("sorted", lambda *a: sorted(_rates(*a)), "own"),
        Mistake("the first share for all", lambda h, w, s: _rates(h, w, s[:1] * len(s)), "own"),
        Mistake("the smallest of all", lambda h, w, s: [min(_rates(h, w, s))] * len(s) if len(s) else [], "own"),
        Mistake("one number", lambda h, w, s: min(_rates(h, w, s), default=0), "own"),
    ),
    alternatives=(_from_a_table, _by_formula, _by_halving),
    points=2,
    minutes=20,
    difficulty=2,
)  # fmt: skip
