"""Exercise 1.7: the precision-recall curve."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def pr_curve(scores, is_match, num_positives):
    """Precision and recall after each detection, by falling score; equal scores keep their order."""
    raise NotImplementedError("Write pr_curve() here, then run this cell again.")
'''


def pr_curve(scores: np.ndarray, is_match: np.ndarray, num_positives: int) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall after each detection, by falling score; equal scores keep their order."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(is_match[order])
    detections = np.arange(1, len(scores) + 1)
    return hits / detections, hits / num_positives


def _with_loops(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    precision, recall, hits = [], [], 0
    for count, number in enumerate(sorted(range(len(scores)), key=lambda number: -scores[number]), start=1):
        hits += bool(is_match[number])
        precision.append(hits / count)
        recall.append(hits / num_positives)
    return precision, recall


def _with_torch(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    import torch

    order = torch.sort(torch.from_numpy(scores), descending=True, stable=True).indices
    hits = torch.from_numpy(is_match)[order].cumsum(0)
    return hits / torch.arange(1, len(order) + 1), hits / num_positives


def _with_misses(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    order = np.lexsort((np.arange(len(scores)), -scores))
    true, false = np.cumsum(is_match[order]), np.cumsum(~is_match[order])
    return np.stack([true / (true + false), true / (true + (num_positives - true))])


def _in_order(make_order):  # type: ignore[no-untyped-def]
    def wrong(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
        hits = np.cumsum(is_match[make_order(scores)])
        return hits / np.arange(1, len(scores) + 1), hits / num_positives

    return wrong


def _other_ratios(ratios):  # type: ignore[no-untyped-def]
    def wrong(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
        matches = is_match[np.argsort(-scores, kind="stable")]
        return ratios(matches, np.cumsum(matches), np.arange(1, len(scores) + 1), num_positives)

    return wrong


def _ties_together(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    precision, recall = pr_curve(scores, is_match, num_positives)
    last = np.append(np.diff(np.sort(-scores)) != 0, True)[: len(scores)]
    return precision[last], recall[last]


_SCORES = np.array([0.9, 0.8, 0.7, 0.6])
_MATCHES = np.array([True, False, True, False])
_RANDOM = np.random.default_rng(7)

EXERCISE = Exercise(
    id="1.7",
    title="The precision-recall curve",
    name="pr_curve",
    statement="""
Lower the threshold step by step and precision and recall trace a curve. Write `pr_curve(scores, is_match,
num_positives)`: sort the detections by falling score, those with equal scores in the order in which they came, and
return two arrays, the precision and the recall after the first detection, after the second, and so on. There is at
least one object.
""",
    stub=STUB,
    reference=pr_curve,
    cases=(
        Case(
            "four detections, sorted",
            (_SCORES, _MATCHES, 3),
            (np.array([1, 1 / 2, 2 / 3, 2 / 4]), np.array([1, 1, 2, 2]) / 3),
        ),
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
        Case("one hit", (np.array([0.3]), np.array([True]), 4), (np.array([1.0]), np.array([0.25]))),
        Case("no detections", (np.zeros(0), np.zeros(0, dtype=bool), 3), (np.zeros(0), np.zeros(0))),
        Case("scores above 1 and below 0", (np.array([-2.0, 7.5, 0.0]), np.array([True, False, True]), 2)),
        Case("80 random detections", (_RANDOM.random(80), _RANDOM.random(80) < 0.5, 60)),
        Case(
            "60 detections, ten different scores",
            (_RANDOM.integers(0, 10, 60) / 10, _RANDOM.random(60) < 0.4, 40),
            hint="ties",
        ),
    ),
    hints={
        "general": Hint(
            "After sorting, the number of hits so far is a cumulative sum of is_match.",
            "precision = np.cumsum(is_match[order]) / np.arange(1, n + 1); recall = the same sum / num_positives.",
        ),
        "order": Hint(
            "The detections are not sorted by falling score.",
            'order = np.argsort(-scores, kind="stable"), then is_match[order].',
        ),
        "ties": Hint(
            "Equal scores come out in another order than they came in. Reversing an ascending sort reverses ties too.",
            'Sort the negative scores with a stable method: np.argsort(-scores, kind="stable").',
        ),
        "one point each": Hint(
            "You have one point per different score. Here every detection gives a point.",
            "Do not use np.unique: the result has as many entries as there are detections.",
        ),
        "missed": Hint(
            "Recall ends at 1 in your curve even though objects were missed.",
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
        "envelope": Hint(
            "You return the envelope (each precision raised to the best one still to come). Here the raw curve "
            "is wanted.",
            "Leave out np.maximum.accumulate; it comes in the next exercise.",
        ),
    },
    mistakes=(
        Mistake("rising scores", _in_order(lambda scores: np.argsort(scores, kind="stable")), "order"),
        Mistake("not sorted", _in_order(lambda scores: np.arange(len(scores))), "order"),
        Mistake("ties reversed", _in_order(lambda scores: np.argsort(scores, kind="stable")[::-1]), "ties"),
        Mistake("one point per score", _ties_together, "one point each"),
        Mistake(
            "recall over objects found",
            _other_ratios(lambda _, hits, count, total: (hits / count, hits / max(hits.max(initial=0), 1))),
            "missed",
        ),
        Mistake(
            "precision over all detections",
            _other_ratios(lambda _, hits, count, total: (hits / max(len(count), 1), hits / total)),
            "precision",
        ),
        Mistake(
            "precision over objects",
            _other_ratios(lambda _, hits, count, total: (hits / total, hits / total)),
            "precision",
        ),
        Mistake(
            "ranks from 0", _other_ratios(lambda _, hits, count, total: (hits / (count - 1), hits / total)), "ranks"
        ),
        Mistake(
            "ranks from 2", _other_ratios(lambda _, hits, count, total: (hits / (count + 1), hits / total)), "ranks"
        ),
        Mistake(
            "not cumulative",
            _other_ratios(lambda matches, hits, count, total: (matches / count, matches / total)),
            "cumulative",
        ),
        Mistake("results swapped", lambda *inputs: pr_curve(*inputs)[::-1], "swapped"),
        Mistake(
            "envelope",
            _other_ratios(
                lambda _, hits, count, total: (np.maximum.accumulate((hits / count)[::-1])[::-1], hits / total)
            ),
            "envelope",
        ),
    ),
    alternatives=(_with_loops, _with_torch, _with_misses),
    points=4,
    minutes=15,
    difficulty=2,
)
