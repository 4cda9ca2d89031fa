"""Typical wrong answers to exercise 5.6, the decoding of boxes."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake

_LARGEST = float(np.log(1000 / 16))


def _boxes(  # type: ignore[no-untyped-def]
    offsets, references, weights, limit=lambda d: np.minimum(d, _LARGEST), grow=np.exp, base="center", scale=True,
    weigh=np.divide, corners=True, part=0.5, limit_shift=False, limit_first=False, shifts=lambda d: d, pixel=0,
):  # fmt: skip
    """Boxes with the switches of the mistakes; as it stands, the right ones."""
    if limit_first:
        d = weigh(np.concatenate([offsets[:, :2], limit(offsets[:, 2:])], axis=1), np.array(weights))
        stretch = d[:, 2:]
    else:
        d = weigh(offsets, np.array(weights))
        stretch = limit(d[:, 2:])
    own = references[:, 2:] - references[:, :2] + pixel
    shift = np.minimum(d[:, :2], _LARGEST) if limit_shift else shifts(d[:, :2])
    sizes = own * grow(stretch)
    unit = {True: own, False: 1, "width": own[:, :1], "new": sizes}[scale]
    center = references[:, :2] + (0.5 * own if base == "center" else 0) + shift * unit
    if corners is not True:
        first = center - sizes / 2 if corners == "size" else center
        second = {"from center": center + sizes, "half": center + sizes / 2}.get(corners, sizes)
        return np.concatenate([first, second], axis=1)
    return np.concatenate([center - part * sizes, center + part * sizes], axis=1)


def _changed(name, **switches):  # type: ignore[no-untyped-def]
    """A mistake: a wrong answer with some switches set, its name and its hint."""

    def wrong(offsets, references, weights):  # type: ignore[no-untyped-def]
        return _boxes(offsets, references, weights, **switches)

    return lambda hint: Mistake(name, wrong, hint)


def _thousand(offsets, references, weights):  # type: ignore[no-untyped-def]
    """No side of more than 1000 pixels, in place of the limit."""
    boxes = _boxes(offsets, references, weights, limit=lambda d: np.minimum(d, 100))
    center, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, np.minimum(boxes[:, 2:] - boxes[:, :2], 1000)
    return np.concatenate([center - sizes / 2, center + sizes / 2], axis=1)


MISTAKES = (
    _changed("no limit", limit=lambda d: d)("limit"),
    _changed("limited from below, too", limit=lambda d: np.clip(d, -_LARGEST, _LARGEST))("small"),
    _changed("limit of 1000 / 16 without log", limit=lambda d: np.minimum(d, 62.5))("limit"),
    _changed("shift limited", limit_shift=True)("limit shift"),
    _changed("limited before the division", limit_first=True)("limit first"),
    _changed("1 + d for exp", grow=lambda d: 1 + d)("exp"),
    _changed("no exp", grow=lambda d: d)("exp"),
    _changed("power of 2", grow=np.exp2)("exp"),
    _changed("shift in pixels", scale=False)("scale"),
    _changed("from the corner", base="corner")("center"),
    _changed("multiplied by the weights", weigh=np.multiply)("weights"),
    _changed("weights left out", weigh=lambda d, w: d)("weights"),
    _changed("center and size", corners=False)("corners"),
    _changed("whole size to each side", part=1.0)("half"),
    _changed("only dw limited", limit=lambda d: np.minimum(d, [_LARGEST, np.inf]))("limit"),
    _changed("only dh limited", limit=lambda d: np.minimum(d, [np.inf, _LARGEST]))("limit"),
    _changed("limited where both are large", limit=lambda d: np.where((d > _LARGEST).all(1)[:, None], _LARGEST, d))(
        "limit"
    ),
    _changed("both limited where one is large", limit=lambda d: np.where((d > _LARGEST).any(1)[:, None], _LARGEST, d))(
        "limit"
    ),
    _changed("0 where it is too large", limit=lambda d: np.where(d > _LARGEST, 0, d))("limit"),
    _changed("log of base 10", limit=lambda d: np.minimum(d, np.log10(62.5)))("limit"),
    _changed("log of base 2", limit=lambda d: np.minimum(d, np.log2(62.5)))("limit"),
    _changed("log 62", limit=lambda d: np.minimum(d, np.log(62)))("limit"),
    _changed("log 63", limit=lambda d: np.minimum(d, np.log(63)))("limit"),
    _changed("log 1000", limit=lambda d: np.minimum(d, np.log(1000)))("limit"),
    _changed("limited to 4", limit=lambda d: np.minimum(d, 4.0))("limit"),
    _changed("limit is a least value", limit=lambda d: np.maximum(d, _LARGEST))("limit"),
    _changed("exp is limited to log", grow=lambda d: np.minimum(np.exp(d), _LARGEST), limit=lambda d: d)("limit"),
    _changed("exp is limited to 1000", grow=lambda d: np.minimum(np.exp(d), 1000), limit=lambda d: d)("limit"),
    Mistake("sides of at most 1000 pixels", _thousand, "limit"),
    _changed("limited from below at 0", limit=lambda d: np.clip(d, 0, _LARGEST))("small"),
    _changed("shift limited both ways", shifts=lambda d: np.clip(d, -_LARGEST, _LARGEST))("limit shift"),
    _changed("shift limited to 1", shifts=lambda d: np.clip(d, -1, 1))("limit shift"),
    Mistake("corners not below 0", lambda d, r, w: _boxes(d, r, w).clip(0), "limit shift"),
    _changed("1 + d for the exponential, limited", grow=lambda d: np.maximum(1 + d, 0))("exp"),
    _changed("power of 10", grow=lambda d: 10.0**d)("exp"),
    _changed("expm1", grow=np.expm1)("exp"),
    _changed("minus exp", grow=lambda d: np.exp(-d))("exp"),
    _changed("shift by the width", scale="width")("scale"),
    _changed("shift by the new size", scale="new")("own size"),
    _changed("shift subtracted", shifts=lambda d: -d)("minus"),
    _changed("a pixel added", pixel=1)("pixel"),
    Mistake("a pixel taken off", lambda d, r, w: _boxes(d, r, w) - [0, 0, 1, 1], "pixel"),
    Mistake("rounded", lambda d, r, w: _boxes(d, r, w).round(), "pixel"),
    _changed("corner and size", corners="size")("corners"),
    _changed("center for the first corner", corners="from center")("corners"),
    _changed("center and second corner", corners="half")("corners"),
    _changed("first weight for all", weigh=lambda d, w: d / w[0])("each its weight"),
    _changed("two weights", weigh=lambda d, w: d / w[[0, 0, 2, 2]])("each its weight"),
    _changed("the first two weights", weigh=lambda d, w: d / w[[0, 0, 1, 1]])("each its weight"),
    _changed("weights for x, w, y, h", weigh=lambda d, w: d / w[[0, 2, 1, 3]])("each its weight"),
    _changed("weights backwards", weigh=lambda d, w: d / w[::-1])("each its weight"),
    _changed("whole weights", weigh=lambda d, w: d / np.trunc(w))("each its weight"),
    _changed("whole division", weigh=lambda d, w: d // w)("weights"),
    _changed("shifts divided only", weigh=lambda d, w: d / [w[0], w[1], 1, 1])("weights"),
    _changed("sizes divided only", weigh=lambda d, w: d / [1, 1, w[2], w[3]])("weights"),
    Mistake(
        "from the second corner",
        lambda d, r, w: _boxes(d, r, w) + np.tile((r[:, 2:] - r[:, :2]) / 2, 2),
        "center",
    ),
    _changed("tanh of the shift", shifts=np.tanh)("limit shift"),
)
