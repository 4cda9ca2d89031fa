"""COCO files, checked and turned into arrays: what is wrong with a file is said here, once, by name.

I images, K categories, G objects (annotations of the ground truth), D detections.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from segtutor.metrics.coco_fields import Records, boxes, column, numbers, places, record_name, unique_ids
from segtutor.metrics.polygons import rasterize
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
    """

    image_ids: list[Any]
    category_ids: list[Any]
    sizes: np.ndarray
    image: np.ndarray
    category: np.ndarray
    area: np.ndarray
    crowd: np.ndarray
    records: Records

    def name(self, index: int) -> str:
        """How an error calls an annotation."""
        return record_name("annotation", self.records, index)

    def boxes(self) -> np.ndarray:
        """G x 4, x y width height."""
        return boxes(self.records, self.name)

    def runs(self) -> Runs:
        """G masks."""
        return _read_masks(self.records, self.sizes[self.image], self.name)


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
    content = _load(source)
    if not isinstance(content, Mapping):
        raise ValueError(f"ground_truth must be a COCO dict or a path to one, got {type(content).__name__}")
    missing = [key for key in ("images", "annotations", "categories") if key not in content]
    if missing:
        raise ValueError(f"ground_truth has no {missing[0]!r}; a COCO file has 'images', 'annotations', 'categories'")
    images = sorted(content["images"], key=_sort_key("image", content["images"]))
    image_ids = unique_ids(images, "image")
    category_ids = unique_ids(
        sorted(content["categories"], key=_sort_key("category", content["categories"])), "category"
    )
    sizes = np.empty((0, 2), np.int64)
    if with_masks:
        sizes = np.array([_image_size(image) for image in images], np.int64).reshape(-1, 2)

    records = content["annotations"]

    def name(index: int) -> str:
        return record_name("annotation", records, index)

    unique_ids(records, "annotation")
    area = numbers(records, "area", name)
    if (area < 0).any():
        index = int(np.argmax(area < 0))
        raise ValueError(f"{name(index)} has a negative area, {area[index]}")
    return GroundTruth(
        image_ids,
        category_ids,
        sizes,
        places(records, "image_id", image_ids, name),
        places(records, "category_id", category_ids, name),
        area,
        np.array([bool(record.get("iscrowd", 0)) for record in records], bool),
        records,
    )


def read_detections(source: Any, truth: GroundTruth, with_masks: bool) -> Detections:
    """Read COCO results from a list or a path to a JSON file with one.

    Raises:
        ValueError: if a field is missing or wrong, the image or the category is unknown, or a score is NaN.
    """
    records = _load(source)
    if isinstance(records, Mapping) or not isinstance(records, (list, tuple)):
        raise ValueError(
            "detections must be a list of results (image_id, category_id, score, and bbox or segmentation) or a path "
            f"to one, got {type(records).__name__}"
        )

    def name(index: int) -> str:
        return record_name("detection", records, index)

    image = places(records, "image_id", truth.image_ids, name)
    category = places(records, "category_id", truth.category_ids, name)
    score = numbers(records, "score", name, allow_infinite=True)

    # The official evaluator looks at the first detection only, and takes every area from its box if it has one.
    has_boxes = len(records) > 0 and records[0].get("bbox") is not None and len(records[0]["bbox"]) > 0
    if has_boxes:
        xywh = boxes(records, name)
        area = xywh[:, 2] * xywh[:, 3]
    elif not with_masks and len(records):
        runs = read(column(records, "segmentation", name), name)
        xywh, area = runs.boxes(), runs.areas().astype(np.float64)
    else:
        xywh, area = np.empty((0, 4)), np.empty(0)
    if not with_masks:
        return Detections(image, category, score, area, xywh, None)
    if has_boxes and any("segmentation" not in record for record in records):
        records = [_with_box_as_polygon(record) for record in records]
    runs = _read_masks(records, truth.sizes[image], name)
    return Detections(image, category, score, area if has_boxes else runs.areas(), None, runs)


def _load(source: Any) -> Any:
    if not isinstance(source, (str, os.PathLike)):
        return source
    path = Path(source)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not a JSON file: {error}") from error


def _sort_key(kind: str, records: Records) -> Callable[[Mapping[str, Any]], Any]:
    column(records, "id", lambda index: f"{kind} {index}")
    return lambda record: record["id"]


def _image_size(image: Mapping[str, Any]) -> tuple[int, int]:
    height, width = image.get("height"), image.get("width")
    for side in (height, width):
        if isinstance(side, bool) or not isinstance(side, (int, np.integer)) or side < 1:
            raise ValueError(
                f"image {image['id']} must have a height and a width in pixels, got {height!r} and {width!r}"
            )
    return int(height), int(width)  # type: ignore[arg-type]


def _with_box_as_polygon(record: Mapping[str, Any]) -> Mapping[str, Any]:
    if "segmentation" in record:
        return record
    x, y, width, height = record["bbox"]
    corners = [x, y, x, y + height, x + width, y + height, x + width, y]
    return {**record, "segmentation": [corners]}


def _read_masks(records: Records, sizes: np.ndarray, name: Callable[[int], str]) -> Runs:
    """Masks of the records, polygons or run lengths, each of its image's size."""
    segmentations = column(records, "segmentation", name)
    is_polygon = np.array([isinstance(segmentation, list) for segmentation in segmentations], bool)
    polygons, encoded = np.flatnonzero(is_polygon), np.flatnonzero(~is_polygon)
    tables = []
    if polygons.size:
        rings = [segmentations[index] for index in polygons]
        tables.append(rasterize(rings, sizes[polygons], lambda index: name(int(polygons[index]))))
    if encoded.size or not polygons.size:
        runs = read([segmentations[index] for index in encoded], lambda index: name(int(encoded[index])))
        wrong = (runs.sizes != sizes[encoded]).any(axis=1)
        if wrong.any():
            at = int(np.argmax(wrong))
            height, width = sizes[encoded[at]]
            raise ValueError(
                f"{name(int(encoded[at]))} has a mask of {runs.sizes[at, 0]} x {runs.sizes[at, 1]} pixels, "
                f"but its image is {height} x {width} (height x width)"
            )
        tables.append(runs)
    if len(tables) == 1:
        return tables[0]
    return Runs.concatenate(tables).select(np.argsort(np.concatenate([polygons, encoded])))
