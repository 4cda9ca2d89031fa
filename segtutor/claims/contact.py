"""How many things are found, of those that touch another one of their class and of those that touch none.

A thing touches if, in the true label map, one connected region of its class holds it and another thing: there a label
map joins what masks can tell apart. It is found if a segment of its class overlaps it with IoU above one half, as in
the panoptic quality.

Shapes: H W label and segment maps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from segtutor.labels import SCENES

VOID = 0
Segments = tuple[np.ndarray, Sequence[Mapping[str, Any]]]
"""A map of segment ids, 0 = void, and the list of its segments with "id" and "category_id"."""


def touching(truth: Segments) -> dict[int, bool]:
    """Of each thing of the truth that has a pixel, by its id, whether it touches another one of its class."""
    numbers, info = truth
    found: dict[int, bool] = {}
    for label in {one["category_id"] for one in info} & set(SCENES.things):
        ids = [one["id"] for one in info if one["category_id"] == label and (numbers == one["id"]).any()]
        regions, count = ndimage.label(np.isin(numbers, ids))
        found |= dict.fromkeys(ids, False)
        for region in range(1, count + 1):
            inside = np.unique(numbers[regions == region]).tolist()
            if len(inside) > 1:
                found |= dict.fromkeys(inside, True)
    return found


class Contact:
    """Counts, over pictures, the things that were found."""

    def __init__(self) -> None:
        self.found = {True: 0, False: 0}
        self.there = {True: 0, False: 0}

    def update(self, truth: Segments, prediction: Segments) -> None:
        """Counts one picture.

        Args:
            truth: Its segments.
            prediction: Those that were found in it.
        """
        class_of = {one["id"]: one["category_id"] for one in truth[1]}
        for thing, touches in touching(truth).items():
            self.there[touches] += 1
            mask = truth[0] == thing
            for one in prediction[1]:
                if one["category_id"] == class_of[thing]:
                    other = (prediction[0] == one["id"]) & (truth[0] != VOID)
                    if 2 * (mask & other).sum() > (mask | other).sum():
                        self.found[touches] += 1
                        break

    def shares(self) -> dict[str, float]:
        """Found things by those there, "touching" and "alone"; NaN where there were none."""
        return {
            name: self.found[touches] / self.there[touches] if self.there[touches] else float("nan")
            for name, touches in (("touching", True), ("alone", False))
        }
