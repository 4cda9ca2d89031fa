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
    divisor = {
        "reference": own,
        "box": sizes,
        "nothing": np.ones_like(own),
        "swapped": own[:, ::-1],
        "width": own[:, :1],
        "side": np.sqrt(own.prod(axis=1, keepdims=True)),
    }[by]
    return weigh(np.concatenate([moved / divisor, log(sizes / own)], axis=1), np.array(weights))


_ONE = (1.0, 1.0, 1.0, 1.0)
_HEAD = (10.0, 10.0, 5.0, 5.0)
_FOUR = (10.0, 8.3, 5.1, 2.7)
_LIMIT = np.log(1000 / 16)
_REFERENCE = np.array([[0.0, 0.0, 10.0, 20.0]])


def _difference(boxes, references, weights):  # type: ignore[no-untyped-def]
    """Sizes subtracted instead of divided."""
    sizes, own = boxes[:, 2:] - boxes[:, :2], references[:, 2:] - references[:, :2]
    return np.concatenate([encode_boxes(boxes, references, _ONE)[:, :2], sizes - own], axis=1) * weights


def _whole(boxes):  # type: ignore[no-untyped-def]
    """Boxes of the same sizes whose centers are rounded down."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    return boxes + np.tile(np.floor(center) - center, 2)


def _at_least_one(boxes):  # type: ignore[no-untyped-def]
    """Boxes around the same centers, at least one pixel wide and high."""
    center, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    return np.concatenate([center - sizes / 2, center + sizes / 2], axis=1)


def _by_width(boxes, references, weights, shift=False, size=False):  # type: ignore[no-untyped-def]
    """The reference's width where its height belongs."""
    offsets, own = encode_boxes(boxes, references, _ONE), references[:, 2:] - references[:, :2]
    shape = own[:, 1] / own[:, 0]
    offsets[:, 1] *= shape if shift else 1
    offsets[:, 3] += np.log(shape) if size else 0
    return offsets * weights


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
            "shift",
        ),
        Case(
            "half a height down",
            (np.array([[0.0, 10, 10, 30]]), _REFERENCE, _ONE),
            np.array([[0, 0.5, 0, 0]]),
            "shift",
        ),
        Case(
            "twice as wide, same center",
            (np.array([[-5.0, 0, 15, 20]]), _REFERENCE, _ONE),
            np.array([[0, 0, np.log(2), 0]]),
            "same center",
        ),
        Case(
            "half as high, same center",
            (np.array([[0.0, 5, 10, 15]]), _REFERENCE, _ONE),
            np.array([[0, 0, 0, np.log(0.5)]]),
            "same center",
        ),
        Case(
            "weights of the box head",
            (np.array([[1.0, 4, 11, 24]]), _REFERENCE, _HEAD),
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
            (np.array([[1995.0, 0, 2995, 0.1]]), _REFERENCE, _ONE),
            np.array([[249.0, -0.4975, np.log(100), np.log(0.005)]]),
            "no limit",
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
        Mistake("logarithm of base 10", lambda b, r, w: _offsets(b, r, w, log=np.log10), "log"),
        Mistake("logarithm of one more", lambda b, r, w: _offsets(b, r, w, log=np.log1p), "log"),
        Mistake("difference of the sizes", lambda b, r, w: _difference(b, r, w), "log"),
        Mistake("box minus reference the wrong way", lambda b, r, w: encode_boxes(b, r, w) * [-1, -1, 1, 1], "roles"),
        Mistake("both upside down", lambda b, r, w: -encode_boxes(b, r, w), "roles"),
        Mistake("centers not halved", lambda b, r, w: encode_boxes(b, r, w) * [2, 2, 1, 1], "center"),
        Mistake(
            "second corners",
            lambda b, r, w: -_offsets(-b[:, [2, 3, 0, 1]], -r[:, [2, 3, 0, 1]], w, anchor="corner") * [1, 1, -1, -1],
            "center",
        ),
        Mistake("whole centers", lambda b, r, w: _offsets(_whole(b), _whole(r), w), "rounded"),
        Mistake("rounded", lambda b, r, w: encode_boxes(b, r, w).round(2), "rounded"),
        Mistake("all by the width", lambda b, r, w: _by_width(b, r, w, shift=True, size=True), "height"),
        Mistake("shift by the width", lambda b, r, w: _by_width(b, r, w, shift=True), "height"),
        Mistake("height by the width", lambda b, r, w: _by_width(b, r, w, size=True), "height"),
        Mistake("shift by the root of the area", lambda b, r, w: _offsets(b, r, w, by="side"), "divisor"),
        Mistake("first weight for all", lambda b, r, w: encode_boxes(b, r, [w[0]] * 4), "each its weight"),  # type: ignore[arg-type]
        Mistake("two weights", lambda b, r, w: encode_boxes(b, r, [w[0], w[0], w[2], w[2]]), "each its weight"),  # type: ignore[arg-type]
        Mistake(
            "the first two weights",
            lambda b, r, w: encode_boxes(b, r, [w[0], w[0], w[1], w[1]]),  # type: ignore[arg-type]
            "each its weight",
        ),
        Mistake(
            "weights for x, w, y, h",
            lambda b, r, w: encode_boxes(b, r, [w[0], w[2], w[1], w[3]]),  # type: ignore[arg-type]
            "each its weight",
        ),
        Mistake("weights backwards", lambda b, r, w: encode_boxes(b, r, w[::-1]), "each its weight"),
        Mistake("whole weights", lambda b, r, w: encode_boxes(b, r, np.trunc(w)), "each its weight"),
        Mistake("weights of the box head always", lambda b, r, w: encode_boxes(b, r, _HEAD), "each its weight"),
        Mistake("shifts weighted only", lambda b, r, w: encode_boxes(b, r, [w[0], w[1], 1, 1]), "weights"),  # type: ignore[arg-type]
        Mistake("sizes weighted only", lambda b, r, w: encode_boxes(b, r, [1, 1, w[2], w[3]]), "weights"),  # type: ignore[arg-type]
        Mistake(
            "weights in the logarithm",
            lambda b, r, w: encode_boxes(b, r, _ONE) * [*w[:2], 1, 1] + [0, 0, *np.log(w[2:])],
            "after the log",
        ),
        Mistake(
            "sizes limited", lambda b, r, w: _offsets(b, r, w, log=lambda q: np.minimum(np.log(q), _LIMIT)), "no limit"
        ),
        Mistake(
            "small sizes limited",
            lambda b, r, w: _offsets(b, r, w, log=lambda q: np.maximum(np.log(q), -_LIMIT)),
            "no limit",
        ),
        Mistake(
            "sizes limited both ways",
            lambda b, r, w: _offsets(b, r, w, log=lambda q: np.clip(np.log(q), -_LIMIT, _LIMIT)),
            "no limit",
        ),
        Mistake(
            "shifts limited",
            lambda b, r, w: (
                np.hstack([encode_boxes(b, r, _ONE)[:, :2].clip(-1, 1), encode_boxes(b, r, _ONE)[:, 2:]]) * w
            ),
            "no limit",
        ),
        Mistake("at least one pixel", lambda b, r, w: _offsets(_at_least_one(b), _at_least_one(r), w), "no limit"),
        Mistake("dx, dw, dy, dh", lambda b, r, w: encode_boxes(b, r, w)[:, [0, 2, 1, 3]], "order"),
        Mistake("y before x", lambda b, r, w: encode_boxes(b, r, w)[:, [1, 0, 3, 2]], "order"),
        Mistake(
            "logarithm of the size alone",
            lambda b, r, w: np.hstack([encode_boxes(b, r, _ONE)[:, :2], np.log(b[:, 2:] - b[:, :2])]) * w,
            "log",
        ),
        Mistake("weights twice", lambda b, r, w: encode_boxes(b, r, w) * w, "weights"),
    ),
    alternatives=(_with_loops, _column_by_column, _with_torch),
    points=3,
    minutes=10,
    difficulty=1,
)
