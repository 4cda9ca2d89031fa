"""Pictures by what they cost, and errors by what was taken for what: both read from one confusion matrix per picture.

Shapes: N pictures, K classes; a matrix K x K has the true class as row and the predicted one as column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from segtutor.metrics.arrays import to_numpy
from segtutor.metrics.confusion import ConfusionMatrix

By = Literal["mean_iou", "accuracy", "harm"]


def image_matrices(
    targets: Sequence[Any], predictions: Sequence[Any], num_classes: int, ignore_index: int | None = 255
) -> np.ndarray:
    """The confusion matrix of each picture, N x K x K int64.

    Args:
        targets: N label maps; their sizes may differ.
        predictions: N label maps of the same sizes.
        num_classes: K.
        ignore_index: Value in a target that marks void.

    Raises:
        ValueError: If there are not as many of both, or for what ``ConfusionMatrix.update`` refuses.
    """
    if len(targets) != len(predictions):
        raise ValueError(
            f"there must be one prediction for each target, but {len(predictions)} and {len(targets)} came"
        )
    matrices = np.zeros((len(targets), num_classes, num_classes), dtype=np.int64)
    for matrix, target, prediction in zip(matrices, targets, predictions, strict=True):
        confusion = ConfusionMatrix(num_classes, ignore_index)
        confusion.update(target, prediction)
        matrix[:] = confusion.matrix
    return matrices


def as_matrices(matrices: Any, name: str = "matrices") -> np.ndarray:
    """Checked confusion matrices, N x K x K.

    Raises:
        ValueError: If they are none, or there is no picture.
    """
    array = to_numpy(matrices)
    if array.ndim != 3 or array.shape[1] != array.shape[2] or not len(array):
        raise ValueError(
            f"{name} must be one K x K matrix for each of N pictures, but the shape is {array.shape}; image_matrices "
            "makes them"
        )
    if not np.issubdtype(array.dtype, np.integer) or array.min(initial=0) < 0:
        raise ValueError(f"{name} must hold counts, whole numbers of at least 0, but the type is {array.dtype}")
    return array


def mean_iou_of(hits: np.ndarray, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Mean IoU over the classes that are there, from the pixels right, in the target and in the prediction, ... x K."""
    union = targets + predictions - hits
    with np.errstate(invalid="ignore", divide="ignore"):
        iou = hits / union
        result: np.ndarray = np.nansum(iou, axis=-1) / (union > 0).sum(axis=-1)
    return result


def sums_of(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per picture and class the pixels right, in the target and in the prediction, N x K each."""
    return np.diagonal(matrices, axis1=-2, axis2=-1), matrices.sum(axis=-1), matrices.sum(axis=-2)


def harm(matrices: Any) -> np.ndarray:
    """By how much each picture lowers the data set's mean IoU: that of all others less that of all, N float64.

    A picture full of errors in a frequent class hardly moves the mean; one that holds the only bus, taken for a car,
    moves it much.

    Args:
        matrices: N x K x K.
    """
    array = as_matrices(matrices)
    sums = [part.astype(np.float64) for part in sums_of(array)]
    whole = [part.sum(axis=0) for part in sums]
    result: np.ndarray = mean_iou_of(*(total - part for total, part in zip(whole, sums, strict=True)))
    return result - mean_iou_of(*whole)


def worst_images(matrices: Any, count: int = 10, by: By = "mean_iou") -> list[tuple[int, float]]:
    """The worst pictures, the worst first: their numbers and scores.

    Args:
        matrices: N x K x K.
        count: How many at most. A picture without a valid pixel has no score and is left out.
        by: "mean_iou" of the picture alone, over the classes in it; "accuracy", the share of its pixels that is right;
            "harm" to the data set's mean IoU, the largest first.

    Raises:
        ValueError: If these are no matrices, or there is no such score.

    >>> worst_images([[[4, 0], [0, 0]], [[2, 2], [0, 4]]], by="accuracy")
    [(1, 0.75), (0, 1.0)]
    """
    array = as_matrices(matrices)
    if by not in get_args(By):
        raise ValueError(f"by is {by!r}, but must be one of {', '.join(get_args(By))}")
    hits, targets, predictions = (part.astype(np.float64) for part in sums_of(array))
    with np.errstate(invalid="ignore"):
        if by == "mean_iou":
            scores = mean_iou_of(hits, targets, predictions)
        else:
            scores = hits.sum(axis=-1) / targets.sum(axis=-1) if by == "accuracy" else harm(array)
    valid = np.flatnonzero((targets.sum(axis=-1) > 0) & np.isfinite(scores))
    order = valid[np.argsort(-scores[valid] if by == "harm" else scores[valid], kind="stable")]
    return [(int(index), float(scores[index])) for index in order[:count]]


@dataclass(frozen=True)
class Flow:
    """Pixels of one class that were taken for another.

    Attributes:
        true: Their class.
        predicted: What they were taken for.
        pixels: How many.
        of_errors: Their share of all wrong pixels.
        of_class: Their share of the true class.
    """

    true: str
    predicted: str
    pixels: int
    of_errors: float
    of_class: float

    def __str__(self) -> str:
        return (
            f"{self.true} taken for {self.predicted}: {self.pixels:,} pixels, {self.of_errors:.1%} of all errors, "
            f"{self.of_class:.1%} of {self.true}"
        )


def confusion_flow(matrix: Any, names: Sequence[str], count: int | None = None) -> list[Flow]:
    r"""What was taken for what, the most pixels first.

    Args:
        matrix: K x K, of a picture or a data set.
        names: Of the classes.
        count: How many at most; None gives all that occur.

    Raises:
        ValueError: If matrix and names do not fit.

    >>> print(*confusion_flow([[5, 3], [1, 1]], ["sea", "sky"]), sep="\n")
    sea taken for sky: 3 pixels, 75.0% of all errors, 37.5% of sea
    sky taken for sea: 1 pixels, 25.0% of all errors, 50.0% of sky
    """
    table = as_matrices(to_numpy(matrix)[None], "matrix")[0]
    if len(table) != len(names):
        raise ValueError(f"there must be one name for each class, but {len(names)} came for {len(table)} classes")
    errors = table - np.diag(np.diag(table))
    total, of_true = int(errors.sum()), table.sum(axis=1)
    flows = []
    for code in np.argsort(-errors, axis=None, kind="stable")[:count]:
        true, predicted = divmod(int(code), len(table))
        pixels = int(errors[true, predicted])
        if pixels:
            flows.append(
                Flow(names[true], names[predicted], pixels, pixels / total, float(pixels / of_true[true]))
            )  # fmt: skip
    return flows
