"""PASCAL VOC segmentation: palette PNGs with a void border, classes and objects in two files of the same name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torchvision import datasets

from segtutor.datasets.files import (
    as_image,
    as_mask,
    check_choice,
    check_same_size,
    check_values,
    read_pair,
    read_upright,
    values_in,
)
from segtutor.datasets.lists import naming, read_list
from segtutor.datasets.moved import transformed
from segtutor.datasets.opening import FileError, MissingFile, open_file, picture_of
from segtutor.datasets.palettes import KnownColors, known_colors, white_is_void
from segtutor.datasets.targets import instance_target
from segtutor.labels import VOC2012, LabelSet, voc_colors

YEARS = tuple(str(year) for year in range(2007, 2013))
AUGMENTED_LISTS = ("trainaug.txt", "train_aug.txt")
_CLASS_COLORS = known_colors(VOC2012)
_OBJECT_COLORS = KnownColors({color: number for number, color in enumerate(voc_colors(256))})


@dataclass(frozen=True)
class Kit:
    """The files of one year of a VOCdevkit, read by name.

    Attributes:
        base: The folder with ``JPEGImages``.
        masks: Name of the folder of class masks.
    """

    base: Path
    masks: str = "SegmentationClass"

    def picture(self, name: str) -> Path:
        """Path of a picture."""
        return picture_of(self.base / "JPEGImages", name)

    def mask(self, name: str) -> Path:
        """Path of the classes of its pixels."""
        return self.base / self.masks / f"{name}.png"

    def objects(self, name: str) -> Path:
        """Path of the numbers of its objects."""
        return self.base / "SegmentationObject" / f"{name}.png"

    def read(
        self, name: str, read_picture: Callable[[Path], tuple[np.ndarray, int]] = read_upright
    ) -> tuple[np.ndarray, np.ndarray]:
        """A picture, H x W x 3 uint8, and its classes, H x W."""
        return read_pair(self.picture(name), self.mask(name), read_classes, read_picture)

    def instances(self, name: str, labels: np.ndarray, image_id: Any) -> dict[str, Any]:
        """The objects of a picture whose classes are ``labels``."""
        path = self.objects(name)
        numbers = read_objects(path)
        check_same_size(self.mask(name), labels.shape, path, numbers.shape, turned=1)
        masks, classes = [], []
        for number in values_in(numbers).tolist():
            if number in (0, VOC2012.ignore_index):
                continue
            mask = numbers == number
            counts = np.bincount(labels[mask], minlength=256)[1 : len(VOC2012)]
            if not counts.any():
                raise FileError(f"{path}: object {number} lies on no pixel of a class in {self.mask(name)}", path)
            masks.append(mask)
            classes.append(int(counts.argmax()) + 1)
        return instance_target(masks, classes, labels.shape, image_id)


def read_classes(path: Path) -> np.ndarray:
    """The class mask of a VOC picture, H x W: 0...20, and 255 for void."""
    image = open_file(path)
    labels = _CLASS_COLORS.read(image, path)
    check_values(labels, VOC2012, path, white_is_void(image))
    return labels


def read_objects(path: Path) -> np.ndarray:
    """The object mask of a VOC picture, H x W: 0 for background, 1 and on for objects, 255 for void."""
    return _OBJECT_COLORS.read(open_file(path), path)


class VOCSegmentation(datasets.VOCSegmentation):
    """PASCAL VOC, 20 classes and background; torchvision's data set with tensors, void and objects.

    Args:
        root: The folder that holds ``VOCdevkit``.
        year: "2007" to "2012".
        image_set: "train", "val", "trainval", or "test" where it has labels (2007, exports); "trainaug" for the 10,582
            images of VOC and SBD, for which ``SegmentationClassAug`` and a list ``trainaug.txt`` in
            ``ImageSets/Segmentation`` must have been added.
        target: "semantic": a Mask, H x W int64, 255 void. "instances": a dict as torchvision's detectors take it, from
            ``SegmentationObject``; labels are VOC's, 1...20.
        transforms: Called with image and target, returns both.

    Raises:
        FileNotFoundError: If a folder, list or file is missing.
        ValueError: If an argument is outside its limits, or when an item is read, if a file is damaged, of another
            size, or holds a value that VOC has not.
    """

    labels: LabelSet = VOC2012

    def __init__(
        self,
        root: str | Path,
        year: str = "2012",
        image_set: str = "train",
        target: str = "semantic",
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        check_choice("year", year, YEARS)
        check_choice("image_set", image_set, ("train", "val", "trainval", "trainaug", "test"))
        check_choice("target", target, ("semantic", "instances"))
        if image_set == "trainaug" and target == "instances":
            raise ValueError("trainaug has no objects (SBD's are in other files); use image_set='train' for instances")
        base = Path(root, datasets.voc.DATASET_YEAR_DICT[year]["base_dir"])
        if not base.is_dir():
            raise FileNotFoundError(f"there is no VOC {year} in {root}: the folder {base} is missing")
        lists = base / "ImageSets" / "Segmentation"
        path = augmented_list(lists) if image_set == "trainaug" else lists / f"{image_set}.txt"
        self.names, self.list = read_list(path, base / "JPEGImages"), path
        # torchvision's own beginning reads the list in the encoding of the machine, and refuses two of these lists.
        datasets.VisionDataset.__init__(self, root)
        self.year, self.image_set, self.target, self.transforms = year, image_set, target, transforms
        self.kit = Kit(base, "SegmentationClassAug" if image_set == "trainaug" else "SegmentationClass")
        if not (base / self.kit.masks).is_dir():
            raise MissingFile(
                f"{base / self.kit.masks} is missing"
                + (": it is SBD's addition to VOC" if image_set == "trainaug" else ""),
                base / self.kit.masks,
            )
        pictures, masks, objects = (
            os.path.join(base, folder, "") for folder in ("JPEGImages", self.kit.masks, "SegmentationObject")
        )
        self.images = [f"{pictures}{name}.jpg" for name in self.names]
        self.targets = [f"{masks}{name}.png" for name in self.names]
        self.objects = [f"{objects}{name}.png" for name in self.names]

    def __repr__(self) -> str:
        return (
            f"VOCSegmentation({str(self.root)!r}, year={self.year!r}, image_set={self.image_set!r}, {len(self)} images)"
        )

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        name = self.names[index]
        try:
            pixels, labels = self.kit.read(name)
        except MissingFile as error:
            raise naming(error, self.list, name) from None
        target: Any = as_mask(labels) if self.target == "semantic" else self.kit.instances(name, labels, index)
        image = as_image(pixels)
        return transformed(self.transforms, image, target)


def augmented_list(folder: Path) -> Path:
    """The list of trainaug, under either of the names in use."""
    found = [folder / name for name in AUGMENTED_LISTS if (folder / name).is_file()]
    return found[0] if found else folder / AUGMENTED_LISTS[0]
