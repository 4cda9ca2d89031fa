"""The confusion matrix, and every semantic score that is a view of it.

Entry (t, p) counts the pixels of class t that were predicted as p. It is summed over the whole data set, in 64-bit
integers: adding images, batches or processes is adding matrices, and the memory does not grow with their number.

The policy, the same for every score here:

* **Void** (``ignore_index`` in the target) counts nowhere, whatever was predicted there. If ``ignore_index`` is one of
  the classes, that class is left out of the scores; predicting it elsewhere is a miss like any other.
* A class in **neither** target nor prediction has no score: NaN, left out of every mean. A class that is only predicted
  has IoU 0, which counts.
* A valid pixel must be predicted as one of the classes. Void is no prediction: 255 there is refused, not a miss.
* The data set is scored as a whole. ``iou_per_image`` is for those who want the other mean.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from segtutor.metrics.arrays import describe_values, integer_map, is_tensor, same_shape

_CHUNK = 1 << 17  # pixels; their pair codes stay in the second-level cache


class ConfusionMatrix:
    """Counts how target classes were predicted, and scores them.

    Args:
        num_classes: Number of classes K; labels are 0...K-1.
        ignore_index: Value in the target that marks void, or None if there is none.

    Attributes:
        matrix: K x K int64; row = target class, column = predicted class.

    >>> confusion = ConfusionMatrix(num_classes=3)
    >>> confusion.update(target=[[0, 0, 1], [1, 1, 255]], prediction=[[0, 1, 1], [1, 1, 0]])
    >>> confusion.matrix.tolist()
    [[1, 1, 0], [0, 3, 0], [0, 0, 0]]
    >>> confusion.iou().tolist()
    [0.5, 0.75, nan]
    >>> confusion.mean_iou()
    0.625
    """

    def __init__(self, num_classes: int, ignore_index: int | None = 255) -> None:
        if num_classes < 1:
            raise ValueError(f"num_classes must be at least 1, but is {num_classes}")
        self.num_classes = int(num_classes)
        self.ignore_index = None if ignore_index is None else int(ignore_index)
        self.reset()

    def __repr__(self) -> str:
        return (
            f"ConfusionMatrix(num_classes={self.num_classes}, ignore_index={self.ignore_index}): "
            f"{int(self.matrix.sum())} pixels, mean IoU {self.mean_iou():.4f}"
        )

    def reset(self) -> None:
        """Forgets everything counted so far."""
        self.matrix = np.zeros((self.num_classes, self.num_classes), dtype=np.int64)

    def update(self, target: Any, prediction: Any) -> None:
        """Counts one image, or a batch of them. The inputs are not changed.

        Args:
            target: Label map of any shape, integers or booleans; NumPy array or torch tensor.
            prediction: Label map of the same shape.

        Raises:
            ValueError: If the shapes differ, if the labels are not integers, or if a pixel that is not void holds
                something else than 0...K-1. Nothing is counted then.
        """
        if _on_accelerator(target) and _on_accelerator(prediction):
            same_shape(target, prediction, "target", "prediction")
            counts = _count_on_device(target, prediction, self.num_classes, self.ignore_index)
            if counts is not None:
                self.matrix += counts
                return
        target = integer_map(target, "target")
        prediction = integer_map(prediction, "prediction")
        same_shape(target, prediction, "target", "prediction")
        self.matrix += _count(target.ravel(), prediction.ravel(), self.num_classes, self.ignore_index)

    def merge(self, other: ConfusionMatrix) -> None:
        """Adds the counts of another part of the data set, for example those of another process.

        Raises:
            ValueError: If the other one counts other classes, or another value as void.
        """
        if (self.num_classes, self.ignore_index) != (other.num_classes, other.ignore_index):
            raise ValueError(
                f"only equal settings can be merged, but num_classes is {self.num_classes} here and "
                f"{other.num_classes} there, ignore_index {self.ignore_index} here and {other.ignore_index} there"
            )
        self.matrix += other.matrix

    def iou(self) -> np.ndarray:
        """Intersection over union of each class, K float64: TP / (TP + FP + FN); NaN where there is neither."""
        hits, targets, predictions = self._sums()
        return _ratio(hits, targets + predictions - hits)

    def dice(self) -> np.ndarray:
        """Dice coefficient of each class, K float64: 2 TP / (2 TP + FP + FN); NaN where there is neither."""
        hits, targets, predictions = self._sums()
        return _ratio(2 * hits, targets + predictions)

    def recall(self) -> np.ndarray:
        """Share of each target class that was found, K float64; NaN where the target has none. Also: class accuracy."""
        hits, targets, _ = self._sums()
        return _ratio(hits, targets)

    def precision(self) -> np.ndarray:
        """Share of each predicted class that is right, K float64; NaN where the class was never predicted."""
        hits, _, predictions = self._sums()
        return _ratio(hits, predictions)

    def mean_iou(self) -> float:
        """Mean of ``iou`` over the classes that are in target or prediction; NaN if there is none."""
        return _mean(self.iou())

    def pixel_accuracy(self) -> float:
        """Share of the valid pixels that were predicted right; NaN if there is none."""
        return float(_ratio(np.trace(self.matrix), self.matrix.sum()))

    def mean_class_accuracy(self) -> float:
        """Mean of ``recall`` over the classes in the target; NaN if there is none."""
        return _mean(self.recall())

    def frequency_weighted_iou(self) -> float:
        """Mean of ``iou``, each class weighted by its pixels in the target; NaN if there is none."""
        targets = self.matrix.sum(axis=1)
        return float(_ratio(np.nansum(targets * self.iou()), targets.sum()))

    def _sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per class: pixels right, pixels in the target, pixels in the prediction; all 0 for an ignored class."""
        sums = np.diag(self.matrix).copy(), self.matrix.sum(axis=1), self.matrix.sum(axis=0)
        if self.ignore_index is not None and 0 <= self.ignore_index < self.num_classes:
            for values in sums:
                values[self.ignore_index] = 0
        return sums


def iou_per_image(targets: Any, predictions: Any, num_classes: int, ignore_index: int | None = 255) -> np.ndarray:
    """IoU of each class in each image on its own, B x K float64; NaN where a class is in neither map of that image.

    Averaging it gives the per-image scores, which weigh a small object in a small image as much as a large one:
    ``np.nanmean(np.nanmean(iou, axis=1))`` (per image first) or ``np.nanmean(np.nanmean(iou, axis=0))`` (per class
    first); the two differ, and both differ from the score of the data set.

    Args:
        targets: B label maps, as an array or a sequence (sizes may differ then).
        predictions: B label maps of the same sizes.
        num_classes: Number of classes K.
        ignore_index: Value in a target that marks void.

    Raises:
        ValueError: If there are not as many predictions as targets, or for what ``ConfusionMatrix.update`` refuses.
    """
    if len(targets) != len(predictions):
        raise ValueError(f"there must be one prediction per target, but there are {len(predictions)} and "
                         f"{len(targets)}")  # fmt: skip
    rows = np.empty((len(targets), num_classes))
    for row, target, prediction in zip(rows, targets, predictions, strict=True):
        confusion = ConfusionMatrix(num_classes, ignore_index)
        confusion.update(target, prediction)
        row[:] = confusion.iou()
    return rows


def _ratio(numerator: Any, denominator: Any) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.divide(numerator, denominator, dtype=np.float64)  # 0 / 0 = NaN: there is nothing to score


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _on_accelerator(value: Any) -> bool:
    return is_tensor(value) and value.device.type != "cpu"


def _count(target: np.ndarray, prediction: np.ndarray, num_classes: int, ignore_index: int | None) -> np.ndarray:
    """K x K counts of two flat arrays of integers."""
    if num_classes <= 256 and (ignore_index is None or 0 <= ignore_index < 256):
        table = _count_byte_pairs(target, prediction)
        if table is not None:
            return _cut(table, num_classes, ignore_index)
    return _count_wide(target, prediction, num_classes, ignore_index)


def _count_byte_pairs(target: np.ndarray, prediction: np.ndarray) -> np.ndarray | None:
    """256 x 256 counts of all pairs of values, or None if some value does not fit into a byte.

    One histogram of (target << 8 | prediction) is all that touches the pixels: void and wrong labels need no pass of
    their own, since they can be seen in the table.
    """
    table = np.zeros(1 << 16, dtype=np.int64)
    bytes_only = target.dtype == np.uint8 and prediction.dtype == np.uint8
    for start in range(0, target.size, _CHUNK):
        rows, columns = target[start : start + _CHUNK], prediction[start : start + _CHUNK]
        if bytes_only:
            codes = rows.astype(np.uint16)
        else:
            codes, columns = rows.astype(np.int64), columns.astype(np.int64, copy=False)
            if np.bitwise_or.reduce(codes | columns) & ~255:
                return None
        codes <<= 8
        codes |= columns
        table += np.bincount(codes, minlength=1 << 16)
    return table.reshape(256, 256)


def _cut(table: np.ndarray, num_classes: int, ignore_index: int | None) -> np.ndarray:
    """The K x K corner of a table of all values, once it is sure that nothing valid lies outside it."""
    if ignore_index is not None:
        table[ignore_index] = 0
    counts = table[:num_classes, :num_classes]
    if counts.sum() != table.sum():
        _refuse("target", table.sum(axis=1), num_classes, ignore_index)
        _refuse("prediction", table.sum(axis=0), num_classes, ignore_index)
    return counts


def _refuse(name: str, pixels_by_value: np.ndarray, num_classes: int, ignore_index: int | None) -> None:
    outside = num_classes + np.flatnonzero(pixels_by_value[num_classes:])
    if outside.size:
        raise ValueError(_out_of_range(name, outside, pixels_by_value[outside], num_classes, ignore_index))


def _count_wide(target: np.ndarray, prediction: np.ndarray, num_classes: int, ignore_index: int | None) -> np.ndarray:
    """As above for labels of any size, or to find out which of them are wrong."""
    counts = np.zeros(num_classes * num_classes, dtype=np.int64)
    for start in range(0, target.size, _CHUNK):
        rows, columns = target[start : start + _CHUNK], prediction[start : start + _CHUNK]
        if ignore_index is not None:
            valid = rows != ignore_index
            rows, columns = rows[valid], columns[valid]
        for values in (rows, columns):
            if values.size and (values.min() < 0 or values.max() >= num_classes):
                _refuse_wide(target, prediction, num_classes, ignore_index)
        codes = rows.astype(np.int64) * num_classes + columns.astype(np.int64)
        if counts.size <= _CHUNK:
            counts += np.bincount(codes, minlength=counts.size)
        else:
            found, pixels = np.unique(codes, return_counts=True)
            counts[found] += pixels
    return counts.reshape(num_classes, num_classes)


def _refuse_wide(target: np.ndarray, prediction: np.ndarray, num_classes: int, ignore_index: int | None) -> None:
    valid = np.ones(target.shape, dtype=bool) if ignore_index is None else target != ignore_index
    for name, values in (("target", target[valid]), ("prediction", prediction[valid])):
        found, pixels = np.unique(values[(values < 0) | (values >= num_classes)], return_counts=True)
        if found.size:
            raise ValueError(_out_of_range(name, found, pixels, num_classes, ignore_index))


def _out_of_range(name: str, values: np.ndarray, pixels: np.ndarray, num_classes: int, ignore_index: int | None) -> str:
    void = "" if ignore_index is None else f", or {ignore_index} for void" if name == "target" else ""
    message = f"{name} has {describe_values(values, pixels)} outside the classes 0...{num_classes - 1}{void}"
    if name == "prediction" and ignore_index in values:
        return f"{message}; void is not a prediction, so give each pixel the best of the classes"
    return f"{message}; check num_classes, or map these values to a class{' or to void' if void else ''}"


def _count_on_device(target: Any, prediction: Any, num_classes: int, ignore_index: int | None) -> np.ndarray | None:
    """K x K counts where the tensors are, or None if a label is out of range or not an integer.

    Labels are clamped to -1...K, so that all wrong ones land in the border of a (K+2) x (K+2) table.
    """
    torch = sys.modules["torch"]
    if target.is_floating_point() or prediction.is_floating_point() or target.device != prediction.device:
        return None
    target, prediction = target.detach().flatten().long(), prediction.detach().flatten().long()
    side = num_classes + 2
    codes = (target.clamp(-1, num_classes) + 1) * side + (prediction.clamp(-1, num_classes) + 1)
    if ignore_index is not None:
        codes = torch.where(target == ignore_index, side * side, codes)
    table = torch.bincount(codes, minlength=side * side + 1)[:-1].reshape(side, side).cpu().numpy()
    counts = table[1:-1, 1:-1]
    return counts if counts.sum() == table.sum() else None
