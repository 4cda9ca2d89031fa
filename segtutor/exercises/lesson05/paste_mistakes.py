"""Typical wrong answers to exercise 5.10, the pasted mask."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _pasted(  # type: ignore[no-untyped-def]
    mask, box, height, width, threshold, center=0.5, read=None, stretch="centers", inside=True, fade=False, soft=False,
    strict=False, binary_first=False, box_of=None, axes=False, share_of=lambda v: v, keep=None,
):  # fmt: skip
    """Pasting with the switches of the mistakes; as it stands, the right one."""
    box = np.asarray(box)[[1, 0, 3, 2]] if axes else np.asarray(box)
    x1, y1, x2, y2 = box if box_of is None else box_of(box)
    side = len(mask)
    mask = (mask >= threshold).astype(float) if binary_first else mask

    def weights(start, end, count):  # type: ignore[no-untyped-def]
        pixel = np.arange(count)
        at = pixel + center
        share = (at - start) / (end - start)
        place = {"corners": share * (side - 1), "entry": share * side}.get(stretch, share * side - 0.5)
        between = (place >= 0) & (place <= side - 1)
        if not fade:
            place = np.clip(place, 0, side - 1)
        place = place if read is None else np.clip(read(place), 0, side - 1)
        near = np.maximum(1 - np.abs(place[:, None] - np.arange(side)), 0)
        if fade == "straight on" or share_of(0.25) != 0.25:
            first = np.clip(np.floor(place), 0, side - 2).astype(int)
            near = (np.arange(side) == first[:, None]) * (1 - share_of(place - first))[:, None]
            near = near + (np.arange(side) == first[:, None] + 1) * share_of(place - first)[:, None]
        return near, {
            True: (at > start) & (at < end),
            False: pixel >= 0,
            "between centers": (at > start) & (at < end) & between,
            "upper left": (pixel >= start) & (pixel < end),
            "whole pixel": (pixel >= start) & (pixel + 1 <= end),
            "a part": (pixel + 1 > start) & (pixel < end),
        }[inside]

    (down, rows), (across, columns) = weights(y1, y2, height), weights(x1, x2, width)
    values, within = down @ mask @ across.T, np.outer(rows, columns)
    if soft:
        return values * within
    belongs = values > threshold if strict else values >= threshold
    return belongs & within if keep is None else keep(values, within)


def _with_mistake(**switches):  # type: ignore[no-untyped-def]
    return lambda mask, box, height, width, threshold: _pasted(mask, box, height, width, threshold, **switches)


def _legacy(mask, box, height, width, threshold):  # type: ignore[no-untyped-def]
    """The widespread way: a border of zeros, the box widened to whole pixels and one more."""
    side = len(mask)
    padded = np.pad(mask, 1)
    half = (box[2:] - box[:2]) * 0.5 * (side + 2) / side
    middle = (box[2:] + box[:2]) * 0.5
    left, top = (int(value) for value in middle - half)
    right, bottom = (int(value) for value in middle + half)
    whole = np.array([left, top, right + 1, bottom + 1], dtype=float)
    return _pasted(padded, whole, height, width, threshold)


def _slices(mask, box, height, width, threshold):  # type: ignore[no-untyped-def]
    """A resized mask written into slices, which does not know boxes beyond the picture."""
    left, top, right, bottom = (int(np.floor(side + 0.5)) for side in box)
    resized = _pasted(mask, np.asarray(box) - [left, top, left, top], bottom - top, right - left, threshold)
    picture = np.zeros((height, width), dtype=bool)
    picture[top:bottom, left:right] = resized
    return picture


def _wider(box, side):  # type: ignore[no-untyped-def]
    """The box with an entry of the mask more on each side."""
    entry = (box[2:] - box[:2]) / side
    return np.concatenate([box[:2] - entry, box[2:] + entry])


def _the_box(mask, box, height, width, threshold):  # type: ignore[no-untyped-def]
    x1, y1, x2, y2 = np.clip(np.round(box), 0, [width, height] * 2).astype(int)
    return _pasted(mask, box, height, width, threshold)[y1:y2, x1:x2]


MISTAKES = (
    Mistake("a border and whole pixels (144 pixels)", _legacy, "one more"),
    Mistake("corners of the pixels", _with_mistake(center=0.0), "centers"),
    Mistake("nearest entry", _with_mistake(read=np.rint), "nearest"),
    Mistake("entry to the upper left", _with_mistake(read=np.floor), "nearest"),
    Mistake("threshold first", _with_mistake(binary_first=True), "threshold first"),
    Mistake("> threshold", _with_mistake(strict=True), "equal"),
    Mistake("box rounded", _with_mistake(box_of=np.round), "rounded"),
    Mistake("box cut off to whole numbers", _with_mistake(box_of=np.trunc), "rounded"),
    Mistake("align_corners", _with_mistake(stretch="corners"), "stretched"),
    Mistake("fades at the edges", _with_mistake(fade=True), "fade"),
    Mistake("goes on outside of the box", _with_mistake(inside=False), "inside"),
    Mistake("slices of the picture", _slices, "outside"),
    Mistake("y before x", _with_mistake(axes=True), "axes"),
    Mistake("mask transposed", lambda m, b, h, w, t: _pasted(m.T, b, h, w, t), "axes"),
    Mistake("probabilities", _with_mistake(soft=True), "soft"),
    Mistake("far corners of the pixels", _with_mistake(center=1.0), "centers"),
    Mistake("corners of the pixels, asked inside too", _with_mistake(center=0.0, inside="upper left"), "centers"),
    Mistake(
        "corners of the pixels, centers inside",
        lambda m, b, h, w, t: _pasted(m, b + 0.5, h, w, t) & _pasted(0 * m, b, h, w, -1.0),
        "centers",
    ),
    Mistake("widened by an entry", lambda m, b, h, w, t: _pasted(np.pad(m, 1), _wider(b, len(m)), h, w, t), "one more"),
    Mistake("widened by a pixel", lambda m, b, h, w, t: _pasted(m, b + np.array([-1, -1, 1, 1]), h, w, t), "one more"),
    Mistake(
        "one pixel more at the end",
        lambda m, b, h, w, t: _pasted(m, b + np.array([0, 0, 1, 1]), h, w, t),
        "one more",
    ),
    Mistake("entry to the lower right", _with_mistake(read=np.ceil), "nearest"),
    Mistake("entry of the pixel", _with_mistake(stretch="entry", read=np.floor), "nearest"),
    Mistake("mean of both neighbors", _with_mistake(share_of=lambda v: 0 * v + 0.5), "nearest"),
    Mistake("weights exchanged", _with_mistake(share_of=lambda v: 1 - v), "weights"),
    Mistake("corners of the entries", _with_mistake(stretch="entry"), "stretched"),
    Mistake("straight on at the edges", _with_mistake(fade="straight on"), "fade"),
    Mistake("between the outermost centers only", _with_mistake(inside="between centers"), "fade"),
    Mistake(
        "box rounded outwards",
        _with_mistake(box_of=lambda b: np.array([*np.floor(b[:2]), *np.ceil(b[2:])])),
        "rounded",
    ),
    Mistake("box rounded down", _with_mistake(box_of=np.floor), "rounded"),
    Mistake("whole pixels inside", _with_mistake(inside="whole pixel"), "inside"),
    Mistake("pixels partly inside", _with_mistake(inside="a part"), "inside"),
    Mistake("upper left corners inside", _with_mistake(inside="upper left"), "inside"),
    Mistake("inside or large enough", _with_mistake(keep=lambda v, inside: inside | (v > 9)), "given"),
    Mistake("below the threshold", _with_mistake(keep=lambda v, inside: inside & (v < 0.5)), "equal"),
    Mistake(
        "box cut off at the picture", lambda m, b, h, w, t: _pasted(m, b.clip(0, [w, h, w, h]), h, w, t), "outside"
    ),
    Mistake("0.5 always", lambda m, b, h, w, t: _pasted(m, b, h, w, 0.5), "given"),
    Mistake("0 is no threshold", lambda m, b, h, w, t: _pasted(m, b, h, w, t or 0.5), "zero"),
    Mistake(
        "0 is outside", lambda m, b, h, w, t: _pasted(m, b, h, w, t) & _pasted(m, b, h, w, 0.0, strict=True), "zero"
    ),
    Mistake(
        "0 outside of the box, then the threshold",
        lambda m, b, h, w, t: _pasted(m, b, h, w, t, soft=True) >= t,
        "zero",
    ),
    Mistake("width for height", lambda m, b, h, w, t: _pasted(m, b, w, h, t), "picture"),
    Mistake("transposed", lambda m, b, h, w, t: _pasted(m, b, h, w, t).T, "picture"),
    Mistake("the box only", _the_box, "picture"),
    Mistake("M x M", lambda m, b, h, w, t: m >= t, "picture"),
    Mistake(
        "y by the width of the box",
        _with_mistake(box_of=lambda b: np.array([b[0], b[1], b[2], b[1] + b[2] - b[0]])),
        "sides",
    ),
    Mistake("upside down", lambda m, b, h, w, t: _pasted(m[::-1], b, h, w, t), "axes"),
    Mistake("left for right", lambda m, b, h, w, t: _pasted(m[:, ::-1], b, h, w, t), "axes"),
    Mistake("share of the largest value", lambda m, b, h, w, t: _pasted(m, b, h, w, t * m.max()), "given"),
)
