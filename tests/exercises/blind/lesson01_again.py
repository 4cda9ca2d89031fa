"""Further wrong answers to lesson 1, unlike the first, written after the checks were repaired for those."""

import numpy as np

from tests.exercises.blind import Wrong, all_wrapped
from tests.exercises.blind.lesson01 import (
    IOU,
    M2,
    PS,
    TS,
    J,
    L,
    P,
    T,
    confusion,
    data_set,
    iou,
    ious,
    left_out,
    mean,
    of_booleans,
    summed,
)  # fmt: skip
from tests.exercises.blind.lesson01_detections import (
    AREA,
    ELEVEN,
    H7,
    O9,
    S7,
    THRESHOLDS,
    C,
    H,
    S,
    analysis,
    ap,
    changed,
    coco,
    counting,
    curve,
    made_up_predictions,
    match,
    rates,
)  # fmt: skip

N = np.array


def box_iou(a, b):
    def filled(m):
        box = np.zeros_like(m)
        if m.any():
            y, x = np.nonzero(m)
            box[y.min() : y.max() + 1, x.min() : x.max() + 1] = True
        return box

    return iou(filled(a), filled(b))


def errors_only(t, p, k, v):
    matrix = confusion(t, p, k, v)
    return matrix - np.diag(np.diag(matrix))


def skips_pictures_with_void(ts, ps, k, v):
    kept = [n for n, t in enumerate(ts) if not (t == v).any()]
    return data_set([ts[n] for n in kept], [ps[n] for n in kept], k, v)


def first_twice(ts, ps, k, v):
    return mean(ious(summed(ts, ps, k, v) + confusion(ts[0], ps[0], k, v)))


def median_of_pictures(ts, ps, k, v):
    return np.nanmedian([mean(ious(confusion(t, p, k, v))) for t, p in zip(ts, ps, strict=True)])


def top_share(s, m, n, t):
    count = int(t * len(s))
    tp = m[np.argsort(-s)[:count]].sum()
    return (tp / count if count else np.nan), (tp / n if n else np.nan)


def before_each(s, m, n):
    p, r = curve(s, m, n)
    return np.append(0, p[:-1])[: len(p)], np.append(0, r[:-1])[: len(r)]


def smoothed(s, m, n):
    p, r = curve(s, m, n)
    return np.cumsum(p) / np.arange(1, len(p) + 1), r


def at_index(p, r, method):
    if method == "area" or not len(p):
        return ap(p, r, method)
    return np.mean([p[min(int(i / 10 * len(p)), len(p) - 1)] for i in range(11)])


def sorted_precision(p, r, method):
    return ap(np.sort(p)[::-1], r, method)


def best_f1(p, r, method):
    return float(np.max(2 * p * r / np.maximum(p + r, 1e-9), initial=0))


def smallest_enough(o, t):
    free, found = set(range(o.shape[1])), []
    for row in o:
        found.append(min((g for g in free if row[g] >= t), key=lambda g: row[g], default=-1))
        free.discard(found[-1])
    return found


def stops(o, t):
    found = match(o, t)
    misses = np.flatnonzero(found < 0)
    if len(misses):
        found[misses[0] :] = -1
    return found


def two_each(o, t):
    taken, found = {}, []
    for row in o:
        best = max(
            (g for g in range(len(row)) if taken.get(g, 0) < 2 and row[g] >= t), key=lambda g: (row[g], g), default=-1
        )
        taken[best] = taken.get(best, 0) + 1
        found.append(best)
    return found


def matched_at_half(s, o):
    def matcher(overlap, t):
        found = match(overlap, 0.5)
        enough = [g >= 0 and overlap[d, g] >= t for d, g in enumerate(found)]
        return np.where(enough, found, -1) if len(found) else found

    return coco(s, o, matcher=matcher)


def worst_by_recall(found, targets, predictions, names):
    recall = [
        np.mean(np.concatenate([p[t == k] for t, p in zip(targets, predictions, strict=True)]) == k)
        if any((t == k).any() for t in targets)
        else 2
        for k in range(len(names))
    ]
    return names[int(np.argmax(np.where(N(recall) > 1, -1, recall)))]


NAMES = {
    "1.1": {"union": ("picture",)},
    "1.3": {"union": ("larger",)},
    "1.4": {"once": ("weighted",)},
    "1.7": {"ranks": ("early",)},
    "1.8": {"envelope": ("sorted",)},
    "1.9": {"order": ("stops",)},
}
WRONG = {
    "1.1": [
        Wrong("share of the picture", lambda a, b: (a & b).mean() if (a | b).any() else np.nan, (L, J), "union"),
        Wrong("bounding boxes", box_iou, (N([[1, 0], [0, 1]]) > 0, N([[1, 1], [1, 1]]) > 0), "boxes"),
        Wrong("with the background", lambda a, b: np.nanmean([iou(a, b), iou(~a, ~b)]), (L, L & False), "background"),
    ],
    "1.2": [
        Wrong("errors only", errors_only, (T, P, 3, 255), "diagonal"),
        Wrong("both ways", lambda *a: confusion(*a) + confusion(*a).T, (T, P, 3, 255), "axes"),
        Wrong("begins with ones", lambda *a: confusion(*a) + 1, (T, P, 3, 255), "counts"),
    ],
    "1.3": [
        Wrong(
            "union of the larger",
            lambda m: (
                np.diag(m) / np.maximum(m.sum(0), m.sum(1)),
                np.nanmean(np.diag(m) / np.maximum(m.sum(0), m.sum(1))),
            ),
            (M2,),
            "union",
        ),
        Wrong("best", lambda m: (ious(m), np.nanmax(ious(m))), (M2,), "mean"),
        Wrong("without class 0", lambda m: (ious(m)[1:], np.nanmean(ious(m)[1:])), (M2,), "background"),
    ],
    "1.4": [
        Wrong("of the sum", lambda i: 2 * np.nansum(i) / (1 + np.nansum(i)), (IOU,), "order"),
        Wrong(
            "each value once",
            lambda i: np.nanmean(2 * np.unique(i) / (1 + np.unique(i))),
            (N([0.5, 0.5, 0.2]),),
            "once",
        ),
        Wrong("weighted by IoU", lambda i: np.nansum(2 * i * i / (1 + i)) / np.nansum(i), (IOU,), "weighted"),
    ],
    "1.5": [
        Wrong("pictures with void left out", skips_pictures_with_void, (TS, PS, 2, 255), "void"),
        Wrong("first picture twice", first_twice, (TS, PS, 2, 255), "one picture"),
        Wrong("median of the pictures", median_of_pictures, (TS, PS, 2, 255), "per image"),
    ],
    "1.6": [
        Wrong("precision twice", lambda *a: (rates(*a)[0],) * 2, (S, H, 5, 0.5), "missed"),
        Wrong("the best share", top_share, (S, H, 5, 0.5), "threshold"),
        Wrong(
            "recall over misses too",
            lambda s, m, n, t: (rates(s, m, n, t)[0], m[s >= t].sum() / max(n + (~m[s >= t]).sum(), 1)),
            (S, H, 5, 0.5),
            "missed",
        ),
    ],
    "1.7": [
        Wrong("before each detection", before_each, (S7, H7, 4), "ranks"),
        Wrong("smoothed", smoothed, (S7, H7, 4), "precision"),
        Wrong(
            "misses below",
            lambda s, m, n: (curve(s, m, n)[0], curve(s, m, n)[1] * n / (n + np.arange(len(s)))),
            (S7, H7, 4),
            "missed",
        ),
    ],
    "1.8": [
        Wrong("by index", at_index, ELEVEN, "interpolate"),
        Wrong("precision sorted", sorted_precision, AREA, "envelope"),
        Wrong("best F1", best_f1, AREA, "mean"),
    ],
    "1.9": [
        Wrong("smallest that is enough", smallest_enough, (O9, 0.5), "best"),
        Wrong("stops at a miss", stops, (N([[0.1], [0.9]]), 0.5), "order"),
        Wrong("two detections for each", two_each, (O9[:, 1:], 0.5), "taken"),
    ],
    "1.10": [
        Wrong("matched at 0.5", matched_at_half, C, "matched once"),
        Wrong(
            "interpolated",
            lambda s, o: np.mean(
                [
                    np.interp(
                        np.linspace(0, 1, 101),
                        *curve(np.concatenate(s), np.concatenate([match(x, t) for x in o]) >= 0, 7)[::-1],
                    ).mean()
                    for t in THRESHOLDS
                ]
            ),
            C,
            "interpolated",
        ),
        Wrong("from the least certain", lambda s, o: coco([-x for x in s], o), C, "sort images"),
    ],
    "1.11": [
        Wrong("worst by recall", changed("worst_class", worst_by_recall), (), "worst"),
        Wrong("without class 0", changed("mean_iou", lambda f, *_: (5 * f["mean_iou"] - 0.7) / 4), (), "mean"),
        Wrong("one minus", changed("pixel_accuracy", lambda f, *_: 1 - f["pixel_accuracy"]), (), "accuracy"),
    ],
}
WRONG |= {
    "1.1": all_wrapped(of_booleans, WRONG["1.1"]),
    "1.5": all_wrapped(left_out, WRONG["1.5"]),
    "1.7": all_wrapped(counting, WRONG["1.7"]),
}
RIGHT = {"1.11": [("again", analysis)]}
GIVEN = {"1.11": made_up_predictions}
