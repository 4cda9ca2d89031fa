"""Exercise 5.4: which anchor learns which object."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson05.box_iou import box_iou
from segtutor.exercises.lesson05.cell_anchors import cell_anchors
from segtutor.exercises.lesson05.grid_anchors import grid_anchors
from segtutor.exercises.lesson05.inputs import random_boxes

STUB = '''
def match_anchors(iou, positive, negative):
    """R numbers from the G x R matrix `iou`: the object that the anchor belongs to, -1 background, -2 ignored."""
    raise NotImplementedError("Write match_anchors() here, then run this cell again.")
'''


def match_anchors(iou: np.ndarray, positive: float, negative: float) -> np.ndarray:
    """R numbers from the G x R matrix `iou`: the object that the anchor belongs to, -1 background, -2 ignored."""
    if len(iou) == 0:
        return np.full(iou.shape[1], -1)
    best_object, best_iou = iou.argmax(axis=0), iou.max(axis=0)
    matches = np.where(best_iou >= positive, best_object, -2)
    matches[best_iou < negative] = -1
    for of_object in iou:
        forced = (of_object == of_object.max()) & (of_object > 0)
        matches[forced] = best_object[forced]
    return matches


def _with_loops(iou, positive, negative):  # type: ignore[no-untyped-def]
    objects, anchors = iou.shape
    matches = []
    for anchor in range(anchors):
        column = iou[:, anchor].tolist()
        best = max(range(objects), key=lambda number: column[number], default=None)
        if best is None or column[best] < negative:
            matches.append(-1)
        else:
            matches.append(best if column[best] >= positive else -2)
        if any(0 < column[number] == iou[number].max() for number in range(objects)):
            matches[-1] = best
    return matches


def _with_masks(iou, positive, negative):  # type: ignore[no-untyped-def]
    if iou.shape[0] == 0:
        return -np.ones(iou.shape[1], dtype=int)
    is_best = ((iou == iou.max(axis=1, keepdims=True)) & (iou > 0)).any(axis=0)
    is_object = (iou.max(axis=0) >= positive) | is_best
    return np.where(is_object, iou.argmax(axis=0), np.where(iou.max(axis=0) < negative, -1, -2))


def _with_torch(iou, positive, negative):  # type: ignore[no-untyped-def]
    import torch

    iou = torch.from_numpy(iou)
    if not len(iou):
        return torch.full((iou.shape[1],), -1)
    best, number = iou.max(dim=0)
    kept = (best >= positive) | ((iou == iou.amax(dim=1, keepdim=True)) & (iou > 0)).any(dim=0)
    return number.where(kept, torch.where(best < negative, -1, -2))


def _matches(  # type: ignore[no-untyped-def]
    iou, positive, negative, force="all", strict=False, include=False, between=-2, touching=True, owner=False, none=-1
):
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
            forced = np.arange(len(row)) == (row.argmax() if row.max() > 0 else -1)
        if force:
            matches[forced] = number if owner else best_object[forced]
    return matches


def _objects_choose(iou, positive, negative):  # type: ignore[no-untyped-def]
    """Only the best anchors of each object."""
    return _matches(iou, 2.0, negative)


def _of_scene(seed: int, objects: int) -> np.ndarray:
    """IoU of random objects with the anchors of an 8 x 10 map of stride 8."""
    anchors = grid_anchors(cell_anchors((16, 32), (0.5, 1.0, 2.0)), (8, 10), 8)
    return np.round(box_iou(random_boxes(seed, objects, 80, 64), anchors), 4)


EXERCISE = Exercise(
    id="5.4",
    title="Match anchors to objects",
    name="match_anchors",
    statement="""
What should each anchor learn? Write `match_anchors(iou, positive, negative)`; `iou` is G x R, of G objects and R
anchors. For each anchor, look at the object with which it has the **largest** IoU (the first of equals):

- IoU of at least `positive` (0.7): the anchor belongs to this object; the result is the object's number.
- IoU below `negative` (0.3): background, -1.
- in between: ignored, -2. It enters no loss.

Then no object may be left out: the anchor with which an *object* has its largest IoU is positive in any case, however
small the IoU is, unless it is 0. If several anchors share this largest IoU, all of them are. Such an anchor, too,
gets the number of the object with which *it* has the largest IoU.

Return R whole numbers. Without objects, everything is background.
""",
    stub=STUB,
    reference=match_anchors,
    cases=(
        Case(
            "object, ignored, background",
            (np.array([[0.9, 0.8, 0.5, 0.1]]), 0.7, 0.3),
            np.array([0, 0, -2, -1]),
        ),
        Case(
            "the second object's best anchor has 0.2 only",
            (np.array([[0.8, 0.5, 0.1], [0.1, 0.0, 0.2]]), 0.7, 0.3),
            np.array([0, -2, 1]),
            "force",
        ),
        Case("exactly 0.7 and exactly 0.3", (np.array([[0.9, 0.7, 0.3]]), 0.7, 0.3), np.array([0, 0, -2]), "equal"),
        Case(
            "two anchors share an object's largest IoU",
            (np.array([[0.4, 0.1, 0.4]]), 0.7, 0.3),
            np.array([0, -1, 0]),
            "all best",
        ),
        Case(
            "an object that no anchor touches",
            (np.array([[0.8, 0.2, 0.4], [0.0, 0.0, 0.0]]), 0.7, 0.3),
            np.array([0, -1, -2]),
            "untouched",
        ),
        Case(
            "the best anchor of object 1 overlaps object 0 more",
            (np.array([[0.9, 0.6, 0.1], [0.2, 0.5, 0.4]]), 0.7, 0.3),
            np.array([0, 0, -2]),
            "owner",
        ),
        Case("no objects", (np.zeros((0, 4)), 0.7, 0.3), np.array([-1, -1, -1, -1]), "no objects"),
        Case("other thresholds", (np.array([[0.9, 0.55, 0.45, 0.2]]), 0.5, 0.4), np.array([0, 0, -2, -1])),
        Case("6 objects, 480 anchors", (_of_scene(0, 6), 0.7, 0.3)),
        Case("12 objects, 480 anchors", (_of_scene(1, 12), 0.6, 0.2)),
    ),
    hints={
        "general": Hint(
            "First each anchor on its own: best object and its IoU. Then go through the objects and add their best "
            "anchors.",
            "best = iou.max(axis=0), number = iou.argmax(axis=0); np.where with the two thresholds; then for each row "
            "the anchors with row == row.max().",
        ),
        "force": Hint(
            "An object whose best anchor has a small IoU is learned by nobody: the second rule is missing.",
            "For each row of iou: matches[row == row.max()] = number[row == row.max()], where row > 0.",
        ),
        "all best": Hint(
            "Several anchors share the largest IoU of an object; all of them are positive.",
            "row == row.max() finds all, row.argmax() only the first.",
        ),
        "untouched": Hint(
            "An object with IoU 0 everywhere is 'best' with every anchor, and background turns positive.",
            "Force an anchor only where row > 0.",
        ),
        "owner": Hint(
            "A forced anchor gets the object with which *it* overlaps most, which may be another than the one that "
            "forced it.",
            "matches[forced] = iou.argmax(axis=0)[forced].",
        ),
        "equal": Hint(
            "An IoU equal to a threshold: at least `positive` is an object, and background is *below* `negative`.",
            "best >= positive, and best < negative.",
        ),
        "between": Hint(
            "Anchors between the two thresholds are ignored, -2. They are neither object nor background.",
            "np.where(best >= positive, number, np.where(best < negative, -1, -2)).",
        ),
        "only forced": Hint(
            "Only the best anchors of each object are positive. All others with at least `positive` are, too.",
            "Begin with best >= positive; the second rule adds to it.",
        ),
        "axes": Hint(
            "One result per *anchor* is wanted: R numbers. The rows of `iou` are objects, the columns anchors.",
            "iou.max(axis=0) goes over the objects.",
        ),
        "no objects": Hint(
            "A picture without objects: all anchors are background. There is no maximum of nothing.",
            "If len(iou) == 0, return np.full(iou.shape[1], -1).",
        ),
        "yes or no": Hint(
            "The *number* of the object is wanted, not just whether there is one.", "Use iou.argmax(axis=0)."
        ),
    },
    mistakes=(
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
    ),
    alternatives=(_with_loops, _with_masks, _with_torch),
    points=5,
    minutes=25,
    difficulty=3,
)
