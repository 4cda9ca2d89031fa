"""Exercise 1.6: precision and recall at one score threshold."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def precision_recall(scores, is_match, num_positives, threshold):
    """Precision and recall of the detections whose score is at least the threshold; 0/0 is NaN."""
    raise NotImplementedError("Write precision_recall() here, then run this cell again.")
'''


def precision_recall(
    scores: np.ndarray, is_match: np.ndarray, num_positives: int, threshold: float
) -> tuple[float, float]:
    """Precision and recall of the detections whose score is at least the threshold; 0/0 is NaN."""
    kept = scores >= threshold
    hits, detections = is_match[kept].sum(), kept.sum()
    precision = hits / detections if detections > 0 else np.nan
    recall = hits / num_positives if num_positives > 0 else np.nan
    return precision, recall


def _with_loops(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    true_positives = false_positives = 0
    for score, match in zip(scores, is_match, strict=True):
        if score < threshold:
            continue
        if match:
            true_positives += 1
        else:
            false_positives += 1
    missed = num_positives - true_positives
    found = true_positives + false_positives
    precision = true_positives / found if found else float("nan")
    recall = true_positives / (true_positives + missed) if num_positives else float("nan")
    return precision, recall


def _with_torch(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    import torch

    kept = torch.from_numpy(scores) >= threshold
    hits = (kept & torch.from_numpy(is_match)).sum()
    return hits / kept.sum(), hits / torch.tensor(num_positives)


def _with_products(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    kept = (scores >= threshold).astype(float)
    hits = kept @ is_match
    return np.array([np.divide(hits, kept.sum()), np.divide(hits, num_positives)])


def _counts(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    kept = scores >= threshold
    return is_match[kept].sum(), kept.sum()


def _ratio(numerator, denominator, empty=np.nan):  # type: ignore[no-untyped-def]
    return numerator / denominator if denominator else empty


def _strict(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    kept = scores > threshold
    return _ratio(is_match[kept].sum(), kept.sum()), _ratio(is_match[kept].sum(), num_positives)


def _below(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    return precision_recall(-scores, is_match, num_positives, -threshold)


def _recall_of_hits(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    hits, kept = _counts(scores, is_match, num_positives, threshold)
    return _ratio(hits, kept), _ratio(hits, is_match.sum())


def _precision_of_all(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    hits, _ = _counts(scores, is_match, num_positives, threshold)
    return _ratio(hits, len(scores)), _ratio(hits, num_positives)


def _hits_to_misses(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    hits, kept = _counts(scores, is_match, num_positives, threshold)
    return _ratio(hits, kept - hits), _ratio(hits, num_positives)


def _no_threshold(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    return precision_recall(scores, is_match, num_positives, -np.inf)


def _undefined_as(value):  # type: ignore[no-untyped-def]
    def wrong(*inputs):  # type: ignore[no-untyped-def]
        return tuple(np.nan_to_num(precision_recall(*inputs), nan=value))

    return wrong


def _python_division(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    hits, kept = _counts(scores, is_match, num_positives, threshold)
    return int(hits) / int(kept), int(hits) / num_positives


def _recall_of_detections(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
    hits, kept = _counts(scores, is_match, num_positives, threshold)
    return _ratio(hits, kept), _ratio(kept, num_positives)


_SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
_MATCHES = np.array([True, False, True, True, False, True])
_RANDOM = np.random.default_rng(0)

EXERCISE = Exercise(
    id="1.6",
    title="Precision and recall at a threshold",
    name="precision_recall",
    statement=r"""
A detector found some objects. `scores` says how sure it is of each detection, `is_match` whether the detection hit
an object (each object is hit at most once), and `num_positives` how many objects there are, found or not. Write
`precision_recall(scores, is_match, num_positives, threshold)`: keep the detections with `score >= threshold` and
return

$$\mathrm{precision} = \frac{TP}{TP + FP}, \qquad \mathrm{recall} = \frac{TP}{TP + FN}.$$

Where a ratio is 0/0 (nothing kept, or no objects), return `np.nan` for it.
""",
    stub=STUB,
    reference=precision_recall,
    cases=(
        Case("threshold between two scores", (_SCORES, _MATCHES, 5, 0.65), (2 / 3, 2 / 5)),
        Case("threshold equal to a score", (_SCORES, _MATCHES, 5, 0.6), (3 / 4, 3 / 5), "strict"),
        Case("a low threshold keeps all", (_SCORES, _MATCHES, 8, 0.1), (4 / 6, 4 / 8)),
        Case("a high threshold keeps none", (_SCORES, _MATCHES, 5, 0.95), (np.nan, 0.0), "undefined"),
        Case("no objects", (_SCORES[:2], np.array([False, False]), 0, 0.5), (0.0, np.nan), "undefined"),
        Case(
            "not sorted by score", (_SCORES[[3, 0, 5, 2, 1, 4]], _MATCHES[[3, 0, 5, 2, 1, 4]], 4, 0.7), (2 / 3, 2 / 4)
        ),
        Case("200 random detections", (_RANDOM.random(200), _RANDOM.random(200) < 0.6, 150, 0.35)),
    ),
    hints={
        "general": Hint(
            "TP: kept detections that hit. FP: kept ones that did not. FN: objects that no kept detection hit.",
            "kept = scores >= threshold; TP = is_match[kept].sum(); TP + FP = kept.sum(); TP + FN = num_positives.",
        ),
        "strict": Hint(
            "A score that equals the threshold is kept.",
            "scores >= threshold, not >.",
        ),
        "direction": Hint(
            "You keep the detections that the detector is least sure of.",
            "Keep scores at or above the threshold.",
        ),
        "missed": Hint(
            "Objects that nothing hit are missing from the recall: TP + FN is the number of all objects.",
            "recall = TP / num_positives.",
        ),
        "all detections": Hint(
            "Precision counts only what was kept. Detections below the threshold were never reported.",
            "precision = is_match[kept].sum() / kept.sum().",
        ),
        "odds": Hint(
            "You divide hits by misses, TP / FP. Precision is a share: TP / (TP + FP).",
            "precision = TP / kept.sum().",
        ),
        "swapped": Hint("The two results are swapped.", "return precision, recall."),
        "threshold": Hint("The threshold changes nothing yet.", "kept = scores >= threshold, and use only those."),
        "undefined": Hint(
            "Think of nothing kept, and of no objects at all: 0/0 is NaN here, not 0, not 1, not an error.",
            "precision = TP / kept.sum() if kept.any() else np.nan; the same with num_positives for the recall.",
        ),
        "false hits": Hint(
            "Your recall counts detections that hit nothing.",
            "Only matches count above: is_match[kept].sum() / num_positives.",
        ),
    },
    mistakes=(
        Mistake("> for >=", _strict, "strict"),
        Mistake("below the threshold", _below, "direction"),
        Mistake("recall over objects found", _recall_of_hits, "missed"),
        Mistake("precision over all detections", _precision_of_all, "all detections"),
        Mistake("hits over misses", _hits_to_misses, "odds"),
        Mistake("results swapped", lambda *inputs: precision_recall(*inputs)[::-1], "swapped"),
        Mistake("threshold not used", _no_threshold, "threshold"),
        Mistake("0/0 as 0", _undefined_as(0.0), "undefined"),
        Mistake("0/0 as 1", _undefined_as(1.0), "undefined"),
        Mistake("0/0 raises", _python_division, "undefined"),
        Mistake("recall counts false positives", _recall_of_detections, "false hits"),
    ),
    alternatives=(_with_loops, _with_torch, _with_products),
    points=3,
    minutes=10,
    difficulty=1,
)
