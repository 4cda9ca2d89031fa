"""Typical wrong answers to exercise 9.3, values between pixels."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _sampled(mask, points, shift=(-0.5, -0.5), less=0, flip=False, frame="zeros", weigh="right", upside=False):  # type: ignore[no-untyped-def]
    """Bilinear sampling with the switches of the mistakes; as it stands, the right one."""
    mask = np.asarray(mask, dtype=float)
    height, width = mask.shape
    x, y = (points[:, 1], points[:, 0]) if flip else (points[:, 0], points[:, 1])
    y = 1 - y if upside else y
    column, row = x * (width - less) + shift[0], y * (height - less) + shift[1]
    if frame == "edge":
        column, row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
    found = np.zeros(len(points))
    for index in range(len(points)):
        left, top = int(np.floor(column[index])), int(np.floor(row[index]))
        for r in (top, top + 1):
            for c in (left, left + 1):
                inside = 0 <= r < height and 0 <= c < width
                across, down = 1 - abs(column[index] - c), 1 - abs(row[index] - r)
                if weigh == "reversed":
                    across, down = 1 - across, 1 - down
                if weigh == "nearest":
                    across, down = float(across >= 0.5), float(down >= 0.5)
                if weigh == "floor":
                    across, down = float(c == left), float(r == top)
                if weigh == "mean":
                    across = down = 0.5
                if weigh == "distance":
                    across, down = max(0, 1 - np.hypot(column[index] - c, row[index] - r)), 1.0
                if weigh == "rows only":
                    across = float(c == left)
                if inside:
                    found[index] += across * down * mask[r, c]
                elif frame == "minus one" and (r >= -1 and c >= -1):
                    found[index] += across * down * mask[min(r, height - 1), min(c, width - 1)]
    return found


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda mask, points: _sampled(mask, points, **switches), hint)


MISTAKES = (
    _mistake("x is the row", "order", flip=True),
    _mistake("y goes up", "order", upside=True),
    _mistake("without the half", "half", shift=(0, 0)),
    _mistake("without the half in the rows", "half", shift=(-0.5, 0)),
    _mistake("without the half in the columns", "half", shift=(0, -0.5)),
    _mistake("half added", "half", shift=(0.5, 0.5)),
    _mistake("0 and 1 are the middles of the outer pixels", "corners", shift=(0, 0), less=1),
    _mistake("width less one, and the half", "corners", less=1),
    _mistake("nearest pixel", "nearest", weigh="nearest"),
    _mistake("pixel to the upper left", "nearest", weigh="floor"),
    _mistake("mean of four", "nearest", weigh="mean"),
    _mistake("between rows only", "nearest", weigh="rows only"),
    _mistake("distance as the crow flies", "nearest", weigh="distance"),
    _mistake("the border goes on", "outside", frame="edge"),
    _mistake("the last pixel for what is outside", "outside", frame="minus one"),
    _mistake("weights reversed", "weights", weigh="reversed"),
)
