"""Exercise 11.6: U-Net's weights of the gaps between cells."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import ndimage
from segtutor.exercises.lesson11.gaps_answers import pixel_by_pixel, with_torch, with_trees
from segtutor.exercises.lesson11.gaps_mistakes import MISTAKES
from segtutor.exercises.lesson11.inputs import cells

STUB = '''
def gap_weights(cells, w0, sigma):
    """How much the loss of each pixel of background is raised because two cells are close to it; 0 inside cells."""
    raise NotImplementedError("Write gap_weights() here, then run this cell again.")
'''


def gap_weights(cells: np.ndarray, w0: float, sigma: float) -> np.ndarray:
    """How much the loss of each pixel of background is raised because two cells are close to it; 0 inside cells."""
    numbers = np.unique(cells[cells > 0])
    if len(numbers) < 2:
        return np.zeros(cells.shape)
    distances = np.sort([ndimage.distance_transform_edt(cells != number) for number in numbers], axis=0)
    weights = w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return np.where(cells == 0, weights, 0)


def _row(text: str) -> np.ndarray:
    """Rows of digits, a dot for background."""
    return np.array([[0 if one == "." else int(one) for one in row] for row in text.split()])


def _raised(*sums: float, w0: float = 10.0, sigma: float = 2.0) -> list[float]:
    return [w0 * float(np.exp(-(one**2) / (2 * sigma**2))) for one in sums]


EXERCISE = Exercise(
    id="11.6",
    title="The weight of a gap",
    name="gap_weights",
    statement="""
Where two cells nearly touch, a few pixels of background decide whether one thing is found or two. U-Net's loss raises
them. Write `gap_weights(cells, w0, sigma)`: `cells` is H x W, 0 is background, other numbers are cells. A number is one
cell, whatever touches it, and whether or not it hangs together; numbers may be missing between others. Return what is
added to the weight of each pixel, H x W:

$$ w_0 \\exp\\!\\Big( -\\frac{(d_1 + d_2)^2}{2 \\sigma^2} \\Big) $$

in the background, with d₁ and d₂ the distances to the nearest cell and to the second nearest; 0 inside cells. The
distance of a pixel to a cell is that of the centers of the pixel and of the cell's closest one, by Pythagoras. If there
are fewer than two cells, nothing is added anywhere.
""",
    stub=STUB,
    reference=gap_weights,
    cases=(
        Case("a gap of one pixel", (_row("11.22"), 10.0, 2.0), [[0, 0, *_raised(2), 0, 0]], "one"),
        Case(
            "a gap of two, and a border", (_row("1..2."), 10.0, 2.0), [[0, *_raised(3, 3), 0, *_raised(5)]], "squares"
        ),
        Case(
            "a corner between them",
            (_row("1. .2"), 4.0, 1.0),
            [[0, *_raised(2, w0=4, sigma=1)], [*_raised(2, w0=4, sigma=1), 0]],
            "distance",
        ),
        Case("one cell", (_row("3.. ..3"), 10.0, 5.0), np.zeros((2, 3)), "few"),
        Case("no cell", (_row(".. .."), 10.0, 5.0), np.zeros((2, 2)), "few"),
        Case(
            "a cell in two parts beside another",
            (_row("2..2..7"), 10.0, 3.0),
            [[0, *_raised(6, 5, sigma=3), 0, *_raised(3, 3, sigma=3), 0]],
            "cells",
        ),
        Case("4 cells", (cells(1, 4, (9, 12)), 10.0, 3.0)),
        Case("7 cells, sigma 5", (cells(2, 7, (12, 14)), 8.0, 5.0), hint="cells"),
        Case("cells that touch", (cells(3, 12, (10, 10)), 10.0, 2.0), hint="cells"),
    ),
    hints={
        "general": Hint(
            "Each pixel needs two distances, to two different cells. A map of distances for each cell is a good start.",
            "For each number the distance of every pixel to it (scipy.ndimage has a function); of all these maps take "
            "at each pixel the least and the second least; then the formula, in the background only.",
        ),
        "one": Hint(
            "Both distances belong into the formula: the nearest cell alone would raise every pixel at any cell.",
            "d1 + d2, the nearest and the second nearest cell.",
        ),
        "squares": Hint(
            "The *sum* of the distances is squared, not each of them.",
            "(d1 + d2)² is larger than d1² + d2² by 2 d1 d2.",
        ),
        "sigma": Hint(
            "The divisor is 2 σ², and the exponent is negative.", "Square sigma, double it, and mind the sign."
        ),
        "inside": Hint(
            "Inside cells nothing is added, and nowhere is anything but the formula added.",
            "Set the weight to 0 where the number is not 0; the usual weight of 1 is added elsewhere.",
        ),
        "few": Hint(
            "With fewer than two cells there is no gap.",
            "Return zeros; a distance to a cell that does not exist is infinite.",
        ),
        "cells": Hint(
            "A cell is all pixels of one number: also where two cells touch, and where one has two parts.",
            "Go through the numbers that occur, not through connected regions, nor from 1 to the largest.",
        ),
        "distance": Hint(
            "Distances are Euclidean, from pixel center to pixel center of the closest pixel of the cell.",
            "The root of the sum of squares: a diagonal step is 1.414; neither the cell's middle nor its edge.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(pixel_by_pixel, with_trees, with_torch),
    points=3,
    minutes=15,
    difficulty=2,
)
