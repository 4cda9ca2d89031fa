"""Exercise 6.7: what a separable convolution saves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def separable_cost(in_channels, out_channels, kernel, height, width):
    """Weights and multiply-adds of a full convolution, then weights and multiply-adds of the separable one."""
    raise NotImplementedError("Write separable_cost() here, then run this cell again.")
'''

Cost = tuple[int, int, int, int]


def separable_cost(in_channels: int, out_channels: int, kernel: int, height: int, width: int) -> Cost:
    """Weights and multiply-adds of a full convolution, then weights and multiply-adds of the separable one."""
    positions = height * width
    full = in_channels * out_channels * kernel**2
    separable = in_channels * kernel**2 + in_channels * out_channels
    return full, full * positions, separable, separable * positions


def _with_layers(in_channels, out_channels, kernel, height, width):  # type: ignore[no-untyped-def]
    from torch import nn

    full = nn.Conv2d(in_channels, out_channels, kernel, bias=False, device="meta")
    depthwise = nn.Conv2d(in_channels, in_channels, kernel, groups=in_channels, bias=False, device="meta")
    pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False, device="meta")
    weights = full.weight.numel(), depthwise.weight.numel() + pointwise.weight.numel()
    return weights[0], weights[0] * height * width, weights[1], weights[1] * height * width


def _with_the_ratio(in_channels, out_channels, kernel, height, width):  # type: ignore[no-untyped-def]
    """The separable one costs 1/K + 1/k² of the full one."""
    full = kernel * kernel * in_channels * out_channels
    separable = full // out_channels + full // kernel**2
    return [count * factor for count in (full, separable) for factor in (1, height * width)]


def _with_loops(in_channels, out_channels, kernel, height, width):  # type: ignore[no-untyped-def]
    taps = sum(1 for _ in range(kernel) for _ in range(kernel))
    full = separable = 0
    for _ in range(in_channels):
        separable += taps
        for _ in range(out_channels):
            full += taps
            separable += 1
    return full, full * height * width, separable, separable * height * width


Weights = Callable[[int, int, int], int]


def _full_weights(c: int, k: int, side: int) -> int:
    return c * k * side**2


def _separable_weights(c: int, k: int, side: int) -> int:
    return c * side**2 + c * k


def _count(  # type: ignore[no-untyped-def]
    c, k, side, h, w, *, full: Weights = _full_weights, separable: Weights = _separable_weights, factor=None
):
    """The cost with other numbers of weights, or another factor for the multiply-adds."""
    positions = h * w if factor is None else factor(h, w)
    weights = full(c, k, side), separable(c, k, side)
    return weights[0], weights[0] * positions, weights[1], weights[1] * positions


def _separable_as(weights):  # type: ignore[no-untyped-def]
    return lambda *a: _count(*a, separable=weights)


def _with_biases(c, k, side, h, w):  # type: ignore[no-untyped-def]
    full, full_adds, separable, separable_adds = separable_cost(c, k, side, h, w)
    return full + k, full_adds, separable + c + k, separable_adds


def _mixed_up(c, k, side, h, w):  # type: ignore[no-untyped-def]
    full, full_adds, separable, separable_adds = separable_cost(c, k, side, h, w)
    return full, separable, full_adds, separable_adds


def _adds(c, k, side, h, w, count):  # type: ignore[no-untyped-def]
    """Another number of multiply-adds for a number of weights."""
    full, _, separable, _ = separable_cost(c, k, side, h, w)
    return full, count(full, h, w), separable, count(separable, h, w)


EXERCISE = Exercise(
    id="6.7",
    title="What separability saves",
    name="separable_cost",
    statement="""
A layer reads C = `in_channels` channels, makes K = `out_channels`, and its result has `height` x `width` positions.
Count for two forms of it: the full convolution with `kernel` x `kernel` taps, and the separable one (depthwise, then
pointwise). There are no biases, because batch normalization follows. A multiply-add is one product with a weight and
its addition; the zeros of the padding count like other values.

Write `separable_cost(in_channels, out_channels, kernel, height, width)`, which returns four whole numbers: weights and
multiply-adds of the full form, then weights and multiply-adds of the separable form. (The rate changes none of them.)
""",
    stub=STUB,
    reference=separable_cost,
    cases=(
        Case("2 to 3 channels, 3 x 3, one position", (2, 3, 3, 1, 1), (54, 54, 24, 24)),
        Case("2 to 3 channels, 3 x 3, 4 x 5 positions", (2, 3, 3, 4, 5), (54, 1080, 24, 480), "positions"),
        Case("1 to 1 channel: nothing is saved", (1, 1, 3, 1, 2), (9, 18, 10, 20)),
        Case("4 to 2 channels, 5 x 5", (4, 2, 5, 3, 3), (200, 1800, 108, 972), "five"),
        Case("2 to 2 channels, 1 x 1", (2, 2, 1, 2, 1), (4, 8, 6, 12), "five"),
        Case("a branch of the ASPP, 2048 to 256, 33 x 33", (2048, 256, 3, 33, 33)),
        Case("the decoder, 304 to 256, 129 x 129", (304, 256, 3, 129, 129), hint="large"),
        Case("2048 to 1031, 1025 x 2049", (2048, 1031, 3, 1025, 2049), hint="large"),
    ),
    hints={
        "general": Hint(
            "First the weights. Full: one k x k kernel for each pair of channels. Depthwise: one for each input "
            "channel. Pointwise: one number for each pair.",
            "The weights of the separable form are those of its two steps together. In both forms, every weight is "
            "used once at each position, so the multiply-adds follow from the weights.",
        ),
        "kernel": Hint(
            "A kernel has k x k taps; the pointwise one has a single tap.",
            "kernel ** 2 in the full and in the depthwise convolution, and no kernel in C * K.",
        ),
        "depthwise": Hint(
            "The depthwise convolution has one kernel for each *input* channel, and sees no other channel.",
            "in_channels * kernel ** 2.",
        ),
        "both parts": Hint(
            "The separable form has two parts, and their costs add up.",
            "Count the weights of the depthwise kernels, then those that mix the channels, and add the two.",
        ),
        "positions": Hint(
            "Every weight is used once at each of the height x width positions: that is the number of multiply-adds.",
            "weights * height * width, only in the second and fourth number.",
        ),
        "bias": Hint("No biases are counted here.", "Weights only."),
        "five": Hint(
            "The side of the kernel is an argument: 5 x 5 has 25 taps, 1 x 1 has one.",
            "kernel ** 2 in the full and in the depthwise convolution.",
        ),
        "large": Hint(
            "The numbers become large: more than 32 bits, and every digit counts.",
            "Use Python's whole numbers: no np.int32, no float.",
        ),
        "whole": Hint(
            "Four whole numbers are wanted: counts, not shares, thousands or sums.", "No division at the end."
        ),
        "double": Hint("A multiply-add counts once, not as two operations.", "weights * height * width."),
        "results": Hint(
            "The four numbers stand in another order.", "full weights, full adds, separable weights, separable adds."
        ),
        "full": Hint(
            "The full convolution has one k x k kernel for each *pair* of an input and an output channel.",
            "in_channels * out_channels * kernel ** 2.",
        ),
    },
    mistakes=(
        Mistake(
            "one side of the kernel",
            lambda *a: _count(*a, full=lambda c, k, n: c * k * n, separable=lambda c, k, n: c * n + c * k),
            "kernel",
        ),
        Mistake("pointwise with k x k taps", _separable_as(lambda c, k, n: c * n**2 + c * k * n**2), "kernel"),
        Mistake("depthwise for pairs", _separable_as(lambda c, k, n: c * c * n**2 + c * k), "depthwise"),
        Mistake("depthwise per output", _separable_as(lambda c, k, n: k * n**2 + c * k), "depthwise"),
        Mistake("one depthwise kernel", _separable_as(lambda c, k, n: n**2 + c * k), "depthwise"),
        Mistake("only depthwise", _separable_as(lambda c, k, n: c * n**2), "both parts"),
        Mistake("only pointwise", _separable_as(lambda c, k, n: c * k), "both parts"),
        Mistake("parts multiplied", _separable_as(lambda c, k, n: c * n**2 * c * k), "both parts"),
        Mistake("one position", lambda *a: _count(*a, factor=lambda h, w: 1), "positions"),
        Mistake("one row", lambda *a: _count(*a, factor=lambda h, w: w), "positions"),
        Mistake("height plus width", lambda *a: _count(*a, factor=lambda h, w: h + w), "positions"),
        Mistake("biases", _with_biases, "bias"),
        Mistake("two operations", lambda *a: _count(*a, factor=lambda h, w: 2 * h * w), "double"),
        Mistake("weights first", _mixed_up, "results"),
        Mistake("separable first", lambda *a: (*separable_cost(*a)[2:], *separable_cost(*a)[:2]), "results"),
        Mistake("9 taps always", lambda c, k, n, h, w: separable_cost(c, k, 3, h, w), "five"),
        Mistake(
            "kernel doubled",
            lambda *a: _count(*a, full=lambda c, k, n: c * k * 2 * n, separable=lambda c, k, n: c * 2 * n + c * k),
            "kernel",
        ),
        Mistake("depthwise with one side", _separable_as(lambda c, k, n: c * n + c * k), "kernel"),
        Mistake("full with one side", lambda *a: _count(*a, full=lambda c, k, n: c * k * n), "kernel"),
        Mistake("pointwise for inputs", _separable_as(lambda c, k, n: c * n**2 + c), "both parts"),
        Mistake("pointwise for outputs", _separable_as(lambda c, k, n: c * n**2 + k), "both parts"),
        Mistake("pointwise of inputs squared", _separable_as(lambda c, k, n: c * n**2 + c * c), "both parts"),
        Mistake("pointwise of outputs squared", _separable_as(lambda c, k, n: c * n**2 + k * k), "both parts"),
        Mistake("depthwise and full", _separable_as(lambda c, k, n: c * n**2 + c * k * n**2), "kernel"),
        Mistake("parts multiplied, once", _separable_as(lambda c, k, n: c * n**2 * k), "both parts"),
        Mistake("twice depthwise", _separable_as(lambda c, k, n: 2 * c * n**2 + c * k), "depthwise"),
        Mistake("full per input", lambda *a: _count(*a, full=lambda c, k, n: c * n**2), "full"),
        Mistake("full per output", lambda *a: _count(*a, full=lambda c, k, n: k * n**2), "full"),
        Mistake("full of both added", lambda *a: _count(*a, full=lambda c, k, n: (c + k) * n**2), "full"),
        Mistake("one column", lambda *a: _count(*a, factor=lambda h, w: h), "positions"),
        Mistake("height squared", lambda *a: _count(*a, factor=lambda h, w: h * h), "positions"),
        Mistake("width squared", lambda *a: _count(*a, factor=lambda h, w: w * w), "positions"),
        Mistake("positions added", lambda *a: _adds(*a, lambda n, h, w: n + h * w), "positions"),  # type: ignore[call-arg]
        Mistake(
            "without the border",
            lambda c, k, n, h, w: _adds(c, k, n, h, w, lambda m, h, w: m * (h - n + 1) * (w - n + 1)),
            "positions",
        ),
        Mistake(
            "with the padding",
            lambda c, k, n, h, w: _adds(c, k, n, h, w, lambda m, h, w: m * (h + n - 1) * (w + n - 1)),
            "positions",
        ),
        Mistake(
            "depthwise at one position",
            lambda c, k, n, h, w: (*separable_cost(c, k, n, h, w)[:3], c * n * n + c * k * h * w),
            "positions",
        ),
        Mistake(
            "pointwise at one position",
            lambda c, k, n, h, w: (*separable_cost(c, k, n, h, w)[:3], c * n * n * h * w + c * k),
            "positions",
        ),
        Mistake(
            "one bias per output",
            lambda c, k, n, h, w: _count(
                c, k, n, h, w, full=lambda c, k, n: c * k * n * n + k, separable=lambda c, k, n: c * n * n + c * k + k
            ),
            "bias",
        ),
        Mistake(
            "biases in all",
            lambda *a: _count(
                *a, full=lambda c, k, n: c * k * n * n + k, separable=lambda c, k, n: c * n * n + c * k + c + k
            ),
            "bias",
        ),
        Mistake("adds before weights", lambda *a: tuple(separable_cost(*a)[n] for n in (1, 0, 3, 2)), "results"),
        Mistake("multiplications before", lambda *a: tuple(separable_cost(*a)[n] for n in (1, 3, 0, 2)), "results"),
        Mistake("32 bits", lambda *a: tuple(int(np.int64(n).astype(np.int32)) for n in separable_cost(*a)), "large"),
        Mistake("32 bits without sign", lambda *a: tuple(n % 2**32 for n in separable_cost(*a)), "large"),
        Mistake("single precision", lambda *a: tuple(float(np.float32(n)) for n in separable_cost(*a)), "large"),
        Mistake("weights only", lambda *a: separable_cost(*a)[::2], "whole"),
        Mistake("shares", lambda *a: (separable_cost(*a)[2] / separable_cost(*a)[0],) * 2, "whole"),
        Mistake(
            "thousands and millions",
            lambda *a: tuple(n / m for n, m in zip(separable_cost(*a), (1e3, 1e6, 1e3, 1e6), strict=True)),
            "whole",
        ),
        Mistake("a ninth", lambda *a: _count(*a, separable=lambda c, k, n: c * k * n * n // 9), "both parts"),
        Mistake("kernel plus one", lambda c, k, n, h, w: separable_cost(c, k, n + 1, h, w), "kernel"),
        Mistake("channels added", _separable_as(lambda c, k, n: (c + k) * n**2), "both parts"),
    ),
    alternatives=(_with_layers, _with_the_ratio, _with_loops),
    points=2,
    minutes=10,
    difficulty=1,
)
