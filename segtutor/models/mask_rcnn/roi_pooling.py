"""From regions of any size to maps of one size: RoIAlign, RoIPool, which it replaced, and a control between the two.

Mask R-CNN §3; level of the pyramid FPN Eq. 1.

    RoIPool   rounds the region to whole positions of the map, then its bins again; maximum per bin
    RoIAlign  rounds nothing: 2 x 2 points per bin, each interpolated between four positions; mean per bin
    control   rounds the region as RoIPool does, and then does as RoIAlign: what rounding alone costs

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
SMALL_MAP = 4096
"""Positions of a map up to which, in training on a processor, RoIAlign is computed by matrices: see there."""


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
        # In full precision: bfloat16 has whole pixels from 128 on, and torchvision's CPU kernels lack it.
        full, regions = torch.promote_types(features.dtype, torch.float32), numbered[chosen]
        if settings.roi_pooling == "round":
            regions = torch.cat([regions[:, :1], round_to_positions(regions[:, 1:], stride)], dim=1)
        if settings.roi_pooling == "pool":
            crops = roi_pool(features.to(full), regions.to(full), output_size, 1 / stride)
        elif features.requires_grad and features.device.type == "cpu" and features[0, 0].numel() <= SMALL_MAP:
            crops = align_by_matrices(features, regions, output_size, 1 / stride, settings.half_pixel)
        else:
            crops = roi_align(
                features.to(full), regions.to(full), output_size, 1 / stride, SAMPLES_PER_BIN, settings.half_pixel
            )
        pooled = pooled.index_put((chosen,), crops.to(pooled.dtype))
    return pooled, list(levels.split(counts))


def round_to_positions(boxes: Tensor, stride: int) -> Tensor:
    """The pixels of those positions of a map that RoIPool divides into bins: both corners rounded, the last included.

    Args:
        boxes: R x 4, in pixels.
        stride: Of the map.

    Returns:
        R x 4, in pixels, every number a multiple of the stride.

    >>> round_to_positions(torch.tensor([[7.0, 9.0, 30.0, 39.0]]), 16)
    tensor([[ 0., 16., 48., 48.]])
    """
    first, last = (boxes / stride).round().unflatten(1, (2, 2)).unbind(dim=1)
    return stride * torch.cat([first, torch.maximum(last, first) + 1], dim=1)


def align_by_matrices(features: Tensor, regions: Tensor, output_size: int, scale: float, half_pixel: bool) -> Tensor:
    """RoIAlign as two products of matrices, since interpolating in a plane is doing so down, then to the right.

    The same numbers as torchvision's kernel. That one's backward pass adds every single sample to the gradient of the
    map, one after the other and in one thread; on the maps of small pictures the products take a third to half of the
    time, although most of what they multiply is 0. On large maps, it would be too much.

    Args:
        features: B x C x h x w.
        regions: R x 5, the image's number and the box.
        output_size: Bins along each side.
        scale: One by the stride.
        half_pixel: Count from the centers of pixels.

    Returns:
        R x C x output_size x output_size.
    """
    C, h, w = features.shape[1:]
    corners = regions[:, 1:] * scale - (0.5 if half_pixel else 0.0)
    down = interpolation_weights(corners[:, 1], corners[:, 3], h, output_size, not half_pixel)  # R x bins x h
    right = interpolation_weights(corners[:, 0], corners[:, 2], w, output_size, not half_pixel)  # R x bins x w
    crops, order = [], []
    for image, of_image in enumerate(features):
        chosen = torch.where(regions[:, 0] == image)[0]
        columns = of_image.reshape(C * h, w) @ right[chosen].reshape(-1, w).T  # C h x R bins
        columns = columns.reshape(C, h, -1, output_size).permute(2, 1, 0, 3).reshape(-1, h, C * output_size)
        crops.append((down[chosen] @ columns).reshape(-1, output_size, C, output_size).transpose(1, 2))
        order.append(chosen)
    return torch.cat(crops)[torch.cat(order).argsort()]


def interpolation_weights(start: Tensor, end: Tensor, size: int, bins: int, at_least_one: bool) -> Tensor:
    """How much each of ``size`` positions contributes to each bin between ``start`` and ``end``.

    Args:
        start: R, in positions of the map.
        end: R.
        size: Positions along this side of the map.
        bins: Bins along this side.
        at_least_one: Regions are at least one position long, as in the RoIAlign that is shifted.

    Returns:
        R x bins x size: the mean of the samples of each bin.
    """
    length = end - start
    if at_least_one:
        length = length.clamp(min=1.0)
    places = (torch.arange(bins * SAMPLES_PER_BIN, device=start.device) + 0.5) / (bins * SAMPLES_PER_BIN)
    samples = start[:, None] + length[:, None] * places  # R x (bins samples)
    inside = (samples >= -1) & (samples <= size)  # further outside, a sample is 0
    samples = samples.clamp(0, size - 1)[..., None]
    weights = (1 - (samples - torch.arange(size, device=start.device)).abs()).clamp(min=0) * inside[..., None]
    return weights.unflatten(1, (bins, SAMPLES_PER_BIN)).mean(dim=2)
