"""Typical wrong answers to exercise 4.7, the cost of a convolution."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _cost(c, k, kernel, rate, h, w, *, taps):  # type: ignore[no-untyped-def]
    """The cost with another number of taps."""
    weights = k * c * taps(kernel, rate)
    return weights + k, weights * h * w


def _w(in_channels, out_channels, kernel):  # type: ignore[no-untyped-def]
    return in_channels * out_channels * kernel * kernel


def _left(length, kernel, rate):  # type: ignore[no-untyped-def]
    return max(length - (kernel - 1) * rate, 0)


def _reads(length, kernel, rate):  # type: ignore[no-untyped-def]
    """How often a tap hits a position of the map in one dimension, padded to keep its size."""
    places = (tap * rate - kernel // 2 * rate for tap in range(kernel))
    return sum(max(length - abs(place), 0) for place in places)


def _single(number):  # type: ignore[no-untyped-def]
    return int(np.float32(number))


MISTAKES = (
    Mistake("reach of the dilated kernel", lambda *a: _cost(*a, taps=lambda k, r: ((k - 1) * r + 1) ** 2), "rate"),
    Mistake("kernel times rate", lambda *a: _cost(*a, taps=lambda k, r: (k * r) ** 2), "rate"),
    Mistake("fewer taps at a rate", lambda *a: _cost(*a, taps=lambda k, r: (-(-k // r)) ** 2), "rate"),
    Mistake("no bias", lambda c, k, n, r, h, w: (c * k * n * n, c * k * n * n * h * w), "bias"),
    Mistake("bias per input", lambda c, k, n, r, h, w: (c * k * n * n + c, c * k * n * n * h * w), "bias"),
    Mistake("bias multiplied", lambda c, k, n, r, h, w: ((c * n * n + 1) * k, (c * n * n + 1) * k * h * w), "bias"),
    Mistake("one side of the kernel", lambda *a: _cost(*a, taps=lambda k, r: k), "kernel"),
    Mistake("kernel ignored", lambda *a: _cost(*a, taps=lambda k, r: 1), "kernel"),
    Mistake("one input channel", lambda c, k, n, r, h, w: (_w(1, k, n) + k, _w(1, k, n) * h * w), "channels"),
    Mistake(
        "channels added",
        lambda c, k, n, r, h, w: ((c + k) * n * n + k, (c + k) * n * n * h * w),
        "channels",
    ),
    Mistake("one position", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n)), "positions"),
    Mistake("one row", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * w), "positions"),
    Mistake(
        "parameters per position",
        lambda c, k, n, r, h, w: ((c * n * n + 1) * k * h * w, c * k * n * n * h * w),
        "positions",
    ),
    Mistake("exchanged", lambda *a: _cost(*a, taps=lambda k, r: k * k)[::-1], "results"),
    Mistake("rate squared", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * h * w * r * r), "rate"),
    Mistake("rate times", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * h * w * r), "rate"),
    Mistake(
        "fewer positions at a rate",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * (h // r) * (w // r)),
        "rate",
    ),
    Mistake("divided by the rate", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * h * w // r), "rate"),
    Mistake(
        "divided by the rate squared", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * h * w / r**2), "rate"
    ),
    Mistake(
        "reach in the multiplications",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, (n - 1) * r + 1) * h * w),
        "rate",
    ),
    Mistake(
        "reach in the parameters", lambda c, k, n, r, h, w: (_w(c, k, (n - 1) * r + 1) + k, _w(c, k, n) * h * w), "rate"
    ),
    Mistake("kernel plus rate", lambda *a: _cost(*a, taps=lambda k, r: (k + r - 1) ** 2), "rate"),
    Mistake("kernel plus the holes", lambda *a: _cost(*a, taps=lambda k, r: (k + r) ** 2), "rate"),
    Mistake("taps times rate", lambda *a: _cost(*a, taps=lambda k, r: k * k * r), "rate"),
    Mistake("one bias", lambda c, k, n, r, h, w: (_w(c, k, n) + 1, _w(c, k, n) * h * w), "bias"),
    Mistake("a bias for each pair", lambda c, k, n, r, h, w: (_w(c, k, n) + c * k, _w(c, k, n) * h * w), "bias"),
    Mistake("biases of both sides", lambda c, k, n, r, h, w: (_w(c, k, n) + c + k, _w(c, k, n) * h * w), "bias"),
    Mistake(
        "a bias for each position", lambda c, k, n, r, h, w: (_w(c, k, n) + k * h * w, _w(c, k, n) * h * w), "bias"
    ),
    Mistake("a bias for each tap", lambda c, k, n, r, h, w: (_w(c, k, n) + k * n * n, _w(c, k, n) * h * w), "bias"),
    Mistake("a bias for each weight", lambda c, k, n, r, h, w: (2 * _w(c, k, n), _w(c, k, n) * h * w), "bias"),
    Mistake("bias subtracted", lambda c, k, n, r, h, w: (_w(c, k, n) - k, _w(c, k, n) * h * w), "bias"),
    Mistake(
        "bias counted once in the multiplications",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * h * w + k),
        "bias",
    ),
    Mistake(
        "bias added after each position, no parameter",
        lambda c, k, n, r, h, w: (_w(c, k, n), (_w(c, k, n) + k) * h * w),
        "bias",
    ),
    Mistake("bias twice", lambda c, k, n, r, h, w: (_w(c, k, n) + 2 * k, _w(c, k, n) * h * w), "bias"),
    Mistake(
        "kernel once in the multiplications", lambda c, k, n, r, h, w: (_w(c, k, n) + k, c * k * n * h * w), "kernel"
    ),
    Mistake("kernel once in the parameters", lambda c, k, n, r, h, w: (c * k * n + k, _w(c, k, n) * h * w), "kernel"),
    Mistake("kernel twice", lambda *a: _cost(*a, taps=lambda k, r: 2 * k), "kernel"),
    Mistake("kernel cubed", lambda *a: _cost(*a, taps=lambda k, r: k**3), "kernel"),
    Mistake("kernel less one", lambda *a: _cost(*a, taps=lambda k, r: (k - 1) ** 2), "kernel"),
    Mistake("two one-dimensional kernels", lambda *a: _cost(*a, taps=lambda k, r: k + k - 1), "kernel"),
    Mistake("no kernel in the multiplications", lambda c, k, n, r, h, w: (_w(c, k, n) + k, c * k * h * w), "kernel"),
    Mistake("one output channel", lambda c, k, n, r, h, w: (_w(c, 1, n) + 1, _w(c, 1, n) * h * w), "channels"),
    Mistake(
        "one output channel, K biases", lambda c, k, n, r, h, w: (_w(c, 1, n) + k, _w(c, 1, n) * h * w), "channels"
    ),
    Mistake(
        "multiplications of one input channel",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(1, k, n) * h * w),
        "channels",
    ),
    Mistake(
        "multiplications of one output channel",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, 1, n) * h * w),
        "channels",
    ),
    Mistake("channels as in, both times", lambda c, k, n, r, h, w: (_w(c, c, n) + c, _w(c, c, n) * h * w), "channels"),
    Mistake("channels as out, both times", lambda c, k, n, r, h, w: (_w(k, k, n) + k, _w(k, k, n) * h * w), "channels"),
    Mistake("separable", lambda c, k, n, r, h, w: (c * n * n + c * k + k, (c * n * n + c * k) * h * w), "channels"),
    Mistake(
        "separable, with two biases",
        lambda c, k, n, r, h, w: (c * n * n + c + c * k + k, (c * n * n + c * k) * h * w),
        "channels",
    ),
    Mistake("one position, with bias", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) + k), "positions"),
    Mistake("one column", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * h), "positions"),
    Mistake("height squared", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * h * h), "positions"),
    Mistake("width squared", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * w * w), "positions"),
    Mistake("height plus width", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * (h + w)), "positions"),
    Mistake(
        "border left out",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * max(h - n + 1, 0) * max(w - n + 1, 0)),
        "positions",
    ),
    Mistake(
        "dilated border left out",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * _left(h, n, r) * _left(w, n, r)),
        "positions",
    ),
    Mistake(
        "border added", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * (h + n - 1) * (w + n - 1)), "positions"
    ),
    Mistake(
        "zeros of the border not counted",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, c * k * _reads(h, n, r) * _reads(w, n, r)),
        "positions",
    ),
    Mistake(
        "parameters times positions",
        lambda c, k, n, r, h, w: ((_w(c, k, n) + k), (_w(c, k, n) + k) * h * w * k),
        "bias",
    ),
    Mistake("additions too", lambda c, k, n, r, h, w: (_w(c, k, n) + k, 2 * _w(c, k, n) * h * w), "additions"),
    Mistake(
        "additions too, less one",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, (2 * _w(c, k, n) - k) * h * w),
        "additions",
    ),
    Mistake(
        "additions and bias", lambda c, k, n, r, h, w: (_w(c, k, n) + k, (2 * _w(c, k, n) + k) * h * w), "additions"
    ),
    Mistake("multiplications alone", lambda c, k, n, r, h, w: _w(c, k, n) * h * w, "results"),
    Mistake("sum of both", lambda c, k, n, r, h, w: _w(c, k, n) + k + _w(c, k, n) * h * w, "results"),
    Mistake("in millions", lambda c, k, n, r, h, w: ((_w(c, k, n) + k) / 1e6, _w(c, k, n) * h * w / 1e6), "results"),
    Mistake(
        "in millions and billions",
        lambda c, k, n, r, h, w: ((_w(c, k, n) + k) / 1e6, _w(c, k, n) * h * w / 1e9),
        "results",
    ),
    Mistake(
        "32 bits", lambda c, k, n, r, h, w: (_w(c, k, n) + k, (_w(c, k, n) * h * w + 2**31) % 2**32 - 2**31), "exact"
    ),
    Mistake("32 bits without a sign", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * h * w % 2**32), "exact"),
    Mistake(
        "single precision", lambda c, k, n, r, h, w: (_single(_w(c, k, n) + k), _single(_w(c, k, n) * h * w)), "exact"
    ),
    Mistake(
        "multiplications in single precision",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _single(_w(c, k, n) * h * w)),
        "exact",
    ),
    Mistake(
        "half the multiplications", lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * h * w // 2), "additions"
    ),
    Mistake("values of the result", lambda c, k, n, r, h, w: (_w(c, k, n) + k, k * h * w), "channels"),
    Mistake(
        "values of the map and the taps", lambda c, k, n, r, h, w: (_w(c, k, n) + k, c * n * n * h * w), "channels"
    ),
    Mistake(
        "larger input",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * (h + r * (n - 1)) * (w + r * (n - 1))),
        "positions",
    ),
    Mistake(
        "rate as stride, rounded up",
        lambda c, k, n, r, h, w: (_w(c, k, n) + k, _w(c, k, n) * -(-h // r) * -(-w // r)),
        "rate",
    ),
)
