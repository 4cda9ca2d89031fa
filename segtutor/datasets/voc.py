"""PASCAL VOC segmentation: palette PNGs with a void border, classes and objects in two files of the same name."""

from __future__ import annotations

from collections.abc import Callable
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
    read_indices,
    read_list,
    read_pair,
)
from segtutor.datasets.targets import instance_target
from segtutor.labels import VOC2012, LabelSet

YEARS = tuple(str(year) for year in range(2007, 2013))
AUGMENTED_LISTS = ("trainaug.txt", "train_aug.txt")


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
        names = read_list(augmented_list(lists) if image_set == "trainaug" else lists / f"{image_set}.txt")
        if image_set in ("train", "val", "trainval"):
            super().__init__(root, year, image_set)
        else:  # torchvision refuses these two, of which the last has public labels for 2007 alone
            datasets.VisionDataset.__init__(self, root)
            self.year = year
        self.image_set, self.target, self.transforms = image_set, target, transforms
        folder = base / ("SegmentationClassAug" if image_set == "trainaug" else "SegmentationClass")
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{folder} is missing" + (": it is SBD's addition to VOC" if "Aug" in str(folder) else "")
            )
        self.names = names
        self.images = [str(base / "JPEGImages" / f"{name}.jpg") for name in names]
        self.targets = [str(folder / f"{name}.png") for name in names]
        self.objects = [str(base / "SegmentationObject" / f"{name}.png") for name in names]

    def __repr__(self) -> str:
        return (
            f"VOCSegmentation({str(self.root)!r}, year={self.year!r}, image_set={self.image_set!r}, {len(self)} images)"
        )

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        pixels, labels = read_pair(self.images[index], self.targets[index])
        check_values(labels, self.labels, self.targets[index])
        target: Any = as_mask(labels) if self.target == "semantic" else self._instances(index, labels)
        image = as_image(pixels)
        return (image, target) if self.transforms is None else self.transforms(image, target)

    def _instances(self, index: int, labels: np.ndarray) -> dict[str, Any]:
        path = self.objects[index]
        numbers = read_indices(path)
        check_same_size(self.targets[index], labels.shape, path, numbers.shape, turned=1)
        masks, classes = [], []
        for number in np.unique(numbers):
            if number in (0, self.labels.ignore_index):
                continue
            mask = numbers == number
            counts = np.bincount(labels[mask], minlength=256)[1 : len(self.labels)]
            if not counts.any():
                raise ValueError(f"{path}: object {number} lies on no pixel of a class in {self.targets[index]}")
            masks.append(mask)
            classes.append(int(counts.argmax()) + 1)
        return instance_target(masks, classes, labels.shape, index)


def augmented_list(folder: Path) -> Path:
    """The list of trainaug, under either of the names in use."""
    found = [folder / name for name in AUGMENTED_LISTS if (folder / name).is_file()]
    return found[0] if found else folder / AUGMENTED_LISTS[0]
