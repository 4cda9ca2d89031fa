"""Exercise 3.5: the weights with which upsampling begins."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def bilinear_weight(num_classes, size):
    """K x K x size x size: the bilinear kernel from each class to itself, zeros from class to class."""
    raise NotImplementedError("Write bilinear_weight() here, then run this cell again.")
'''


def bilinear_weight(num_classes: int, size: int) -> np.ndarray:
    """K x K x size x size: the bilinear kernel from each class to itself, zeros from class to class."""
    factor = (size + 1) // 2
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    triangle = 1 - distance / factor
    weight = np.zeros((num_classes, num_classes, size, size))
    for k in range(num_classes):
        weight[k, k] = np.outer(triangle, triangle)
    return weight


def _with_eye(num_classes, size):  # type: ignore[no-untyped-def]
    factor = (size + 1) // 2
    center = factor - 1 if size % 2 else factor - 0.5
    triangle = [1 - abs(i - center) / factor for i in range(size)]
    return np.einsum("ab,i,j->abij", np.eye(num_classes), triangle, triangle)


def _from_the_ends(num_classes, size):  # type: ignore[no-untyped-def]
    i = np.arange(size)
    step = 1 if size % 2 else 0.5
    triangle = np.minimum(i + step, size - 1 - i + step) / ((size + 1) // 2)
    weight = np.zeros((num_classes, num_classes, size, size))
    weight[np.arange(num_classes), np.arange(num_classes)] = triangle[:, None] * triangle
    return weight


def _with_loops(num_classes, size):  # type: ignore[no-untyped-def]
    factor, middle = (size + 1) // 2, (size - 1) / 2
    weight = np.zeros((num_classes, num_classes, size, size))
    for k in range(num_classes):
        for i in range(size):
            for j in range(size):
                weight[k, k, i, j] = (1 - abs(i - middle) / factor) * (1 - abs(j - middle) / factor)
    return weight


def _diagonal(num_classes, kernel):  # type: ignore[no-untyped-def]
    return np.einsum("ab,ij->abij", np.eye(num_classes), kernel)


def _tent(size, factor=None, center=None):  # type: ignore[no-untyped-def]
    factor = (size + 1) // 2 if factor is None else factor
    center = (size - 1) / 2 if center is None else center
    return 1 - np.abs(np.arange(size) - center) / factor


def _square(values):  # type: ignore[no-untyped-def]
    return np.outer(values, values)


_FOUR = np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25])
_THREE = np.array([[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]])
_TWO_CLASSES = np.zeros((2, 2, 2, 2))
_TWO_CLASSES[0, 0] = _TWO_CLASSES[1, 1] = 0.25

EXERCISE = Exercise(
    id="3.5",
    title="Bilinear weights",
    name="bilinear_weight",
    statement="""
Upsampling starts as bilinear interpolation. Its kernel is the outer product of a triangle with itself,

$$ t_i = 1 - \\frac{|i - c|}{f}, \\qquad f = \\left\\lfloor \\frac{\\text{size} + 1}{2} \\right\\rfloor, \\qquad
c = \\frac{\\text{size} - 1}{2}. $$

Write `bilinear_weight(num_classes, size)`, K x K x size x size: this kernel from class $k$ to class $k$, and zeros from
one class to another, so that scores of different classes do not mix.
""",
    stub=STUB,
    reference=bilinear_weight,
    cases=(
        Case("one class, size 4", (1, 4), _FOUR[None, None], "center"),
        Case("one class, size 3", (1, 3), _THREE[None, None]),
        Case("two classes, size 2", (2, 2), _TWO_CLASSES, "pairs"),
        Case("size 1", (1, 1), np.ones((1, 1, 1, 1)), "factor"),
        Case("three classes, size 5", (3, 5), hint="pairs"),
        Case("one class, size 16", (1, 16), hint="center"),
    ),
    hints={
        "general": Hint(
            "One triangle of `size` numbers, its outer product with itself, and that at weight[k, k] for each class k.",
            "triangle = 1 - np.abs(np.arange(size) - (size - 1) / 2) / ((size + 1) // 2).",
        ),
        "pairs": Hint(
            "The kernel stands between a class and itself only. Else every class would get the sum of all scores.",
            "Begin with np.zeros((K, K, size, size)) and fill weight[k, k].",
        ),
        "center": Hint(
            "The middle of the kernel is at (size - 1) / 2: on a pixel for odd sizes, between two for even ones.",
            "np.arange(size) - (size - 1) / 2, with a true division.",
        ),
        "factor": Hint(
            "The divisor is the factor of the upsampling, (size + 1) // 2: 2 for the sizes 3 and 4.",
            "factor = (size + 1) // 2.",
        ),
        "scaled": Hint(
            "The kernel is not normalized: its values add up to more than 1.",
            "Leave the outer product as it is.",
        ),
        "outer": Hint(
            "In the plane it is the *product* of the triangle in i and the triangle in j.",
            "np.outer(triangle, triangle).",
        ),
        "shape": Hint(
            "The weight has four axes: from class, to class, row, column.",
            "np.zeros((num_classes, num_classes, size, size)).",
        ),
    },
    mistakes=(
        Mistake("all class pairs", lambda k, n: np.tile(_square(_tent(n)), (k, k, 1, 1)), "pairs"),
        Mistake(
            "first class only", lambda k, n: bilinear_weight(k, n) * (np.arange(k) == 0)[:, None, None, None], "pairs"
        ),
        Mistake("center on a pixel", lambda k, n: _diagonal(k, _square(_tent(n, center=(n + 1) // 2 - 1))), "center"),
        Mistake("center at size / 2", lambda k, n: _diagonal(k, _square(_tent(n, center=n / 2))), "center"),
        Mistake("factor size // 2", lambda k, n: _diagonal(k, _square(_tent(n, factor=np.float64(n // 2)))), "factor"),
        Mistake("factor size / 2", lambda k, n: _diagonal(k, _square(_tent(n, factor=n / 2))), "factor"),
        Mistake("factor size", lambda k, n: _diagonal(k, _square(_tent(n, factor=n))), "factor"),
        Mistake("sum made 1", lambda k, n: _diagonal(k, _square(_tent(n)) / _square(_tent(n)).sum()), "scaled"),
        Mistake("largest made 1", lambda k, n: _diagonal(k, _square(_tent(n)) / _square(_tent(n)).max()), "scaled"),
        Mistake("mean for product", lambda k, n: _diagonal(k, (_tent(n)[:, None] + _tent(n)) / 2), "outer"),
        Mistake("triangle in every row", lambda k, n: _diagonal(k, np.tile(_tent(n), (n, 1))), "outer"),
        Mistake("one kernel per class", lambda k, n: np.tile(_square(_tent(n)), (k, 1, 1)), "shape"),
    ),
    alternatives=(_with_eye, _from_the_ends, _with_loops),
    points=4,
    minutes=25,
    difficulty=2,
)
