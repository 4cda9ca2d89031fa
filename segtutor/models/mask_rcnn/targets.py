"""The ground truth of a batch: looked at before any layer runs, so that an error names the image and the box.

Shapes: G objects of an image, H W the image, K classes with background 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# How far a box may lie outside its image: data sets that count pixels from 1 are off by one.
TOLERANCE = 1.0


@dataclass(frozen=True)
class Target:
    """The objects of one image.

    Attributes:
        boxes: G x 4, float32.
        labels: G int64, 1...K-1.
        masks: G x H x W bool, or None without a mask branch.
    """

    boxes: Tensor
    labels: Tensor
    masks: Tensor | None


def check_images(images: Any) -> list[Tensor]:
    """The images as a list of 3 x H x W.

    Raises:
        ValueError: If they are something else.
    """
    if isinstance(images, Tensor) and images.ndim == 4:
        images = list(images)
    if not isinstance(images, (list, tuple)) or not images:
        kind = f"a tensor of shape {tuple(images.shape)}" if isinstance(images, Tensor) else repr(type(images).__name__)
        raise ValueError(f"images must be a list of at least one tensor 3 x H x W, but {kind} came")
    for index, image in enumerate(images):
        if not isinstance(image, Tensor) or image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
            came = f"shape {tuple(image.shape)}" if isinstance(image, Tensor) else f"a {type(image).__name__}"
            raise ValueError(f"image {index} must be a tensor 3 x H x W, RGB, but {came} came")
    return list(images)


def check_targets(
    targets: Any, images: Sequence[Tensor], num_classes: int, with_masks: bool, device: torch.device
) -> list[Target]:
    """The targets as the losses need them. Objects marked ``iscrowd`` are left out.

    Args:
        targets: For each image a dict of boxes G x 4, labels G and masks G x H x W; G may be 0.
        images: 3 x H x W, before any resizing.
        num_classes: K.
        with_masks: Whether masks are needed.
        device: Where the losses are computed.

    Raises:
        ValueError: Naming the image and the box, if something cannot be trained on.
    """
    if not isinstance(targets, (list, tuple)) or len(targets) != len(images):
        came = f"{len(targets)} targets" if isinstance(targets, (list, tuple)) else f"{type(targets).__name__}"
        raise ValueError(f"training needs a list of one target per image, but {len(images)} images and {came} came")
    return [
        _check_target(target, index, tuple(image.shape[-2:]), num_classes, with_masks, device)
        for index, (target, image) in enumerate(zip(targets, images, strict=True))
    ]


def _check_target(
    target: Any, index: int, size: tuple[int, ...], num_classes: int, with_masks: bool, device: torch.device
) -> Target:
    wanted = ("boxes", "labels", "masks") if with_masks else ("boxes", "labels")
    missing = [key for key in wanted if not isinstance(target, Mapping) or not isinstance(target.get(key), Tensor)]
    if missing:
        raise ValueError(f"image {index}: its target must be a dict of tensors {', '.join(wanted)}; no {missing[0]}")
    boxes, labels = target["boxes"].as_subclass(Tensor), target["labels"].as_subclass(Tensor)
    count = len(labels)
    if labels.ndim != 1 or labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"image {index}: labels must be G integers, but {labels.dtype} {tuple(labels.shape)} came")
    if count == 0 and boxes.numel() == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.shape != (count, 4):
        raise ValueError(
            f"image {index}: boxes must be {count} x 4 for its {count} labels, but {tuple(boxes.shape)} came"
        )
    boxes = boxes.to(torch.float32)
    for number, (box, label) in enumerate(zip(boxes.tolist(), labels.tolist(), strict=True)):
        _check_object(f"image {index}, box {number} {box}", box, label, size, num_classes)

    masks = None
    if with_masks:
        masks = target["masks"].as_subclass(Tensor)
        if count == 0 and masks.numel() == 0:
            masks = masks.new_zeros(0, *size)
        _check_masks(masks, boxes, index, size)
        masks = masks.to(device) > 0
    boxes, labels = boxes.to(device), labels.to(device, torch.int64)
    if target.get("iscrowd") is not None:
        single = torch.as_tensor(target["iscrowd"], device=device) == 0
        if single.shape != (count,):
            raise ValueError(
                f"image {index}: iscrowd must be {count} numbers, one per box, but {tuple(single.shape)} came"
            )
        boxes, labels, masks = boxes[single], labels[single], None if masks is None else masks[single]
    return Target(boxes, labels, masks)


def _check_object(name: str, box: list[float], label: int, size: tuple[int, ...], num_classes: int) -> None:
    x1, y1, x2, y2 = box
    if not all(abs(value) < float("inf") for value in box):
        raise ValueError(f"{name}: its coordinates must be finite")
    if x2 <= x1 or y2 <= y1:
        swapped = x2 < x1 or y2 < y1
        remedy = "are the corners swapped, or is it x, y, width, height?" if swapped else "leave such boxes out"
        raise ValueError(f"{name}: it must have x1 < x2 and y1 < y2; {remedy}")
    height, width = size
    if x1 < -TOLERANCE or y1 < -TOLERANCE or x2 > width + TOLERANCE or y2 > height + TOLERANCE:
        raise ValueError(f"{name}: it lies outside of its image of {width} x {height} pixels; clip or leave it out")
    if not 1 <= label < num_classes:
        zero = "; 0 is the background, objects start at 1" if label == 0 else ""
        raise ValueError(f"{name}: its label must be from 1 to {num_classes - 1}, but {label} came{zero}")


def _check_masks(masks: Tensor, boxes: Tensor, index: int, size: tuple[int, ...]) -> None:
    if masks.shape != (len(boxes), *size):
        raise ValueError(
            f"image {index}: masks must be {len(boxes)} x {size[0]} x {size[1]}, one per box at the size of the image, "
            f"but {tuple(masks.shape)} came"
        )
    if masks.dtype != torch.bool and masks.numel() and not bool(((masks == 0) | (masks == 1)).all()):
        raise ValueError(f"image {index}: masks must hold 0 and 1, but values from {masks.min()} to {masks.max()} came")
    for number, (mask, box) in enumerate(zip(masks, boxes.tolist(), strict=True)):
        x1, y1, x2, y2 = box
        rows = slice(max(0, int(y1 - TOLERANCE)), int(y2 + TOLERANCE) + 1)
        columns = slice(max(0, int(x1 - TOLERANCE)), int(x2 + TOLERANCE) + 1)
        inside, total = int((mask[rows, columns] != 0).sum()), int((mask != 0).sum())
        if 2 * inside < total or total == 0:
            raise ValueError(
                f"image {index}, box {number} {box}: its mask does not match it, {inside} of the mask's {total} pixels "
                "lie in the box; do boxes and masks stand in the same order?"
            )
