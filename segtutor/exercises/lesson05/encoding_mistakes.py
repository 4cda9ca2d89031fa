"""Typical wrong answers to exercise 5.5, the encoding of boxes."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake

# Weights of the offsets in the region proposal network and in the box head.
ONE = (1.0, 1.0, 1.0, 1.0)
HEAD = (10.0, 10.0, 5.0, 5.0)
_LIMIT = np.log(1000 / 16)


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


def _difference(boxes, references, weights):  # type: ignore[no-untyped-def]
    """Sizes subtracted instead of divided."""
    sizes, own = boxes[:, 2:] - boxes[:, :2], references[:, 2:] - references[:, :2]
    return np.concatenate([_offsets(boxes, references, ONE)[:, :2], sizes - own], axis=1) * weights


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
    offsets, own = _offsets(boxes, references, ONE), references[:, 2:] - references[:, :2]
    shape = own[:, 1] / own[:, 0]
    offsets[:, 1] *= shape if shift else 1
    offsets[:, 3] += np.log(shape) if size else 0
    return offsets * weights


MISTAKES = (
    Mistake("corner to corner", lambda b, r, w: _offsets(b, r, w, anchor="corner"), "center"),
    Mistake("divided by the box", lambda b, r, w: _offsets(b, r, w, by="box"), "divisor"),
    Mistake("not divided", lambda b, r, w: _offsets(b, r, w, by="nothing"), "divisor"),
    Mistake("x by height", lambda b, r, w: _offsets(b, r, w, by="swapped"), "divisor"),
    Mistake("no logarithm", lambda b, r, w: _offsets(b, r, w, log=lambda q: q), "log"),
    Mistake("ratio minus 1", lambda b, r, w: _offsets(b, r, w, log=lambda q: q - 1), "log"),
    Mistake("logarithm of base 2", lambda b, r, w: _offsets(b, r, w, log=np.log2), "log"),
    Mistake("ratio upside down", lambda b, r, w: _offsets(b, r, w, log=lambda q: -np.log(q)), "roles"),
    Mistake("roles exchanged", lambda b, r, w: _offsets(r, b, w), "roles"),
    Mistake("weights left out", lambda b, r, w: _offsets(b, r, ONE), "weights"),
    Mistake("divided by the weights", lambda b, r, w: _offsets(b, r, w, weigh=np.divide), "weights"),
    Mistake("one pixel more", lambda b, r, w: _offsets(b, r, w, pixel=1), "pixel"),
    Mistake("sizes before shifts", lambda b, r, w: _offsets(b, r, w)[:, [2, 3, 0, 1]], "order"),
    Mistake("logarithm of base 10", lambda b, r, w: _offsets(b, r, w, log=np.log10), "log"),
    Mistake("logarithm of one more", lambda b, r, w: _offsets(b, r, w, log=np.log1p), "log"),
    Mistake("difference of the sizes", lambda b, r, w: _difference(b, r, w), "log"),
    Mistake("box minus reference the wrong way", lambda b, r, w: _offsets(b, r, w) * [-1, -1, 1, 1], "roles"),
    Mistake("both upside down", lambda b, r, w: -_offsets(b, r, w), "roles"),
    Mistake("centers not halved", lambda b, r, w: _offsets(b, r, w) * [2, 2, 1, 1], "center"),
    Mistake(
        "second corners",
        lambda b, r, w: -_offsets(-b[:, [2, 3, 0, 1]], -r[:, [2, 3, 0, 1]], w, anchor="corner") * [1, 1, -1, -1],
        "center",
    ),
    Mistake("whole centers", lambda b, r, w: _offsets(_whole(b), _whole(r), w), "rounded"),
    Mistake("rounded", lambda b, r, w: _offsets(b, r, w).round(2), "rounded"),
    Mistake("all by the width", lambda b, r, w: _by_width(b, r, w, shift=True, size=True), "height"),
    Mistake("shift by the width", lambda b, r, w: _by_width(b, r, w, shift=True), "height"),
    Mistake("height by the width", lambda b, r, w: _by_width(b, r, w, size=True), "height"),
    Mistake("shift by the root of the area", lambda b, r, w: _offsets(b, r, w, by="side"), "divisor"),
    Mistake("first weight for all", lambda b, r, w: _offsets(b, r, [w[0]] * 4), "each its weight"),
    Mistake("two weights", lambda b, r, w: _offsets(b, r, [w[0], w[0], w[2], w[2]]), "each its weight"),
    Mistake(
        "the first two weights",
        lambda b, r, w: _offsets(b, r, [w[0], w[0], w[1], w[1]]),
        "each its weight",
    ),
    Mistake(
        "weights for x, w, y, h",
        lambda b, r, w: _offsets(b, r, [w[0], w[2], w[1], w[3]]),
        "each its weight",
    ),
    Mistake("weights backwards", lambda b, r, w: _offsets(b, r, w[::-1]), "each its weight"),
    Mistake("whole weights", lambda b, r, w: _offsets(b, r, np.trunc(w)), "each its weight"),
    Mistake("weights of the box head always", lambda b, r, w: _offsets(b, r, HEAD), "each its weight"),
    Mistake("shifts weighted only", lambda b, r, w: _offsets(b, r, [w[0], w[1], 1, 1]), "weights"),
    Mistake("sizes weighted only", lambda b, r, w: _offsets(b, r, [1, 1, w[2], w[3]]), "weights"),
    Mistake(
        "weights in the logarithm",
        lambda b, r, w: _offsets(b, r, ONE) * [*w[:2], 1, 1] + [0, 0, *np.log(w[2:])],
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
        lambda b, r, w: np.hstack([_offsets(b, r, ONE)[:, :2].clip(-1, 1), _offsets(b, r, ONE)[:, 2:]]) * w,
        "no limit",
    ),
    Mistake("at least one pixel", lambda b, r, w: _offsets(_at_least_one(b), _at_least_one(r), w), "no limit"),
    Mistake("dx, dw, dy, dh", lambda b, r, w: _offsets(b, r, w)[:, [0, 2, 1, 3]], "order"),
    Mistake("y before x", lambda b, r, w: _offsets(b, r, w)[:, [1, 0, 3, 2]], "order"),
    Mistake(
        "logarithm of the size alone",
        lambda b, r, w: np.hstack([_offsets(b, r, ONE)[:, :2], np.log(b[:, 2:] - b[:, :2])]) * w,
        "log",
    ),
    Mistake("weights twice", lambda b, r, w: _offsets(b, r, w) * w, "weights"),
)
