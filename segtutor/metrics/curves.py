"""Precision-recall curves of scored detections, and the average precision (AP) in every definition in use.

Detections are sorted by falling score; after each of them, precision is the share of the detections so far that hit an
object, recall the share of the objects that were hit. AP is one number for that curve, and it depends on who computes
it: the area under it (VOC since 2010), the mean over 11 recall levels (VOC 2007) or 101 (COCO), with or without the
envelope that gives each recall the best precision still to come.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from segtutor.metrics.arrays import boolean_masks, to_numpy

Ties = Literal["order", "together"]


class PrecisionRecallCurve(NamedTuple):
    """Points of the curve, by rising recall; ``thresholds`` is the lowest score that each point lets pass."""

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray


class MeanAveragePrecision(NamedTuple):
    """Mean AP, and the AP of each class (NaN for a class without objects, which the mean leaves out)."""

    mean: float
    per_class: dict[Hashable, float]


def match_detections(
    scores: Any, overlaps: Any, threshold: float = 0.5, rule: Literal["coco", "voc"] = "coco"
) -> np.ndarray:
    """Decides which detections of one class in one image hit an object, each object at most once.

    Args:
        scores: Scores of the R detections; equal ones keep their order.
        overlaps: R x G, IoU of each detection with each object (``mask_iou``).
        threshold: Least IoU of a hit; exactly this much is enough.
        rule: "coco": a detection takes the best *free* object (the last of equal ones). "voc": it takes the best
            object (the first of equal ones), and is a miss if that one is taken.

    Returns:
        R booleans, in the order of ``scores``.

    Raises:
        ValueError: If the shapes do not fit, or if a score is NaN.

    >>> match_detections([0.9, 0.8], [[0.7, 0.6], [0.8, 0.6]], rule="coco").tolist()
    [True, True]
    >>> match_detections([0.9, 0.8], [[0.7, 0.6], [0.8, 0.6]], rule="voc").tolist()
    [True, False]
    """
    scores, overlaps = _checked_scores(scores), to_numpy(overlaps)
    if overlaps.ndim != 2 or len(overlaps) != len(scores):
        raise ValueError(f"overlaps must have one row per detection ({len(scores)}), but have shape {overlaps.shape}")
    if overlaps.size and (overlaps.dtype.kind not in "biuf" or np.isnan(overlaps).any()):
        raise ValueError(f"overlaps must be numbers, but their dtype is {overlaps.dtype}, or some of them are NaN")
    if rule not in ("coco", "voc"):
        raise ValueError(f'rule must be "coco" or "voc", but is {rule!r}')
    is_match = np.zeros(len(scores), dtype=bool)
    if overlaps.shape[1] == 0:
        return is_match
    free = np.ones(overlaps.shape[1], dtype=bool)
    for detection in np.argsort(-scores, kind="stable"):
        overlap = overlaps[detection]
        if rule == "coco":
            candidates = np.where(free, overlap, -1.0)
            best = len(candidates) - 1 - int(np.argmax(candidates[::-1]))
        else:
            best = int(np.argmax(overlap))
        is_match[detection] = free[best] and overlap[best] >= threshold
        free[best] &= not is_match[detection]
    return is_match


def precision_recall_curve(
    scores: Any, is_match: Any, num_positives: int, ties: Ties = "order"
) -> PrecisionRecallCurve:
    """Precision and recall as the score threshold falls.

    Args:
        scores: Scores of the R detections, of all images together.
        is_match: Whether each of them hit an object of its own.
        num_positives: Number of objects, found or not.
        ties: "order": one point per detection, equal scores in the order given, as the evaluators of VOC and COCO do.
            "together": one point per distinct score, since no threshold separates equal ones, as scikit-learn does.

    Returns:
        precision, recall and thresholds; recall is NaN if there are no objects. No point is added at recall 0 or 1.

    Raises:
        ValueError: If the lengths differ, a score is NaN, or there are more hits than objects.

    >>> precision_recall_curve([0.9, 0.8, 0.7], [True, False, True], num_positives=4).recall.tolist()
    [0.25, 0.25, 0.5]
    """
    scores = _checked_scores(scores)
    is_match = to_numpy(is_match)
    hits = boolean_masks(is_match, "is_match") if is_match.size else np.zeros(0, dtype=bool)
    if hits.shape != scores.shape:
        raise ValueError(f"there must be one match per score, but there are {hits.shape} and {scores.shape}")
    if num_positives < hits.sum():
        raise ValueError(
            f"{int(hits.sum())} detections hit an object, but there are only {num_positives} objects; "
            "let each object be hit once, and count those that nobody found in num_positives too"
        )
    if ties not in ("order", "together"):
        raise ValueError(f'ties must be "order" or "together", but is {ties!r}')
    order = np.argsort(-scores, kind="stable")
    thresholds, true_positives = scores[order], np.cumsum(hits[order])
    precision = true_positives / np.arange(1, len(scores) + 1)
    with np.errstate(invalid="ignore"):
        recall = true_positives / np.float64(num_positives)
    if ties == "together":
        last = np.append(thresholds[1:] != thresholds[:-1], True)[: len(thresholds)]
        precision, recall, thresholds = precision[last], recall[last], thresholds[last]
    return PrecisionRecallCurve(precision, recall, thresholds)


def precision_envelope(precision: Any) -> np.ndarray:
    """Best precision at this recall or beyond: the falling staircase that AP is measured on.

    >>> precision_envelope([1.0, 0.5, 0.6, 0.4]).tolist()
    [1.0, 0.6, 0.6, 0.4]
    """
    return np.maximum.accumulate(to_numpy(precision)[::-1])[::-1]


def precision_at_levels(precision: Any, recall: Any, levels: int, num_positives: int | None = None) -> np.ndarray:
    """Best precision at each of ``levels`` recall levels from 0 to 1, or beyond it; 0 where recall does not reach.

    ``num_positives`` compares in whole numbers, as in ``average_precision``; the mean of the result is that AP.

    >>> precision_at_levels([1.0, 0.5, 0.6], [0.2, 0.2, 0.4], levels=5).tolist()
    [1.0, 0.6, 0.0, 0.0, 0.0]
    """
    recall, envelope = to_numpy(recall), np.append(precision_envelope(precision), 0.0)
    if num_positives is None:
        first_reached = np.searchsorted(recall, np.linspace(0, 1, levels), side="left")
    else:
        hits = np.rint(recall * num_positives).astype(np.int64)
        first_reached = np.searchsorted(hits * (levels - 1), np.arange(levels) * num_positives, side="left")
    return envelope[first_reached]


def average_precision(precision: Any, recall: Any, method: str = "area", num_positives: int | None = None) -> float:
    """One number for a precision-recall curve.

    Args:
        precision: Precision of each point of the curve.
        recall: Recall of each point, never falling. No points at all score 0.
        method: "area": area under the envelope (VOC since 2010). "5point", "11point" (VOC 2007), "101point" (COCO), or
            any other number: mean of the envelope at that many recall levels from 0 to 1; 0 beyond the recall reached.
            "step": area under the curve as it is, each step as high as its end (scikit-learn). "trapezoid": straight
            lines from point to point, beginning at precision 1 (Cityscapes instances).
        num_positives: Number of objects. If given, recall levels are compared as whole numbers, hits * (n - 1) >=
            level * objects. Without it they are float64, as in the official evaluators, where level 3 of 11 is
            0.30000000000000004 and 3 of 10 objects do not reach it.

    Returns:
        AP in 0...1; NaN if there are no objects (recall is NaN, or ``num_positives`` is 0).

    Raises:
        ValueError: If the lengths differ, recall falls or leaves 0...1, or the method is unknown.

    >>> average_precision([1.0, 0.5, 2 / 3], [0.5, 0.5, 1.0], method="area")
    0.8333333333333333
    """
    precision, recall = to_numpy(precision).astype(np.float64), to_numpy(recall).astype(np.float64)
    if precision.ndim != 1 or precision.shape != recall.shape:
        raise ValueError(f"precision and recall must be two lists of one length, but have shapes {precision.shape} "
                         f"and {recall.shape}")  # fmt: skip
    levels = re.fullmatch(r"(\d+)point", method)
    if method not in ("area", "step", "trapezoid") and not (levels and int(levels[1]) >= 2):
        raise ValueError(f'method must be "area", "step", "trapezoid", "5point", "11point", "101point" or another '
                         f"number of at least 2 points, but is {method!r}")  # fmt: skip
    if num_positives == 0 or np.isnan(recall).any():
        return float("nan")
    if recall.size == 0:
        return 0.0
    if (np.diff(recall) < 0).any() or recall[0] < 0 or recall[-1] > 1:
        raise ValueError("recall must rise from 0 to at most 1; sort the detections by falling score first")
    if levels:
        return float(precision_at_levels(precision, recall, int(levels[1]), num_positives).mean())
    steps = np.diff(recall, prepend=0.0)
    if method == "trapezoid":
        left = np.concatenate([[1.0], precision[:-1]])
        return float(np.sum(steps * (left + precision) / 2))
    return float(np.sum(steps * (precision_envelope(precision) if method == "area" else precision)))


def mean_average_precision(
    scores: Mapping[Hashable, Any],
    is_match: Mapping[Hashable, Any],
    num_positives: Mapping[Hashable, int],
    method: str = "area",
    ties: Ties = "order",
) -> MeanAveragePrecision:
    """Mean of the AP over the classes that have objects: a model cannot shine by being good at one class alone.

    Args:
        scores: For each class, the scores of its detections; a class may be missing if nothing was detected.
        is_match: For each class, whether each detection hit an object of its own.
        num_positives: For each class, its number of objects.
        method: As in ``average_precision``.
        ties: As in ``precision_recall_curve``.

    Returns:
        mean and per_class. A class without objects is NaN and left out of the mean.

    Raises:
        ValueError: If a class has scores but is not in ``num_positives``, or for what the two functions refuse.

    >>> mean_average_precision({"cat": [0.9], "dog": [0.8]}, {"cat": [1], "dog": [0]}, {"cat": 1, "dog": 1, "cow": 0})
    MeanAveragePrecision(mean=0.5, per_class={'cat': 1.0, 'dog': 0.0, 'cow': nan})
    """
    unknown = [name for name in (*scores, *is_match) if name not in num_positives]
    if unknown:
        raise ValueError(f"class {unknown[0]!r} has detections but is not in num_positives, which knows "
                         f"{', '.join(map(repr, num_positives))}; give it 0 if it has no objects")  # fmt: skip
    per_class = {}
    for name, positives in num_positives.items():
        curve = precision_recall_curve(scores.get(name, ()), is_match.get(name, ()), positives, ties)
        per_class[name] = average_precision(curve.precision, curve.recall, method) if positives else float("nan")
    known = [value for value in per_class.values() if not np.isnan(value)]
    return MeanAveragePrecision(float(np.mean(known)) if known else float("nan"), per_class)


def _checked_scores(scores: Any) -> np.ndarray:
    array = to_numpy(scores)
    if array.ndim != 1:
        raise ValueError(f"scores must be one list, but have shape {array.shape}")
    if array.size and array.dtype.kind not in "biuf":
        raise ValueError(f"scores must be numbers, but their dtype is {array.dtype}")
    array = array.astype(np.float64)
    wrong = np.flatnonzero(np.isnan(array))
    if wrong.size:
        raise ValueError(f"scores must be numbers, but {wrong.size} of them are NaN, the first at position {wrong[0]}")
    return array
