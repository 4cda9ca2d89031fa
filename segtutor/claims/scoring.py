"""All that the claims ask about a network's label maps, in one pass over the pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from segtutor.claims.pictures import Pictures
from segtutor.inference import predict
from segtutor.inference.predict import evaluating
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.metrics.boundary import boundary_band, boundary_distance, mask_boundary

BAND = 2
"""Half the width of the boundary band, in pixels."""
DISTANCES = (1, 3, 7)
"""Pixels are told apart by their distance to the next change of label: 1, 2 to 3, 4 to 7, farther."""
SMALL, LARGE = 10, 24
"""Side in pixels, the root of the area, below which a thing is small, and from which it is large."""
RARE = 0.01
"""A class with a smaller share of the labeled pixels is rare."""
BOLLARD_LABELS = SCENES.select(["mooring bollard", "street bollard"])


class LabelMapScore:
    """Collects label maps and their targets, picture by picture; ``values`` has the scores."""

    def __init__(self) -> None:
        self.whole, self.band, self.inner = (ConfusionMatrix(len(SCENES)) for _ in range(3))
        self.edges = np.zeros((2, len(SCENES)))  # pixels of the boundaries: in both, in one of them or both
        self.shares: dict[str, list[int]] = {}

    def update(self, found: Tensor, target: Tensor, thin: np.ndarray, sides: np.ndarray) -> None:
        """Add a picture.

        Args:
            found: H x W, the network's labels.
            target: H x W, the true ones, with void.
            thin: H x W bool, poles, masts and leashes.
            sides: H x W, the side of the thing at each pixel, 0 where there is none.
        """
        self.whole.update(target, found)
        near = torch.from_numpy(boundary_band(target, BAND))
        self.band.update(target[near], found[near])
        self.inner.update(target[~near], found[~near])
        self._count_edges(found.numpy(), target.numpy())
        right, valid = (found == target).numpy(), (target != SCENES.ignore_index).numpy()
        self._note("thin", right, valid & thin)
        self._note("small", right, valid & (sides > 0) & (sides < SMALL))
        self._note("large", right, valid & (sides >= LARGE))
        closer = np.zeros_like(valid)
        for distance in DISTANCES:
            within = boundary_band(target, distance)
            self._note(f"within_{distance}", right, valid & within & ~closer)
            closer = within
        self._note("beyond", right, valid & ~closer)

    def _note(self, name: str, right: np.ndarray, pixels: np.ndarray) -> None:
        counts = self.shares.setdefault(name, [0, 0])
        counts[0] += int(right[pixels].sum())
        counts[1] += int(pixels.sum())

    def _count_edges(self, found: np.ndarray, target: np.ndarray) -> None:
        classes = np.union1d(found, target[target != SCENES.ignore_index])
        distance = boundary_distance(*target.shape)
        valid = target != SCENES.ignore_index
        true = mask_boundary(target == classes[:, None, None], distance)
        mine = mask_boundary((found == classes[:, None, None]) & valid, distance)
        self.edges[0, classes] += (true & mine).sum((1, 2))
        self.edges[1, classes] += (true | mine).sum((1, 2))

    def values(self) -> dict[str, float]:
        """The scores, see ``score``."""
        iou = np.asarray(self.whole.iou())
        shown = np.flatnonzero(self.edges[1])
        matrix = np.asarray(self.whole.matrix, dtype=np.float64)
        share = matrix.sum(axis=1) / max(matrix.sum(), 1)
        accuracy = np.diag(matrix) / np.maximum(matrix.sum(axis=1), 1)
        rare, frequent = (share > 0) & (share < RARE), share >= RARE
        return {
            "mean_iou": self.whole.mean_iou(),
            "pixel_accuracy": self.whole.pixel_accuracy(),
            "class_accuracy": self.whole.mean_class_accuracy(),
            "rare_accuracy": float(accuracy[rare].mean()) if rare.any() else float("nan"),
            "frequent_accuracy": float(accuracy[frequent].mean()) if frequent.any() else float("nan"),
            "band_iou": self.band.mean_iou(),
            "inner_iou": self.inner.mean_iou(),
            "boundary_iou": float((self.edges[0, shown] / self.edges[1, shown]).mean()),
            "pole_iou": float(iou[SCENES.index("pole")]),
            "bollard_iou": float(iou[BOLLARD_LABELS].mean()),
            **{name: right / count if count else float("nan") for name, (right, count) in self.shares.items()},
        }


def score(model: nn.Module, pictures: Pictures) -> dict[str, float]:
    """Scores of a network on pictures.

    Returns:
        "mean_iou" and "pixel_accuracy" over all pixels; "class_accuracy", the mean over the classes of the share of its
        pixels that are right, and the same over the classes below and from 1 % of the pixels, "rare_accuracy" and
        "frequent_accuracy"; "band_iou", the mean IoU within two pixels of where labels
        change, and "inner_iou", of all other pixels; "boundary_iou", the IoU of each class's boundary with the found
        one (Cheng et al. 2021, at 2 % of the diagonal, counted over all pictures), mean over classes; "pole_iou";
        "bollard_iou", the mean over the two classes that only their far surroundings tell apart. Shares of pixels that
        are right: "thin", of poles, masts and leashes; "small" and "large", of things with a side below 10 and from 24
        pixels; "within_1", "within_3", "within_7", "beyond", by the distance to the next change of label.
    """
    scores = LabelMapScore()
    with evaluating(model):
        for index in range(len(pictures)):
            image, target = pictures[index]
            scores.update(predict(model, image), target, pictures.thin[index], pictures.sides[index])
    return scores.values()
