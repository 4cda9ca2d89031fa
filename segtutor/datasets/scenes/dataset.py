"""Scenes as a torch data set: semantic, instance or panoptic targets."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors

from segtutor.datasets.moved import transformed
from segtutor.datasets.scenes.scene import Scene, draw_labels, draw_scene, tight_box
from segtutor.datasets.scenes.settings import KINDS, SPLITS, Settings
from segtutor.labels import SCENES, LabelSet

TARGETS = ("semantic", "instances", "panoptic")


class Scenes(Dataset):
    """Drawn pictures of streets, harbors, parks, beaches and lakes, with perfect labels and without a download.

    Every picture is determined by (split, seed, index) and the settings: not by ``count``, the order of access or the
    number of workers. The size only says how finely it is drawn. The splits never share a picture.

    Args:
        split: "train", "val" or "test".
        size: Height and width in pixels, 32 to 4096 each.
        count: How many pictures; any number, nothing is stored.
        seed: Another seed is another world with other pictures.
        target: What comes with the image. "semantic": a Mask, H x W int64, 255 void. "instances": a dict
            as torchvision's detectors take it: boxes (R x 4, XYXY), labels (R), masks (R x H x W, visible pixels),
            image_id, area, iscrowd. "panoptic": a dict of ``segments``, a Mask of H x W int64 segment ids with 0 for
            void, ``segments_info``, a list of dicts id, category_id, isthing, area, bbox (x, y, width, height),
            iscrowd, and image_id.
        kinds: The kinds of scene to draw from.
        thin: Amount of poles, lamp posts, masts and leashes; 0 for none.
        scale_range: Ratio of the largest to the smallest scale of things.
        crowd: Number of companions that touch or overlap a thing; 0 for none.
        context: Amount of bollards, "mooring bollard" in harbors and "street bollard" in streets. They, and all around
            them, are drawn alike in both; only what is at least ``context_distance`` away tells which it is.
        context_distance: That distance, as a fraction of the image height.
        void_border: Width of the void border around things, as a fraction of the image height; 0 for none.
        transforms: Called with image and target, returns both.

    Attributes:
        labels: The LabelSet. Its numbers 0...20 are VOC's, of which scenes show only some: see ``CLASSES``.

    Raises:
        ValueError: If an argument is outside its limits.

    Example:
        >>> image, target = Scenes("val", size=(64, 80), count=3)[0]
        >>> tuple(image.shape), image.dtype, tuple(target.shape), target.dtype
        ((3, 64, 80), torch.uint8, (64, 80), torch.int64)
    """

    labels: LabelSet = SCENES

    def __init__(
        self,
        split: str = "train",
        size: tuple[int, int] = (128, 160),
        count: int = 1000,
        seed: int = 0,
        target: str = "semantic",
        kinds: Sequence[str] = tuple(KINDS),
        thin: float = 1.0,
        scale_range: float = 20.0,
        crowd: float = 1.0,
        context: float = 1.0,
        context_distance: float = 0.2,
        void_border: float = 0.008,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, but it is {split!r}")
        if target not in TARGETS:
            raise ValueError(f"target must be one of {', '.join(TARGETS)}, but it is {target!r}")
        sides = tuple(size) if isinstance(size, (tuple, list)) else ()
        if len(sides) != 2 or not all(isinstance(side, (int, np.integer)) and 32 <= side <= 4096 for side in sides):
            raise ValueError(f"size must be (height, width), whole numbers from 32 to 4096, but it is {size!r}")
        for name, value in (("count", count), ("seed", seed)):
            if not isinstance(value, (int, np.integer)) or value < 0:
                raise ValueError(f"{name} must be a whole number, 0 or more, but it is {value!r}")
        self.split = split
        self.size = int(sides[0]), int(sides[1])
        self.count, self.seed = int(count), int(seed)
        self.target = target
        self.settings = Settings(
            kinds=kinds if isinstance(kinds, str) else tuple(kinds),  # type: ignore[arg-type]
            thin=thin,
            scale_range=scale_range,
            crowd=crowd,
            context=context,
            context_distance=context_distance,
            void_border=void_border,
        )
        self.transforms = transforms

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"Scenes(split={self.split!r}, size={self.size}, count={self.count}, seed={self.seed}, {self.settings})"

    def _stream(self, index: int) -> str:
        number = operator.index(index)
        if not -self.count <= number < self.count:
            raise IndexError(f"this data set has {self.count} pictures, there is none with index {number}")
        return f"{self.split}/{self.seed}/{number % self.count}"

    def scene(self, index: int) -> Scene:
        """Everything about one picture as NumPy arrays, without transforms.

        Raises:
            IndexError: If there is no such picture.
        """
        return draw_scene(self._stream(index), *self.size, self.settings)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        target: Any
        if self.target == "semantic":
            pixels, labels = draw_labels(self._stream(index), *self.size, self.settings)
            target = tv_tensors.Mask(torch.from_numpy(labels.astype(np.int64)))
        else:
            scene = self.scene(index)
            pixels = scene.image
            number = operator.index(index) % self.count
            target = instance_target(scene, number) if self.target == "instances" else panoptic_target(scene, number)
        image = tv_tensors.Image(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))))
        return transformed(self.transforms, image, target)


def instance_target(scene: Scene, number: int) -> dict[str, Any]:
    """The things of a scene, as torchvision's detection references have it."""
    size = scene.labels.shape
    count = len(scene.instances)
    boxes = torch.tensor([item.box for item in scene.instances], dtype=torch.float32).reshape(count, 4)
    masks = np.stack([item.mask for item in scene.instances]) if count else np.zeros((0, *size), dtype=bool)
    return {
        "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=size),
        "labels": torch.tensor([item.label for item in scene.instances], dtype=torch.int64),
        "masks": tv_tensors.Mask(torch.from_numpy(masks)),
        "image_id": number,
        "area": torch.tensor([float(item.mask.sum()) for item in scene.instances], dtype=torch.float32),
        "iscrowd": torch.zeros(count, dtype=torch.int64),
    }


def panoptic_target(scene: Scene, number: int) -> dict[str, Any]:
    """Every pixel belongs to one segment, a thing or all of one kind of stuff; 0 is void."""
    void = scene.labels == SCENES.ignore_index
    segments = np.zeros(scene.labels.shape, dtype=np.int64)
    info: list[dict[str, Any]] = []
    parts = [(item.label, item.mask) for item in scene.instances]
    stuff = np.unique(scene.labels[(scene.things == 0) & ~void])
    parts += [(int(label), (scene.labels == label) & (scene.things == 0)) for label in stuff]
    for label, mask in parts:
        mask = mask & ~void
        if mask.any():
            x0, y0, x1, y1 = tight_box(mask)
            segments[mask] = len(info) + 1
            info.append({
                "id": len(info) + 1,
                "category_id": label,
                "isthing": int(label in SCENES.things),
                "area": int(mask.sum()),
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "iscrowd": 0,
            })  # fmt: skip
    return {"segments": tv_tensors.Mask(torch.from_numpy(segments)), "segments_info": info, "image_id": number}
