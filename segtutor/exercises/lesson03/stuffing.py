"""Exercise 3.3: the input with zeros over which an ordinary convolution does what a transposed one does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded

STUB = '''
def stuff(values, kernel, stride, padding):
    """The h x w map with zeros in it, over which a convolution of stride 1 gives the transposed one's result."""
    raise NotImplementedError("Write stuff() here, then run this cell again.")
'''


def stuff(values: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    """The h x w map with zeros in it, over which a convolution of stride 1 gives the transposed one's result."""
    h, w = values.shape
    spread = np.zeros(((h - 1) * stride + 1, (w - 1) * stride + 1))
    spread[::stride, ::stride] = values
    border = kernel - 1 - padding
    if border < 0:
        return spread[-border:border, -border:border]
    return np.pad(spread, border)


def _pixel_by_pixel(values, kernel, stride, padding):  # type: ignore[no-untyped-def]
    h, w = values.shape
    border = kernel - 1 - padding
    result = np.zeros((2 * border + (h - 1) * stride + 1, 2 * border + (w - 1) * stride + 1))
    for i, j in np.ndindex(h, w):
        row, column = border + stride * i, border + stride * j
        if 0 <= row < result.shape[0] and 0 <= column < result.shape[1]:
            result[row, column] = values[i, j]
    return result


def _kronecker(values, kernel, stride, padding):  # type: ignore[no-untyped-def]
    corner = np.zeros((stride, stride))
    corner[0, 0] = 1
    cut = 1 - stride or None
    padded = np.pad(np.kron(values, corner)[:cut, :cut], kernel - 1)
    return padded[padding : padded.shape[0] - padding, padding : padded.shape[1] - padding]


def _with_torch(values, kernel, stride, padding):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    one = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    spread = F.conv_transpose2d(torch.as_tensor(values)[None, None], one, stride=stride)
    return F.pad(spread, [kernel - 1 - padding] * 4)[0, 0]


def _spread(values, stride, border):  # type: ignore[no-untyped-def]
    """Zeros between the pixels, and a border of zeros, which may be negative."""
    return stuff(values, border + 1, stride, 0)


def _to_the_end(values, stride, border):  # type: ignore[no-untyped-def]
    spread = np.zeros((values.shape[0] * stride, values.shape[1] * stride))
    spread[::stride, ::stride] = values
    return np.pad(spread, border)


def _rows_only(values, stride, border):  # type: ignore[no-untyped-def]
    spread = np.zeros(((values.shape[0] - 1) * stride + 1, values.shape[1]))
    spread[::stride] = values
    return np.pad(spread, border)


_TWO = np.array([[1.0, 2.0], [3.0, 4.0]])
_RANDOM = seeded(0).normal(size=(3, 4))


def _on_ones(values, stride, border):  # type: ignore[no-untyped-def]
    return np.pad(np.where(_spread(np.ones_like(values), stride, 0) > 0, _spread(values, stride, 0), 1), border)


def _repeated(values, stride, border):  # type: ignore[no-untyped-def]
    h, w = values.shape
    return np.pad(values.repeat(stride, 0).repeat(stride, 1)[: (h - 1) * stride + 1, : (w - 1) * stride + 1], border)


def _exchanged(values, stride, border):  # type: ignore[no-untyped-def]
    h, w = values.shape
    spread = np.zeros(((w - 1) * stride + 1, (h - 1) * stride + 1))
    spread[::stride, ::stride] = values
    return np.pad(spread, border)


def _interpolated(values, stride, border):  # type: ignore[no-untyped-def]
    def rows(count):  # type: ignore[no-untyped-def]
        places = np.arange((count - 1) * stride + 1) / stride
        return np.maximum(1 - abs(places[:, None] - np.arange(count)), 0)

    return np.pad(rows(values.shape[0]) @ values @ rows(values.shape[1]).T, border)


def _border(answer):  # type: ignore[no-untyped-def]
    """An answer from ``answer(values, stride, border)``, which cuts where the border is negative."""

    def wrong(values, kernel, stride, padding):  # type: ignore[no-untyped-def]
        border = kernel - 1 - padding
        if border >= 0:
            return answer(values, stride, border)
        whole = answer(values, stride, 0)
        return whole[-border:border, -border:border]

    return wrong


def _bordered(border: Callable[[int, int, int], int]) -> Callable[..., np.ndarray]:
    """An answer with another border, from ``border(kernel, stride, padding)``."""
    return lambda values, kernel, stride, padding: _spread(values, stride, border(kernel, stride, padding))


EXERCISE = Exercise(
    id="3.3",
    title="Zeros between the pixels",
    name="stuff",
    statement="""
The second way of lesson 3 put zeros between the pixels and $k - 1$ zeros around them. There the transposed convolution
had no padding. Now it has: its result is to be smaller by `padding` pixels at each side, *without* computing the larger
one first. So another border belongs around the pixels.

Write `stuff(values, kernel, stride, padding)` for one channel, h x w floats: the input over which an ordinary
convolution of stride 1, without padding of its own and with a turned kernel of side `kernel`, gives exactly what
PyTorch's transposed convolution gives for `values` with this stride and padding. The padding may be larger than
$k - 1$. What does a border of less than nothing mean?
""",
    stub=STUB,
    reference=stuff,
    cases=(
        Case("kernel 1, stride 2, no padding", (_TWO, 1, 2, 0), np.array([[1, 0, 2], [0, 0, 0], [3, 0, 4]])),
        Case("kernel 3, stride 1, padding 1", (_TWO, 3, 1, 1), np.pad(_TWO, 1)),
        Case(
            "one pixel, kernel 2, stride 3", (np.array([[5.0]]), 2, 3, 0), np.array([[0, 0, 0], [0, 5, 0], [0, 0, 0]])
        ),
        Case("a row, kernel 3, stride 3, padding 2", (np.array([[1.0, 2.0]]), 3, 3, 2), np.array([[1, 0, 0, 2]])),
        Case(
            "kernel 1, stride 2, padding 1", (np.arange(9.0).reshape(3, 3), 1, 2, 1), np.diag([0, 4, 0.0]), "negative"
        ),
        Case("3 x 4, kernel 5, stride 3, padding 2", (_RANDOM, 5, 3, 2)),
        Case("a column, kernel 4, stride 4", (_RANDOM[:, :1], 4, 4, 0)),
        Case("4 x 3, kernel 4, stride 2, padding 2", (_RANDOM.T.copy(), 4, 2, 2)),
        Case("3 x 4, kernel 2, stride 3, padding 3", (_RANDOM, 2, 3, 3), hint="negative"),
    ),
    hints={
        "general": Hint(
            "Zeros between the pixels first. Then ask how far the turned kernel may reach over the edge.",
            "Without padding the kernel first touches a pixel with its last weight alone: kernel - 1 zeros. Each pixel "
            "of padding takes one position away at either end, and a zero with it; where no zeros are left, a row of "
            "the map.",
        ),
        "gap": Hint(
            "The stride is the distance from pixel to pixel, so there is one zero less than that between them.",
            "stride - 1 zeros: pixel i lies at stride * i.",
        ),
        "end": Hint(
            "Zeros lie between pixels only. After the last one nothing follows but the border.",
            "The side before the border is (h - 1) * stride + 1.",
        ),
        "padding": Hint(
            "Padding of a transposed convolution takes pixels off its result, so the border becomes narrower.",
            "kernel - 1 - padding zeros at each side.",
        ),
        "negative": Hint(
            "Where the padding is larger than kernel - 1, rows and columns of the spread map itself fall away.",
            "border = kernel - 1 - padding; if it is negative, cut -border rows and columns off at each side.",
        ),
        "border": Hint(
            "The border is equally wide on all four sides. It comes last and is not stuffed.",
            "First spread[::stride, ::stride] = values, then np.pad(spread, kernel - 1 - padding).",
        ),
        "zeros": Hint(
            "What is put between and around is zero, never a copy of a pixel.",
            "Start from np.zeros, and pad with zeros.",
        ),
        "axes": Hint(
            "Rows and columns are stuffed alike, and a map need not be square: height and width keep their places.",
            "h, w = values.shape; spread[::stride, ::stride] = values.",
        ),
        "numbers": Hint(
            "The values themselves do not change: they keep their decimals and their sign.",
            "spread = np.zeros(...), which holds floats; no int, no factor.",
        ),
    },
    mistakes=(
        Mistake("padding forgotten", _bordered(lambda k, s, p: k - 1), "padding"),
        Mistake("padding as the border", _bordered(lambda k, s, p: p), "padding"),
        Mistake("padding added", _bordered(lambda k, s, p: k - 1 + p), "padding"),
        Mistake("no border at all", _bordered(lambda k, s, p: 0), "padding"),
        Mistake("padding halved", _bordered(lambda k, s, p: k - 1 - p // 2), "padding"),
        Mistake("padding twice", _bordered(lambda k, s, p: k - 1 - 2 * p), "padding"),
        Mistake("half a kernel", _bordered(lambda k, s, p: k // 2), "padding"),
        Mistake("negative as none", _bordered(lambda k, s, p: max(k - 1 - p, 0)), "negative"),
        Mistake("negative turned around", _bordered(lambda k, s, p: abs(k - 1 - p)), "negative"),
        Mistake("np.pad with a negative number", lambda v, k, s, p: np.pad(_spread(v, s, 0), k - 1 - p), "negative"),
        Mistake("kernel less padding", _bordered(lambda k, s, p: k - p), "border"),
        Mistake("kernel - 2 less padding", _bordered(lambda k, s, p: k - 2 - p), "border"),
        Mistake("as many zeros as the stride", _border(lambda v, s, b: _spread(v, s + 1, b)), "gap"),
        Mistake("one zero too few", _border(lambda v, s, b: _spread(v, max(1, s - 1), b)), "gap"),
        Mistake("zeros after the last pixel", _border(_to_the_end), "end"),
        Mistake(
            "border above and left only", _border(lambda v, s, b: np.pad(_spread(v, s, 0), ((b, 0), (b, 0)))), "border"
        ),
        Mistake("border twice as wide", _border(lambda v, s, b: _spread(v, s, 2 * b)), "border"),
        Mistake("border stuffed, too", _border(lambda v, s, b: _spread(v, s, b * s)), "border"),
        Mistake("pixels repeated", _border(lambda v, s, b: np.pad(v.repeat(s, 0).repeat(s, 1), b)), "zeros"),
        Mistake("border repeats the edge", _border(lambda v, s, b: np.pad(_spread(v, s, 0), b, mode="edge")), "zeros"),
        Mistake("rows only", _border(_rows_only), "axes"),
        Mistake("columns only", _border(lambda v, s, b: _rows_only(v.T, s, b).T), "axes"),
        Mistake("border at stride distance", _border(lambda v, s, b: _spread(v, s, b + s - 1)), "border"),
        Mistake("border above only", _border(lambda v, s, b: np.pad(_spread(v, s, 0), ((b, 0), (0, 0)))), "border"),
        Mistake(
            "border above and below only", _border(lambda v, s, b: np.pad(_spread(v, s, 0), ((b, b), (0, 0)))), "border"
        ),
        Mistake(
            "border left and right only", _border(lambda v, s, b: np.pad(_spread(v, s, 0), ((0, 0), (b, b)))), "border"
        ),
        Mistake(
            "border below and right only", _border(lambda v, s, b: np.pad(_spread(v, s, 0), ((0, b), (0, b)))), "border"
        ),
        Mistake("zeros after the last, no border", _border(lambda v, s, b: _to_the_end(v, s, 0)), "end"),
        Mistake("zeros before the first", _border(lambda v, s, b: _to_the_end(v[::-1, ::-1], s, b)[::-1, ::-1]), "end"),
        Mistake("stride zeros after each", _border(lambda v, s, b: _to_the_end(v, s + 1, b)), "gap"),
        Mistake("no zeros between", _border(lambda v, s, b: np.pad(v, b)), "gap"),
        Mistake("always one zero between", _border(lambda v, s, b: _spread(v, 2, b)), "gap"),
        Mistake("ones between", _border(lambda v, s, b: _on_ones(v, s, b)), "zeros"),
        Mistake("border of ones", _border(lambda v, s, b: np.pad(_spread(v, s, 0), b, constant_values=1)), "zeros"),
        Mistake("border mirrors", _border(lambda v, s, b: np.pad(_spread(v, s, 0), b, mode="symmetric")), "zeros"),
        Mistake("border wraps", _border(lambda v, s, b: np.pad(_spread(v, s, 0), b, mode="wrap")), "zeros"),
        Mistake("pixels repeated up to the last", _border(lambda v, s, b: _repeated(v, s, b)), "zeros"),
        Mistake("height and width exchanged", _border(lambda v, s, b: _spread(v.T, s, b)), "axes"),
        Mistake("a square", _border(lambda v, s, b: _spread(v[: min(v.shape), : min(v.shape)], s, b)), "axes"),
        Mistake("size exchanged", _border(_exchanged), "axes"),
        Mistake("decimals cut off", _border(lambda v, s, b: _spread(v, s, b).astype(int)), "numbers"),
        Mistake("absolute values", _border(lambda v, s, b: abs(_spread(v, s, b))), "numbers"),
        Mistake(
            "at the upper left", _border(lambda v, s, b: np.pad(_spread(v, s, 0), ((0, 2 * b), (0, 2 * b)))), "border"
        ),
        Mistake(
            "at the lower right", _border(lambda v, s, b: np.pad(_spread(v, s, 0), ((2 * b, 0), (2 * b, 0)))), "border"
        ),
        Mistake("interpolated", _border(_interpolated), "zeros"),
        Mistake("values in the border's corner", _border(lambda v, s, b: _spread(v, s, b)[::-1, ::-1]), "axes"),
    ),
    alternatives=(_pixel_by_pixel, _kronecker, _with_torch),
    points=3,
    minutes=20,
    difficulty=2,
)
