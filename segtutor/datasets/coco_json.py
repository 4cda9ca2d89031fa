"""COCO annotation files for the loaders: every record read with its types, and all that is wrong with a file listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from segtutor.datasets.coco_columns import (
    SEGMENT_IDS,
    annotations_are_right,
    categories_are_right,
    images_are_right,
    segments_are_right,
)
from segtutor.datasets.coco_records import (
    Collect,
    Problem,
    Record,
    by_id,
    check_texts,
    dicts,
    with_crowd,
    with_field,
)
from segtutor.metrics.arrays import shorten
from segtutor.metrics.coco_fields import (
    ABSENT,
    areas,
    check_boxes,
    field_of,
    flags,
    identities,
    image_sizes,
    other_type,
    without_box,
)
from segtutor.metrics.coco_file import SECTIONS, read_json, records_in, uncollected


@dataclass(frozen=True)
class CocoFile:
    """One annotation file. Ids, sizes and ``iscrowd`` are whole numbers here, however the file writes them.

    Attributes:
        path: Where it lies.
        images: The pictures by rising id, each a dict of id, file_name, height, width.
        annotations: For each picture id, its annotations in the order of the file.
        categories: Category id: its dict (name, and isthing and color in panoptic files), by rising id.
        is_panoptic: Whether its annotations list segments; None if there is no annotation.
    """

    path: Path
    images: tuple[Record, ...]
    annotations: dict[Any, list[Record]]
    categories: dict[Any, Record]
    is_panoptic: bool | None = None


def read_coco(path: Path | str) -> CocoFile:
    """Read an annotation file of any COCO task.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If anything in it is wrong; the message has the first thing, and how many more there are.
    """
    with uncollected():
        file, found = parse(read_json(path), path)
    if file is None or found:
        more = f" (and {len(found) - 1} more; check_folder lists them)" if len(found) > 1 else ""
        raise ValueError(f"{path}: {found[0].message}{more}")
    return file


def problems(content: Any) -> list[str]:
    """What is wrong with the content of an annotation file, in words; an empty list if nothing is."""
    return [problem.message for problem in parse(content, "the file")[1]]


def parse(content: Any, path: Path | str) -> tuple[CocoFile | None, list[Problem]]:
    """The records of a file that are right, and what is wrong with the others; no file if there is nothing to read."""
    found: list[Problem] = []
    if not isinstance(content, Mapping):
        hint = "; a list holds results, which are for evaluate_coco" if isinstance(content, list) else ""
        text = "an annotation file is an object with images, annotations and categories, not a "
        return None, [Problem("json", f"{text}{type(content).__name__}{hint}")]
    sections = {}
    for key in SECTIONS:
        try:
            sections[key] = dicts(records_in(content, key), key, found)
        except ValueError as error:
            found.append(Problem("json", f"it {error}"))
    if len(sections) < len(SECTIONS):
        return None, found
    images, image_ids = _images(sections["images"], found)
    categories, category_ids = _categories(sections["categories"], found)
    annotations: dict[Any, list[Record]] = {image["id"]: [] for image in images}
    items = _annotations(sections["annotations"], image_ids, category_ids, found)
    for item, of_image in zip(items, map(annotations.get, map(itemgetter("image_id"), items)), strict=True):
        if of_image is not None:  # and not of an image that is wrong itself
            of_image.append(item)
    is_panoptic = "segments_info" in items[0] if items else None
    return CocoFile(Path(path), images, annotations, categories, is_panoptic), found


def _images(records: list[Record], found: list[Problem]) -> tuple[tuple[Record, ...], set[Any]]:
    """The images that are right, and the ids of all."""
    if images_are_right(records):
        records = sorted(records, key=itemgetter("id"))
        return tuple(records), set(map(itemgetter("id"), records))
    report = Collect(found, "json", lambda index: f"entry {index} of images{_said(records[index])}")
    if not records:
        found.append(Problem("empty", "it lists no image"))
    ids = identities(records, "id", report)
    heights, widths = image_sizes(records, report).T.tolist()
    check_texts(records, "file_name", report)
    right = records
    for key, values in (("id", ids), ("height", heights), ("width", widths)):
        right = with_field(right, key, values)
    right = report.right(right)
    table = by_id(right, "images", found)
    names = Counter(record["file_name"] for record in right)
    if len(names) < len(right):
        found += [Problem("twice", f"file_name {name!r} stands {n} times") for name, n in names.items() if n > 1]
    return tuple(table.values()), set(ids)


def _categories(records: list[Record], found: list[Problem]) -> tuple[dict[Any, Record], set[Any]]:
    """The categories that are right, and the ids of all."""
    if categories_are_right(records):
        table = {record["id"]: record for record in sorted(records, key=itemgetter("id"))}
        return table, set(table)
    report = Collect(found, "category", lambda index: f"entry {index} of categories{_said(records[index])}")
    ids = identities(records, "id", report)
    check_texts(records, "name", report)
    things = flags(records, "isthing", report).astype(int).tolist()
    right = [
        {key: value for key, value in record.items() if key != "isthing" or value is not None}
        | ({"isthing": thing} if record.get("isthing") is not None else {})
        for record, thing in zip(with_field(records, "id", ids), things, strict=True)
    ]
    return by_id(report.right(right), "categories", found), set(ids)


def _said(record: Record) -> str:
    return f" (id {shorten(record['id'])})" if "id" in record else ""


def _annotations(records: list[Record], images: set[Any], categories: set[Any], found: list[Problem]) -> list[Record]:
    """The annotations that are right; all of one task. ``images`` and ``categories`` are the ids that exist."""
    if annotations_are_right(records, images, categories):
        return records
    as_written = records

    def name(index: int) -> str:
        return f"annotation {shorten(as_written[index].get('id', index))}"

    report = Collect(found, "json", name)
    with_id = [index for index, value in enumerate(field_of(records, "id")) if value is not None]
    ids = identities(_at(records, with_id), "id", lambda at, text: report(with_id[at], text))
    if len(set(ids)) < len(ids):
        twice = [(value, count) for value, count in Counter(ids).items() if count > 1 and value is not ABSENT]
        found += [Problem("twice", f"annotation id {value!r} stands {count} times") for value, count in twice]

    of_images = identities(records, "image_id", report)
    for index, value in enumerate(() if images.issuperset(of_images) else of_images):
        if value not in images and value is not ABSENT:
            text = f"belongs to image id {value!r}, which is not in images{other_type(value, images)}"
            report(index, text)
    panoptic = ["segments_info" in record for record in records]
    if any(panoptic):
        for index, is_panoptic in enumerate(panoptic):
            if not is_panoptic:
                report(index, "has no 'segments_info', as other annotations of this file have")
        return report.right(with_field(_with_segments(records, categories, report), "image_id", of_images))

    of_categories = identities(records, "category_id", report)
    for index, value in enumerate(() if categories.issuperset(of_categories) else of_categories):
        if value not in categories and value is not ABSENT:
            report.of_kind("category")(index, _unknown_category(value, categories))
    crowds = flags(records, "iscrowd", report).astype(int).tolist()
    boxless = frozenset(without_box(records))
    boxed = [index for index in range(len(records)) if index not in boxless]
    of_boxes = report.of_kind("box")
    check_boxes(field_of(_at(records, boxed), "bbox"), lambda at, text: of_boxes(boxed[at], text))
    measured = [index for index, value in enumerate(field_of(records, "area")) if value is not None]
    of_areas = report.of_kind("area")
    areas(_at(records, measured), lambda at, text: of_areas(measured[at], text))
    records = with_crowd(with_field(with_field(records, "image_id", of_images), "category_id", of_categories), crowds)
    return report.right(records)


def _at(records: list[Record], places: list[int]) -> list[Record]:
    return records if len(places) == len(records) else [records[index] for index in places]


def _unknown_category(value: Any, categories: set[Any]) -> str:
    return f"has category id {value!r}, which is not in categories{other_type(value, categories)}"


def _with_segments(records: list[Record], categories: set[Any], report: Collect) -> list[Record]:
    """Panoptic annotations with their segments as they were read; reported are wrong segments and file names."""
    check_texts(records, "file_name", report)
    if segments_are_right(records, categories):
        return records
    read = []
    for index, record in enumerate(records):
        segments = record.get("segments_info", [])
        if not isinstance(segments, list) or not all(isinstance(segment, dict) for segment in segments):
            report(index, f"must have a list of objects as 'segments_info', got {shorten(segments)}")
            segments = []

        def wrong(at: int, text: str, index: int = index, kind: str = "json") -> None:
            report.of_kind(kind)(index, f"has a wrong segment {at} in segments_info: it {text}")

        ids = identities(segments, "id", wrong)
        for at, value in enumerate(ids):
            if value is not ABSENT and (type(value) is not int or value not in SEGMENT_IDS):
                wrong(at, f"has the id {value!r}, but ids lie in 1...{SEGMENT_IDS[-1]}, and 0 is void")
        of_categories = identities(segments, "category_id", wrong)
        for at, value in enumerate(of_categories):
            if value not in categories and value is not ABSENT:
                wrong(at, _unknown_category(value, categories), kind="category")
        crowds = flags(segments, "iscrowd", wrong).astype(int).tolist()
        segments = with_field(with_field(segments, "id", ids), "category_id", of_categories)
        read.append({**record, "segments_info": with_crowd(segments, crowds)})
    return read
