"""Labels that a network gives reason to doubt: regions that it takes, surely, for another class.

Confident learning (Northcutt et al. 2021, §3.1). How sure a network is of a class depends on the class, so the bar is
the class's own: the mean probability that it gets where it is the label. A pixel is suspect if another class clears its
bar there, and of those that do is the likeliest. The network must not have learned these labels, or it repeats them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from segtutor.metrics.calibration import valid_pixels

_CORNERS = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Suspect:
    """A region whose label may be wrong.

    Attributes:
        label: What it is labeled.
        suggested: What the network takes most of its suspect pixels for.
        pixels: Its area.
        share: How much of it is suspect.
        margin: Mean over the region of the suggested class's probability less that of the label.
        box: x0 y0 x1 y1, the last two exclusive.
    """

    label: int
    suggested: int
    pixels: int
    share: float
    margin: float
    box: tuple[int, int, int, int]


class LabelModel:
    """The bars of the classes, from as many pictures as there are; then ``suspects`` of each picture.

    Args:
        num_classes: K.
        ignore_index: Void.
    """

    def __init__(self, num_classes: int, ignore_index: int | None = 255) -> None:
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.sums, self.counts = np.zeros(num_classes), np.zeros(num_classes, dtype=np.int64)

    def update(self, target: Any, probabilities: Any) -> None:
        """Learns from one picture.

        Args:
            target: Labels H x W.
            probabilities: K x H x W, of a network that did not learn these labels.
        """
        labels, given = valid_pixels(target, probabilities, self.num_classes, self.ignore_index)
        own = np.take_along_axis(given, labels[None], 0)[0]
        self.sums += np.bincount(labels, own, minlength=self.num_classes)
        self.counts += np.bincount(labels, minlength=self.num_classes)

    def bars(self) -> np.ndarray:
        """K float64: mean probability of a class where it is the label; infinite for one that is never a label."""
        result: np.ndarray = np.where(self.counts > 0, self.sums / np.maximum(self.counts, 1), np.inf)
        return result

    def suggestion(self, target: Any, probabilities: Any) -> np.ndarray:
        """What each pixel may be instead: H x W int64, -1 where its label is not suspect, or void.

        Args:
            target: Labels H x W.
            probabilities: K x H x W.
        """
        labels, given = valid_pixels(target, probabilities, self.num_classes, self.ignore_index)
        cleared = np.where(given >= self.bars()[:, None], given, -1.0)
        best = np.where(cleared.max(axis=0) >= 0, cleared.argmax(axis=0), labels)
        shape = np.asarray(target).shape
        result = np.full(shape, -1, dtype=np.int64)
        valid = np.ones(shape, bool) if self.ignore_index is None else np.asarray(target) != self.ignore_index
        result[valid] = np.where(best != labels, best, -1)
        return result

    def suspects(self, target: Any, probabilities: Any, share: float = 0.5, smallest: int = 16) -> list[Suspect]:
        """Regions of one label that are suspect, the largest margin first.

        Args:
            target: Labels H x W.
            probabilities: K x H x W.
            share: Least share of a region that must be suspect, above 0 and at most 1: less is an outline.
            smallest: Regions of fewer pixels are passed over.

        Raises:
            ValueError: If shapes or labels do not fit, or the share makes no sense.
        """
        if not 0 < share <= 1:
            raise ValueError(f"share is {share!r}, but must be above 0 and at most 1, as 0.5")
        instead = self.suggestion(target, probabilities)
        labels, given = np.asarray(target), np.asarray(probabilities)
        found = []
        for label in np.unique(labels[instead >= 0]).tolist():
            regions, _ = ndimage.label(labels == label, _CORNERS)
            for number, box in enumerate(ndimage.find_objects(regions), start=1):
                region = regions[box] == number
                doubted = instead[box][region]
                doubted = doubted[doubted >= 0]
                pixels = int(region.sum())
                if pixels < smallest or len(doubted) < share * pixels:
                    continue
                suggested = int(np.bincount(doubted).argmax())
                inside = given[(slice(None), *box)]
                margin = float((inside[suggested] - inside[label])[region].mean())
                rows, columns = box
                corners = int(columns.start), int(rows.start), int(columns.stop), int(rows.stop)
                found.append(Suspect(int(label), suggested, pixels, len(doubted) / pixels, margin, corners))
        return sorted(found, key=lambda one: -one.margin)
