"""Exercise 9.3: a mask at points that lie between the pixels."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson09.at_points_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def at_points(mask, points):
    """P values of the H x W `mask` at `points` P x 2, (x, y) from 0 to 1: bilinear, 0 outside."""
    raise NotImplementedError("Write at_points() here, then run this cell again.")
'''


def at_points(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """P values of the H x W `mask` at `points` P x 2, (x, y) from 0 to 1: bilinear, 0 outside."""
    height, width = mask.shape
    padded = np.zeros((height + 2, width + 2))
    padded[1:-1, 1:-1] = mask
    column, row = points[:, 0] * width + 0.5, points[:, 1] * height + 0.5  # in the padded mask
    left, top = np.floor(column).astype(int), np.floor(row).astype(int)
    left, top = np.minimum(left, width), np.minimum(top, height)
    across, down = column - left, row - top
    upper = padded[top, left] * (1 - across) + padded[top, left + 1] * across
    lower = padded[top + 1, left] * (1 - across) + padded[top + 1, left + 1] * across
    return upper * (1 - down) + lower * down


def _with_torch(mask, points):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    grid = 2 * torch.as_tensor(points, dtype=torch.float64)[None, None] - 1
    values = torch.as_tensor(np.asarray(mask), dtype=torch.float64)[None, None]
    return F.grid_sample(values, grid, align_corners=False)[0, 0, 0]


def _with_loops(mask, points):  # type: ignore[no-untyped-def]
    height, width = mask.shape
    found = []
    for x, y in points:
        total = 0.0
        for row in range(height):
            for column in range(width):
                near = max(0, 1 - abs(x * width - 0.5 - column)) * max(0, 1 - abs(y * height - 0.5 - row))
                total += near * mask[row, column]
        found.append(total)
    return np.array(found)


def _with_hats(mask, points):  # type: ignore[no-untyped-def]
    height, width = mask.shape
    across = np.maximum(0, 1 - np.abs(points[:, :1] * width - 0.5 - np.arange(width)))
    down = np.maximum(0, 1 - np.abs(points[:, 1:] * height - 0.5 - np.arange(height)))
    return np.einsum("ph,hw,pw->p", down, mask, across)


def _random(seed: int, height: int, width: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    generator = seeded(seed)
    return np.round(generator.normal(0, 3, (height, width)), 2), np.round(generator.random((count, 2)), 3)


_GRID = np.arange(6.0).reshape(2, 3)
EXERCISE = Exercise(
    id="9.3",
    title="A mask between its pixels",
    name="at_points",
    statement="""
The loss looks at masks in points that hardly ever hit the middle of a pixel. Write `at_points(mask, points)`. `mask` is
H x W; `points` is P x 2, each point (x, y) from 0 to 1 over the whole picture: (0, 0) is its upper left corner and
(1, 1) its lower right one. The middle of the first pixel is therefore at (0.5 / W, 0.5 / H).

Return P values. Between the middles of pixels interpolate bilinearly. Outside the mask there are zeros: a point on the
picture's border lies half-way between a pixel and nothing.
""",
    stub=STUB,
    reference=at_points,
    cases=(
        Case(
            "the middles of four of six pixels",
            (_GRID, np.array([[1 / 6, 0.25], [0.5, 0.25], [5 / 6, 0.25], [0.5, 0.75]])),
            np.array([0.0, 1.0, 2.0, 4.0]),
        ),
        Case(
            "between two pixels, and between four",
            (_GRID, np.array([[1 / 3, 0.25], [1 / 3, 0.5]])),
            np.array([0.5, 2.0]),
        ),
        Case(
            "corners and a side",
            (np.full((2, 2), 8.0), np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.0]])),
            np.array([2.0, 2.0, 4.0]),
            "outside",
        ),
        Case("a quarter of the way", (np.array([[0.0, 8.0]]), np.array([[0.375, 0.5]])), np.array([2.0]), "nearest"),
        Case("no points", (_GRID, np.zeros((0, 2))), np.zeros(0)),
        Case(
            "one pixel",
            (np.array([[4.0]]), np.array([[0.5, 0.5], [0.25, 0.5], [0.0, 1.0]])),
            np.array([4.0, 3.0, 1.0]),
            "outside",
        ),
        Case(
            "a mask of 300 x 300",
            (np.arange(90000.0).reshape(300, 300), np.array([[299.5 / 300, 0.5 / 300], [0.5 / 300, 299.5 / 300]])),
            np.array([299.0, 89700.0]),
            "order",
        ),
        Case("20 points of 4 x 7", _random(0, 4, 7, 20)),
        Case("50 points of 9 x 3", _random(1, 9, 3, 50)),
        Case("30 points of 6 x 6", _random(2, 6, 6, 30)),
    ),
    hints={
        "general": Hint(
            "First turn a point into a place counted in pixels; then mix the four pixels around it.",
            "x times the width, less one half, is a column that may lie between two whole ones. The closer of the two "
            "gets the larger weight, and the two weights add up to 1. The same for rows. A frame of zeros around the "
            "mask answers for what lies outside.",
        ),
        "order": Hint(
            "Points are (x, y), arrays are [row, column]: x belongs to the columns.", "Column from x, row from y."
        ),
        "half": Hint(
            "The middle of the first pixel is at half a pixel, not at 0.", "Subtract one half after the multiplication."
        ),
        "corners": Hint(
            "0 and 1 are the borders of the picture, not the middles of its outer pixels.",
            "Multiply by the width, not by the width less 1.",
        ),
        "nearest": Hint(
            "Values are mixed, not taken from the nearest pixel.",
            "Four pixels, each with the product of its two closenesses as weight.",
        ),
        "outside": Hint(
            "Beyond the outer pixels' middles the mask fades to 0; it does not go on.",
            "Put a frame of zeros around the mask, and count rows and columns from there.",
        ),
        "weights": Hint("The closer a pixel is, the *more* it counts.", "A distance of 0.25 gives a weight of 0.75."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_torch, _with_loops, _with_hats),
    points=4,
    minutes=25,
    difficulty=3,
)
