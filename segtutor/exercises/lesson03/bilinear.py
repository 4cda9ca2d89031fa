"""Exercise 3.5: the weights with which upsampling begins, in a version with three mistakes to be found."""

from __future__ import annotations

from typing import Any

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


def _only(num_classes, k):  # type: ignore[no-untyped-def]
    return (np.arange(num_classes) == k)[:, None, None, None]


def _pairs(num_classes, size, pairs):  # type: ignore[no-untyped-def]
    return np.einsum("ab,ij->abij", pairs, _square(_tent(size)))


def _distance(size):  # type: ignore[no-untyped-def]
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(y, x) / ((size + 1) // 2)


def _diamond(size):  # type: ignore[no-untyped-def]
    return _tent(size)[:, None] + _tent(size) - 1


def _signed(size):  # type: ignore[no-untyped-def]
    return (np.arange(size) - (size - 1) / 2) / ((size + 1) // 2)


def _given(num_classes, size, middle=False, factor=False, classes=False):  # type: ignore[no-untyped-def]
    """The version of the statement, with some of its mistakes repaired."""
    divisor = (size + 1) // 2 if factor else np.float64(size // 2)
    distance = np.abs(np.arange(size) - ((size - 1) / 2 if middle else size / 2))
    triangle = 1 - distance / divisor
    pairs = np.eye(num_classes) if classes else np.ones((num_classes, num_classes))
    return np.einsum("ab,ij->abij", pairs, np.outer(triangle, triangle))


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    return int(generator.integers(1, 5)), int(generator.integers(2, 20))


EXERCISE = Exercise(
    id="3.5",
    title="Bilinear weights, with three mistakes",
    name="bilinear_weight",
    statement="""
An enlarging layer that starts with the right weights interpolates: its kernel is a pyramid, the product of a triangle
down and the same triangle across. For a factor $f$ the triangle is 1 in its middle and falls in straight lines to both
sides, by $1 / f$ per pixel. The sizes that fit are $2f - 1$, with the middle on a pixel, and $2f$, with the middle
between two pixels. The weights go from class to class, K x K x size x size.

Somebody has written this:

```python
def bilinear_weight(num_classes, size):
    factor = size // 2
    distance = np.abs(np.arange(size) - size / 2)
    triangle = 1 - distance / factor
    weight = np.zeros((num_classes, num_classes, size, size))
    weight[:] = np.outer(triangle, triangle)
    return weight
```

It runs, and no error is raised. But with size 4 every map comes out shifted by half a pixel, with size 3 a constant map
comes out uneven, and with two classes each gets the scores of the other as well. **There are three mistakes in it.**
Find them, and write `bilinear_weight(num_classes, size)` as it should be.
""",
    stub=STUB,
    reference=bilinear_weight,
    drawn=_drawn,
    cases=(
        Case("one class, size 4", (1, 4), _FOUR[None, None]),
        Case("one class, size 3", (1, 3), _THREE[None, None]),
        Case("two classes, size 2", (2, 2), _TWO_CLASSES, "pairs"),
        Case("size 1", (1, 1), np.ones((1, 1, 1, 1))),
        Case("three classes, size 5", (3, 5)),
        Case("four classes, size 8", (4, 8)),
        Case("one class, size 16", (1, 16)),
    ),
    hints={
        "general": Hint(
            "Work the triangle out by hand for the sizes 3 and 4, and compare each line with what it should give. Then "
            "ask between which classes the kernel stands.",
            "Sizes 3 and 4 both belong to the factor 2. The middle of the places 0 to size - 1 is the mean of the two "
            "at the ends. A class must be enlarged without hearing of the others.",
        ),
        "three": Hint(
            "The middle of the triangle is not in the middle yet: what should the distance be measured from?",
            "np.arange(size) - (size - 1) / 2. Then look at the factor of odd sizes, and at weight[:].",
        ),
        "two left": Hint(
            "The middle is right now. Which factor do the sizes 3 and 5 belong to, and which classes get the kernel?",
            "factor = (size + 1) // 2, and weight[k, k] for each k.",
        ),
        "pairs": Hint(
            "The kernel stands between a class and itself, for every class, and zeros between two different ones.",
            "Begin with np.zeros((K, K, size, size)) and fill weight[k, k].",
        ),
        "center": Hint(
            "The middle of the kernel is at (size - 1) / 2: on a pixel for odd sizes, between two for even ones.",
            "np.arange(size) - (size - 1) / 2, with a true division.",
        ),
        "factor": Hint(
            "The divisor f is a whole number, the factor of the upsampling: 2 for the sizes 3 and 4.",
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
        "numbers": Hint(
            "The weights lie between 0 and 1 and have decimals.", "np.zeros(...) holds floats; no int, no rounding."
        ),
        "triangle": Hint(
            "The triangle falls in straight lines to both sides of its middle: 1 minus the *absolute* distance over f.",
            "1 - np.abs(np.arange(size) - center) / factor.",
        ),
    },
    mistakes=(
        Mistake("as it was", lambda k, n: _given(k, n), "three"),
        Mistake("the middle repaired", lambda k, n: _given(k, n, middle=True), "two left"),
        Mistake("the factor repaired", lambda k, n: _given(k, n, factor=True), "three"),
        Mistake("the classes repaired", lambda k, n: _given(k, n, classes=True), "three"),
        Mistake("middle and factor repaired", lambda k, n: _given(k, n, middle=True, factor=True), "pairs"),
        Mistake("middle and classes repaired", lambda k, n: _given(k, n, middle=True, classes=True), "factor"),
        Mistake("factor and classes repaired", lambda k, n: _given(k, n, factor=True, classes=True), "center"),
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
        Mistake("last class only", lambda k, n: bilinear_weight(k, n) * _only(k, k - 1), "pairs"),
        Mistake("to the next class", lambda k, n: np.roll(bilinear_weight(k, n), 1, axis=1), "pairs"),
        Mistake("classes backward", lambda k, n: bilinear_weight(k, n)[::-1], "pairs"),
        Mistake("kernel where there should be zeros", lambda k, n: _pairs(k, n, 1 - np.eye(k)), "pairs"),
        Mistake("also to earlier classes", lambda k, n: _pairs(k, n, np.tri(k)), "pairs"),
        Mistake("shared among the classes", lambda k, n: _pairs(k, n, np.full((k, k), 1 / k)), "pairs"),
        Mistake(
            "ones between classes",
            lambda k, n: np.where(_pairs(k, n, np.eye(k)) > 0, bilinear_weight(k, n), 1),
            "pairs",
        ),
        Mistake("center at size // 2", lambda k, n: _diagonal(k, _square(_tent(n, center=n // 2))), "center"),
        Mistake("center at (size + 1) / 2", lambda k, n: _diagonal(k, _square(_tent(n, center=(n + 1) / 2))), "center"),
        Mistake("center at f - 0.5", lambda k, n: _diagonal(k, _square(_tent(n, center=(n + 1) // 2 - 0.5))), "center"),
        Mistake("center at f", lambda k, n: _diagonal(k, _square(_tent(n, center=(n + 1) // 2))), "center"),
        Mistake("counted from 1", lambda k, n: _diagonal(k, _square(_tent(n, center=(n - 3) / 2))), "center"),
        Mistake("center at 0", lambda k, n: _diagonal(k, _square(_tent(n, center=0))), "center"),
        Mistake("factor (size + 1) / 2", lambda k, n: _diagonal(k, _square(_tent(n, factor=(n + 1) / 2))), "factor"),
        Mistake("factor (size - 1) / 2", lambda k, n: _diagonal(k, _square(_tent(n, (n - 1) / 2 or 1))), "factor"),
        Mistake("factor size // 2, at least 1", lambda k, n: _diagonal(k, _square(_tent(n, max(n // 2, 1)))), "factor"),
        Mistake("factor size // 2 + 1", lambda k, n: _diagonal(k, _square(_tent(n, factor=n // 2 + 1))), "factor"),
        Mistake("factor size + 1", lambda k, n: _diagonal(k, _square(_tent(n, factor=n + 1))), "factor"),
        Mistake("factor is the center", lambda k, n: _diagonal(k, _square(_tent(n, (n - 1) / 2 or np.nan))), "factor"),
        Mistake("factor 2", lambda k, n: _diagonal(k, _square(_tent(n, factor=2))), "factor"),
        Mistake("not divided", lambda k, n: _diagonal(k, _square(_tent(n, factor=1))), "factor"),
        Mistake(
            "sum made 1 in each direction", lambda k, n: _diagonal(k, _square(_tent(n) / _tent(n).sum())), "scaled"
        ),
        Mistake("divided by f", lambda k, n: bilinear_weight(k, n) / ((n + 1) // 2), "scaled"),
        Mistake("divided by f twice", lambda k, n: bilinear_weight(k, n) / ((n + 1) // 2) ** 2, "scaled"),
        Mistake("divided by the classes", lambda k, n: bilinear_weight(k, n) / k, "scaled"),
        Mistake("sum for product", lambda k, n: _diagonal(k, _tent(n)[:, None] + _tent(n)), "outer"),
        Mistake("smaller of both", lambda k, n: _diagonal(k, np.minimum(_tent(n)[:, None], _tent(n))), "outer"),
        Mistake("larger of both", lambda k, n: _diagonal(k, np.maximum(_tent(n)[:, None], _tent(n))), "outer"),
        Mistake("triangle in every column", lambda k, n: _diagonal(k, np.tile(_tent(n)[:, None], n)), "outer"),
        Mistake("triangle on the diagonal", lambda k, n: _diagonal(k, np.diag(_tent(n))), "outer"),
        Mistake("distance in the plane", lambda k, n: _diagonal(k, np.maximum(1 - _distance(n), 0)), "outer"),
        Mistake("distance in the plane, negative too", lambda k, n: _diagonal(k, 1 - _distance(n)), "outer"),
        Mistake("sum of both distances", lambda k, n: _diagonal(k, _diamond(n)), "outer"),
        Mistake("sum of both distances, not negative", lambda k, n: _diagonal(k, np.maximum(_diamond(n), 0)), "outer"),
        Mistake("triangle squared", lambda k, n: _diagonal(k, _square(_tent(n) ** 2)), "outer"),
        Mistake("one kernel, one input", lambda k, n: np.tile(_square(_tent(n)), (k, 1, 1, 1)), "shape"),
        Mistake("one kernel", lambda k, n: _square(_tent(n)), "shape"),
        Mistake("classes last", lambda k, n: np.moveaxis(bilinear_weight(k, n), (0, 1), (2, 3)), "shape"),
        Mistake("triangle alone", lambda k, n: np.einsum("ab,i->abi", np.eye(k), _tent(n)), "shape"),
        Mistake("decimals cut off", lambda k, n: bilinear_weight(k, n).astype(int), "numbers"),
        Mistake("rounded", lambda k, n: bilinear_weight(k, n).round(), "numbers"),
        Mistake("no absolute value", lambda k, n: _diagonal(k, _square(1 - _signed(n))), "triangle"),
        Mistake("the other side", lambda k, n: _diagonal(k, _square(1 + _signed(n))), "triangle"),
        Mistake("parabola", lambda k, n: _diagonal(k, _square(1 - _signed(n) ** 2)), "triangle"),
        Mistake("without 1 -", lambda k, n: _diagonal(k, _square(abs(_signed(n)))), "triangle"),
        Mistake(
            "bell",
            lambda k, n: _diagonal(k, _square(np.exp(-0.5 * (4 / n * (np.arange(n) - (n - 1) / 2)) ** 2))),
            "triangle",
        ),
        Mistake("box", lambda k, n: _diagonal(k, np.ones((n, n))), "triangle"),
        Mistake("box of sum 1", lambda k, n: _diagonal(k, np.full((n, n), 1 / n**2)), "triangle"),
    ),
    alternatives=(_with_eye, _from_the_ends, _with_loops),
    points=4,
    minutes=20,
    difficulty=2,
)
