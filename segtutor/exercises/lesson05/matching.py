"""Exercise 5.4: which anchor learns which object."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson05.box_iou import box_iou
from segtutor.exercises.lesson05.cell_anchors import cell_anchors
from segtutor.exercises.lesson05.grid_anchors import grid_anchors
from segtutor.exercises.lesson05.inputs import random_boxes
from segtutor.exercises.lesson05.matching_mistakes import MISTAKES

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


def _of_scene(seed: int, objects: int) -> np.ndarray:
    """IoU of random objects with the anchors of an 8 x 10 map of stride 8."""
    anchors = grid_anchors(cell_anchors((16, 32), (0.5, 1.0, 2.0)), (8, 10), 8)
    return np.round(box_iou(random_boxes(seed, objects, 80, 64), anchors), 4)


def _many_objects() -> np.ndarray:
    """IoU of 130 objects, most of which no anchor touches."""
    iou = np.zeros((130, 4))
    iou[[129, 128, 3, 0], [0, 1, 2, 3]] = 0.9, 0.8, 0.75, 0.5
    return iou


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
        Case(
            "two objects share an anchor's largest IoU",
            (np.array([[0.1, 0.8, 0.5], [0.9, 0.8, 0.5], [0.0, 0.8, 0.5]]), 0.7, 0.3),
            np.array([1, 0, -2]),
            "first of equals",
        ),
        Case(
            "just below 0.7, 0.3 and the largest",
            (np.array([[0.9, 0.6999999, 0.2999999, 0.25, 0.2999999], [0.0, 0.0, 0.2, 0.1999999, 0.1]]), 0.7, 0.3),
            np.array([0, -2, 0, -1, -1]),
            "just below",
        ),
        Case(
            "the best anchor of object 1 has 0.02",
            (np.array([[0.75, 0.0, 0.5], [0.0, 0.02, 0.01]]), 0.7, 0.3),
            np.array([0, 1, -2]),
            "force",
        ),
        Case(
            "the same anchor is the best of two objects",
            (np.array([[0.4, 0.1, 0.2], [0.6, 0.3, 0.1]]), 0.7, 0.35),
            np.array([1, -1, -1]),
            "owner",
        ),
        Case("130 objects, four anchors", (_many_objects(), 0.7, 0.3), np.array([129, 128, 3, 0]), "many"),
        Case(
            "thresholds 0.9 and 0.1",
            (np.array([[0.95, 0.8, 0.2, 0.05], [0.1, 0.92, 0.3, 0.0]]), 0.9, 0.1),
            np.array([0, 1, -2, -1]),
            "as given",
        ),
        Case(
            "two anchors above 0.7 for one of two objects",
            (np.array([[0.9, 0.75, 0.1, 0.0], [0.0, 0.1, 0.8, 0.4]]), 0.7, 0.3),
            np.array([0, 0, 1, -2]),
            "only forced",
        ),
    ),
    hints={
        "general": Hint(
            "First each anchor on its own: best object and its IoU. Then go through the objects and add their best "
            "anchors.",
            "The largest value of each column and its row tell an anchor's object; the two thresholds then mark "
            "background and ignored. For the second rule look along each row: all anchors that reach the row's "
            "largest value, unless it is 0. Without objects there is no largest value, so answer that case first.",
        ),
        "force": Hint(
            "No object may be left out: the anchor with which it has its largest IoU is positive, however small that "
            "is.",
            "For each row of iou: matches[row == row.max()] = number[row == row.max()], where row > 0.",
        ),
        "all best": Hint(
            "Several anchors share the largest IoU of an object; all of them are positive.",
            "row == row.max() finds all, row.argmax() only the first.",
        ),
        "untouched": Hint(
            "An object with IoU 0 everywhere has no best anchor. (0 equals the largest IoU with every anchor.)",
            "Force an anchor only where row > 0.",
        ),
        "owner": Hint(
            "An anchor that an object needs gets the number of the object with which *it* overlaps most, which may be "
            "another one.",
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
            "All anchors with at least `positive` are positive, as many as there are, and the best of each object, "
            "too.",
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
        "first of equals": Hint(
            "Among objects with the same IoU the first counts: the one with the smallest number.",
            "iou.argmax(axis=0) takes the first of equals.",
        ),
        "just below": Hint(
            "Values just below a threshold or the largest IoU are below it: compare exactly.",
            "best >= positive, best < negative, row == row.max(), without isclose or round.",
        ),
        "many": Hint(
            "There are more than 127 objects here. A number type of eight bits turns negative there.",
            "Use whole numbers of the usual size: int.",
        ),
        "as given": Hint(
            "The thresholds are arguments, and other ones than 0.7 and 0.3 come.", "Use positive and negative."
        ),
        "largest": Hint(
            "What counts for an anchor is its *largest* IoU, not its smallest, its mean or any of them.",
            "best = iou.max(axis=0), and both thresholds look at best.",
        ),
        "from zero": Hint(
            "The numbers of the objects begin at 0, background is -1 and ignored is -2.",
            "iou.argmax(axis=0) as it is; -1; -2.",
        ),
        "codes": Hint(
            "The numbers for background and ignored are others: -1 is background, -2 is ignored.", "-1 and -2."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _with_masks, _with_torch),
    points=5,
    minutes=25,
    difficulty=3,
)
