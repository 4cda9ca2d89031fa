"""Anchors: boxes of a few sizes and shapes at every position of every map, from which proposals start.

Faster R-CNN §3.1.1; FPN §4.1: one size per level, three ratios.

Shapes: h w feature map, A anchors per position, S stride.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segtutor.models.mask_rcnn.settings import Settings


def cell_anchors(sizes: Sequence[float], ratios: Sequence[float], rounded: bool = False) -> Tensor:
    """The anchors of one position, around (0, 0).

    Args:
        sizes: Square roots of the areas in pixels.
        ratios: Height over width.
        rounded: Round the corners to whole pixels, as torchvision does. The areas are then not exactly size².

    Returns:
        A x 4, all sizes of the first ratio first.

    >>> cell_anchors([32], [0.5, 1, 2], rounded=True)
    tensor([[-23., -11.,  23.,  11.],
            [-16., -16.,  16.,  16.],
            [-11., -23.,  11.,  23.]])
    """
    if not sizes or not ratios or min(*sizes, *ratios) <= 0:
        raise ValueError(f"sizes and ratios must be positive numbers, but {tuple(sizes)} and {tuple(ratios)} came")
    root = torch.tensor(ratios, dtype=torch.float32).sqrt()[:, None]
    side = torch.tensor(sizes, dtype=torch.float32)[None, :]
    width, height = (side / root).flatten(), (side * root).flatten()  # A
    corners = torch.stack([-width, -height, width, height], dim=1) / 2
    return corners.round() if rounded else corners


def grid_anchors(cell: Tensor, map_size: tuple[int, int], stride: tuple[int, int]) -> Tensor:
    """The anchors of all positions of a map.

    Position (row, column) lies at (column * S, row * S): an image's pixel there is the center of what the position
    sees, because every convolution with a stride begins at the first pixel.

    Args:
        cell: A x 4, from `cell_anchors`.
        map_size: h and w.
        stride: S down and to the right, in pixels.

    Returns:
        (h w A) x 4, row by row, all anchors of a position beside each other.
    """
    h, w = map_size
    y = torch.arange(h, dtype=cell.dtype, device=cell.device) * stride[0]
    x = torch.arange(w, dtype=cell.dtype, device=cell.device) * stride[1]
    y, x = torch.meshgrid(y, x, indexing="ij")
    shifts = torch.stack([x, y, x, y], dim=-1)[:, :, None]  # h x w x 1 x 4
    return (shifts + cell).flatten(0, 2)  # h x w x A x 4, flattened


def pyramid_anchors(
    maps: Sequence[Tensor], strides: Sequence[int], padded_size: tuple[int, int], settings: Settings
) -> list[Tensor]:
    """The anchors of every level of a pyramid.

    Args:
        maps: Feature maps B x C x h x w, one per level.
        strides: Of each level.
        padded_size: H and W of the batch.
        settings: Sizes and ratios, one tuple of sizes per level.

    Returns:
        (h w A) x 4 for each level, in float32.

    Raises:
        ValueError: If levels and sizes are not equally many.
    """
    if len(maps) != len(settings.anchor_sizes):
        raise ValueError(
            f"there must be one tuple of anchor sizes per level, but there are {len(maps)} levels and "
            f"{len(settings.anchor_sizes)} tuples in {settings.anchor_sizes}"
        )
    anchors = []
    for features, stride, sizes in zip(maps, strides, settings.anchor_sizes, strict=True):
        h, w = features.shape[-2:]
        steps = (stride, stride)
        if settings.infer_anchor_strides:  # differs: torchvision divides; 7 positions halved are 4, not 3.5
            steps = padded_size[0] // h, padded_size[1] // w
        cell = cell_anchors(sizes, settings.anchor_ratios, settings.round_anchors).to(features.device)
        anchors.append(grid_anchors(cell, (h, w), steps))
    return anchors
