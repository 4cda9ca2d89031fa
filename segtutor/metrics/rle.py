"""Run-length encoded masks as COCO stores them: ``{"size": [height, width], "counts": ...}``.

The counts are lengths of runs of background and foreground in turn, background first, down the columns. ``counts`` is a
list of them, or a string in which each is written in pieces of five bits, least first, as its difference from the count
before the last (so the runs of neighboring columns cost one letter each). R masks, H W canvas.

>>> mask = np.zeros((4, 3), bool)
>>> mask[1:3, 1:] = True
>>> encode(mask, compressed=False)
{'size': [4, 3], 'counts': [5, 2, 2, 2, 1]}
>>> area(encode(mask)), to_box(encode(mask))
(4, array([1., 1., 2., 2.]))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from segtutor.metrics.arrays import boolean_masks, squeeze_hint
from segtutor.metrics.polygons import rasterize
from segtutor.metrics.rle_codec import Rle, read, write
from segtutor.metrics.run_overlaps import intersections
from segtutor.metrics.runs import Runs


def encode(masks: Any, compressed: bool = True) -> Any:
    """Encode a mask H x W, or R of them.

    Args:
        masks: booleans, or integers 0 and 1; H x W or R x H x W.
        compressed: whether ``counts`` is a string, ready for JSON, or a list of integers.

    Returns:
        One dict, or a list of R. The string is that of pycocotools, letter for letter.

    Raises:
        ValueError: if the masks are not binary, or have another number of dimensions.
    """
    array = boolean_masks(masks, "masks")
    if array.ndim not in (2, 3):
        raise ValueError(
            f"masks must be H x W or R x H x W, got an array of shape {array.shape}{squeeze_hint(array.shape)}"
        )
    encoded = write(Runs.from_masks(array if array.ndim == 3 else array[None]), compressed)
    return encoded if array.ndim == 3 else encoded[0]


def decode(rles: Rle | Sequence[Rle]) -> np.ndarray:
    """Decode one mask to H x W booleans, or a list of one size to R x H x W.

    Raises:
        ValueError: if the counts do not fill the canvas exactly, are negative or broken, or the sizes differ.
    """
    runs = _runs_of(rles)
    if isinstance(rles, Mapping):
        return runs.mask(0)
    if not len(runs):
        raise ValueError("nothing to decode: the list of run-length encoded masks is empty")
    _check_one_size(runs)
    return np.stack([runs.mask(number) for number in range(len(runs))])


def area(rles: Rle | Sequence[Rle]) -> Any:
    """Foreground pixels: an int for one mask, R int64 for a list."""
    areas = _runs_of(rles).areas()
    return int(areas[0]) if isinstance(rles, Mapping) else areas


def to_box(rles: Rle | Sequence[Rle]) -> np.ndarray:
    """Tight box as x, y, width, height in pixels, float64: 4 values for one mask, R x 4 for a list; 0 where empty."""
    boxes = _runs_of(rles).boxes()
    return boxes[0] if isinstance(rles, Mapping) else boxes


def merge(rles: Sequence[Rle], intersect: bool = False, compressed: bool = True) -> dict[str, Any]:
    """Union of masks of one size, or with ``intersect`` what they share.

    Raises:
        ValueError: if there is no mask, or the sizes differ.
    """
    runs = _runs_of(list(rles))
    if not len(runs):
        raise ValueError("nothing to merge: the list of run-length encoded masks is empty")
    _check_one_size(runs)
    together = runs.combine(np.zeros(len(runs), np.int64), np.array([len(runs) if intersect else 1]))
    return write(together, compressed)[0]


def iou(detections: Sequence[Rle], objects: Sequence[Rle], crowd: Iterable[bool] | None = None) -> np.ndarray:
    """Intersection over union of each of D detections with each of G objects, D x G float64.

    Args:
        detections: D masks.
        objects: G masks of the same size.
        crowd: G flags. For a crowd the intersection is divided by the detection's area alone: a detection that lies
            inside a crowd fits it fully.

    Raises:
        ValueError: if a size or the number of flags differs.
    """
    runs = _runs_of([*detections, *objects])
    flags = np.zeros(len(objects), bool) if crowd is None else np.array([bool(flag) for flag in crowd], bool)
    if len(flags) != len(objects):
        raise ValueError(f"crowd must have one flag for each object: got {len(flags)} flags for {len(objects)} objects")
    if len(runs):
        _check_one_size(runs)
    first, second = np.divmod(np.arange(len(detections) * len(objects)), max(len(objects), 1))
    areas = runs.areas()
    return overlap_ratio(
        intersections(runs, first, second + len(detections)),
        areas[first],
        areas[len(detections) :][second],
        flags[second],
    ).reshape(len(detections), len(objects))


def from_polygons(
    polygons: Sequence[Sequence[float]], height: int, width: int, compressed: bool = True
) -> dict[str, Any]:
    """Draw the polygons of one object, united, as pycocotools draws them.

    Args:
        polygons: rings, each ``[x0, y0, x1, y1, ...]`` of three points or more, in pixels of the canvas.
        height: rows of the canvas.
        width: columns of the canvas.
        compressed: as in `encode`.

    Raises:
        ValueError: if a ring is too short or not finite.
    """
    sizes = np.array([[height, width]], np.int64)
    return write(rasterize([polygons], sizes), compressed)[0]


def overlap_ratio(shared: np.ndarray, detection: np.ndarray, target: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """Intersection over union from areas; over the detection's area for a crowd; 0 where nothing is shared."""
    whole = np.where(crowd, detection, detection + target - shared)
    return np.where(shared > 0, shared / np.where(shared > 0, whole, 1), 0.0)


def _runs_of(rles: Rle | Sequence[Rle]) -> Runs:
    return read([rles] if isinstance(rles, Mapping) else rles)


def _check_one_size(runs: Runs) -> None:
    other = np.flatnonzero((runs.sizes != runs.sizes[:1]).any(axis=1))
    if other.size:
        (height, width), (wrong_height, wrong_width) = runs.sizes[0], runs.sizes[other[0]]
        raise ValueError(
            f"all masks must have one size: mask 0 is {height} x {width}, "
            f"mask {other[0]} {wrong_height} x {wrong_width}"
        )
