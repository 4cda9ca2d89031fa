"""IoU by how large a region is, and by how far a pixel lies from where labels change.

One mean over everything hides both: large regions have nearly all pixels, and nearly all errors lie at edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from segtutor.metrics.arrays import integer_map, same_shape
from segtutor.metrics.boundary import boundary_band
from segtutor.metrics.confusion import ConfusionMatrix

SIDES = (8, 16, 32, 64)
DISTANCES = (1, 3, 7)
_CORNERS = np.ones((3, 3), dtype=bool)


def _ascending(numbers: Sequence[float], name: str) -> tuple[float, ...]:
    values = tuple(numbers)
    if not values or list(values) != sorted(set(values)) or values[0] <= 0:
        raise ValueError(f"{name} are {values!r}, but must be one or more rising numbers above 0")
    return values


class IouByDistance:
    """A confusion matrix for each ring around where the target's labels change.

    Args:
        num_classes: K.
        distances: Outer limits of the rings in pixels, rows or columns, the larger, as in ``boundary_band``; one more
            ring is everything beyond.
        ignore_index: Void; it counts nowhere, but where it begins, labels change.

    Attributes:
        rings: One ConfusionMatrix each, from the nearest on.
    """

    def __init__(
        self, num_classes: int, distances: Sequence[int] = DISTANCES, ignore_index: int | None = 255
    ) -> None:  # fmt: skip
        self.distances = tuple(int(one) for one in _ascending(distances, "distances"))
        self.rings = [ConfusionMatrix(num_classes, ignore_index) for _ in range(len(self.distances) + 1)]

    def update(self, target: Any, prediction: Any) -> None:
        """Counts one picture, H x W each."""
        truth, found = integer_map(target, "target"), integer_map(prediction, "prediction")
        same_shape(truth, found, "target", "prediction")
        closer = np.zeros(truth.shape, dtype=bool)
        for ring, distance in zip(self.rings, self.distances, strict=False):
            within = boundary_band(truth, distance)
            ring.update(truth[within & ~closer], found[within & ~closer])
            closer = within
        self.rings[-1].update(truth[~closer], found[~closer])

    @property
    def names(self) -> list[str]:
        """Of the rings: "1", "2-3", ..., "8 and more"."""
        starts = [1, *(distance + 1 for distance in self.distances)]
        ends = [
            f"{start}-{end}" if end > start else str(end) for start, end in zip(starts, self.distances, strict=False)
        ]
        return [*ends, f"{starts[-1]} and more"]

    def mean_iou(self) -> dict[str, float]:
        """Mean IoU by the name of the ring; NaN where it has no pixel."""
        return {name: ring.mean_iou() for name, ring in zip(self.names, self.rings, strict=True)}


class IouBySize:
    """IoU of each class by the size of its regions.

    A region is a connected part of one class, corners included, or a thing, where they are given; its side is the root
    of its area. Pixels that are right or missed belong to the size of their region in the target, invented ones to that
    of their region in the prediction: so every pixel of a class's union counts in one size, and the sums over the sizes
    are those of the confusion matrix.

    Args:
        num_classes: K.
        sides: Limits between the sizes, in pixels; a region belongs to the size whose limits hold its side, the lower
            limit included.
        ignore_index: Void; regions end there.

    Attributes:
        hits: S x K int64, S = one more than there are limits.
        missed: S x K int64.
        invented: S x K int64.
    """

    def __init__(self, num_classes: int, sides: Sequence[float] = SIDES, ignore_index: int | None = 255) -> None:
        self.sides = _ascending(sides, "sides")
        self.checked = ConfusionMatrix(num_classes, ignore_index)
        shape = len(self.sides) + 1, num_classes
        self.hits, self.missed, self.invented = (np.zeros(shape, dtype=np.int64) for _ in range(3))

    def update(self, target: Any, prediction: Any, things: Any = None) -> None:
        """Counts one picture.

        Args:
            target: Label map H x W.
            prediction: Label map of the same shape.
            things: H x W, the number of the thing at each pixel, 0 where there is none; None takes connected regions.
        """
        truth, found = integer_map(target, "target"), integer_map(prediction, "prediction")
        same_shape(truth, found, "target", "prediction")
        numbers = None if things is None else integer_map(things, "things")
        if numbers is not None:
            same_shape(truth, numbers, "target", "things")
        self.checked.update(truth, found)
        void = self.checked.ignore_index
        valid = np.ones(truth.shape, bool) if void is None else truth != void
        true_size, found_size = self._sizes(truth, valid, numbers), self._sizes(found, valid, None)
        right = valid & (truth == found)
        wrong = valid & ~right
        for counts, pixels, sizes, labels in (
            (self.hits, right, true_size, truth),
            (self.missed, wrong, true_size, truth),
            (self.invented, wrong, found_size, found),
        ):
            np.add.at(counts, (sizes[pixels], labels[pixels].astype(np.int64)), 1)

    def _sizes(self, labels: np.ndarray, valid: np.ndarray, things: np.ndarray | None) -> np.ndarray:
        """Of each pixel the number of the size of its region."""
        sizes = np.zeros(labels.shape, dtype=np.int64)
        for label in np.unique(labels[valid]).tolist():
            here = valid & (labels == label)
            regions, count = ndimage.label(here if things is None else here & (things == 0), _CORNERS)
            if things is not None:
                regions = np.where(here & (things > 0), things + count, regions)
            areas = np.bincount(regions[here])
            sizes[here] = np.searchsorted(self.sides, np.sqrt(areas), side="right")[regions[here]]
        return sizes

    @property
    def names(self) -> list[str]:
        """Of the sizes: "below 8", "8-16", ..., "from 64"."""
        pairs = zip(self.sides, self.sides[1:], strict=False)
        between = [f"{low:g}-{high:g}" for low, high in pairs]
        return [f"below {self.sides[0]:g}", *between, f"from {self.sides[-1]:g}"]

    def iou(self) -> np.ndarray:
        """S x K float64; NaN where a class has no region of the size in target or prediction."""
        with np.errstate(invalid="ignore"):
            result: np.ndarray = self.hits / (self.hits + self.missed + self.invented)
        return result

    def mean_iou(self) -> dict[str, float]:
        """Mean over the classes that are there, by the name of the size; NaN where there is none."""
        return {
            name: float(row[np.isfinite(row)].mean()) if np.isfinite(row).any() else float("nan")
            for name, row in zip(self.names, self.iou(), strict=True)
        }
