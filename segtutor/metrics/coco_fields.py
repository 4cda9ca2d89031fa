"""Fields of COCO records as arrays; what is wrong with one is said by the name of its record.

A field is read from all records at once; only if that fails are they gone through to find the culprit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Records = Sequence[Mapping[str, Any]]


def record_name(kind: str, records: Records, index: int) -> str:
    """How an error calls a record: ``detection 7 (image 42)``."""
    record = records[index]
    image = record.get("image_id") if isinstance(record, Mapping) else None
    where = "" if image is None else f" (image {image})"
    number = f" (id {record['id']})" if kind == "annotation" and isinstance(record, Mapping) and "id" in record else ""
    return f"{kind} {index}{number}{where}"


def column(records: Records, key: str, name: Callable[[int], str]) -> list[Any]:
    """The field ``key`` of all records.

    Raises:
        ValueError: if a record is no dict or lacks the field.
    """
    try:
        return [record[key] for record in records]
    except (KeyError, TypeError):
        for index, record in enumerate(records):
            if not isinstance(record, Mapping):
                raise ValueError(f"{name(index)} must be a dict, got {type(record).__name__}") from None
            if key not in record:
                raise ValueError(f"{name(index)} has no {key!r}") from None
        raise


def numbers(records: Records, key: str, name: Callable[[int], str], allow_infinite: bool = False) -> np.ndarray:
    """The field ``key`` of all records as float64.

    Raises:
        ValueError: if a value is no number, NaN, or infinite where that is not allowed.
    """
    values = column(records, key, name)
    array = _as_float(values, 1)
    if array is None:
        array = np.array([_number_or_nan(value) for value in values])
    wrong = np.isnan(array) if allow_infinite else ~np.isfinite(array)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise ValueError(f"{name(index)} has the {key} {values[index]!r}, which is not a number to compare")
    return array


def unique_ids(records: Records, kind: str) -> list[Any]:
    """The ids of all records.

    Raises:
        ValueError: if one is missing or used twice.
    """
    ids = column(records, "id", lambda index: record_name(kind, records, index))
    if len(set(ids)) < len(ids):
        seen: set[Any] = set()
        for index, value in enumerate(ids):
            if value in seen:
                raise ValueError(f"{record_name(kind, records, index)} uses the id {value!r} a second time")
            seen.add(value)
    return ids


def places(records: Records, key: str, ids: list[Any], name: Callable[[int], str]) -> np.ndarray:
    """Place of each record's image or category in the sorted ids.

    Raises:
        ValueError: if an id is not among them.
    """
    values = column(records, key, name)
    place_of = {value: place for place, value in enumerate(ids)}
    try:
        return np.array([place_of[value] for value in values], np.int64)
    except KeyError:
        index = next(index for index, value in enumerate(values) if value not in place_of)
        what = "image" if key == "image_id" else "category"
        raise ValueError(
            f"{name(index)} names the {what} {values[index]!r}, which the ground truth does not have"
        ) from None


def boxes(records: Records, name: Callable[[int], str]) -> np.ndarray:
    """The boxes of all records, x y width height.

    Raises:
        ValueError: if a box is not four finite numbers, or negative in width or height.
    """
    values = column(records, "bbox", name)
    array = _as_float(values, 2) if len(values) else np.empty((0, 4))
    if array is not None and array.shape[1] == 4:
        wrong = ~np.isfinite(array).all(axis=1)
    else:
        wrong = np.array(
            [np.shape(box) != (4,) or not np.isfinite(list(map(_number_or_nan, box))).all() for box in values]
        )
    if wrong.any():
        index = int(np.argmax(wrong))
        raise ValueError(
            f"{name(index)}: bbox must be four finite numbers [x, y, width, height], got {values[index]!r}"
        )
    assert array is not None
    negative = (array[:, 2:] < 0).any(axis=1)
    if negative.any():
        index = int(np.argmax(negative))
        raise ValueError(
            f"{name(index)} has a box of negative width or height, {values[index]!r}; "
            "COCO boxes are [x, y, width, height], not two corners"
        )
    return array


def _as_float(values: list[Any], num_axes: int) -> np.ndarray | None:
    """The values as float64, or None if they are not numbers of that many axes (text does not count as a number)."""
    try:
        array = np.array(values) if values else np.empty((0,) * num_axes)
    except (TypeError, ValueError):
        return None
    return array.astype(np.float64) if array.ndim == num_axes and array.dtype.kind in "biuf" else None


def _number_or_nan(value: Any) -> float:
    try:
        return float("nan") if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError):
        return float("nan")
