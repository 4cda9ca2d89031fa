"""A folder on the disk as a training and a validation set, whichever of the known layouts it has.

The layouts are those of `check_folder`: VOC, PASCAL-Context, COCO, Cityscapes, CamVid, Penn-Fudan, images and masks of
one's own.
Where the folder has no validation part, a fifth of the pictures is set aside, the same ones each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Subset
from torchvision import tv_tensors

from segtutor.datasets.penn_fudan import find_root

TRAIN_NAMES = ("train", "training", "train2017", "train2014")
VAL_NAMES = ("val", "valid", "validation", "val2017", "val2014", "test")


@dataclass(frozen=True)
class FoundData:
    """What a folder holds.

    Attributes:
        layout: What it was taken for.
        train: To learn from.
        val: To score on.
        split: In words, where the two come from.
    """

    layout: str
    train: Any
    val: Any
    split: str


class ObjectsAsLabels(Dataset[tuple[Any, Any]]):
    """A data set of objects as one of label maps: each pixel has the class of the smallest object on it.

    Args:
        dataset: ``dataset[i]`` is (image, dict of labels G and masks G x H x W); class 0 is the background.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset, self.labels = dataset, dataset.labels

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.dataset[index]
        masks = target["masks"].as_subclass(torch.Tensor) > 0
        labels = torch.zeros(image.shape[-2:], dtype=torch.int64)
        for number in masks.flatten(1).sum(1).argsort(descending=True).tolist():
            labels[masks[number]] = int(target["labels"][number])
        return image, tv_tensors.Mask(labels)


def find_data(root: str | Path, target: str = "semantic") -> FoundData:
    """The data sets in a folder.

    Args:
        root: The folder that `check_folder` would be given.
        target: "semantic" for label maps, "instances" for objects, which VOC, COCO, Cityscapes and Penn-Fudan have.

    Raises:
        FileNotFoundError: If there is no such folder, or it has none of the layouts.
        ValueError: If the layout has no objects, or there are fewer than two pictures.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root}: give the one that holds the pictures and their masks")
    layout, build = _layout(root, target)
    if build is None:
        raise ValueError(
            f"{root} was taken for {layout}, which has no single objects to train a detector on: COCO's, VOC's, "
            "Cityscapes' and Penn-Fudan's layouts have; or train a semantic network, as deeplabv3_tiny"
        )
    return build()


def find_test(root: str | Path, found: FoundData) -> Any:
    """The part ``test`` of a folder, labeled pictures that are scored on once, at the end.

    Args:
        root: The folder.
        found: What `find_data` has found there; pictures of one's own are read with the classes of its training set.

    Raises:
        FileNotFoundError: If the folder has no part of this name.
        ValueError: If the layout's test pictures come without labels.
    """
    from segtutor.datasets import CamVid, ImageFolder

    if found.layout == "CamVid":
        return CamVid(root, "test")
    if found.layout != "images and masks":
        raise ValueError(
            f"{root} was taken for {found.layout}, where no part called test has labels: score on its val, or name "
            "another folder"
        )
    try:
        test = ImageFolder(root, split="test")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{root} has no part test, pictures with masks as in train: {error}") from None
    return _with_classes_of(getattr(found.train, "dataset", found.train), test)


def _layout(root: Path, target: str) -> tuple[str, Callable[[], FoundData] | None]:
    objects = target == "instances"
    kits = sorted(path for path in root.glob("VOCdevkit/VOC*") if path.is_dir())
    if not kits and (root / "ImageSets").is_dir() and root.parent.name == "VOCdevkit":
        kits, root = [root], root.parent.parent
    for kit in reversed(kits):
        if (kit / "SegmentationClassContext").is_dir() or (kit / "trainval").is_dir():
            return "PASCAL-Context", None if objects else lambda: _context(root)
    if kits:
        return "VOC", lambda: _voc(root, kits, target)
    if (root / "leftImg8bit").is_dir():
        return "Cityscapes", lambda: _cityscapes(root, target)
    if any(root.glob("annotations/*.json")):
        return "COCO", lambda: _coco(root, objects)
    if all((root / f"{split}.txt").is_file() for split in ("train", "val")):
        return "CamVid", None if objects else lambda: _camvid(root)
    if find_root(root) is not None:
        return "Penn-Fudan", lambda: _penn_fudan(root, target)
    return "images and masks", None if objects else lambda: _own(root)


def _context(root: Path) -> FoundData:
    from segtutor.datasets import PascalContext

    train, val = (PascalContext(root, name) for name in ("train", "val"))
    return FoundData("PASCAL-Context", train, val, "the lists train and val")


def _voc(root: Path, kits: list[Path], target: str) -> FoundData:
    from segtutor.datasets import VOCSegmentation

    for kit in reversed(kits):
        lists = kit / "ImageSets" / "Segmentation"
        if all((lists / f"{name}.txt").is_file() for name in ("train", "val")):
            year = kit.name.removeprefix("VOC")
            train, val = (VOCSegmentation(root, year, name, target) for name in ("train", "val"))
            return FoundData("VOC", train, val, f"the lists train and val of {kit.name}")
    raise FileNotFoundError(
        f"{root} has VOC's folders, but no lists train.txt and val.txt in {kits[-1] / 'ImageSets' / 'Segmentation'}: "
        "write them, one name a line"
    )


def _cityscapes(root: Path, target: str) -> FoundData:
    from segtutor.datasets import Cityscapes

    train, val = (Cityscapes(root, name, target=target) for name in ("train", "val"))
    return FoundData("Cityscapes", train, val, "the folders train and val")


def _camvid(root: Path) -> FoundData:
    from segtutor.datasets import CamVid

    return FoundData("CamVid", CamVid(root, "train"), CamVid(root, "val"), "the lists train and val")


def _penn_fudan(root: Path, target: str) -> FoundData:
    from segtutor.datasets import PennFudan

    return FoundData("Penn-Fudan", *_divided(PennFudan(root, target)), _said("all pictures"))


def _coco(root: Path, objects: bool) -> FoundData:
    from segtutor.datasets import CocoInstances

    folder = root / "annotations"
    files = sorted(path for path in folder.glob("*.json") if not path.stem.startswith(("captions", "person", "image")))
    by_split = {path.stem.split("_", 1)[-1]: path for path in files if path.stem.startswith("instances_")}
    by_split = by_split or {path.stem: path for path in files}

    def part(name: str) -> Any:
        pictures = next((place for place in (name, "images", "") if _has_files(root / place)), name)
        dataset = CocoInstances(root, pictures, by_split[name])
        return dataset if objects else ObjectsAsLabels(dataset)

    train, val = (next((name for name in names if name in by_split), None) for names in (TRAIN_NAMES, VAL_NAMES))
    if train is not None and val is not None:
        return FoundData("COCO", part(train), part(val), f"{by_split[train].name} and {by_split[val].name}")
    only = train or next(iter(by_split))
    return FoundData("COCO", *_divided(part(only)), _said(by_split[only].name))


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_file() for path in folder.iterdir())


def _own(root: Path) -> FoundData:
    from segtutor.datasets import ImageFolder

    def parts(names: tuple[str, ...]) -> Any | None:
        for name in names:
            try:
                return ImageFolder(root, split=name)
            except FileNotFoundError:
                continue
        return None

    train, val = parts(TRAIN_NAMES), parts(VAL_NAMES)
    if train is None or val is None:
        whole = ImageFolder(root) if train is None else train
        return FoundData("images and masks", *_divided(whole), _said("all pictures"))
    val = _with_classes_of(train, val)
    return FoundData("images and masks", train, val, f"the folders {train.split} and {val.split}")


def _with_classes_of(train: Any, part: Any) -> Any:
    """A part of a folder of one's own, read with the classes of its training set."""
    from segtutor.datasets import ImageFolder

    if train.labels.names != part.labels.names and set(part.labels.names) <= set(train.labels.names):
        # Without a table of classes, the numbers found are the classes; the part may lack some of train's.
        return ImageFolder(part.root, split=part.split, labels=train.table)
    return part


def _divided(dataset: Any) -> tuple[Any, Any]:
    """Four fifths and one fifth, at least one picture each."""
    if len(dataset) < 2:
        raise ValueError(f"there is only {len(dataset)} picture, but one is needed to learn from and one to score on")
    order = np.random.default_rng(0).permutation(len(dataset)).tolist()
    held_out = max(1, round(0.2 * len(dataset)))
    return Subset(dataset, sorted(order[held_out:])), Subset(dataset, sorted(order[:held_out]))


def _said(what: str) -> str:
    return f"{what}, a fifth set aside to score on, the same one each time"
