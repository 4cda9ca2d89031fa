"""Exercise 5.3: IoU of every box with every other."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson05.inputs import random_boxes

STUB = '''
def box_iou(first, second):
    """N x M IoU of N x 4 and M x 4 boxes x1, y1, x2, y2; 0 where both boxes have no area."""
    raise NotImplementedError("Write box_iou() here, then run this cell again.")
'''


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """N x M IoU of N x 4 and M x 4 boxes x1, y1, x2, y2; 0 where both boxes have no area."""
    left_top = np.maximum(first[:, None, :2], second[None, :, :2])
    right_bottom = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(right_bottom - left_top, 0, None).prod(axis=2)
    area_of_first = (first[:, 2:] - first[:, :2]).prod(axis=1)
    area_of_second = (second[:, 2:] - second[:, :2]).prod(axis=1)
    union = area_of_first[:, None] + area_of_second - shared
    return shared / np.where(union > 0, union, 1)


def _with_loops(first, second):  # type: ignore[no-untyped-def]
    found = np.zeros((len(first), len(second)))
    for row, (a, b, c, d) in enumerate(first.tolist()):
        for column, (e, f, g, h) in enumerate(second.tolist()):
            shared = max(0.0, min(c, g) - max(a, e)) * max(0.0, min(d, h) - max(b, f))
            if shared > 0:
                found[row, column] = shared / ((c - a) * (d - b) + (g - e) * (h - f) - shared)
    return found


def _with_broadcasting(first, second):  # type: ignore[no-untyped-def]
    a, b = first[:, None], second[None]
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.where((width > 0) & (height > 0), width * height, 0.0)
    areas = [(boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]) for boxes in (a, b)]
    return np.nan_to_num(shared / (areas[0] + areas[1] - shared))


def _with_torch(first, second):  # type: ignore[no-untyped-def]
    import torch

    a, b = torch.from_numpy(first), torch.from_numpy(second)
    sides = torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])
    shared = sides.clamp(min=0).prod(dim=2)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (a, b))
    return (shared / (area_a[:, None] + area_b - shared)).nan_to_num(nan=0.0)


def _overlap(  # type: ignore[no-untyped-def]
    first, second, clip=True, pixel=0, below="union", epsilon=0.0, empty=0.0, sides=lambda sides: sides, give="iou"
):
    """IoU with the switches of the mistakes."""
    low = np.maximum(first[:, None, :2], second[:, :2])
    found = sides(np.minimum(first[:, None, 2:], second[:, 2:]) - low + pixel)
    shared = (np.clip(found, 0, None) if clip is True else found).prod(axis=2)
    if clip == "after":
        shared = np.maximum(shared, 0)
    one, other = ((boxes[:, 2:] - boxes[:, :2] + pixel).prod(axis=1) for boxes in (first, second))
    one, other = one[:, None], other[None]
    if give == "areas":
        return one + other
    divisor = {
        "union": one + other - shared,
        "sum": one + other,
        "first": one + 0 * other,
        "second": other + 0 * one,
        "smaller": np.minimum(one, other),
        "larger": np.maximum(one, other),
        "one": np.ones_like(shared),
        "rest": one + other - 2 * shared,
        "hull": (np.maximum(first[:, None, 2:], second[:, 2:]) - np.minimum(first[:, None, :2], second[:, :2])).prod(2),
    }[below]
    ratio = shared / (divisor + epsilon)
    return np.where(divisor + epsilon == 0, empty, ratio)


def _from_sizes(first, second):  # type: ignore[no-untyped-def]
    """As if the boxes were x, y, width, height."""
    first, second = (np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) for boxes in (first, second))
    return box_iou(first, second)


def _row_by_row(first, second):  # type: ignore[no-untyped-def]
    return np.diagonal(box_iou(first, second))


_A = np.array([[0.0, 0.0, 2.0, 2.0]])


def _clipped_last(first, second):  # type: ignore[no-untyped-def]
    """The shared area is taken as it is, also if negative; only the ratio is limited."""
    return np.clip(_overlap(first, second, clip=False), 0, 1)


def _generalized(first, second):  # type: ignore[no-untyped-def]
    hull = np.maximum(first[:, None, 2:], second[:, 2:]) - np.minimum(first[:, None, :2], second[:, :2])
    area, sum_ = hull.prod(axis=2), _overlap(first, second, below="one", give="areas")
    union = sum_ - _overlap(first, second, below="one")
    return np.where(union > 0, box_iou(first, second) - (area - union) / np.where(area > 0, area, 1), 0)


EXERCISE = Exercise(
    id="5.3",
    title="IoU of boxes",
    name="box_iou",
    statement="""
Write `box_iou(first, second)` for N x 4 and M x 4 boxes (x1, y1, x2, y2): the N x M matrix with the IoU of every box
of the first with every box of the second. Coordinates are continuous, so the box (0, 0, 1, 1) has the area 1.

Two boxes that do not touch have the IoU 0. Boxes without any area occur, too: their IoU is 0 with everything, with
themselves as well, and never NaN.
""",
    stub=STUB,
    reference=box_iou,
    cases=(
        Case(
            "half of each: 2 / 6", (_A, np.array([[1.0, 0, 3, 2], [0, 0, 2, 2]])), np.array([[1 / 3, 1.0]]), "general"
        ),
        Case("a quarter inside", (_A, np.array([[0.0, 0, 1, 1]])), np.array([[0.25]]), "union"),
        Case("far apart in x and in y", (_A, np.array([[5.0, 5, 7, 7]])), np.array([[0.0]]), "negative"),
        Case("they share an edge only", (_A, np.array([[2.0, 0, 4, 2]])), np.array([[0.0]]), "pixel"),
        Case(
            "boxes without area",
            (np.array([[1.0, 1, 1, 1], [0, 0, 2, 0]]), np.array([[1.0, 1, 1, 1], [0, 0, 2, 2]])),
            np.zeros((2, 2)),
            "empty",
        ),
        Case(
            "very small boxes",
            (np.array([[0.0, 0, 0.001, 0.002]]), np.array([[0.0, 0, 0.001, 0.001]])),
            np.array([[0.5]]),
            "epsilon",
        ),
        Case("no box in the second", (_A, np.zeros((0, 4))), np.zeros((1, 0))),
        Case("5 x 7 random boxes", (random_boxes(0, 5), random_boxes(1, 7))),
        Case("9 x 4 random boxes", (random_boxes(2, 9), random_boxes(3, 4))),
        Case("apart in y only", (_A, np.array([[0.0, 3, 2, 5]])), np.array([[0.0]]), "negative"),
        Case("same column, below by half", (_A, np.array([[0.0, 1, 2, 3]])), np.array([[1 / 3]]), "down"),
        Case(
            "corners at half pixels",
            (np.array([[0.5, 0.5, 2.5, 1.5]]), np.array([[0.5, 0.5, 1, 1.5]])),
            np.array([[0.25]]),
            "rounded",
        ),
        Case(
            "they share 1 of 199",
            (np.array([[0.0, 0, 10, 10]]), np.array([[9.0, 9, 19, 19]])),
            np.array([[1 / 199]]),
            "rounded",
        ),
        Case(
            "apart by half a pixel, in x and in y",
            (_A, np.array([[2.5, 0, 4.5, 2], [0, 2.5, 2, 4.5]])),
            np.array([[0.0, 0.0]]),
            "negative",
        ),
    ),
    hints={
        "general": Hint(
            "The shared rectangle goes from the larger of the left edges to the smaller of the right ones; so in y.",
            "If the right edge of the shared rectangle lies left of its left edge, there is no such rectangle: that "
            "side is 0, not negative. An additional axis in one of the arrays lets NumPy form all N x M pairs at "
            "once. Mind the pairs whose union is 0.",
        ),
        "negative": Hint(
            "Boxes that do not touch share nothing, and their IoU is 0. (Two negative sides give a positive area.)",
            "Clip width and height of the shared rectangle at 0 before you multiply.",
        ),
        "pixel": Hint(
            "Corners are continuous: boxes that share an edge only have the IoU 0, and no pixel is added to a side.",
            "width = x2 - x1, without + 1.",
        ),
        "union": Hint(
            "Below the fraction line stands the union: both areas, and the shared part in them once.",
            "union = area of the first + area of the second - shared.",
        ),
        "hull": Hint(
            "This divides by the box around both. The union is what the two boxes cover.",
            "union = area of the first + area of the second - shared.",
        ),
        "empty": Hint(
            "Boxes without any area: their IoU is 0 with everything, also where 0 / 0 would be NaN.",
            "Divide by np.where(union > 0, union, 1).",
        ),
        "epsilon": Hint(
            "Boxes may be very small. A number added below the fraction line, or a least area, changes their IoU.",
            "Divide by np.where(union > 0, union, 1) instead.",
        ),
        "corners": Hint(
            "The last two numbers of a box are its second corner, not its width and height.", "width = x2 - x1."
        ),
        "matrix": Hint(
            "Every box is compared with every other: the result has a row for each box of `first`.",
            "first[:, None] against second[None] makes NumPy compare all pairs: N x M.",
        ),
        "down": Hint(
            "The shared rectangle has a width and a height: what holds for x holds for y, too.",
            "shared = width * height, each limited at 0.",
        ),
        "rounded": Hint(
            "Corners may lie anywhere, and the result may be any number from 0 to 1: nothing is rounded, to decimals "
            "neither.",
            "No int and no round; the IoU is a plain ratio.",
        ),
        "dice": Hint("This is the Dice coefficient. The IoU divides by the union.", "shared / union, without 2."),
        "giou": Hint(
            "This is the generalized IoU, which is negative for boxes far apart. The plain IoU is wanted.",
            "shared / union, and nothing taken off.",
        ),
        "ratio": Hint(
            "The IoU is a share from 0 to 1: the shared area divided by the union.", "shared / union, without 100."
        ),
        "same": Hint(
            "Equal boxes have the IoU 1 because their areas say so. Without area it is 0, with themselves as well.",
            "No special case for equal boxes.",
        ),
    },
    mistakes=(
        Mistake("sides not clipped", lambda a, b: _overlap(a, b, clip=False), "negative"),
        Mistake("sides made positive", lambda a, b: np.abs(_overlap(a, b, clip=False)), "negative"),
        Mistake("one pixel more", lambda a, b: _overlap(a, b, pixel=1), "pixel"),
        Mistake("sum for union", lambda a, b: _overlap(a, b, below="sum"), "union"),
        Mistake("divided by the first area", lambda a, b: _overlap(a, b, below="first"), "union"),
        Mistake("divided by the smaller area", lambda a, b: _overlap(a, b, below="smaller"), "union"),
        Mistake("divided by the hull", lambda a, b: _overlap(a, b, below="hull"), "hull"),
        Mistake("0 / 0 is NaN", lambda a, b: _overlap(a, b, empty=np.nan), "empty"),
        Mistake("0 / 0 is 1", lambda a, b: _overlap(a, b, empty=1.0), "empty"),
        Mistake("an epsilon below", lambda a, b: _overlap(a, b, epsilon=1e-6), "epsilon"),
        Mistake("boxes are x, y, width, height", _from_sizes, "corners"),
        Mistake("pair by pair", _row_by_row, "matrix"),
        Mistake("M x N", lambda a, b: box_iou(b, a), "matrix"),
        Mistake("product of the sides clipped", lambda a, b: np.maximum(_overlap(a, b, clip=False), 0), "negative"),
        Mistake("absolute sides", lambda a, b: _overlap(a, b, clip=False, sides=np.abs), "negative"),
        Mistake("product of the sides clipped, then the union", lambda a, b: _overlap(a, b, clip="after"), "negative"),
        Mistake("union of negative sides", lambda a, b: _clipped_last(a, b), "negative"),
        Mistake("divided by the larger area", lambda a, b: _overlap(a, b, below="larger"), "union"),
        Mistake("divided by the second area", lambda a, b: _overlap(a, b, below="second"), "union"),
        Mistake("not divided", lambda a, b: _overlap(a, b, below="one"), "union"),
        Mistake("the rest for the union", lambda a, b: _overlap(a, b, below="rest"), "union"),
        Mistake("1 below", lambda a, b: _overlap(a, b, epsilon=1.0), "epsilon"),
        Mistake(
            "small boxes are none",
            lambda a, b: np.where(_overlap(a, b, below="one") < 1e-3, 0, box_iou(a, b)),
            "epsilon",
        ),
        Mistake("whole corners", lambda a, b: box_iou(np.trunc(a), np.trunc(b)), "rounded"),
        Mistake("rounded corners", lambda a, b: box_iou(np.round(a), np.round(b)), "rounded"),  # type: ignore[arg-type]
        Mistake("two decimals", lambda a, b: box_iou(a, b).round(2), "rounded"),
        Mistake("width only", lambda a, b: _overlap(a, b, sides=lambda s: s * [1, 0] + [0, 1]), "down"),
        Mistake("Dice", lambda a, b: 2 * _overlap(a, b, below="sum"), "dice"),
        Mistake("generalized", _generalized, "giou"),
        Mistake("percent", lambda a, b: 100 * box_iou(a, b), "ratio"),
        Mistake("equal boxes are 1", lambda a, b: np.where((a[:, None] == b).all(2), 1.0, box_iou(a, b)), "same"),
        Mistake("the best of each row", lambda a, b: box_iou(a, b).max(axis=1, initial=0), "matrix"),
        Mistake("one number", lambda a, b: box_iou(a, b).max(), "matrix"),
        Mistake("a list of N M numbers", lambda a, b: box_iou(a, b).ravel(), "matrix"),
        Mistake("small IoUs are 0", lambda a, b: np.where(box_iou(a, b) < 0.01, 0, box_iou(a, b)), "rounded"),
    ),
    alternatives=(_with_loops, _with_broadcasting, _with_torch),
    points=3,
    minutes=20,
    difficulty=2,
)
