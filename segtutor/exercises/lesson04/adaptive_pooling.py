"""Exercise 4.5: adaptive average pooling of a map of any size."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import torch
from segtutor.exercises.lesson04.adaptive_pooling_mistakes import MISTAKES
from segtutor.exercises.lesson04.inputs import ramp, random_map

STUB = '''
def adaptive_average_pool(x, bins):
    """B x C x H x W -> B x C x bins x bins: means over regions that cover the map, whatever its size."""
    raise NotImplementedError("Write adaptive_average_pool() here, then run this cell again.")
'''


def adaptive_average_pool(x: Any, bins: int) -> Any:
    """B x C x H x W -> B x C x bins x bins: means over regions that cover the map, whatever its size."""
    x = torch.as_tensor(x)
    batch, channels, height, width = x.shape
    pooled = x.new_zeros(batch, channels, bins, bins)
    for row in range(bins):
        top, bottom = row * height // bins, -(-(row + 1) * height // bins)  # -(-a // b) rounds up
        for column in range(bins):
            left, right = column * width // bins, -(-(column + 1) * width // bins)
            pooled[:, :, row, column] = x[:, :, top:bottom, left:right].mean(dim=(2, 3))
    return pooled


def _with_torch(x, bins):  # type: ignore[no-untyped-def]
    import torch

    return torch.nn.functional.adaptive_avg_pool2d(torch.as_tensor(x), bins)


def _membership(length, bins):  # type: ignore[no-untyped-def]
    """Share of each of `length` positions in each bin, bins x length."""
    matrix = np.zeros((bins, length))
    for number in range(bins):
        start, end = int(np.floor(number * length / bins)), int(np.ceil((number + 1) * length / bins))
        matrix[number, start:end] = 1 / (end - start)
    return matrix


def _as_two_matrices(x, bins):  # type: ignore[no-untyped-def]
    down, across = _membership(x.shape[2], bins), _membership(x.shape[3], bins)
    return np.einsum("rh,bchw,sw->bcrs", down, x, across)


def _with_integral_image(x, bins):  # type: ignore[no-untyped-def]
    height, width = x.shape[2:]
    sums = np.pad(np.asarray(x, dtype=float), ((0, 0), (0, 0), (1, 0), (1, 0))).cumsum(axis=2).cumsum(axis=3)
    number = np.arange(bins)
    top, bottom = number * height // bins, ((number + 1) * height + bins - 1) // bins
    left, right = number * width // bins, ((number + 1) * width + bins - 1) // bins
    rows = sums[:, :, bottom] - sums[:, :, top]
    total = rows[:, :, :, right] - rows[:, :, :, left]
    return total / ((bottom - top)[:, None] * (right - left)[None])


EXERCISE = Exercise(
    id="4.5",
    title="Adaptive average pooling",
    name="adaptive_average_pool",
    statement="""
Pyramid pooling divides a map of *any* size into n x n regions. With rows 0 ... H − 1, region i reaches from row

$$\\lfloor i H / n \\rfloor \\quad \\text{up to, but without, row} \\quad \\lceil (i + 1) H / n \\rceil,$$

and in the same way for the columns. Where n does not divide H, neighbors share a row, and no row is left out; where
n is larger than H, rows serve more than once. Each region becomes the mean of its values.

Write `adaptive_average_pool(x, bins)`: `x` is B x C x H x W, `bins` is n, the result B x C x n x n. `x` comes as an
array; `torch.as_tensor(x)` makes it a tensor. `F.adaptive_avg_pool2d` is what you rebuild here.
""",
    stub=STUB,
    reference=adaptive_average_pool,
    cases=(
        Case("4 x 4 into 2 x 2", (ramp(4, 4), 2), np.array([[[[2.5, 4.5], [10.5, 12.5]]]])),
        Case("4 x 8 into one region", (ramp(4, 8), 1), np.full((1, 1, 1, 1), 15.5)),
        Case("3 x 3 into 2 x 2: the middle counts four times", (ramp(3, 3), 2), np.array([[[[2.0, 3], [5, 6]]]])),
        Case(
            "2 x 2 into 3 x 3: more regions than positions",
            (ramp(2, 2), 3),
            np.array([[[[0, 0.5, 1], [1, 1.5, 2], [2, 2.5, 3]]]]),
        ),
        Case("2 x 6 into 2 x 2", (ramp(2, 6), 2), np.array([[[[1.0, 4], [7, 10]]]])),
        Case("two pictures, three channels, 5 x 7 into 3 x 3", (random_map(0, 2, 3, 5, 7), 3)),
        Case("6 x 6 regions of a map 8 x 11", (random_map(1, 1, 2, 8, 11), 6)),
        Case("6 x 6 regions of a map 12 x 18", (random_map(2, 2, 2, 12, 18), 6)),
        Case("a map of 300 rows", (random_map(4, 1, 1, 300, 2), 3)),
        Case("a map 7 x 4 into itself and more", (random_map(3, 1, 2, 7, 4), 7)),
    ),
    hints={
        "general": Hint(
            "Two loops over the regions; each takes the mean of one slice over rows and columns.",
            "The limits of a region follow from i, n and the side alone. Whole-number division rounds down; to round "
            "up with it, divide the negative number and turn the sign again. Take the mean over rows and columns "
            "together.",
        ),
        "up": Hint(
            "The end of a region is rounded up. Else rows are left out or regions are empty where n does not divide H.",
            "math.ceil((i + 1) * H / n), or -(-(i + 1) * H // n).",
        ),
        "windows": Hint(
            "Regions need not have the same size, and the next may begin before one ends. Where n does not divide H, "
            "equal regions side by side would leave rows out or run over the border.",
            "Compute both edges of region i from i: floor(i * H / n) and ceil((i + 1) * H / n).",
        ),
        "combine": Hint(
            "A region becomes the mean of its values: of all of them, and divided by their number.",
            "region.mean(dim=(2, 3)).",
        ),
        "axes": Hint(
            "H belongs to the rows and W to the columns, and the row comes first in the result.",
            "pooled[:, :, row, column] is the mean of x[:, :, top:bottom, left:right].",
        ),
        "kept": Hint(
            "Every picture of the batch and every channel is pooled on its own, and all of them come back.",
            "The mean goes over the last two dimensions only: mean(dim=(2, 3)).",
        ),
        "resized": Hint(
            "Resizing reads only a few positions near a region's center. The mean must go over all of the region.",
            "Use a slice and its mean, not interpolate.",
        ),
        "start": Hint(
            "The start of a region is rounded down: floor(i * H / n).",
            "top = i * H // n, and only the end is rounded up.",
        ),
        "end": Hint(
            "Region i ends *before* row ceil((i + 1) * H / n). A slice leaves out its end by itself.",
            "x[:, :, top:bottom], with bottom = -(-(i + 1) * H // n), without + 1.",
        ),
        "numbers": Hint("Means have decimals.", "x.new_zeros(...) or np.zeros(...) hold floats; no astype(int)."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_torch, _as_two_matrices, _with_integral_image),
    points=4,
    minutes=20,
    difficulty=2,
)
