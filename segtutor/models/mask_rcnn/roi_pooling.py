"""From regions of any size to maps of one size: RoIAlign, and RoIPool, which it replaced.

Mask R-CNN §3; level of the pyramid FPN Eq. 1.

    RoIPool   rounds the region to whole positions of the map, then its bins again; maximum per bin
    RoIAlign  rounds nothing: 2 x 2 points per bin, each interpolated between four positions; mean per bin

Shapes: C channels, h w feature map, R regions of all images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.ops import roi_align, roi_pool

from segtutor.models.mask_rcnn.settings import Settings

SAMPLES_PER_BIN = 2


def assign_levels(boxes: Tensor, strides: Sequence[int], canonical_size: float = 224) -> Tensor:
    """The level from which each region is pooled (FPN Eq. 1): k = floor(4 + log2(sqrt(w h) / 224)).

    A region half as large is pooled from a map twice as fine, so that it covers about as many positions.

    Args:
        boxes: R x 4.
        strides: Of the levels, each twice the one before.
        canonical_size: Side of the regions from which on the level of stride 16 (k = 4) is used.

    Returns:
        R int64, index into ``strides``.

    >>> assign_levels(torch.tensor([[0.0, 0, 224, 224], [0, 0, 223, 223], [0, 0, 900, 900]]), (4, 8, 16, 32))
    tensor([2, 1, 3])
    """
    first, last = math.log2(strides[0]), math.log2(strides[-1])
    side = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
    # The small summand keeps a side of exactly the canonical size, a power of two apart, on its level despite rounding.
    level = torch.floor(4 + torch.log2(side / canonical_size) + 1e-6)
    return (level.clamp(first, last) - first).to(torch.int64)


def pool_regions(
    maps: Sequence[Tensor], strides: Sequence[int], boxes: Sequence[Tensor], output_size: int, settings: Settings
) -> tuple[Tensor, list[Tensor]]:
    """Pools each region from the level that fits its size.

    Args:
        maps: Levels B x C x h x w.
        strides: Of the levels.
        boxes: For each image R x 4, in pixels of the batch.
        output_size: Bins along each side: 7 for boxes, 14 for masks.
        settings: RoIAlign or RoIPool, and from where it counts.

    Returns:
        Regions of all images, R x C x output_size x output_size, and for each image the index of their levels.
    """
    C, counts = maps[0].shape[1], [len(of_image) for of_image in boxes]
    levels = assign_levels(torch.cat(list(boxes)), strides, settings.canonical_size)
    numbered = torch.cat([torch.cat([b.new_full((len(b), 1), i), b], dim=1) for i, b in enumerate(boxes)])  # R x 5
    pooled = maps[0].new_zeros(len(levels), C, output_size, output_size)
    for level, (features, stride) in enumerate(zip(maps, strides, strict=True)):
        chosen = torch.where(levels == level)[0]
        regions = numbered[chosen].to(features.dtype)
        if settings.roi_pooling == "pool":
            crops = roi_pool(features, regions, output_size, 1 / stride)
        else:
            crops = roi_align(features, regions, output_size, 1 / stride, SAMPLES_PER_BIN, aligned=settings.half_pixel)
        pooled = pooled.index_put((chosen,), crops.to(pooled.dtype))
    return pooled, list(levels.split(counts))
