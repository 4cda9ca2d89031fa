"""Typical wrong answers to exercise 5.9, RoIAlign."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _pooled(  # type: ignore[no-untyped-def]
    values, box, size, half=0.5, points=(0.25, 0.75), combine=np.mean, read=None, box_of=None, outside="clip",
    shares=lambda v, u: (v, u), sides=lambda high, wide: (high, wide), limits=lambda high, wide: (high, wide),
    pick=None,
):  # fmt: skip
    """RoIAlign with the switches of the mistakes; as it stands, the right one."""
    x1, y1, x2, y2 = box if box_of is None else box_of(np.asarray(box))
    height, width = values.shape
    places = (np.arange(size)[:, None] + np.array(points)).ravel()
    high, wide = sides((y2 - y1) / size, (x2 - x1) / size)
    y, x = y1 + places * high - half, x1 + places * wide - half
    if outside in ("zero", "fade"):
        values, y, x, height, width = np.pad(values, 1), y + 1, x + 1, height + 2, width + 2
    inside = ((y >= 1) & (y <= height - 2))[:, None] & ((x >= 1) & (x <= width - 2))
    if outside != "straight on":
        rows, columns = limits(height, width)
        y, x = np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)
    if read is not None:
        y, x = read(y), read(x)
    top, left = np.clip(np.floor(y), 0, height - 2).astype(int), np.clip(np.floor(x), 0, width - 2).astype(int)
    v, u = shares((y - top)[:, None] + 0 * x, (x - left) + 0 * y[:, None])
    above = values[top][:, left] * (1 - u) + values[top][:, left + 1] * u
    sampled = above * (1 - v) + (values[top + 1][:, left] * (1 - u) + values[top + 1][:, left + 1] * u) * v
    if outside == "zero":
        sampled = sampled * inside
    sampled = sampled.reshape(size, len(points), size, len(points))
    return combine(sampled, axis=(1, 3)) if pick is None else pick(sampled.transpose(0, 2, 1, 3))


def _rounded_box(box):  # type: ignore[no-untyped-def]
    return np.round(box)


def _cropped(values, box, size):  # type: ignore[no-untyped-def]
    """RoIPool with a mean: whole positions for the box, and for the bins."""
    x1, y1, x2, y2 = (round(float(side)) for side in box)
    crop = values[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    rows, columns = (np.linspace(0, count, size + 1) for count in crop.shape)
    return np.array(
        [
            [
                crop[int(rows[r]) : int(np.ceil(rows[r + 1])), int(columns[c]) : int(np.ceil(columns[c + 1]))].mean()
                for c in range(size)
            ]
            for r in range(size)
        ]
    )


def _from_sizes(box):  # type: ignore[no-untyped-def]
    return np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])


MISTAKES = (
    Mistake("half a position too far (legacy)", lambda v, b, s: _pooled(v, b, s, half=0.0), "half"),
    Mistake("half a position added", lambda v, b, s: _pooled(v, b, s, half=-0.5), "half added"),
    Mistake("one point per bin", lambda v, b, s: _pooled(v, b, s, points=(0.5,)), "points"),
    Mistake("points at 0 and 1/2", lambda v, b, s: _pooled(v, b, s, points=(0.0, 0.5)), "points"),
    Mistake("points at the corners of the bins", lambda v, b, s: _pooled(v, b, s, points=(0.0, 1.0)), "points"),
    Mistake("points at thirds", lambda v, b, s: _pooled(v, b, s, points=(1 / 3, 2 / 3)), "points"),
    Mistake("maximum", lambda v, b, s: _pooled(v, b, s, combine=np.max), "combine"),
    Mistake("sum", lambda v, b, s: _pooled(v, b, s, combine=np.sum), "combine"),
    Mistake("nearest position", lambda v, b, s: _pooled(v, b, s, read=np.rint), "nearest"),
    Mistake("position to the upper left", lambda v, b, s: _pooled(v, b, s, read=np.floor), "nearest"),
    Mistake("box rounded", lambda v, b, s: _pooled(v, b, s, box_of=_rounded_box), "rounded"),
    Mistake("RoIPool with a mean", _cropped, "rounded"),
    Mistake("y before x", lambda v, b, s: _pooled(v, b[[1, 0, 3, 2]], s), "axes"),
    Mistake("transposed", lambda v, b, s: _pooled(v, b, s).T, "axes"),
    Mistake("box is x, y, width, height", lambda v, b, s: _pooled(v, b, s, box_of=_from_sizes), "corners"),
    Mistake("0 beyond the centers", lambda v, b, s: _pooled(v, b, s, outside="zero"), "border"),
    Mistake("a whole position subtracted", lambda v, b, s: _pooled(v, b, s, half=1.0), "half"),
    Mistake("half of a bin subtracted", lambda v, b, s: _pooled(v, b, s, half=(b[2] - b[0]) / s / 2), "half"),
    Mistake("upper left point", lambda v, b, s: _pooled(v, b, s, points=(0.25,)), "points"),
    Mistake("lower right point", lambda v, b, s: _pooled(v, b, s, points=(0.75,)), "points"),
    Mistake("4 x 4 points", lambda v, b, s: _pooled(v, b, s, points=(1 / 8, 3 / 8, 5 / 8, 7 / 8)), "points"),
    Mistake("3 x 3 points", lambda v, b, s: _pooled(v, b, s, points=(1 / 6, 1 / 2, 5 / 6)), "points"),
    Mistake("points at 1/2 and 1", lambda v, b, s: _pooled(v, b, s, points=(0.5, 1.0)), "points"),
    Mistake(
        "the diagonal points",
        lambda v, b, s: _pooled(v, b, s, pick=lambda at: np.trace(at, axis1=2, axis2=3) / 2),
        "points",
    ),
    Mistake("minimum", lambda v, b, s: _pooled(v, b, s, combine=np.min), "combine"),
    Mistake("median", lambda v, b, s: _pooled(v, b, s, combine=np.median), "combine"),
    Mistake("position to the lower right", lambda v, b, s: _pooled(v, b, s, read=np.ceil), "nearest"),
    Mistake("position of the point", lambda v, b, s: _pooled(v, b, s, half=0.0, read=np.floor), "nearest"),
    Mistake("interpolated in x only", lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (0 * v, u)), "nearest"),
    Mistake("interpolated in y only", lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (v, 0 * u)), "nearest"),
    Mistake(
        "mean of the four neighbors",
        lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (0 * v + 0.5, 0 * u + 0.5)),
        "nearest",
    ),
    Mistake("weights exchanged", lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (1 - v, 1 - u)), "weights"),
    Mistake("share of x for the rows", lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (u, v)), "weights"),
    Mistake(
        "box rounded outwards",
        lambda v, b, s: _pooled(v, b, s, box_of=lambda b: np.array([*np.floor(b[:2]), *np.ceil(b[2:])])),
        "rounded",
    ),
    Mistake("box cut to whole positions", lambda v, b, s: _pooled(v, b, s, box_of=np.trunc), "rounded"),
    Mistake(
        "bins of whole positions",
        lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (max(1, round(h)), max(1, round(w)))),
        "rounded",
    ),
    Mistake(
        "bins of at least a position",
        lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (max(1, h), max(1, w))),
        "small",
    ),
    Mistake(
        "box of at least a position",
        lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (max(1 / s, h), max(1 / s, w))),
        "small",
    ),
    Mistake("bins as high as wide", lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (w, w)), "high"),
    Mistake("bins as wide as high", lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (h, h)), "high"),
    Mistake("sides of the bins exchanged", lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (w, h)), "high"),
    Mistake("a pixel more", lambda v, b, s: _pooled(v, b, s, box_of=lambda b: b + np.array([0, 0, 1, 1])), "corners"),
    Mistake("fades beyond the centers", lambda v, b, s: _pooled(v, b, s, outside="fade"), "border"),
    Mistake("straight on beyond the centers", lambda v, b, s: _pooled(v, b, s, outside="straight on"), "border"),
    Mistake("limits exchanged", lambda v, b, s: _pooled(v, b, s, limits=lambda h, w: (min(w, h), min(w, h))), "corner"),
    Mistake("limited to H - 2", lambda v, b, s: _pooled(v, b, s, limits=lambda h, w: (h - 1, w - 1)), "corner"),
    Mistake(
        "box limited to the last centers",
        lambda v, b, s: _pooled(v, b, s, box_of=lambda b: np.minimum(b, [v.shape[1] - 1, v.shape[0] - 1] * 2)),
        "corner",
    ),
    Mistake("7 x 7", lambda v, b, s: _pooled(v, b, 7), "bins"),
    Mistake("flat", lambda v, b, s: _pooled(v, b, s).ravel(), "bins"),
    Mistake("rounded result", lambda v, b, s: _pooled(v, b, s).round(1), "bins"),
    Mistake(
        "smooth weights",
        lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (v * v * (3 - 2 * v), u * u * (3 - 2 * u))),
        "weights",
    ),
)
