"""Answers to parts B to D of lesson 1 (detections), written from their statements alone."""

from fractions import Fraction

import numpy as np
import torch

from tests.exercises.blind import Wrong, all_wrapped

N, NAN = np.array, float("nan")


# 1.6 precision_recall(scores, is_match, num_positives, threshold)
def ratio(a, b):
    return a / b if b else NAN


def rates(scores, is_match, n, threshold):
    kept = np.asarray(scores) >= threshold
    tp = int(np.asarray(is_match).astype(bool)[kept].sum())
    return ratio(tp, int(kept.sum())), ratio(tp, n)


def rates_loops(scores, is_match, n, threshold):
    tp = fp = 0
    for score, hit in zip(scores, is_match, strict=True):
        if score >= threshold and hit:
            tp += 1
        elif score >= threshold:
            fp += 1
    return [Fraction(tp, tp + fp) if tp + fp else NAN, Fraction(tp, int(n)) if n else NAN]


def rates_torch(scores, is_match, n, threshold):
    kept = torch.as_tensor(scores, dtype=torch.float64) >= threshold
    tp = (torch.as_tensor(is_match).bool() & kept).sum()
    return tp / kept.sum(), tp / torch.tensor(n)


def strictly(scores, is_match, n, threshold):
    return rates(np.asarray(scores) - 1e-12, is_match, n, threshold)


def both_nan(scores, is_match, n, threshold):
    return rates(scores, is_match, n, threshold) if (np.asarray(scores) >= threshold).any() else (NAN, NAN)


def nan_without_objects(scores, is_match, n, threshold):
    return rates(scores, is_match, n, threshold) if n else (NAN, NAN)


def found_ones_only(scores, is_match, n, threshold):
    return rates(scores, is_match, int(np.sum(is_match)), threshold)


def all_hits(scores, is_match, n, threshold):
    return rates(scores, is_match, n, threshold)[0], ratio(np.sum(is_match), n)


def falsy_threshold(scores, is_match, n, threshold):
    return rates(scores, is_match, n, threshold or 0.5)


S, H = N([0.9, 0.8, 0.5, 0.3]), N([True, False, True, True])
W16 = [
    Wrong("above the threshold", strictly, (S, H, 5, 0.5), "threshold"),
    Wrong("scores below", lambda s, m, n, t: rates(-s, m, n, -t), (S, H, 5, 0.8), "threshold"),
    Wrong("0 for 0/0", lambda *a: tuple(np.nan_to_num(rates(*a))), (S, H, 5, 0.95), "0/0"),
    Wrong("precision 1", lambda *a: tuple(np.nan_to_num(rates(*a), nan=1.0)), (S, H, 5, 0.95), "0/0"),
    Wrong("both NaN", both_nan, (S, H, 5, 0.95), "recall of nothing"),
    Wrong("both NaN without objects", nan_without_objects, (S, H & False, 0, 0.5), "no objects"),
    Wrong("recall of the found", found_ones_only, (S, H, 5, 0.5), "positives"),
    Wrong("recall over detections", lambda s, m, n, t: rates(s, m, len(s), t), (S, H, 5, 0.5), "positives"),
    Wrong("hits of all", all_hits, (S, H, 5, 0.5), "kept"),
    Wrong(
        "hits of all in both",
        lambda s, m, n, t: (ratio(m.sum(), (s >= t).sum()), ratio(m.sum(), n)),
        (S, H, 5, 0.5),
        "kept",
    ),
    Wrong(
        "over all detections",
        lambda s, m, n, t: (ratio(m[s >= t].sum(), len(s)), ratio(m[s >= t].sum(), n)),
        (S, H, 5, 0.5),
        "precision",
    ),
    Wrong("exchanged", lambda *a: rates(*a)[::-1], (S, H, 5, 0.5), "order"),
    Wrong("threshold 0 means none", falsy_threshold, (S, H, 5, 0), "threshold 0"),
    Wrong("false alarm rate", lambda *a: (1 - rates(*a)[0], rates(*a)[1]), (S, H, 5, 0.5), "precision"),
    Wrong("specificity for recall", lambda *a: (rates(*a)[0], 1 - rates(*a)[1]), (S, H, 5, 0.5), "recall"),
    Wrong("ints", lambda *a: tuple(x if x != x else int(x) for x in rates(*a)), (S, H, 5, 0.5), "ratio"),
    Wrong(
        "raises",
        lambda s, m, n, t: (int(m[s >= t].sum()) / int((s >= t).sum()), m[s >= t].sum() / n),
        (S, H, 5, 0.95),
        "0/0",
    ),
    Wrong("always 0.5", lambda s, m, n, t: rates(s, m, n, 0.5), (S, H, 5, 0.8), "threshold"),
    Wrong("F1 too", lambda *a: (*rates(*a), 0.0), (S, H, 5, 0.5), "two results"),
    Wrong(
        "missed plus kept",
        lambda s, m, n, t: (rates(s, m, n, t)[0], ratio(m[s >= t].sum(), n + (m[s < t]).sum())),
        (S, H, 5, 0.5),
        "positives",
    ),
]
R16 = [("loops and fractions", rates_loops), ("torch", rates_torch), ("array", lambda *a: N(rates(*a), np.float32))]


# 1.7 pr_curve(scores, is_match, num_positives)
def curve(scores, is_match, n, order=None):
    order = np.argsort(-np.asarray(scores), kind="stable") if order is None else order
    hits = np.cumsum(np.asarray(is_match).astype(int)[order])
    return hits / np.arange(1, len(hits) + 1), hits / n


def curve_loops(scores, is_match, n):
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    precision, recall, tp = [], [], 0
    for count, i in enumerate(order, start=1):
        tp += int(is_match[i])
        precision.append(Fraction(tp, count))
        recall.append(Fraction(tp, int(n)))
    return precision, recall


def curve_torch(scores, is_match, n):
    order = torch.sort(torch.as_tensor(scores), descending=True, stable=True).indices
    hits = torch.as_tensor(is_match)[order].float().cumsum(0)
    return hits / torch.arange(1, len(hits) + 1), hits / n


def curve_per_threshold(scores, is_match, n):
    levels = sorted(set(np.asarray(scores).tolist()), reverse=True)
    return tuple(N([rates(scores, is_match, n, level)[k] for level in levels]) for k in (0, 1))


def curve_equal_together(scores, is_match, n):
    levels = sorted(np.asarray(scores).tolist(), reverse=True)
    return tuple(N([rates(scores, is_match, n, level)[k] for level in levels]) for k in (0, 1))


def with_start(scores, is_match, n):
    p, r = curve(scores, is_match, n)
    return np.append(1, p), np.append(0, r)


def enveloped(scores, is_match, n):
    p, r = curve(scores, is_match, n)
    return np.maximum.accumulate(p[::-1])[::-1], r


def curve_8_bit(scores, is_match, n):
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(is_match[order], dtype=np.uint8)
    return hits / np.arange(1, len(hits) + 1), hits / n


def hits_only(scores, is_match, n):
    p, r = curve(scores, is_match, n)
    kept = np.asarray(is_match)[np.argsort(-scores, kind="stable")].astype(bool)
    return p[kept], r[kept]


S7, H7 = N([0.3, 0.9, 0.5, 0.5, 0.7]), N([True, False, True, False, True])
W17 = [
    Wrong("rising", lambda s, m, n: curve(s, m, n, np.argsort(s, kind="stable")), (S7, H7, 4), "sort"),
    Wrong("unsorted", lambda s, m, n: curve(s, m, n, np.arange(len(s))), (S7, H7, 4), "sort"),
    Wrong("ties reversed", lambda s, m, n: curve(s, m, n, np.argsort(s, kind="stable")[::-1]), (S7, H7, 4), "ties"),
    Wrong(
        "ties: hits first",
        lambda s, m, n: curve(s, m, n, np.lexsort((~m.astype(bool), -s))),
        (S7, H7[[0, 1, 3, 2, 4]], 4),
        "ties",
    ),
    Wrong("ties: misses first", lambda s, m, n: curve(s, m, n, np.lexsort((m, -s))), (S7, H7, 4), "ties"),
    Wrong("equal scores together", curve_equal_together, (S7, H7, 4), "ties"),
    Wrong("one point per score", curve_per_threshold, (S7, H7, 4), "ties"),
    Wrong("recall of the found", lambda s, m, n: curve(s, m, m.sum()), (S7, H7, 4), "positives"),
    Wrong("recall over detections", lambda s, m, n: curve(s, m, len(s)), (S7, H7, 4), "positives"),
    Wrong("exchanged", lambda *a: curve(*a)[::-1], (S7, H7, 4), "order"),
    Wrong("with a start", with_start, (S7, H7, 4), "start"),
    Wrong("envelope", enveloped, (S7, H7, 4), "envelope"),
    Wrong("only at hits", hits_only, (S7, H7, 4), "every detection"),
    Wrong("8-bit sums", curve_8_bit, (np.zeros(300), np.ones(300, dtype=bool), 300), "overflow"),
    Wrong(
        "divided from 0",
        lambda s, m, n: (curve(s, m, n)[1] * n / np.maximum(np.arange(len(s)), 1), curve(s, m, n)[1]),
        (S7, H7, 4),
        "denominator",
    ),
    Wrong(
        "over all detections",
        lambda s, m, n: (curve(s, m, n)[1] * n / len(s), curve(s, m, n)[1]),
        (S7, H7, 4),
        "denominator",
    ),
    Wrong(
        "no running sum",
        lambda s, m, n: tuple(N(m[np.argsort(-s, kind="stable")] / k) for k in (np.arange(1, len(s) + 1), n)),
        (S7, H7, 4),
        "cumulative",
    ),
    Wrong("reversed at the end", lambda *a: tuple(x[::-1] for x in curve(*a)), (S7, H7, 4), "sort"),
    Wrong("scores sorted, hits not", lambda s, m, n: curve(np.sort(s)[::-1], m, n), (S7, H7, 4), "sort"),
    Wrong("misses counted", lambda s, m, n: curve(s, ~m.astype(bool), n), (S7, H7, 4), "hits"),
]
R17 = [
    ("loops and fractions", curve_loops),
    ("torch", curve_torch),
    ("stacked", lambda *a: np.stack(curve(*a)).astype(np.float32)),
    ("lists", lambda *a: [x.tolist() for x in curve(*a)]),
]


# 1.8 average_precision(precision, recall, method)
def at(precision, recall, level, slack=1e-9):
    return max((p for p, r in zip(precision, recall, strict=True) if r >= level - slack), default=0.0)


def ap(precision, recall, method):
    precision, recall = np.asarray(precision, dtype=float), np.asarray(recall, dtype=float)
    if method == "11point":
        return sum(at(precision, recall, i / 10) for i in range(11)) / 11
    height = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * height))


def ap_variant(envelope="right", area="rectangles", levels=None, divide=11, start=0.0, strict=False):
    def answer(precision, recall, method):
        p, r = np.asarray(precision, dtype=float), np.asarray(recall, dtype=float)
        if not len(p):
            return 0.0
        if envelope == "right":
            p = np.maximum.accumulate(p[::-1])[::-1]
        elif envelope == "left":
            p = np.maximum.accumulate(p)
        elif envelope == "all":
            p = p * 0 + p.max()
        if method == "11point":
            points = np.arange(11) / 10 if levels is None else levels
            found = [p[(r > x + 1e-9) if strict else (r >= x - 1e-9)] for x in points]
            return sum(one[0] if len(one) else 0 for one in found) / divide
        if area == "trapezoid":
            return np.trapezoid(np.append(p[0], p), np.append(0, r))
        if area == "left heights":
            return np.sum(np.diff(r, prepend=0) * np.append(p[0], p[:-1]))
        if area == "no first":
            return np.sum(np.diff(r) * p[1:])
        if area == "mean":
            return p.mean()
        if area == "share":
            return np.sum(np.diff(r, prepend=0) * p) / r[-1]
        return np.sum(np.diff(r, prepend=start) * p)

    return answer


def reached_only(precision, recall, method):
    if method != "11point" or not len(precision):
        return ap(precision, recall, method)
    return np.mean([at(precision, recall, i / 10) for i in range(11) if i / 10 <= max(recall) + 1e-9])


def interpolated(precision, recall, method):
    if method != "11point" or not len(precision):
        return ap(precision, recall, method)
    height = np.maximum.accumulate(precision[::-1])[::-1]
    return np.mean(np.interp(np.linspace(0, 1, 11), recall, height, right=0))


def last_precision(precision, recall, method):
    if method != "11point" or not len(precision):
        return ap(precision, recall, method)
    return np.mean([at(precision, recall, min(i / 10, max(recall))) for i in range(11)])


def empty_nan(precision, recall, method):
    return ap(precision, recall, method) if len(precision) else NAN


def empty_raises(precision, recall, method):
    precision[0]
    return ap(precision, recall, method)


def writes_envelope(precision, recall, method):
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    return ap(precision, recall, method)


def ap_fractions(precision, recall, method):
    p, r = ([Fraction(float(x)) for x in one] for one in (precision, recall))
    if method == "11point":
        return sum(max((a for a, b in zip(p, r, strict=True) if float(b) >= i / 10), default=0) for i in range(11)) / 11
    return sum((max(p[i:]) * (r[i] - (r[i - 1] if i else 0)) for i in range(len(p))), Fraction(0))


def ap_torch(precision, recall, method):
    p, r = (torch.as_tensor(np.asarray(x, dtype=float)) for x in (precision, recall))
    if not len(p):
        return torch.tensor(0.0)
    if method == "area":
        height = p.flip(0).cummax(0).values.flip(0)
        return (torch.diff(r, prepend=torch.zeros(1, dtype=r.dtype)) * height).sum()
    return torch.stack([torch.where(r >= i / 10, p, 0.0).max() for i in range(11)]).mean()


P8, R8 = N([1.0, 0.4, 0.5, 0.6, 0.3]), N([0.2, 0.25, 0.5, 0.75, 0.8])
AREA, ELEVEN, EMPTY = (P8, R8, "area"), (P8, R8, "11point"), (N([]), N([]), "area")
W18 = [
    Wrong("no envelope", ap_variant(envelope="none"), AREA, "envelope"),
    Wrong("envelope from the left", ap_variant(envelope="left"), AREA, "envelope"),
    Wrong("the best everywhere", ap_variant(envelope="all"), AREA, "envelope"),
    Wrong("trapezoids", ap_variant(area="trapezoid"), AREA, "rectangles"),
    Wrong("heights of the left end", ap_variant(area="left heights"), AREA, "rectangles"),
    Wrong("first rectangle missing", ap_variant(area="no first"), AREA, "first rectangle"),
    Wrong("mean of the heights", ap_variant(area="mean"), AREA, "rectangles"),
    Wrong("divided by the last recall", ap_variant(area="share"), AREA, "beyond"),
    Wrong("ten levels", ap_variant(levels=np.arange(10) / 10, divide=10), ELEVEN, "levels"),
    Wrong("ten levels without 0", ap_variant(levels=np.arange(1, 11) / 10, divide=10), ELEVEN, "levels"),
    Wrong("101 levels", ap_variant(levels=np.arange(101) / 100, divide=101), ELEVEN, "levels"),
    Wrong("eleven by ten", ap_variant(divide=10), ELEVEN, "levels"),
    Wrong("a sum", ap_variant(divide=1), ELEVEN, "levels"),
    Wrong("recall above the level", ap_variant(strict=True), (N([1.0, 0.5]), N([0.5, 1.0]), "11point"), "at least"),
    Wrong("reached levels only", reached_only, ELEVEN, "beyond"),
    Wrong("interpolated", interpolated, (N([1.0, 0.5]), N([0.35, 0.95]), "11point"), "levels by interpolation"),
    Wrong("last height goes on", last_precision, ELEVEN, "beyond"),
    Wrong("NaN without points", empty_nan, EMPTY, "empty"),
    Wrong("fails without points", empty_raises, EMPTY, "empty"),
    Wrong("writes", writes_envelope, AREA, "writes"),
    Wrong("always the area", lambda p, r, method: ap(p, r, "area"), ELEVEN, "method"),
    Wrong("always eleven points", lambda p, r, method: ap(p, r, "11point"), AREA, "method"),
    Wrong("methods exchanged", lambda p, r, m: ap(p, r, "area" if m == "11point" else "11point"), AREA, "method"),
    Wrong(
        "11point without envelope",
        lambda p, r, m: ap(p, r, m) if m == "area" else ap_variant("none")(p, r, m),
        (N([0.5, 1.0]), N([0.5, 1.0]), "11point"),
        "envelope",
    ),
]
R18 = [("fractions", ap_fractions), ("torch", ap_torch), ("object", lambda *a: N(ap(*a), dtype=object)), ("f", ap)]


# 1.9 match_detections(overlaps, threshold)
def match(overlaps, threshold, last=True, taken=True, strict=False):
    overlaps = np.asarray(overlaps, dtype=float)
    free, found = set(range(overlaps.shape[1])), []
    for row in overlaps:
        best = -1
        for g in range(len(row)):
            enough = row[g] > threshold if strict else row[g] >= threshold
            better = best < 0 or (row[g] >= row[best] if last else row[g] > row[best])
            if g in free and enough and better:
                best = g
        found.append(best)
        if taken:
            free.discard(best)
    return N(found, dtype=int)


def argmax_then_free(overlaps, threshold):
    used, found = set(), []
    for row in overlaps:
        best = len(row) - 1 - int(np.argmax(row[::-1])) if len(row) else -1
        found.append(best if best >= 0 and row[best] >= threshold and best not in used else -1)
        used.add(best)
    return found


def argmax_kept_if_hit(overlaps, threshold):
    used, found = set(), []
    for row in overlaps:
        best = len(row) - 1 - int(np.argmax(row[::-1])) if len(row) else -1
        hit = best >= 0 and row[best] >= threshold and best not in used
        found.append(best if hit else -1)
        if hit:
            used.add(best)
    return found


def best_pairs_first(overlaps, threshold):
    left, found = overlaps.astype(float).copy(), np.full(len(overlaps), -1)
    while left.size and left.max() >= threshold:
        d, g = np.unravel_index(left.argmax(), left.shape)
        found[d] = g
        left[d], left[:, g] = -1, -1
    return found


def objects_choose(overlaps, threshold):
    found = np.full(len(overlaps), -1)
    for g in range(overlaps.shape[1]):
        column = np.where(found < 0, overlaps[:, g], -1)
        if len(column) and column.max() >= threshold:
            found[column.argmax()] = g
    return found


def first_enough(overlaps, threshold):
    used, found = set(), []
    for row in overlaps:
        hit = next((g for g, x in enumerate(row) if x >= threshold and g not in used), -1)
        used.add(hit)
        found.append(hit)
    return found


def last_enough(overlaps, threshold):
    used, found = set(), []
    for row in overlaps:
        hit = next((g for g in reversed(range(len(row))) if row[g] >= threshold and g not in used), -1)
        used.add(hit)
        found.append(hit)
    return found


def falsy_zero(overlaps, threshold):
    return [g or -1 for g in match(overlaps, threshold).tolist()]


def writes_taken(overlaps, threshold):
    found = []
    for row in overlaps:
        best = len(row) - 1 - int(np.argmax(row[::-1])) if len(row) else -1
        found.append(best if best >= 0 and row[best] >= threshold else -1)
        if found[-1] >= 0:
            overlaps[:, best] = -1
    return found


def nearest_to_one_kept(overlaps, threshold):
    """Takes an object although the overlap is too small."""
    free, found = set(range(overlaps.shape[1])), []
    for row in overlaps:
        best = max(free, key=lambda g: (row[g], g), default=-1)
        found.append(best if best >= 0 and row[best] >= threshold else -1)
        free.discard(best)
    return found


def no_objects_raises(overlaps, threshold):
    used, found = set(), []
    for row in overlaps:
        row = np.where([g in used for g in range(len(row))], -1, row)
        best = len(row) - 1 - row[::-1].argmax()
        found.append(best if row[best] >= threshold else -1)
        used |= {found[-1]}
    return found


def removed(overlaps, threshold):
    """Deletes the taken column, so that later numbers shift."""
    left, found = overlaps, []
    for d in range(len(overlaps)):
        row = left[d]
        best = len(row) - 1 - int(np.argmax(row[::-1])) if len(row) else -1
        hit = best >= 0 and row[best] >= threshold
        found.append(best if hit else -1)
        if hit:
            left = np.delete(left, best, axis=1)
    return found


def match_torch(overlaps, threshold):
    left = torch.as_tensor(overlaps).clone()
    found = torch.full((left.shape[0],), -1)
    for d in range(left.shape[0]):
        if left.shape[1]:
            best = left.shape[1] - 1 - int(left[d].flip(0).argmax())
            if left[d, best] >= threshold:
                found[d] = best
                left[:, best] = -2
    return found


O9 = N([[0.6, 0.8], [0.7, 0.9], [0.5, 0.5]])
TIE = N([[0.7, 0.7], [0.6, 0.2]])
W19 = [
    Wrong("objects not taken", lambda o, t: match(o, t, taken=False), (O9, 0.5), "taken"),
    Wrong("above the threshold", lambda o, t: match(o, t, strict=True), (N([[0.5]]), 0.5), "threshold"),
    Wrong("first of equals", lambda o, t: match(o, t, last=False), (TIE, 0.5), "tie"),
    Wrong("best, then free?", argmax_then_free, (O9, 0.5), "second best"),
    Wrong("best if free", argmax_kept_if_hit, (O9, 0.5), "second best"),
    Wrong("best pairs first", best_pairs_first, (O9, 0.5), "order"),
    Wrong("objects choose", objects_choose, (N([[0.6, 0.0], [0.9, 0.0]]), 0.5), "order"),
    Wrong("first that is enough", first_enough, (O9, 0.5), "largest"),
    Wrong("last that is enough", last_enough, (N([[0.9, 0.6]]), 0.5), "largest"),
    Wrong("0 is nothing", falsy_zero, (N([[0.9]]), 0.5), "object 0"),
    Wrong("writes", writes_taken, (O9, 0.5), "writes"),
    Wrong("takes though too small", nearest_to_one_kept, (N([[0.4], [0.8]]), 0.5), "too small takes"),
    Wrong("no objects", no_objects_raises, (np.zeros((2, 0)), 0.5), "no objects"),
    Wrong("column removed", removed, (N([[0.9, 0.6], [0.1, 0.8]]), 0.5), "numbers shift"),
    Wrong("booleans", lambda o, t: match(o, t) >= 0, (O9, 0.5), "numbers not booleans"),
    Wrong("always 0.5", lambda o, t: match(o, 0.5), (O9, 0.85), "threshold"),
    Wrong("only the hits", lambda o, t: match(o, t)[match(o, t) >= 0], (O9, 0.5), "one for each detection"),
    Wrong("counted from 1", lambda o, t: [g + 1 if g >= 0 else g for g in match(o, t)], (O9, 0.5), "from 0"),
    Wrong("detection of each object", lambda o, t: match(o.T, t), (O9, 0.5), "axes"),
    Wrong("from the last detection", lambda o, t: match(o[::-1], t)[::-1], (O9, 0.5), "order"),
    Wrong("None for none", lambda o, t: [None if g < 0 else int(g) for g in match(o, t)], (O9, 0.85), "none is -1"),
    Wrong("0 for none", lambda o, t: np.maximum(match(o, t), 0), (O9, 0.85), "none is -1"),
]
R19 = [
    ("torch", match_torch),
    ("list", lambda o, t: match(o, t).tolist()),
    ("object", lambda o, t: match(o, t).astype(object)),
    ("int8", lambda o, t: match(o, t).astype(np.int8)),
]


# 1.10 coco_ap(scores, overlaps)
THRESHOLDS = np.linspace(0.5, 0.95, 10)


def coco(
    scores,
    overlaps,
    thresholds=THRESHOLDS,
    levels=None,
    area=False,
    count=lambda o: o.shape[1],
    matcher=match,
    sort_first=True,
    sort_all=True,
    skip=lambda s, o: False,
    last=True,
    envelope=True,
    limit=None,
    strict=False,
    nothing=NAN,
    beyond=0.0,
    per="set",
):
    levels = np.linspace(0, 1, 101) if levels is None else levels
    if per == "image":
        parts = [coco([s], [o]) for s, o in zip(scores, overlaps, strict=True)]
        return np.nanmean(parts) if not np.all(np.isnan(parts)) else NAN
    found = []
    for threshold in thresholds:
        all_scores, hits, objects = [], [], 0
        for s, o in zip(scores, overlaps, strict=True):
            s, o = np.asarray(s, dtype=float), np.asarray(o, dtype=float)
            if skip(s, o):
                continue
            order = np.argsort(-s, kind="stable") if sort_first else np.arange(len(s))
            order = order[:limit]
            all_scores.extend(s[order])
            hits.extend(matcher(o[order], threshold) >= 0)
            objects += count(o)
        if not objects:
            return nothing
        order = None if sort_all else np.arange(len(hits))
        p, r = curve(N(all_scores), N(hits, dtype=bool), objects, order)
        if envelope:
            p = np.maximum.accumulate(p[::-1])[::-1]
        if area:
            found.append(float(np.sum(np.diff(r, prepend=0) * p)))
            continue
        place = np.searchsorted(r, levels, side="right" if strict else "left")
        found.append(np.mean([p[i] if i < len(p) else beyond for i in place]))
    return float(np.mean(found))


def variant(**changes):
    return lambda scores, overlaps: coco(scores, overlaps, **changes)


def sorted_scores_only(scores, overlaps):
    """The scores are sorted before the matching, the rows of the overlaps stay."""
    return coco([np.sort(s)[::-1] for s in scores], overlaps, sort_first=False)


def as_one_image(scores, overlaps):
    """All detections against all objects: an image's detections may take another's."""
    wide = max((o.shape[1] for o in overlaps), default=0)
    padded = [np.pad(o, ((0, 0), (0, wide - o.shape[1]))) for o in overlaps]
    return coco([np.concatenate(scores)], [np.concatenate(padded)], count=lambda o: sum(x.shape[1] for x in overlaps))


def no_objects_somewhere(scores, overlaps):
    return coco(scores, overlaps) if all(o.shape[1] for o in overlaps) else NAN


def coco_loops(scores, overlaps):
    objects = sum(len(o[0]) if len(o) else o.shape[1] for o in overlaps)
    if objects == 0:
        return NAN
    total = Fraction(0)
    for threshold in THRESHOLDS:
        hits = []
        for s, o in zip(scores, overlaps, strict=True):
            order = sorted(range(len(s)), key=lambda i: -s[i])
            for i, g in zip(order, match(o[order], threshold) if len(order) else [], strict=True):
                hits.append((s[i], g >= 0))
        hits.sort(key=lambda pair: -pair[0])
        tp, points = 0, []
        for i, (_, hit) in enumerate(hits, start=1):
            tp += bool(hit)
            points.append((tp, Fraction(tp, i)))
        height = Fraction(0)
        at_level = [height] * 101
        for tp, p in reversed(points):
            height = max(height, p)
            for level in range(int(np.searchsorted(np.linspace(0, 1, 101), tp / objects, side="right"))):
                at_level[level] = max(at_level[level], height)
        total += sum(at_level) / 101
    return total / 10


G = np.random.default_rng(3)
SC = [G.permutation(N([0.9, 0.6, 0.5, 0.3])), N([0.2, 0.8]), N([0.7, 0.1]), N([])]
OV = [
    N([[0.9, 0.1, 0.0], [0.2, 0.62, 0.3], [0.55, 0.8, 0.1], [0.1, 0.97, 0.7]]),
    N([[0.88, 0.4], [0.66, 0.71]]),
    np.zeros((2, 0)),
    np.zeros((0, 2)),
]
C, CE = (SC, OV), ([N([0.5])], [np.zeros((1, 0))])
CROWDED = ([np.linspace(1, 0, 150)], [np.eye(150)])
FULL = ([N([0.9, 0.8])], [N([[0.99, 0.0], [0.0, 0.99]])])
HALF = ([N([0.9, 0.8, 0.7])], [N([[0.99, 0.0], [0.0, 0.0], [0.0, 0.99]])])
W110 = [
    Wrong("only 0.5", variant(thresholds=[0.5]), C, "thresholds"),
    Wrong("up to 0.9", variant(thresholds=THRESHOLDS[:9]), C, "thresholds"),
    Wrong("up to 1.0", variant(thresholds=np.linspace(0.5, 1, 11)), C, "thresholds"),
    Wrong("thresholds of 0.1", variant(thresholds=np.linspace(0.5, 0.95, 5)), C, "thresholds"),
    Wrong("mean of the images", variant(per="image"), C, "per image"),
    Wrong("eleven levels", variant(levels=np.arange(11) / 10), C, "levels"),
    Wrong("100 levels", variant(levels=np.linspace(0, 1, 100)), C, "levels"),
    Wrong("100 levels without 1", variant(levels=np.arange(100) / 100), HALF, "levels"),
    Wrong("area", variant(area=True), C, "levels"),
    Wrong("no envelope", variant(envelope=False), C, "envelope"),
    Wrong("matched unsorted", variant(sort_first=False), C, "sort in the image"),
    Wrong("scores sorted, overlaps not", sorted_scores_only, C, "sort in the image"),
    Wrong("curve unsorted", variant(sort_all=False), C, "sort together"),
    Wrong("objects of empty images lost", variant(count=lambda o: o.shape[1] if len(o) else 0), C, "objects"),
    Wrong("images without detections skipped", variant(skip=lambda s, o: not len(s)), C, "objects"),
    Wrong("images without objects skipped", variant(skip=lambda s, o: not o.shape[1]), C, "false alarms"),
    Wrong("detections for objects", variant(count=len), C, "objects"),
    Wrong("0 without objects", variant(nothing=0.0), CE, "no objects"),
    Wrong("NaN if one has none", no_objects_somewhere, C, "no objects"),
    Wrong("objects taken twice", variant(matcher=lambda o, t: match(o, t, taken=False)), C, "matching"),
    Wrong("at most 100", variant(limit=100), CROWDED, "limit"),
    Wrong("level not reached at equal", variant(strict=True), FULL, "at least"),
    Wrong("the images as one", as_one_image, C, "images mixed"),
    Wrong("the best threshold", lambda s, o: max(coco(s, o, thresholds=[t]) for t in THRESHOLDS), C, "mean"),
    Wrong("AP per threshold", lambda s, o: [coco(s, o, thresholds=[t]) for t in THRESHOLDS], C, "mean"),
    Wrong("percent", lambda s, o: 100 * coco(s, o), C, "percent"),
]
R110 = [
    ("loops and fractions", coco_loops),
    ("options", coco),
    ("torch", lambda s, o: torch.tensor(coco(s, o))),
    ("float32", lambda s, o: np.float32(coco(s, o))),
]


# 1.11 answers: a dictionary of values
def made_up_predictions():
    """Void, an absent class, a small class that is mostly missed, pictures that differ: no network is needed."""
    generator = np.random.default_rng(0)
    targets, found = [], []
    for right in (0.98, 0.9, 0.75, 0.6):
        target = generator.choice([0, 1, 2, 4], p=[0.6, 0.25, 0.1, 0.05], size=(24, 30))
        guess = np.where(generator.random(target.shape) < right, target, generator.choice([0, 1, 2], size=target.shape))
        guess = np.where((target == 4) & (generator.random(target.shape) < 0.7), 1, guess)
        guess[0, :3] = 4
        targets.append(np.where(generator.random(target.shape) < 0.08, 255, target))
        found.append(guess)
    return targets, found, ("sky", "road", "tree", "boat", "pole"), 255


def analysis(targets, predictions, names, ignore_index):
    count = len(names)
    matrices = []
    for target, guess in zip(targets, predictions, strict=True):
        matrix = np.zeros((count, count), dtype=int)
        keep = target != ignore_index
        np.add.at(matrix, (target[keep], guess[keep]), 1)
        matrices.append(matrix)

    def ious(matrix):
        with np.errstate(all="ignore"):
            return np.diag(matrix) / (matrix.sum(0) + matrix.sum(1) - np.diag(matrix))

    total = sum(matrices)
    known = np.where(total.sum(1) > 0, ious(total), np.inf)
    worst = int(np.argmin(known))
    row = total[worst].copy()
    row[worst] = -1
    return {
        "pixel_accuracy": float(np.trace(total) / total.sum()),
        "mean_iou": float(np.nanmean(ious(total))),
        "mean_iou_per_image": float(np.mean([np.nanmean(ious(m)) for m in matrices])),
        "constant_accuracy": float(total.sum(1).max() / total.sum()),
        "worst_class": names[worst],
        "taken_by": names[int(np.argmax(row))],
        "why": "b",
    }


def changed(key, value):
    """The right answers but for one; the value may be computed from the data."""

    def answer(targets, predictions, names, ignore_index):
        found = analysis(targets, predictions, names, ignore_index)
        found[key] = value(found, targets, predictions, names) if callable(value) else value
        return found

    return answer


def accuracy_with_void(found, targets, predictions, names):
    return float(np.mean([t == p for t, p in zip(targets, predictions, strict=True)]))


def nan_as_zero(found, targets, predictions, names):
    return found["mean_iou"] * 4 / 5


def predicted_most(found, targets, predictions, names):
    share = [np.mean([(t == k) for t in targets]) for k in range(len(names))]
    return max(share)


W111 = [
    Wrong("void counts", changed("pixel_accuracy", accuracy_with_void), (), "void"),
    Wrong("percent", changed("pixel_accuracy", lambda f, *_: 100 * f["pixel_accuracy"]), (), "percent"),
    Wrong("mIoU for accuracy", changed("pixel_accuracy", lambda f, *_: f["mean_iou"]), (), "pixel_accuracy"),
    Wrong("per image for the set", changed("mean_iou", lambda f, *_: f["mean_iou_per_image"]), (), "per image"),
    Wrong("absent as 0", changed("mean_iou", nan_as_zero), (), "absent"),
    Wrong("set for per image", changed("mean_iou_per_image", lambda f, *_: f["mean_iou"]), (), "per image"),
    Wrong("1/K", changed("constant_accuracy", 0.2), (), "constant"),
    Wrong("constant over all pixels", changed("constant_accuracy", predicted_most), (), "void in constant"),
    Wrong("absent class is worst", changed("worst_class", "boat"), (), "absent worst"),
    Wrong("the best class", changed("worst_class", "sky"), (), "worst"),
    Wrong("a number for the class", changed("worst_class", 4), (), "name"),
    Wrong("taken by itself", changed("taken_by", lambda f, *_: f["worst_class"]), (), "itself"),
    Wrong("taken by the frequent", changed("taken_by", "tree"), (), "taken_by"),
    Wrong("void counts, a", changed("why", "a"), (), "why"),
    Wrong("per picture, c", changed("why", "c"), (), "why"),
    Wrong(
        "two decimals",
        lambda *a: {k: round(v, 1) if isinstance(v, float) else v for k, v in analysis(*a).items()},
        (),
        "rounded",
    ),
]


def three_decimals(*data):
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in analysis(*data).items()}


R111 = [
    ("all digits", analysis),
    ("three decimals", three_decimals),
    ("tensors", lambda *a: {k: torch.tensor(v) if isinstance(v, float) else v for k, v in analysis(*a).items()}),
    ("capitals", lambda *a: {k: v.upper() if isinstance(v, str) else v for k, v in three_decimals(*a).items()}),
]

GIVEN = {"1.11": made_up_predictions}
# Which hints name a mistake whose hint has another name, judged by reading them.
NAMES = {
    "1.6": {
        "threshold": (
            "direction",
            "strict",
        ),
        "0/0": ("undefined",),
        "recall of nothing": ("both",),
        "no objects": ("both",),
        "positives": ("missed",),
        "precision": (
            "all detections",
            "complement",
        ),
        "order": ("swapped",),
        "threshold 0": ("zero",),
        "recall": ("complement",),
        "ratio": ("scale",),
    },
    "1.7": {
        "sort": ("order",),
        "ties": ("one point each",),
        "positives": ("missed",),
        "order": ("swapped",),
        "every detection": ("start",),
        "overflow": ("large",),
        "denominator": (
            "precision",
            "ranks",
        ),
    },
    "1.8": {
        "envelope": ("direction",),
        "rectangles": (
            "mean",
            "trapezoid",
        ),
        "first rectangle": ("start",),
        "beyond": (
            "divided",
            "unreached",
        ),
        "at least": ("levels",),
        "levels by interpolation": ("interpolate",),
        "writes": ("in place",),
    },
    "1.9": {
        "threshold": (
            "no threshold",
            "strict",
        ),
        "second best": ("best free",),
        "largest": ("best",),
        "object 0": ("number 0",),
        "writes": ("in place",),
        "too small takes": ("threshold",),
        "no objects": ("empty",),
        "numbers shift": ("columns",),
        "numbers not booleans": ("yes or no",),
        "one for each detection": ("none",),
        "from 0": ("columns",),
        "axes": ("order",),
        "none is -1": ("none",),
    },
    "1.10": {
        "thresholds": (
            "endpoint",
            "one threshold",
        ),
        "sort in the image": ("sort images",),
        "sort together": ("sort all",),
        "false alarms": ("false",),
        "no objects": (
            "false",
            "nothing",
        ),
        "matching": ("taken",),
        "at least": ("reached",),
        "images mixed": ("mixed",),
        "mean": ("one threshold",),
        "percent": ("scale",),
    },
    "1.11": {
        "void": ("accuracy",),
        "percent": ("digits",),
        "pixel_accuracy": ("accuracy",),
        "per image": ("mean",),
        "void in constant": ("constant",),
        "itself": ("taken",),
        "taken_by": ("taken",),
        "rounded": ("digits",),
    },
}


def counting(answer):
    """For detections of which some count as nothing."""

    def kept(scores, is_match, n):
        counts = np.asarray(is_match) >= 0
        return answer(np.asarray(scores)[counts], np.asarray(is_match)[counts] > 0, n)

    return kept


WRONG = {"1.6": W16, "1.7": all_wrapped(counting, W17), "1.8": W18, "1.9": W19, "1.10": W110, "1.11": W111}
RIGHT = {"1.6": R16, "1.7": all_wrapped(counting, R17), "1.8": R18, "1.9": R19, "1.10": R110, "1.11": R111}
