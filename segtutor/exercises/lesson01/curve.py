"""Exercise 1.7: the precision-recall curve."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson01.curve_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def pr_curve(scores, is_match, num_positives):
    """Precision and recall after each detection that counts, by falling score; equal scores keep their order."""
    raise NotImplementedError("Write pr_curve() here, then run this cell again.")
'''


def pr_curve(scores: np.ndarray, is_match: np.ndarray, num_positives: int) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall after each detection that counts, by falling score; equal scores keep their order."""
    counts = is_match >= 0
    scores, is_match = scores[counts], is_match[counts]
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(is_match[order])
    detections = np.arange(1, len(scores) + 1)
    return hits / detections, hits / num_positives


def _with_loops(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    precision, recall, hits, count = [], [], 0, 0
    for number in sorted(range(len(scores)), key=lambda number: -scores[number]):
        if is_match[number] == -1:
            continue
        count += 1
        hits += bool(is_match[number])
        precision.append(hits / count)
        recall.append(hits / num_positives)
    return precision, recall


def _with_torch(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    import torch

    order = torch.sort(torch.from_numpy(scores), descending=True, stable=True).indices
    matches = torch.from_numpy(is_match)[order]
    hits = matches[matches >= 0].cumsum(0)
    return hits / torch.arange(1, len(hits) + 1), hits / num_positives


def _with_misses(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    order = np.lexsort((np.arange(len(scores)), -scores))
    true, false = np.cumsum(is_match[order] == 1), np.cumsum(is_match[order] == 0)
    kept = is_match[order] != -1
    return np.stack([true / np.maximum(true + false, 1), true / (true + (num_positives - true))])[:, kept]


_SCORES = np.array([0.9, 0.8, 0.7, 0.6])
_MATCHES = np.array([True, False, True, False])
_RANDOM = seeded(7)

EXERCISE = Exercise(
    id="1.7",
    title="The precision-recall curve",
    name="pr_curve",
    statement="""
Lower the threshold step by step and precision and recall trace a curve. Benchmarks know a third kind of detection
beside hits and misses: one that found an object which is left out of the score, because VOC marks it as *difficult* or
COCO as a crowd. It is neither praised nor blamed: the curve is the same as if it had never been made.

Write `pr_curve(scores, is_match, num_positives)`. `is_match` holds 1 for a hit, 0 for a miss and -1 for a detection
that counts as nothing, or, where there are none of those, booleans. Sort the detections by falling score, those with
equal scores in the order in which they came, and return two arrays, the precision and the recall after the first
detection that counts, after the second, and so on. `num_positives` is the number of objects that count, at least one.
""",
    stub=STUB,
    reference=pr_curve,
    cases=(
        Case(
            "four detections, sorted",
            (_SCORES, _MATCHES, 3),
            (np.array([1, 1 / 2, 2 / 3, 2 / 4]), np.array([1, 1, 2, 2]) / 3),
        ),
        Case("one hit", (np.array([0.3]), np.array([True]), 4), (np.array([1.0]), np.array([0.25]))),
        Case("scores above 1 and below 0", (np.array([-2.0, 7.5, 0.0]), np.array([True, False, True]), 2)),
        Case("80 random detections", (_RANDOM.random(80), _RANDOM.random(80) < 0.5, 60)),
        Case(
            "the same, not sorted",
            (_SCORES[[2, 0, 3, 1]], _MATCHES[[2, 0, 3, 1]], 3),
            (np.array([1, 1 / 2, 2 / 3, 2 / 4]), np.array([1, 1, 2, 2]) / 3),
            "order",
        ),
        Case(
            "equal scores keep their order",
            (np.array([0.5, 0.5, 0.8, 0.5]), np.array([True, False, False, False]), 2),
            (np.array([0, 1 / 2, 1 / 3, 1 / 4]), np.array([0, 1, 1, 1]) / 2),
            "ties",
        ),
        Case("no detections", (np.zeros(0), np.zeros(0, dtype=bool), 3), (np.zeros(0), np.zeros(0)), "empty"),
        Case(
            "60 detections, ten different scores",
            (_RANDOM.integers(0, 10, 60) / 10, _RANDOM.random(60) < 0.4, 40),
            hint="ties",
        ),
        Case(
            "the second of three counts as nothing",
            (np.array([0.9, 0.8, 0.7]), np.array([1, -1, 0]), 2),
            (np.array([1, 1 / 2]), np.array([1 / 2, 1 / 2])),
            "nothing",
        ),
        Case(
            "the best one counts as nothing",
            (np.array([0.2, 0.9, 0.4]), np.array([1, -1, 1]), 3),
            (np.array([1.0, 1]), np.array([1 / 3, 2 / 3])),
            "nothing",
        ),
        Case(
            "none counts",
            (np.array([0.2, 0.9]), np.array([-1, -1]), 3),
            (np.zeros(0), np.zeros(0)),
            "nothing",
        ),
        Case(
            "70 detections of three kinds, with ties",
            (_RANDOM.integers(0, 30, 70) / 30, _RANDOM.integers(-1, 2, 70), 40),
            hint="nothing",
        ),
        Case("300 detections", (np.linspace(1, 0, 300), np.arange(300) % 100 > 0, 400), hint="large"),
    ),
    hints={
        "general": Hint(
            "After sorting, the number of hits so far is a cumulative sum, once the detections that count as nothing "
            "are gone.",
            "Take those out of both arrays first. Then the place in the sorted list is the number of detections so "
            "far. Sort by the negative scores and ask for a stable sort, which leaves equal ones in their order. One "
            "sum serves both results, with two different divisors.",
        ),
        "nothing": Hint(
            "Look at the detections marked -1: they are neither hits nor misses, take no rank, and get no point of "
            "their own. The number of objects does not change either.",
            "Keep the scores and the entries of is_match where is_match is at least 0, and only then sort and count.",
        ),
        "order": Hint(
            "Look at the order: the detections do not come sorted, and the curve begins with the largest score.",
            'order = np.argsort(-scores, kind="stable"), then is_match[order].',
        ),
        "ties": Hint(
            "Look at equal scores: they keep the order in which they came, hits or not, one point each. Reversing a "
            "rising sort reverses them, too.",
            'Sort the negative scores with a stable method: np.argsort(-scores, kind="stable").',
        ),
        "one point each": Hint(
            "You treat equal scores together. Here every detection gives a point of its own, one after the other.",
            "Do not use np.unique: the result has as many entries as there are detections.",
        ),
        "missed": Hint(
            "The recall is divided by another number: below stand all objects, found or not.",
            "Divide by num_positives, not by the number of hits.",
        ),
        "precision": Hint(
            "Precision after k detections is hits so far divided by k, not by the number of all detections or objects.",
            "np.cumsum(matches) / np.arange(1, n + 1).",
        ),
        "ranks": Hint(
            "The count of detections is off by one: after the first detection it is 1.", "np.arange(1, n + 1)."
        ),
        "cumulative": Hint(
            "These are the single detections. The curve needs the hits up to each of them.",
            "np.cumsum(is_match[order]).",
        ),
        "swapped": Hint("The two results are swapped.", "return precision, recall."),
        "empty": Hint(
            "Look at no detections: the result is two empty arrays, without an error.",
            "np.cumsum and np.arange of nothing are empty by themselves.",
        ),
        "large": Hint(
            "Look at many detections: the sum of hits exceeds 127 and 255, more than 8 bits hold.",
            "np.cumsum of booleans counts in 64 bits; leave its dtype alone.",
        ),
        "start": Hint(
            "The curve has another number of points than there are detections: one for each, and no more.",
            "No point is added at recall 0 or 1, and none is left out.",
        ),
        "hits": Hint(
            "Misses are counted where hits should be.",
            "np.cumsum(is_match[order]), not of ~is_match.",
        ),
        "early": Hint(
            "The points come one detection too early: the first is the one *after* the first detection.",
            "np.cumsum(matches) includes the present detection.",
        ),
        "two results": Hint("Two arrays are wanted.", "return precision, recall."),
        "envelope": Hint(
            "You return the envelope (each precision raised to the best one still to come). Here the raw curve "
            "is wanted.",
            "Leave out np.maximum.accumulate; it comes in the next exercise.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _with_torch, _with_misses),
    points=4,
    minutes=15,
    difficulty=2,
)
