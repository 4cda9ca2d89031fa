"""Answers to part A of lesson 1 (label maps), written from their statements alone."""

from fractions import Fraction

import numpy as np
import torch

from tests.exercises.blind import Wrong, all_wrapped

N, NAN = np.array, float("nan")
FULL = np.ones((20, 20), dtype=bool)
PART = np.arange(400).reshape(20, 20) < 260


# 1.1 iou(a, b)
def iou(a, b):
    union = (a | b).sum()
    return (a & b).sum() / union if union else np.nan


def iou_sets(a, b):
    a, b = ({*zip(*np.nonzero(one), strict=True)} for one in (a, b))
    return len(a & b) / len(a | b) if a | b else NAN


def iou_loops(a, b):
    both = either = 0
    for row_a, row_b in zip(a.tolist(), b.tolist(), strict=True):
        for one, other in zip(row_a, row_b, strict=True):
            both += one and other
            either += one or other
    return Fraction(int(both), int(either)) if either else NAN


def iou_torch(a, b):
    a, b = torch.as_tensor(a).float(), torch.as_tensor(b).float()
    return (a * b).sum() / torch.maximum(a, b).sum()


def iou_rows(a, b):
    """The mean over the rows."""
    rows = [iou(one, other) for one, other in zip(a, b, strict=True)]
    return np.nanmean(rows) if not np.all(np.isnan(rows)) else np.nan


L, J = N([[True, True, False, False]]), N([[False, True, True, False]])
NONE, ONE = N([[False, False]]), N([[True, False]])
W11 = [
    Wrong("union without the overlap taken off", lambda a, b: (a & b).sum() / (a.sum() + b.sum()), (L, J), "union"),
    Wrong("Dice", lambda a, b: 2 * (a & b).sum() / (a.sum() + b.sum()), (L, J), "dice"),
    Wrong("no care for the empty", lambda a, b: iou(a, b) if (a | b).any() else 0.0, (NONE, NONE), "both empty"),
    Wrong("empty is perfect", lambda a, b: iou(a, b) if (a | b).any() else 1, (NONE, NONE), "both empty"),
    Wrong("NaN if one is empty", lambda a, b: iou(a, b) if a.any() and b.any() else NAN, (NONE, ONE), "one empty"),
    Wrong("share of equal pixels", lambda a, b: (a == b).mean(), (L, J), "accuracy"),
    Wrong("equal pixels, NaN", lambda a, b: (a == b).mean() if (a | b).any() else NAN, (L, J), "accuracy"),
    Wrong("over the smaller", lambda a, b: (a & b).sum() / min(a.sum(), b.sum()), (L, J), "union"),
    Wrong("over the larger", lambda a, b: (a & b).sum() / max(a.sum(), b.sum()), (L, J), "union"),
    Wrong("recall", lambda a, b: (a & b).sum() / a.sum(), (L, J), "union"),
    Wrong("xor", lambda a, b: (a & b).sum() / (a ^ b).sum(), (L, J), "union"),
    Wrong("whole division", lambda a, b: (a & b).sum() // (a | b).sum() if (a | b).any() else NAN, (L, J), "ratio"),
    Wrong("epsilon", lambda a, b: (a & b).sum() / ((a | b).sum() + 1e-9), (NONE, NONE), "both empty"),
    Wrong("add one", lambda a, b: ((a & b).sum() + 1) / ((a | b).sum() + 1), (L, J), "smooth"),
    Wrong("percent", lambda a, b: 100 * iou(a, b), (L, J), "ratio"),
    Wrong("two decimals", lambda a, b: round(float(iou(a, b)), 2), (L, J), "rounded"),
    Wrong(
        "8-bit counts",
        lambda a, b: (a & b).sum(dtype=np.uint8) / (a | b).sum(dtype=np.uint8) if (a | b).any() else NAN,
        (PART, FULL),
        "overflow",
    ),
    Wrong("mean of the rows", iou_rows, (N([[1, 1], [1, 0]]) > 0, N([[1, 0], [1, 0]]) > 0), "rows"),
    Wrong("Python's and", lambda a, b: float(a.any() and b.any()) if a.any() or b.any() else NAN, (L, J), "and"),
]
R11 = [
    ("sets", iou_sets),
    ("loops and fractions", iou_loops),
    ("torch, 0-d float32", iou_torch),
    ("float32", lambda a, b: np.float32(iou(a, b))),
    ("one element", lambda a, b: [iou(a, b)]),
]


# 1.2 confusion_matrix(target, prediction, num_classes, ignore_index)
def confusion(target, prediction, num_classes, ignore_index, dtype=int):
    matrix = np.zeros((num_classes, num_classes), dtype=dtype)
    keep = target != ignore_index
    np.add.at(matrix, (target[keep].astype(int), prediction[keep].astype(int)), 1)
    return matrix


def bincount_in_8_bit(target, prediction, num_classes, ignore_index):
    keep = target != ignore_index
    pairs = np.uint8(num_classes) * target[keep] + prediction[keep]
    return np.bincount(pairs, minlength=num_classes**2)[: num_classes**2].reshape(num_classes, num_classes)


def confusion_fancy(target, prediction, num_classes, ignore_index):
    matrix = np.zeros((num_classes, num_classes))
    keep = target != ignore_index
    matrix[target[keep], prediction[keep]] += 1
    return matrix


def confusion_by_max(target, prediction, num_classes, ignore_index):
    keep = target != ignore_index
    return confusion(target, prediction, int(max(target[keep].max(), prediction.max())) + 1, ignore_index)


def confusion_in_range(target, prediction, num_classes, ignore_index):
    keep = (target >= 0) & (target < num_classes)
    return confusion(np.where(keep, target, 999), prediction, num_classes, 999)


def confusion_both_void(target, prediction, num_classes, ignore_index):
    void = (target == ignore_index) | (prediction == ignore_index)
    return confusion(np.where(void, -7, target), prediction, num_classes, -7)


def confusion_void_is_zero(target, prediction, num_classes, ignore_index):
    return confusion(np.where(target == ignore_index, 0, target), prediction, num_classes, -1)


def confusion_no_minlength(target, prediction, num_classes, ignore_index):
    keep = target != ignore_index
    return np.bincount(target[keep] * num_classes + prediction[keep]).reshape(num_classes, num_classes)


def confusion_shares(target, prediction, num_classes, ignore_index):
    matrix = confusion(target, prediction, num_classes, ignore_index)
    return matrix / np.maximum(matrix.sum(1, keepdims=True), 1)


def confusion_extra_row(target, prediction, num_classes, ignore_index):
    return confusion(np.where(target == ignore_index, num_classes, target), prediction, num_classes + 1, -1)


def confusion_void_kept(target, prediction, num_classes, ignore_index):
    matrix = np.zeros((num_classes, num_classes))
    for t, p in zip(target.ravel(), prediction.ravel(), strict=True):
        matrix[t, p] += 1
    return matrix


def confusion_square(target, prediction, num_classes, ignore_index):
    matrix = np.zeros((num_classes, num_classes))
    for i in range(len(target)):
        for j in range(len(target)):
            if target[i, j] != ignore_index:
                matrix[target[i, j], prediction[i, j]] += 1
    return matrix


def confusion_dict(target, prediction, num_classes, ignore_index):
    rows = [[0] * num_classes for _ in range(num_classes)]
    for t, p in zip(target.ravel().tolist(), prediction.ravel().tolist(), strict=True):
        if t != ignore_index:
            rows[t][p] += 1
    return rows


def confusion_one_hot(target, prediction, num_classes, ignore_index):
    target, prediction = torch.as_tensor(target.astype(int)).ravel(), torch.as_tensor(prediction.astype(int)).ravel()
    target, prediction = target[target != ignore_index], prediction[target != ignore_index]
    of = torch.nn.functional.one_hot
    return of(target, num_classes).T.double() @ of(prediction, num_classes).double()


def confusion_pairs(target, prediction, num_classes, ignore_index):
    classes = range(num_classes)
    known = target != ignore_index
    return N([[np.sum(known & (target == i) & (prediction == j)) for j in classes] for i in classes], dtype=object)


T, P = N([[0, 1, 2], [2, 2, 255]], dtype=np.uint8), N([[0, 2, 2], [2, 0, 0]], dtype=np.uint8)
MANY = np.zeros((20, 20), dtype=np.uint8)
W12 = [
    Wrong("transposed", lambda t, p, k, v: confusion(t, p, k, v).T, (T, P, 3, 255), "axes"),
    Wrong("always 255", lambda t, p, k, v: confusion(t, p, k, 255), (N([[0, 1]]), N([[0, 1]]), 2, 0), "ignore_index"),
    Wrong("void if out of range", confusion_in_range, (N([[0, 1]]), N([[0, 1]]), 2, 1), "ignore_index"),
    Wrong("void in the prediction", confusion_both_void, (N([[0, 1]]), N([[0, 0]]), 2, 0), "prediction"),
    Wrong("void is class 0", confusion_void_is_zero, (T, P, 3, 255), "void"),
    Wrong("8-bit pairs", bincount_in_8_bit, (T * 0 + 20, P * 0 + 20, 21, 255), "overflow"),
    Wrong("8-bit pairs of many", bincount_in_8_bit, (T * 0 + 20, P, 21, 255), "overflow"),
    Wrong("8-bit counts", lambda *a: confusion(*a, dtype=np.uint8), (MANY, MANY, 2, 255), "counts"),
    Wrong("signed 8-bit counts", lambda *a: confusion(*a, dtype=np.int8), (MANY, MANY, 2, 255), "counts"),
    Wrong(
        "16-bit counts",
        lambda *a: confusion(*a, dtype=np.int16),
        (np.zeros((200, 200), int), np.zeros((200, 200), int), 2, 255),
        "counts",
    ),
    Wrong("fancy index", confusion_fancy, (T, P, 3, 255), "repeated"),
    Wrong("size from the largest label", confusion_by_max, (T, P, 5, 255), "size"),
    Wrong("no minlength", confusion_no_minlength, (T.astype(int), P.astype(int), 5, 255), "size"),
    Wrong("shares of a row", confusion_shares, (T, P, 3, 255), "counts not shares"),
    Wrong("an extra class", confusion_extra_row, (T, P, 3, 255), "size"),
    Wrong("void kept", confusion_void_kept, (T, P, 3, 255), "void"),
    Wrong("square pictures", confusion_square, (T, P, 3, 255), "height and width"),
    Wrong(
        "signed 8-bit labels",
        lambda t, p, k, v: confusion(t.astype(np.int8), p.astype(np.int8), k, np.int8(np.uint8(v))),
        (T * 0 + 200, P * 0 + 150, 201, 255),
        "classes above 127",
    ),
    Wrong("booleans", lambda *a: confusion(*a) > 0, (T, P, 3, 255), "counts not shares"),
]
R12 = [
    ("lists", confusion_dict),
    ("one-hot in torch", confusion_one_hot),
    ("object array", confusion_pairs),
    ("float32", lambda *a: confusion(*a).astype(np.float32)),
]


# 1.3 class_iou(matrix)
def ious(matrix):
    matrix = np.asarray(matrix, dtype=float)
    union = matrix.sum(0)[: len(matrix)] + matrix.sum(1) - np.diag(matrix)
    with np.errstate(all="ignore"):
        return np.diag(matrix) / union


def mean(values):
    values = [one for one in values if one == one]
    return sum(values) / len(values) if values else NAN


def predicted_only_absent(matrix):
    found = np.where(matrix.sum(1) > 0, ious(matrix), np.nan)
    return found, np.nanmean(found)


def predicted_only_not_in_mean(matrix):
    return ious(matrix), mean(ious(matrix)[matrix.sum(1) > 0])


def weighted_mean(matrix):
    return ious(matrix), np.nansum(ious(matrix) * matrix.sum(1)) / matrix.sum()


def dice_per_class(matrix):
    found = 2 * np.diag(matrix) / (matrix.sum(0) + matrix.sum(1))
    return found, np.nanmean(found)


def no_overlap_off(matrix):
    found = np.diag(matrix) / (matrix.sum(0) + matrix.sum(1))
    return found, np.nanmean(found)


def class_loops(matrix):
    found = []
    for k in range(len(matrix)):
        union = int(sum(matrix[k])) + int(sum(matrix[i][k] for i in range(len(matrix)))) - int(matrix[k][k])
        found.append(Fraction(int(matrix[k][k]), union) if union else NAN)
    return found, mean(found)


def class_torch(matrix):
    matrix = torch.as_tensor(np.asarray(matrix, dtype=np.float64))
    found = matrix.diagonal() / (matrix.sum(0)[: len(matrix)] + matrix.sum(1) - matrix.diagonal())
    return found, found.nanmean()


def class_16_bit(matrix):
    return ious_in(matrix, np.int16)


def ious_in(matrix, dtype):
    matrix = np.asarray(matrix).astype(dtype)
    union = (matrix.sum(0, dtype=dtype)[: len(matrix)] + matrix.sum(1, dtype=dtype) - np.diag(matrix)).astype(dtype)
    found = np.diag(matrix) / union
    return found, np.nanmean(found)


def recall_as_iou(matrix):
    found = np.diag(matrix) / matrix.sum(1)
    return found, np.nanmean(found)


def precision_as_iou(matrix):
    found = np.diag(matrix) / matrix.sum(0)
    return found, np.nanmean(found)


M = N([[5, 1, 0], [2, 3, 0], [0, 0, 0]])
M2 = N([[5, 1, 2], [2, 3, 1], [0, 0, 0]])
W13 = [
    Wrong("only the classes", lambda m: ious(m), (M,), "two results"),
    Wrong("only the mean", lambda m: mean(ious(m)), (M,), "two results"),
    Wrong("exchanged", lambda m: (mean(ious(m)), ious(m)), (M,), "two results"),
    Wrong("plain mean", lambda m: (ious(m), ious(m).mean()), (M,), "absent"),
    Wrong("NaN as 0", lambda m: (np.nan_to_num(ious(m)), np.nan_to_num(ious(m)).mean()), (M,), "absent"),
    Wrong("NaN as 0 in the list", lambda m: (np.nan_to_num(ious(m)), mean(ious(m))), (M,), "absent"),
    Wrong("NaN as 0 in the mean", lambda m: (ious(m), np.nan_to_num(ious(m)).mean()), (M,), "absent"),
    Wrong("NaN as 1", lambda m: (np.nan_to_num(ious(m), nan=1), np.nan_to_num(ious(m), nan=1).mean()), (M,), "absent"),
    Wrong("absent ones left out", lambda m: (ious(m)[~np.isnan(ious(m))], mean(ious(m))), (M,), "absent"),
    Wrong("only predicted is absent", predicted_only_absent, (M2,), "only predicted"),
    Wrong("only predicted not in the mean", predicted_only_not_in_mean, (M2,), "only predicted"),
    Wrong("0 does not enter the mean", lambda m: (ious(m), mean(x for x in ious(m) if x > 0)), (M2,), "only predicted"),
    Wrong("weighted", weighted_mean, (M,), "mean"),
    Wrong("Dice", dice_per_class, (M,), "dice"),
    Wrong("union too large", no_overlap_off, (M,), "union"),
    Wrong("recall", recall_as_iou, (M2,), "union"),
    Wrong("precision", precision_as_iou, (M2,), "union"),
    Wrong("pixel accuracy as the mean", lambda m: (ious(m), np.trace(m) / np.sum(m)), (M,), "mean"),
    Wrong("16 bits", class_16_bit, (N([[30000, 3000], [1000, 30000]]),), "overflow"),
    Wrong("median", lambda m: (ious(m), np.nanmedian(ious(m))), (N([[5, 1, 1], [2, 3, 0], [0, 1, 9]]),), "mean"),
]
R13 = [("loops and fractions", class_loops), ("torch", class_torch), ("a list", lambda m: [ious(m), [mean(ious(m))]])]


# 1.4 mean_dice(iou)
def dice(iou):
    return [2 * one / (1 + one) for one in np.asarray(iou, dtype=float).tolist() if one == one]


def in_place(iou):
    iou[np.isnan(iou)] = 0
    return mean(2 * iou[iou > 0] / (1 + iou[iou > 0])) if (iou > 0).any() else NAN


def dice_of_mean(iou):
    return 2 * np.nanmean(iou) / (1 + np.nanmean(iou))


def dice_fractions(iou):
    values = [2 * Fraction(one) / (1 + Fraction(one)) for one in iou.tolist() if one == one]
    return sum(values) / len(values) if values else NAN


IOU = N([0.5, NAN, 0.25, 0.0])
W14 = [
    Wrong("Dice of the mean IoU", dice_of_mean, (IOU,), "mean first"),
    Wrong("the way back", lambda iou: np.nanmean(iou / (2 - iou)), (IOU,), "formula"),
    Wrong("no factor 2", lambda iou: np.nanmean(iou / (1 + iou)), (IOU,), "formula"),
    Wrong("doubled", lambda iou: np.nanmean(2 * iou), (IOU,), "formula"),
    Wrong("1 - J", lambda iou: np.nanmean(2 * iou / (1 - iou)), (IOU,), "formula"),
    Wrong("2 + J", lambda iou: np.nanmean(2 * iou / (2 + iou)), (IOU,), "formula"),
    Wrong("the IoU", lambda iou: np.nanmean(iou), (IOU,), "formula"),
    Wrong("plain mean", lambda iou: np.mean(2 * iou / (1 + iou)), (IOU,), "absent"),
    Wrong("absent as 0", lambda iou: np.nan_to_num(2 * iou / (1 + iou)).mean(), (IOU,), "absent"),
    Wrong("absent as 1", lambda iou: np.nan_to_num(2 * iou / (1 + iou), nan=1.0).mean(), (IOU,), "absent"),
    Wrong("sum over K", lambda iou: sum(dice(iou)) / len(iou), (IOU,), "absent"),
    Wrong("zeros left out", lambda iou: mean(x for x in dice(iou) if x), (IOU,), "zero"),
    Wrong("writes", in_place, (IOU,), "writes"),
    Wrong("the list", lambda iou: 2 * iou / (1 + iou), (IOU,), "one number"),
    Wrong("the sum", lambda iou: sum(dice(iou)), (IOU,), "mean"),
    Wrong("the median", lambda iou: np.median(dice(iou)), (N([0.1, 0.2, 0.9]),), "mean"),
    Wrong("two decimals", lambda iou: round(float(mean(dice(iou))), 2), (IOU,), "rounded"),
]
R14 = [
    ("fractions", dice_fractions),
    ("torch", lambda iou: torch.as_tensor(2 - 2 / (1 + iou)).nanmean()),
    ("float32", lambda iou: np.float32(mean(dice(iou)))),
]


# 1.5 dataset_mean_iou(targets, predictions, num_classes, ignore_index)
def summed(targets, predictions, k, v, count=confusion):
    return sum((count(t, p, k, v) for t, p in zip(targets, predictions, strict=True)), np.zeros((k, k)))


def data_set(targets, predictions, k, v):
    return mean(ious(summed(targets, predictions, k, v)))


def mean_of_pictures(targets, predictions, k, v):
    return np.nanmean([mean(ious(confusion(t, p, k, v))) for t, p in zip(targets, predictions, strict=True)])


def mean_per_class_first(targets, predictions, k, v):
    return np.nanmean(
        np.nanmean([ious(confusion(t, p, k, v)) for t, p in zip(targets, predictions, strict=True)], axis=0)
    )


def all_values_together(targets, predictions, k, v):
    return np.nanmean([ious(confusion(t, p, k, v)) for t, p in zip(targets, predictions, strict=True)])


def weighted_by_size(targets, predictions, k, v):
    parts = [mean(ious(confusion(t, p, k, v))) for t, p in zip(targets, predictions, strict=True)]
    return np.average(parts, weights=[t.size for t in targets])


def stacked(targets, predictions, k, v):
    return mean(ious(confusion(np.stack(targets), np.stack(predictions), k, v)))


def only_in_targets(targets, predictions, k, v):
    matrix = summed(targets, predictions, k, v)
    return mean(ious(matrix)[matrix.sum(1) > 0])


def mean_over_all(targets, predictions, k, v):
    return np.nan_to_num(ious(summed(targets, predictions, k, v))).mean()


def last_only(targets, predictions, k, v):
    for t, p in zip(targets, predictions, strict=True):
        matrix = confusion(t, p, k, v)
    return mean(ious(matrix))


def concatenated(targets, predictions, k, v):
    return mean(ious(confusion(*(np.concatenate([x.ravel() for x in one]) for one in (targets, predictions)), k, v)))


def data_set_torch(targets, predictions, k, v):
    inter, union = torch.zeros(k), torch.zeros(k)
    for t, p in zip(targets, predictions, strict=True):
        t, p = torch.from_numpy(t.astype(int)), torch.from_numpy(p.astype(int))
        for c in range(k):
            inter[c] += ((t == c) & (p == c) & (t != v)).sum()
            union[c] += (((t == c) | (p == c)) & (t != v)).sum()
    return (inter / union).nanmean()


TS = [N([[0, 0, 1, 1, 0]]), N([[1, 1], [255, 0]])]
PS = [N([[0, 1, 1, 0, 0]]), N([[0, 1], [1, 0]])]
BIG = [np.arange(400).reshape(20, 20) % 2]
W15 = [
    Wrong("mean of the pictures", mean_of_pictures, (TS, PS, 2, 255), "per image"),
    Wrong("per class over the pictures", mean_per_class_first, (TS, PS, 2, 255), "per image"),
    Wrong("mean of all IoU", all_values_together, (TS, PS, 2, 255), "per image"),
    Wrong("weighted by size", weighted_by_size, (TS, PS, 2, 255), "per image"),
    Wrong("stacked", stacked, (TS, PS, 2, 255), "sizes"),
    Wrong(
        "targets' classes only",
        only_in_targets,
        (TS, [np.where(p == 1, 2, p) for p in PS[:1]] + PS[1:], 3, 255),
        "only predicted",
    ),
    Wrong("absent as 0", mean_over_all, (TS, PS, 4, 255), "absent"),
    Wrong("the last picture", last_only, (TS, PS, 2, 255), "all pictures"),
    Wrong("always 255", lambda t, p, k, v: data_set(t, p, k, 255), (TS[:1] * 2, PS[:1] * 2, 2, 0), "ignore_index"),
    Wrong(
        "exchanged",
        lambda t, p, k, v: data_set(p, t, k, v),
        ([N([[0, 1, 1]])] * 2, [N([[1, 1, 1]])] * 2, 2, 0),
        "exchanged",
    ),
    Wrong("void kept as a class", lambda t, p, k, v: data_set(t, p, 256, -1), (TS, PS, 2, 255), "void"),
    Wrong(
        "pixel accuracy",
        lambda t, p, k, v: np.trace(summed(t, p, k, v)) / summed(t, p, k, v).sum(),
        (TS, PS, 2, 255),
        "accuracy",
    ),
    Wrong(
        "8-bit counts",
        lambda t, p, k, v: mean(ious(summed(t, p, k, v, lambda *a: confusion(*a, dtype=np.uint8)))),
        ([np.zeros((20, 20), int), BIG[0]], [np.zeros((20, 20), int), BIG[0] * 0], 2, 255),
        "overflow",
    ),
    Wrong(
        "mean matrix of rates",
        lambda t, p, k, v: mean(ious(summed(t, p, k, v, confusion_shares))),
        (TS, PS, 2, 255),
        "per image",
    ),
]
R15 = [
    ("concatenated", concatenated),
    ("torch", data_set_torch),
    ("fractions", lambda t, p, k, v: class_loops(summed(t, p, k, v))[1]),
]


# Which hints name a mistake whose hint has another name, judged by reading them.
NAMES = {
    "1.1": {
        "both empty": ("empty",),
        "union": (
            "one mask",
            "xor",
        ),
        "ratio": ("scale",),
        "smooth": ("constant",),
        "rounded": ("scale",),
        "overflow": ("large",),
        "and": ("scale",),
    },
    "1.2": {
        "prediction": ("predicted",),
        "overflow": ("bytes",),
        "counts": ("large",),
        "size": ("minlength",),
        "counts not shares": (
            "counts",
            "repeated",
        ),
        "height and width": ("every pixel",),
        "classes above 127": ("bytes",),
    },
    "1.3": {
        "absent": (
            "all classes",
            "nan mean",
        ),
        "only predicted": ("zero",),
        "mean": (
            "median",
            "micro",
            "weighted",
        ),
        "union": (
            "precision",
            "recall",
        ),
        "overflow": ("large",),
    },
    "1.4": {
        "mean first": ("order",),
        "formula": (
            "denominator",
            "half",
            "inverse",
            "unconverted",
        ),
        "absent": ("nan mean",),
        "writes": ("in place",),
        "mean": (
            "median",
            "sum",
        ),
    },
    "1.5": {
        "all pictures": ("one picture",),
        "accuracy": ("micro",),
        "overflow": ("large",),
    },
}


def of_booleans(answer):
    """For masks of any kind of numbers."""
    return lambda a, b: answer(a != 0, b != 0)


def left_out(answer):
    """The mean of all pictures, and those without each of them."""

    def both(targets, predictions, *how):
        without = [
            answer(targets[:i] + targets[i + 1 :], predictions[:i] + predictions[i + 1 :], *how)
            for i in range(len(targets))
        ]
        return answer(targets, predictions, *how), without

    return both


WRONG = {"1.1": all_wrapped(of_booleans, W11), "1.2": W12, "1.3": W13, "1.4": W14, "1.5": all_wrapped(left_out, W15)}
RIGHT = {"1.1": all_wrapped(of_booleans, R11), "1.2": R12, "1.3": R13, "1.4": R14, "1.5": all_wrapped(left_out, R15)}
