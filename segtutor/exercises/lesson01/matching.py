"""Exercise 1.9: which detection hits which object."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import random_overlaps

STUB = '''
def match_detections(overlaps, threshold):
    """Number of the object that each detection hits, -1 for none; overlaps is D x G, detections by falling score."""
    raise NotImplementedError("Write match_detections() here, then run this cell again.")
'''


def match_detections(overlaps: np.ndarray, threshold: float) -> np.ndarray:
    """Number of the object that each detection hits, -1 for none; overlaps is D x G, detections by falling score."""
    num_detections, num_objects = overlaps.shape
    hit = np.full(num_detections, -1)
    free = np.ones(num_objects, dtype=bool)
    for detection in range(num_detections):
        best = threshold
        for number in range(num_objects):
            if free[number] and overlaps[detection, number] >= best:
                best, hit[detection] = overlaps[detection, number], number
        if hit[detection] >= 0:
            free[hit[detection]] = False
    return hit


def _columns_removed(overlaps, threshold):  # type: ignore[no-untyped-def]
    left, hits = overlaps.copy(), []
    for row in left:
        candidates = np.flatnonzero(row >= threshold)
        if len(candidates) == 0:
            hits.append(-1)
            continue
        best = max(candidates, key=lambda number: (row[number], number))
        hits.append(int(best))
        left[:, best] = -1
    return hits


def _with_sorting(overlaps, threshold):  # type: ignore[no-untyped-def]
    taken, hits = set(), []
    for row in overlaps.tolist():
        ranked = sorted(((overlap, number) for number, overlap in enumerate(row)), reverse=True)
        free = [number for overlap, number in ranked if overlap >= threshold and number not in taken]
        hits.append(free[0] if free else -1)
        taken.update(free[:1])
    return np.array(hits)


def _with_torch(overlaps, threshold):  # type: ignore[no-untyped-def]
    import torch

    left = torch.from_numpy(overlaps.copy()).flip(1)  # the last of equal overlaps comes first
    hits = torch.full((len(left),), -1)
    for number, row in enumerate(left):
        if left.shape[1] and row.max() >= threshold:
            place = int((row == row.max()).nonzero()[0])
            hits[number] = left.shape[1] - 1 - place
            left[:, place] = -1
    return hits


def _greedy(overlaps, threshold, choose, reuse=False, strict=False):  # type: ignore[no-untyped-def]
    free, hits = np.ones(overlaps.shape[1], dtype=bool), []
    for row in overlaps:
        enough = row > threshold if strict else row >= threshold
        chosen = choose(row, np.flatnonzero(enough & (free | reuse)), free)
        hits.append(chosen)
        if chosen >= 0:
            free[chosen] = False
    return np.array(hits, dtype=int)


def _last_best(row, candidates, _):  # type: ignore[no-untyped-def]
    return max(candidates, key=lambda number: (row[number], number), default=-1)


def _first_best(row, candidates, _):  # type: ignore[no-untyped-def]
    return max(candidates, key=lambda number: row[number], default=-1)


def _miss_if_taken(row, candidates, free):  # type: ignore[no-untyped-def]
    best = _last_best(row, candidates, free)
    return best if best >= 0 and free[best] else -1


def _objects_choose(overlaps, threshold):  # type: ignore[no-untyped-def]
    hits = np.full(len(overlaps), -1)
    for number, detection in enumerate(match_detections(overlaps.T, threshold)):
        if detection >= 0:
            hits[detection] = number
    return hits


def _largest_overlap_first(overlaps, threshold):  # type: ignore[no-untyped-def]
    left, hits = overlaps.copy(), np.full(len(overlaps), -1)
    while left.size and left.max() >= threshold:
        detection, number = np.argwhere(left == left.max())[-1]
        hits[detection], left[detection], left[:, number] = number, -1, -1
    return hits


def _argmax(overlaps, threshold):  # type: ignore[no-untyped-def]
    free, hits = set(range(overlaps.shape[1])), []
    for row in overlaps:
        best = int(np.argmax(np.where([number in free for number in range(len(row))], row, -1)))
        hits.append(best if best in free and row[best] >= threshold else -1)
        free.discard(hits[-1])
    return np.array(hits)


def _first_if_free(overlaps, threshold):  # type: ignore[no-untyped-def]
    free, hits = np.ones(overlaps.shape[1], dtype=bool), []
    for row in overlaps:
        best = int(row.argmax()) if row.size else -1
        hits.append(best if best >= 0 and free[best] and row[best] >= threshold else -1)
        if hits[-1] >= 0:
            free[best] = False
    return hits


def _best_taken_anyway(overlaps, threshold):  # type: ignore[no-untyped-def]
    taken, hits = set(), []
    for row in overlaps:
        best = len(row) - 1 - int(row[::-1].argmax()) if row.size else -1
        hits.append(best if best >= 0 and best not in taken and row[best] >= threshold else -1)
        taken.add(best)
    return hits


def _smallest(row, candidates, _):  # type: ignore[no-untyped-def]
    return min(candidates, key=lambda number: row[number], default=-1)


def _stops(overlaps, threshold):  # type: ignore[no-untyped-def]
    hits = match_detections(overlaps, threshold)
    return np.where(np.cumsum(hits < 0) > 0, -1, hits)


def _shifting(overlaps, threshold):  # type: ignore[no-untyped-def]
    left, hits = overlaps, []
    for number in range(len(overlaps)):
        hits.append(int(match_detections(left[number : number + 1], threshold)[0]))
        left = np.delete(left, hits[-1], axis=1) if hits[-1] >= 0 else left
    return hits


def _marks(overlaps, threshold):  # type: ignore[no-untyped-def]
    overlaps[:], hits = -1, match_detections(overlaps, threshold)
    return hits


def _taken_below_threshold(overlaps, threshold):  # type: ignore[no-untyped-def]
    hits = _greedy(overlaps, -1.0, _last_best)
    rows = np.arange(len(hits))
    overlap = np.array([overlaps[row, hit] if hit >= 0 else -1 for row, hit in zip(rows, hits, strict=True)])
    return np.where(overlap >= threshold, hits, -1)


EXERCISE = Exercise(
    id="1.9",
    title="Match detections to objects",
    name="match_detections",
    statement="""
Which detections are hits? Write `match_detections(overlaps, threshold)` with COCO's rule. `overlaps[d, g]` is the
IoU of detection `d` with object `g`; the detections are already sorted by falling score. Each detection in turn
takes the *free* object with the largest IoU, provided that the IoU is at least the threshold (equal is enough), and
the object is taken from then on. Between objects with equal IoU the later one wins. Return for each detection the
number of its object, or -1. There may be no detections, or no objects.
""",
    stub=STUB,
    reference=match_detections,
    cases=(
        Case("each detection has its object", (np.array([[0.8, 0.1], [0.2, 0.7]]), 0.5), np.array([0, 1])),
        Case("12 detections, 8 objects", (random_overlaps(0, 12, 8), 0.5)),
        Case("20 detections, 15 objects, threshold 0.75", (random_overlaps(1, 20, 15), 0.75)),
        Case("6 detections, 14 objects, threshold 0.1", (random_overlaps(2, 6, 14), 0.1)),
        Case("two detections of one object", (np.array([[0.6], [0.9]]), 0.5), np.array([0, -1]), "taken"),
        Case("IoU equal to the threshold", (np.array([[0.5, 0.2]]), 0.5), np.array([0]), "strict"),
        Case(
            "best object taken, another is free",
            (np.array([[0.9, 0.6], [0.8, 0.6]]), 0.5),
            np.array([0, 1]),
            "best free",
        ),
        Case("equal IoU: the later object", (np.array([[0.7, 0.7, 0.1]]), 0.5), np.array([1]), "tie"),
        Case("a better object comes later", (np.array([[0.6, 0.9], [0.1, 0.7]]), 0.5), np.array([1, -1]), "best"),
        Case(
            "the more certain detection chooses first",
            (np.array([[0.6, 0.1], [0.9, 0.55]]), 0.5),
            np.array([0, 1]),
            "order",
        ),
        Case(
            "an overlap below the threshold takes nothing",
            (np.array([[0.4, 0.1], [0.8, 0.2]]), 0.5),
            np.array([-1, 0]),
            "threshold",
        ),
        Case("three equal objects", (np.array([[0.6, 0.6, 0.6]] * 4), 0.5), np.array([2, 1, 0, -1]), "tie"),
        Case("threshold 0", (np.array([[0.2, 0.0], [0.1, 0.3]]), 0.0), np.array([0, 1]), "zero"),
        Case("no objects", (np.zeros((3, 0)), 0.5), np.array([-1, -1, -1]), "empty"),
        Case("no detections", (np.zeros((0, 2)), 0.5), np.zeros(0, dtype=int), "empty"),
    ),
    hints={
        "general": Hint(
            "One loop over the detections; in it, look among the objects that are still free for the largest IoU.",
            "Note which objects are still free. Go through them in order and remember the best so far; the threshold "
            "is the first value to beat. When two objects tie, the later one must replace the earlier one: which "
            "comparison does that?",
        ),
        "taken": Hint(
            "Look at an object that several detections overlap: the first of them takes it, and it is free no more.",
            "Mark an object as taken once a detection hit it.",
        ),
        "strict": Hint("Look at an IoU equal to the threshold: it is enough.", "overlap >= threshold."),
        "tie": Hint(
            "Look at two objects with the same IoU: the later one wins here. np.argmax takes the first.",
            "Go through the objects in order and replace the best on >=, not on >.",
        ),
        "best free": Hint(
            "Look at a detection whose best object is taken: COCO goes on to the best free one (PASCAL VOC gives up).",
            "Leave taken objects out before you look for the largest IoU.",
        ),
        "best": Hint(
            "Look at a detection with several objects that are good enough: the one with the largest IoU is wanted.",
            "Compare all candidates before you choose.",
        ),
        "order": Hint(
            "Look at who chooses: the detections, in their order. A later one takes no object away, not even with a "
            "larger IoU.",
            "The outer loop goes over the rows, from the first to the last.",
        ),
        "threshold": Hint(
            "Look at a detection whose IoU is too small: it takes nothing, so the object stays free.",
            "Test overlap >= threshold before marking the object as taken.",
        ),
        "no threshold": Hint(
            "Another threshold changes nothing: the argument is not used.", "overlap >= threshold, the argument."
        ),
        "empty": Hint(
            "Look at no objects, or no detections: each detection gets -1, and there is no error.",
            "np.argmax of an empty row raises: look whether there is a candidate first.",
        ),
        "stops": Hint(
            "After a detection that hits nothing, the next ones may still hit.",
            "continue, not break.",
        ),
        "zero": Hint(
            "Look at a threshold of 0: it is a threshold like any other.",
            "overlap >= threshold, without asking whether the threshold is true.",
        ),
        "number 0": Hint(
            "The object with the number 0 is an object, too, and Python takes 0 for False.",
            "if best >= 0, not: if best.",
        ),
        "none": Hint(
            "A detection that hits nothing has -1: neither 0, which is an object's number, nor None, nor no entry.",
            "np.full(len(overlaps), -1), and write the numbers of the objects into it.",
        ),
        "columns": Hint(
            "The objects are not counted as the columns are: from 0, and always the same, also when some are taken.",
            "Mark a taken object; do not remove its column.",
        ),
        "in place": Hint(
            "Taken objects are marked in the overlaps that were handed over; the caller's IoU are gone.",
            "overlaps = overlaps.copy(), or a boolean array of free objects.",
        ),
        "yes or no": Hint(
            "You return whether a detection hits. The number of its object is wanted, -1 for none.",
            "Store the object's number.",
        ),
    },
    mistakes=(
        Mistake("objects hit twice", lambda o, t: _greedy(o, t, _last_best, reuse=True), "taken"),
        Mistake("> for >=", lambda o, t: _greedy(o, t, _last_best, strict=True), "strict"),
        Mistake("first of equal objects", lambda o, t: _greedy(o, t, _first_best), "tie"),
        Mistake("miss if the best is taken (VOC)", lambda o, t: _greedy(o, t, _miss_if_taken, reuse=True), "best free"),
        Mistake(
            "first object that is enough", lambda o, t: _greedy(o, t, lambda _, c, __: c[0] if len(c) else -1), "best"
        ),
        Mistake("objects choose (axes swapped)", _objects_choose, "order"),
        Mistake("largest overlap first", _largest_overlap_first, "order"),
        Mistake("from the last detection", lambda o, t: match_detections(o[::-1], t)[::-1], "order"),
        Mistake("too small overlap takes the object", _taken_below_threshold, "threshold"),
        Mistake("no threshold", lambda o, t: match_detections(o, 0.0), "no threshold"),
        Mistake("always 0.5", lambda o, t: match_detections(o, 0.5), "no threshold"),
        Mistake("threshold 0 is 0.5", lambda o, t: match_detections(o, t or 0.5), "zero"),
        Mistake("last object that is enough", lambda o, t: _greedy(o, t, lambda _, c, __: max(c, default=-1)), "best"),
        Mistake("best object, if it is free", _first_if_free, "best free"),
        Mistake("best object taken without a hit", _best_taken_anyway, "best free"),
        Mistake("0 is nothing", lambda o, t: [one or -1 for one in match_detections(o, t)], "number 0"),
        Mistake("0 for none", lambda o, t: np.maximum(match_detections(o, t), 0), "none"),
        Mistake(
            "NaN for none", lambda o, t: np.where(match_detections(o, t) < 0, np.nan, match_detections(o, t)), "none"
        ),
        Mistake("only the hits", lambda o, t: match_detections(o, t)[match_detections(o, t) >= 0], "none"),
        Mistake("None for none", lambda o, t: [None if one < 0 else one for one in match_detections(o, t)], "none"),
        Mistake("smallest overlap that is enough", lambda o, t: _greedy(o, t, _smallest), "best"),
        Mistake("stops at the first miss", _stops, "stops"),
        Mistake("numbered from 1", lambda o, t: match_detections(o, t) + (match_detections(o, t) >= 0), "columns"),
        Mistake("columns removed", _shifting, "columns"),
        Mistake("detection of each object", lambda o, t: match_detections(o.T, t), "order"),
        Mistake("marks in the overlaps", _marks, "in place"),
        Mistake("argmax of nothing", _argmax, "empty"),
        Mistake("yes or no", lambda o, t: match_detections(o, t) >= 0, "yes or no"),
    ),
    alternatives=(_columns_removed, _with_sorting, _with_torch),
    points=5,
    minutes=25,
    difficulty=3,
)
