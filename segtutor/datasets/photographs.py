"""Six real photographs with label maps of our own, without a download.

The pictures come with scikit-image (CC0 or public domain, each with its author in `Photographs.credits`); what is kept
here are polygons. They were drawn twice, the second time without knowledge of the first: ``second_pass.json`` holds the
second ones, and `agreement` compares both. Six pictures are a demonstration and no benchmark.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from torch.utils.data import Dataset

from segtutor import resources
from segtutor.datasets.files import as_image, as_mask, check_choice, open_file, to_rgb
from segtutor.datasets.moved import transformed
from segtutor.datasets.targets import describe_segments, instance_target
from segtutor.labels import PHOTOGRAPHS, VOC2012, LabelSet

VOID_BORDER = 2
"""Pixels on either side of an outline that are void; VOC's border is about as wide. A hand is not more exact."""
_FINER = 4


class Photographs(Dataset):
    """Six photographs: Chelsea the cat, a cup of coffee, an astronaut, a rocket, a man with a camera, coins.

    Args:
        target: "semantic" for a label map H x W; "instances" for a dict as torchvision's detectors take it;
            "panoptic" for a dict of segments (ids, 0 for void), segments_info and image_id.
        classes: "all", or "voc": VOC's 21 classes, and background for what VOC has no name for.
        transforms: Called with image and target, returns both.

    Raises:
        ValueError: If an argument is none of the above.
        ImportError: If scikit-image, which holds the pictures, is not installed.
    """

    def __init__(
        self,
        target: str = "semantic",
        classes: str = "all",
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        check_choice("target", target, ("semantic", "instances", "panoptic"))
        check_choice("classes", classes, ("all", "voc"))
        self.target, self.classes, self.transforms = target, classes, transforms
        self.labels: LabelSet = PHOTOGRAPHS if classes == "all" else VOC2012
        self.entries = read_entries("photographs.json")
        self.folder = _folder_of_pictures()

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"Photographs({', '.join(self.names)})"

    @property
    def names(self) -> list[str]:
        """Name of each photograph."""
        return [entry["name"] for entry in self.entries]

    @property
    def credits(self) -> list[str]:
        """Name, author and license of each photograph."""
        return [f"{entry['name']}: {entry['author']}, {entry['license']}" for entry in self.entries]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        entry = self.entries[index]
        image = as_image(to_rgb(open_file(self.folder / entry["file"])))
        labels, instances = draw(entry)  # both H x W
        if self.classes == "voc":
            unnamed = (labels >= len(VOC2012)) & (labels != VOC2012.ignore_index)
            labels, instances = np.where(unnamed, 0, labels), np.where(unnamed, 0, instances)
        target = self._target(labels, instances, entry)
        return transformed(self.transforms, image, target)

    def _target(self, labels: np.ndarray, instances: np.ndarray, entry: dict[str, Any]) -> Any:
        if self.target == "semantic":
            return as_mask(labels)
        numbers = [int(number) for number in np.unique(instances) if number]
        class_of = {number: int(labels[instances == number][0]) for number in numbers}
        things = [number for number in numbers if class_of[number] in self.labels.things]
        if self.target == "instances":
            masks = [instances == number for number in things]
            return instance_target(masks, [class_of[number] for number in things], labels.shape, entry["name"])
        info = [
            {"id": number, "category_id": class_of[number], "isthing": int(number in things), "iscrowd": 0, **shape}
            for number, shape in describe_segments(instances).items()
        ]
        return {"segments": as_mask(instances), "segments_info": info, "image_id": entry["name"]}


@cache
def read_entries(file: str) -> list[dict[str, Any]]:
    """The photographs of a file of polygons: name, file, size (height, width), author, license, regions."""
    entries: list[dict[str, Any]] = json.loads(resources.data("photographs", file).read_text("utf-8"))["photographs"]
    return entries


def draw(entry: dict[str, Any], border: int = VOID_BORDER) -> tuple[np.ndarray, np.ndarray]:
    """Paint the regions of a photograph over each other.

    Args:
        entry: One of `read_entries`.
        border: Pixels on either side of every outline that become void.

    Returns:
        Label map H x W with 255 for void, and H x W region numbers from 1 in the order of the list; 0 where nothing is
        or where it is void.
    """
    height, width = entry["size"]
    instances = np.zeros((height, width), dtype=np.int64)
    class_of = np.zeros(len(entry["regions"]) + 1, dtype=np.int64)
    outlines = np.zeros((height, width), dtype=bool)
    for number, region in enumerate(entry["regions"], start=1):
        mask = region_mask(region, height, width)
        void = region["class"] == "void"
        class_of[number] = PHOTOGRAPHS.ignore_index if void else PHOTOGRAPHS.index(region["class"])
        outlines = (outlines & ~mask) | rim(mask, border)  # what lies under this region has no outline any more
        instances[mask] = number
    labels = class_of[instances]
    labels[outlines] = PHOTOGRAPHS.ignore_index
    instances[labels == PHOTOGRAPHS.ignore_index] = 0
    return labels, instances


def rim(mask: np.ndarray, border: int) -> np.ndarray:
    """The pixels within ``border`` of a mask's outline, on either side; the picture's own edge is no outline."""
    if border == 0:  # to SciPy, zero iterations mean "until nothing changes"
        return np.zeros_like(mask)
    grown = ndimage.binary_dilation(mask, iterations=border)
    return np.asarray(grown & ~ndimage.binary_erosion(mask, iterations=border, border_value=1))


def region_mask(region: dict[str, Any], height: int, width: int) -> np.ndarray:
    """The pixels of H x W of which a polygon, or an ellipse in its box, covers at least half."""
    canvas = Image.new("L", (width * _FINER, height * _FINER))
    pen = ImageDraw.Draw(canvas)
    if "ellipse" in region:
        pen.ellipse([_FINER * value for value in region["ellipse"]], fill=1)
    else:
        pen.polygon([_FINER * value for value in region["polygon"]], fill=1)
    covered = np.asarray(canvas).reshape(height, _FINER, width, _FINER).mean(axis=(1, 3))
    return np.asarray(covered >= 0.5)


def agreement() -> list[dict[str, Any]]:
    """How well the two passes agree: for each photograph and class the IoU of the areas, borders included."""
    rows = []
    second = {entry["name"]: entry for entry in read_entries("second_pass.json")}
    for entry in read_entries("photographs.json"):
        ours, _ = draw(entry, border=0)
        theirs, _ = draw({**entry, "regions": second[entry["name"]]["regions"]}, border=0)
        for number in np.union1d(ours, theirs):
            if number not in (0, PHOTOGRAPHS.ignore_index):
                both, either = (ours == number) & (theirs == number), (ours == number) | (theirs == number)
                known = (ours != PHOTOGRAPHS.ignore_index) & (theirs != PHOTOGRAPHS.ignore_index)
                iou = float(both.sum() / max((either & known).sum(), 1))
                rows.append({"photograph": entry["name"], "class": PHOTOGRAPHS.names[number], "iou": iou})
    return rows


def _folder_of_pictures() -> Path:
    try:
        import skimage
    except ImportError:
        raise ImportError(
            "the photographs come with scikit-image, which is not installed: pip install scikit-image"
        ) from None
    return Path(skimage.__file__).parent / "data"
