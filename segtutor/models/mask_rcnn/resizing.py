"""Images of different sizes into one batch (Mask R-CNN §3.1: the shorter side becomes 800 pixels).

Shapes: B images, H W the padded batch, G objects of an image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from segtutor.models.mask_rcnn.box_coding import resize_boxes
from segtutor.models.mask_rcnn.settings import Settings
from segtutor.models.mask_rcnn.targets import Target


def resized_size(height: int, width: int, settings: Settings) -> tuple[int, int]:
    """Height and width after resizing.

    >>> resized_size(480, 640, Settings()), resized_size(400, 1600, Settings())
    ((800, 1066), (333, 1333))
    """
    if settings.short_side is None:
        return height, width
    scale = min(settings.short_side / min(height, width), settings.long_side / max(height, width))
    return max(1, math.floor(height * scale)), max(1, math.floor(width * scale))


def make_batch(images: Sequence[Tensor], settings: Settings) -> tuple[Tensor, list[tuple[int, int]]]:
    """Resizes images 3 x h x w and pads them on the right and below with 0, the mean color.

    Returns:
        The batch B x 3 x H x W, and the size of each image in it.
    """
    sizes = [resized_size(image.shape[-2], image.shape[-1], settings) for image in images]
    divisor = settings.size_divisor
    H, W = (math.ceil(max(sides) / divisor) * divisor for sides in zip(*sizes, strict=True))
    batch = images[0].new_zeros(len(images), 3, H, W)
    for row, image, size in zip(batch, images, sizes, strict=True):
        if tuple(image.shape[-2:]) != size:
            image = F.interpolate(image[None], size=size, mode="bilinear", align_corners=False)[0]
        row[:, : size[0], : size[1]] = image
    return batch, sizes


def resize_target(target: Target, size: tuple[int, int], new_size: tuple[int, int]) -> Target:
    """Boxes and masks with their image; masks by nearest neighbor, so that they stay masks."""
    if size == new_size:
        return target
    masks = target.masks
    if masks is not None:
        masks = F.interpolate(masks[:, None].to(torch.uint8), size=new_size, mode="nearest")[:, 0] > 0
    return Target(resize_boxes(target.boxes, size, new_size), target.labels, masks)
