"""Joint transforms: what moves the image moves its labels, boxes and instance masks with it.

They are torchvision v2 transforms, so they mix with torchvision's own in one ``v2.Compose``. How labels are picked and
what padding is filled with is decided in `segtutor.datasets.joint`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from segtutor.datasets.joint import JointTransform, image_size, resize_nearest, uniform
from segtutor.datasets.moved import PER_OBJECT, boxes_around, transformed
from segtutor.datasets.targets import is_panoptic, with_list_of

__all__ = [
    "IMAGENET_MEAN",
    "RandomRotation",
    "RandomScaledCrop",
    "TightBoxes",
    "Transformed",
    "resize_nearest",
    "train_transforms",
]

IMAGENET_MEAN = (0.485, 0.456, 0.406)

# float32, in which torchvision turns labels, holds every whole number below this.
_EXACT = 1 << 24


class RandomScaledCrop(JointTransform):
    """Scale by a random factor, then cut a crop; what the image does not cover is padding.

    The window is cut first and only it is resized, which gives the same picture as resizing all of the image and costs
    less. The window has whole pixels, so the factor is rounded to what they allow.

    Args:
        crop: Height and width of the result, in pixels.
        scale: Smallest and largest factor; 0.5 to 2 in PSPNet and DeepLab.
        ignore_index: Label of the padding.
        mean: Color of the padding, as fractions of full intensity.
    """

    def __init__(
        self,
        crop: tuple[int, int],
        scale: tuple[float, float] = (0.5, 2.0),
        ignore_index: int = 255,
        mean: Sequence[float] = IMAGENET_MEAN,
    ) -> None:
        super().__init__(ignore_index, mean)
        if min(crop) < 1:
            raise ValueError(f"crop is {crop}; height and width must be at least 1 pixel")
        if not 0 < scale[0] <= scale[1]:
            raise ValueError(f"scale is {scale}; give (smallest, largest) with 0 < smallest <= largest")
        self.crop, self.scale = (int(crop[0]), int(crop[1])), scale

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = image_size(flat_inputs)
        factor = uniform(*self.scale)
        # Size of the window in pixels of the source, and where it begins; it may be larger than the image.
        window = [max(1, round(side / factor)) for side in self.crop]
        starts = [int(uniform(0, max(0, n - w) + 1 - 1e-6)) for n, w in zip((height, width), window, strict=True)]
        ends = [min(n, s + w) for n, s, w in zip((height, width), starts, window, strict=True)]
        # Size of the covered part in the result; the rest, below and to the right, is padding.
        size = [
            max(1, round((end - start) * side / w))
            for start, end, side, w in zip(starts, ends, self.crop, window, strict=True)
        ]
        return {"box": (starts[0], starts[1], ends[0], ends[1]), "size": (size[0], size[1])}

    def on_image(self, image: Tensor, params: dict[str, Any]) -> Tensor:
        top, left, bottom, right = params["box"]
        part = F.resize_image(image[..., top:bottom, left:right], list(params["size"]), antialias=True)
        height, width = params["size"]
        if (height, width) == self.crop:
            return part
        fill = torch.tensor(self.image_fill(image), device=image.device)
        fill = fill if image.is_floating_point() else fill.round()
        canvas = fill.to(image.dtype)[:, None, None].repeat(1, *self.crop)
        canvas[..., :height, :width] = part
        return canvas

    def on_labels(self, labels: Tensor, fill: int, params: dict[str, Any]) -> Tensor:
        top, left, bottom, right = params["box"]
        part = resize_nearest(labels[..., top:bottom, left:right], params["size"])
        height, width = params["size"]
        if (height, width) == self.crop:
            return part
        canvas = labels.new_full((*labels.shape[:-2], *self.crop), fill)
        canvas[..., :height, :width] = part
        return canvas

    def on_boxes(self, boxes: tv_tensors.BoundingBoxes, params: dict[str, Any]) -> tv_tensors.BoundingBoxes:
        top, left, bottom, right = params["box"]
        moved = F.crop(boxes, top, left, bottom - top, right - left)
        moved = F.resize(moved, list(params["size"]))
        return tv_tensors.BoundingBoxes(moved.as_subclass(Tensor), format=boxes.format, canvas_size=self.crop)


class RandomRotation(JointTransform):
    """Turn by a random angle around the center; the corners that come in are padding.

    Args:
        degrees: Largest angle, to either side.
        probability: How often to turn at all.
        ignore_index: Label of the padding.
        mean: Color of the padding, as fractions of full intensity.
    """

    def __init__(
        self,
        degrees: float,
        probability: float = 0.5,
        ignore_index: int = 255,
        mean: Sequence[float] = IMAGENET_MEAN,
    ) -> None:
        super().__init__(ignore_index, mean)
        if not 0 <= degrees <= 180:
            raise ValueError(f"degrees is {degrees}; give the largest angle, between 0 and 180")
        self.degrees, self.probability = degrees, probability

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        turned = uniform(0, 1) < self.probability
        return {"angle": uniform(-self.degrees, self.degrees) if turned else 0.0}

    def on_image(self, image: Tensor, params: dict[str, Any]) -> Tensor:
        if params["angle"] == 0:
            return image
        bilinear = v2.InterpolationMode.BILINEAR
        return F.rotate_image(image, params["angle"], interpolation=bilinear, fill=self.image_fill(image))

    def on_labels(self, labels: Tensor, fill: int, params: dict[str, Any]) -> Tensor:
        if params["angle"] == 0 or labels.numel() == 0:
            return labels
        wide = labels.dtype in (torch.int32, torch.int64)
        if wide and not -_EXACT < int(labels.min()) <= int(labels.max()) < _EXACT:
            raise ValueError(
                f"labels must lie between -{_EXACT} and {_EXACT} to be turned, which is done in float32, but they "
                f"reach from {int(labels.min())} to {int(labels.max())}; number them anew first"
            )
        channels = labels.reshape(-1, *labels.shape[-2:])
        return F.rotate_mask(channels, params["angle"], fill=fill).reshape(labels.shape)

    def on_boxes(self, boxes: tv_tensors.BoundingBoxes, params: dict[str, Any]) -> tv_tensors.BoundingBoxes:
        return F.rotate(boxes, params["angle"]) if params["angle"] else boxes


class TightBoxes(v2.Transform):
    """Draw each box anew around what is left of its mask, and drop the objects of which nothing is left.

    Comes last. A detection target without masks keeps its moved boxes; those without an area are dropped. The list of a
    panoptic target gets the boxes and areas of its map, and loses the segments that are not in it any more.

    Args:
        min_area: An object with fewer visible pixels than this is dropped.
    """

    def __init__(self, min_area: int = 1) -> None:
        super().__init__()
        self.min_area = min_area

    def forward(self, image: Any, target: Any) -> tuple[Any, Any]:
        if is_panoptic(target):
            return image, with_list_of(target)
        if not isinstance(target, dict) or "boxes" not in target:
            return image, target
        boxes, masks = target["boxes"], target.get("masks")
        if masks is None:
            corners = F.convert_bounding_box_format(boxes, new_format=tv_tensors.BoundingBoxFormat.XYXY)
            area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
            keep = area.as_subclass(Tensor) > 0
        else:
            area = masks.as_subclass(Tensor).flatten(1).sum(1)
            keep = area >= max(1, self.min_area)
        tidy = dict(target)
        for key in PER_OBJECT & target.keys():
            kept = target[key][keep]
            tidy[key] = tv_tensors.wrap(kept, like=target[key]) if key in ("boxes", "masks") else kept
        if masks is not None:
            tidy["boxes"] = boxes_around(tidy["masks"])
            if "area" in tidy:
                tidy["area"] = area[keep].to(tidy["area"].dtype)
        return image, tidy


def train_transforms(
    crop: tuple[int, int],
    scale: tuple[float, float] = (0.5, 2.0),
    flip: float = 0.5,
    degrees: float = 0.0,
    jitter: float = 0.0,
    ignore_index: int = 255,
) -> v2.Compose:
    """The usual training augmentation of PSPNet and DeepLab, for semantic, detection and panoptic targets alike.

    Args:
        crop: Height and width of the result, in pixels.
        scale: Range of the random scale factor.
        flip: Probability of a mirror image.
        degrees: Largest random rotation; PSPNet turns by up to 10 degrees, DeepLab not at all.
        jitter: Strength of the change of brightness, contrast and saturation; 0 leaves colors alone.
        ignore_index: Label of the padding.

    Returns:
        A transform ``(image, target) -> (image, target)``; the image keeps its dtype, normalization is the model's.
    """
    steps: list[Any] = []
    if degrees:
        steps.append(RandomRotation(degrees, ignore_index=ignore_index))
    steps.append(RandomScaledCrop(crop, scale, ignore_index=ignore_index))
    if flip:
        steps.append(v2.RandomHorizontalFlip(flip))
    if jitter:
        steps.append(v2.ColorJitter(brightness=jitter, contrast=jitter, saturation=jitter, hue=jitter / 5))
    return v2.Compose([*steps, TightBoxes()])


class Transformed(Dataset):
    """A data set seen through joint transforms.

    Args:
        dataset: Anything whose items are (image, target).
        transforms: A function of image and target, ``train_transforms(...)`` for one.
    """

    def __init__(self, dataset: Any, transforms: Callable[[Any, Any], tuple[Any, Any]]) -> None:
        self.dataset, self.transforms = dataset, transforms

    @property
    def labels(self) -> Any:
        """The label set of the data set below."""
        return self.dataset.labels

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return transformed(self.transforms, *self.dataset[index])
