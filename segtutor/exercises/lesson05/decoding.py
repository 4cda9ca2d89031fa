"""Exercise 5.6: from what the network predicts back to boxes."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson05.decoding_mistakes import MISTAKES
from segtutor.exercises.lesson05.inputs import random_boxes
from segtutor.exercises.seeds import seeded

STUB = '''
def decode_boxes(offsets, references, weights):
    """R x 4 boxes to which the weighted offsets lead from the references; dw, dh are at most log(1000 / 16)."""
    raise NotImplementedError("Write decode_boxes() here, then run this cell again.")
'''


def decode_boxes(offsets: np.ndarray, references: np.ndarray, weights: tuple[float, float, float, float]) -> np.ndarray:
    """R x 4 boxes to which the weighted offsets lead from the references; dw, dh are at most log(1000 / 16)."""
    unweighted = offsets / np.array(weights)
    shift, stretch = unweighted[:, :2], np.minimum(unweighted[:, 2:], np.log(1000 / 16))
    reference_sizes = references[:, 2:] - references[:, :2]
    centers = references[:, :2] + reference_sizes / 2 + shift * reference_sizes
    sizes = reference_sizes * np.exp(stretch)
    return np.concatenate([centers - sizes / 2, centers + sizes / 2], axis=1)


def _with_loops(offsets, references, weights):  # type: ignore[no-untyped-def]
    import math

    rows = []
    for offset, (left, top, right, bottom) in zip(offsets.tolist(), references.tolist(), strict=True):
        dx, dy, dw, dh = (value / weight for value, weight in zip(offset, weights, strict=True))
        x, y = (left + right) / 2 + dx * (right - left), (top + bottom) / 2 + dy * (bottom - top)
        width, height = (
            side * min(math.exp(min(d, 9.0)), 62.5) for side, d in ((right - left, dw), (bottom - top, dh))
        )
        rows.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    return np.array(rows).reshape(-1, 4)


def _column_by_column(offsets, references, weights):  # type: ignore[no-untyped-def]
    dx, dy, dw, dh = (offsets / np.asarray(weights)).T
    x1, y1, x2, y2 = references.T
    x, y = x1 + (0.5 + dx) * (x2 - x1), y1 + (0.5 + dy) * (y2 - y1)
    largest = np.log(62.5)
    half_width, half_height = (x2 - x1) * np.exp(dw.clip(max=largest)) / 2, (y2 - y1) * np.exp(dh.clip(max=largest)) / 2
    return np.stack([x - half_width, y - half_height, x + half_width, y + half_height]).T


def _with_torch(offsets, references, weights):  # type: ignore[no-untyped-def]
    import torch

    d = torch.from_numpy(offsets) / torch.tensor(weights, dtype=torch.float64)
    corners = torch.from_numpy(references).unflatten(1, (2, 2))
    size = corners[:, 1] - corners[:, 0]
    center = corners.mean(dim=1) + d[:, :2] * size
    half = size * d[:, 2:].clamp(max=float(np.log(1000 / 16))).exp() / 2
    return torch.cat([center - half, center + half], dim=1)


_ONE = (1.0, 1.0, 1.0, 1.0)
_HEAD = (10.0, 10.0, 5.0, 5.0)
_FOUR = (10.0, 8.3, 5.1, 2.7)
_REFERENCE = np.array([[0.0, 0.0, 10.0, 20.0]])


def _random_offsets(seed: int, count: int, weights: tuple[float, ...]) -> np.ndarray:
    return np.round(seeded(seed).normal(0, 0.5, (count, 4)) * weights, 3)


EXERCISE = Exercise(
    id="5.6",
    title="Decode boxes",
    name="decode_boxes",
    statement="""
The way back. Write `decode_boxes(offsets, references, weights)`: divide the offsets by the `weights`, then solve the
formulas of 5.5 for the box, and return R x 4 corners.

An untrained network may predict any number, and exp of it may be enormous. So **after** the division, $d_w$ and $d_h$
are limited to at most $\\log(1000/16)$: no box grows by more than 62.5 in one step. Shifts and small sizes are not
limited.
""",
    stub=STUB,
    reference=decode_boxes,
    cases=(
        Case("no offset", (np.zeros((1, 4)), _REFERENCE, _ONE), _REFERENCE),
        Case(
            "half a width, a quarter of the height",
            (np.array([[0.5, 0.25, 0.0, 0.0]]), _REFERENCE, _ONE),
            np.array([[5.0, 5, 15, 25]]),
            "shift",
        ),
        Case(
            "twice as wide",
            (np.array([[0.0, 0, np.log(2), 0]]), _REFERENCE, _ONE),
            np.array([[-5.0, 0, 15, 20]]),
            "size",
        ),
        Case(
            "half as high",
            (np.array([[0.0, 0, 0, np.log(0.5)]]), _REFERENCE, _ONE),
            np.array([[0.0, 5, 10, 15]]),
            "size",
        ),
        Case(
            "weights of the box head",
            (np.array([[10.0, 0, 0, 5 * np.log(0.5)]]), _REFERENCE, _HEAD),
            np.array([[10.0, 5, 20, 15]]),
            "weights",
        ),
        Case(
            "dw = 100 is limited",
            (np.array([[0.0, 0, 100, 0]]), _REFERENCE, _ONE),
            np.array([[5 - 312.5, 0, 5 + 312.5, 20]]),
            "limit",
        ),
        Case(
            "dh = 100 is limited",
            (np.array([[0.0, 0, 0.5, 100]]), _REFERENCE, _ONE),
            np.array([[5 - 5 * np.exp(0.5), 10 - 625, 5 + 5 * np.exp(0.5), 10 + 625]]),
            "limit",
        ),
        Case(
            "dw = 4.13 is below the limit, dh = 4.14 above",
            (np.array([[0.0, 0, 4.13, 4.14]]), _REFERENCE, _ONE),
            np.array([[5 - 5 * np.exp(4.13), 10 - 625, 5 + 5 * np.exp(4.13), 10 + 625]]),
            "limit",
        ),
        Case(
            "dw = -6, dh = -9: small boxes are not limited",
            (np.array([[0.0, 0, -6, -9]]), _REFERENCE, _ONE),
            np.array([[5 - 5 * np.exp(-6), 10 - 10 * np.exp(-9), 5 + 5 * np.exp(-6), 10 + 10 * np.exp(-9)]]),
            "small",
        ),
        Case(
            "a shift by 8 widths is not limited",
            (np.array([[8.0, 0, 0, 0]]), _REFERENCE, _ONE),
            np.array([[80.0, 0, 90, 20]]),
            "limit shift",
        ),
        Case(
            "a large shift to the left and up",
            (np.array([[-8.0, -7, 0, 0]]), _REFERENCE, _ONE),
            np.array([[-80.0, -140, -70, -120]]),
            "limit shift",
        ),
        Case(
            "dw = 6 with weight 5 is not limited",
            (np.array([[0.0, 0, 6, 0]]), _REFERENCE, _HEAD),
            np.array([[5 - 5 * np.exp(1.2), 0, 5 + 5 * np.exp(1.2), 20]]),
            "limit first",
        ),
        Case(
            "four different weights, with decimals",
            (np.array([[4.0, 3.4, 24, 2], [-2, 17, 1, 15]]), random_boxes(4, 2), _FOUR),
            hint="each its weight",
        ),
        Case("no box", (np.zeros((0, 4)), np.zeros((0, 4)), _ONE), np.zeros((0, 4))),
        Case("8 random boxes", (_random_offsets(0, 8, _ONE), random_boxes(1, 8), _ONE)),
        Case("6 random boxes, weighted", (_random_offsets(1, 6, _HEAD), random_boxes(3, 6), _HEAD)),
    ),
    hints={
        "general": Hint(
            "Size: reference size times exp(dw, dh). Center: reference center plus shift times reference size.",
            "Undo in the reverse order: the weights first, then the limit, then the formulas. The corners lie half a "
            "size to either side of the new center.",
        ),
        "limit": Hint(
            "dw and dh, each by itself, are at most log(1000 / 16) = 4.135, before exp: a side grows by 62.5 at most.",
            "np.minimum(d[:, 2:], np.log(1000 / 16)).",
        ),
        "limit shift": Hint(
            "Shifts are not limited, neither by a number nor by the picture: a box may lie anywhere.",
            "Apply np.minimum to the last two columns only, and clip no corner.",
        ),
        "limit first": Hint(
            "The limit belongs behind the division by the weights: 6 with the weight 5 is 1.2, and far from the limit.",
            "First d = offsets / weights, then np.minimum(d[:, 2:], ...).",
        ),
        "exp": Hint("The size grows by the inverse of the natural logarithm: exp.", "w = w_a * np.exp(dw)."),
        "scale": Hint("A shift is measured in sizes of the reference: 0.5 is half its width.", "x = x_a + dx * w_a."),
        "center": Hint("The shift starts at the reference's corner. It starts at its center.", "x_a = (x1 + x2) / 2."),
        "weights": Hint(
            "All four offsets were multiplied by their weights; here you divide by them.",
            "offsets / np.array(weights).",
        ),
        "corners": Hint(
            "Wanted are the two corners, x1, y1, x2, y2, without a center or a size among them.",
            "x - w / 2, y - h / 2, x + w / 2, y + h / 2.",
        ),
        "half": Hint("The boxes are twice as wide and high as they should be.", "Half the size to each side."),
        "shift": Hint(
            "A shift of 0.5 in x is half the *reference's* width, 0.25 in y a quarter of its height; the size stays.",
            "x = x_a + dx * w_a, y = y_a + dy * h_a.",
        ),
        "size": Hint(
            "The center stays, and the logarithm of 2 makes a side twice as long: half of it goes to each side.",
            "w = w_a * exp(dw); corners x - w / 2 and x + w / 2.",
        ),
        "small": Hint(
            "Small sizes are not limited: there is no smallest dw and no smallest side.",
            "np.minimum, not np.clip with both ends.",
        ),
        "each its weight": Hint(
            "The four weights may all be different, and need not be whole: dx, dy, dw and dh are each divided by "
            "their own.",
            "offsets / np.array(weights): R x 4 divided by 4.",
        ),
        "pixel": Hint(
            "Corners are continuous: no pixel is added to a size or taken off a corner, and nothing is rounded.",
            "w_a = x2 - x1; corners x - w / 2 and x + w / 2.",
        ),
        "own size": Hint(
            "Shifts are measured in the *reference's* width and height, not in those of the new box.",
            "dx * w_a and dy * h_a.",
        ),
        "minus": Hint("The shift is added: a positive dx moves to the right.", "x = x_a + dx * w_a."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _column_by_column, _with_torch),
    points=3,
    minutes=15,
    difficulty=2,
)
