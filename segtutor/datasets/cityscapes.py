"""Cityscapes: streets of 50 cities, four label files a picture, ids in the files and train ids in the score."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torchvision import datasets

from segtutor.datasets.files import (
    as_image,
    as_mask,
    check_choice,
    check_values,
    read_indices,
    read_pair,
    values_in,
)
from segtutor.datasets.moved import transformed
from segtutor.datasets.opening import FileError, MissingFile, is_hidden
from segtutor.datasets.targets import describe_segments, instance_target
from segtutor.labels import CITYSCAPES, CITYSCAPES_IDS, CITYSCAPES_TRAIN_IDS, LabelSet

SPLITS = {"fine": ("train", "val", "test"), "coarse": ("train", "train_extra", "val")}


PICTURE = "_leftImg8bit.png"


class Cityscapes(datasets.Cityscapes):
    """Cityscapes; torchvision's data set with tensors, train ids, objects and segments, in the order of the names.

    Args:
        root: The folder that holds ``leftImg8bit`` and ``gtFine`` or ``gtCoarse``.
        split: "train", "val" or "test" (its labels are withheld: all void); with coarse labels "train", "train_extra"
            or "val".
        mode: "fine" or "coarse".
        target: "semantic": a Mask, H x W int64, 255 void. "instances": a dict as torchvision's detectors take it; the
            labels are numbers of ``labels``, among which 0 is no thing. "panoptic": a dict of segments (ids as in the
            official panoptic files, 0 void), segments_info and image_id.
        ids: "train": the 19 scored classes. "all": the 34 ids of the files.
        crowd: Whether instances include groups that are not told apart, with iscrowd 1.
        transforms: Called with image and target, returns both.

    Raises:
        FileNotFoundError: If a folder or file is missing.
        ValueError: If an argument is outside its limits, or when an item is read, if a file is damaged, of another
            size, or holds a value that Cityscapes has not.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        mode: str = "fine",
        target: str = "semantic",
        ids: str = "train",
        crowd: bool = False,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        check_choice("mode", mode, SPLITS)
        check_choice("split", split, SPLITS[mode])
        check_choice("target", target, ("semantic", "instances", "panoptic"))
        check_choice("ids", ids, ("train", "all"))
        folder = "gtFine" if mode == "fine" else "gtCoarse"
        for part in (Path(root, "leftImg8bit", split), Path(root, folder, split)):
            if not part.is_dir():
                raise MissingFile(f"no Cityscapes in {root}: the folder {part} is missing", part)
        # torchvision's own beginning lists the files as the file system does, hidden ones among them.
        datasets.VisionDataset.__init__(self, str(root))
        self.mode, self.split, self.target_type = folder, split, ["semantic" if target == "semantic" else "instance"]
        self.images_dir, self.targets_dir = str(Path(root, "leftImg8bit", split)), str(Path(root, folder, split))
        self.transforms, self.target, self.ids, self.crowd = transforms, target, ids, crowd
        pictures = _names_in(Path(self.images_dir))
        if not pictures:
            raise FileError(
                f"{self.images_dir} holds no picture CITY/CITY_NUMBER_FRAME{PICTURE}", self.images_dir, "empty"
            )
        kind = "labelIds" if target == "semantic" else "instanceIds"
        images, targets, ending = os.path.join(self.images_dir, ""), os.path.join(self.targets_dir, ""), f"{kind}.png"
        self.images: list[str] = [f"{images}{name}{PICTURE}" for name in pictures]
        self.targets: list[list[str]] = [[f"{targets}{name}_{folder}_{ending}"] for name in pictures]
        self.labels: LabelSet = CITYSCAPES if ids == "train" else CITYSCAPES_IDS
        self.number_of_id = CITYSCAPES_TRAIN_IDS if ids == "train" else np.arange(256, dtype=np.uint8)

    def __repr__(self) -> str:
        return f"Cityscapes({str(self.root)!r}, split={self.split!r}, mode={self.mode!r}, {len(self)} pictures)"

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        pixels, values = read_pair(self.images[index], self.targets[index][0], read_ids)
        classes = classes_of(values)
        target: Any
        if self.target == "semantic":
            target = as_mask(self.number_of_id[classes])
        elif self.target == "instances":
            target = self._instances(index, values)
        else:
            target = self._panoptic(index, values, classes)
        image = as_image(pixels)
        return transformed(self.transforms, image, target)

    def _class_of(self, value: int) -> int:
        return int(self.number_of_id[value // 1000 if value >= 1000 else value])

    def _instances(self, index: int, values: np.ndarray) -> dict[str, Any]:
        """Single objects, and with ``crowd`` the groups: an id of things without a number."""
        masks, labels, crowd = [], [], []
        for value in values_in(values).tolist():
            label = self._class_of(value)
            if label in self.labels.things and (value >= 1000 or self.crowd):
                masks.append(values == value)
                labels.append(label)
                crowd.append(int(value < 1000))
        return instance_target(masks, labels, values.shape, index, crowd=crowd)

    def _panoptic(self, index: int, values: np.ndarray, classes: np.ndarray) -> dict[str, Any]:
        """By the rule of the official converter: the values of the instance file are the ids, unscored classes void."""
        scored = CITYSCAPES_TRAIN_IDS[classes] != CITYSCAPES.ignore_index
        segments = np.where(scored, values, 0).astype(np.int64)
        category_of = {value: self._class_of(value) for value in values_in(segments).tolist() if value}
        crowds = frozenset(v for v, label in category_of.items() if v < 1000 and label in self.labels.things)
        info = [
            {"id": value, "category_id": category_of[value], "isthing": int(category_of[value] in self.labels.things)}
            | shape
            | {"iscrowd": int(value in crowds)}
            for value, shape in describe_segments(segments).items()
        ]
        return {"segments": as_mask(segments), "segments_info": info, "image_id": index}


def pictures_in(split: Path) -> list[Path]:
    """The pictures of a split, by name; hidden files and folders are no cities and no pictures."""
    return [split / f"{name}{PICTURE}" for name in _names_in(split)]


def _names_in(split: Path) -> list[str]:
    """The same as "CITY/CITY_NUMBER_FRAME"."""
    with os.scandir(split) as entries:
        cities = sorted(entry.name for entry in entries if not is_hidden(entry) and entry.is_dir())
    names = []
    for city in cities:
        files = sorted(name for name in os.listdir(split / city) if name.endswith(PICTURE) and name[0] != ".")
        names += [f"{city}/{name.removesuffix(PICTURE)}" for name in files]
    return names


def label_file(picture: Path, labels: Path, kind: str) -> Path:
    """The label file of a picture in ``gtFine`` or ``gtCoarse``: "labelIds" or "instanceIds"."""
    name = picture.name.removesuffix(PICTURE)
    return labels / picture.parts[-3] / picture.parts[-2] / f"{name}_{labels.name}_{kind}.png"


def classes_of(values: np.ndarray) -> np.ndarray:
    """Ids of either label file as ids of classes: an instance file has id * 1000 + number for single objects."""
    single = values >= 1000
    return np.where(single, values // 1000, values) if single.any() else values


def read_ids(path: Path) -> np.ndarray:
    """Either label file, H x W int32.

    Raises:
        ValueError: If it holds an id that Cityscapes has not.
    """
    values = read_indices(path).astype(np.int32)
    check_values(classes_of(values), CITYSCAPES_IDS, path)
    return values
