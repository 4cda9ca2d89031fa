"""Answers to 1.12 and 1.13, and to what 1.1, 1.3, 1.5 and 1.7 ask beyond the lesson, written from their statements."""

import numpy as np
import torch
from PIL import Image, ImageFilter

from tests.exercises.blind import Wrong
from tests.exercises.blind.lesson01 import PS, TS, confusion, data_set, iou, ious, left_out, mean
from tests.exercises.blind.lesson01_detections import curve

N, NAN = np.array, float("nan")


# 1.1 iou(a, b): masks of any kind
BOOLEAN = N([[True, True, False, False], [True, False, False, False]])
BYTES = np.uint8(255) * N([[0, 1, 1, 0], [1, 0, 0, 0]], dtype=np.uint8)
ONES = N([[0, 1, 1, 0], [1, 0, 0, 0]])


def sums_of_values(a, b):
    both = np.minimum(a, b).sum(dtype=float)
    return both / (a.sum(dtype=float) + b.sum(dtype=float) - both)


W11 = [
    Wrong("values and not pixels", sums_of_values, (BOOLEAN, BYTES), "kinds"),
    Wrong("products", lambda a, b: (a * b).sum() / np.maximum(a, b).sum(), (BOOLEAN, BYTES), "kinds"),
    Wrong("bitwise", lambda a, b: (a & b).sum() / (a | b).sum(), (BOOLEAN, BYTES), "kinds"),
    Wrong("only 255", lambda a, b: iou(a == 255, b == 255), (BOOLEAN, BYTES), "kinds"),
    Wrong("only 1", lambda a, b: iou(a == 1, b == 1), (BOOLEAN, BYTES), "kinds"),
    Wrong("half of 255", lambda a, b: iou(a > 127, b > 127), (ONES, BYTES), "kinds"),
]
R11 = [
    ("astype(bool)", lambda a, b: iou(a.astype(bool), b.astype(bool))),
    ("signs", lambda a, b: iou(np.sign(a.astype(int)), np.sign(b.astype(int)))),
]


# 1.3 class_iou(matrix): more columns than rows
WIDE = N([[5, 1, 2], [2, 3, 0]])


def spread_unknown(matrix):
    """Half of what is not known is blamed on each of two classes."""
    k = len(matrix)
    right = np.diag(matrix)
    union = matrix.sum(1) + matrix.sum(0)[:k] - right + matrix[:, k:].sum() / k
    found = np.where(union > 0, right / np.maximum(union, 1), np.nan)
    return found, mean(found)


def one_class_more(matrix):
    square = np.pad(matrix, ((0, matrix.shape[1] - len(matrix)), (0, 0)))
    return ious(square), mean(ious(square))


W13 = [
    Wrong("the last column cut off", lambda m: (ious(m[:, : len(m)]), mean(ious(m[:, : len(m)]))), (WIDE,), "unknown"),
    Wrong("one class more", one_class_more, (WIDE,), "unknown"),
    Wrong("blamed on all", spread_unknown, (WIDE,), "unknown"),
    Wrong("broadcast", lambda m: (np.diag(m) / (m.sum(1) + m.sum(0) - np.diag(m)), 0.5), (WIDE,), "unknown"),
]


# 1.5 dataset_mean_iou: without each picture
def per_picture(t, p, k, v):
    return [mean(ious(confusion(*one, k, v))) for one in zip(t, p, strict=True)]


def matrices(t, p, k, v):
    return [confusion(*one, k, v) for one in zip(t, p, strict=True)]


def removed_in_turn(t, p, k, v):
    total, found = sum(matrices(t, p, k, v)), []
    for matrix in matrices(t, p, k, v):
        total -= matrix
        found.append(mean(ious(total)))
    return data_set(t, p, k, v), found


def first_pictures(t, p, k, v):
    return data_set(t, p, k, v), [data_set(t[: i + 1], p[: i + 1], k, v) for i in range(len(t))]


def mean_of_the_others(t, p, k, v):
    each = per_picture(t, p, k, v)
    return data_set(t, p, k, v), [mean(each[:i] + each[i + 1 :]) for i in range(len(each))]


FOUR = (TS + TS[::-1], [*PS, PS[1], PS[0] * 0 + 1], 2, 255)
W15 = [
    Wrong("each picture's own", lambda *a: (data_set(*a), per_picture(*a)), FOUR, "without"),
    Wrong("gains", lambda *a: (data_set(*a), data_set(*a) - N(left_out(data_set)(*a)[1])), FOUR, "without"),
    Wrong("mean of the others' scores", mean_of_the_others, FOUR, "without"),
    Wrong("never put back", removed_in_turn, FOUR, "put back"),
    Wrong("the first ones", first_pictures, FOUR, "put back"),
    Wrong("one number", data_set, FOUR, "two"),
    Wrong("the list alone", lambda *a: left_out(data_set)(*a)[1], FOUR, "two"),
    Wrong("the other way round", lambda *a: left_out(data_set)(*a)[::-1], FOUR, "two"),
]


def with_a_mask(targets, predictions, k, v):
    """Every picture is voided in turn."""
    found = []
    for number in range(len(targets)):
        voided = [np.full_like(t, v) if i == number else t for i, t in enumerate(targets)]
        found.append(data_set(voided, predictions, k, v))
    return [data_set(targets, predictions, k, v), torch.tensor(found)]


R15 = [("voided in turn", with_a_mask)]


# 1.7 pr_curve: detections that count as nothing
S, H = N([0.9, 0.8, 0.7, 0.6, 0.5]), N([1, -1, 0, -1, 1])


def points_kept(s, m, n):
    order = np.argsort(-s, kind="stable")
    tp, fp = np.cumsum(m[order] > 0), np.cumsum(m[order] == 0)
    return tp / np.maximum(tp + fp, 1), tp / n


def nan_points(s, m, n):
    p, r = points_kept(s, m, n)
    nothing = m[np.argsort(-s, kind="stable")] < 0
    return np.where(nothing, np.nan, p), np.where(nothing, np.nan, r)


W17 = [
    Wrong("misses", lambda s, m, n: curve(s, m > 0, n), (S, H, 3), "nothing"),
    Wrong("hits", lambda s, m, n: curve(s, m != 0, n), (S, H, 3), "nothing"),
    Wrong(
        "summed as they are",
        lambda s, m, n: tuple(np.cumsum(m[np.argsort(-s, kind="stable")]) / x for x in (np.arange(1, len(s) + 1), n)),
        (S, H, 3),
        "nothing",
    ),
    Wrong("points kept", points_kept, (S, H, 3), "nothing"),
    Wrong("NaN points", nan_points, (S, H, 3), "nothing"),
    Wrong("objects less", lambda s, m, n: curve(s[m >= 0], m[m >= 0], n - (m < 0).sum()), (S, H, 3), "nothing"),
    Wrong("objects more", lambda s, m, n: curve(s[m >= 0], m[m >= 0], n + (m < 0).sum()), (S, H, 3), "nothing"),
]


def streaming(s, m, n):
    tp = fp = 0
    points = []
    for _, one in sorted(zip(s.tolist(), m.tolist(), strict=True), key=lambda pair: -pair[0]):
        if one < 0:
            continue
        tp, fp = tp + int(one == 1), fp + int(one == 0)
        points.append((tp / (tp + fp), tp / n))
    return [[p for p, _ in points], [r for _, r in points]]


R17 = [("streaming", streaming)]


# 1.12 boundary_iou(a, b, distance)
def eroded(mask, distance, border=0):
    picture = Image.fromarray(np.pad(mask, distance, constant_values=border).astype(np.uint8) * 255)
    shrunk = np.asarray(picture.filter(ImageFilter.MinFilter(2 * distance + 1))) > 0
    return shrunk[distance:-distance, distance:-distance]


def edge(mask, distance, border=0):
    return mask & ~eroded(mask, distance, border)


def b_iou(a, b, distance):
    return iou(edge(a, distance), edge(b, distance))


def by_steps(mask, distance):
    """City-block distance: one step at a time to the four neighbors."""
    left = np.pad(mask, 1)
    for _ in range(distance):
        left = left & np.roll(left, 1, 0) & np.roll(left, -1, 0) & np.roll(left, 1, 1) & np.roll(left, -1, 1)
    return mask & ~left[1:-1, 1:-1]


def minfilter_at_the_border(mask, distance):
    """Without padding, the filter repeats the pixels of the border."""
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return mask & ~(np.asarray(picture.filter(ImageFilter.MinFilter(2 * distance + 1))) > 0)


def window_of_distance(mask, distance):
    """A window of `distance` pixels instead of 2 distance + 1: to the lower right only."""
    height, width = mask.shape
    padded = np.pad(mask, ((0, distance), (0, distance)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (distance + 1, distance + 1))
    return mask & ~windows.all(axis=(2, 3))[:height, :width]


def gradient(mask, distance):
    """The pixels at which the mask changes, inside and outside."""
    smeared = Image.fromarray(np.pad(mask, distance).astype(np.uint8) * 255)
    grown = np.asarray(smeared.filter(ImageFilter.MaxFilter(2 * distance + 1)))[distance:-distance, distance:-distance]
    return (grown > 0) & ~eroded(mask, distance)


def filled(mask):
    """Holes that touch no edge of their row are closed."""
    return np.logical_or.accumulate(mask, 1) & np.logical_or.accumulate(mask[:, ::-1], 1)[:, ::-1]


def f_score(a, b, distance):
    first, second = edge(a, distance), edge(b, distance)
    total = first.sum() + second.sum()
    return 2 * (first & second).sum() / total if total else NAN


def in_both_bands(a, b, distance):
    band = edge(a, distance) | edge(b, distance)
    return iou(a & band, b & band)


A = np.pad(np.ones((7, 7), dtype=bool), 2)
A[4, 4] = False
B = np.roll(A, 1, axis=1)
CORNER = A.copy()
CORNER[2, 2] = False
BORDER = np.ones((6, 6), dtype=bool)
SHORT = BORDER.copy()
SHORT[:, 5] = False
EMPTY = BORDER & False
W112 = [
    Wrong("masks", lambda a, b, _: iou(a, b), (A, B, 1), "plain"),
    Wrong("without the boundary", lambda a, b, d: iou(eroded(a, d), eroded(b, d)), (A, B, 1), "inner"),
    Wrong("city blocks", lambda a, b, d: iou(by_steps(a, d), by_steps(b, d)), (A, CORNER, 1), "diagonal"),
    Wrong(
        "repeated at the border",
        lambda a, b, d: iou(minfilter_at_the_border(a, d), minfilter_at_the_border(b, d)),
        (BORDER, SHORT, 1),
        "edge",
    ),
    Wrong("inside beyond", lambda a, b, d: iou(edge(a, d, 1), edge(b, d, 1)), (BORDER, SHORT, 1), "edge"),
    Wrong(
        "half a window", lambda a, b, d: iou(window_of_distance(a, d), window_of_distance(b, d)), (A, B, 2), "distance"
    ),
    Wrong("one pixel", lambda a, b, _: b_iou(a, b, 1), (A, CORNER, 2), "distance"),
    Wrong("twice as thick", lambda a, b, d: b_iou(a, b, 2 * d), (A, B, 1), "distance"),
    Wrong("both sides", lambda a, b, d: iou(gradient(a, d), gradient(b, d)), (A, B, 1), "outside"),
    Wrong("outer side", lambda a, b, d: iou(gradient(a, d) & ~a, gradient(b, d) & ~b), (A, B, 1), "outside"),
    Wrong("one band for both", in_both_bands, (A, B, 1), "band"),
    Wrong("band of the truth", lambda a, b, d: iou(a & edge(b, d), b & edge(b, d)), (A, B, 1), "band"),
    Wrong("holes closed", lambda a, b, d: b_iou(filled(a), filled(b), d), (A, CORNER, 1), "hole"),
    Wrong("boundary F", f_score, (A, B, 1), "dice"),
    Wrong(
        "the smaller",
        lambda a, b, d: min(iou(a, b), b_iou(a, b, d), key=lambda x: (x != x, x)),
        (A, filled(A) & ~eroded(filled(A), 1), 1),
        "smaller",
    ),
    Wrong("empty is 1", lambda a, b, d: b_iou(a, b, d) if (a | b).any() else 1.0, (EMPTY, EMPTY, 1), "empty"),
    Wrong("empty is 0", lambda a, b, d: b_iou(a, b, d) if a.any() and b.any() else 0.0, (EMPTY, EMPTY, 1), "empty"),
    Wrong(
        "one empty is NaN", lambda a, b, d: b_iou(a, b, d) if a.any() and b.any() else NAN, (A, A & False, 1), "empty"
    ),
]


def by_distances(a, b, distance):
    """For each pixel the distance to the nearest pixel outside, the larger one of rows and columns."""
    found = []
    for mask in (a, b):
        outside = np.argwhere(~np.pad(mask, 1)) - 1
        own = np.argwhere(mask)
        far = np.abs(own[:, None] - outside[None]).max(axis=2).min(axis=1) if len(own) else np.zeros(0)
        found.append({tuple(place) for place in own[far <= distance].tolist()})
    return len(found[0] & found[1]) / len(found[0] | found[1]) if found[0] | found[1] else NAN


def by_sums(a, b, distance):
    """A window that is not full sums to less than its area."""
    side = 2 * distance + 1
    edges = []
    for mask in (a, b):
        table = np.pad(np.pad(mask, distance).astype(int), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        sums = table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]
        edges.append(mask & (sums < side * side))
    return iou(*edges)


R112 = [("Pillow's filter", b_iou), ("distances", by_distances), ("sums of windows", by_sums)]


# 1.13 answers
BY_HAND = {
    "tp": 1,
    "fp": 3,
    "fn": 2,
    "sq": 0.75,
    "rq": 0.286,
    "pq_cow": 0.214,
    "pq_grass": 0.73,
    "pq": 0.472,
    "pq_cow_one_more": 0.393,
}


def by_hand(**other):
    return lambda *_: BY_HAND | other


W113 = [
    Wrong(
        "equal is enough",
        by_hand(tp=2, fp=2, fn=1, sq=0.625, rq=4 / 7, pq_cow=0.357, pq=0.543),
        (),
        "half",
    ),
    Wrong("T counts", by_hand(fp=4, rq=0.25, pq_cow=0.1875, pq=0.459, pq_cow_one_more=1.375 / 4), (), "dropped"),
    Wrong("T counts, in FP alone", by_hand(fp=4), (), "dropped"),
    Wrong("void in the union", by_hand(pq_grass=54 / 76, pq=(0.2143 + 54 / 76) / 2), (), "grass void"),
    Wrong("SQ of three cows", by_hand(sq=0.25, pq_cow=0.25 * 2 / 7, pq=0.4006), (), "sq"),
    Wrong("no halves", by_hand(rq=1 / 6, pq_cow=0.125, pq=0.427, pq_cow_one_more=0.275), (), "rq"),
    Wrong("recall", by_hand(rq=1 / 3, pq_cow=0.25, pq=0.49), (), "rq"),
    Wrong("precision", by_hand(rq=1 / 4, pq_cow=0.1875, pq=0.459), (), "rq"),
    Wrong("summed", by_hand(pq=0.944), (), "mean"),
    Wrong("of all segments", by_hand(pq=(0.75 + 54 / 74) / (2 + 1.5 + 1)), (), "mean"),
    Wrong("as before", by_hand(pq_cow_one_more=0.214), (), "one more"),
    Wrong("FP stays", by_hand(pq_cow_one_more=1.375 / 4), (), "one more"),
    Wrong("exchanged", by_hand(fp=2, fn=3), (), "exchanged"),
    Wrong("accuracy of grass", by_hand(pq_grass=54 / 66, pq=(0.2143 + 54 / 66) / 2), (), "grass"),
]
R113 = [
    ("three decimals", by_hand()),
    ("fractions", by_hand(sq=12 / 16, rq=2 / 7, pq_grass=27 / 37)),
]

NAMES = {"1.5": {"two": ("two results",)}}
WRONG = {"1.1": W11, "1.3": W13, "1.5": W15, "1.7": W17, "1.12": W112, "1.13": W113}
RIGHT = {"1.1": R11, "1.5": R15, "1.7": R17, "1.12": R112, "1.13": R113}
