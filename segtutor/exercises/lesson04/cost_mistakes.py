"""Typical wrong answers to exercise 4.7, how wide the levels may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Mistake


def _each(channels, bins, taps, height, width):  # type: ignore[no-untyped-def]
    """What one channel in every level costs: in the levels, and in the 3 x 3 behind them."""
    return sum(channels * n * n for n in bins) + len(bins) * taps


def _widest(
    *,
    each: Callable[..., Any] = _each,
    taps: Callable[..., Any] = lambda out, height, width: 9 * out * height * width,
    of_map: Callable[..., Any] = lambda channels, taps: channels * taps,
    whole: Callable[[Any, Any], Any] = lambda left, each: left // each,
    none: int | None = -1,
) -> Callable[..., Any]:
    """The answer with the switches of the mistakes; as it stands, the right one."""

    def wrong(channels: int, bins: Sequence[int], out_channels: int, height: int, width: int, budget: int) -> Any:
        behind = taps(out_channels, height, width)
        left = budget - of_map(channels, behind)
        if left < 0 and none is not None:
            return none
        return whole(left, each(channels, bins, behind, height, width))

    return wrong


def _in_floats(left, each):  # type: ignore[no-untyped-def]
    return int(float(left) / float(each))


def _in_64_bits(left, each):  # type: ignore[no-untyped-def]
    return int(np.array(left % 2**64, dtype=np.uint64).astype(np.int64) // np.int64(each % 2**62))


def _of_levels(level):  # type: ignore[no-untyped-def]
    """With another cost of the levels."""
    return _widest(each=lambda c, bins, taps, h, w: level(c, bins, h, w) + len(bins) * taps)


MISTAKES = (
    Mistake("n regions", _of_levels(lambda c, bins, h, w: c * sum(bins)), "regions"),
    Mistake("at every position", _of_levels(lambda c, bins, h, w: c * len(bins) * h * w), "regions"),
    Mistake("square of the sum", _of_levels(lambda c, bins, h, w: c * sum(bins) ** 2), "regions"),
    Mistake("one region for each level", _of_levels(lambda c, bins, h, w: c * len(bins)), "regions"),
    Mistake("levels free", _of_levels(lambda c, bins, h, w: 0), "regions"),
    Mistake("first bin alone", _of_levels(lambda c, bins, h, w: c * bins[0] ** 2 * len(bins)), "levels"),
    Mistake("largest bin alone", _of_levels(lambda c, bins, h, w: c * max(bins) ** 2), "levels"),
    Mistake("one tap", _widest(taps=lambda out, h, w: out * h * w), "behind"),
    Mistake("three taps", _widest(taps=lambda out, h, w: 3 * out * h * w), "behind"),
    Mistake("one output channel", _widest(taps=lambda out, h, w: 9 * h * w), "behind"),
    Mistake("once for the picture", _widest(taps=lambda out, h, w: 9 * out), "behind"),
    Mistake("height for width", _widest(taps=lambda out, h, w: 9 * out * h * h), "behind"),
    Mistake("border left out", _widest(taps=lambda out, h, w: 9 * out * max(h - 2, 1) * max(w - 2, 1)), "behind"),
    Mistake("levels not in the 3 x 3", _widest(each=lambda c, bins, t, h, w: sum(c * n * n for n in bins)), "behind"),
    Mistake("levels once in the 3 x 3", _widest(each=lambda c, bins, t, h, w: sum(c * n * n for n in bins) + t),
            "levels"),
    Mistake("one level", _widest(each=lambda c, bins, t, h, w: c * bins[0] ** 2 + t), "levels"),
    Mistake("the map left out", _widest(of_map=lambda channels, taps: 0), "map"),
    Mistake("one channel of the map", _widest(of_map=lambda channels, taps: taps), "map"),
    Mistake("rounded up", _widest(whole=lambda left, each: -(-left // each)), "rounded"),
    Mistake("below the budget", _widest(whole=lambda left, each: max(left - 1, 0) // each), "rounded"),
    Mistake("to the nearest", _widest(whole=lambda left, each: (2 * left + each) // (2 * each)), "rounded"),
    Mistake("a share of a channel", _widest(whole=lambda left, each: left / each), "rounded"),
    Mistake("0 where nothing fits", _widest(none=0), "none"),
    Mistake("negative where nothing fits", _widest(none=None), "none"),
    Mistake("-1 for no level", _widest(whole=lambda left, each: left // each or -1), "none"),
    Mistake("floats", _widest(whole=_in_floats), "exact"),
    Mistake("floor of a float", _widest(whole=lambda left, each: math.floor(left / each)), "exact"),
    Mistake("64 bits", _widest(whole=_in_64_bits), "exact"),
    Mistake("additions, too", _widest(
        taps=lambda out, h, w: 18 * out * h * w,
        each=lambda c, bins, t, h, w: 2 * sum(c * n * n for n in bins) + len(bins) * t), "counted"),
    Mistake("weights", _widest(
        taps=lambda out, h, w: 9 * out, each=lambda c, bins, t, h, w: len(bins) * (c + t)), "counted"),
)  # fmt: skip
