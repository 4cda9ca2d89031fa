"""Exercise 1.2: the confusion matrix of two label maps, void left out."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import label_map, random_label_maps

STUB = '''
def confusion_matrix(target, prediction, num_classes, ignore_index):
    """K x K counts: row = class in the target, column = class predicted; pixels void in the target are left out."""
    raise NotImplementedError("Write confusion_matrix() here, then run this cell again.")
'''


def confusion_matrix(target: np.ndarray, prediction: np.ndarray, num_classes: int, ignore_index: int) -> np.ndarray:
    """K x K counts: row = class in the target, column = class predicted; pixels void in the target are left out."""
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    valid = target != ignore_index
    for wanted, predicted in zip(target[valid], prediction[valid], strict=True):
        matrix[wanted, predicted] += 1
    return matrix


def bincount_matrix(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    """The same, fast."""
    valid = target != ignore_index
    cells = target[valid].astype(np.int64) * num_classes + prediction[valid]
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def _add_at(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    matrix, valid = np.zeros((num_classes, num_classes)), target != ignore_index
    np.add.at(matrix, (target[valid], prediction[valid]), 1)
    return matrix


def _one_cell_at_a_time(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    void = target == ignore_index
    numbers = range(num_classes)
    return [[int(((target == i) & (prediction == j) & ~void).sum()) for j in numbers] for i in numbers]


def _with_torch(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn.functional import one_hot

    valid = torch.from_numpy(target != ignore_index)
    wanted = one_hot(torch.from_numpy(target).long()[valid], num_classes)
    return wanted.T @ one_hot(torch.from_numpy(prediction).long()[valid], num_classes)


def _void_as(number):  # type: ignore[no-untyped-def]
    def wrong(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
        target = np.where(target == ignore_index, number % num_classes, target)
        return bincount_matrix(target, prediction, num_classes, -1)

    return wrong


def _void_of_prediction(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    return _add_at(prediction, target, num_classes, ignore_index).T


def _without_minlength(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    valid = target != ignore_index
    cells = target[valid].astype(np.int64) * num_classes + prediction[valid]
    return np.bincount(cells).reshape(num_classes, num_classes)


def _each_cell_once(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    matrix, valid = np.zeros((num_classes, num_classes), dtype=int), target != ignore_index
    matrix[target[valid], prediction[valid]] += 1
    return matrix


def _counted_in(dtype):  # type: ignore[no-untyped-def]
    return lambda *inputs: bincount_matrix(*inputs).astype(dtype)


def _labels_in_signed_8_bit(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    target, prediction = target.astype(np.int8), prediction.astype(np.int8)
    return _add_at(target, prediction, num_classes, np.int64(ignore_index).astype(np.int8))


def _as_large_as_the_labels(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    kept = target[target != ignore_index]
    return bincount_matrix(target, prediction, int(max(kept.max(initial=0), prediction.max())) + 1, ignore_index)


def _void_in_either(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    valid = (target != ignore_index) & (prediction != ignore_index)
    return bincount_matrix(target[valid], prediction[valid], num_classes, -1)


def _void_as_one_more(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    return _add_at(np.where(target == ignore_index, num_classes, target), prediction, num_classes + 1, -1)


def _square(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    return bincount_matrix(target[:, : len(target)], prediction[:, : len(target)], num_classes, ignore_index)


def _overflowing(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    valid = target != ignore_index
    cells = target[valid] * num_classes + prediction[valid]
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def _only_255(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    return _add_at(target, prediction, num_classes, 255)


def _labels_below_k(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    valid = target < num_classes
    return bincount_matrix(target[valid], prediction[valid], num_classes, -1)


def _without_background(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    matrix = bincount_matrix(target, prediction, num_classes, ignore_index)
    matrix[0] = 0
    return matrix


def _shares_of_rows(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    matrix = bincount_matrix(target, prediction, num_classes, ignore_index)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def _shares(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    matrix = bincount_matrix(target, prediction, num_classes, ignore_index)
    return matrix / max(matrix.sum(), 1)


def _pixels_of_different_places(target, prediction, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    return bincount_matrix(target.ravel(), prediction.T.ravel(), num_classes, ignore_index)


_PALETTE_IMAGE = tuple(one.astype(np.uint8) for one in random_label_maps(5, (12, 9), 21))
_MANY_CLASSES = tuple(one.astype(np.uint8) for one in random_label_maps(7, (7, 9), 190))
_LARGE = tuple(one.astype(np.uint8) for one in random_label_maps(8, (190, 200), 2, right=0.99, void=0.01))
_LARGE = tuple(np.where(one == 1, one * (np.arange(200) < 10), one) for one in _LARGE)  # mostly class 0

EXERCISE = Exercise(
    id="1.2",
    title="Confusion matrix with void",
    name="confusion_matrix",
    statement="""
Write `confusion_matrix(target, prediction, num_classes, ignore_index)`. Entry `[i, j]` of the K x K result counts
the pixels whose class is `i` in the target and `j` in the prediction. Pixels whose *target* is `ignore_index` are
void: they count nowhere, whatever was predicted there. The prediction itself holds only 0 ... K-1.

Label maps read from a PNG are `uint8`: your function should not mind.
""",
    stub=STUB,
    reference=confusion_matrix,
    cases=(
        Case(
            "two classes, no void",
            (label_map("0011 0011"), label_map("0111 0001"), 2, 255),
            np.array([[3, 1], [1, 3]]),
        ),
        Case("random maps 20 x 30, 5 classes", (*random_label_maps(4, (20, 30), 5), 5, 255)),
        Case(
            "three classes, three void pixels",
            (label_map("001v 012v 222v"), label_map("0112 0120 2102"), 3, 255),
            np.array([[2, 1, 0], [0, 2, 0], [1, 1, 2]]),
            "void",
        ),
        Case(
            "the last class is nowhere",
            (label_map("01 10"), label_map("00 11"), 4, 255),
            np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),
            "minlength",
        ),
        Case("all void", (label_map("vv vv"), label_map("01 12"), 3, 255), np.zeros((3, 3), dtype=int), "void"),
        Case(
            "void is class 0 here",
            (label_map("001 122"), label_map("101 121"), 3, 0),
            np.array([[0, 0, 0], [0, 2, 0], [0, 1, 1]]),
            "ignore_index",
        ),
        Case(
            "void is class 2 here, and 2 is predicted",
            (label_map("0122"), label_map("0202"), 3, 2),
            np.array([[1, 0, 0], [0, 0, 1], [0, 0, 0]]),
            "predicted",
        ),
        Case("void is 250", (*random_label_maps(6, (9, 14), 4, ignore_index=250), 4, 250), hint="ignore_index"),
        Case(
            "void is -1",
            (np.array([[0, -1, 1]]), np.array([[0, 1, 0]]), 2, -1),
            np.array([[1, 0], [1, 0]]),
            "ignore_index",
        ),
        Case("uint8 maps, 21 classes", (*_PALETTE_IMAGE, 21, 255), hint="bytes"),
        Case("uint8 maps, 190 classes", (*_MANY_CLASSES, 190, 255), hint="bytes"),
        Case("38,000 pixels, most of them class 0", (*_LARGE, 2, 255), hint="large"),
    ),
    hints={
        "general": Hint(
            "Keep the pixels whose target is not void, then count each pair (target class, predicted class).",
            "A boolean array picks the pixels that count, out of both maps alike. A loop over the pairs will do. "
            "Without a loop, turn each pair into one number, its place in the matrix read row by row, and count those "
            "numbers; uint8 is too small for them.",
        ),
        "axes": Hint(
            "The matrix is transposed: rows belong to the target, columns to the prediction.",
            "matrix[target, prediction], or bincount of target * num_classes + prediction.",
        ),
        "void": Hint(
            "Look at the void pixels of the target: they are not counted, neither as a class nor by what was predicted "
            "there.",
            "valid = target != ignore_index, then use target[valid] and prediction[valid] only.",
        ),
        "minlength": Hint(
            "Look at classes that do not occur: the result is K x K all the same, with zeros in their places.",
            "num_classes says how large: np.zeros((K, K)), or np.bincount(cells, minlength=num_classes ** 2).",
        ),
        "predicted": Hint(
            "Look at pixels for which the void value is *predicted*, while the target is a class: they count.",
            "valid = target != ignore_index; do not look at the prediction.",
        ),
        "bytes": Hint(
            "Look at the type: uint8 ends at 255, int8 at 127. Products of labels, and labels above 127, may not fit.",
            "target.astype(np.int64), prediction.astype(np.int64), before anything is computed.",
        ),
        "large": Hint(
            "Look at large pictures: one entry may exceed 255 or 32,767, more than 8 or 16 bits can hold.",
            "np.zeros((K, K), dtype=np.int64).",
        ),
        "size": Hint(
            "The result has another size than K x K: void is no class of its own.",
            "Keep the pixels whose target is not ignore_index; the others count nowhere.",
        ),
        "repeated": Hint(
            "No cell goes above 1: matrix[rows, columns] += 1 adds 1 once per cell, however often the cell occurs.",
            "Use np.add.at(matrix, (rows, columns), 1) or np.bincount.",
        ),
        "ignore_index": Hint(
            "Look at which value means void: it is an argument, need not be 255, and may be smaller than num_classes.",
            "valid = target != ignore_index.",
        ),
        "background": Hint(
            "Class 0, the background, is missing. It is a class like any other; only ignore_index is left out.",
            "Mask with target != ignore_index and nothing else.",
        ),
        "counts": Hint(
            "These are shares. A confusion matrix holds counts, so that matrices of several pictures can be added.",
            "Leave out the division.",
        ),
        "diagonal": Hint(
            "Right pixels stand on the diagonal, confusions off it. Both are wanted.",
            "Count every valid pixel, in row target and column prediction.",
        ),
        "every pixel": Hint(
            "Some pixels are left out: pictures need not be square.",
            "Go through target.ravel() and prediction.ravel(), or through both sides of target.shape.",
        ),
        "pairs": Hint(
            "Target and prediction are not paired by place: one of them is read in another order.",
            "Flatten both the same way, target.ravel() and prediction.ravel().",
        ),
    },
    mistakes=(
        Mistake("axes swapped", lambda *inputs: confusion_matrix(*inputs).T, "axes"),
        Mistake("void as background", _void_as(0), "void"),
        Mistake("void as the last class", _void_as(-1), "void"),
        Mistake("void looked for in the prediction", _void_of_prediction, "predicted"),
        Mistake("void in either", _void_in_either, "predicted"),
        Mistake("void kept", lambda t, p, k, v: _add_at(t, p, k, -1), "void"),
        Mistake("void as one more class", _void_as_one_more, "size"),
        Mistake("square pictures", _square, "every pixel"),
        Mistake("as large as the labels", _as_large_as_the_labels, "minlength"),
        Mistake("counts in 8 bits", _counted_in(np.uint8), "large"),
        Mistake("counts in signed 8 bits", _counted_in(np.int8), "large"),
        Mistake("counts in 16 bits", _counted_in(np.int16), "large"),
        Mistake("labels in signed 8 bits", _labels_in_signed_8_bit, "bytes"),
        Mistake("whether it occurs", lambda *inputs: bincount_matrix(*inputs) > 0, "repeated"),
        Mistake("bincount without minlength", _without_minlength, "minlength"),
        Mistake("fancy += counts a cell once", _each_cell_once, "repeated"),
        Mistake("uint8 overflow", _overflowing, "bytes"),
        Mistake("void is always 255", _only_255, "ignore_index"),
        Mistake("void is what exceeds K", _labels_below_k, "ignore_index"),
        Mistake("background left out", _without_background, "background"),
        Mistake("errors only", lambda *inputs: bincount_matrix(*inputs) * (1 - np.eye(inputs[2])), "diagonal"),
        Mistake("both ways", lambda *inputs: bincount_matrix(*inputs) + bincount_matrix(*inputs).T, "axes"),
        Mistake("rows normalized", _shares_of_rows, "counts"),
        Mistake("normalized", _shares, "counts"),
        Mistake("only right pixels", lambda *inputs: np.diag(np.diag(bincount_matrix(*inputs))), "diagonal"),
        Mistake("pixels of different places compared", _pixels_of_different_places, "pairs"),
    ),
    alternatives=(bincount_matrix, _add_at, _one_cell_at_a_time, _with_torch),
    points=4,
    minutes=15,
    difficulty=2,
)
