"""COCO: instances from polygons and run lengths, panoptic segments, semantic maps of stuff and things.

torchvision's CocoDetection needs pycocotools; these read the same files without it and give the same masks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from segtutor.datasets.coco_json import CocoFile, read_coco
from segtutor.datasets.coco_labels import label_set_of
from segtutor.datasets.coco_maps import MAPS
from segtutor.datasets.coco_pictures import boxes_of, draw_items, find_picture, read_picture, read_segments
from segtutor.datasets.files import (
    as_image,
    as_mask,
    check_choice,
)
from segtutor.datasets.moved import transformed
from segtutor.datasets.targets import instance_target
from segtutor.labels import (
    COCO,
    COCO_91,
    COCO_IDS,
    COCO_PANOPTIC,
    COCO_PANOPTIC_IDS,
    COCO_STUFF,
    COCO_STUFF_IDS,
    LabelSet,
)

JointTransform = Callable[[Any, Any], tuple[Any, Any]]


class _Coco(Dataset):
    """Pictures of one annotation file. Subclasses make the target of an entry of ``images``."""

    labels: LabelSet

    def __init__(self, root: str | Path, split: str, file: CocoFile, transforms: JointTransform | None) -> None:
        self.root, self.split, self.file, self.transforms = Path(root), split, file, transforms
        self.folder = self.root / split

    def _check_task(self, is_panoptic: bool, other: str) -> None:
        if self.file.is_panoptic not in (None, is_panoptic):
            has = "lists segments of panoptic PNGs" if self.file.is_panoptic else "has no 'segments_info'"
            raise ValueError(f"{self.file.path} {has}, so {type(self).__name__} cannot read it; use {other}")

    def __len__(self) -> int:
        return len(self.file.images)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.root)!r}, split={self.split!r}, {len(self)} images)"

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        entry = self.file.images[index]
        image = as_image(read_picture(find_picture(self.folder, entry["file_name"]), entry, self.file.path))
        return transformed(self.transforms, image, self.make_target(entry))

    def make_target(self, entry: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _names(self, items: list[dict[str, Any]], entry: dict[str, Any]) -> Callable[[int], str]:
        """What an error calls the annotation at a position."""
        name = f"of {entry['file_name']}"
        return lambda at: f"{self.file.path}, annotation {items[at].get('id', f'{at} (without id)')} {name}"


class CocoInstances(_Coco):
    """COCO's objects, as torchvision's detectors take them: a dict of boxes, labels, masks, image_id, area, iscrowd.

    A box that is missing or has no area is drawn around its mask; an object with neither is left out, for it would make
    a detector's loss NaN. A box that leaves the picture is cut at the border. ``check_folder`` lists them all.

    Args:
        root: The folder that holds ``train2017`` and ``annotations``.
        split: "train2017" or "val2017"; a folder of pictures.
        annotations: Path of the annotation file; ``annotations/instances_{split}.json`` below root if None.
        ids: "contiguous": labels 1...80 and 0 for background. "coco": COCO's own ids up to 90, the classes of
            torchvision's published weights.
        crowd: Whether to give crowds as objects with iscrowd 1. A crowd is no object to train on.
        transforms: Called with image and target, returns both.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the annotations contradict themselves, or when an item is read, if a file is damaged.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train2017",
        annotations: str | Path | None = None,
        ids: str = "contiguous",
        crowd: bool = False,
        transforms: JointTransform | None = None,
    ) -> None:
        check_choice("ids", ids, ("contiguous", "coco"))
        path = Path(annotations or Path(root, "annotations", f"instances_{split}.json"))
        super().__init__(root, split, read_coco(path), transforms)
        self._check_task(False, "CocoPanoptic")
        self.crowd = crowd
        official, numbers = (COCO, COCO_IDS) if ids == "contiguous" else (COCO_91, tuple(range(91)))
        self.labels, self.number_of = label_set_of(self.file, official, numbers, background=True)

    def make_target(self, entry: dict[str, Any]) -> dict[str, Any]:
        size = (entry["height"], entry["width"])
        items = [item for item in self.file.annotations[entry["id"]] if self.crowd or not item.get("iscrowd", 0)]
        name = self._names(items, entry)
        runs = draw_items(items, size, name)
        boxes = boxes_of(items, runs, size, name)
        kept = [position for position, box in enumerate(boxes) if box is not None]
        return instance_target(
            [runs.mask(position) for position in kept],
            [self.number_of[items[position]["category_id"]] for position in kept],
            size,
            entry["id"],
            [box for box in boxes if box is not None],
            [int(items[position].get("iscrowd", 0)) for position in kept],
        )


class CocoPanoptic(_Coco):
    """COCO's panoptic segments: every pixel belongs to one thing or one kind of stuff, or is void.

    The target is a dict of ``segments``, a Mask of H x W int64 segment ids with 0 for void; ``segments_info``, a list
    of dicts id, category_id (a number of ``labels``, 0...132), isthing, area, bbox (x, y, width, height), iscrowd; and
    image_id.

    Args:
        root: The folder that holds ``train2017`` and ``annotations``.
        split: "train2017" or "val2017".
        annotations: Path of the annotation file; ``annotations/panoptic_{split}.json`` below root if None. The PNGs
            lie in the folder of the same name without ``.json``.
        transforms: Called with image and target, returns both.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the annotations contradict themselves, or when an item is read, if PNG and JSON do.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train2017",
        annotations: str | Path | None = None,
        transforms: JointTransform | None = None,
    ) -> None:
        path = Path(annotations or Path(root, "annotations", f"panoptic_{split}.json"))
        super().__init__(root, split, read_coco(path), transforms)
        self._check_task(True, "CocoInstances")
        self.labels, self.number_of = label_set_of(self.file, COCO_PANOPTIC, COCO_PANOPTIC_IDS, background=False)

    def make_target(self, entry: dict[str, Any]) -> dict[str, Any]:
        ids, segments = read_segments(self.file, entry)
        info = []
        for item in segments:
            number = self.number_of[item["category_id"]]
            info.append({**item, "category_id": number, "isthing": int(number in self.labels.things)})
        return {"segments": as_mask(ids), "segments_info": info, "image_id": entry["id"]}


# The sources that are drawn from annotations: their label set, and the category id of each number.
_DRAWN: dict[str, tuple[LabelSet, tuple[int, ...]]] = {
    "panoptic": (COCO_PANOPTIC, COCO_PANOPTIC_IDS),
    "stuff": (COCO_STUFF, COCO_STUFF_IDS),
}


class CocoSegmentation(_Coco):
    """COCO as semantic segmentation: a Mask, H x W int64, 255 for pixels that nobody labeled.

    Args:
        root: The folder that holds ``train2017`` and ``annotations``.
        split: "train2017" or "val2017".
        source: Which of COCO's label maps. "panoptic": 133 classes, from the panoptic JSON and PNGs. "panoptic_png":
            the same from one-channel maps of category ids in ``annotations/semantic_category_ids_{split}``. "stuff":
            91 kinds of stuff and "other", from the run lengths in ``annotations/stuff_{split}.json``. "stuff_png":
            the same from ``annotations/stuff_{split}_pixelmaps``. "stuff_things": 171 classes, from the maps of
            COCO-Stuff in ``stuffthingmaps/{split}``, whose values are the category ids less one.
        transforms: Called with image and target, returns both.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If an argument is none of these, or a file is damaged or contradicts another.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train2017",
        source: str = "panoptic",
        transforms: JointTransform | None = None,
    ) -> None:
        check_choice("source", source, (*_DRAWN, *MAPS))
        self.source, self.maps = source, MAPS.get(source)
        self.labels, ids = _DRAWN[source] if self.maps is None else (self.maps.labels, self.maps.ids)
        task = source if self.maps is None else self.maps.task
        super().__init__(root, split, read_coco(Path(root, "annotations", f"{task}_{split}.json")), transforms)
        if source in ("panoptic", "stuff"):
            self._check_task(source == "panoptic", "another source, or CocoInstances")
        if source == "panoptic":
            self.labels, self.number_of = label_set_of(self.file, self.labels, ids, background=False)
        else:
            self.number_of = {category: number for number, category in enumerate(ids)}
            own = [category for category in self.file.categories if category not in self.number_of]
            if source == "stuff" and own:
                raise ValueError(
                    f"{self.file.path}: category id {own[0]!r} is not one of {self.labels.title}, which are "
                    f"{min(ids)}...{max(ids)}; for categories of your own use CocoInstances"
                )

    def make_target(self, entry: dict[str, Any]) -> Any:
        void = self.labels.ignore_index
        if self.maps is not None:
            return as_mask(self.maps.read(self.maps.path(self.root, self.split, entry), entry, self.file.path))
        labels = np.full((entry["height"], entry["width"]), void, dtype=np.int64)
        if self.source == "panoptic":
            ids, segments = read_segments(self.file, entry)
            order = np.argsort([item["id"] for item in segments])
            listed = np.array([0, *(segments[i]["id"] for i in order)])
            numbers = np.array([void, *(self.number_of[segments[i]["category_id"]] for i in order)])
            return as_mask(numbers[np.searchsorted(listed, ids)])
        items = self.file.annotations[entry["id"]]
        runs = draw_items(items, (entry["height"], entry["width"]), self._names(items, entry))
        for position, item in enumerate(items):
            labels[runs.mask(position)] = self.number_of[item["category_id"]]
        return as_mask(labels)
