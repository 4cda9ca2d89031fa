"""What an exporter needs of a picture, taken from Scenes or from any data set of this package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from segtutor.datasets.photographs import Photographs
from segtutor.datasets.scenes import Scenes
from segtutor.labels import LabelSet


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture with its labels and objects.

    Attributes:
        number: Counts the pictures of an export over all its splits, from 1.
        image: H x W x 3 uint8.
        labels: H x W int64, numbers of the data set's label set, its ignore index for void.
        objects: H x W int32, 1...N for the pixels of N objects, 0 elsewhere and on void.
        classes: Class number of each object.
        place: Where it was taken; the kind of a scene, "city" for other data sets.
    """

    number: int
    image: np.ndarray
    labels: np.ndarray
    objects: np.ndarray
    classes: tuple[int, ...]
    place: str = "city"


def samples(dataset: Any, count: int | None, first: int) -> Iterator[Sample]:
    """The first pictures of a data set, all of them if ``count`` is None, numbered from ``first``."""
    make: Callable[[Any, int, int], Sample] = _from_item
    if isinstance(dataset, Scenes):
        make = _from_scene
    elif isinstance(dataset, Photographs) and dataset.transforms is None:
        make = _from_photograph
    for index in range(len(dataset) if count is None else count):
        yield make(dataset, index, first + index)


def _renumber(objects: np.ndarray, kept: list[int]) -> np.ndarray:
    """Object numbers 1...N in the order of ``kept``, 0 for all else."""
    table = np.zeros(int(objects.max(initial=0)) + 1, dtype=np.int32)
    table[kept] = np.arange(1, len(kept) + 1)
    return table[objects]


def _from_scene(dataset: Scenes, index: int, number: int) -> Sample:
    scene = dataset.scene(index)
    labels = scene.labels.astype(np.int64)
    objects = np.where(labels == dataset.labels.ignore_index, 0, scene.things).astype(np.int32)
    # An object may lie wholly on the void border of its neighbors.
    visible = [item for item in scene.instances if (objects == item.number).any()]
    return Sample(
        number=number,
        image=scene.image,
        labels=labels,
        objects=_renumber(objects, [item.number for item in visible]),
        classes=tuple(item.label for item in visible),
        place=scene.kind,
    )


def _from_photograph(dataset: Photographs, index: int, number: int) -> Sample:
    """Labels and objects, whichever target the data set gives: neither alone tells background, void and objects."""
    image, labels = Photographs("semantic", dataset.classes)[index]
    _, target = Photographs("instances", dataset.classes)[index]
    objects = np.zeros(tuple(labels.shape), dtype=np.int32)
    for position, mask in enumerate(target["masks"], start=1):
        objects[np.asarray(mask)] = position
    return Sample(
        number=number,
        image=np.asarray(image).transpose(1, 2, 0),
        labels=np.asarray(labels, dtype=np.int64),
        objects=objects,
        classes=tuple(target["labels"].tolist()),
    )


def _from_item(dataset: Any, index: int, number: int) -> Sample:
    image, target = dataset[index]
    pixels = np.asarray(image).transpose(1, 2, 0)
    if pixels.dtype != np.uint8 or pixels.shape[2] != 3:
        raise ValueError(
            f"only pictures of 3 x H x W uint8 can be exported, but item {index} is {tuple(image.shape)} "
            f"{image.dtype}: export a data set without normalizing transforms"
        )
    label_set: LabelSet = dataset.labels
    if not isinstance(target, dict):
        return Sample(number, pixels, np.asarray(target, dtype=np.int64), np.zeros(pixels.shape[:2], np.int32), ())
    if "segments" in target:
        ids = np.asarray(target["segments"], dtype=np.int64)
        labels = np.full(ids.shape, label_set.ignore_index, dtype=np.int64)
        for item in target["segments_info"]:
            labels[ids == item["id"]] = item["category_id"]
        things = [item for item in target["segments_info"] if item["isthing"] and not item["iscrowd"]]
        objects = np.zeros(ids.shape, dtype=np.int32)
        for position, item in enumerate(things, start=1):
            objects[ids == item["id"]] = position
        return Sample(number, pixels, labels, objects, tuple(int(item["category_id"]) for item in things))
    # Boxes and masks only: what no mask covers is background, or void where a data set has no background.
    has_background = label_set.names[:1] == ("background",)
    labels = np.full(pixels.shape[:2], 0 if has_background else label_set.ignore_index, dtype=np.int64)
    objects = np.zeros(pixels.shape[:2], dtype=np.int32)
    for position, (mask, label) in enumerate(zip(target["masks"], target["labels"], strict=True), start=1):
        labels[np.asarray(mask, dtype=bool)] = int(label)
        objects[np.asarray(mask, dtype=bool)] = position
    kept = np.unique(objects[objects > 0]).tolist()
    return Sample(
        number,
        pixels,
        labels,
        _renumber(objects, kept),
        tuple(int(target["labels"][position - 1]) for position in kept),
    )
