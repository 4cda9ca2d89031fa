"""Typical wrong answers to exercise 6.7, which layers to make separable."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Mistake


def _chosen(
    *,
    separable: Callable[[int, int, int], Any] = lambda c, k, kernel: c * kernel**2 + c * k,
    positions: Callable[[int, int], Any] = lambda height, width: height * width,
    key: Callable[[Any, Any, int], Any] = lambda saving, full, number: -saving,
    holds: Callable[[Any, Any], bool] = operator.le,
    worse: bool = False,
    enough: bool = True,
    error: bool = True,
    number: Callable[[Any], Any] = lambda number: number,
    result: Callable[[Any], Any] = sorted,
) -> Callable[..., Any]:
    """The answer with the switches of the mistakes; as it stands, the right one."""

    def wrong(layers: Sequence[tuple[int, int, int, int, int]], budget: int) -> Any:
        full, savings = [], []
        for c, k, kernel, height, width in layers:
            places = positions(height, width)
            full.append(number(c * k * kernel**2 * places))
            savings.append(full[-1] - number(separable(c, k, kernel) * places))
        total, chosen = sum(full), []
        for one in sorted(range(len(layers)), key=lambda n: key(savings[n], full[n], n)):
            if (enough and holds(total, budget)) or (savings[one] <= 0 and not worse):
                continue
            total -= savings[one]
            chosen.append(one)
        if not enough and holds(sum(full), budget):
            chosen = []
        return result(chosen) if holds(total, budget) or not error else "error"

    return wrong


def _the_largest_alone(layers, budget):  # type: ignore[no-untyped-def]
    """At most one layer is replaced."""
    right = _chosen()(layers, budget)
    return right if right == "error" or len(right) < 2 else "error"


MISTAKES = (
    Mistake("from the first on", _chosen(key=lambda saving, full, n: n), "order"),
    Mistake("from the last on", _chosen(key=lambda saving, full, n: -n), "order"),
    Mistake("smallest savings first", _chosen(key=lambda saving, full, n: saving), "order"),
    Mistake("the most expensive first", _chosen(key=lambda saving, full, n: -full), "order"),
    Mistake("the largest share first", _chosen(key=lambda saving, full, n: -saving / full), "order"),
    Mistake("weights alone", _chosen(positions=lambda height, width: 1), "positions"),
    Mistake("one side", _chosen(positions=lambda height, width: width), "positions"),
    Mistake("depthwise alone", _chosen(separable=lambda c, k, kernel: c * kernel**2), "separable"),
    Mistake("pointwise alone", _chosen(separable=lambda c, k, kernel: c * k), "separable"),
    Mistake("one tap in a row", _chosen(separable=lambda c, k, kernel: c * kernel + c * k), "separable"),
    Mistake("a ninth", _chosen(separable=lambda c, k, kernel: c * k), "separable"),
    Mistake("a kernel for each output", _chosen(separable=lambda c, k, kernel: k * kernel**2 + c * k), "separable"),
    Mistake("below the budget", _chosen(holds=operator.lt), "equal"),
    Mistake("the largest change first", _chosen(worse=True, key=lambda saving, full, n: -abs(saving)), "cheaper"),
    Mistake("all that save", _chosen(enough=False), "enough"),
    Mistake("no error", _chosen(error=False), "error"),
    Mistake("one layer at most", _the_largest_alone, "error"),
    Mistake("by savings", _chosen(result=list), "rising"),
    Mistake("counted from 1", _chosen(result=lambda chosen: [one + 1 for one in sorted(chosen)]), "rising"),
    Mistake("their number", _chosen(result=len), "rising"),
    Mistake("floats", _chosen(number=float), "exact"),
    Mistake("single precision", _chosen(number=np.float32), "exact"),
)
