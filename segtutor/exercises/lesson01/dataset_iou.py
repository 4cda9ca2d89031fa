"""Exercise 1.5: mIoU over a data set, not per image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.class_iou import class_iou
from segtutor.exercises.lesson01.confusion import bincount_matrix, confusion_matrix
from segtutor.exercises.lesson01.inputs import label_map, random_label_maps

STUB = '''
def dataset_mean_iou(targets, predictions, num_classes, ignore_index):
    """Mean IoU over all pictures of a data set together; lists of label maps, each of its own size."""
    raise NotImplementedError("Write dataset_mean_iou() here, then run this cell again.")
'''


def dataset_mean_iou(
    targets: Sequence[np.ndarray], predictions: Sequence[np.ndarray], num_classes: int, ignore_index: int
) -> float:
    """Mean IoU over all pictures of a data set together; lists of label maps, each of its own size."""
    total = np.zeros((num_classes, num_classes), dtype=np.int64)
    for target, prediction in zip(targets, predictions, strict=True):
        total += confusion_matrix(target, prediction, num_classes, ignore_index)
    _, mean = class_iou(total)
    return mean


def _matrices(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    pairs = zip(targets, predictions, strict=True)
    return [bincount_matrix(target, prediction, num_classes, ignore_index) for target, prediction in pairs]


def _one_long_map(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    target = np.concatenate([one.ravel() for one in targets])
    prediction = np.concatenate([one.ravel() for one in predictions])
    return class_iou(confusion_matrix(target, prediction, num_classes, ignore_index))[1]


def _counts_per_class(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    values = []
    for number in range(num_classes):
        both = either = 0
        for target, prediction in zip(targets, predictions, strict=True):
            valid = target != ignore_index
            a, b = (target == number) & valid, (prediction == number) & valid
            both, either = both + int((a & b).sum()), either + int((a | b).sum())
        if either:
            values.append(both / either)
    return sum(values) / len(values) if values else float("nan")


def _with_torch(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    import torch

    target = torch.cat([torch.from_numpy(one).flatten() for one in targets])
    prediction = torch.cat([torch.from_numpy(one).flatten() for one in predictions])
    valid = target != ignore_index
    counts = torch.bincount(target[valid] * num_classes + prediction[valid], minlength=num_classes**2)
    counts = counts.view(num_classes, num_classes)
    return (counts.diag() / (counts.sum(0) + counts.sum(1) - counts.diag())).nanmean()


def _per_image(*inputs):  # type: ignore[no-untyped-def]
    return np.nanmean([class_iou(matrix)[1] for matrix in _matrices(*inputs)])


def _per_class_of_images(*inputs):  # type: ignore[no-untyped-def]
    return np.nanmean(np.nanmean([class_iou(matrix)[0] for matrix in _matrices(*inputs)], axis=0))


def _weighted_images(*inputs):  # type: ignore[no-untyped-def]
    matrices = _matrices(*inputs)
    scores = np.array([class_iou(matrix)[1] for matrix in matrices])
    pixels = np.array([matrix.sum() for matrix in matrices])
    return np.nansum(scores * pixels) / pixels.sum()


def _first_twice(*inputs):  # type: ignore[no-untyped-def]
    return class_iou(sum(_matrices(*inputs)) + _matrices(*inputs)[0])[1]


def _all_of_images(*inputs):  # type: ignore[no-untyped-def]
    return np.nanmean([class_iou(matrix)[0] for matrix in _matrices(*inputs)])


def _rates_added(*inputs):  # type: ignore[no-untyped-def]
    return class_iou(sum(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1) for matrix in _matrices(*inputs)))[1]


def _void_beyond(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    targets = [np.where(target < num_classes, target, -1) for target in targets]
    return dataset_mean_iou(targets, predictions, num_classes, -1)


def _void_in_either(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    targets = [np.where(p == ignore_index, ignore_index, t) for t, p in zip(targets, predictions, strict=True)]
    return dataset_mean_iou(targets, predictions, num_classes, ignore_index)


def _pooled(matrix_to_mean):  # type: ignore[no-untyped-def]
    def wrong(*inputs):  # type: ignore[no-untyped-def]
        return matrix_to_mean(sum(_matrices(*inputs)))

    return wrong


def _void_as_background(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    targets = [np.where(target == ignore_index, 0, target) for target in targets]
    return dataset_mean_iou(targets, predictions, num_classes, -1)


def _void_only_in_target(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    """The target's pixels are masked, the prediction's are not: its void pixels enter the union."""
    right = in_target = predicted = np.zeros(num_classes)
    for target, prediction in zip(targets, predictions, strict=True):
        numbers = np.arange(num_classes)[:, None]
        a, b = target.ravel() == numbers, prediction.ravel() == numbers
        right, in_target, predicted = right + (a & b).sum(1), in_target + a.sum(1), predicted + b.sum(1)
    return np.nanmean(right / (in_target + predicted - right))


def _stacked(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    return _one_long_map([np.stack(targets)], [np.stack(predictions)], num_classes, ignore_index)


_SIZES = ((8, 12), (15, 6), (10, 10), (5, 21))
_RANDOM = [
    random_label_maps(seed, size, 6, right)
    for seed, size, right in zip(range(4), _SIZES, (1, 0.9, 0.5, 0.2), strict=True)
]
_RARE = [random_label_maps(seed, (9, 9), classes) for seed, classes in ((10, 2), (11, 5), (12, 3))]

_PAIRS = [random_label_maps(seed, size, 2, 0.9) for seed, size in ((20, (190, 200)), (21, (9, 9)))]
_LARGE = (  # mostly class 0
    [one * (np.arange(one.shape[1]) < 12) for one, _ in _PAIRS],
    [one * (np.arange(one.shape[1]) < 15) for _, one in _PAIRS],
    2,
    255,
)

EXERCISE = Exercise(
    id="1.5",
    title="mIoU over a data set",
    name="dataset_mean_iou",
    statement="""
Write `dataset_mean_iou(targets, predictions, num_classes, ignore_index)` for two lists of label maps. The
benchmarks count all pictures together before anything is divided: one IoU per class for the whole data set, then
the mean over the classes that exist (`np.nan` if none does). The pictures may have different sizes. Use
`confusion_matrix` and `class_iou` from above.
""",
    stub=STUB,
    reference=dataset_mean_iou,
    cases=(
        Case(
            "a perfect small picture and a bad large one",
            ([label_map("01"), label_map("0000 1111")], [label_map("01"), label_map("0011 0011")], 2, 255),
            3 / 7,
        ),
        Case(
            "class 2 is only in the second picture",
            ([label_map("0011"), label_map("0222")], [label_map("0011"), label_map("0022")], 3, 255),
            (3 / 4 + 1 + 2 / 3) / 3,
        ),
        Case(
            "four pictures of different sizes",
            ([target for target, _ in _RANDOM], [prediction for _, prediction in _RANDOM], 6, 255),
        ),
        Case(
            "rare classes",
            ([target for target, _ in _RARE], [prediction for _, prediction in _RARE], 5, 255),
        ),
        Case(
            "class 3 is in none", ([label_map("0012")], [label_map("0112")], 4, 255), (1 / 2 + 1 / 2 + 1) / 3, "absent"
        ),
        Case(
            "void in the first picture",
            ([label_map("0v1v"), label_map("11")], [label_map("0010"), label_map("10")], 2, 255),
            (1 / 2 + 2 / 3) / 2,
            "void",
        ),
        Case(
            "one picture is all void",
            ([label_map("vv"), label_map("0111")], [label_map("00"), label_map("0011")], 2, 255),
            (1 / 2 + 2 / 3) / 2,
            "void",
        ),
        Case(
            "class 2 is only predicted",
            ([label_map("0011"), label_map("01")], [label_map("0012"), label_map("01")], 3, 255),
            (1 + 2 / 3 + 0) / 3,
            "only predicted",
        ),
        Case(
            "void is class 0 here",
            ([label_map("0012"), label_map("0211")], [label_map("0112"), label_map("1201")], 3, 0),
            (0 + 2 / 3 + 1) / 3,
            "ignore_index",
        ),
        Case("one picture of 38,000 pixels and a small one", _LARGE, hint="large"),
        Case("all is void", ([label_map("vv")], [label_map("01")], 2, 255), np.nan, "nothing"),
    ),
    hints={
        "general": Hint(
            "Add up the confusion matrices of all pictures. Divide only once, at the end.",
            "Start with a K x K matrix of zeros and add the counts of one picture after the other. When all are in, "
            "one matrix is left, and you have a function for that.",
        ),
        "per image": Hint(
            "This averages scores of single pictures. A class that has a few pixels in one picture then counts "
            "as much as "
            "one that fills another.",
            "Add confusion matrices, not scores.",
        ),
        "one picture": Hint(
            "Each picture counts once. Is the matrix overwritten, is the return inside the loop, is one added twice?",
            "total += confusion_matrix(...) inside the loop, the return after it.",
        ),
        "absent": Hint(
            "Look at a class that is in no picture: it does not enter the mean, neither as 0 nor as NaN.",
            "class_iou(total)[1] does that already.",
        ),
        "void": Hint(
            "Look at void pixels: they count neither as a class nor as predicted pixels.",
            "Hand ignore_index on to confusion_matrix; it leaves out the pixel in target and prediction.",
        ),
        "exchanged": Hint(
            "Void is looked for in the prediction, too (or instead): only the target says what is void.",
            "confusion_matrix(target, prediction, ...), in this order.",
        ),
        "micro": Hint(
            "This is pixel accuracy (or one pooled ratio for all classes). mIoU is a mean of one IoU per class.",
            "class_iou(total)[1].",
        ),
        "weighted": Hint(
            "The classes are weighted by their pixels; in mIoU each class counts the same.",
            "class_iou(total)[1] is an unweighted mean.",
        ),
        "sizes": Hint(
            "The pictures differ in size, so they do not stack into one array.",
            "Loop over the pictures and add their matrices, or concatenate the flattened maps.",
        ),
        "only predicted": Hint(
            "Look at a class that is predicted but in no target: its IoU is 0, and it enters the mean.",
            "class_iou(total)[1] does that already.",
        ),
        "ignore_index": Hint(
            "Look at which value means void: it is an argument, need not be 255, and may be a number below K.",
            "confusion_matrix(target, prediction, num_classes, ignore_index), in this order.",
        ),
        "large": Hint(
            "Look at large data sets: sums of counts exceed 255 and 32,767, more than 8 or 16 bits hold.",
            "total = np.zeros((K, K), dtype=np.int64).",
        ),
        "nothing": Hint(
            "Look at a data set that is all void: no class exists, so the mean is NaN, without an error.",
            "class_iou(total)[1] is NaN for a matrix of zeros.",
        ),
        "one number": Hint(
            "One number is wanted, the mean. class_iou returns two things.", "return class_iou(total)[1]."
        ),
        "dice": Hint("This is mean Dice.", "Use class_iou(total)[1]."),
    },
    mistakes=(
        Mistake("mean over pictures", _per_image, "per image"),
        Mistake("mean over pictures per class", _per_class_of_images, "per image"),
        Mistake("mean over pictures, weighted by pixels", _weighted_images, "per image"),
        Mistake("only the last picture", lambda *inputs: class_iou(_matrices(*inputs)[-1])[1], "one picture"),
        Mistake("only the first picture", lambda *inputs: class_iou(_matrices(*inputs)[0])[1], "one picture"),
        Mistake("absent class as 0", _pooled(lambda total: np.nan_to_num(class_iou(total)[0]).mean()), "absent"),
        Mistake("plain mean", _pooled(lambda total: class_iou(total)[0].mean()), "absent"),
        Mistake("void as background", _void_as_background, "void"),
        Mistake("void masked in the target only", _void_only_in_target, "void"),
        Mistake("mean of all IoU of all pictures", _all_of_images, "per image"),
        Mistake("shares of rows added", _rates_added, "per image"),
        Mistake(
            "only classes in the targets",
            _pooled(lambda t: np.nanmean(class_iou(t)[0][t.sum(1) > 0])),
            "only predicted",
        ),
        Mistake(
            "zeros left out", _pooled(lambda t: np.nanmean(class_iou(t)[0][class_iou(t)[0] > 0])), "only predicted"
        ),
        Mistake("void always 255", lambda t, p, k, v: dataset_mean_iou(t, p, k, 255), "ignore_index"),
        Mistake("void is what exceeds K", _void_beyond, "ignore_index"),
        Mistake("target and prediction exchanged", lambda t, p, k, v: dataset_mean_iou(p, t, k, v), "exchanged"),
        Mistake("void looked for in either", _void_in_either, "exchanged"),
        Mistake("both results", _pooled(class_iou), "one number"),
        Mistake("IoU of the classes", _pooled(lambda total: class_iou(total)[0]), "one number"),
        Mistake("counts in 8 bits", _pooled(lambda total: class_iou(total.astype(np.uint8))[1]), "large"),
        Mistake("counts in 16 bits", _pooled(lambda total: class_iou(total.astype(np.int16))[1]), "large"),
        Mistake("nothing gives 0", _pooled(lambda total: np.nan_to_num(class_iou(total)[1])), "nothing"),
        Mistake("pixel accuracy", _pooled(lambda total: np.trace(total) / total.sum()), "micro"),
        Mistake(
            "weighted by frequency",
            _pooled(lambda total: np.nansum(class_iou(total)[0] * total.sum(1)) / total.sum()),
            "weighted",
        ),
        Mistake("first picture twice", _first_twice, "one picture"),
        Mistake("pictures stacked", _stacked, "sizes"),
        Mistake("Dice", _pooled(lambda total: np.nanmean(2 * np.diag(total) / (total.sum(0) + total.sum(1)))), "dice"),
    ),
    alternatives=(_one_long_map, _counts_per_class, _with_torch),
    points=4,
    minutes=15,
    difficulty=2,
)
