"""Scores of a data set that look at outlines only, beside the confusion matrix that looks at everything.

Boundary IoU of a class (Cheng et al., CVPR 2021) compares the pixels near the outline of the class in target and
prediction; the trimap (DeepLab v2 §4.3) compares all classes in a band around the target's label changes. Both are
summed over the whole data set, as IoU is.
"""

from __future__ import annotations

import numpy as np

from segtutor.metrics import ConfusionMatrix, boundary_band, boundary_distance, mask_boundary


class OutlineScores:
    """Counts at outlines; void counts nowhere.

    Args:
        num_classes: K.
        ignore_index: Void.

    Attributes:
        band: Confusion matrix of the pixels in the trimaps.
    """

    def __init__(self, num_classes: int, ignore_index: int) -> None:
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.both, self.either = np.zeros(num_classes, np.int64), np.zeros(num_classes, np.int64)
        self.band = ConfusionMatrix(num_classes, ignore_index)

    def update(self, target: np.ndarray, prediction: np.ndarray) -> None:
        """Counts one picture, H x W each; the distance is 2 % of its diagonal."""
        distance = boundary_distance(*target.shape)
        valid = target != self.ignore_index
        for number in np.union1d(np.unique(target[valid]), np.unique(prediction[valid])).tolist():
            one, other = (mask_boundary(labels == number, distance) for labels in (target, prediction))
            self.both[number] += np.count_nonzero(one & other & valid)
            self.either[number] += np.count_nonzero((one | other) & valid)
        near = boundary_band(target, distance)
        self.band.update(target[near], prediction[near])

    def boundary_iou(self) -> np.ndarray:
        """K float64; NaN where a class has no outline in either."""
        with np.errstate(invalid="ignore"):
            return np.where(self.either > 0, self.both / np.maximum(self.either, 1), np.nan)

    def mean_boundary_iou(self) -> float:
        """Mean over the classes that have an outline."""
        return float(np.nanmean(self.boundary_iou())) if self.either.any() else float("nan")
