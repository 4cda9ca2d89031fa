"""From coarse maps back to pixels: the bilinear filter, and where the pixels of a map lie in the image.

Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation, 2015 ("FCN"), §3.3.

Shapes: B images, K classes, H W input, h w feature map.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.sizes import crop, exporting, smaller


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


class TransposedConvolution(nn.ConvTranspose2d):
    """PyTorch's transposed convolution, but never in 16 bits, whatever autocast and the weights say.

    Its 16-bit kernels are the slow exception on processors: with bfloat16 units (AMX) a filter of 63 x 63 takes a
    hundred times as long as in float32, without such units one of 2 x 2 four times. Output in the weights' type.
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        with _full_precision(input.device):
            wide = torch.promote_types(self.weight.dtype, torch.float32)
            return self.enlarge(input.to(wide), output_size).to(self.weight.dtype)

    def enlarge(self, coarse: Tensor, output_size: list[int] | None = None) -> Tensor:
        """The transposed convolution itself, in the type of ``coarse``."""
        two = self._output_padding(coarse, output_size, self.stride, self.padding, self.kernel_size, 2, self.dilation)  # type: ignore[arg-type]
        weight, bias = self.weight.to(coarse.dtype), None if self.bias is None else self.bias.to(coarse.dtype)
        return F.conv_transpose2d(coarse, weight, bias, self.stride, self.padding, two, self.groups, self.dilation)  # type: ignore[arg-type]


def _full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Inside, autocast is off."""
    available = torch.amp.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if available else nullcontext()


class BilinearUpsampling(TransposedConvolution):
    """Transposed convolution that starts as bilinear interpolation of each class by itself.

    B x K x h x w to B x K x (stride (h - 1) + kernel) x ...: it is to be cropped. As long as it *is* that
    interpolation, it is computed as such, first along the rows and then along the columns: of its K² filters all but K
    are zero, and each of these is the product of two triangles.

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
        self._interpolates, self._judged = True, self._edition()

    def enlarge(self, coarse: Tensor, output_size: list[int] | None = None) -> Tensor:
        if self.weight.requires_grad or output_size is not None or not self._is_interpolation():
            return super().enlarge(coarse, output_size)
        if exporting():  # the products of sizes below are more than it can prove anything about
            filters = self.weight.diagonal().permute(2, 0, 1)[:, None].to(coarse.dtype)
            return F.conv_transpose2d(coarse, filters, stride=self.stride, groups=self.in_channels)
        rows, columns = (self._triangles(side, coarse) for side in coarse.shape[-2:])
        return rows @ (coarse @ columns.T)

    def _triangles(self, side: int, like: Tensor) -> Tensor:
        """What each pixel of the coarse map gives to each of the fine one, along one direction: fine x coarse."""
        factor, kernel = self.stride[0], self.kernel_size[0]
        fine = torch.arange(factor * (side - 1) + kernel, device=like.device)
        centers = factor * torch.arange(side, device=like.device) + (kernel - 1) / 2
        distance = (fine[:, None] - centers).abs().to(like.dtype)
        return (1 - distance / ((kernel + 1) // 2)).clamp(min=0)

    def _is_interpolation(self) -> bool:
        """Whether the weights are still the bilinear ones; looked at again only when something has written to them."""
        # Exporters and the meta device know shapes, not values; they were looked at when they were made or loaded.
        if not (torch.compiler.is_compiling() or self.weight.is_meta) and self._judged != self._edition():
            self._judge()
        return self._interpolates

    def _judge(self) -> None:
        wanted = torch.zeros_like(self.weight)
        kernel = bilinear_kernel(self.kernel_size[0]).to(self.weight)
        wanted.diagonal().copy_(kernel[..., None].expand(*kernel.shape, self.in_channels))
        self._interpolates, self._judged = torch.equal(self.weight, wanted), self._edition()

    def _edition(self) -> tuple[int, int]:
        """Changes whenever a program assigns other weights or writes into these."""
        return self.weight.data_ptr(), self.weight._version

    def _load_from_state_dict(self, *arguments: Any, **options: Any) -> None:
        super()._load_from_state_dict(*arguments, **options)
        if not self.weight.is_meta:
            self._judge()


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
    before_coarse, before_fine = max(0, -offset), max(0, offset)
    h, w = (smaller(coarse.shape[side] - before_coarse, fine.shape[side] - before_fine) for side in (-2, -1))
    return crop(coarse, (h, w), before_coarse) + crop(fine, (h, w), before_fine)


def pad_onto_grid(images: Tensor, stride: int) -> Tensor:
    """Grows images on the right and below until H and W are 1 plus a multiple of the stride.

    Strided 3 x 3 convolutions lay their pixels on 0, s, 2 s, ... of the image; on such a size the last one lies on the
    last pixel, and interpolation between them reaches every pixel. After normalization, 0 is the mean color.

    Args:
        images: B x 3 x H x W.
        stride: Of the feature map.
    """
    H, W = images.shape[-2:]
    # As (1 - side) % stride, but in numbers that are never below 0: exporters follow them for sizes not known yet.
    right, below = (((stride - 1) * side + 1) % stride for side in (W, H))
    return F.pad(images, (0, right, 0, below))
