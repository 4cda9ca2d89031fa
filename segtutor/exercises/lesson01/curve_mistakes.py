"""Typical wrong answers to exercise 1.7, the precision-recall curve."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _curve(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    counts = is_match >= 0
    order = np.argsort(-scores[counts], kind="stable")
    hits = np.cumsum(is_match[counts][order])
    return hits / np.arange(1, len(hits) + 1), hits / num_positives


def _of_those_that_count(answer):  # type: ignore[no-untyped-def]
    """An answer that is wrong for other reasons than detections that count as nothing."""

    def wrong(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
        counts = is_match >= 0
        return answer(scores[counts], is_match[counts] > 0, num_positives)

    return wrong


def _minus(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    hits = np.cumsum(is_match[np.argsort(-scores, kind="stable")])
    return hits / np.arange(1, len(hits) + 1), hits / num_positives


def _all_points(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    """A detection that counts as nothing repeats the point before it."""
    matches = is_match[np.argsort(-scores, kind="stable")]
    hits, counts = np.cumsum(matches == 1), np.cumsum(matches >= 0)
    return hits / np.maximum(counts, 1), hits / num_positives


def _fewer_objects(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    return _curve(scores, is_match, num_positives - (is_match < 0).sum())


def _point_without_rank(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    """The ranks are given before the detections that count as nothing are taken out."""
    matches = is_match[np.argsort(-scores, kind="stable")]
    hits, kept = np.cumsum(matches == 1), matches >= 0
    return (hits / np.arange(1, len(matches) + 1))[kept], (hits / num_positives)[kept]


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
    precision, recall = _curve(scores, is_match, num_positives)
    last = np.append(np.diff(np.sort(-scores)) != 0, True)[: len(scores)]
    return precision[last], recall[last]


def _ties_alike(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    precision, recall = _curve(scores, is_match, num_positives)
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
        precision, recall = _curve(*inputs)
        return np.append(precision_there, precision), np.append(recall_there, recall)

    return wrong


def _points_of_hits(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
    precision, recall = _curve(scores, is_match, num_positives)
    hits = is_match[np.argsort(-scores, kind="stable")]
    return precision[hits], recall[hits]


def _hits_in(dtype):  # type: ignore[no-untyped-def]
    def wrong(scores, is_match, num_positives):  # type: ignore[no-untyped-def]
        hits = np.cumsum(is_match[np.argsort(-scores, kind="stable")], dtype=dtype)
        return hits / np.arange(1, len(scores) + 1), hits / num_positives

    return wrong


_ABOUT_OTHER_THINGS = (
    Mistake("rising scores", _in_order(lambda scores: np.argsort(scores, kind="stable")), "order"),
    Mistake("not sorted", _in_order(lambda scores: np.arange(len(scores))), "order"),
    Mistake("ties reversed", _in_order(lambda scores: np.argsort(scores, kind="stable")[::-1]), "ties"),
    Mistake("ties: hits first", _in_matched_order(lambda s, m: np.lexsort((~m, -s))), "ties"),
    Mistake("ties: misses first", _in_matched_order(lambda s, m: np.lexsort((m, -s))), "ties"),
    Mistake("reversed at the end", lambda *inputs: tuple(one[::-1] for one in _curve(*inputs)), "order"),
    Mistake("scores sorted alone", lambda s, m, n: _curve(np.sort(s)[::-1], m, n), "order"),
    Mistake("sorted by hits", _in_matched_order(lambda s, m: np.argsort(~m, kind="stable")), "order"),
    Mistake("one point per score", _ties_together, "one point each"),
    Mistake("equal scores with one value", _ties_alike, "one point each"),
    Mistake("before each detection", lambda *i: tuple(np.append(0, x)[: len(x)] for x in _curve(*i)), "early"),
    Mistake("a point at recall 0", _with_point(0), "start"),
    Mistake("a point at recall 0 with precision 0", _with_point(0, 0.0), "start"),
    Mistake("points of the hits only", _points_of_hits, "start"),
    Mistake("misses counted", lambda s, m, n: _curve(s, ~m, n), "hits"),
    Mistake("precision only", lambda *inputs: _curve(*inputs)[0], "two results"),
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
    Mistake("ranks from 0", _other_ratios(lambda _, hits, count, total: (hits / (count - 1), hits / total)), "ranks"),
    Mistake("ranks from 2", _other_ratios(lambda _, hits, count, total: (hits / (count + 1), hits / total)), "ranks"),
    Mistake(
        "not cumulative",
        _other_ratios(lambda matches, hits, count, total: (matches / count, matches / total)),
        "cumulative",
    ),
    Mistake("results swapped", lambda *inputs: _curve(*inputs)[::-1], "swapped"),
    Mistake(
        "envelope",
        _other_ratios(lambda _, hits, count, total: (np.maximum.accumulate((hits / count)[::-1])[::-1], hits / total)),
        "envelope",
    ),
)

MISTAKES = (
    *(Mistake(one.name, _of_those_that_count(one.answer), one.hint) for one in _ABOUT_OTHER_THINGS),
    Mistake("-1 is a miss", lambda s, m, n: _curve(s, m == 1, n), "nothing"),
    Mistake("-1 is a hit", lambda s, m, n: _curve(s, m != 0, n), "nothing"),
    Mistake("-1 takes a hit away", _minus, "nothing"),
    Mistake("-1 has a point", _all_points, "nothing"),
    Mistake("-1 has a rank", _point_without_rank, "nothing"),
    Mistake("-1 is an object less", _fewer_objects, "nothing"),
    Mistake("only hits are kept", lambda s, m, n: _curve(s[m > 0], m[m > 0], n), "start"),
)
