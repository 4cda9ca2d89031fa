"""Exercise 1.6: precision and recall at one score threshold."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded

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


def _but(change):  # type: ignore[no-untyped-def]
    return lambda *inputs: change(*precision_recall(*inputs))


def _both_if(test):  # type: ignore[no-untyped-def]
    def wrong(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
        if test(scores, num_positives, threshold):
            return np.nan, np.nan
        return precision_recall(scores, is_match, num_positives, threshold)

    return wrong


def _hits_of_all(in_precision, in_recall):  # type: ignore[no-untyped-def]
    def wrong(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
        hits, kept = _counts(scores, is_match, num_positives, threshold)
        above = is_match.sum() if in_precision else hits
        return _ratio(above, kept), _ratio(is_match.sum() if in_recall else hits, num_positives)

    return wrong


def _other_total(total):  # type: ignore[no-untyped-def]
    def wrong(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
        hits, kept = _counts(scores, is_match, num_positives, threshold)
        return _ratio(hits, kept), _ratio(hits, total(is_match, scores >= threshold, num_positives))

    return wrong


def _counted_in(dtype):  # type: ignore[no-untyped-def]
    def wrong(scores, is_match, num_positives, threshold):  # type: ignore[no-untyped-def]
        kept = scores >= threshold
        hits = is_match[kept].sum(dtype=dtype)
        return _ratio(hits, kept.sum(dtype=dtype)), _ratio(hits, num_positives)

    return wrong


_SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
_MATCHES = np.array([True, False, True, True, False, True])
_RANDOM = seeded(0)

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
        Case("a low threshold keeps all", (_SCORES, _MATCHES, 8, 0.1), (4 / 6, 4 / 8)),
        Case(
            "not sorted by score", (_SCORES[[3, 0, 5, 2, 1, 4]], _MATCHES[[3, 0, 5, 2, 1, 4]], 4, 0.7), (2 / 3, 2 / 4)
        ),
        Case("200 random detections", (_RANDOM.random(200), _RANDOM.random(200) < 0.6, 150, 0.35)),
        Case("one detection of one object", (np.array([0.9]), np.array([True]), 1, 0.5), (1.0, 1.0)),
        Case("threshold equal to a score", (_SCORES, _MATCHES, 5, 0.6), (3 / 4, 3 / 5), "strict"),
        Case(
            "threshold 0",
            (np.array([0.6, -0.5, 0.0, 0.2]), np.array([True, True, False, True]), 4, 0.0),
            (2 / 3, 2 / 4),
            "zero",
        ),
        Case("a high threshold keeps none", (_SCORES, _MATCHES, 5, 0.95), (np.nan, 0.0), "undefined"),
        Case("no objects", (_SCORES[:2], np.array([False, False]), 0, 0.5), (0.0, np.nan), "undefined"),
        Case("no detections", (np.zeros(0), np.zeros(0, dtype=bool), 3, 0.5), (np.nan, 0.0), "undefined"),
        Case("neither", (np.zeros(0), np.zeros(0, dtype=bool), 0, 0.5), (np.nan, np.nan), "undefined"),
        Case("40,000 detections", (_RANDOM.random(40_000), _RANDOM.random(40_000) < 0.95, 45_000, 0.01), hint="large"),
    ),
    hints={
        "general": Hint(
            "TP: kept detections that hit. FP: kept ones that did not. FN: objects that no kept detection hit.",
            "Everything follows from the detections that are kept: how many they are, and how many of them hit. One "
            "of the two divisors does not depend on the threshold at all.",
        ),
        "strict": Hint(
            "Look at a score that equals the threshold: it is kept.",
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
        "threshold": Hint(
            "Another threshold changes nothing: the argument is not used yet.",
            "kept = scores >= threshold, and use only those.",
        ),
        "undefined": Hint(
            "Look at nothing kept, and at no objects: a ratio that is 0/0 is NaN, not 0, not 1, not an error; the "
            "other one keeps its value.",
            "precision = TP / kept.sum() if kept.any() else np.nan; the same with num_positives for the recall.",
        ),
        "zero": Hint(
            "Look at a threshold of 0: it is a threshold like any other. Scores of 0 are kept, negative ones are not.",
            "scores >= threshold, without asking whether the threshold is true.",
        ),
        "large": Hint(
            "Look at many detections: hits and detections exceed 255 and 32,767, more than 8 or 16 bits hold.",
            "Count with .sum() of booleans, which is 64 bits wide.",
        ),
        "both": Hint(
            "Only one of the two ratios is 0/0 here. Nothing kept: recall is 0. No objects: precision has its value.",
            "Test each denominator by itself.",
        ),
        "kept": Hint(
            "The hits are counted among all detections. Those below the threshold were never reported.",
            "is_match[scores >= threshold].sum().",
        ),
        "complement": Hint(
            "This is the share of the others: 1 - precision, or 1 - recall.",
            "Hits stand above: TP / (TP + FP) and TP / (TP + FN).",
        ),
        "scale": Hint("The ratios lie between 0 and 1, with all decimals.", "No //, no factor 100, no rounding."),
        "two results": Hint("Two results are wanted.", "return precision, recall."),
        "false hits": Hint(
            "Your recall counts detections that hit nothing.",
            "Only matches count above: is_match[kept].sum() / num_positives.",
        ),
    },
    mistakes=(
        Mistake("> for >=", _strict, "strict"),
        Mistake("below the threshold", _below, "direction"),
        Mistake("threshold 0 is none", lambda s, m, n, t: precision_recall(s, m, n, t or 0.5), "zero"),
        Mistake("threshold 0 keeps all", lambda s, m, n, t: precision_recall(s, m, n, t or -np.inf), "zero"),
        Mistake("both NaN if nothing is kept", _both_if(lambda s, n, t: not (s >= t).any()), "both"),
        Mistake("both NaN without objects", _both_if(lambda s, n, t: n == 0), "both"),
        Mistake("both NaN if either is", _both_if(lambda s, n, t: n == 0 or not (s >= t).any()), "both"),
        Mistake("hits of all detections", _hits_of_all(True, True), "kept"),
        Mistake("recall of all detections", _hits_of_all(False, True), "kept"),
        Mistake("one minus precision", _but(lambda p, r: (1 - p, r)), "complement"),
        Mistake("one minus recall", _but(lambda p, r: (p, 1 - r)), "complement"),
        Mistake("percent", _but(lambda p, r: (100 * p, 100 * r)), "scale"),
        Mistake("whole numbers", _but(lambda p, r: (p // 1, r // 1)), "scale"),
        Mistake("two decimals", _but(lambda p, r: (np.round(p, 2), np.round(r, 2))), "scale"),
        Mistake("precision only", _but(lambda p, r: p), "two results"),
        Mistake("a third result", _but(lambda p, r: (p, r, 2 * p * r / (p + r) if p + r else 0.0)), "two results"),
        Mistake("recall over detections", _other_total(lambda m, kept, n: len(m)), "missed"),
        Mistake("recall over detections kept", _other_total(lambda m, kept, n: kept.sum()), "missed"),
        Mistake("recall over objects and misses", _other_total(lambda m, kept, n: n + m[~kept].sum()), "missed"),
        Mistake("recall over hits and misses kept", _other_total(lambda m, kept, n: m.sum() + n), "missed"),
        Mistake("counts in 8 bits", _counted_in(np.uint8), "large"),
        Mistake("counts in 16 bits", _counted_in(np.int16), "large"),
        Mistake("undefined recall as 0", _but(lambda p, r: (p, np.nan_to_num(r))), "undefined"),
        Mistake("undefined precision as 0", _but(lambda p, r: (np.nan_to_num(p), r)), "undefined"),
        Mistake("undefined precision as 1", _but(lambda p, r: (np.nan_to_num(p, nan=1.0), r)), "undefined"),
        Mistake("recall over objects found", _recall_of_hits, "missed"),
        Mistake("precision over all detections", _precision_of_all, "all detections"),
        Mistake("hits over misses", _hits_to_misses, "odds"),
        Mistake("results swapped", lambda *inputs: precision_recall(*inputs)[::-1], "swapped"),
        Mistake("threshold not used", _no_threshold, "threshold"),
        Mistake("always 0.5", lambda s, m, n, t: precision_recall(s, m, n, 0.5), "threshold"),
        Mistake("0/0 as 0", _undefined_as(0.0), "undefined"),
        Mistake("0/0 as 1", _undefined_as(1.0), "undefined"),
        Mistake("0/0 raises", _python_division, "undefined"),
        Mistake("recall counts false positives", _recall_of_detections, "false hits"),
    ),
    alternatives=(_with_loops, _with_torch, _with_products),
    points=3,
    minutes=15,
    difficulty=1,
)
