"""Exercise 5.5: from boxes to the offsets that the network learns."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson05.encoding_mistakes import HEAD, MISTAKES, ONE
from segtutor.exercises.lesson05.inputs import random_boxes

STUB = '''
def encode_boxes(boxes, references, weights):
    """R x 4 offsets dx, dy, dw, dh that lead from the references to the boxes, both R x 4, times the four weights."""
    raise NotImplementedError("Write encode_boxes() here, then run this cell again.")
'''


def encode_boxes(boxes: np.ndarray, references: np.ndarray, weights: tuple[float, float, float, float]) -> np.ndarray:
    """R x 4 offsets dx, dy, dw, dh that lead from the references to the boxes, both R x 4, times the four weights."""
    sizes, reference_sizes = boxes[:, 2:] - boxes[:, :2], references[:, 2:] - references[:, :2]
    centers, reference_centers = boxes[:, :2] + sizes / 2, references[:, :2] + reference_sizes / 2
    shift = (centers - reference_centers) / reference_sizes
    stretch = np.log(sizes / reference_sizes)
    return np.concatenate([shift, stretch], axis=1) * np.array(weights)


def _with_loops(boxes, references, weights):  # type: ignore[no-untyped-def]
    import math

    rows = []
    for (x1, y1, x2, y2), (left, top, right, bottom) in zip(boxes.tolist(), references.tolist(), strict=True):
        width, height = right - left, bottom - top
        rows.append(
            [
                weights[0] * ((x1 + x2) - (left + right)) / 2 / width,
                weights[1] * ((y1 + y2) - (top + bottom)) / 2 / height,
                weights[2] * (math.log(x2 - x1) - math.log(width)),
                weights[3] * (math.log(y2 - y1) - math.log(height)),
            ]
        )
    return np.array(rows).reshape(-1, 4)


def _column_by_column(boxes, references, weights):  # type: ignore[no-untyped-def]
    def parts(corners):  # type: ignore[no-untyped-def]
        x1, y1, x2, y2 = corners.T
        return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1

    (x, y, w, h), (xa, ya, wa, ha) = parts(boxes), parts(references)
    offsets = [(x - xa) / wa, (y - ya) / ha, np.log(w / wa), np.log(h / ha)]
    return np.stack([weight * one for weight, one in zip(weights, offsets, strict=True)], axis=1)


def _with_torch(boxes, references, weights):  # type: ignore[no-untyped-def]
    import torch

    boxes, references = torch.from_numpy(boxes), torch.from_numpy(references)
    size, own = boxes[:, 2:] - boxes[:, :2], references[:, 2:] - references[:, :2]
    shift = (boxes[:, :2] + boxes[:, 2:] - references[:, :2] - references[:, 2:]) / (2 * own)
    return torch.cat([shift, (size / own).log()], dim=1) * torch.tensor(weights)


_FOUR = (10.0, 8.3, 5.1, 2.7)
_REFERENCE = np.array([[0.0, 0.0, 10.0, 20.0]])


EXERCISE = Exercise(
    id="5.5",
    title="Encode boxes",
    name="encode_boxes",
    statement="""
The network does not predict corners but how to get from a *reference* (an anchor or a proposal) to the box:

$$d_x = \\frac{x - x_a}{w_a}, \\quad d_y = \\frac{y - y_a}{h_a}, \\quad
d_w = \\log\\frac{w}{w_a}, \\quad d_h = \\log\\frac{h}{h_a}$$

Here $x, y$ is the center of the box, $w, h$ its size, and those with $a$ belong to the reference; the logarithm is the
natural one. Write `encode_boxes(boxes, references, weights)`. Both hold R boxes as corners (x1, y1, x2, y2); the i-th
box belongs to the i-th reference. Multiply the four offsets by the four `weights`: (1, 1, 1, 1) for anchors,
(10, 10, 5, 5) in the box head.
""",
    stub=STUB,
    reference=encode_boxes,
    cases=(
        Case("the box is the reference", (_REFERENCE, _REFERENCE, ONE), np.zeros((1, 4))),
        Case(
            "half a width to the right",
            (np.array([[5.0, 0, 15, 20]]), _REFERENCE, ONE),
            np.array([[0.5, 0, 0, 0]]),
            "shift",
        ),
        Case(
            "half a height down",
            (np.array([[0.0, 10, 10, 30]]), _REFERENCE, ONE),
            np.array([[0, 0.5, 0, 0]]),
            "shift",
        ),
        Case(
            "twice as wide, same center",
            (np.array([[-5.0, 0, 15, 20]]), _REFERENCE, ONE),
            np.array([[0, 0, np.log(2), 0]]),
            "same center",
        ),
        Case(
            "half as high, same center",
            (np.array([[0.0, 5, 10, 15]]), _REFERENCE, ONE),
            np.array([[0, 0, 0, np.log(0.5)]]),
            "same center",
        ),
        Case(
            "weights of the box head",
            (np.array([[1.0, 4, 11, 24]]), _REFERENCE, HEAD),
            np.array([[1.0, 2, 0, 0]]),
            "weights",
        ),
        Case(
            "four different weights, with decimals",
            (random_boxes(4, 3), random_boxes(5, 3), _FOUR),
            hint="each its weight",
        ),
        Case(
            "100 times as wide, far away",
            (np.array([[1995.0, 0, 2995, 0.1]]), _REFERENCE, ONE),
            np.array([[249.0, -0.4975, np.log(100), np.log(0.005)]]),
            "no limit",
        ),
        Case("no box", (np.zeros((0, 4)), np.zeros((0, 4)), ONE), np.zeros((0, 4))),
        Case("8 random boxes", (random_boxes(0, 8), random_boxes(1, 8), ONE)),
        Case("6 random boxes, weighted", (random_boxes(2, 6), random_boxes(3, 6), HEAD)),
    ),
    hints={
        "general": Hint(
            "Compute center and size of both, then the four formulas, one after the other.",
            "Turn the corners of both arrays into centers and sizes in the same way. Two of the offsets are shifts, "
            "measured in sizes of the reference; the other two are logarithms of ratios. The weights come last.",
        ),
        "center": Hint(
            "The shift goes from center to center, and the center is halfway between both corners.",
            "x = (x1 + x2) / 2.",
        ),
        "divisor": Hint(
            "The shift is measured in sizes of the reference: d_x in its width, d_y in its height.",
            "(x - x_a) / w_a and (y - y_a) / h_a, with width and height of the *reference*.",
        ),
        "log": Hint(
            "The size is encoded as the natural logarithm of the ratio, so that half and double are opposite.",
            "np.log(w / w_a).",
        ),
        "roles": Hint(
            "The offsets lead from the box to the reference. They lead from the reference to the box.",
            "Box minus reference, and box divided by reference.",
        ),
        "weights": Hint(
            "The offsets are multiplied by the weights, each by its own.",
            "offsets * np.array(weights): R x 4 times 4.",
        ),
        "pixel": Hint("Corners are continuous here: no pixel is added to the sizes.", "width = x2 - x1, without + 1."),
        "order": Hint("The offsets stand in another order.", "dx, dy, dw, dh."),
        "shift": Hint(
            "A box of the reference's size, moved: only the shift of one center to the other counts, in units of the "
            "reference's width or height.",
            "(x - x_a) / w_a and (y - y_a) / h_a.",
        ),
        "same center": Hint(
            "The centers are the same, so both shifts are 0; the logarithm of width by width and of height by height "
            "is left.",
            "log(w / w_a), log(h / h_a); x = (x1 + x2) / 2.",
        ),
        "each its weight": Hint(
            "The four weights may all be different, and need not be whole: the first is for d_x, the second for d_y, "
            "the "
            "third for d_w, the fourth for d_h.",
            "offsets * np.array(weights): R x 4 times 4.",
        ),
        "no limit": Hint(
            "Nothing is limited in this direction: offsets may be large, and sizes may be very small.",
            "Leave minimum, maximum and clip away.",
        ),
        "height": Hint(
            "Height goes with height: d_y is measured in the reference's height, and d_h compares the heights.",
            "(y - y_a) / h_a and log(h / h_a).",
        ),
        "rounded": Hint("Centers lie anywhere: nothing is rounded here.", "(x1 + x2) / 2, not // 2."),
        "after the log": Hint("The weight belongs outside of the logarithm.", "weight * log(w / w_a)."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _column_by_column, _with_torch),
    points=3,
    minutes=15,
    difficulty=1,
)
