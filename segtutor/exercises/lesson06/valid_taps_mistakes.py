"""Typical wrong answers to exercise 6.3, valid taps."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _taps(height, width, rate, steps=(-1, 0, 1), inclusive=0, first=0):  # type: ignore[no-untyped-def]
    """Valid taps of every position, with the switches of the mistakes."""
    down, across = (
        [sum(first <= place + step * rate < side + inclusive for step in steps) for place in range(side)]
        for side in (height, width)
    )
    return np.outer(down, across)


def _shares(taps):  # type: ignore[no-untyped-def]
    return taps.mean() / 9, (taps == 9).mean(), (taps == 1).mean()


def _right(height, width, rate):  # type: ignore[no-untyped-def]
    return _shares(_taps(height, width, rate))


def _one_dimension(height, width, rate):  # type: ignore[no-untyped-def]
    taps = _taps(height, 1, rate)
    return taps.mean() / 3, (taps == 3).mean(), (taps == 1).mean()


def _sum_of_sides(height, width, rate):  # type: ignore[no-untyped-def]
    """A row of taps and a column of taps, a cross of five instead of a square of nine."""
    down, across = _taps(height, 1, rate), _taps(1, width, rate).reshape(1, width)
    taps = down + across - 1
    return taps.mean() / 5, (taps == 5).mean(), (taps == 1).mean()


def _not_all_nine(height, width, rate):  # type: ignore[no-untyped-def]
    mean, complete, _ = _right(height, width, rate)
    return mean, complete, 1 - complete


def _counts(height, width, rate):  # type: ignore[no-untyped-def]
    taps = _taps(height, width, rate)
    return taps.sum(), (taps == 9).sum(), (taps == 1).sum()


def _mean_count(height, width, rate):  # type: ignore[no-untyped-def]
    mean, *rest = _right(height, width, rate)
    return (9 * mean, *rest)


def _of_valid_area(height, width, rate):  # type: ignore[no-untyped-def]
    """Positions whose kernel leaves the map are not counted at all."""
    taps = _taps(height, width, rate)
    inside = taps[taps == 9]
    return (1.0, 1.0, 0.0) if inside.size else (0.0, 0.0, 0.0)


def _without_the_middle(height, width, rate):  # type: ignore[no-untyped-def]
    mean, *rest = _right(height, width, rate)
    return ((9 * mean - 1) / 8, *rest)


def _second(height, width, rate, rule):  # type: ignore[no-untyped-def]
    """Another rule for all nine, from the taps down and across."""
    mean, _, only = _right(height, width, rate)
    return mean, rule(_taps(height, 1, rate), _taps(1, width, rate)).mean(), only


def _third(height, width, rate, rule):  # type: ignore[no-untyped-def]
    """Another rule for the middle, from the taps down and across."""
    mean, complete, _ = _right(height, width, rate)
    return mean, complete, rule(_taps(height, 1, rate), _taps(1, width, rate)).mean()


def _formula(height, width, rate, nine=None, middle=None):  # type: ignore[no-untyped-def]
    """Shares from a number of positions along each side."""
    mean, complete, only = _right(height, width, rate)
    return (
        mean,
        complete if nine is None else nine(height) * nine(width) / (height * width),
        only if middle is None else middle(height) * middle(width) / (height * width),
    )


MISTAKES = (
    Mistake("last position included", lambda h, w, r: _shares(_taps(h, w, r, inclusive=1)), "border"),
    Mistake("last position excluded", lambda h, w, r: _shares(_taps(h, w, r, inclusive=-1)), "border"),
    Mistake("rate zeros between the taps", lambda h, w, r: _right(h, w, r + 1), "rate"),
    Mistake("rate ignored", lambda h, w, r: _right(h, w, 1), "rate"),
    Mistake("to one side only", lambda h, w, r: _shares(_taps(h, w, r, steps=(0, 1, 2))), "rate"),
    Mistake("one dimension", _one_dimension, "sides"),
    Mistake("a cross of taps", _sum_of_sides, "sides"),
    Mistake("height twice", lambda h, w, r: _right(h, h, r), "sides"),
    Mistake("all that are not complete", _not_all_nine, "middle"),
    Mistake("counts", _counts, "share"),
    Mistake("mean number of taps", _mean_count, "share"),
    Mistake("of eight taps", _without_the_middle, "share"),
    Mistake("only where the kernel fits", _of_valid_area, "everywhere"),
    Mistake("exchanged", lambda h, w, r: tuple(np.array(_right(h, w, r))[[0, 2, 1]]), "order"),
    Mistake("counted from 1", lambda h, w, r: _shares(_taps(h, w, r, first=1)), "border"),
    Mistake("one too far at both ends", lambda h, w, r: _shares(_taps(h, w, r, first=-1, inclusive=1)), "border"),
    Mistake("to the other side only", lambda h, w, r: _shares(_taps(h, w, r, steps=(0, -1, -2))), "rate"),
    Mistake("two taps a side", lambda h, w, r: _shares(_taps(h, w, r, steps=(-1, 0))), "rate"),
    Mistake("twice the rate", lambda h, w, r: _right(h, w, 2 * r), "rate"),
    Mistake("half of the rate", lambda h, w, r: _right(h, w, r // 2 or 1), "rate"),
    Mistake("rate minus one", lambda h, w, r: _right(h, w, r - 1 or 1), "rate"),
    Mistake("width twice", lambda h, w, r: _right(w, w, r), "sides"),
    Mistake("taps of both sides added", lambda h, w, r: _shares(_taps(h, 1, r) + _taps(1, w, r) - 1), "sides"),
    Mistake(
        "mean of the sides",
        lambda h, w, r: tuple((np.array(_one_dimension(h, w, r)) + _one_dimension(w, h, r)) / 2),
        "sides",
    ),
    Mistake(
        "a cross, all nine from the square",
        lambda h, w, r: (_sum_of_sides(h, w, r)[0], *_right(h, w, r)[1:]),
        "sides",
    ),
    Mistake(
        "one direction suffices for the middle",
        lambda h, w, r: _third(h, w, r, lambda d, a: (d == 1) | (a == 1)),
        "middle",
    ),
    Mistake("three taps at most", lambda h, w, r: _third(h, w, r, lambda d, a: d * a <= 3), "middle"),
    Mistake("four taps at most", lambda h, w, r: _third(h, w, r, lambda d, a: d * a <= 4), "middle"),
    Mistake("the middle is there", lambda h, w, r: _third(h, w, r, lambda d, a: d * a >= 1), "middle"),
    Mistake(
        "the middle from the larger side",
        lambda h, w, r: _third(h, w, r, lambda d, a: d * a * 0 + r >= max(h, w)),
        "middle only",
    ),
    Mistake(
        "the middle from the smaller side",
        lambda h, w, r: _third(h, w, r, lambda d, a: d * a * 0 + r >= min(h, w)),
        "middle only",
    ),
    Mistake(
        "the middle beyond the half",
        lambda h, w, r: _formula(h, w, r, middle=lambda n: max(0, 2 * r - n)),
        "middle only",
    ),
    Mistake("the middle, not limited", lambda h, w, r: _formula(h, w, r, middle=lambda n: 2 * r - n), "middle only"),
    Mistake("all nine, not limited", lambda h, w, r: _formula(h, w, r, nine=lambda n: n - 2 * r), "all nine"),
    Mistake(
        "all nine, limited as a product",
        lambda h, w, r: (
            _right(h, w, r)[0],
            max(0, (h - 2 * r) * (w - 2 * r)) / (h * w),
            _right(h, w, r)[2],
        ),
        "all nine",
    ),
    Mistake("all nine, absolute", lambda h, w, r: _formula(h, w, r, nine=lambda n: abs(n - 2 * r)), "all nine"),
    Mistake("all nine, one side", lambda h, w, r: _formula(h, w, r, nine=lambda n: max(0, n - r)), "all nine"),
    Mistake("all nine, 2 r + 1", lambda h, w, r: _formula(h, w, r, nine=lambda n: max(0, n - 2 * r - 1)), "all nine"),
    Mistake("all nine, 2 r - 1", lambda h, w, r: _formula(h, w, r, nine=lambda n: max(0, n - 2 * r + 1)), "all nine"),
    Mistake(
        "one direction suffices for all nine",
        lambda h, w, r: _second(h, w, r, lambda d, a: (d == 3) | (a == 3)),
        "all nine",
    ),
    Mistake("at least six", lambda h, w, r: _second(h, w, r, lambda d, a: d * a >= 6), "all nine"),
    Mistake(
        "counts of positions",
        lambda h, w, r: (_right(h, w, r)[0], *(n * h * w for n in _right(h, w, r)[1:])),
        "share",
    ),
    Mistake("percent", lambda h, w, r: tuple(100 * n for n in _right(h, w, r)), "share"),
    Mistake("all taps for one", lambda h, w, r: (1.0, *_right(h, w, r)[1:]), "share"),
    Mistake("missing taps", lambda h, w, r: (1 - _right(h, w, r)[0], *_right(h, w, r)[1:]), "share"),
    Mistake("two decimals", lambda h, w, r: tuple(np.round(_right(h, w, r), 2)), "rounded"),
    Mistake("three decimals", lambda h, w, r: tuple(np.round(_right(h, w, r), 3)), "rounded"),
    Mistake("bytes", lambda h, w, r: (int(_taps(h, w, r).sum()) % 256 / (9 * h * w), *_right(h, w, r)[1:]), "share"),
    Mistake("backwards", lambda h, w, r: _right(h, w, r)[::-1], "order"),
)
