"""Whether COCO records are right as they stand, seen in their columns: all ids at once, all boxes at once.

Most files are written as COCO writes its own, and going through their records one by one would only find that out. Of
what is not right here, `segtutor.datasets.coco_json` says what is wrong with which record, or reads what it means.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable
from itertools import chain, repeat
from operator import contains, itemgetter
from typing import Any

import numpy as np

from segtutor.datasets.coco_records import Record
from segtutor.metrics.coco_fields import field_of
from segtutor.metrics.runs import MOST_PIXELS

# The ids of a panoptic PNG have 24 bits, and 0 is void.
SEGMENT_IDS = range(1, 1 << 24)
_ID_TYPES = ({int}, {str})


def images_are_right(records: list[Record]) -> bool:
    """Images with different ids of one type, different names, and sizes in whole numbers."""
    try:
        ids, names, heights, widths = _columns(records, "id", "file_name", "height", "width")
    except KeyError:
        return False
    return (
        bool(records)
        and _differ(ids)
        and _types(names) == {str}
        and all(names)
        and len(set(names)) == len(names)
        and _types(chain(heights, widths)) == {int}
        and min(min(heights), min(widths)) > 0
        and max(heights) * max(widths) < MOST_PIXELS
    )


def categories_are_right(records: list[Record]) -> bool:
    """Categories with different ids of one type, names, and 0 or 1 for things where they say so."""
    try:
        ids, names = _columns(records, "id", "name")
    except KeyError:
        return False
    things = field_of(records, "isthing", missing=0)
    return (not records or _differ(ids)) and _types(names) <= {str} and all(names) and _are_flags(things)


def annotations_are_right(records: list[Record], images: Collection[Any], categories: Collection[Any]) -> bool:
    """Annotations of objects, each with a box, of images and categories that exist."""
    if any(map(contains, records, repeat("segments_info"))):
        return False
    try:
        ids, of_images, of_categories, boxes = _columns(records, "id", "image_id", "category_id", "bbox")
    except KeyError:
        return False
    return (
        bool(records)
        and _differ(ids)
        and _are_among(of_images, images)
        and _are_among(of_categories, categories)
        and _are_flags(field_of(records, "iscrowd", missing=0))
        and _types(boxes) == {list}
        and set(map(len, boxes)) == {4}
        and _are_sizes(boxes, field_of(records, "area", missing=0))
    )


def segments_are_right(records: list[Record], categories: Collection[Any]) -> bool:
    """Panoptic annotations whose segments all have an id that a PNG can hold, and a category that exists."""
    lists = field_of(records, "segments_info")
    if _types(lists) != {list}:
        return False
    segments = list(chain.from_iterable(lists))
    try:
        ids, of_categories = _columns(segments, "id", "category_id")
        crowds = field_of(segments, "iscrowd", missing=0)
        # Of an array of whole numbers only true and false are to be told apart, which are 1 and 0 in it.
        numbers = np.array(array("q", ids))
    except (KeyError, TypeError, AttributeError, OverflowError):
        return False
    return not segments or (
        int(numbers.min()) in SEGMENT_IDS
        and int(numbers.max()) in SEGMENT_IDS
        and bool not in {type(ids[at]) for at in np.flatnonzero(numbers == 1).tolist()}
        and _are_among(of_categories, categories)
        and _are_flags(crowds)
    )


def _columns(records: list[Record], *keys: str) -> Iterable[list[Any]]:
    """The fields ``keys`` of all records; KeyError if one has not all of them."""
    return [list(map(itemgetter(key), records)) for key in keys]


def _types(values: Iterable[Any]) -> set[type]:
    return set(map(type, values))


def _differ(ids: list[Any]) -> bool:
    """Whether ids are all numbers, or all texts, and none stands twice."""
    return _types(ids) in _ID_TYPES and len(set(ids)) == len(ids)


def _are_among(values: list[Any], known: Collection[Any]) -> bool:
    """Whether ids are all numbers, or all texts, and known."""
    return _types(values) in _ID_TYPES and frozenset(known).issuperset(values)


def _are_flags(values: list[Any]) -> bool:
    return _types(values) <= {int} and {0, 1}.issuperset(values)


def _are_sizes(boxes: list[list[Any]], areas: list[Any]) -> bool:
    """Whether boxes are finite numbers of which width and height are not negative, and so are areas."""
    numbers = [*chain.from_iterable(boxes), *areas]
    if not _types(numbers) <= {int, float}:
        return False
    try:
        values = np.fromiter(numbers, np.float64, len(numbers))  # several times as fast as NumPy reads lists of lists
    except OverflowError:
        return False
    rows, areas_of = values[: 4 * len(boxes)].reshape(-1, 4), values[4 * len(boxes) :]
    return bool(np.isfinite(values).all() and (rows[:, 2:] >= 0).all() and (areas_of >= 0).all())
