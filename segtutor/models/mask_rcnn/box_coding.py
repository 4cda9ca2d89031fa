"""Boxes as offsets from other boxes, which is what the networks predict, and back.

    t = ((x - x_a) / w_a, (y - y_a) / h_a, log(w / w_a), log(h / h_a))     # R-CNN appendix C; x y w h center and size

An offset of 1 means the same for a small box and for a large one: one width to the right, or e times as wide.

Shapes: R boxes, xyxy in continuous coordinates: the box (0, 0, 1, 1) is the first pixel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

Weights = tuple[float, float, float, float]

RPN_WEIGHTS: Weights = (1.0, 1.0, 1.0, 1.0)
# Fast R-CNN divides the targets by their standard deviations, 0.1 and 0.2, so that they weigh as much as the classes.
BOX_HEAD_WEIGHTS: Weights = (10.0, 10.0, 5.0, 5.0)
# One step enlarges a box at most from 16 to 1000 pixels; exp of an untrained network's output would overflow.
LARGEST_LOG_RATIO = math.log(1000 / 16)


def centers_and_sizes(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Center x and y, width and height of boxes R x 4."""
    x1, y1, x2, y2 = boxes.unbind(dim=-1)
    width, height = x2 - x1, y2 - y1
    return x1 + 0.5 * width, y1 + 0.5 * height, width, height


def encode_boxes(boxes: Tensor, references: Tensor, weights: Weights = RPN_WEIGHTS) -> Tensor:
    """Offsets that lead from the references to the boxes.

    Args:
        boxes: R x 4, what is to be predicted.
        references: R x 4, anchors or proposals.
        weights: Factors of the four offsets.

    Returns:
        R x 4: shift in x and y in units of the reference's size, logarithm of the ratio of the sizes.

    >>> encode_boxes(torch.tensor([[5.0, 0.0, 15.0, 20.0]]), torch.tensor([[0.0, 0.0, 10.0, 20.0]]))
    tensor([[0.5000, 0.0000, 0.0000, 0.0000]])
    """
    x, y, width, height = centers_and_sizes(boxes)
    x_a, y_a, width_a, height_a = centers_and_sizes(references)
    offsets = [
        (x - x_a) / width_a,
        (y - y_a) / height_a,
        torch.log(width / width_a),
        torch.log(height / height_a),
    ]
    return torch.stack(offsets, dim=-1) * boxes.new_tensor(weights)


def decode_boxes(offsets: Tensor, references: Tensor, weights: Weights = RPN_WEIGHTS) -> Tensor:
    """Boxes to which the offsets lead: the inverse of `encode_boxes`.

    Args:
        offsets: (..., 4).
        references: (..., 4), of a shape that broadcasts to that of the offsets.
        weights: Factors of the four offsets.

    Returns:
        (..., 4) boxes.
    """
    x_a, y_a, width_a, height_a = centers_and_sizes(references)
    # In full precision: half floats have 11 bits, less than a pixel of a large picture.
    dx, dy, dw, dh = (offsets.to(references.dtype) / references.new_tensor(weights)).unbind(dim=-1)
    x, y = dx * width_a + x_a, dy * height_a + y_a
    half_width = 0.5 * torch.exp(dw.clamp(max=LARGEST_LOG_RATIO)) * width_a
    half_height = 0.5 * torch.exp(dh.clamp(max=LARGEST_LOG_RATIO)) * height_a
    return torch.stack([x - half_width, y - half_height, x + half_width, y + half_height], dim=-1)


def clip_boxes(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes (..., 4) cut at the borders of an image of this height and width."""
    height, width = size
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return torch.stack([x, y], dim=-1).flatten(-2)


def resize_boxes(boxes: Tensor, size: tuple[int, int], new_size: tuple[int, int]) -> Tensor:
    """Boxes R x 4 of an image of ``size`` (height, width), in the image resized to ``new_size``."""
    ratio_y, ratio_x = new_size[0] / size[0], new_size[1] / size[1]
    return boxes * boxes.new_tensor([ratio_x, ratio_y, ratio_x, ratio_y])


def has_area(boxes: Tensor, least_side: float) -> Tensor:
    """Which boxes (R bool) are at least this wide and high."""
    return ((boxes[:, 2] - boxes[:, 0]) >= least_side) & ((boxes[:, 3] - boxes[:, 1]) >= least_side)
