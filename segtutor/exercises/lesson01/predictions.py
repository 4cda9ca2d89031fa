"""Exercise 1.11: what the numbers say about the predictions of a real network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.class_iou import class_iou
from segtutor.exercises.lesson01.confusion import bincount_matrix
from segtutor.exercises.seeds import chosen, seeded

PICTURES = 20

STUB = """
answers = {
    "pixel_accuracy": None,  # a number
    "mean_iou": None,  # a number, over all pictures together
    "mean_iou_per_image": None,  # a number
    "constant_accuracy": None,  # a number
    "worst_class": None,  # a name
    "taken_by": None,  # a name
    "why": None,  # "a", "b" or "c"
}
"""

SOLUTION = """
total = sum(confusion_matrix(t, p, len(names), ignore_index) for t, p in zip(targets, predictions, strict=True))
iou_of_class, mean = class_iou(total)
per_image = [
    class_iou(confusion_matrix(t, p, len(names), ignore_index))[1] for t, p in zip(targets, predictions, strict=True)
]
in_target = total.sum(axis=1)
worst = int(np.nanargmin(np.where(in_target > 0, iou_of_class, np.nan)))
missed = total[worst].copy()
missed[worst] = 0
answers = {
    "pixel_accuracy": round(float(np.trace(total) / total.sum()), 3),
    "mean_iou": round(float(mean), 3),
    "mean_iou_per_image": round(float(np.mean(per_image)), 3),
    "constant_accuracy": round(float(in_target.max() / total.sum()), 3),
    "worst_class": names[worst],
    "taken_by": names[int(missed.argmax())],
    "why": "b",
}
"""


def answers(
    targets: Sequence[np.ndarray], predictions: Sequence[np.ndarray], names: Sequence[str], ignore_index: int
) -> dict[str, Any]:
    """The right answers for any targets and predictions."""
    matrices = [
        bincount_matrix(target, prediction, len(names), ignore_index)
        for target, prediction in zip(targets, predictions, strict=True)
    ]
    total = np.sum(matrices, axis=0)
    iou, mean_iou = class_iou(total)
    worst = int(np.nanargmin(np.where(total.sum(axis=1) > 0, iou, np.nan)))
    missed = total[worst].copy()
    missed[worst] = 0
    return {
        "pixel_accuracy": float(np.trace(total) / total.sum()),
        "mean_iou": float(mean_iou),
        "mean_iou_per_image": float(np.mean([class_iou(matrix)[1] for matrix in matrices])),
        "constant_accuracy": float(total.sum(axis=1).max() / total.sum()),
        "worst_class": names[worst],
        "taken_by": names[int(missed.argmax())],
        "why": "b",
    }


@cache
def scene_predictions() -> tuple[list[np.ndarray], list[np.ndarray], tuple[str, ...], int]:
    """What the course's DeepLabv3 predicts on drawn scenes that it was not trained on.

    Returns:
        Targets and predictions (lists of label maps), the names of the classes, and the value that means void.
    """
    from segtutor import datasets, inference, models

    world = int(seeded(0).integers(1, 2**31)) if chosen() else 0
    scenes = datasets.Scenes("val", count=PICTURES, seed=world)
    names, ignore_index = scenes.labels.names, scenes.labels.ignore_index
    model = models.create("deeplabv3_tiny", num_classes=len(names), weights="course")
    targets, predictions = [], []
    for number in range(PICTURES):
        image, target = scenes[number]
        targets.append(target.numpy())
        predictions.append(inference.predict(model, image).numpy())
    return targets, predictions, names, ignore_index


def _with_pooled_pixels(targets, predictions, names, ignore_index):  # type: ignore[no-untyped-def]
    wanted = np.concatenate([one.ravel() for one in targets])
    predicted = np.concatenate([one.ravel() for one in predictions])
    predicted, wanted = predicted[wanted != ignore_index], wanted[wanted != ignore_index]
    iou = {}
    for number in range(len(names)):
        either = (wanted == number) | (predicted == number)
        if either.any():
            iou[number] = ((wanted == number) & (predicted == number)).sum() / either.sum()
    worst = min((number for number in iou if (wanted == number).any()), key=lambda number: iou[number])
    wrong = predicted[(wanted == worst) & (predicted != worst)]
    per_image = answers(targets, predictions, names, ignore_index)["mean_iou_per_image"]
    return {
        "pixel_accuracy": round(float((wanted == predicted).mean()), 3),
        "mean_iou": round(sum(iou.values()) / len(iou), 3),
        "mean_iou_per_image": round(per_image, 3),
        "constant_accuracy": round(max((wanted == number).mean() for number in iou), 3),
        "worst_class": names[worst].upper(),
        "taken_by": f" {names[np.bincount(wrong, minlength=len(names)).argmax()]} ",
        "why": "B",
    }


def _with_torch(targets, predictions, names, ignore_index):  # type: ignore[no-untyped-def]
    import torch

    right = answers(targets, predictions, names, ignore_index)
    wanted = torch.cat([torch.from_numpy(one).flatten() for one in targets])
    predicted = torch.cat([torch.from_numpy(one).flatten() for one in predictions])
    valid = wanted != ignore_index
    cells = wanted[valid] * len(names) + predicted[valid]
    matrix = torch.bincount(cells, minlength=len(names) ** 2).view(len(names), len(names))
    iou = matrix.diag() / (matrix.sum(0) + matrix.sum(1) - matrix.diag())
    return right | {
        "pixel_accuracy": matrix.diag().sum() / matrix.sum(),
        "mean_iou": iou.nanmean(),
        "constant_accuracy": matrix.sum(1).max() / matrix.sum(),
    }


def _with_metrics(targets, predictions, names, ignore_index):  # type: ignore[no-untyped-def]
    from segtutor.metrics import ConfusionMatrix

    total, per_image = ConfusionMatrix(len(names), ignore_index), []
    for target, prediction in zip(targets, predictions, strict=True):
        one = ConfusionMatrix(len(names), ignore_index)
        one.update(target, prediction)
        total.merge(one)
        per_image.append(one.mean_iou())
    return answers(targets, predictions, names, ignore_index) | {
        "pixel_accuracy": total.pixel_accuracy(),
        "mean_iou": total.mean_iou(),
        "mean_iou_per_image": np.mean(per_image),
    }


def _but(change):  # type: ignore[no-untyped-def]
    """The right answers with one mistake."""

    def wrong(targets, predictions, names, ignore_index):  # type: ignore[no-untyped-def]
        total = sum(
            bincount_matrix(target, prediction, len(names), ignore_index)
            for target, prediction in zip(targets, predictions, strict=True)
        )
        return answers(targets, predictions, names, ignore_index) | change(total, names)

    return wrong


def _void_counted(targets, predictions, names, ignore_index):  # type: ignore[no-untyped-def]
    agree = sum(int((target == one).sum()) for target, one in zip(targets, predictions, strict=True))
    right = answers(targets, predictions, names, ignore_index)
    return right | {"pixel_accuracy": agree / sum(target.size for target in targets)}


def _one_mean(key, other):  # type: ignore[no-untyped-def]
    return lambda *inputs: answers(*inputs) | {key: answers(*inputs)[other]}


def _numbers(change, *keys):  # type: ignore[no-untyped-def]
    def wrong(*inputs):  # type: ignore[no-untyped-def]
        right = answers(*inputs)
        return right | {key: change(right[key]) for key in keys or right if isinstance(right[key], float)}

    return wrong


def _number_for_name(*keys):  # type: ignore[no-untyped-def]
    def wrong(targets, predictions, names, ignore_index):  # type: ignore[no-untyped-def]
        right = answers(targets, predictions, names, ignore_index)
        return right | {key: names.index(right[key]) for key in keys}

    return wrong


def _absent_worst(total, names):  # type: ignore[no-untyped-def]
    absent = np.flatnonzero(total.sum(axis=1) == 0)
    return {"worst_class": names[int(absent[0])] if len(absent) else None}


def _swapped_means(*inputs):  # type: ignore[no-untyped-def]
    right = answers(*inputs)
    return right | {"mean_iou": right["mean_iou_per_image"], "mean_iou_per_image": right["mean_iou"]}


def _taken_by_column(total, names):  # type: ignore[no-untyped-def]
    worst = int(np.nanargmin(np.where(total.sum(axis=1) > 0, class_iou(total)[0], np.nan)))
    column = total[:, worst].copy()
    column[worst] = -1
    return {"taken_by": names[int(column.argmax())]}


def _worst_itself(total, names):  # type: ignore[no-untyped-def]
    return {"taken_by": names[int(np.nanargmin(np.where(total.sum(axis=1) > 0, class_iou(total)[0], np.nan)))]}


EXERCISE = Exercise(
    id="1.11",
    title="What do the numbers say?",
    name="answers",
    statement="""
The cell above has run the course's DeepLabv3 on 20 scenes that it was not trained on. `targets` and `predictions`
are lists of label maps, `names` the classes, `ignore_index` the value of void. Find out with your own functions and
fill in `answers`; round numbers to three decimals.

- `pixel_accuracy`: share of the non-void pixels that are right, all pictures together.
- `mean_iou`: mIoU over all pictures together.
- `mean_iou_per_image`: the mean over the pictures of each picture's own mIoU.
- `constant_accuracy`: pixel accuracy of a "network" that always predicts the most frequent class of the targets.
- `worst_class`: name of the class with the lowest IoU, among those that are in the targets.
- `taken_by`: most of the pixels of the worst class that are missed are taken for which class?
- `why`: why is the pixel accuracy higher than the mIoU here? **a**: mIoU counts void pixels, pixel accuracy does
  not. **b**: large, easy classes fill most of the pixels, while each class counts the same in the mIoU. **c**: the
  pixel accuracy is measured per picture, the mIoU over the data set.
""",
    stub=STUB,
    reference=answers,
    cases=(
        Case("pixel_accuracy", hint="accuracy"),
        Case("mean_iou", hint="mean"),
        Case("mean_iou_per_image", hint="mean"),
        Case("constant_accuracy", hint="constant"),
        Case("worst_class", hint="worst"),
        Case("taken_by", hint="taken"),
        Case("why", hint="why"),
    ),
    hints={
        "general": Hint(
            "Add up the confusion matrices of all pictures; every answer but one can be read off that sum.",
            "Right pixels: the diagonal. Frequency of a class: its row sum. Where its pixels went: its row.",
        ),
        "accuracy": Hint(
            "Pixel accuracy is right pixels over all non-void pixels.",
            "np.trace(total) / total.sum() of the summed confusion matrix; void is not in it.",
        ),
        "mean": Hint(
            "There are two means: divide once for all pictures (data set), or once per picture and average.",
            "Data set: dataset_mean_iou(...). Per image: np.mean of class_iou(...)[1] of each picture's own matrix.",
        ),
        "absent": Hint(
            "Classes that are neither in the targets nor in the predictions must not enter the mean.",
            "Use the mean that class_iou returns.",
        ),
        "constant": Hint(
            "Predicting one class everywhere is right exactly where the target has that class.",
            "The largest row sum over the sum of all: total.sum(axis=1).max() / total.sum().",
        ),
        "worst": Hint(
            "Lowest IoU among the classes that are in the targets: neither the rarest class nor the one with the "
            "lowest recall.",
            "np.nanargmin of the IoU where the row sum is not 0, then names[...].",
        ),
        "taken": Hint(
            "The row of the worst class says what its pixels were taken for; leave out the diagonal.",
            "row = total[worst].copy(); row[worst] = 0; names[row.argmax()].",
        ),
        "digits": Hint(
            "The numbers are right up to their digits: shares between 0 and 1, with three decimals.",
            "round(value, 3): no percent, and not fewer decimals.",
        ),
        "name": Hint(
            "The classes are asked for by name, as they stand in `names`.",
            "names[number].",
        ),
        "absent worst": Hint(
            "A class that is not in the targets cannot be the worst one: no pixel of it could be found.",
            "Leave out the classes whose row sum is 0 before you look for the lowest IoU.",
        ),
        "why": Hint(
            "Compare the frequencies of the classes with their IoU.",
            "Both count all pictures together and neither counts void: what differs is the weight of a class.",
        ),
    },
    mistakes=(
        Mistake("void counted as wrong", _void_counted, "accuracy"),
        Mistake(
            "mean class accuracy",
            _but(
                lambda total, _: {
                    "pixel_accuracy": np.nanmean(
                        np.diag(total)[total.any(axis=1)] / total.sum(axis=1)[total.any(axis=1)]
                    )
                }
            ),
            "accuracy",
        ),
        Mistake("the two means swapped", _swapped_means, "mean"),
        Mistake("the data set's mean twice", _one_mean("mean_iou_per_image", "mean_iou"), "mean"),
        Mistake("the mean per image twice", _one_mean("mean_iou", "mean_iou_per_image"), "mean"),
        Mistake("mIoU for accuracy", _one_mean("pixel_accuracy", "mean_iou"), "accuracy"),
        Mistake("all in percent", _numbers(lambda value: 100 * value), "digits"),
        Mistake("accuracy in percent", _numbers(lambda value: 100 * value, "pixel_accuracy"), "digits"),
        Mistake("constant accuracy in percent", _numbers(lambda value: 100 * value, "constant_accuracy"), "digits"),
        Mistake("one decimal", _numbers(lambda value: round(value, 1)), "digits"),
        Mistake("two decimals", _numbers(lambda value: round(value, 2)), "digits"),
        Mistake("numbers for names", _number_for_name("worst_class", "taken_by"), "name"),
        Mistake("a number for the worst class", _number_for_name("worst_class"), "name"),
        Mistake("a number for the other class", _number_for_name("taken_by"), "name"),
        Mistake("an absent class is the worst", _but(_absent_worst), "absent worst"),
        Mistake(
            "absent classes as 0",
            _but(lambda total, _: {"mean_iou": np.nan_to_num(class_iou(total)[0]).mean()}),
            "absent",
        ),
        Mistake(
            "one over K",
            _but(lambda total, _: {"constant_accuracy": 1 / len(total)}),
            "constant",
        ),
        Mistake(
            "most predicted class",
            _but(lambda total, _: {"constant_accuracy": total.sum(axis=0).max() / total.sum()}),
            "constant",
        ),
        Mistake(
            "best class",
            _but(lambda total, names: {"worst_class": names[int(np.nanargmax(class_iou(total)[0]))]}),
            "worst",
        ),
        Mistake("what was taken for the worst class", _but(_taken_by_column), "taken"),
        Mistake("the worst class itself", _but(_worst_itself), "taken"),
        Mistake("void made the difference", _but(lambda *_: {"why": "a"}), "why"),
        Mistake("per picture or not", _but(lambda *_: {"why": "c"}), "why"),
    ),
    alternatives=(_with_pooled_pixels, _with_torch, _with_metrics),
    points=7,
    minutes=30,
    difficulty=2,
    tolerance=1e-3,
    solution=SOLUTION,
    given=scene_predictions,
)
