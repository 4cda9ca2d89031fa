"""Exercise 1.3: IoU of each class and its mean, with absent classes left out and pixels without an answer."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded

STUB = '''
def class_iou(matrix):
    """IoU of each of the K classes, NaN where one is nowhere, and the mean of the others; K rows, K or more columns."""
    raise NotImplementedError("Write class_iou() here, then run this cell again.")
'''


def class_iou(matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """IoU of each of the K classes, NaN where one is nowhere, and the mean of the others; K rows, K or more columns."""
    right = np.diag(matrix)
    union = matrix.sum(axis=1) + matrix.sum(axis=0)[: len(matrix)] - right
    seen = union > 0
    iou = np.full(len(matrix), np.nan)
    iou[seen] = right[seen] / union[seen]
    return iou, iou[seen].mean() if seen.any() else np.nan


def _with_loops(matrix):  # type: ignore[no-untyped-def]
    values = []
    for number in range(len(matrix)):
        right = matrix[number][number]
        missed = sum(matrix[number]) - right
        false = sum(row[number] for row in matrix) - right
        values.append(right / (right + missed + false) if right + missed + false else float("nan"))
    seen = [value for value in values if value == value]
    return values, sum(seen) / len(seen) if seen else float("nan")


def _with_torch(matrix):  # type: ignore[no-untyped-def]
    import torch

    counts = torch.from_numpy(matrix)
    right = counts.diagonal()
    iou = right / (counts.sum(0)[: len(right)] + counts.sum(1) - right)
    return iou, iou.nanmean()


def _with_where(matrix):  # type: ignore[no-untyped-def]
    union = matrix.T[: len(matrix)].sum(1) + matrix.sum(1) - matrix.diagonal()
    iou = np.full(len(matrix), np.nan)
    np.divide(matrix.diagonal(), union, out=iou, where=union > 0)
    return [iou, iou[union > 0].mean() if union.any() else np.nan]


def _parts(matrix):  # type: ignore[no-untyped-def]
    right, in_target, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)[: len(matrix)]
    return right, in_target, predicted, in_target + predicted - right


def _mean_of(denominator, factor=1):  # type: ignore[no-untyped-def]
    def wrong(matrix):  # type: ignore[no-untyped-def]
        right, in_target, predicted, _ = _parts(matrix)
        iou = factor * right / denominator(in_target, predicted)
        return iou, np.nanmean(iou)

    return wrong


def _absent_as(value):  # type: ignore[no-untyped-def]
    def wrong(matrix):  # type: ignore[no-untyped-def]
        iou = np.nan_to_num(class_iou(matrix)[0], nan=value)
        return iou, iou.mean()

    return wrong


def _other_mean(mean):  # type: ignore[no-untyped-def]
    def wrong(matrix):  # type: ignore[no-untyped-def]
        iou = class_iou(matrix)[0]
        return iou, mean(iou, *_parts(matrix))

    return wrong


def _known(test):  # type: ignore[no-untyped-def]
    """Where a class does not pass a test of row and column sum, it is taken for absent."""

    def wrong(matrix):  # type: ignore[no-untyped-def]
        iou = np.where(test(*_parts(matrix)[1:3]), class_iou(matrix)[0], np.nan)
        return iou, np.nanmean(iou)

    return wrong


def _of_squares(matrix):  # type: ignore[no-untyped-def]
    iou = np.diag(matrix) / (matrix.sum(axis=1) + matrix.sum(axis=0) - np.diag(matrix))
    return iou, np.nanmean(iou)


def _as_a_class(matrix):  # type: ignore[no-untyped-def]
    """What is no class gets a row of zeros and an IoU of 0."""
    rows, columns = matrix.shape
    return class_iou(np.concatenate([matrix, np.zeros((columns - rows, columns), dtype=matrix.dtype)]))


def _found_by_the_first(matrix):  # type: ignore[no-untyped-def]
    """What is no class is taken for the first one."""
    square = matrix[:, : len(matrix)].copy()
    square[:, 0] += matrix[:, len(matrix) :].sum(axis=1)
    return class_iou(square)


def _without_absent(matrix):  # type: ignore[no-untyped-def]
    iou, mean = class_iou(matrix)
    return iou[~np.isnan(iou)], mean


def _counted_in(dtype):  # type: ignore[no-untyped-def]
    return lambda matrix: class_iou(matrix.astype(dtype))


def _mean_by_hand(matrix):  # type: ignore[no-untyped-def]
    iou = class_iou(matrix)[0]
    known = [float(one) for one in iou if one == one]
    return iou, sum(known) / len(known)


_BY_HAND = np.array([[15, 0, 3, 0], [1, 3, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])

EXERCISE = Exercise(
    id="1.3",
    title="IoU per class and its mean",
    name="class_iou",
    statement=r"""
Write `class_iou(matrix)` for a confusion matrix (rows: target). It returns two things: the IoU of each class,

$$\mathrm{IoU}_k = \frac{n_{kk}}{\sum_j n_{kj} + \sum_i n_{ik} - n_{kk}},$$

and their mean (mIoU). A class that is neither in the target nor in the prediction has the IoU `np.nan` and does not
enter the mean. A class that is only predicted has the IoU 0, and it does. If there is no class at all, the mean is
`np.nan`, too.

Some networks may also answer "I do not know". Their matrix has K rows and **more than K columns**: from column K on it
counts the pixels whose answer is none of the classes. Such a pixel is missed by its true class like any other wrong
one, but no class is blamed for having invented it. The result has K values in any case.
""",
    stub=STUB,
    reference=class_iou,
    cases=(
        Case(
            "class 2 only predicted, class 3 nowhere",
            (_BY_HAND,),
            (np.array([15 / 19, 3 / 4, 0, np.nan]), (15 / 19 + 3 / 4) / 3),
        ),
        Case("two classes", (np.array([[3, 1], [2, 4]]),), (np.array([3 / 6, 4 / 7]), (3 / 6 + 4 / 7) / 2)),
        Case(
            "one more column: not known",
            (np.array([[3, 1, 4], [2, 4, 0]]),),
            (np.array([3 / 10, 4 / 7]), (3 / 10 + 4 / 7) / 2),
            "unknown",
        ),
        Case(
            "two more columns, and a class that is never known",
            (np.array([[5, 0, 1, 0, 2], [0, 0, 0, 3, 1], [1, 0, 6, 0, 0]]),),
            (np.array([5 / 9, 0, 6 / 8]), (5 / 9 + 6 / 8) / 3),
            "unknown",
        ),
        Case("all right", (np.diag([5, 7, 1]),), (np.ones(3), 1.0)),
        Case("all wrong", (np.array([[0, 4], [6, 0]]),), (np.zeros(2), 0.0)),
        Case("random, 6 classes", (seeded(0).integers(0, 50, (6, 6)),)),
        Case(
            "errors of every kind, and a class of one pixel",
            (np.array([[2, 2, 0, 0], [0, 1, 2, 0], [0, 1, 1, 0], [0, 0, 0, 1]]),),
            (np.array([2 / 4, 1 / 6, 1 / 4, 1]), (2 / 4 + 1 / 6 + 1 / 4 + 1) / 4),
        ),
        Case("only one class exists", (np.array([[9, 0], [0, 0]]),), (np.array([1, np.nan]), 1.0), "absent"),
        Case(
            "class 1 is never predicted",
            (np.array([[6, 0, 2], [1, 0, 1], [0, 0, 5]]),),
            (np.array([6 / 9, 0, 5 / 8]), (6 / 9 + 5 / 8) / 3),
            "zero",
        ),
        Case("a data set: billions of pixels", (np.array([[3 * 10**9, 10**9], [2 * 10**9, 4 * 10**9]]),), hint="large"),
        Case("nothing counted", (np.zeros((3, 3), dtype=int),), (np.full(3, np.nan), np.nan), "nothing"),
        Case(
            "random, classes 1 and 4 absent",
            (seeded(1).integers(1, 90, (5, 5)) * np.outer([1, 0, 1, 1, 0], [1, 0, 1, 1, 0]),),
            hint="absent",
        ),
    ),
    hints={
        "general": Hint(
            "For each class: right pixels are on the diagonal, its row holds the target's pixels, its column the "
            "predicted ones.",
            "Three arrays of length K give all unions at once: the diagonal, the sums of the rows, the sums of the "
            "columns. Divide only where the union is not 0, and take the mean over those classes.",
        ),
        "unknown": Hint(
            "Look at a matrix with more columns than rows: the pixels beyond column K are missed by the class of their "
            "row, are blamed on no class, and make no class of their own.",
            "The row sums go over all columns; of the column sums only the first K are classes.",
        ),
        "union": Hint(
            "Row sum plus column sum counts the right pixels twice.",
            "Subtract the diagonal once: row + column - diagonal.",
        ),
        "dice": Hint(
            "This is Dice, 2 n_kk / (row + column), not IoU.",
            "Leave out the factor 2 and subtract the diagonal from the denominator.",
        ),
        "larger": Hint(
            "You divide by the larger (or the smaller) of row and column sum. The union holds both.",
            "row + column - diagonal.",
        ),
        "recall": Hint(
            "You divide by the row sum alone. That is the accuracy of the class (recall): predicting the class "
            "everywhere would be free.",
            "Add the column sum and subtract the diagonal.",
        ),
        "precision": Hint(
            "You divide by the column sum alone. That is precision: missing pixels of the class would be free.",
            "Add the row sum and subtract the diagonal.",
        ),
        "absent": Hint(
            "Look at a class that is nowhere: it has no IoU, neither 0 nor 1. It stays in the list as NaN and must not "
            "pull the mean up or down.",
            "np.where(union > 0, right / union, np.nan), then np.nanmean.",
        ),
        "zero": Hint(
            "Look at a class that is only in the target, or only predicted: its IoU is 0, and 0 enters the mean.",
            "Leave a class out only if its union is 0: np.nanmean(iou) does.",
        ),
        "large": Hint(
            "Look at large counts: a data set has billions of pixels, more than 8, 16 or 32 bits hold.",
            "Convert to float (or int64) first: matrix = np.asarray(matrix, dtype=float).",
        ),
        "nothing": Hint(
            "Look at a matrix of zeros: no class exists. Each IoU is NaN, and so is the mean; nothing raises an error.",
            "np.nanmean gives NaN for nothing but NaN; a division of your own needs a test for 0.",
        ),
        "two results": Hint(
            "Two results are wanted: first the K IoU, then one number, their mean.",
            "return iou, np.nanmean(iou).",
        ),
        "median": Hint(
            "The second result is the median, or the best, of the IoU. Their mean is wanted.", "np.nanmean(iou)."
        ),
        "nan mean": Hint(
            "One NaN makes .mean() NaN. The mean goes over the classes that exist.",
            "np.nanmean(iou).",
        ),
        "all classes": Hint(
            "You divide the sum by all K classes. Absent classes are not to be counted.",
            "np.nanmean(iou), or divide by np.isfinite(iou).sum().",
        ),
        "only predicted": Hint(
            "A class that is predicted but not in the target is a mistake of the network: it has IoU 0, and it counts.",
            "Leave a class out only if row sum and column sum are both 0.",
        ),
        "weighted": Hint(
            "The mean is weighted by class size: this is frequency-weighted IoU. In mIoU each class counts the same.",
            "np.nanmean(iou), without weights.",
        ),
        "micro": Hint(
            "The second result pools all classes before dividing, so that large classes decide. The mean comes after "
            "the ratio.",
            "First one IoU per class, then np.nanmean of them.",
        ),
        "background": Hint(
            "Class 0 is left out of the mean. The background is a class like the others here.",
            "np.nanmean(iou) over all classes.",
        ),
    },
    mistakes=(
        Mistake("union without minus", _mean_of(lambda target, predicted: target + predicted), "union"),
        Mistake("Dice", _mean_of(lambda target, predicted: target + predicted, 2), "dice"),
        Mistake("recall", _mean_of(lambda target, predicted: target), "recall"),
        Mistake("precision", _mean_of(lambda target, predicted: predicted), "precision"),
        Mistake("what is not known is left out", lambda m: class_iou(m[:, : len(m)]), "unknown"),
        Mistake("what is not known is a class", _as_a_class, "unknown"),
        Mistake("what is not known is class 0", _found_by_the_first, "unknown"),
        Mistake("squares only", _of_squares, "unknown"),
        Mistake("absent class as 0", _absent_as(0.0), "absent"),
        Mistake("absent class as 1", _absent_as(1.0), "absent"),
        Mistake("absent class as 0 in the list", lambda m: (np.nan_to_num(class_iou(m)[0]), class_iou(m)[1]), "absent"),
        Mistake("absent class left out of the list", _without_absent, "absent"),
        Mistake("only the mean", lambda m: class_iou(m)[1], "two results"),
        Mistake("only the list", lambda m: class_iou(m)[0], "two results"),
        Mistake("results exchanged", lambda m: class_iou(m)[::-1], "two results"),
        Mistake("median", _other_mean(lambda iou, *_: np.nanmedian(iou)), "median"),
        Mistake("zeros left out", _other_mean(lambda iou, *_: np.nanmean(iou[iou > 0])), "zero"),
        Mistake("classes never predicted left out", _known(lambda row, column: column > 0), "zero"),
        Mistake("classes that are not in both left out", _known(lambda row, column: (row > 0) & (column > 0)), "zero"),
        Mistake("classes only predicted absent", _known(lambda row, column: row > 0), "only predicted"),
        Mistake("counts in 8 bits", _counted_in(np.uint8), "large"),
        Mistake("counts in 16 bits", _counted_in(np.int16), "large"),
        Mistake("counts in 32 bits", _counted_in(np.int32), "large"),
        Mistake("nothing gives 0", lambda m: (class_iou(m)[0], np.nan_to_num(class_iou(m)[1])), "nothing"),
        Mistake("mean over existing classes by hand", _mean_by_hand, "nothing"),
        Mistake("plain mean", _other_mean(lambda iou, *_: iou.mean()), "nan mean"),
        Mistake("sum over K", _other_mean(lambda iou, *_: np.nansum(iou) / len(iou)), "all classes"),
        Mistake(
            "classes only predicted left out",
            _other_mean(lambda iou, _, row, *__: np.nanmean(iou[row > 0])),
            "only predicted",
        ),
        Mistake(
            "weighted by frequency", _other_mean(lambda iou, _, row, *__: np.nansum(iou * row) / row.sum()), "weighted"
        ),
        Mistake("pooled over classes", _other_mean(lambda _, right, *rest: right.sum() / rest[-1].sum()), "micro"),
        Mistake("pixel accuracy as mean", _other_mean(lambda _, right, row, *__: right.sum() / row.sum()), "micro"),
        Mistake(
            "background left out of both",
            lambda m: (class_iou(m)[0][1:], np.nanmean(class_iou(m)[0][1:])),
            "background",
        ),
        Mistake("union of the larger", _mean_of(np.maximum), "larger"),
        Mistake("union of the smaller", _mean_of(np.minimum), "larger"),
        Mistake("largest IoU", _other_mean(lambda iou, *_: np.nanmax(iou)), "median"),
        Mistake("background left out", _other_mean(lambda iou, *_: np.nanmean(iou[1:])), "background"),
    ),
    alternatives=(_with_loops, _with_torch, _with_where),
    points=4,
    minutes=20,
    difficulty=2,
)
