"""Exercise 3.2: what a transposed convolution lacks to give back the size that a convolution got."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def output_padding(size, kernel, stride, padding):
    """Rows that a transposed convolution must add so that a side of `size` pixels comes back."""
    raise NotImplementedError("Write output_padding() here, then run this cell again.")
'''


def output_padding(size: int, kernel: int, stride: int, padding: int) -> int:
    """Rows that a transposed convolution must add so that a side of `size` pixels comes back."""
    reduced = (size + 2 * padding - kernel) // stride + 1
    back = stride * (reduced - 1) + kernel - 2 * padding
    return size - back


def _by_the_remainder(size, kernel, stride, padding):  # type: ignore[no-untyped-def]
    return (size + 2 * padding - kernel) % stride


def _by_moving_the_kernel(size, kernel, stride, padding):  # type: ignore[no-untyped-def]
    end = kernel
    while end + stride <= size + 2 * padding:
        end += stride
    return size + 2 * padding - end


def _by_search(size, kernel, stride, padding):  # type: ignore[no-untyped-def]
    for missing in itertools.count():
        if (size - missing + 2 * padding - kernel) % stride == 0:
            return missing


def _reduced(n, k, s, p):  # type: ignore[no-untyped-def]
    return (n + 2 * p - k) // s + 1


def _reduced_up(n, k, s, p):  # type: ignore[no-untyped-def]
    return -(-(n + 2 * p - k) // s) + 1


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    kernel, stride = (int(generator.integers(1, most)) for most in (10, 8))
    size = int(generator.integers(kernel, kernel + 90))
    return size, kernel, stride, int(generator.integers(0, kernel // 2 + 1))


EXERCISE = Exercise(
    id="3.2",
    title="What the way back lacks",
    name="output_padding",
    statement="""
A convolution takes a side of $n$ pixels to $m$. A transposed convolution with the same kernel, stride and padding makes
$s\\,(m - 1) + k - 2p$ pixels of them, by lesson 3. Is that $n$ again? Not always: sides of 5 and of 6 become 2 with a
kernel of 3 and stride 2, and 2 can become only one of them. PyTorch's transposed layer therefore has an argument
`output_padding`: so many rows and columns more, at the end.

Write `output_padding(size, kernel, stride, padding)`: the number with which a side of `size` pixels comes back as it
was. The convolution rounds down, as PyTorch does, and its kernel fits into the padded side.
""",
    stub=STUB,
    reference=output_padding,
    drawn=_drawn,
    cases=(
        Case("5 pixels, kernel 3, stride 2: comes back", (5, 3, 2, 0), 0),
        Case("6 pixels, kernel 3, stride 2", (6, 3, 2, 0), 1),
        Case("7 x 7, stride 2, padding 3, of 224 pixels", (224, 7, 2, 3), 1),
        Case("stride 1 loses nothing", (9, 3, 1, 1), 0),
        Case("stride 4, kernel 3, padding 1, 10 pixels", (10, 3, 4, 1), 1),
        Case("the same, 11 pixels", (11, 3, 4, 1), 2),
        Case("the same, 12 pixels", (12, 3, 4, 1), 3),
        Case("the same, 13 pixels", (13, 3, 4, 1), 0),
        Case("a kernel shorter than the stride", (9, 2, 5, 0), 2),
        Case("a kernel of one pixel", (8, 1, 3, 0), 1),
        Case("the kernel fits once", (3, 5, 4, 2), 2),
        Case("wide padding", (7, 3, 5, 2), 3),
        Case("stride 32, kernel 64, padding 16", (500, 64, 32, 16), 20),
        Case("one pixel", (1, 1, 3, 0), 0),
    ),
    hints={
        "general": Hint(
            "Go down, go back, and compare with where you began.",
            "Two formulas, one after the other: the size that the convolution makes, then the size that the transposed "
            "one makes of that. What is missing is a difference.",
        ),
        "rest": Hint(
            "Asked for is what the division on the way down leaves over: the pixels that no window reached.",
            "Not what is missing up to one more window, and not the quotient: n minus what comes back.",
        ),
        "padding": Hint(
            "Padding counts at both ends: it is added before the way down, and cut off after the way back.",
            "2 * padding in both formulas, with opposite signs.",
        ),
        "kernel": Hint(
            "The kernel counts in both formulas: it must fit into the side, and the last window is a whole one.",
            "- kernel on the way down, + kernel on the way back.",
        ),
        "one": Hint(
            "The kernel stands at its first place before it moves: there is one place more than there are steps.",
            "m = (n + 2p - k) // s + 1, and s * (m - 1) on the way back.",
        ),
        "sign": Hint(
            "The way back gives too few pixels, never too many: the missing number is positive.",
            "size minus what comes back.",
        ),
        "always": Hint(
            "How many are missing depends on the size: from 0 up to stride - 1.",
            "Compute the two sizes; no fixed number.",
        ),
        "count": Hint(
            "More than one row can be missing, if the stride is 3 or more.",
            "Return the difference itself, not whether there is one.",
        ),
        "difference": Hint(
            "Not the size itself is wanted, but how much is missing to get back to the first one.",
            "size - (s * (m - 1) + k - 2 * p).",
        ),
        "up": Hint(
            "Here the convolution rounds down: pixels that do not fill a window are not read.",
            "Use // for the way down.",
        ),
    },
    mistakes=(
        Mistake("up to one more window", lambda n, k, s, p: s - (n + 2 * p - k) % s, "rest"),
        Mistake("up to one more window, or none", lambda n, k, s, p: -(n + 2 * p - k) % s, "rest"),
        Mistake("the quotient", lambda n, k, s, p: (n + 2 * p - k) // s, "rest"),
        Mistake("the remainder as a share", lambda n, k, s, p: (n + 2 * p - k) % s / s, "rest"),
        Mistake("padding forgotten", lambda n, k, s, p: (n - k) % s, "padding"),
        Mistake("padding at one side", lambda n, k, s, p: (n + p - k) % s, "padding"),
        Mistake("padding subtracted", lambda n, k, s, p: (n - 2 * p - k) % s, "padding"),
        Mistake("padding not cut off", lambda n, k, s, p: n - (s * (_reduced(n, k, s, p) - 1) + k), "padding"),
        Mistake("padding cut off once", lambda n, k, s, p: n - (s * (_reduced(n, k, s, p) - 1) + k - p), "padding"),
        Mistake(
            "padding added on the way back",
            lambda n, k, s, p: n - (s * (_reduced(n, k, s, p) - 1) + k + 2 * p),
            "padding",
        ),
        Mistake("remainder of the size", lambda n, k, s, p: n % s, "kernel"),
        Mistake("remainder without the kernel", lambda n, k, s, p: (n + 2 * p) % s, "kernel"),
        Mistake(
            "kernel left out on the way back", lambda n, k, s, p: n - (s * (_reduced(n, k, s, p) - 1) - 2 * p), "kernel"
        ),
        Mistake("kernel added on the way down", lambda n, k, s, p: (n + 2 * p + k) % s, "kernel"),
        Mistake("one too many in the remainder", lambda n, k, s, p: (n + 2 * p - k + 1) % s, "one"),
        Mistake("one too few in the remainder", lambda n, k, s, p: (n + 2 * p - k - 1) % s, "one"),
        Mistake("as many steps as places", lambda n, k, s, p: n - (s * _reduced(n, k, s, p) + k - 2 * p), "one"),
        Mistake("places counted as steps", lambda n, k, s, p: n - (s * (_reduced(n, k, s, p) - 2) + k - 2 * p), "one"),
        Mistake("stride times places", lambda n, k, s, p: n - s * _reduced(n, k, s, p), "one"),
        Mistake("negative", lambda n, k, s, p: -((n + 2 * p - k) % s), "sign"),
        Mistake("stride - 1", lambda n, k, s, p: s - 1, "always"),
        Mistake("always one", lambda n, k, s, p: 1, "always"),
        Mistake("never any", lambda n, k, s, p: 0, "always"),
        Mistake("one for even sizes", lambda n, k, s, p: int(n % 2 == 0), "always"),
        Mistake("whether any is missing", lambda n, k, s, p: int((n + 2 * p - k) % s > 0), "count"),
        Mistake("at most one", lambda n, k, s, p: min((n + 2 * p - k) % s, 1), "count"),
        Mistake("true or false", lambda n, k, s, p: (n + 2 * p - k) % s != 0, "count"),
        Mistake("what comes back", lambda n, k, s, p: s * (_reduced(n, k, s, p) - 1) + k - 2 * p, "difference"),
        Mistake("what the convolution makes", lambda n, k, s, p: _reduced(n, k, s, p), "difference"),
        Mistake("size less the convolution's", lambda n, k, s, p: n - _reduced(n, k, s, p), "difference"),
        Mistake("rounded up on the way", lambda n, k, s, p: n - (s * (_reduced_up(n, k, s, p) - 1) + k - 2 * p), "up"),
    ),
    alternatives=(_by_the_remainder, _by_moving_the_kernel, _by_search),
    points=2,
    minutes=8,
    difficulty=1,
)
