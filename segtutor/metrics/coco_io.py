"""COCO files, checked and turned into arrays: what is wrong with a file is said here, once, by name.

I images, K categories, G objects (annotations of the ground truth), D detections.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from segtutor.metrics.coco_fields import (
    Records,
    areas,
    boxes,
    check_boxes,
    column,
    flags,
    has_box,
    image_sizes,
    numbers,
    places,
    raising,
    record_name,
    unique_ids,
    without_box,
)
from segtutor.metrics.coco_file import SECTIONS, read_json, records_in
from segtutor.metrics.coco_masks import Shapes, draw, read_shapes
from segtutor.metrics.rle_codec import read
from segtutor.metrics.runs import Runs


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Objects of a data set; `image` and `category` are places in the sorted ids.

    Attributes:
        image_ids: I ids, rising.
        category_ids: K ids, rising.
        sizes: I x 2, height and width; empty where only boxes are compared.
        image: G places of the images.
        category: G places of the categories.
        area: G areas as the file gives them.
        crowd: G flags.
        records: the G annotations themselves.
        file: the file they come from, as an error begins; empty if they come from memory.
    """

    image_ids: list[Any]
    category_ids: list[Any]
    sizes: np.ndarray
    image: np.ndarray
    category: np.ndarray
    area: np.ndarray
    crowd: np.ndarray
    records: Records
    file: str

    def name(self, index: int) -> str:
        """How an error calls an annotation."""
        return self.file + record_name("annotation", self.records, index)

    def boxes(self) -> np.ndarray:
        """G x 4, x y width height; drawn around the masks of those that have none."""
        without = _without_box(self.records)
        if not without:
            return boxes(self.records, raising(self.name))
        segmentations = [self.records[index]["segmentation"] for index in without]
        drawn = draw(segmentations, self.sizes[self.image[without]], lambda at: self.name(without[at])).boxes()
        filled = dict(zip(without, drawn.tolist(), strict=True))
        return check_boxes(
            [filled[index] if index in filled else record.get("bbox") for index, record in enumerate(self.records)],
            raising(self.name),
        )

    def shapes(self) -> Shapes:
        """The segmentations of the G annotations, checked."""
        return _read_shapes(self.records, self.sizes[self.image], self.name)


@dataclass(frozen=True, eq=False)
class Detections:
    """Detections with the places of their image and category in the ground truth.

    Attributes:
        image: D places of the images.
        category: D places of the categories.
        score: D scores.
        area: D areas: of the boxes if the first detection has one, else of the masks, as the official evaluator has it.
        boxes: D x 4, x y width height; for iou_type "bbox" only.
        runs: D masks; for the other types only.
    """

    image: np.ndarray
    category: np.ndarray
    score: np.ndarray
    area: np.ndarray
    boxes: np.ndarray | None
    runs: Runs | None


def read_ground_truth(source: Any, with_masks: bool) -> GroundTruth:
    """Read COCO instance annotations from a dict or a path to a JSON file.

    Raises:
        ValueError: if an id is missing, unknown or used twice, an area is not a number, or an image lacks its size.
    """
    content, file = _load(source)
    if not isinstance(content, Mapping):
        raise ValueError(f"{file}ground_truth must be a COCO dict or a path to one, got {type(content).__name__}")
    try:
        images, annotations, categories = (records_in(content, key) for key in SECTIONS)
    except ValueError as error:
        raise ValueError(f"{file}ground_truth {error}") from None
    images, image_ids = _by_id(images, "image", file)
    category_ids = _by_id(categories, "category", file)[1]
    report = raising(lambda index: file + record_name("annotation", annotations, index))
    unique_ids(annotations, report)
    sizes = np.empty((0, 2), np.int64)
    if with_masks or _without_box(annotations):
        sizes = image_sizes(images, raising(lambda index: f"{file}image {image_ids[index]!r}"))
    return GroundTruth(
        image_ids,
        category_ids,
        sizes,
        places(annotations, "image_id", image_ids, report),
        places(annotations, "category_id", category_ids, report),
        areas(annotations, report),
        flags(annotations, "iscrowd", report),
        annotations,
        file,
    )


def read_detections(source: Any, truth: GroundTruth, with_masks: bool) -> Detections:
    """Read COCO results from a list or a path to a JSON file with one.

    Raises:
        ValueError: if a field is missing or wrong, the image or the category is unknown, or a score is NaN.
    """
    records, file = _load(source)
    if isinstance(records, Mapping) or not isinstance(records, (list, tuple)):
        raise ValueError(
            f"{file}detections must be a list of results (image_id, category_id, score, and bbox or segmentation) or a "
            f"path to one, got {type(records).__name__}"
        )

    def name(index: int) -> str:
        return file + record_name("detection", records, index)

    report = raising(name)
    whose = f"the ground truth {truth.file.removesuffix(': ')}".strip()
    image = places(records, "image_id", truth.image_ids, report, whose)
    category = places(records, "category_id", truth.category_ids, report, whose)
    score = numbers(records, "score", report, allow_infinite=True)

    # The official evaluator looks at the first detection only, and takes every area from its box if it has one.
    has_boxes = len(records) > 0 and has_box(records[0])
    if has_boxes:
        xywh = boxes(records, report)
        area = xywh[:, 2] * xywh[:, 3]
    elif not with_masks and len(records):
        runs = read(column(records, "segmentation", report), name)
        xywh, area = runs.boxes(), runs.areas().astype(np.float64)
    else:
        xywh, area = np.empty((0, 4)), np.empty(0)
    if not with_masks:
        return Detections(image, category, score, area, xywh, None)
    if has_boxes and any("segmentation" not in record for record in records):
        records = [_with_box_as_polygon(record, *box) for record, box in zip(records, xywh.tolist(), strict=True)]
    runs = _read_shapes(records, truth.sizes[image], name).draw()
    return Detections(image, category, score, area if has_boxes else runs.areas(), None, runs)


def _load(source: Any) -> tuple[Any, str]:
    """What is in a file, and how an error about it begins; what is no path is taken as it is."""
    return (read_json(source), f"{source}: ") if isinstance(source, (str, os.PathLike)) else (source, "")


def _by_id(records: list[Any], kind: str, file: str) -> tuple[list[Any], list[Any]]:
    """The records by rising id, and these ids."""
    ids = unique_ids(records, raising(lambda index: file + record_name(kind, records, index)))
    order = sorted(range(len(ids)), key=ids.__getitem__)
    return [records[place] for place in order], [ids[place] for place in order]


def _without_box(records: Records) -> list[int]:
    """The places of the records that have a mask, but no box."""
    return [index for index in without_box(records) if records[index].get("segmentation") is not None]


def _with_box_as_polygon(record: Mapping[str, Any], x: float, y: float, width: float, height: float) -> Any:
    if "segmentation" in record:
        return record
    corners = [x, y, x, y + height, x + width, y + height, x + width, y]
    return {**record, "segmentation": [corners]}


def _read_shapes(records: Records, sizes: np.ndarray, name: Callable[[int], str]) -> Shapes:
    return read_shapes(column(records, "segmentation", raising(name)), sizes, name)
