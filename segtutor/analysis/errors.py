"""Every wrong pixel is wrong in one of three ways: at a boundary, in the extent of a region, or as a whole region.

Bernhard et al., "What's Outside the Intersection? Fine-grained Error Analysis for Semantic Segmentation Beyond IoU",
WACV 2024. Seen from one class, a pixel is right (TP), rightly absent (TN), invented (FP) or missed (FN). Of these false
pixels, FP and FN each for themselves:

* **boundary**: within d of a TP and of a TN, the core, or within d of the core; a connected part of such pixels counts
  only if it touches both a TP and a TN. The outline runs a little beside the true one.
* **extent**, of the others: an invented pixel whose predicted region holds a TP, a missed one whose true region does.
  The region was found, but it is too large or too small.
* **segment**: all the rest. A region that is nowhere in the other map.

A wrong pixel is missed by its class and invented by another, so it has one way as FN and one as FP, which may differ;
the shares of either add up to 100 % of the wrong pixels. Regions are connected at corners, too; distances are those of
pixel centers, rounded. Void is neither TP nor TN and counts nowhere, and a region of the prediction ends at it (the
authors' code lets a region run on through void, and takes void for TN).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from segtutor.metrics.arrays import integer_map, same_shape
from segtutor.metrics.boundary import boundary_distance
from segtutor.metrics.confusion import ConfusionMatrix

KINDS = ("boundary", "extent", "segment")
BOUNDARY, EXTENT, SEGMENT = range(3)
NO_ERROR = -1
_CORNERS = np.ones((3, 3), dtype=bool)


def error_types(
    target: Any, prediction: Any, width: int | None = None, ignore_index: int | None = 255
) -> tuple[np.ndarray, np.ndarray]:
    """In which way each wrong pixel is wrong.

    Args:
        target: Label map H x W.
        prediction: Label map of the same shape.
        width: d in pixels; None takes 1 % of the diagonal, at least 1, as the paper does.
        ignore_index: Value in the target that marks void.

    Returns:
        H x W int8 each, as missed by the true class and as invented by the predicted one: -1 where there is no error,
        else 0 boundary, 1 extent, 2 segment.

    Raises:
        ValueError: If these are no two label maps of one shape, or the width is below 1.

    >>> missed, invented = error_types([[1, 1, 1, 0, 0, 0, 0, 0, 0]], [[1, 1, 0, 0, 0, 0, 0, 2, 2]], width=1)
    >>> missed.tolist()  # class 1 loses a pixel at its edge; of class 0 a part is gone, the rest is there
    [[-1, -1, 0, -1, -1, -1, -1, 1, 1]]
    >>> invented.tolist()  # class 0 grows over the edge; class 2 stands where none is
    [[-1, -1, 0, -1, -1, -1, -1, 2, 2]]
    """
    truth, found = integer_map(target, "target"), integer_map(prediction, "prediction")
    same_shape(truth, found, "target", "prediction")
    if truth.ndim != 2:
        raise ValueError(f"one label map H x W is looked at, but the shape is {truth.shape}; take one of the batch")
    distance = boundary_distance(truth.shape[0], truth.shape[1], 0.01) if width is None else width
    if distance < 1:
        raise ValueError(f"width is {width!r}, but must be at least 1 pixel")
    valid = np.ones(truth.shape, bool) if ignore_index is None else truth != ignore_index
    missed, invented = (np.full(truth.shape, NO_ERROR, dtype=np.int8) for _ in range(2))
    wrong = valid & (truth != found)
    for label in np.union1d(truth[wrong], found[wrong]).tolist():
        true, given = valid & (truth == label), valid & (found == label)
        hit, absent = true & given, valid & ~true & ~given
        near = _within(hit, distance) & _within(absent, distance)
        touching = [ndimage.binary_dilation(part, _CORNERS) for part in (hit, absent)]
        for false, region, kinds in ((true & ~given, true, missed), (given & ~true, given, invented)):
            kinds[false] = np.where(_with(hit, region)[false], EXTENT, SEGMENT)
            band = false & _within(false & near, distance)
            for touched in touching:
                band = _with(touched & band, band)
            kinds[band] = BOUNDARY
    return missed, invented


def _within(mask: np.ndarray, distance: int) -> np.ndarray:
    """Pixels whose rounded distance to the mask is at most this."""
    if not mask.any():
        return np.zeros(mask.shape, dtype=bool)
    near: np.ndarray = ndimage.distance_transform_edt(~mask) < distance + 0.5
    return near


def _with(marks: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The connected regions of the mask that hold a mark."""
    regions, count = ndimage.label(mask, _CORNERS)
    marked = np.zeros(count + 1, dtype=bool)
    marked[regions[marks & mask]] = True
    marked[0] = False
    result: np.ndarray = marked[regions]
    return result


class ErrorSplit:
    """Counts the ways in which a network is wrong, picture by picture.

    Args:
        num_classes: K.
        width: See ``error_types``.
        ignore_index: Void.

    Attributes:
        missed: K x 3 int64, of each class's missed pixels how many are boundary, extent and segment errors.
        invented: K x 3 int64, the same of the pixels that were wrongly given to it.
        confusion: The confusion matrix of the same pictures.
    """

    def __init__(self, num_classes: int, width: int | None = None, ignore_index: int | None = 255) -> None:
        self.confusion = ConfusionMatrix(num_classes, ignore_index)
        self.width = width
        self.missed, self.invented = (np.zeros((num_classes, len(KINDS)), np.int64) for _ in range(2))

    def update(self, target: Any, prediction: Any) -> None:
        """Counts one picture, H x W each.

        Raises:
            ValueError: For what ``error_types`` and ``ConfusionMatrix.update`` refuse.
        """
        truth, found = integer_map(target, "target"), integer_map(prediction, "prediction")
        kinds = error_types(truth, found, self.width, self.confusion.ignore_index)
        self.confusion.update(truth, found)
        for counts, ways, labels in ((self.missed, kinds[0], truth), (self.invented, kinds[1], found)):
            wrong = ways != NO_ERROR
            np.add.at(counts, (labels[wrong].astype(np.int64), ways[wrong].astype(np.int64)), 1)

    @property
    def wrong(self) -> int:
        """How many pixels are wrong."""
        return int(self.missed.sum())

    def shares(self) -> dict[str, tuple[float, float]]:
        """Of all wrong pixels the share of each way, as missed and as invented; NaN where nothing is wrong."""
        with np.errstate(invalid="ignore"):
            parts = [counts.sum(axis=0) / np.float64(self.wrong) for counts in (self.missed, self.invented)]
        return {kind: (float(parts[0][i]), float(parts[1][i])) for i, kind in enumerate(KINDS)}

    def __str__(self) -> str:
        rows = [f"{kind:<10}{100 * one:8.1f}{100 * other:10.1f}" for kind, (one, other) in self.shares().items()]
        return "\n".join([f"{'% of errors':<10}{'missed':>7}{'invented':>10}", *rows])
