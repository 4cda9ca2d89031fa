"""From coarse maps back to pixels: the bilinear filter, and where the pixels of a map lie in the image.

Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation, 2015 ("FCN"), §3.3.

Shapes: B images, K classes, H W input, h w feature map.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def bilinear_kernel(size: int) -> Tensor:
    """Filter of a transposed convolution that interpolates linearly between the pixels of the coarse map.

    Args:
        size: Side of the filter: 2 s or 2 s - 1 for an upsampling by s.

    Returns:
        ``size`` x ``size``, the outer product of a triangle with itself.

    >>> bilinear_kernel(4)[1] / bilinear_kernel(4)[1].max()
    tensor([0.3333, 1.0000, 1.0000, 0.3333])
    >>> bilinear_kernel(3)
    tensor([[0.2500, 0.5000, 0.2500],
            [0.5000, 1.0000, 0.5000],
            [0.2500, 0.5000, 0.2500]])
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(f"the size of a filter must be a whole number of at least 1, but {size!r} came")
    factor = (size + 1) // 2
    distance = (torch.arange(size) - (size - 1) / 2).abs()
    triangle = 1 - distance / factor
    return triangle[:, None] * triangle[None, :]


class BilinearUpsampling(nn.ConvTranspose2d):
    """Transposed convolution that starts as bilinear interpolation of each class by itself.

    B x K x h x w to B x K x (stride (h - 1) + kernel) x ...: it is to be cropped.

    Args:
        num_classes: K.
        factor: The stride.
        kernel_size: 2 ``factor`` for maps whose pixels lie between those of the image, 2 ``factor`` - 1 for maps whose
            pixels lie on them.
        learned: Whether training changes it.
    """

    def __init__(self, num_classes: int, factor: int, kernel_size: int, learned: bool = False) -> None:
        super().__init__(num_classes, num_classes, kernel_size, stride=factor, bias=False)
        # Not in the optimizer unless learned: weight decay alone would shrink it.
        self.weight.requires_grad_(learned)

    def reset_parameters(self) -> None:
        """The filter from class i to class i, zero from one class to another."""
        with torch.no_grad():
            self.weight.zero_()
            kernel = bilinear_kernel(self.kernel_size[0]).to(self.weight)
            for i in range(self.in_channels):
                self.weight[i, i] = kernel


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a feature map lie: pixel i is centered on pixel ``start + stride * i`` of the image.

    Each layer moves the grid; two maps of one stride can be added once the offset between their grids is cropped. That
    is where all crop offsets come from.

    Attributes:
        stride: Image pixels from one pixel of the map to the next.
        start: Image coordinate of pixel 0; the centers of the image's own pixels are 0, 1, 2, ...

    >>> Grid().convolution(3, padding=100).convolution(2, stride=2)
    Grid(stride=2.0, start=-98.5)
    """

    stride: float = 1.0
    start: float = 0.0

    def convolution(self, kernel_size: int, stride: int = 1, padding: int = 0) -> Grid:
        """Grid after a convolution or a pooling."""
        return Grid(self.stride * stride, self.start + self.stride * ((kernel_size - 1) / 2 - padding))

    def transposed(self, kernel_size: int, stride: int) -> Grid:
        """Grid after a transposed convolution without padding."""
        fine = self.stride / stride
        return Grid(fine, self.start - fine * (kernel_size - 1) / 2)

    def offset_of(self, other: Grid) -> int:
        """Pixel of this grid on which pixel 0 of the other one lies.

        Raises:
            ValueError: If the pixels of the two do not coincide: then no crop aligns them.
        """
        offset = (other.start - self.start) / self.stride
        if self.stride != other.stride or offset != int(offset):
            raise ValueError(
                f"the pixels of {self} and {other} do not coincide: upsample to the same stride, and take a filter of "
                "even size for maps of 2 x 2 pooling, of odd size for maps of strided 3 x 3 convolutions"
            )
        return int(offset)


def add_where_they_overlap(coarse: Tensor, fine: Tensor, offset: int) -> Tensor:
    """Sum of two maps of one stride, cropped to what they have in common.

    Args:
        coarse: B x K x h x w.
        fine: B x K x h' x w'.
        offset: Pixel of ``fine`` on which pixel 0 of ``coarse`` lies; below 0, ``coarse`` begins first.
    """
    coarse = coarse[..., max(0, -offset) :, max(0, -offset) :]
    fine = fine[..., max(0, offset) :, max(0, offset) :]
    h, w = min(coarse.shape[-2], fine.shape[-2]), min(coarse.shape[-1], fine.shape[-1])
    return coarse[..., :h, :w] + fine[..., :h, :w]


def pad_onto_grid(images: Tensor, stride: int) -> Tensor:
    """Grows images on the right and below until H and W are 1 plus a multiple of the stride.

    Strided 3 x 3 convolutions lay their pixels on 0, s, 2 s, ... of the image; on such a size the last one lies on the
    last pixel, and interpolation between them reaches every pixel. After normalization, 0 is the mean color.

    Args:
        images: B x 3 x H x W.
        stride: Of the feature map.
    """
    H, W = images.shape[-2:]
    return F.pad(images, (0, (1 - W) % stride, 0, (1 - H) % stride))
