"""What all joint transforms share: one set of random numbers per sample, and a rule for each kind of part.

Two things are decided here and nowhere else. Labels are only ever *picked* (nearest pixel), never blended: halfway
between a cat (8) and a dog (12) lies a cow (10) that nobody labeled. And padding is void: label maps (H x W) are filled
with the ignore index, instance masks (N x H x W) and panoptic maps of segment ids with 0, images with their mean color,
which is 0 after normalization. The list of a panoptic target follows its map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import PIL.Image
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from segtutor.datasets.targets import is_panoptic, with_list_of


def resize_nearest(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize ... x H x W labels by picking: pixel i of n takes source pixel floor((i + 0.5) * N / n).

    Pillow, OpenCV and PyTorch's "nearest" pick three different pixels; this rule, which compares pixel centers, is
    the one that agrees with a bilinear resize of the image (PyTorch calls it "nearest-exact").

    >>> resize_nearest(torch.tensor([[0, 1, 2, 3, 4]]), (1, 3)).tolist()
    [[0, 2, 4]]
    """
    height, width = labels.shape[-2:]
    rows = ((2 * torch.arange(size[0], device=labels.device) + 1) * height) // (2 * size[0])
    columns = ((2 * torch.arange(size[1], device=labels.device) + 1) * width) // (2 * size[1])
    return labels.index_select(-2, rows).index_select(-1, columns)


def _refuse_untyped(sample: Any, size: tuple[int, int]) -> None:
    """Raise ValueError for what would silently stay while the image moves: maps and boxes without a type."""

    def refuse(part: Any, role: str) -> None:
        is_plain = isinstance(part, np.ndarray) or (isinstance(part, Tensor) and type(part) is Tensor)
        if isinstance(part, PIL.Image.Image):
            kind, what = "Image", "a picture of Pillow"
        elif is_plain and part.ndim >= 2 and tuple(part.shape[-2:]) == size:
            kind, what = "Mask", f"a {type(part).__name__} of shape {tuple(part.shape)}"
        elif is_plain and role == "boxes" and part.ndim == 2 and part.shape[-1] == 4:
            kind, what = "BoundingBoxes", f"a {type(part).__name__} of boxes"
        else:
            return
        raise ValueError(
            f"{what} would not move with the image of {size[0]} x {size[1]}: wrap it, "
            f"torchvision.tv_tensors.{kind}(...), so that the transform knows what it is"
        )

    _visit(sample, refuse)


def image_size(parts: Sequence[Any]) -> tuple[int, int]:
    """(H, W) of the first picture or mask among the parts of a sample.

    Raises:
        ValueError: If there is none.
    """
    for part in parts:
        if isinstance(part, tv_tensors.Image | tv_tensors.Mask):
            height, width = part.shape[-2:]
            return int(height), int(width)
    kinds = sorted({type(part).__name__ for part in parts})
    raise ValueError(f"joint transforms need a tv_tensors.Image or Mask, but got only {', '.join(kinds)}")


def _visit(sample: Any, change: Callable[[Any, str], Any], role: str = "") -> Any:
    """The sample with ``change(part, role)`` in place of each part, and the lists of panoptic targets made to fit.

    The role of a mask is "labels" (class numbers), "instances" or "segments" (ids of a panoptic target).
    """
    if isinstance(sample, dict):
        panoptic = is_panoptic(sample)
        result = {
            key: part if panoptic and key == "segments_info"
            else _visit(part, change, "segments" if panoptic and key == "segments" else str(key))
            for key, part in sample.items()
        }  # fmt: skip
        return with_list_of(result) if panoptic and isinstance(result["segments"], Tensor) else result
    if type(sample) in (list, tuple):
        return type(sample)(_visit(part, change, role) for part in sample)
    if isinstance(sample, tv_tensors.Mask) and role != "segments":
        # A single map may have an axis of its own, 1 x H x W; instance masks are booleans, or stand under their name.
        is_map = sample.ndim == 2 or (role != "masks" and sample.shape[0] == 1 and sample.dtype != torch.bool)
        role = "labels" if is_map else "instances"
    return change(sample, role)


def uniform(low: float, high: float) -> float:
    """A random number between two, from PyTorch's generator."""
    return float(torch.empty(()).uniform_(low, high))


class JointTransform(v2.Transform):
    """One set of parameters per sample, one method per kind of part."""

    def __init__(self, ignore_index: int, mean: Sequence[float]) -> None:
        super().__init__()
        self.ignore_index = ignore_index
        self.mean = tuple(mean)

    def image_fill(self, image: Tensor) -> list[float]:
        """The mean color in the image's own range: 0-255 for uint8, 0-1 for float."""
        unit = 1.0 if image.is_floating_point() else 255.0
        return [channel * unit for channel in self.mean]

    def label_fill(self, mask: Tensor, role: str) -> int:
        """Void: the ignore index for a label map, 0 for instance masks and for a panoptic map.

        Raises:
            ValueError: If the type of a label map cannot hold the ignore index.
        """
        if role != "labels":
            return 0
        if mask.dtype == torch.bool:
            raise ValueError(
                f"a label map of booleans cannot hold the ignore index {self.ignore_index} that padding gets; "
                "convert it, mask.to(torch.uint8)"
            )
        limits = torch.finfo(mask.dtype) if mask.is_floating_point() else torch.iinfo(mask.dtype)
        held = limits.min <= self.ignore_index <= limits.max
        if not held or int(torch.tensor(self.ignore_index, dtype=mask.dtype)) != self.ignore_index:
            raise ValueError(
                f"a label map of {mask.dtype} cannot hold the ignore index {self.ignore_index!r} that padding gets; "
                "convert it, mask.to(torch.int64), or take another ignore_index"
            )
        return self.ignore_index

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        parts: list[Any] = []
        _visit(sample, lambda part, role: parts.append(part))
        params = self.make_params(parts)
        _refuse_untyped(sample, image_size(parts))
        return _visit(sample, lambda part, role: self.move(part, role, params))

    def move(self, part: Any, role: str, params: dict[str, Any]) -> Any:
        """One part of the sample after the transform; ``role`` tells of a mask what its numbers are."""
        if isinstance(part, tv_tensors.Image):
            return tv_tensors.wrap(self.on_image(part.as_subclass(Tensor), params), like=part)
        if isinstance(part, tv_tensors.Mask):
            labels = part.as_subclass(Tensor)
            fill = self.label_fill(labels, role)
            return tv_tensors.wrap(self.on_labels(labels, fill, params), like=part)
        if isinstance(part, tv_tensors.BoundingBoxes):
            return self.on_boxes(part, params)
        return part

    def on_image(self, image: Tensor, params: dict[str, Any]) -> Tensor:
        raise NotImplementedError

    def on_labels(self, labels: Tensor, fill: int, params: dict[str, Any]) -> Tensor:
        raise NotImplementedError

    def on_boxes(self, boxes: tv_tensors.BoundingBoxes, params: dict[str, Any]) -> tv_tensors.BoundingBoxes:
        raise NotImplementedError
