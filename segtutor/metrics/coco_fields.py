"""Fields of COCO records, read with their types; what is wrong with one is said by the name of its record.

The evaluator and the loaders read the same files, and they read them here. A field is read from all records at once;
only if that fails are they gone through to find the culprits. What is wrong goes to a `Report`: the evaluator's raises
at the first one, the loaders' collects them all.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from segtutor.metrics.arrays import boolean_at, is_tensor, shorten, to_numpy
from segtutor.metrics.runs import MOST_PIXELS

Records = Sequence[Mapping[str, Any]]
# Takes the place of a record and what is wrong with it, "has no 'bbox'".
Report = Callable[[int, str], None]
# Stands for a value that was reported already, or that an optional field does not have.
ABSENT: Any = object()


def plain(value: Any) -> Any:
    """A number out of a tensor or an array of NumPy as Python has it; anything else as it is."""
    return to_numpy(value).tolist() if is_tensor(value) or isinstance(value, (np.generic, np.ndarray)) else value


def record_name(kind: str, records: Records, index: int) -> str:
    """How an error calls a record: ``detection 7 (image 42)``."""
    record = records[index]
    if not isinstance(record, Mapping):
        return f"{kind} {index}"
    image = plain(record.get("image_id"))
    where = "" if image is None else f" (image {shorten(image)})"
    number = f" (id {shorten(plain(record['id']))})" if kind == "annotation" and "id" in record else ""
    return f"{kind} {index}{number}{where}"


def raising(name: Callable[[int], str]) -> Report:
    """The report that stops at the first wrong record with a ValueError."""

    def report(index: int, text: str) -> None:
        raise ValueError(f"{name(index)}{'' if text.startswith(':') else ' '}{text}")

    return report


def column(records: Records, key: str, report: Report) -> list[Any]:
    """The field ``key`` of all records; a record that is no dict or lacks the field is reported."""
    try:
        return list(map(itemgetter(key), records))
    except (KeyError, TypeError, IndexError):
        return [_field(record, key, index, report) for index, record in enumerate(records)]


def field_of(records: Records, key: str, missing: Any = None) -> list[Any]:
    """The field ``key`` of all records as it stands there, ``missing`` where it is not."""
    try:
        return list(map(itemgetter(key), records))
    except KeyError:
        return [record.get(key, missing) for record in records]


def _field(record: Any, key: str, index: int, report: Report) -> Any:
    if not isinstance(record, Mapping):
        report(index, f"must be a dict, got {shorten(record)} ({type(record).__name__})")
        return ABSENT
    if key not in record:
        there = f"; its fields are {', '.join(map(str, record))}" if record else "; it is empty"
        hint = f": rename {key.replace('category', 'label')!r} to {key!r}" if "label_id" in record else ""
        report(index, f"has no {key!r}{shorten(there, quote=False)}{hint if key == 'category_id' else ''}")
        return ABSENT
    return record[key]


def identities(records: Records, key: str, report: Report) -> list[Any]:
    """The ids in the field ``key``: whole numbers, or texts, but not both in one file."""
    values = column(records, key, report)
    kinds = set(map(type, values))
    if kinds <= {int} or kinds <= {str}:
        return values
    first: Any = ABSENT
    for index, given in enumerate(values):
        if given is ABSENT:
            continue
        value = plain(given)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # as tables with gaps write them
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            report(index, f"has the {key} {shorten(given)}; an id is a whole number or a text")
            value = ABSENT
        elif first is ABSENT:
            first = value
        elif type(value) is not type(first):
            report(
                index, f"has the {key} {value!r}, but another record has {first!r}; ids are all numbers or all texts"
            )
            value = ABSENT
        values[index] = value
    return values


def unique_ids(records: Records, report: Report) -> list[Any]:
    """The ids of all records; one that is used a second time is reported."""
    ids = identities(records, "id", report)
    if len(set(ids)) < len(ids):
        seen: set[Any] = set()
        for index, value in enumerate(ids):
            if value in seen and value is not ABSENT:
                report(index, f"uses the id {value!r} a second time")
            seen.add(value)
    return ids


def places(records: Records, key: str, ids: list[Any], report: Report, whose: str = "the ground truth") -> np.ndarray:
    """Place of each record's image or category among the sorted ids of ``whose``; one not among them is reported."""
    values = identities(records, key, report)
    place_of = {value: place for place, value in enumerate(ids)}
    try:
        return np.array([place_of[value] for value in values], np.int64)
    except KeyError:
        index = next(index for index, value in enumerate(values) if value not in place_of)
        what = "image" if key == "image_id" else "category"
        report(index, f"names the {what} {values[index]!r}, which {whose} does not have"
                      f"{other_type(values[index], place_of)}")  # fmt: skip
        raise


def other_type(value: Any, known: Iterable[Any]) -> str:
    """The end of a sentence about an id that is not known, if it is known as a text and not as a number, or so."""
    twin = next(
        (one for one in known if one is not ABSENT and type(one) is not type(value) and str(one) == str(value)), None
    )
    return "" if twin is None else f"; it has {twin!r}, {_kind(twin)}, and this is {_kind(value)}"


def _kind(value: Any) -> str:
    return {int: "a number", str: "a text"}.get(type(value), f"a {type(value).__name__}")


def flags(records: Records, key: str, report: Report, default: int = 0) -> np.ndarray:
    """A field that is 0 or 1, true or false; missing and null are ``default``. Booleans."""
    values = field_of(records, key)
    if set(map(type, values)) <= {int, bool, type(None)} and set(values) <= {0, 1, None}:
        return np.array([default if value is None else value for value in values], bool)
    result = np.zeros(len(values), bool)
    for index, given in enumerate(values):
        value = default if given is None else plain(given)
        if isinstance(value, (bool, int, float)) and value in (0, 1):
            result[index] = bool(value)
        else:
            report(index, f"has the {key} {shorten(given)}, but it must be 0 or 1, or true or false")
    return result


def numbers(records: Records, key: str, report: Report, allow_infinite: bool = False) -> np.ndarray:
    """The field ``key`` of all records as float64; reported is what is no number, NaN, or infinite if not allowed."""
    values = column(records, key, report)
    array = _as_float(values, 1)
    if array is None:
        array = np.array([_number_or_nan(value) for value in values])
    wrong = np.isnan(array) if allow_infinite else ~np.isfinite(array)
    for index in np.flatnonzero(wrong).tolist():
        if values[index] is not ABSENT:
            report(index, f"has the {key} {shorten(values[index])}, which is not a number to compare")
    return array


def areas(records: Records, report: Report) -> np.ndarray:
    """The areas of all records as float64; reported is what is no finite number, or negative."""
    area = numbers(records, "area", report)
    for index in np.flatnonzero(area < 0).tolist():
        report(index, f"has a negative area, {area[index]}")
    return area


def has_box(record: Mapping[str, Any]) -> bool:
    """Whether a record has a box at all; missing, null and an empty list mean that it has none."""
    box = record.get("bbox")
    return box is not None and not (isinstance(box, (list, tuple, str)) and not box)


def without_box(records: Records) -> list[int]:
    """The places of the records that have no box."""
    boxes = field_of(records, "bbox")
    if set(map(type, boxes)) <= {list} and all(boxes):
        return []
    return [index for index, record in enumerate(records) if not has_box(record)]


def boxes(records: Records, report: Report) -> np.ndarray:
    """The boxes of all records, N x 4, x y width height.

    Reported are boxes that are not four finite numbers, or negative in width or height; they are NaN.
    """
    return check_boxes(column(records, "bbox", report), report)


def check_boxes(values: list[Any], report: Report) -> np.ndarray:
    """The same for boxes that were taken out of their records."""
    rows = _plain_rows(values, 4)
    if rows is None:
        rows = _as_float(values, 2)
    if rows is None or rows.shape[1] != 4:
        rows = np.array([_four_numbers(value) for value in values])
    for index in np.flatnonzero(~np.isfinite(rows).all(axis=1)).tolist():
        rows[index] = np.nan
        if values[index] is not ABSENT:
            given = shorten(values[index])
            report(index, f": bbox must be four finite numbers [x, y, width, height], got {given}")
    for index in np.flatnonzero((rows[:, 2:] < 0).any(axis=1)).tolist():
        rows[index] = np.nan
        report(index, f"has a box of negative width or height, {shorten(values[index])}; "
                      "COCO boxes are [x, y, width, height], not two corners")  # fmt: skip
    return rows


def image_sizes(images: Records, report: Report) -> np.ndarray:
    """Height and width of all images, N x 2 int64; whole floats are taken. A wrong one is reported, and 0 x 0."""
    values: list[Any] = [(image.get("height"), image.get("width")) for image in images]
    are_whole = set(map(type, (side for pair in values for side in pair))) <= {int}
    if are_whole and all(height > 0 and width > 0 and height * width < MOST_PIXELS for height, width in values):
        return np.array(values, np.int64).reshape(-1, 2)
    sizes = np.zeros((len(values), 2), np.int64)
    for index, pair in enumerate(values):
        height, width = (_whole(plain(side)) for side in pair)
        if height is None or width is None or min(height, width) < 1:
            report(index, "must have a height and a width in pixels, whole numbers, got "
                          f"{shorten(pair[0])} and {shorten(pair[1])}")  # fmt: skip
        elif height * width >= MOST_PIXELS:
            report(index, f"has a height and a width of {height!r} and {width!r}, more pixels than 32 bits count")
        else:
            sizes[index] = height, width
    return sizes


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None


def _plain_rows(values: list[Any], width: int) -> np.ndarray | None:
    """Lists of as many whole numbers and floats, N x width float64; None if anything else is among them."""
    if not set(map(type, values)) <= {list} or not set(map(len, values)) <= {width}:
        return None
    sides = list(chain.from_iterable(values))
    if not set(map(type, sides)) <= {int, float}:
        return None
    try:
        return np.array(array("d", sides)).reshape(-1, width)  # several times as fast as NumPy reads lists of lists
    except OverflowError:
        return None


def _as_float(values: list[Any], num_axes: int) -> np.ndarray | None:
    """The values as float64, or None if they are not numbers of that many axes; texts and booleans are none."""
    try:
        array = np.array(values) if values else np.empty((0,) * num_axes)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    if array.ndim != num_axes or array.dtype.kind not in "iuf":
        return None
    sides = array.shape[-1]

    def given(places: np.ndarray) -> Iterator[Any]:
        if num_axes == 1:
            return (values[at] for at in places.tolist())
        return (values[at // sides][at % sides] for at in places.tolist())

    return None if boolean_at(array.ravel(), given) is not None else array.astype(np.float64)


def _number_or_nan(value: Any) -> float:
    value = plain(value)
    try:
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")
    except OverflowError:
        return float("nan")


def _four_numbers(value: Any) -> list[float]:
    value = plain(value)
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        return [float("nan")] * 4
    return [_number_or_nan(side) for side in value]
