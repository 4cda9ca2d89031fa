"""Exercise 5.7: of several near copies, keep the best."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Exercise, Hint
from segtutor.exercises.lesson05.box_iou import box_iou
from segtutor.exercises.lesson05.suppression_cases import CASES
from segtutor.exercises.lesson05.suppression_mistakes import MISTAKES

STUB = '''
def nms(boxes, scores, labels, threshold):
    """Numbers of the boxes (R x 4) that survive non-maximum suppression within their class, best score first."""
    raise NotImplementedError("Write nms() here, then run this cell again.")
'''


def nms(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, threshold: float) -> np.ndarray:
    """Numbers of the boxes (R x 4) that survive non-maximum suppression within their class, best score first."""
    iou = box_iou(boxes, boxes)
    kept: list[int] = []
    for candidate in np.argsort(-scores):
        better = [other for other in kept if labels[other] == labels[candidate]]
        if all(iou[candidate, other] <= threshold for other in better):
            kept.append(candidate)
    return np.array(kept, dtype=int)


def _removing(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    left, kept = np.argsort(-scores), []
    while len(left):
        best, rest = left[0], left[1:]
        kept.append(int(best))
        gone = (box_iou(boxes[[best]], boxes[rest])[0] > threshold) & (labels[rest] == labels[best])
        left = rest[~gone]
    return kept


def _shifted_apart(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    """Classes moved so far apart that their boxes cannot meet, then one suppression for all."""
    apart = boxes + (labels * (4 * np.abs(boxes).max(initial=1)))[:, None]
    return _removing(apart, scores, np.zeros_like(labels), threshold)


def _class_by_class(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    kept = []
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        chosen = _removing(boxes[of_class], scores[of_class], np.zeros(len(of_class)), threshold)
        kept += of_class[chosen].tolist()
    return sorted(kept, key=lambda number: -scores[number])


def _with_torch(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    import torch

    order = torch.from_numpy(scores).argsort(descending=True)
    overlaps = torch.from_numpy(box_iou(boxes, boxes) > threshold)
    rivals = overlaps & (torch.from_numpy(labels)[:, None] == torch.from_numpy(labels)[None])
    alive = torch.ones(len(scores), dtype=torch.bool)
    for number in order.tolist():
        if alive[number]:
            alive &= ~rivals[number]
            alive[number] = True
    return order[alive[order]]


EXERCISE = Exercise(
    id="5.7",
    title="Non-maximum suppression",
    name="nms",
    statement="""
A detector finds every object many times. Write `nms(boxes, scores, labels, threshold)` for R boxes (corners), R scores
and R class numbers (0 is a class like the others here):

1. Take the box with the highest score that is left; it survives.
2. Remove all boxes **of the same class** whose IoU with it is *greater* than `threshold`.
3. Go on until none is left.

A removed box removes no other. Boxes of different classes do not see each other, even if they are the same. Return
the numbers of the survivors (positions in `boxes`), the best score first. No two scores are equal; there may be no
boxes.
""",
    stub=STUB,
    reference=nms,
    cases=CASES,
    hints={
        "general": Hint(
            "Sort by falling score. Each box survives unless a better *survivor* of its class overlaps it too much.",
            "Keep a list of the survivors so far. Each box, the best first, is compared with the survivors of its own "
            "class, and with nobody else: who was removed removes nothing. Equal to the threshold is not greater.",
        ),
        "classes": Hint(
            "Boxes of different classes do not see each other. A rider and the horse may share a box.",
            "Compare only where labels are equal.",
        ),
        "chain": Hint(
            "A box that was removed itself removes no other: the middle one of a chain is gone before the third's "
            "turn.",
            "Compare with the survivors only, not with all better boxes.",
        ),
        "equal": Hint(
            "A box goes if its IoU is *greater* than the threshold; equal survives.", "Remove if iou > threshold."
        ),
        "order": Hint(
            "The survivors come with the best score first, whatever their class and wherever they stand in the input.",
            "Sort the survivors with np.argsort(-scores[kept]).",
        ),
        "worst": Hint(
            "The boxes with the lowest scores survive.", "np.argsort(-scores): the highest score comes first."
        ),
        "all kept": Hint(
            "Every survivor of its class counts for a box, not only the last or the first one.",
            "all(iou[number, other] <= threshold for other in kept of the same class).",
        ),
        "numbers": Hint(
            "Wanted are the numbers of the boxes as they came in, not places in the sorted list.",
            "order[place] is the original number.",
        ),
        "mask": Hint(
            "Wanted are numbers of boxes, not one truth value for each.", "np.flatnonzero, then sort by score."
        ),
        "one per class": Hint(
            "Only one box of each class is left. There may be several objects of one class.",
            "Remove only what overlaps the survivor too much.",
        ),
        "empty": Hint(
            "No boxes: the result is empty, and there is no error.", "The maximum of nothing is an error; test first."
        ),
        "copies": Hint(
            "All boxes that overlap too much with a survivor go, however many they are. (Who removes from a list while "
            "looping over it skips every second one.)",
            "Build a new list of those that stay, instead of removing while you loop.",
        ),
        "zero": Hint(
            "A threshold of 0 is a number like others: all that overlaps at all goes, and touching boxes (IoU 0) stay.",
            "Use threshold as it is; `threshold or 0.5` turns 0 into 0.5.",
        ),
        "given": Hint("The threshold is an argument: 0.3 and 0.7 come, too.", "Compare with threshold."),
        "far": Hint(
            "Boxes may lie anywhere. Classes kept apart by a fixed offset meet again far away.",
            "Compare the labels, or let the offset be larger than all coordinates.",
        ),
        "many": Hint(
            "More than 100 boxes come here, and all of them survive. There is no largest number.", "Cut off nothing."
        ),
        "every score": Hint(
            "Every box counts, whatever its score and its class: also a score of 0 and the class 0.",
            "Leave no box out before the suppression.",
        ),
        "iou": Hint(
            "What decides is the plain IoU: continuous corners, nothing rounded, shared area by union.",
            "Use box_iou of 5.3 as it is.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_removing, _shifted_apart, _class_by_class, _with_torch),
    points=4,
    minutes=20,
    difficulty=2,
)
