"""Masks of COCO records, polygons and run lengths side by side, all of a file at once. N records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segtutor.metrics.polygons import Rings, read_rings
from segtutor.metrics.rle_codec import read
from segtutor.metrics.runs import Runs


def draw(segmentations: Sequence[Any], sizes: np.ndarray, name: Callable[[int], str]) -> Runs:
    """Masks of N records.

    Args:
        segmentations: N lists of polygons, or run lengths.
        sizes: N x 2, height and width of the records' images.
        name: says in an error which record is wrong.

    Raises:
        ValueError: if one is neither, is broken, or is not of the size of its image.
    """
    return read_shapes(segmentations, sizes, name).draw()


@dataclass(frozen=True, eq=False)
class Shapes:
    """The segmentations of N records, checked; run lengths are masks already, polygons are yet to be drawn.

    Attributes:
        sizes: N x 2, height and width of the records' images.
        polygons: the records that have polygons, rising.
        rings: these polygons.
        encoded: the records that have run lengths, rising.
        runs: these masks.
    """

    sizes: np.ndarray
    polygons: np.ndarray
    rings: Rings
    encoded: np.ndarray
    runs: Runs

    def bounds(self) -> np.ndarray:
        """N x 4: x and y between which the pixels of each mask lie, least first; of polygons a little more."""
        bounds = np.empty((len(self.sizes), 4))
        bounds[self.polygons] = self.rings.bounds()
        boxes = self.runs.boxes()
        bounds[self.encoded] = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        return bounds

    def draw(self, wanted: np.ndarray | None = None) -> Runs:
        """N masks; of polygons that are not ``wanted`` (N flags) empty ones."""
        if not self.polygons.size:
            return self.runs
        drawn = self.rings.draw(self.sizes[self.polygons], None if wanted is None else wanted[self.polygons])
        if not self.encoded.size:
            return drawn
        return Runs.concatenate([drawn, self.runs]).select(np.argsort(np.concatenate([self.polygons, self.encoded])))


def read_shapes(segmentations: Sequence[Any], sizes: np.ndarray, name: Callable[[int], str]) -> Shapes:
    """The segmentations of N records; the arguments and errors of `draw`."""
    is_polygon = np.array([isinstance(segmentation, (list, tuple)) for segmentation in segmentations], bool)
    polygons, encoded = np.flatnonzero(is_polygon), np.flatnonzero(~is_polygon)
    parts = [segmentations[index] for index in polygons.tolist()] if encoded.size else segmentations
    rings = read_rings(parts if polygons.size else (), lambda index: name(int(polygons[index])))
    parts = [segmentations[index] for index in encoded.tolist()] if polygons.size else segmentations
    runs = read(parts if encoded.size else (), lambda index: name(int(encoded[index])))
    wrong = (runs.sizes != sizes[encoded]).any(axis=1)
    if wrong.any():
        at = int(np.argmax(wrong))
        (height, width), (rows, columns) = sizes[encoded[at]].tolist(), runs.sizes[at].tolist()
        raise ValueError(
            f"{name(int(encoded[at]))} has a mask of {rows} x {columns} pixels, but its image is {height} x "
            f"{width} (height x width): the run lengths are for a picture of [{rows}, {columns}], not "
            f"[{height}, {width}]"
        )
    return Shapes(sizes, polygons, rings, encoded, runs)
