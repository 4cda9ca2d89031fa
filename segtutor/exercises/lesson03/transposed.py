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


def _strided(values, kernel, down, across):  # type: ignore[no-untyped-def]
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((down * (h - 1) + k, across * (w - 1) + k))
    for i, j in np.ndindex(h, w):
        output[down * i : down * i + k, across * j : across * j + k] += values[i, j] * kernel
    return output


def _windows_one_apart(values, kernel, stride):  # type: ignore[no-untyped-def]
    output = np.zeros_like(transposed_convolution(values, kernel, stride))
    dense = transposed_convolution(values, kernel, 1)
    output[: len(dense), : dense.shape[1]] = dense
    return output


def _margin(output, margin):  # type: ignore[no-untyped-def]
    return output[margin : len(output) - margin, margin : output.shape[1] - margin]


def _valid(values, kernel, stride):  # type: ignore[no-untyped-def]
    if min(values.shape) < len(kernel):
        return np.zeros((0, 0))
    return _convolved(values, kernel)[::stride, ::stride]


def _square(values, kernel, stride):  # type: ignore[no-untyped-def]
    side = min(values.shape)
    return transposed_convolution(values[:side, :side], kernel, stride)


def _exchanged(values, kernel, stride):  # type: ignore[no-untyped-def]
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((stride * (w - 1) + k, stride * (h - 1) + k))
    for i, j in np.ndindex(h, w):
        output[stride * i : stride * i + k, stride * j : stride * j + k] += values[i, j] * kernel
    return output


def _first(kernel, value):  # type: ignore[no-untyped-def]
    single = np.zeros_like(kernel)
    single[0, 0] = value
    return single


def _plus(values, kernel, stride):  # type: ignore[no-untyped-def]
    ones = transposed_convolution(np.ones_like(values), kernel, stride)
    return ones + transposed_convolution(values, np.ones_like(kernel), stride)


def _repeated(values, kernel, stride):  # type: ignore[no-untyped-def]
    return _convolved(np.pad(values.repeat(stride, 0).repeat(stride, 1), len(kernel) - 1), kernel)


def _last_as_0(values):  # type: ignore[no-untyped-def]
    return values * (np.arange(len(values)) < len(values) - 1)[:, None]


EXERCISE = Exercise(
    id="3.4",
    title="Transposed convolution by scattering",
    name="transposed_convolution",
    statement="""
Write `transposed_convolution(values, kernel, stride)` for one channel, h x w and k x k floats: every input
value multiplies the whole kernel, and the product is *added* to the output, from row $s\\,i$ and column $s\\,j$ on. The
2 x 2 input with a 3 x 3 kernel and stride 2 becomes 5 x 5. The kernel is not turned.
""",
    stub=STUB,
    reference=transposed_convolution,
    cases=(
        Case(
            "2 x 2, a kernel of ones 3 x 3, stride 2",
            (_TWO, np.ones((3, 3)), 2),
            np.array([[1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4]]),
        ),
        Case("one value", (np.array([[2.0]]), _SLANTED, 1), np.array([[2, 4], [6, 8]])),
        Case(
            "no overlap",
            (np.array([[1.0, 10.0]]), _SLANTED, 2),
            np.array([[1, 2, 10, 20], [3, 4, 30, 40]]),
        ),
        Case("3 x 4, kernel 3, stride 2", (_random(0, 3, 4), _random(1, 3, 3), 2)),
        Case("2 x 3, kernel 4, stride 3", (_random(2, 2, 3), _random(3, 4, 4), 3)),
        Case("a kernel smaller than the stride", (_random(4, 2, 2), _random(5, 2, 2), 3)),
        Case("4 x 2, kernel 5, stride 1", (_random(6, 4, 2), _random(7, 5, 5), 1)),
    ),
    hints={
        "general": Hint(
            "Begin with zeros of the output's size. Two loops over the input; each adds value * kernel to one window.",
            "The output ends where the kernel of the last pixel ends. The window of a pixel begins at stride times "
            "its row and column and is as large as the kernel. Windows overlap, so add to what is already there.",
        ),
        "overlap": Hint(
            "Where windows overlap, their products are added: none replaces another, and nothing is divided.",
            "+= instead of =, and no division at the end.",
        ),
        "turned": Hint(
            "In the scattering view the kernel is written as it is: not turned, not mirrored, not transposed.",
            "Add values[i, j] * kernel, without [::-1, ::-1] and without .T.",
        ),
        "step": Hint(
            "From one window to the next it is one stride, whatever the size of the kernel.",
            "Windows begin at stride * i and stride * j.",
        ),
        "forward": Hint(
            "An ordinary convolution gathers, and its output is smaller or as large. Here every pixel scatters.",
            "The output is larger than the input: stride * (h - 1) + k rows.",
        ),
        "crop": Hint(
            "The output ends with the last kernel, which is written whole: nothing is cropped, and nothing follows.",
            "Its size is stride * (h - 1) + k by stride * (w - 1) + k.",
        ),
        "swapped": Hint(
            "A map need not be square: i counts the h rows and belongs to the first index, j the w columns.",
            "output[stride * i : ..., stride * j : ...].",
        ),
        "whole": Hint(
            "Every value writes k x k numbers: the whole kernel, each number of it times the value.",
            "output[window] += values[i, j] * kernel.",
        ),
        "numbers": Hint(
            "The products keep their decimals and their sign.", "np.zeros(...) holds floats; no astype(int)."
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
        Mistake(
            "first wins", lambda v, k, s: _placed(v, k, s, lambda old, new: np.where(old == 0, new, old)), "overlap"
        ),
        Mistake("smallest wins", lambda v, k, s: _placed(v, k, s, np.minimum), "overlap"),
        Mistake("averaged pairwise", lambda v, k, s: _placed(v, k, s, lambda old, new: (old + new) / 2), "overlap"),
        Mistake(
            "multiplied", lambda v, k, s: _placed(v, k, s, lambda old, new: np.where(old, old, 1) * new), "overlap"
        ),
        Mistake("upside down", lambda v, k, s: transposed_convolution(v, k[::-1], s), "turned"),
        Mistake("mirrored", lambda v, k, s: transposed_convolution(v, k[:, ::-1], s), "turned"),
        Mistake("turned by 90 degrees", lambda v, k, s: transposed_convolution(v, np.rot90(k), s), "turned"),
        Mistake("windows one apart in the right size", _windows_one_apart, "step"),
        Mistake("stride in rows only", lambda v, k, s: _strided(v, k, s, 1), "step"),
        Mistake("stride in columns only", lambda v, k, s: _strided(v, k, 1, s), "step"),
        Mistake("one stride too far", lambda v, k, s: transposed_convolution(v, k, s + 1), "step"),
        Mistake("a stride too large", lambda v, k, s: np.pad(transposed_convolution(v, k, s), (0, s)), "crop"),
        Mistake("a pixel too large", lambda v, k, s: np.pad(transposed_convolution(v, k, s), (0, 1)), "crop"),
        Mistake("stride - 1 too large", lambda v, k, s: np.pad(transposed_convolution(v, k, s), (0, s - 1)), "crop"),
        Mistake("a pixel cropped", lambda v, k, s: transposed_convolution(v, k, s)[:-1, :-1], "crop"),
        Mistake("a margin of 1 cropped", lambda v, k, s: transposed_convolution(v, k, s)[1:-1, 1:-1], "crop"),
        Mistake("half a kernel cropped", lambda v, k, s: _margin(transposed_convolution(v, k, s), len(k) // 2), "crop"),
        Mistake("kernel - 1 cropped", lambda v, k, s: _margin(transposed_convolution(v, k, s), len(k) - 1), "crop"),
        Mistake("convolution without a border", _valid, "forward"),
        Mistake(
            "convolution with a border", lambda v, k, s: _convolved(np.pad(v, len(k) // 2), k)[::s, ::s], "forward"
        ),
        Mistake("convolution with a border of 1", lambda v, k, s: _valid(np.pad(v, 1), k, s), "forward"),
        Mistake("stuffed, not turned", lambda v, k, s: _convolved(stuff(v, s, len(k) - 1), k), "turned"),
        Mistake("stuffed without a border", lambda v, k, s: _valid(stuff(v, s, 0), k[::-1, ::-1], 1), "crop"),
        Mistake("first rows and columns as a square", _square, "swapped"),
        Mistake("size exchanged", lambda v, k, s: _exchanged(v, k, s), "swapped"),
        Mistake("kernel without the value", lambda v, k, s: transposed_convolution(np.ones_like(v), k, s), "whole"),
        Mistake("value without the kernel", lambda v, k, s: transposed_convolution(v, np.ones_like(k), s), "whole"),
        Mistake("sum in the first pixel", lambda v, k, s: transposed_convolution(v, _first(k, k.sum()), s), "whole"),
        Mistake("first weight alone", lambda v, k, s: transposed_convolution(v, _first(k, k[0, 0]), s), "whole"),
        Mistake("kernel divided by its sum", lambda v, k, s: transposed_convolution(v, k / k.sum(), s), "whole"),
        Mistake("kernel added", lambda v, k, s: _plus(v, k, s), "whole"),
        Mistake("decimals cut off", lambda v, k, s: transposed_convolution(v, k, s).astype(int), "numbers"),
        Mistake(
            "negative products left out", lambda v, k, s: np.maximum(transposed_convolution(v, k, s), 0), "numbers"
        ),
        Mistake("pixels repeated, then convolved", _repeated, "forward"),
        Mistake("last column left out", lambda v, k, s: transposed_convolution(_last_as_0(v.T).T, k, s), "whole"),
        Mistake("last row left out", lambda v, k, s: transposed_convolution(_last_as_0(v), k, s), "whole"),
        Mistake("diagonal alone", lambda v, k, s: transposed_convolution(v * np.eye(*v.shape), k, s), "whole"),
        Mistake("sum of the values", lambda v, k, s: transposed_convolution(np.full_like(v, v.sum()), k, s), "whole"),
    ),
    alternatives=(_by_taps, _by_stuffing, _by_matrix),
    points=4,
    minutes=25,
    difficulty=2,
)
