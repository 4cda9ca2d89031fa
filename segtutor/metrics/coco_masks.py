"""Masks of COCO records, polygons and run lengths side by side, all of a file at once. N records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from segtutor.metrics.polygons import rasterize
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
    is_polygon = np.array([isinstance(segmentation, (list, tuple)) for segmentation in segmentations], bool)
    polygons, encoded = np.flatnonzero(is_polygon), np.flatnonzero(~is_polygon)
    tables = []
    if polygons.size:
        rings = [segmentations[index] for index in polygons.tolist()]
        tables.append(rasterize(rings, sizes[polygons], lambda index: name(int(polygons[index]))))
    if encoded.size or not polygons.size:
        runs = read([segmentations[index] for index in encoded.tolist()], lambda index: name(int(encoded[index])))
        wrong = (runs.sizes != sizes[encoded]).any(axis=1)
        if wrong.any():
            at = int(np.argmax(wrong))
            (height, width), (rows, columns) = sizes[encoded[at]].tolist(), runs.sizes[at].tolist()
            raise ValueError(
                f"{name(int(encoded[at]))} has a mask of {rows} x {columns} pixels, but its image is {height} x "
                f"{width} (height x width): the run lengths are for a picture of [{rows}, {columns}], not "
                f"[{height}, {width}]"
            )
        tables.append(runs)
    if len(tables) == 1:
        return tables[0]
    return Runs.concatenate(tables).select(np.argsort(np.concatenate([polygons, encoded])))
