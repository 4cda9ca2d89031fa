"""Exercise 3.4: the transposed convolution by scattering."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson03.stuffing import stuff

STUB = '''
def transposed_convolution(values, kernel, stride):
    """Scatters h x w values, each times the k x k kernel: (stride (h - 1) + k) x (stride (w - 1) + k)."""
    raise NotImplementedError("Write transposed_convolution() here, then run this cell again.")
'''


def transposed_convolution(values: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """Scatters h x w values, each times the k x k kernel: (stride (h - 1) + k) x (stride (w - 1) + k)."""
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((stride * (h - 1) + k, stride * (w - 1) + k))
    for i in range(h):
        for j in range(w):
            output[stride * i : stride * i + k, stride * j : stride * j + k] += values[i, j] * kernel
    return output


def _by_taps(values, kernel, stride):  # type: ignore[no-untyped-def]
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((stride * (h - 1) + k, stride * (w - 1) + k))
    for a in range(k):
        for b in range(k):
            output[a : a + stride * (h - 1) + 1 : stride, b : b + stride * (w - 1) + 1 : stride] += (
                kernel[a, b] * values
            )
    return output


def _convolved(padded, kernel):  # type: ignore[no-untyped-def]
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return (windows * kernel).sum((2, 3))


def _by_stuffing(values, kernel, stride):  # type: ignore[no-untyped-def]
    return _convolved(stuff(values, stride, len(kernel) - 1), kernel[::-1, ::-1])


def _by_matrix(values, kernel, stride):  # type: ignore[no-untyped-def]
    (h, w), k = values.shape, len(kernel)
    height, width = stride * (h - 1) + k, stride * (w - 1) + k
    matrix = np.zeros((h, w, height, width))
    for i in range(h):
        for j in range(w):
            matrix[i, j, stride * i : stride * i + k, stride * j : stride * j + k] = kernel
    return np.tensordot(values, matrix, axes=2)


def _placed(values, kernel, stride, combine):  # type: ignore[no-untyped-def]
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((stride * (h - 1) + k, stride * (w - 1) + k))
    for i in range(h):
        for j in range(w):
            window = slice(stride * i, stride * i + k), slice(stride * j, stride * j + k)
            output[window] = combine(output[window], values[i, j] * kernel)
    return output


def _averaged(values, kernel, stride):  # type: ignore[no-untyped-def]
    reach = transposed_convolution(np.ones_like(values), np.ones_like(kernel), stride)
    return transposed_convolution(values, kernel, stride) / np.maximum(reach, 1)


def _cropped(values, kernel, stride):  # type: ignore[no-untyped-def]
    h, w = values.shape
    return transposed_convolution(values, kernel, stride)[: stride * h, : stride * w]


_TWO = np.array([[1.0, 2.0], [3.0, 4.0]])
_SLANTED = np.array([[1.0, 2.0], [3.0, 4.0]])


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


EXERCISE = Exercise(
    id="3.4",
    title="Transposed convolution by scattering",
    name="transposed_convolution",
    statement="""
Write `transposed_convolution(values, kernel, stride)` for one channel: every input value multiplies the whole kernel,
and the product is *added* to the output, from row $s\\,i$ and column $s\\,j$ on. The 2 x 2 input with a 3 x 3 kernel
and stride 2 becomes 5 x 5. The kernel is not turned.
""",
    stub=STUB,
    reference=transposed_convolution,
    cases=(
        Case(
            "2 x 2, a kernel of ones 3 x 3, stride 2",
            (_TWO, np.ones((3, 3)), 2),
            np.array([[1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4]]),
            "overlap",
        ),
        Case("one value", (np.array([[2.0]]), _SLANTED, 1), np.array([[2, 4], [6, 8]]), "turned"),
        Case(
            "no overlap",
            (np.array([[1.0, 10.0]]), _SLANTED, 2),
            np.array([[1, 2, 10, 20], [3, 4, 30, 40]]),
            "step",
        ),
        Case("3 x 4, kernel 3, stride 2", (_random(0, 3, 4), _random(1, 3, 3), 2)),
        Case("2 x 3, kernel 4, stride 3", (_random(2, 2, 3), _random(3, 4, 4), 3)),
        Case("a kernel smaller than the stride", (_random(4, 2, 2), _random(5, 2, 2), 3), hint="step"),
    ),
    hints={
        "general": Hint(
            "Begin with zeros of the output's size. Two loops over the input; each adds value * kernel to one window.",
            "output[s * i : s * i + k, s * j : s * j + k] += values[i, j] * kernel.",
        ),
        "overlap": Hint(
            "Where windows overlap, their products are added: none replaces another, and nothing is divided.",
            "+= instead of =, and no division at the end.",
        ),
        "turned": Hint(
            "The kernel is turned or mirrored. In the scattering view it is written as it is.",
            "Add values[i, j] * kernel, without [::-1, ::-1] and without .T.",
        ),
        "step": Hint(
            "From one window to the next it is one stride, whatever the size of the kernel.",
            "Windows begin at stride * i and stride * j.",
        ),
        "forward": Hint(
            "This is an ordinary convolution: it gathers, and its output is smaller. Here every pixel scatters.",
            "The output is larger than the input: stride * (h - 1) + k rows.",
        ),
        "crop": Hint(
            "The output is not cropped: the last pixel writes its whole kernel.",
            "Its size is stride * (h - 1) + k by stride * (w - 1) + k.",
        ),
        "swapped": Hint(
            "Rows and columns are exchanged somewhere: i counts rows and belongs to the first index.",
            "output[stride * i : ..., stride * j : ...].",
        ),
    },
    mistakes=(
        Mistake("replaces", lambda v, k, s: _placed(v, k, s, lambda old, new: new), "overlap"),
        Mistake("largest wins", lambda v, k, s: _placed(v, k, s, np.maximum), "overlap"),
        Mistake("averages", _averaged, "overlap"),
        Mistake("kernel turned", lambda v, k, s: transposed_convolution(v, k[::-1, ::-1], s), "turned"),
        Mistake("kernel transposed", lambda v, k, s: transposed_convolution(v, k.T, s), "turned"),
        Mistake("stride 1", lambda v, k, s: transposed_convolution(v, k, 1), "step"),
        Mistake("step of a kernel", lambda v, k, s: transposed_convolution(v, k, len(k)), "step"),
        Mistake("ordinary convolution", lambda v, k, s: _convolved(np.pad(v, len(k) - 1), k)[::s, ::s], "forward"),
        Mistake("cropped to stride x size", _cropped, "crop"),
        Mistake("rows and columns exchanged", lambda v, k, s: transposed_convolution(v, k, s).T, "swapped"),
        Mistake("input read transposed", lambda v, k, s: transposed_convolution(v.T, k, s), "swapped"),
    ),
    alternatives=(_by_taps, _by_stuffing, _by_matrix),
    points=4,
    minutes=25,
    difficulty=2,
)
