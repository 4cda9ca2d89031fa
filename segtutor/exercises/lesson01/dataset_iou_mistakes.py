"""Typical wrong answers to exercise 1.5, mIoU over a data set and without each picture."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.lesson01.class_iou import class_iou
from segtutor.exercises.lesson01.confusion import bincount_matrix


def _matrices(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    pairs = zip(targets, predictions, strict=True)
    return [bincount_matrix(target, prediction, num_classes, ignore_index) for target, prediction in pairs]


def _left_out(mean_of, targets, predictions, *how):  # type: ignore[no-untyped-def]
    """Both results of a function that gives the first one."""
    without = []
    for number in range(len(targets)):
        others = (one[:number] + one[number + 1 :] for one in (targets, predictions))
        without.append(mean_of(*others, *how))
    return mean_of(targets, predictions, *how), without


def _mean(*inputs):  # type: ignore[no-untyped-def]
    return class_iou(sum(_matrices(*inputs)))[1]


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
    return _mean(targets, predictions, num_classes, -1)


def _void_in_either(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    targets = [np.where(p == ignore_index, ignore_index, t) for t, p in zip(targets, predictions, strict=True)]
    return _mean(targets, predictions, num_classes, ignore_index)


def _pooled(matrix_to_mean):  # type: ignore[no-untyped-def]
    def wrong(*inputs):  # type: ignore[no-untyped-def]
        return matrix_to_mean(sum(_matrices(*inputs)))

    return wrong


def _void_as_background(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    targets = [np.where(target == ignore_index, 0, target) for target in targets]
    return _mean(targets, predictions, num_classes, -1)


def _void_only_in_target(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    """The target's pixels are masked, the prediction's are not: its void pixels enter the union."""
    right = in_target = predicted = np.zeros(num_classes)
    for target, prediction in zip(targets, predictions, strict=True):
        numbers = np.arange(num_classes)[:, None]
        a, b = target.ravel() == numbers, prediction.ravel() == numbers
        right, in_target, predicted = right + (a & b).sum(1), in_target + a.sum(1), predicted + b.sum(1)
    return np.nanmean(right / (in_target + predicted - right))


def _stacked(targets, predictions, num_classes, ignore_index):  # type: ignore[no-untyped-def]
    return _mean([np.stack(targets)], [np.stack(predictions)], num_classes, ignore_index)


def _of_all(*inputs):  # type: ignore[no-untyped-def]
    return class_iou(np.sum(_matrices(*inputs), axis=0))


def _twice(mean_of):  # type: ignore[no-untyped-def]
    """Both results, of a function that is wrong in the first one already."""
    return lambda *inputs: _left_out(mean_of, *inputs)


def _second(change):  # type: ignore[no-untyped-def]
    """The right first result, and what `change` makes of the matrices for the second."""
    return lambda *inputs: (_mean(*inputs), np.array(change(_matrices(*inputs))))


def _one_after_the_other(matrices):  # type: ignore[no-untyped-def]
    total, found = sum(matrices), []
    for matrix in matrices:
        total = total - matrix
        found.append(class_iou(total)[1])
    return found


def _of_scores(matrices):  # type: ignore[no-untyped-def]
    """As if the mIoU of the data set were the mean of the pictures' own."""
    mean, count = class_iou(sum(matrices))[1], len(matrices)
    return [(count * mean - class_iou(matrix)[1]) / (count - 1) for matrix in matrices]


def _scores_of_others(matrices):  # type: ignore[no-untyped-def]
    own = [class_iou(matrix)[1] for matrix in matrices]
    return [np.nanmean(own[:number] + own[number + 1 :]) for number in range(len(own))]


_OF_THE_MEAN = (
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
    Mistake("zeros left out", _pooled(lambda t: np.nanmean(class_iou(t)[0][class_iou(t)[0] > 0])), "only predicted"),
    Mistake("void always 255", lambda t, p, k, v: _mean(t, p, k, 255), "ignore_index"),
    Mistake("void is what exceeds K", _void_beyond, "ignore_index"),
    Mistake("target and prediction exchanged", lambda t, p, k, v: _mean(p, t, k, v), "exchanged"),
    Mistake("void looked for in either", _void_in_either, "exchanged"),
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
)

MISTAKES = (
    *(Mistake(one.name, _twice(one.answer), one.hint) for one in _OF_THE_MEAN),
    Mistake("only the mean", _mean, "two results"),
    Mistake("only the array", lambda *inputs: np.array(_left_out(_mean, *inputs)[1]), "two results"),
    Mistake("results exchanged", lambda *inputs: _left_out(_mean, *inputs)[::-1], "two results"),
    Mistake("class_iou as it comes", _of_all, "two results"),
    Mistake("class_iou turned round", lambda *inputs: _of_all(*inputs)[::-1], "two results"),
    Mistake("the pictures' own", _second(lambda each: [class_iou(one)[1] for one in each]), "without"),
    Mistake(
        "the difference",
        _second(
            lambda each: [class_iou(np.sum(each, axis=0))[1] - class_iou(np.sum(each, axis=0) - one)[1] for one in each]
        ),
        "without",
    ),
    Mistake("computed from scores", _second(_of_scores), "without"),
    Mistake("mean of the others' scores", _second(_scores_of_others), "without"),
    Mistake("one after the other", _second(_one_after_the_other), "put back"),
    Mistake(
        "up to this picture",
        _second(lambda each: [class_iou(np.sum(each[: number + 1], axis=0))[1] for number in range(len(each))]),
        "put back",
    ),
    Mistake(
        "the one before",
        _second(lambda each: [class_iou(np.sum(each, axis=0) - each[number - 1])[1] for number in range(len(each))]),
        "without",
    ),
)
