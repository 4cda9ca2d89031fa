"""From the mask in a box's own frame to the mask in the picture.

Pixel (row, column) of a picture covers the square from (column, row) to (column + 1, row + 1). Its center, at one half,
is where the mask is asked.

Shapes: R masks, M side of a mask, H W the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# Sampled masks of at most so many pixels at a time: 64 MB.
PIXELS_AT_A_TIME = 2**24


def paste_masks(
    masks: Tensor, boxes: Tensor, size: tuple[int, int], threshold: float = 0.5, legacy: bool = False
) -> Tensor:
    """Puts masks into their boxes.

    Args:
        masks: R x M x M probabilities.
        boxes: R x 4 in the picture; they may reach beyond it.
        size: H and W.
        threshold: Pixels with at least this probability belong to the object.
        legacy: As torchvision does: the box is widened to whole pixels and one more.

    Returns:
        R x H x W bool.

    >>> whole = paste_masks(torch.ones(1, 28, 28), torch.tensor([[10.0, 10.0, 20.0, 20.0]]), (30, 30))
    >>> int(whole.sum())
    100
    """
    if masks.ndim != 3 or boxes.shape != (len(masks), 4):
        raise ValueError(f"masks must be R x M x M, boxes R x 4, but {tuple(masks.shape)}, {tuple(boxes.shape)} came")
    pasted = torch.zeros(len(masks), *size, dtype=torch.bool, device=masks.device)
    if legacy:
        for index in range(len(masks)):
            _paste_legacy(masks[index], boxes[index], pasted[index], threshold)
        return pasted
    step = max(1, PIXELS_AT_A_TIME // max(1, size[0] * size[1]))
    for start in range(0, len(masks), step):
        part = slice(start, start + step)
        pasted[part] = _sample(masks[part], boxes[part], size) >= threshold
    return pasted


def _sample(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """The masks at the centers of all pixels, R x H x W; 0 outside the boxes."""
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    y = torch.arange(size[0], device=boxes.device, dtype=boxes.dtype) + 0.5
    x = torch.arange(size[1], device=boxes.device, dtype=boxes.dtype) + 0.5
    # -1 and 1 are the borders of the box, which are those of the mask's outer pixels: align_corners=False.
    v = (y - y1[:, None]) / (y2 - y1)[:, None] * 2 - 1  # R x H
    u = (x - x1[:, None]) / (x2 - x1)[:, None] * 2 - 1  # R x W
    R, H, W = len(boxes), *size
    grid = torch.stack([u[:, None, :].expand(R, H, W), v[:, :, None].expand(R, H, W)], dim=-1)
    # Up to the border the outer pixel's value holds; it does not fade into an outside of zeros there.
    values = F.grid_sample(masks[:, None].to(boxes.dtype), grid, padding_mode="border", align_corners=False)[:, 0]
    inside = (v.abs() <= 1)[:, :, None] & (u.abs() <= 1)[:, None, :]
    return values * inside


def _paste_legacy(mask: Tensor, box: Tensor, canvas: Tensor, threshold: float) -> None:
    """One mask as torchvision pastes it, into an H x W canvas."""
    M, (H, W) = mask.shape[-1], canvas.shape
    padded = F.pad(mask, (1, 1, 1, 1))
    scale = (M + 2) / M
    x1, y1, x2, y2 = box.unbind()
    half_width, half_height = (x2 - x1) * 0.5 * scale, (y2 - y1) * 0.5 * scale
    center_x, center_y = (x2 + x1) * 0.5, (y2 + y1) * 0.5
    corners = (center_x - half_width, center_y - half_height, center_x + half_width, center_y + half_height)
    left, top, right, bottom = (int(corner) for corner in corners)  # toward zero
    height, width = max(bottom - top + 1, 1), max(right - left + 1, 1)
    resized = F.interpolate(padded[None, None], size=(height, width), mode="bilinear", align_corners=False)[0, 0]
    rows, columns = slice(max(top, 0), min(bottom + 1, H)), slice(max(left, 0), min(right + 1, W))
    canvas[rows, columns] = (
        resized[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] >= threshold
    )
