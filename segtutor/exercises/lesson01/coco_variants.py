"""AP as COCO reports it, in every variant that a wrong answer to exercise 1.10 needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from segtutor.exercises.lesson01.curve import pr_curve
from segtutor.exercises.lesson01.matching import match_detections

THRESHOLDS = np.linspace(0.5, 0.95, 10)
LEVELS = np.linspace(0, 1, 101)

Lists = Sequence[np.ndarray]


def ap_of_curve(precision: np.ndarray, recall: np.ndarray, levels: np.ndarray = LEVELS) -> float:
    """Mean height of the envelope at the levels of recall."""
    heights = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(heights[np.searchsorted(recall, levels)].mean())


def hits_of(overlap: np.ndarray, threshold: float, reuse: bool = False) -> np.ndarray:
    """Whether each detection hits an object: ``match_detections`` without the numbers, and fast."""
    taken: set[int] = set()
    hits = []
    for row in overlap.tolist():
        best, best_overlap = -1, threshold
        for number, value in enumerate(row):
            if value >= best_overlap and number not in taken:
                best, best_overlap = number, value
        hits.append(best >= 0)
        if not reuse:
            taken.add(best)
    return np.array(hits, dtype=bool)


def general(
    scores: Lists,
    overlaps: Lists,
    thresholds: Sequence[float] | np.ndarray = THRESHOLDS,
    ap: Callable[..., float] = ap_of_curve,
    combine: Callable[..., Any] = np.mean,
    hits: Callable[..., np.ndarray] = hits_of,
    sort_images: bool = True,
    sort_all: bool = True,
    count: Callable[..., int] | None = None,
) -> Any:
    """As it stands, the right AP; each argument makes one thing another."""
    objects = count(scores, overlaps) if count else sum(overlap.shape[1] for overlap in overlaps)
    if objects == 0:
        return np.nan
    orders = [np.argsort(-s, kind="stable") if sort_images else np.arange(len(s)) for s in scores]
    merged = np.concatenate([score[order] for score, order in zip(scores, orders, strict=True)])
    values = []
    for threshold in thresholds:
        found = [hits(overlap[order], threshold) for overlap, order in zip(overlaps, orders, strict=True)]
        curve = pr_curve(merged if sort_all else -np.arange(len(merged)), np.concatenate(found), objects)
        values.append(ap(*curve))
    return combine(values)


def per_image(scores: Lists, overlaps: Lists) -> Any:
    """Mean of the AP of single images."""
    return np.nanmean([general([score], [overlap]) for score, overlap in zip(scores, overlaps, strict=True)])


def free_across_thresholds(scores: Lists, overlaps: Lists) -> Any:
    """What one threshold took stays taken at the next."""
    left = [overlap.copy() for overlap in overlaps]
    orders = [np.argsort(-score, kind="stable") for score in scores]
    objects, values = sum(overlap.shape[1] for overlap in overlaps), []
    if not objects:
        return np.nan
    for threshold in THRESHOLDS:
        matches = []
        for overlap, order in zip(left, orders, strict=True):
            hit = match_detections(overlap[order], threshold)
            matches.append(hit >= 0)
            overlap[:, hit[hit >= 0]] = -1
        merged = np.concatenate([score[order] for score, order in zip(scores, orders, strict=True)])
        values.append(ap_of_curve(*pr_curve(merged, np.concatenate(matches), objects)))
    return np.mean(values)


def images_with_detections(scores: Lists, overlaps: Lists) -> Any:
    """Images without detections are left out, and their objects with them."""
    kept = [number for number, score in enumerate(scores) if len(score)]
    return general([scores[number] for number in kept], [overlaps[number] for number in kept]) if kept else np.nan


def images_with_objects(scores: Lists, overlaps: Lists) -> Any:
    """Images without objects are left out, and their false detections with them."""
    kept = [number for number, overlap in enumerate(overlaps) if overlap.shape[1]]
    return general([scores[number] for number in kept], [overlaps[number] for number in kept]) if kept else np.nan


def first_100(scores: Lists, overlaps: Lists) -> Any:
    """At most 100 detections in an image."""
    best = [np.argsort(-score, kind="stable")[:100] for score in scores]
    scores = [score[kept] for score, kept in zip(scores, best, strict=True)]
    return general(scores, [overlap[kept] for overlap, kept in zip(overlaps, best, strict=True)])


def detections(scores: Lists, overlaps: Lists) -> int:
    """Counts detections instead of objects."""
    return sum(map(len, scores))


def objects_hit(scores: Lists, overlaps: Lists) -> int:
    """Counts the objects that were hit."""
    return sum(int((hits_of(overlap, 0.5)).sum()) for overlap in overlaps)


def one_image(scores: Lists, overlaps: Lists) -> Any:
    """All detections and objects as of one image."""
    wide = max(overlap.shape[1] for overlap in overlaps)
    padded = [np.pad(overlap, ((0, 0), (0, wide - overlap.shape[1]))) for overlap in overlaps]
    objects = sum(overlap.shape[1] for overlap in overlaps)
    return general([np.concatenate(scores)], [np.concatenate(padded)], count=lambda s, o: objects)


def at_levels(levels: np.ndarray) -> Callable[..., float]:
    """AP at other levels."""
    return lambda precision, recall: ap_of_curve(precision, recall, levels)


def above_levels(precision: np.ndarray, recall: np.ndarray) -> float:
    """AP at levels that a recall has to exceed."""
    heights = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(heights[np.searchsorted(recall, LEVELS, side="right")].mean())


def nan_somewhere(scores: Lists, overlaps: Lists) -> Any:
    """NaN if a single image has no objects."""
    return general(scores, overlaps) if all(overlap.shape[1] for overlap in overlaps) else np.nan


def objects_within_reach(scores: Lists, overlaps: Lists) -> int:
    """Counts objects that some detection overlaps enough."""
    return sum(int((overlap >= 0.5).any(axis=0).sum()) for overlap in overlaps if len(overlap))
