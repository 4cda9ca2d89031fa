"""Exercise 3.3: zeros between the pixels, the first half of a transposed convolution."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def stuff(values, stride, border):
    """Puts stride - 1 zeros between the neighbors of an h x w map, and a border of zeros around it."""
    raise NotImplementedError("Write stuff() here, then run this cell again.")
'''


def stuff(values: np.ndarray, stride: int, border: int) -> np.ndarray:
    """Puts stride - 1 zeros between the neighbors of an h x w map, and a border of zeros around it."""
    h, w = values.shape
    spread = np.zeros(((h - 1) * stride + 1, (w - 1) * stride + 1))
    spread[::stride, ::stride] = values
    return np.pad(spread, border)


def _with_loops(values, stride, border):  # type: ignore[no-untyped-def]
    h, w = values.shape
    result = np.zeros((2 * border + (h - 1) * stride + 1, 2 * border + (w - 1) * stride + 1))
    for i in range(h):
        for j in range(w):
            result[border + stride * i, border + stride * j] = values[i, j]
    return result


def _by_kronecker(values, stride, border):  # type: ignore[no-untyped-def]
    corner = np.zeros((stride, stride))
    corner[0, 0] = 1
    spread = np.kron(values, corner)
    cut = 1 - stride or None
    return np.pad(spread[:cut, :cut], border)


def _by_products(values, stride, border):  # type: ignore[no-untyped-def]
    def places(count):  # type: ignore[no-untyped-def]
        matrix = np.zeros((2 * border + (count - 1) * stride + 1, count))
        matrix[border + stride * np.arange(count), np.arange(count)] = 1
        return matrix

    return places(values.shape[0]) @ values @ places(values.shape[1]).T


def _to_the_end(values, stride, border):  # type: ignore[no-untyped-def]
    spread = np.zeros((values.shape[0] * stride, values.shape[1] * stride))
    spread[::stride, ::stride] = values
    return np.pad(spread, border)


def _rows_only(values, stride, border):  # type: ignore[no-untyped-def]
    spread = np.zeros(((values.shape[0] - 1) * stride + 1, values.shape[1]))
    spread[::stride] = values
    return np.pad(spread, border)


_TWO = np.array([[1.0, 2.0], [3.0, 4.0]])
_RANDOM = np.random.default_rng(0).normal(size=(3, 4))


def _on_ones(values, stride, border):  # type: ignore[no-untyped-def]
    return np.pad(np.where(stuff(np.ones_like(values), stride, 0) > 0, stuff(values, stride, 0), 1), border)


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


EXERCISE = Exercise(
    id="3.3",
    title="Zeros between the pixels",
    name="stuff",
    statement="""
A transposed convolution of stride $s$ is an ordinary convolution of stride 1 over an input that was *stuffed*: between
neighboring pixels, $s - 1$ zeros; around all, a border of zeros. Write `stuff(values, stride, border)` for one channel,
h x w, of floats. After the last pixel come no zeros but those of the border.
""",
    stub=STUB,
    reference=stuff,
    cases=(
        Case("2 x 2, stride 2, no border", (_TWO, 2, 0), np.array([[1, 0, 2], [0, 0, 0], [3, 0, 4]])),
        Case("stride 1, border 1", (_TWO, 1, 1), np.pad(_TWO, 1)),
        Case("one pixel, stride 3, border 1", (np.array([[5.0]]), 3, 1), np.array([[0, 0, 0], [0, 5, 0], [0, 0, 0]])),
        Case("a row, stride 3", (np.array([[1.0, 2.0]]), 3, 0), np.array([[1, 0, 0, 2]])),
        Case("3 x 4, stride 3, border 2", (_RANDOM, 3, 2)),
        Case("a column, stride 4, border 3", (_RANDOM[:, :1], 4, 3)),
        Case("4 x 3, stride 2, border 1", (_RANDOM.T.copy(), 2, 1)),
    ),
    hints={
        "general": Hint(
            "First an array of zeros that is large enough, then the values at every stride-th place, then the border.",
            "How many rows lie between the first and the last pixel, both counted in? A slice with a step reaches "
            "exactly the places of the old pixels, so one assignment fills them all. For the border there is a "
            "function of NumPy.",
        ),
        "gap": Hint(
            "The stride is the distance from pixel to pixel, so there is one zero less than that between them.",
            "stride - 1 zeros: pixel i lies at stride * i.",
        ),
        "end": Hint(
            "Zeros lie between pixels only. After the last one nothing follows but the border.",
            "The side before the border is (h - 1) * stride + 1.",
        ),
        "border": Hint(
            "The border has exactly `border` zeros on each of the four sides. It comes last and is not stuffed.",
            "First spread[::stride, ::stride] = values, then np.pad(spread, border).",
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
        Mistake("as many zeros as the stride", lambda v, s, b: stuff(v, s + 1, b), "gap"),
        Mistake("one zero too few", lambda v, s, b: stuff(v, max(1, s - 1), b), "gap"),
        Mistake("zeros after the last pixel", _to_the_end, "end"),
        Mistake("border forgotten", lambda v, s, b: stuff(v, s, 0), "border"),
        Mistake("border above and left only", lambda v, s, b: np.pad(stuff(v, s, 0), ((b, 0), (b, 0))), "border"),
        Mistake("border twice as wide", lambda v, s, b: stuff(v, s, 2 * b), "border"),
        Mistake("border stuffed, too", lambda v, s, b: stuff(v, s, b * s), "border"),
        Mistake("pixels repeated", lambda v, s, b: np.pad(v.repeat(s, 0).repeat(s, 1), b), "zeros"),
        Mistake("border repeats the edge", lambda v, s, b: np.pad(stuff(v, s, 0), b, mode="edge"), "zeros"),
        Mistake("rows only", _rows_only, "axes"),
        Mistake("columns only", lambda v, s, b: _rows_only(v.T, s, b).T, "axes"),
        Mistake("border at stride distance", lambda v, s, b: stuff(v, s, b + s - 1), "border"),
        Mistake("border of stride - 1", lambda v, s, b: stuff(v, s, s - 1), "border"),
        Mistake("border above only", lambda v, s, b: np.pad(stuff(v, s, 0), ((b, 0), (0, 0))), "border"),
        Mistake("border above and below only", lambda v, s, b: np.pad(stuff(v, s, 0), ((b, b), (0, 0))), "border"),
        Mistake("border left and right only", lambda v, s, b: np.pad(stuff(v, s, 0), ((0, 0), (b, b))), "border"),
        Mistake("border below and right only", lambda v, s, b: np.pad(stuff(v, s, 0), ((0, b), (0, b))), "border"),
        Mistake("border of one", lambda v, s, b: stuff(v, s, min(b, 1)), "border"),
        Mistake("border one too wide", lambda v, s, b: stuff(v, s, b + 1), "border"),
        Mistake("border one too narrow", lambda v, s, b: stuff(v, s, max(b - 1, 0)), "border"),
        Mistake("border half as wide", lambda v, s, b: stuff(v, s, b // 2), "border"),
        Mistake("border less one than the kernel", lambda v, s, b: stuff(v, s, abs(b - 1)), "border"),
        Mistake("zeros after the last, no border", lambda v, s, b: _to_the_end(v, s, 0), "end"),
        Mistake("zeros before the first", lambda v, s, b: _to_the_end(v[::-1, ::-1], s, b)[::-1, ::-1], "end"),
        Mistake("stride zeros after each", lambda v, s, b: _to_the_end(v, s + 1, b), "gap"),
        Mistake("no zeros between", lambda v, s, b: np.pad(v, b), "gap"),
        Mistake("always one zero between", lambda v, s, b: stuff(v, 2, b), "gap"),
        Mistake("border is the stride", lambda v, s, b: stuff(v, max(b, 1), s), "gap"),
        Mistake("border of ones", lambda v, s, b: np.pad(stuff(v, s, 0), b, constant_values=1), "zeros"),
        Mistake("ones between", lambda v, s, b: _on_ones(v, s, b), "zeros"),
        Mistake("border mirrors", lambda v, s, b: np.pad(stuff(v, s, 0), b, mode="symmetric"), "zeros"),
        Mistake("border wraps", lambda v, s, b: np.pad(stuff(v, s, 0), b, mode="wrap"), "zeros"),
        Mistake("pixels repeated up to the last", lambda v, s, b: _repeated(v, s, b), "zeros"),
        Mistake("height and width exchanged", lambda v, s, b: stuff(v.T, s, b), "axes"),
        Mistake("a square", lambda v, s, b: stuff(v[: min(v.shape), : min(v.shape)], s, b), "axes"),
        Mistake("size exchanged", _exchanged, "axes"),
        Mistake("decimals cut off", lambda v, s, b: stuff(v, s, b).astype(int), "numbers"),
        Mistake("absolute values", lambda v, s, b: abs(stuff(v, s, b)), "numbers"),
        Mistake("at the upper left", lambda v, s, b: np.pad(stuff(v, s, 0), ((0, 2 * b), (0, 2 * b))), "border"),
        Mistake("at the lower right", lambda v, s, b: np.pad(stuff(v, s, 0), ((2 * b, 0), (2 * b, 0))), "border"),
        Mistake("interpolated", _interpolated, "zeros"),
        Mistake("values in the border's corner", lambda v, s, b: stuff(v, s, b)[::-1, ::-1], "axes"),
    ),
    alternatives=(_with_loops, _by_kronecker, _by_products),
    points=3,
    minutes=15,
    difficulty=2,
)
