"""Exercise 1.8: average precision, as an area and at eleven points."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.curve import pr_curve
from segtutor.exercises.seeds import seeded

STUB = '''
def average_precision(precision, recall, method):
    """AP of a curve, under its envelope: "area" is the exact area, "11point" the mean at recall 0, 0.1, ... 1."""
    raise NotImplementedError("Write average_precision() here, then run this cell again.")
'''


def average_precision(precision: np.ndarray, recall: np.ndarray, method: str) -> float:
    """AP of a curve, under its envelope: "area" is the exact area, "11point" the mean at recall 0, 0.1, ... 1."""
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    if method == "area":
        width = np.diff(recall, prepend=0.0)
        return float((width * envelope).sum())
    heights = []
    for level in np.arange(11) / 10:
        reached = recall >= level
        heights.append(precision[reached].max() if reached.any() else 0.0)
    return float(np.mean(heights))


def _with_loops(precision, recall, method):  # type: ignore[no-untyped-def]
    levels, total, previous = [number / 10 for number in range(11)], 0.0, 0.0
    if method == "11point":
        for level in levels:
            total += max((p for p, r in zip(precision, recall, strict=True) if r >= level), default=0.0) / 11
        return total
    for number, reached in enumerate(recall):
        total += (reached - previous) * max(precision[number:])
        previous = reached
    return total


def _with_torch(precision, recall, method):  # type: ignore[no-untyped-def]
    import torch

    precision, recall = torch.from_numpy(precision), torch.from_numpy(recall)
    envelope = torch.cummax(precision.flip(0), 0).values.flip(0) if len(precision) else precision
    if method == "area":
        return (torch.diff(recall, prepend=torch.zeros(1, dtype=recall.dtype)) * envelope).sum()
    padded = torch.cat([envelope, torch.zeros(1, dtype=envelope.dtype)])
    return padded[torch.searchsorted(recall, torch.arange(11, dtype=recall.dtype) / 10)].mean()


def _as_the_voc_kit(precision, recall, method):  # type: ignore[no-untyped-def]
    recall, precision = np.concatenate([[0], recall, [1]]), np.concatenate([[0], precision, [0]])
    for number in range(len(precision) - 2, -1, -1):
        precision[number] = max(precision[number], precision[number + 1])
    if method == "area":
        steps = np.flatnonzero(recall[1:] != recall[:-1])
        return ((recall[steps + 1] - recall[steps]) * precision[steps + 1]).sum()
    return sum(precision[recall >= level].max() for level in np.arange(11) / 10) / 11


def _area(heights, start=0.0, trapezoid=False):  # type: ignore[no-untyped-def]
    def wrong(precision, recall, method):  # type: ignore[no-untyped-def]
        if method != "area":
            return average_precision(precision, recall, method)
        if trapezoid:
            return np.trapezoid(np.concatenate([precision[:1], precision]), np.concatenate([[0], recall]))
        return (np.diff(recall, prepend=recall[0] if start is None and len(recall) else 0.0) * heights(precision)).sum()

    return wrong


def _levels(levels, height=None, strict=False, skip=False):  # type: ignore[no-untyped-def]
    def wrong(precision, recall, method):  # type: ignore[no-untyped-def]
        if method == "area":
            return average_precision(precision, recall, method)
        heights = []
        for level in levels:
            reached = recall > level if strict else recall >= level
            if reached.any():
                heights.append(precision[reached].max() if height is None else height(precision, recall, level))
            elif not skip:
                heights.append(0.0)
        return np.mean(heights) if heights else 0.0

    return wrong


def _envelope(precision):  # type: ignore[no-untyped-def]
    return np.maximum.accumulate(precision[::-1])[::-1]


def _best(precision):  # type: ignore[no-untyped-def]
    return np.full_like(precision, precision.max(initial=0.0))


def _ap_of_heights(heights, recall, method):  # type: ignore[no-untyped-def]
    if method == "area":
        return (np.diff(recall, prepend=0.0) * heights).sum()
    return np.mean([heights[np.argmax(recall >= level)] if (recall >= level).any() else 0.0 for level in _TENTHS])


def _over_reached(precision, recall, method):  # type: ignore[no-untyped-def]
    return average_precision(precision, recall, method) / (recall.max(initial=0.0) or 1.0 if method == "area" else 1.0)


def _mean_height(precision):  # type: ignore[no-untyped-def]
    return _envelope(precision).mean() if len(precision) else 0.0


def _writes(precision, recall, method):  # type: ignore[no-untyped-def]
    precision[:] = _envelope(precision)
    return average_precision(precision, recall, method)


def _trapezoids(precision, recall, method):  # type: ignore[no-untyped-def]
    return _area(None, trapezoid=True)(_envelope(precision) if method == "area" else precision, recall, method)


def _other_count(count):  # type: ignore[no-untyped-def]
    def wrong(precision, recall, method):  # type: ignore[no-untyped-def]
        return average_precision(precision, recall, method) * (1 if method == "area" else 11 / count)

    return wrong


def _last_beyond(precision, recall, method):  # type: ignore[no-untyped-def]
    if method == "area" or not len(recall):
        return average_precision(precision, recall, method)
    return np.mean([precision[recall >= min(level, recall.max())].max() for level in _TENTHS])


_OTHER = {"area": "11point", "11point": "area"}
_TENTHS = np.arange(11) / 10
_ZIGZAG = (np.array([1, 1 / 2, 2 / 3, 3 / 4]), np.array([0.25, 0.25, 0.5, 0.75]))
_HALF = (np.array([1.0, 0.5, 0.5]), np.array([0.5, 0.5, 1.0]))
_THIN = (np.array([1.0, 0.6, 0.7, 0.3]), np.array([0.2, 0.5, 0.6, 1.0]))
_RANDOM = seeded(3)
_LONG = pr_curve(_RANDOM.random(90), _RANDOM.random(90) < 0.55, 61)
_SHORT = pr_curve(_RANDOM.random(30), _RANDOM.random(30) < 0.7, 53)

EXERCISE = Exercise(
    id="1.8",
    title="Average precision, two ways",
    name="average_precision",
    statement=r"""
One number for the curve. Write `average_precision(precision, recall, method)` for a curve as `pr_curve` returns it,
perhaps thinned out: points may be missing, but the recall never falls. Both methods use the *envelope*: at recall $r$
the height is the best precision at any recall of at least $r$, $\hat p(r) = \max_{r' \ge r} p(r')$, and 0 beyond the
last recall reached.

- `"area"` (PASCAL VOC since 2010): the exact area under the envelope, from recall 0 on. It is a sum of rectangles.
- `"11point"` (PASCAL VOC 2007): the mean of $\hat p$ at $r = 0, 0.1, \dots, 1$. Take the levels as
  `np.arange(11) / 10`: a recall equal to a level reaches it, and `np.linspace(0, 1, 11)` makes 0.3 a little too large.

A curve without points has AP 0.
""",
    stub=STUB,
    reference=average_precision,
    cases=(
        Case("area of a zigzag", (*_ZIGZAG, "area"), 0.25 * 1 + 0.5 * 0.75),
        Case("eleven points of the same zigzag", (*_ZIGZAG, "11point"), (3 * 1 + 5 * 0.75) / 11),
        Case("area, half of the objects found at once", (*_HALF, "area"), 0.75),
        Case("area, a perfect curve", (np.ones(4), np.array([0.25, 0.5, 0.75, 1]), "area"), 1.0),
        Case("eleven points, a perfect curve", (np.ones(4), np.array([0.25, 0.5, 0.75, 1]), "11point"), 1.0),
        Case("area, 90 detections", (*_LONG, "area")),
        Case("eleven points, 90 detections", (*_LONG, "11point")),
        Case("area, most objects missed", (*_SHORT, "area")),
        Case("eleven points, recall exactly 0.5 and 1", (*_HALF, "11point"), (6 * 1 + 5 * 0.5) / 11, "levels"),
        Case("eleven points, most objects missed", (*_SHORT, "11point"), hint="unreached"),
        Case("area, a curve of few points", (*_THIN, "area"), 0.2 + 0.3 * 0.7 + 0.1 * 0.7 + 0.4 * 0.3, "thin"),
        Case("eleven points, a curve of few points", (*_THIN, "11point"), (3 + 4 * 0.7 + 4 * 0.3) / 11, "thin"),
        Case(
            "eleven points, 3 of 10 objects found",
            (np.ones(3), np.array([0.1, 0.2, 0.3]), "11point"),
            4 / 11,
            "linspace",
        ),
        Case("area, no points", (np.zeros(0), np.zeros(0), "area"), 0.0, "empty"),
        Case("eleven points, no points", (np.zeros(0), np.zeros(0), "11point"), 0.0, "empty"),
    ),
    hints={
        "general": Hint(
            "First the envelope: go through the precisions from the right and keep the largest so far.",
            "A running maximum from the right: turn the array around, accumulate, turn it back. For the area every "
            "point counts with its step in recall, the first with the step from 0. For the eleven points take, at "
            "each level, the best precision among the points that reach it.",
        ),
        "envelope": Hint(
            "The dips of the curve are still in the result: the envelope is missing.",
            "Replace each precision by the largest one at the same or a higher recall.",
        ),
        "direction": Hint(
            "Your envelope looks to the left, too, at recalls already passed. It must look to the right only.",
            "np.maximum.accumulate(precision[::-1])[::-1].",
        ),
        "trapezoid": Hint(
            "You use the trapezoid rule. Under the envelope the area is made of rectangles.",
            "Each step of recall times the envelope's height at the end of that step.",
        ),
        "start": Hint(
            "The first rectangle, from recall 0 to the first recall, is missing.",
            "np.diff(recall, prepend=0).",
        ),
        "levels": Hint(
            "Look at the levels: 0, 0.1, ... 1 are eleven, and a recall equal to a level reaches it.",
            "The mean over np.arange(11) / 10, with recall >= level.",
        ),
        "linspace": Hint(
            "Look at recall 0.3 and its level: np.linspace(0, 1, 11) and 3 * 0.1 are 0.30000000000000004, not reached.",
            "np.arange(11) / 10.",
        ),
        "thin": Hint(
            "Look at a curve of few points: between two recalls the envelope has the height of the right one.",
            "Each step of recall times the envelope at its end; no interpolation.",
        ),
        "divided": Hint(
            "The area is divided by the recall reached. Objects that were missed cost area.",
            "Return the sum of the rectangles as it is.",
        ),
        "in place": Hint(
            "The envelope is written into the curve that was handed over; the caller's precision is gone.",
            "precision = precision.copy(), or np.maximum.accumulate, which makes a new array.",
        ),
        "unreached": Hint(
            "Look at levels beyond the last recall: they count as 0, and are not left out.",
            "Append 0 where no recall is large enough, and divide by 11.",
        ),
        "interpolate": Hint(
            "You take the precision next to (or interpolated at) the level. The best one from there on is wanted.",
            "precision[recall >= level].max().",
        ),
        "method": Hint(
            "Both methods give the same number: does your function look at its third argument?",
            'if method == "area": ...; otherwise eleven points.',
        ),
        "empty": Hint("A curve without points has AP 0.", "Mind .max() of nothing, and return 0.0."),
        "sorted": Hint(
            "The precisions are taken out of their order. Each belongs to the recall beside it.",
            "The envelope keeps the places: the largest precision from there on.",
        ),
        "mean": Hint(
            "This is a mean over the detections. AP averages over recall, so each height counts by its width in "
            "recall.",
            "np.diff(recall, prepend=0) are the widths.",
        ),
    },
    mistakes=(
        Mistake("area without envelope", _area(lambda precision: precision), "envelope"),
        Mistake(
            "neither with envelope",
            lambda p, r, m: (
                _area(lambda precision: precision)(p, r, m)
                if m == "area"
                else _levels(_TENTHS, lambda p, r, level: p[np.argmax(r >= level)])(p, r, m)
            ),
            "envelope",
        ),
        Mistake("envelope from the left", _area(np.maximum.accumulate), "direction"),
        Mistake("best precision everywhere", lambda p, r, m: average_precision(_best(p), r, m), "direction"),
        Mistake(
            "both envelopes from the left", lambda p, r, m: _ap_of_heights(np.maximum.accumulate(p), r, m), "direction"
        ),
        Mistake("divided by the recall reached", lambda p, r, m: _over_reached(p, r, m), "divided"),
        Mistake("writes the envelope", _writes, "in place"),
        Mistake("trapezoids under the envelope", _trapezoids, "trapezoid"),
        Mistake(
            "heights of the left ends", _area(lambda p: np.append(_envelope(p)[:1], _envelope(p)[:-1])), "trapezoid"
        ),
        Mistake(
            "eleven points without envelope", _levels(_TENTHS, lambda p, r, level: p[np.argmax(r >= level)]), "envelope"
        ),
        Mistake("levels of linspace", _levels(np.linspace(0, 1, 11)), "linspace"),
        Mistake("levels below 1", _levels(_TENTHS[:-1]), "levels"),
        Mistake("eleven levels by ten", _other_count(10), "levels"),
        Mistake("a sum", _other_count(1), "levels"),
        Mistake(
            "interpolated envelope",
            _levels(_TENTHS, lambda p, r, level: np.interp(level, r, _envelope(p))),
            "interpolate",
        ),
        Mistake("last height beyond", _last_beyond, "unreached"),
        Mistake("both methods exchanged", lambda p, r, m: average_precision(p, r, _OTHER[m]), "method"),
        Mistake("nothing gives NaN", lambda p, r, m: average_precision(p, r, m) if len(p) else np.nan, "empty"),
        Mistake("nothing raises", lambda p, r, m: average_precision(p, r, m) if p.max() >= 0 else 0.0, "empty"),
        Mistake("trapezoids", _area(None, trapezoid=True), "trapezoid"),
        Mistake("first rectangle missing", _area(_envelope, start=None), "start"),
        Mistake("ten levels", _levels(_TENTHS[1:]), "levels"),
        Mistake("eleven levels without 1", _levels(np.arange(11) / 11), "levels"),
        Mistake("101 levels", _levels(np.arange(101) / 100), "levels"),
        Mistake("> for >=", _levels(_TENTHS, strict=True), "levels"),
        Mistake("unreached levels left out", _levels(_TENTHS, skip=True), "unreached"),
        Mistake("interpolated", _levels(_TENTHS, lambda p, r, level: np.interp(level, r, p)), "interpolate"),
        Mistake("always the area", lambda p, r, method: average_precision(p, r, "area"), "method"),
        Mistake("always eleven points", lambda p, r, method: average_precision(p, r, "11point"), "method"),
        Mistake("precision sorted", lambda p, r, m: average_precision(np.sort(p)[::-1], r, m), "sorted"),
        Mistake("mean precision", lambda p, r, method: p.mean() if len(p) else 0.0, "mean"),
        Mistake("mean height", lambda p, r, m: _mean_height(p) if m == "area" else average_precision(p, r, m), "mean"),
    ),
    alternatives=(_with_loops, _with_torch, _as_the_voc_kit),
    points=5,
    minutes=30,
    difficulty=3,
)
