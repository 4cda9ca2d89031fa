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


def _late_ranks(_, hits, count, total):  # type: ignore[no-untyped-def]
    return hits / np.maximum(count - 1, 1), hits / total


def _ties_together(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    precision, recall = pr_curve(scores, is_match, num_positives)
    last = np.append(np.diff(np.sort(-scores)) != 0, True)[: len(scores)]
    return precision[last], recall[last]


def _ties_alike(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    precision, recall = pr_curve(scores, is_match, num_positives)
    falling = np.sort(-scores)
    last = np.searchsorted(falling, falling, side="right") - 1
    return precision[last], recall[last]


def _in_matched_order(make_order):  # type: ignore[no-untyped-def]
    def wrong(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
        hits = np.cumsum(is_match[make_order(scores, is_match)])
        return hits / np.arange(1, len(scores) + 1), hits / num_positives

    return wrong


def _with_point(recall_there, precision_there=1.0):  # type: ignore[no-untyped-def]
    def wrong(*inputs):  # type: ignore[no-untyped-def]
        precision, recall = pr_curve(*inputs)
        return np.append(precision_there, precision), np.append(recall_there, recall)

    return wrong


def _points_of_hits(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    precision, recall = pr_curve(scores, is_match, num_positives)
    hits = is_match[np.argsort(-scores, kind="stable")]
    return precision[hits], recall[hits]


def _hits_in(dtype):  # type: ignore[no-untyped-def]
    def wrong(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
        hits = np.cumsum(is_match[np.argsort(-scores, kind="stable")], dtype=dtype)
        return hits / np.arange(1, len(scores) + 1), hits / num_positives

    return wrong


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
        Case("300 detections", (np.linspace(1, 0, 300), np.arange(300) % 100 > 0, 400), hint="large"),
    ),
    hints={
        "general": Hint(
            "After sorting, the number of hits so far is a cumulative sum of is_match.",
            "The place in the sorted list is the number of detections so far. Sort by the negative scores and ask for "
            "a stable sort, which leaves equal ones in their order. One sum serves both arrays, with two different "
            "divisors.",
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
    mistakes=(
        Mistake("rising scores", _in_order(lambda scores: np.argsort(scores, kind="stable")), "order"),
        Mistake("not sorted", _in_order(lambda scores: np.arange(len(scores))), "order"),
        Mistake("ties reversed", _in_order(lambda scores: np.argsort(scores, kind="stable")[::-1]), "ties"),
        Mistake("ties: hits first", _in_matched_order(lambda s, m: np.lexsort((~m, -s))), "ties"),
        Mistake("ties: misses first", _in_matched_order(lambda s, m: np.lexsort((m, -s))), "ties"),
        Mistake("reversed at the end", lambda *inputs: tuple(one[::-1] for one in pr_curve(*inputs)), "order"),
        Mistake("scores sorted alone", lambda s, m, n: pr_curve(np.sort(s)[::-1], m, n), "order"),
        Mistake("sorted by hits", _in_matched_order(lambda s, m: np.argsort(~m, kind="stable")), "order"),
        Mistake("one point per score", _ties_together, "one point each"),
        Mistake("equal scores with one value", _ties_alike, "one point each"),
        Mistake("before each detection", lambda *i: tuple(np.append(0, x)[: len(x)] for x in pr_curve(*i)), "early"),
        Mistake("a point at recall 0", _with_point(0), "start"),
        Mistake("a point at recall 0 with precision 0", _with_point(0, 0.0), "start"),
        Mistake("points of the hits only", _points_of_hits, "start"),
        Mistake("misses counted", lambda s, m, n: pr_curve(s, ~m, n), "hits"),
        Mistake("precision only", lambda *inputs: pr_curve(*inputs)[0], "two results"),
        Mistake(
            "recall over detections",
            _other_ratios(lambda _, hits, count, total: (hits / count, hits / max(len(count), 1))),
            "missed",
        ),
        Mistake(
            "recall over detections so far",
            _other_ratios(lambda _, hits, count, total: (hits / count, hits / count)),
            "missed",
        ),
        Mistake("hits in 8 bits", _hits_in(np.uint8), "large"),
        Mistake("hits in signed 8 bits", _hits_in(np.int8), "large"),
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
        Mistake("ranks from 0, but not 0", _other_ratios(_late_ranks), "ranks"),
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
