"""Typical wrong answers to exercise 4.3, the paths of dilated layers."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _paths(rates, taps=(-1, 0, 1), spacing=lambda rate: rate):  # type: ignore[no-untyped-def]
    """Paths with the switches of the mistakes; as it stands, the right ones."""
    reach = sum(rates)
    found = {0: 1}
    for rate in rates:
        further = {}
        for place, ways in found.items():
            for tap in taps:
                to = place + tap * spacing(rate)
                further[to] = further.get(to, 0) + ways
        found = further
    return np.array([found.get(place, 0) for place in range(-reach, reach + 1)])


def _layers_added(rates):  # type: ignore[no-untyped-def]
    """The taps of the layers beside each other, as in ASPP, not one after the other."""
    reach = sum(rates)
    paths = np.zeros(2 * reach + 1, dtype=int)
    for rate in rates:
        paths[[reach - rate, reach, reach + rate]] += 1
    return paths


def _filled(rates):  # type: ignore[no-untyped-def]
    """Every pixel under a kernel counts, also those between its taps."""
    paths = np.ones(1, dtype=int)
    for rate in rates:
        paths = np.convolve(paths, np.ones(2 * rate + 1, dtype=int))
    return paths


def _rates_multiplied(rates):  # type: ignore[no-untyped-def]
    """Rates build up like strides."""
    reach, jump, places = sum(rates), 1, {0: 1}
    for rate in rates:
        jump *= rate
        places = {p: sum(places.get(p + s, 0) for s in (-jump, 0, jump)) for p in range(-9 * reach, 9 * reach + 1)}
    return np.array([places.get(place, 0) for place in range(-reach, reach + 1)])


def _trimmed(rates):  # type: ignore[no-untyped-def]
    paths, longest = _paths(rates), max(rates, default=0)
    middle = len(paths) // 2
    return paths[middle - longest : middle + longest + 1]


def _half(rates):  # type: ignore[no-untyped-def]
    paths = _paths(rates)
    return paths[len(paths) // 2 :]


def _shares(rates):  # type: ignore[no-untyped-def]
    paths = _paths(rates)
    return paths / paths.sum()


def _places(rates):  # type: ignore[no-untyped-def]
    return np.arange(-sum(rates), sum(rates) + 1)


def _beside_with_one_middle(rates):  # type: ignore[no-untyped-def]
    paths = _layers_added(rates)
    paths[sum(rates)] = 1
    return paths


def _rolled_around(rates):  # type: ignore[no-untyped-def]
    """The array is only as long as the widest layer, so what leaves at one end comes in at the other."""
    longest, reach = max(rates, default=0), sum(rates)
    paths = np.zeros(2 * longest + 1, dtype=int)
    paths[longest] = 1
    for rate in rates:
        paths = np.roll(paths, -rate) + paths + np.roll(paths, rate)
    return np.pad(paths, reach - longest)


def _shorter(rates, kept):  # type: ignore[no-untyped-def]
    return np.pad(_paths(kept), sum(rates) - sum(kept))


def _in_place(rates):  # type: ignore[no-untyped-def]
    paths = [0] * (2 * sum(rates) + 1)
    paths[sum(rates)] = 1
    for rate in rates:
        for place in range(len(paths)):
            left = paths[place - rate] if place >= rate else 0
            right = paths[place + rate] if place + rate < len(paths) else 0
            paths[place] += left + right
    return np.array(paths)


def _boxes(rates):  # type: ignore[no-untyped-def]
    return sum((abs(_places(rates)) <= rate).astype(int) for rate in rates) if rates else np.array([1])


def _place_by_place(rates):  # type: ignore[no-untyped-def]
    """Each place sends its paths on at once, so that those that came from the left move again."""
    reach = sum(rates)
    paths = np.zeros(2 * reach + 1, dtype=int)
    paths[reach] = 1
    for rate in rates:
        for place in range(rate, len(paths) - rate):
            paths[place - rate] += paths[place]
            paths[place + rate] += paths[place]
    return paths


MISTAKES = (
    Mistake("place by place, in the same array", _place_by_place, "new"),
    Mistake("reached or not", lambda rates: _paths(rates) > 0, "counts"),
    Mistake("shares", _shares, "counts"),
    Mistake("rates ignored", lambda rates: _paths(rates, spacing=lambda rate: 1), "taps"),
    Mistake("one step too far", lambda rates: _paths(rates, spacing=lambda rate: rate + 1), "taps"),
    Mistake("filled kernels", _filled, "taps"),
    Mistake("center tap missing", lambda rates: _paths(rates, taps=(-1, 1)), "middle"),
    Mistake("only to the right", lambda rates: _paths(rates, taps=(0, 1)), "middle"),
    Mistake("layers beside each other", _layers_added, "chain"),
    Mistake("last layer only", lambda rates: _layers_added(rates[-1:]), "chain"),
    Mistake("rates multiplied", _rates_multiplied, "stride"),
    Mistake("window of the largest rate", _trimmed, "window"),
    Mistake("right half", _half, "window"),
    Mistake("logarithm", lambda rates: np.log1p(_paths(rates)), "counts"),
    Mistake("shares of the middle", lambda rates: _paths(rates) / _paths(rates).max(), "counts"),
    Mistake("divided by 3 per layer", lambda rates: _paths(rates) / 3 ** len(rates), "counts"),
    Mistake("at most one path per layer", lambda rates: np.minimum(_paths(rates), len(rates)), "counts"),
    Mistake("largest, not sum", lambda rates: np.minimum(_paths(rates), 1) * max(len(rates), 1), "counts"),
    Mistake("paths twice", lambda rates: 2 * _paths(rates), "counts"),
    Mistake("from -1 to 1, times the rate", lambda rates: _paths(rates, taps=(-2, -1, 0, 1, 2)), "taps"),
    Mistake("one step less", lambda rates: _paths(rates, spacing=lambda rate: max(rate - 1, 1)), "taps"),
    Mistake("steps twice as far", lambda rates: _paths(rates, spacing=lambda rate: 2 * rate), "taps"),
    Mistake("all within the first rate", lambda rates: _paths(rates, spacing=lambda rate: rates[0]), "taps"),
    Mistake("largest rate for all", lambda rates: _paths(rates, spacing=lambda rate: max(rates)), "taps"),
    Mistake("last rate for all", lambda rates: _paths(rates, spacing=lambda rate: rates[-1]), "taps"),
    Mistake("middle tap twice", lambda rates: _paths(rates, taps=(-1, 0, 0, 1)), "middle"),
    Mistake("only to the left", lambda rates: _paths(rates, taps=(-1, 0)), "middle"),
    Mistake("only forward, twice", lambda rates: _paths(rates, taps=(0, 1, 2)), "middle"),
    Mistake("middle tap alone", lambda rates: _paths(rates, taps=(0,)), "middle"),
    Mistake("weights 1 2 1", lambda rates: _paths(rates, taps=(-1, 0, 0, 1)), "middle"),
    Mistake("layers beside each other, middle once", _beside_with_one_middle, "chain"),
    Mistake("one layer of the sum", lambda rates: _layers_added((sum(rates),)) if rates else np.array([1]), "chain"),
    Mistake(
        "whole window, filled with zeros",
        lambda rates: _paths(rates) * (abs(_places(rates)) <= max(rates, default=0)),
        "window",
    ),
    Mistake("left half", lambda rates: _paths(rates)[: sum(rates) + 1], "window"),
    Mistake("one too short", lambda rates: _paths(rates)[:-1] if rates else np.array([1]), "window"),
    Mistake("from -sum to sum, without the last", lambda rates: _paths(rates)[:-1], "window"),
    Mistake("rolled around", _rolled_around, "window"),
    Mistake("twice as wide", lambda rates: np.pad(_paths(rates), sum(rates)), "window"),
    Mistake("one zero more at both ends", lambda rates: np.pad(_paths(rates), 1), "window"),
    Mistake("zeros left out", lambda rates: _paths(rates)[_paths(rates) > 0], "window"),
    Mistake("middle moved by one", lambda rates: np.roll(_paths(rates), 1), "window"),
    Mistake(
        "places and counts",
        lambda rates: {p: c for p, c in zip(_places(rates), _paths(rates), strict=True) if c},
        "window",
    ),
    Mistake("8 bits", lambda rates: _paths(rates).astype(np.uint8), "types"),
    Mistake("8 bits with a sign", lambda rates: _paths(rates).astype(np.int8), "types"),
    Mistake("16 bits", lambda rates: _paths(rates).astype(np.int16), "types"),
    Mistake("16 bits without a sign", lambda rates: _paths(rates).astype(np.uint16), "types"),
    Mistake("half precision", lambda rates: _paths(rates).astype(np.float16), "types"),
    Mistake("clipped at 255", lambda rates: np.minimum(_paths(rates), 255), "types"),
    Mistake("first layer left out", lambda rates: _shorter(rates, rates[1:]), "layers"),
    Mistake("last layer left out", lambda rates: _shorter(rates, rates[:-1]), "layers"),
    Mistake("equal rates once", lambda rates: _shorter(rates, tuple(dict.fromkeys(rates))), "layers"),
    Mistake("last layer left out, its window", lambda rates: _paths(rates[:-1]), "layers"),
    Mistake("equal rates once, their window", lambda rates: _paths(tuple(dict.fromkeys(rates))), "layers"),
    Mistake(
        "one layer too many", lambda rates: _paths(rates, taps=(-1, 0, 1)) * 3 if rates else np.array([3]), "layers"
    ),
    Mistake("nothing without layers", lambda rates: _paths(rates) if rates else np.zeros(0), "layers"),
    Mistake("no path without layers", lambda rates: _paths(rates) * bool(rates), "layers"),
    Mistake("in place", lambda rates: _in_place(rates), "new"),
    Mistake("in place, from the right", lambda rates: _in_place(rates)[::-1], "new"),
    Mistake("boxes beside each other", _boxes, "chain"),
    Mistake("squared", lambda rates: _paths(rates) ** 2, "counts"),
    Mistake("sorted", lambda rates: np.sort(_paths(rates)), "window"),
    Mistake("times the layers", lambda rates: _paths(rates) * len(rates), "counts"),
)
