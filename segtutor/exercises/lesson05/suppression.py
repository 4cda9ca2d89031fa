"""Exercise 5.7: of several near copies, keep the best."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson05.box_iou import box_iou
from segtutor.exercises.lesson05.inputs import random_boxes
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
    apart = boxes + (labels * (1000 + np.abs(boxes).max(initial=0)))[:, None]
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


def _crowd(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Near copies of a few boxes with different scores and three classes."""
    generator = np.random.default_rng(seed)
    originals = random_boxes(seed, 5)
    boxes = originals[generator.integers(0, 5, count)] + generator.normal(0, 2.5, (count, 4)).round(2)
    return boxes, generator.permutation(count) / count, generator.integers(1, 4, count)


def _row(count: int) -> np.ndarray:
    """Boxes of 10 x 10, 30 pixels apart."""
    return np.array([[30.0 * number, 0, 30.0 * number + 10, 10] for number in range(count)])


_FAR = (50, 100, 200, 256, 500, 512, 640, 800, 1000, 1024, 2000, 4000, 4096, 5000, 1e4, 1e5, 1e6)
_PAIR = np.array([[0.0, 0, 10, 10], [1.0, 0, 11, 10]])
_CHAIN = np.array([[0.0, 0, 10, 10], [4.0, 0, 14, 10], [8.0, 0, 18, 10]])

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
    cases=(
        Case(
            "two near copies",
            (_PAIR, np.array([0.8, 0.9]), np.array([1, 1]), 0.5),
            np.array([1]),
        ),
        Case(
            "the same box as two classes",
            (_PAIR[[0, 0]], np.array([0.9, 0.8]), np.array([1, 2]), 0.5),
            np.array([0, 1]),
            "classes",
        ),
        Case(
            "a chain: the middle one is removed and removes nothing",
            (_CHAIN, np.array([0.9, 0.8, 0.7]), np.array([1, 1, 1]), 0.4),
            np.array([0, 2]),
            "chain",
        ),
        Case(
            "IoU equal to the threshold",
            (np.array([[0.0, 0, 2, 1], [0.0, 0, 1, 1]]), np.array([0.9, 0.8]), np.array([3, 3]), 0.5),
            np.array([0, 1]),
            "equal",
        ),
        Case(
            "best score first, across classes",
            (
                np.array([[0.0, 0, 9, 9], [20.0, 0, 29, 9], [40.0, 0, 49, 9]]),
                np.array([0.3, 0.9, 0.6]),
                np.array([1, 2, 1]),
                0.5,
            ),
            np.array([1, 2, 0]),
            "order",
        ),
        Case(
            "a copy of the best, another object between them",
            (
                np.array([[0.0, 0, 9, 9], [20.0, 0, 29, 9], [0.0, 0, 9, 10]]),
                np.array([0.9, 0.8, 0.7]),
                np.array([1, 1, 1]),
                0.5,
            ),
            np.array([0, 1]),
            "all kept",
        ),
        Case("no boxes", (np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=int), 0.5), np.zeros(0, dtype=int), "empty"),
        Case("30 boxes, three classes", (*_crowd(0, 30), 0.5)),
        Case("40 boxes, threshold 0.3", (*_crowd(1, 40), 0.3)),
        Case("40 boxes, threshold 0.7", (*_crowd(2, 40), 0.7)),
        Case(
            "six times the same box",
            (_PAIR[[0] * 6], np.array([0.4, 0.9, 0.5, 0.8, 0.6, 0.7]), np.zeros(6, dtype=int), 0.5),
            np.array([1]),
            "copies",
        ),
        Case(
            "threshold 0: touching boxes survive, overlapping ones do not",
            (
                np.array([[0.0, 0, 10, 10], [9, 0, 19, 10], [19, 0, 29, 10]]),
                np.array([0.9, 0.8, 0.7]),
                np.ones(3, dtype=int),
                0.0,
            ),
            np.array([0, 2]),
            "zero",
        ),
        Case(
            "two classes, boxes up to a million",
            (
                np.array([[0.0, 0, 10, 10], *([at, at, at + 10, at + 10] for at in _FAR)]),
                np.linspace(0.95, 0.05, 1 + len(_FAR)),
                np.array([2] + [1] * len(_FAR)),
                0.5,
            ),
            np.arange(1 + len(_FAR)),
            "far",
        ),
        Case(
            "105 boxes side by side",
            (_row(105), np.linspace(0.1, 0.9, 105), np.ones(105, dtype=int), 0.5),
            np.arange(105)[::-1],
            "many",
        ),
        Case(
            "low scores, and class 0",
            (_row(3), np.array([0.04, 0.0, 0.3]), np.array([1, 1, 0]), 0.5),
            np.array([2, 0, 1]),
            "every score",
        ),
        Case(
            "IoU 0.325 of half pixels, threshold 0.35",
            (
                np.array([[0.0, 0, 10, 10], [5.1, 0, 15.1, 10], [0.4, 20, 3.4, 22], [2.0, 20, 5.0, 22]]),
                np.array([0.9, 0.8, 0.7, 0.6]),
                np.ones(4, dtype=int),
                0.35,
            ),
            np.array([0, 1, 2, 3]),
            "iou",
        ),
        Case(
            "a small box inside a large one",
            (np.array([[0.0, 0, 10, 10], [2.0, 2, 5, 5]]), np.array([0.9, 0.8]), np.array([1, 1]), 0.5),
            np.array([0, 1]),
            "iou",
        ),
    ),
    hints={
        "general": Hint(
            "Sort by falling score. Each box survives unless a better *survivor* of its class overlaps it too much.",
            "kept = []; for number in np.argsort(-scores): append it if all its IoU with boxes of its class in kept "
            "are <= threshold.",
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
