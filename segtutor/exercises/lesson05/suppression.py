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
    return _kept(boxes, scores, labels, threshold, goes=lambda iou: iou >= threshold)


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


def _kept(  # type: ignore[no-untyped-def]
    boxes, scores, labels, threshold, rival=None, seen=None, first_of_class=False, goes=None, below=None
):
    """Suppression with the switches of the mistakes; as it stands, the right one."""
    iou, areas = box_iou(boxes, boxes), (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    if below is not None:
        iou = iou / (1 + iou) * (areas[:, None] + areas) / np.maximum(below(areas[:, None], areas), 1e-9)
    kept: list[int] = []
    for one in np.argsort(-scores):
        others = [other for other in kept if (labels[other] == labels[one] if rival is None else rival(one, other))]
        others = others[:1] if first_of_class else others if seen is None else [k for k in seen(kept) if k in others]
        if not any(iou[one, other] > threshold if goes is None else goes(iou[one, other]) for other in others):
            kept.append(one)
    return np.array(kept, dtype=int)


def _of(boxes, scores, labels, threshold, chosen):  # type: ignore[no-untyped-def]
    """Suppression among some of the boxes."""
    return chosen[nms(boxes[chosen], scores[chosen], labels[chosen], threshold)]


def _apart(offset):  # type: ignore[no-untyped-def]
    return lambda b, s, c, t: nms(b + offset * c[:, None], s, 0 * c, t)


def _removed_while_looping(boxes, scores, labels, threshold, most=None):  # type: ignore[no-untyped-def]
    iou, left, kept = box_iou(boxes, boxes), np.argsort(-scores).tolist(), []
    while left:
        best = left.pop(0)
        kept.append(best)
        for other in left if most is None else list(left):
            if labels[other] == labels[best] and iou[best, other] > threshold:
                left.remove(other)
                if most:
                    break
    return np.array(kept, dtype=int)


def _one_removed(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    return _removed_while_looping(boxes, scores, labels, threshold, most=1)


def _as_they_come(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    return nms(boxes, -np.arange(len(scores)), labels, threshold)


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
        Mistake(
            "only different classes",
            lambda b, s, c, t: _kept(b, s, c, t, rival=lambda one, other: c[one] != c[other]),
            "classes",
        ),
        Mistake("fixed offset", _apart(1000), "far"),
        Mistake("fixed offset of 4096", _apart(4096), "far"),
        Mistake("fixed offset of 10000", _apart(10000), "far"),
        Mistake("fixed offset of 100000", _apart(100000), "far"),
        Mistake("removed while looping", _removed_while_looping, "copies"),
        Mistake("one copy removed", _one_removed, "copies"),
        Mistake(
            "compared with the best only", lambda b, s, c, t: _kept(b, s, c, t, seen=lambda kept: kept[:1]), "all kept"
        ),
        Mistake("best of its class only", lambda b, s, c, t: _kept(b, s, c, t, first_of_class=True), "all kept"),
        Mistake("0 is no threshold", lambda b, s, c, t: nms(b, s, c, t or 0.5), "zero"),
        Mistake("0.5 always", lambda b, s, c, t: nms(b, s, c, 0.5), "given"),
        Mistake("below the threshold removed", lambda b, s, c, t: _kept(b, s, c, t, goes=lambda iou: iou < t), "equal"),
        Mistake("nothing removed", lambda b, s, c, t: np.argsort(-s), "copies"),
        Mistake("100 survivors", lambda b, s, c, t: nms(b, s, c, t)[:100], "many"),
        Mistake("100 candidates", lambda b, s, c, t: _of(b, s, c, t, np.argsort(-s)[:100]), "many"),
        Mistake("the first 100 boxes", lambda b, s, c, t: _of(b, s, c, t, np.arange(len(s))[:100]), "many"),
        Mistake("score of at least 0.05", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(s >= 0.05)), "every score"),
        Mistake("score of more than 0.5", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(s > 0.5)), "every score"),
        Mistake("score above 0", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(s > 0)), "every score"),
        Mistake("score above the threshold", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(s > t)), "every score"),
        Mistake("without class 0", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(c > 0)), "every score"),
        Mistake("a pixel more", lambda b, s, c, t: nms(b + np.array([0, 0, 1, 1]), s, c, t), "iou"),
        Mistake("rounded boxes", lambda b, s, c, t: nms(b.round(), s, c, t), "iou"),
        Mistake("cut to whole pixels", lambda b, s, c, t: nms(np.trunc(b), s, c, t), "iou"),
        Mistake("shared area by the smaller", lambda b, s, c, t: _kept(b, s, c, t, below=np.minimum), "iou"),
        Mistake("shared area by the larger", lambda b, s, c, t: _kept(b, s, c, t, below=np.maximum), "iou"),
        Mistake("shared area by the sum", lambda b, s, c, t: _kept(b, s, c, t, below=np.add), "iou"),
        Mistake("as they come", lambda b, s, c, t: _as_they_come(b, s, c, t), "worst"),
        Mistake("their boxes", lambda b, s, c, t: b[nms(b, s, c, t)], "numbers"),
        Mistake("their scores", lambda b, s, c, t: s[nms(b, s, c, t)], "numbers"),
        Mistake("the removed ones", lambda b, s, c, t: np.setdiff1d(np.arange(len(s)), nms(b, s, c, t)), "numbers"),
        Mistake("worst of the survivors first", lambda b, s, c, t: nms(b, s, c, t)[::-1], "order"),
    ),
    alternatives=(_removing, _shifted_apart, _class_by_class, _with_torch),
    points=4,
    minutes=20,
    difficulty=2,
)
