"""Typical wrong answers to exercise 5.7, non-maximum suppression."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.lesson05.box_iou import box_iou


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
    return place[_kept(boxes, scores, labels, threshold)]


def _one_per_class(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    best = [max(np.flatnonzero(labels == label), key=lambda number: scores[number]) for label in np.unique(labels)]
    return np.array(sorted(best, key=lambda number: -scores[number]), dtype=int)


def _survivors(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    mask = np.zeros(len(scores), dtype=bool)
    mask[_kept(boxes, scores, labels, threshold)] = True
    return mask


def _class_after_class(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    kept = _kept(boxes, scores, labels, threshold)
    return kept[np.argsort(labels[kept], kind="stable")]


def _needs_boxes(boxes, scores, labels, threshold):  # type: ignore[no-untyped-def]
    best = scores.argmax()  # of nothing: an error
    kept = _kept(boxes, scores, labels, threshold)
    return np.array([best, *kept[1:]])


def _kept(  # type: ignore[no-untyped-def]
    boxes, scores, labels, threshold, rival=None, seen=None, first_of_class=False, goes=None, below=None
):
    """Suppression with the switches of the mistakes; as it stands, the right one."""
    iou, areas = box_iou(boxes, boxes), (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    if below is not None:
        iou = iou / (1 + iou) * (areas[:, None] + areas) / np.maximum(below(areas[:, None], areas), 1e-9)
    kept = []
    for one in np.argsort(-scores):
        others = [other for other in kept if (labels[other] == labels[one] if rival is None else rival(one, other))]
        others = others[:1] if first_of_class else others if seen is None else [k for k in seen(kept) if k in others]
        if not any(iou[one, other] > threshold if goes is None else goes(iou[one, other]) for other in others):
            kept.append(one)
    return np.array(kept, dtype=int)


def _of(boxes, scores, labels, threshold, chosen):  # type: ignore[no-untyped-def]
    """Suppression among some of the boxes."""
    return chosen[_kept(boxes[chosen], scores[chosen], labels[chosen], threshold)]


def _apart(offset):  # type: ignore[no-untyped-def]
    return lambda b, s, c, t: _kept(b + offset * c[:, None], s, 0 * c, t)


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
    return _kept(boxes, -np.arange(len(scores)), labels, threshold)


MISTAKES = (
    Mistake("all classes alike", lambda b, s, c, t: _kept(b, s, 0 * c, t), "classes"),
    Mistake("removed boxes remove", _all_suppress, "chain"),
    Mistake(">= threshold", _strict, "equal"),
    Mistake("in the order of the input", lambda b, s, c, t: np.sort(_kept(b, s, c, t)), "order"),
    Mistake("class after class", _class_after_class, "order"),
    Mistake("worst first", lambda b, s, c, t: _kept(b, -s, c, t), "worst"),
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
    Mistake("0 is no threshold", lambda b, s, c, t: _kept(b, s, c, t or 0.5), "zero"),
    Mistake("0.5 always", lambda b, s, c, t: _kept(b, s, c, 0.5), "given"),
    Mistake("below the threshold removed", lambda b, s, c, t: _kept(b, s, c, t, goes=lambda iou: iou < t), "equal"),
    Mistake("nothing removed", lambda b, s, c, t: np.argsort(-s), "copies"),
    Mistake("100 survivors", lambda b, s, c, t: _kept(b, s, c, t)[:100], "many"),
    Mistake("100 candidates", lambda b, s, c, t: _of(b, s, c, t, np.argsort(-s)[:100]), "many"),
    Mistake("the first 100 boxes", lambda b, s, c, t: _of(b, s, c, t, np.arange(len(s))[:100]), "many"),
    Mistake("score of at least 0.05", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(s >= 0.05)), "every score"),
    Mistake("score of more than 0.5", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(s > 0.5)), "every score"),
    Mistake("score above 0", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(s > 0)), "every score"),
    Mistake("score above the threshold", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(s > t)), "every score"),
    Mistake("without class 0", lambda b, s, c, t: _of(b, s, c, t, np.flatnonzero(c > 0)), "every score"),
    Mistake("a pixel more", lambda b, s, c, t: _kept(b + np.array([0, 0, 1, 1]), s, c, t), "iou"),
    Mistake("rounded boxes", lambda b, s, c, t: _kept(b.round(), s, c, t), "iou"),
    Mistake("cut to whole pixels", lambda b, s, c, t: _kept(np.trunc(b), s, c, t), "iou"),
    Mistake("shared area by the smaller", lambda b, s, c, t: _kept(b, s, c, t, below=np.minimum), "iou"),
    Mistake("shared area by the larger", lambda b, s, c, t: _kept(b, s, c, t, below=np.maximum), "iou"),
    Mistake("shared area by the sum", lambda b, s, c, t: _kept(b, s, c, t, below=np.add), "iou"),
    Mistake("as they come", lambda b, s, c, t: _as_they_come(b, s, c, t), "worst"),
    Mistake("their boxes", lambda b, s, c, t: b[_kept(b, s, c, t)], "numbers"),
    Mistake("their scores", lambda b, s, c, t: s[_kept(b, s, c, t)], "numbers"),
    Mistake("the removed ones", lambda b, s, c, t: np.setdiff1d(np.arange(len(s)), _kept(b, s, c, t)), "numbers"),
    Mistake("worst of the survivors first", lambda b, s, c, t: _kept(b, s, c, t)[::-1], "order"),
)
