"""Typical wrong answers to exercise 5.4, the matching of anchors."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _matches(  # type: ignore[no-untyped-def]
    iou, positive, negative, force="all", strict=False, include=False, between=-2, touching=True, owner=False, none=-1,
    least=0.0, only=None, last=False,
):  # fmt: skip
    """Matching with the switches of the mistakes; as it stands, the right one."""
    if len(iou) == 0:
        return np.full(iou.shape[1], none)
    best_object, best = iou.argmax(axis=0), iou.max(axis=0)
    is_object = best > positive if strict else best >= positive
    is_background = best <= negative if include else best < negative
    matches = np.where(is_object, best_object, np.where(is_background, -1, between))
    for number, row in enumerate(iou):
        forced = (row == row.max()) & ((row > 0) | (not touching))
        if force == "first":
            forced = np.arange(len(row)) == (row.argmax() if row.max() > 0 or not touching else -1)
        if force == "nearly":
            forced = np.isclose(row, row.max(), rtol=1e-3) & (row > 0)
        if only is not None:
            forced &= np.isin(matches, only)
        if force and row.max() >= least and (not last or number == len(iou) - 1):
            matches[forced] = number if owner else best_object[forced]
    return matches


def _objects_choose(iou, positive, negative):  # type: ignore[no-untyped-def]
    """Only the best anchors of each object."""
    return _matches(iou, 2.0, negative)


def _last_of_equals(iou, positive, negative):  # type: ignore[no-untyped-def]
    matches = _matches(iou[::-1], positive, negative)
    return np.where(matches >= 0, len(iou) - 1 - matches, matches)


def _by(iou, positive, negative, value):  # type: ignore[no-untyped-def]
    """Background by another number than the largest IoU; the rest is right."""
    matches = _matches(iou, positive, -1.0 if len(iou) else negative)
    return np.where((matches == -2) & (value < negative), -1, matches)


def _recoded(iou, positive, negative, first, background, ignored):  # type: ignore[no-untyped-def]
    """The right matches, but with other numbers for them."""
    matches = _matches(iou, positive, negative)
    return np.select([matches == -1, matches == -2], [background, ignored], matches + first)


def _once(iou, positive, negative):  # type: ignore[no-untyped-def]
    """The best anchor of each object is positive, all others that would belong to it are ignored."""
    matches = _matches(iou, positive, negative)
    order = np.argsort(-iou.max(axis=0, initial=0), kind="stable")
    for place, anchor in enumerate(order):
        if matches[anchor] >= 0 and matches[anchor] in matches[order[:place]]:
            matches[anchor] = -2
    return matches


MISTAKES = (
    Mistake("no second rule", lambda i, p, n: _matches(i, p, n, force=""), "force"),
    Mistake("first best anchor only", lambda i, p, n: _matches(i, p, n, force="first"), "all best"),
    Mistake("untouched objects force", lambda i, p, n: _matches(i, p, n, touching=False), "untouched"),
    Mistake("forced to the object that forces", lambda i, p, n: _matches(i, p, n, owner=True), "owner"),
    Mistake("> positive", lambda i, p, n: _matches(i, p, n, strict=True), "equal"),
    Mistake("<= negative", lambda i, p, n: _matches(i, p, n, include=True), "equal"),
    Mistake("in between is background", lambda i, p, n: _matches(i, p, n, between=-1), "between"),
    Mistake("in between is an object", lambda i, p, n: _matches(i, n, n), "between"),
    Mistake("best anchors only", _objects_choose, "only forced"),
    Mistake("one result per object", lambda i, p, n: _matches(i.T, p, n), "axes"),
    Mistake("no objects: ignored", lambda i, p, n: _matches(i, p, n, none=-2), "no objects"),
    Mistake("yes or no", lambda i, p, n: np.minimum(_matches(i, p, n), 0), "yes or no"),
    Mistake("no second rule below negative", lambda i, p, n: _matches(i, p, n, least=n), "force"),
    Mistake("no second rule below 0.1", lambda i, p, n: _matches(i, p, n, least=0.1), "force"),
    Mistake("no second rule below 0.05", lambda i, p, n: _matches(i, p, n, least=0.05), "force"),
    Mistake("only ignored ones are forced", lambda i, p, n: _matches(i, p, n, only=-2), "force"),
    Mistake("only background is forced", lambda i, p, n: _matches(i, p, n, only=-1), "force"),
    Mistake("the last object forces only", lambda i, p, n: _matches(i, p, n, last=True), "force"),
    Mistake("the best anchor of all is forced", lambda i, p, n: _matches(i, p, n, least=i.max(initial=0)), "force"),
    Mistake(
        "forced to the object, unless positive",
        lambda i, p, n: _matches(i, p, n, owner=True, only=(-1, -2)),
        "owner",
    ),
    Mistake("forced to the object, first best", lambda i, p, n: _matches(i, p, n, owner=True, force="first"), "owner"),
    Mistake("last of equals", _last_of_equals, "first of equals"),
    Mistake("nearly equal", lambda i, p, n: _matches(i.round(3), p, n), "just below"),
    Mistake("nearly the largest", lambda i, p, n: _matches(i, p, n, force="nearly"), "just below"),
    Mistake("bytes", lambda i, p, n: _matches(i, p, n).astype(np.int8), "many"),
    Mistake("0.7 and 0.3", lambda i, p, n: _matches(i, 0.7, 0.3), "as given"),
    Mistake("smallest below negative", lambda i, p, n: _by(i, p, n, i.min(axis=0, initial=1)), "largest"),
    Mistake("mean below negative", lambda i, p, n: _by(i, p, n, i.sum(axis=0) / max(len(i), 1)), "largest"),
    Mistake("counted from 1", lambda i, p, n: _recoded(i, p, n, 1, -1, -2), "from zero"),
    Mistake("all one more", lambda i, p, n: _matches(i, p, n) + 1, "from zero"),
    Mistake("background 0, objects from 1", lambda i, p, n: _recoded(i, p, n, 1, 0, -1), "from zero"),
    Mistake("-1 and -2 exchanged", lambda i, p, n: _recoded(i, p, n, 0, -2, -1), "codes"),
    Mistake("ignored is 255", lambda i, p, n: _recoded(i, p, n, 0, -1, 255), "codes"),
    Mistake("background and ignored are -1", lambda i, p, n: _recoded(i, p, n, 0, -1, -1), "between"),
    Mistake("each object once", _once, "only forced"),
    Mistake("1 for every object", lambda i, p, n: np.minimum(_matches(i, p, n), 1), "yes or no"),
    Mistake("true or false", lambda i, p, n: _matches(i, p, n) >= 0, "yes or no"),
    Mistake("no objects: none", lambda i, p, n: _matches(i, p, n) if len(i) else np.zeros(0, int), "no objects"),
    Mistake("no objects: 0", lambda i, p, n: _matches(i, p, n, none=0), "no objects"),
    Mistake("no objects: an error", lambda i, p, n: _matches(i, p, n) if len(i) else i.max(axis=0), "no objects"),
)
