"""Exercise 5.5: from boxes to the offsets that the network learns."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
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


def _offsets(  # type: ignore[no-untyped-def]
    boxes, references, weights, log=np.log, anchor="center", by="reference", weigh=np.multiply, pixel=0
):
    """Offsets with the switches of the mistakes; as it stands, the right ones."""
    sizes, own = boxes[:, 2:] - boxes[:, :2] + pixel, references[:, 2:] - references[:, :2] + pixel
    half = 0.5 if anchor == "center" else 0.0
    moved = boxes[:, :2] + half * sizes - references[:, :2] - half * own
    divisor = {"reference": own, "box": sizes, "nothing": np.ones_like(own), "swapped": own[:, ::-1]}[by]
    return weigh(np.concatenate([moved / divisor, log(sizes / own)], axis=1), np.array(weights))


_ONE = (1.0, 1.0, 1.0, 1.0)
_HEAD = (10.0, 10.0, 5.0, 5.0)
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
        Case("the box is the reference", (_REFERENCE, _REFERENCE, _ONE), np.zeros((1, 4))),
        Case(
            "half a width to the right",
            (np.array([[5.0, 0, 15, 20]]), _REFERENCE, _ONE),
            np.array([[0.5, 0, 0, 0]]),
            "divisor",
        ),
        Case(
            "half a height down",
            (np.array([[0.0, 10, 10, 30]]), _REFERENCE, _ONE),
            np.array([[0, 0.5, 0, 0]]),
            "divisor",
        ),
        Case(
            "twice as wide, same center",
            (np.array([[-5.0, 0, 15, 20]]), _REFERENCE, _ONE),
            np.array([[0, 0, np.log(2), 0]]),
            "center",
        ),
        Case(
            "weights of the box head",
            (np.array([[1.0, 4, 11, 24]]), _REFERENCE, _HEAD),
            np.array([[1.0, 2, 0, 0]]),
            "weights",
        ),
        Case("no box", (np.zeros((0, 4)), np.zeros((0, 4)), _ONE), np.zeros((0, 4))),
        Case("8 random boxes", (random_boxes(0, 8), random_boxes(1, 8), _ONE)),
        Case("6 random boxes, weighted", (random_boxes(2, 6), random_boxes(3, 6), _HEAD)),
    ),
    hints={
        "general": Hint(
            "Compute center and size of both, then the four formulas, one after the other.",
            "sizes = boxes[:, 2:] - boxes[:, :2]; centers = boxes[:, :2] + sizes / 2; the same for the references.",
        ),
        "center": Hint(
            "The shift is taken from corner to corner. It goes from center to center.", "x = (x1 + x2) / 2."
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
            "The offsets must be multiplied by the weights, each by its own.",
            "offsets * np.array(weights): R x 4 times 4.",
        ),
        "pixel": Hint("A pixel is added to the sizes. Corners are continuous here.", "width = x2 - x1, without + 1."),
        "order": Hint("The offsets stand in another order.", "dx, dy, dw, dh."),
    },
    mistakes=(
        Mistake("corner to corner", lambda b, r, w: _offsets(b, r, w, anchor="corner"), "center"),
        Mistake("divided by the box", lambda b, r, w: _offsets(b, r, w, by="box"), "divisor"),
        Mistake("not divided", lambda b, r, w: _offsets(b, r, w, by="nothing"), "divisor"),
        Mistake("x by height", lambda b, r, w: _offsets(b, r, w, by="swapped"), "divisor"),
        Mistake("no logarithm", lambda b, r, w: _offsets(b, r, w, log=lambda q: q), "log"),
        Mistake("ratio minus 1", lambda b, r, w: _offsets(b, r, w, log=lambda q: q - 1), "log"),
        Mistake("logarithm of base 2", lambda b, r, w: _offsets(b, r, w, log=np.log2), "log"),
        Mistake("ratio upside down", lambda b, r, w: _offsets(b, r, w, log=lambda q: -np.log(q)), "roles"),
        Mistake("roles exchanged", lambda b, r, w: encode_boxes(r, b, w), "roles"),
        Mistake("weights left out", lambda b, r, w: encode_boxes(b, r, _ONE), "weights"),
        Mistake("divided by the weights", lambda b, r, w: _offsets(b, r, w, weigh=np.divide), "weights"),
        Mistake("one pixel more", lambda b, r, w: _offsets(b, r, w, pixel=1), "pixel"),
        Mistake("sizes before shifts", lambda b, r, w: encode_boxes(b, r, w)[:, [2, 3, 0, 1]], "order"),
    ),
    alternatives=(_with_loops, _column_by_column, _with_torch),
    points=3,
    minutes=10,
    difficulty=1,
)
