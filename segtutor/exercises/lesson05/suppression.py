"""Exercise 5.7: of several near copies, keep the best."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson05.box_iou import box_iou
from segtutor.exercises.lesson05.inputs import random_boxes

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


def _all_suppress(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    """Suppressed boxes suppress others."""
    iou = box_iou(boxes, boxes)
    kept = [
        number
        for number in np.argsort(-scores)
        if not any(
            scores[other] > scores[number] and labels[other] == labels[number] and iou[other, number] > threshold
            for other in range(len(scores))
        )
    ]
    return np.array(kept, dtype=int)


def _neighbors_only(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    """Compares a box only with the last that was kept."""
    kept = []
    for number in np.argsort(-scores):
        last = kept[-1:]
        if not last or labels[last[0]] != labels[number] or box_iou(boxes[[number]], boxes[last]).item() <= threshold:
            kept.append(number)
    return np.array(kept, dtype=int)


def _strict(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    return nms(boxes, scores, labels, np.nextafter(threshold, 0))


def _places(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    """Places in the sorted list, not the original numbers."""
    order = np.argsort(-scores)
    place = np.argsort(order)
    return place[nms(boxes, scores, labels, threshold)]


def _one_per_class(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    best = [max(np.flatnonzero(labels == label), key=lambda number: scores[number]) for label in np.unique(labels)]
    return np.array(sorted(best, key=lambda number: -scores[number]), dtype=int)


def _survivors(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    mask = np.zeros(len(scores), dtype=bool)
    mask[nms(boxes, scores, labels, threshold)] = True
    return mask


def _class_after_class(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    kept = nms(boxes, scores, labels, threshold)
    return kept[np.argsort(labels[kept], kind="stable")]


def _needs_boxes(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    best = scores.argmax()  # of nothing: an error
    kept = nms(boxes, scores, labels, threshold)
    return np.array([best, *kept[1:]])


def _crowd(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Near copies of a few boxes with different scores and three classes."""
    generator = np.random.default_rng(seed)
    originals = random_boxes(seed, 5)
    boxes = originals[generator.integers(0, 5, count)] + generator.normal(0, 2.5, (count, 4)).round(2)
    return boxes, generator.permutation(count) / count, generator.integers(1, 4, count)


_PAIR = np.array([[0.0, 0, 10, 10], [1.0, 0, 11, 10]])
_CHAIN = np.array([[0.0, 0, 10, 10], [4.0, 0, 14, 10], [8.0, 0, 18, 10]])

EXERCISE = Exercise(
    id="5.7",
    title="Non-maximum suppression",
    name="nms",
    statement="""
A detector finds every object many times. Write `nms(boxes, scores, labels, threshold)` for R boxes (corners), R scores
and R class numbers:

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
    ),
    hints={
        "general": Hint(
            "Sort by falling score. Each box survives unless a better *survivor* of its class overlaps it too much.",
            "kept = []; for number in np.argsort(-scores): append it if all its IoU with boxes of its class in kept "
            "are <= threshold.",
        ),
        "classes": Hint(
            "Boxes of different classes suppress each other. A rider and the horse may share a box.",
            "Compare only where labels are equal.",
        ),
        "chain": Hint(
            "A box that was removed itself removes others.",
            "Compare with the survivors only, not with all better boxes.",
        ),
        "equal": Hint(
            "A box goes if its IoU is *greater* than the threshold; equal survives.", "Remove if iou > threshold."
        ),
        "order": Hint(
            "The right survivors in another order: best score first, whatever the class.",
            "Sort the survivors with np.argsort(-scores[kept]).",
        ),
        "worst": Hint(
            "The boxes with the lowest scores survive.", "np.argsort(-scores): the highest score comes first."
        ),
        "all kept": Hint(
            "A box is compared with one survivor only. Every survivor of its class counts.",
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
    },
    mistakes=(
        Mistake("all classes alike", lambda b, s, c, t: nms(b, s, 0 * c, t), "classes"),
        Mistake("removed boxes remove", _all_suppress, "chain"),
        Mistake(">= threshold", _strict, "equal"),
        Mistake("in the order of the input", lambda b, s, c, t: np.sort(nms(b, s, c, t)), "order"),
        Mistake("class after class", _class_after_class, "order"),
        Mistake("worst first", lambda b, s, c, t: nms(b, -s, c, t), "worst"),
        Mistake("compared with the last survivor", _neighbors_only, "all kept"),
        Mistake("places in the sorted list", _places, "numbers"),
        Mistake("truth values", _survivors, "mask"),
        Mistake("one per class", _one_per_class, "one per class"),
        Mistake("nothing is an error", _needs_boxes, "empty"),
    ),
    alternatives=(_removing, _shifted_apart, _class_by_class, _with_torch),
    points=4,
    minutes=20,
    difficulty=2,
)
