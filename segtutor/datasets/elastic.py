"""Elastic deformation: a picture on a rubber sheet, which U-Net learned from when there were 30 pictures.

Ronneberger et al. 2015, §3.1: random displacements on a coarse 3 x 3 grid, Gaussian with a deviation of 10 pixels, and
bicubic in between. What comes in from beyond the border is mirrored, as everywhere in that paper.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision import tv_tensors

from segtutor.datasets.joint import JointTransform, image_size


class ElasticDeformation(JointTransform):
    """Bend a picture and all its maps in the same way; labels are picked, never blended.

    Args:
        deviation: Standard deviation of the displacements in pixels, 10 in the paper, whose pictures have 512.
        grid: Points of the coarse grid along a side, at least 2.
    """

    def __init__(self, deviation: float = 10.0, grid: int = 3) -> None:
        super().__init__(ignore_index=255, mean=(0.0, 0.0, 0.0))
        if not deviation >= 0:
            raise ValueError(f"deviation is {deviation!r}, but must be at least 0 pixels")
        if isinstance(grid, bool) or not isinstance(grid, int) or grid < 2:
            raise ValueError(f"grid is {grid!r}, but must be a whole number of at least 2")
        self.deviation, self.grid = deviation, grid

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = image_size(flat_inputs)
        coarse = self.deviation * torch.randn(1, 2, self.grid, self.grid)
        fine = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)[0]
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        return {"rows": rows + fine[0], "columns": columns + fine[1]}  # H x W each: where a pixel comes from

    def on_image(self, image: Tensor, params: dict[str, Any]) -> Tensor:
        height, width = image.shape[-2:]
        places = [2 * params["columns"] / max(1, width - 1) - 1, 2 * params["rows"] / max(1, height - 1) - 1]
        # The grid of grid_sample has x before y, and from -1 to 1 the centers of the outer pixels.
        grid = torch.stack(places, dim=-1)[None].to(image.device)
        whole = image if image.is_floating_point() else image.float()
        bent = F.grid_sample(whole[None], grid, mode="bilinear", padding_mode="reflection", align_corners=True)[0]
        return bent if image.is_floating_point() else bent.round().clamp(0, 255).to(image.dtype)

    def on_labels(self, labels: Tensor, fill: int, params: dict[str, Any]) -> Tensor:
        height, width = labels.shape[-2:]
        rows, columns = _mirrored(params["rows"], height), _mirrored(params["columns"], width)
        return labels[..., rows.to(labels.device), columns.to(labels.device)]

    def on_boxes(self, boxes: tv_tensors.BoundingBoxes, params: dict[str, Any]) -> tv_tensors.BoundingBoxes:
        raise ValueError("a bent box is no box: leave boxes out, bend the masks, and draw the boxes around these again")


def _mirrored(places: Tensor, length: int) -> Tensor:
    """The nearest pixel to each place along an axis, which beyond the border goes back the way it came."""
    if length == 1:
        return torch.zeros(places.shape, dtype=torch.long)
    around = places.round().long() % (2 * (length - 1))
    return length - 1 - (around - (length - 1)).abs()
