"""An item of a data set after transforms that may be anybody's: what moves pixels does not move numbers.

The list of a panoptic target follows its map, the areas of objects follow their masks, and objects of which nothing is
left are dropped, for a detector's loss of them is NaN. What cannot work says so: transforms that know no targets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.ops import masks_to_boxes
from torchvision.transforms.v2 import functional as F

from segtutor.datasets.targets import is_panoptic, with_list_of

# The parts of a detection target that have one row per object.
PER_OBJECT = frozenset({"boxes", "labels", "masks", "area", "iscrowd"})
_ADVICE = (
    "transforms are called with the picture and its target, both tensors already, and return both: take "
    "torchvision.transforms.v2 or segtutor.datasets.transforms, and instead of ToTensor nothing, or "
    "v2.ToDtype({tv_tensors.Image: torch.float32, 'others': None}, scale=True)"
)
# What torchvision's first transforms say of two arguments, or of a tensor where they want a picture of Pillow.
_OF_THE_FIRST = ("positional argument", "pic should be", "img should be PIL Image", "Input type is not supported")


def transformed(transforms: Callable[[Any, Any], tuple[Any, Any]] | None, image: Any, target: Any) -> tuple[Any, Any]:
    """An item of a data set after its transforms, whoever wrote them.

    Raises:
        ValueError: If they take no target, return something else than a pair, or leave a target whose parts belong to
            different objects.
    """
    if transforms is None:
        return image, target
    masks = target.get("masks") if isinstance(target, dict) else None
    try:
        result = transforms(image, target)
    except TypeError as error:
        if any(words in str(error) for words in _OF_THE_FIRST):
            raise ValueError(f"{_name(transforms)} cannot be applied to an item ({error}): {_ADVICE}") from error
        raise
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise ValueError(f"{_name(transforms)} returned {_kind(result)}, not a picture and its target: {_ADVICE}")
    image, target = result
    if is_panoptic(target):
        return image, with_list_of(target)
    if masks is not None and isinstance(target, dict):
        is_same = target.get("masks") is masks
        return image, _of_one_length(target, len(masks)) if is_same else with_visible_objects(target)
    return image, target


def _name(transforms: Any) -> str:
    return str(getattr(transforms, "__name__", type(transforms).__name__))


def _kind(result: Any) -> str:
    return f"{len(result)} values" if isinstance(result, (tuple, list)) else type(result).__name__


def with_visible_objects(target: dict[str, Any]) -> dict[str, Any]:
    """A target of objects without those of which no pixel is left, with areas counted in its masks.

    Boxes stay where the transforms moved them; one without an area is drawn anew around its mask.

    Raises:
        ValueError: If the parts of the target have different numbers of objects.
    """
    masks, boxes = target.get("masks"), target.get("boxes")
    if not isinstance(masks, Tensor) or masks.ndim != 3 or masks.is_floating_point():
        return target
    target = _of_one_length(target, len(masks))
    pixels = masks.as_subclass(Tensor).flatten(1).sum(1)
    keep = pixels > 0
    result = dict(target)
    if isinstance(target.get("area"), Tensor):
        result["area"] = pixels.to(target["area"].dtype)
    if isinstance(boxes, tv_tensors.BoundingBoxes):
        corners = F.convert_bounding_box_format(boxes, new_format=tv_tensors.BoundingBoxFormat.XYXY)
        flat = (corners.as_subclass(Tensor)[:, 2:] <= corners.as_subclass(Tensor)[:, :2]).any(1) & keep
        if flat.any():
            drawn = boxes.as_subclass(Tensor).clone()
            around = F.convert_bounding_box_format(boxes_around(masks[flat]), new_format=boxes.format)
            drawn[flat] = around.as_subclass(Tensor).to(drawn.dtype)
            result["boxes"] = tv_tensors.wrap(drawn, like=boxes)
    if bool(keep.all()):
        return result
    for key in PER_OBJECT & result.keys():
        if isinstance(result[key], Tensor):
            kept = result[key].as_subclass(Tensor)[keep]
            like = result[key]
            result[key] = tv_tensors.wrap(kept, like=like) if isinstance(like, tv_tensors.TVTensor) else kept
    return result


def _of_one_length(target: dict[str, Any], count: int) -> dict[str, Any]:
    """The target, if all its parts have ``count`` objects; v2.SanitizeBoundingBoxes forgets those it does not know."""
    lengths = {key: len(target[key]) for key in PER_OBJECT & target.keys() if isinstance(target[key], Tensor)}
    wrong = [key for key, length in lengths.items() if length != count]
    if not wrong:
        return target
    flags = target.get("iscrowd")
    if set(wrong) <= {"iscrowd", "area"} and isinstance(flags, Tensor) and not flags.any():
        return {**target, "iscrowd": flags.new_zeros(count)}  # as many as there are, and none of them a crowd
    if [key for key in wrong if key != "area"]:
        raise ValueError(
            f"the transforms left {count} masks, but of the other parts of the target {lengths}: one of them drops "
            "objects and knows only some of their parts. Leave v2.SanitizeBoundingBoxes away, for objects of which "
            "nothing is left are dropped anyway, or end with segtutor.datasets.transforms.TightBoxes()"
        )
    return target


def boxes_around(masks: Tensor) -> tv_tensors.BoundingBoxes:
    """Continuous XYXY boxes: the right and lower edge lie one past the last pixel."""
    height, width = masks.shape[-2:]
    boxes = masks.new_zeros((0, 4), dtype=torch.float32)
    if len(masks):
        boxes = masks_to_boxes(masks.as_subclass(Tensor)) + torch.tensor([0.0, 0.0, 1.0, 1.0], device=masks.device)
    return tv_tensors.BoundingBoxes(
        boxes.as_subclass(Tensor), format=tv_tensors.BoundingBoxFormat.XYXY, canvas_size=(int(height), int(width))
    )
