"""Exercise 1.5: mIoU over a data set, not per image, and without each of its pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson01.class_iou import class_iou
from segtutor.exercises.lesson01.confusion import confusion_matrix
from segtutor.exercises.lesson01.dataset_iou_mistakes import MISTAKES
from segtutor.exercises.lesson01.inputs import label_map, random_label_maps

STUB = '''
def dataset_mean_iou(targets, predictions, num_classes, ignore_index):
    """Mean IoU over all pictures of a data set together, and an array: the same without each of its N pictures."""
    raise NotImplementedError("Write dataset_mean_iou() here, then run this cell again.")
'''


def dataset_mean_iou(
    targets: Sequence[np.ndarray], predictions: Sequence[np.ndarray], num_classes: int, ignore_index: int
) -> tuple[float, np.ndarray]:
    """Mean IoU over all pictures of a data set together, and an array: the same without each of its N pictures."""
    matrices = [
        confusion_matrix(target, prediction, num_classes, ignore_index)
        for target, prediction in zip(targets, predictions, strict=True)
    ]
    total = np.sum(matrices, axis=0)
    without = [class_iou(total - matrix)[1] for matrix in matrices]
    return class_iou(total)[1], np.array(without)


def _left_out(mean_of, targets, predictions, *how):  # type: ignore[no-untyped-def]
    """Both results of a function that gives the first one."""
    without = []
    for number in range(len(targets)):
        others = (one[:number] + one[number + 1 :] for one in (targets, predictions))
        without.append(mean_of(*others, *how))
    return mean_of(targets, predictions, *how), without


def _mean_of_a_long_map(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    target = np.concatenate([one.ravel() for one in targets])
    prediction = np.concatenate([one.ravel() for one in predictions])
    return class_iou(confusion_matrix(target, prediction, num_classes, ignore_index))[1]


def _mean_by_class(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
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


def _one_long_map(*inputs):  # type: ignore[no-untyped-def]
    return _left_out(_mean_of_a_long_map, *inputs)


def _counts_per_class(*inputs):  # type: ignore[no-untyped-def]
    return _left_out(_mean_by_class, *inputs)


def _with_torch(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    import torch

    counts = []
    for target, prediction in zip(targets, predictions, strict=True):
        one, other = torch.from_numpy(target), torch.from_numpy(prediction)
        valid = one != ignore_index
        counts.append(torch.bincount(one[valid] * num_classes + other[valid], minlength=num_classes**2))
    each = torch.stack(counts).view(-1, num_classes, num_classes)
    every = torch.cat([each.sum(0)[None], each.sum(0) - each])
    right = every.diagonal(dim1=1, dim2=2)
    means = (right / (every.sum(1) + every.sum(2) - right)).nanmean(1)
    return means[0], means[1:]


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
    title="mIoU over a data set, and without a picture",
    name="dataset_mean_iou",
    statement="""
The benchmarks count all pictures together before anything is divided: one IoU per class for the whole data set, then
the mean over the classes that exist (`np.nan` if none does). Which pictures pull it down? No picture has a share of its
own in this number, but you can ask what the number would be without it.

Write `dataset_mean_iou(targets, predictions, num_classes, ignore_index)` for two lists of at least two label maps.
Return two things: the mIoU of all pictures together, and an array with one number for each picture, the mIoU of the
data set *without* this picture. The pictures may have different sizes. Use `confusion_matrix` and `class_iou` from
above.
""",
    stub=STUB,
    reference=dataset_mean_iou,
    cases=(
        Case(
            "a perfect small picture and a bad large one",
            ([label_map("01"), label_map("0000 1111")], [label_map("01"), label_map("0011 0011")], 2, 255),
            (3 / 7, np.array([1 / 3, 1])),
        ),
        Case(
            "class 2 is only in the second picture",
            ([label_map("0011"), label_map("0222")], [label_map("0011"), label_map("0022")], 3, 255),
            ((3 / 4 + 1 + 2 / 3) / 3, np.array([(1 / 2 + 2 / 3) / 2, 1])),
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
            "class 3 is in none",
            ([label_map("0012"), label_map("11")], [label_map("0112"), label_map("11")], 4, 255),
            ((1 / 2 + 3 / 4 + 1) / 3, np.array([1, (1 / 2 + 1 / 2 + 1) / 3])),
            "absent",
        ),
        Case(
            "void in the first picture",
            ([label_map("0v1v"), label_map("11")], [label_map("0010"), label_map("10")], 2, 255),
            ((1 / 2 + 2 / 3) / 2, np.array([(0 + 1 / 2) / 2, 1])),
            "void",
        ),
        Case(
            "one picture is all void",
            ([label_map("vv"), label_map("0111")], [label_map("00"), label_map("0011")], 2, 255),
            ((1 / 2 + 2 / 3) / 2, np.array([(1 / 2 + 2 / 3) / 2, np.nan])),
            "void",
        ),
        Case(
            "class 2 is only predicted",
            ([label_map("0011"), label_map("01")], [label_map("0012"), label_map("01")], 3, 255),
            ((1 + 2 / 3 + 0) / 3, np.array([1, (1 + 1 / 2 + 0) / 3])),
            "only predicted",
        ),
        Case(
            "void is class 0 here",
            ([label_map("0012"), label_map("0211")], [label_map("0112"), label_map("1201")], 3, 0),
            ((0 + 2 / 3 + 1) / 3, np.array([(0 + 1 / 2 + 1) / 3, 1])),
            "ignore_index",
        ),
        Case("one picture of 38,000 pixels and a small one", _LARGE, hint="large"),
        Case(
            "all is void",
            ([label_map("vv"), label_map("v")], [label_map("01"), label_map("1")], 2, 255),
            (np.nan, np.array([np.nan, np.nan])),
            "nothing",
        ),
    ),
    hints={
        "general": Hint(
            "Add up the confusion matrices of all pictures, and divide only at the end. What can be added can be "
            "subtracted, too.",
            "Keep the matrix of each picture in a list. Their sum is the matrix of the data set; the sum less one of "
            "them is the matrix of the data set without that picture. You have a function that turns a matrix into a "
            "mean.",
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
        "two results": Hint(
            "Two results are wanted: first the mIoU of all pictures, then an array with one mIoU per picture left out.",
            "class_iou returns two things as well; here only its second one, the mean, is of use.",
        ),
        "without": Hint(
            "The second result is the mIoU of all the other pictures together. Yours tells something of the picture "
            "itself, or is computed from scores.",
            "Subtract the matrix of the picture from the sum of all, and take the mean IoU of what is left.",
        ),
        "put back": Hint(
            "Each picture is left out alone. In yours the earlier ones (or the later ones) are missing as well.",
            "total -= matrix changes total for all that follow; total - matrix makes a new matrix.",
        ),
        "dice": Hint("This is mean Dice.", "Use class_iou(total)[1]."),
    },
    mistakes=MISTAKES,
    alternatives=(_one_long_map, _counts_per_class, _with_torch),
    points=4,
    minutes=15,
    difficulty=2,
)
