"""Sizes that nobody knows yet: what ``torch.export`` and ONNX need in order to follow a picture of any size.

An exporter runs a network once, with letters for height and width, and keeps the formulas. It refuses a step that is
right only for some sizes, or that it cannot *prove* to be right for all. Here are the few steps of these networks of
that kind. In ordinary use, they are PyTorch's own.

Shapes: B images, C channels, h w map.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def exporting() -> bool:
    """Whether ``torch.export`` is looking at the network now."""
    if hasattr(torch.compiler, "is_exporting"):
        return torch.compiler.is_exporting()
    return torch.compiler.is_compiling()  # before PyTorch 2.7


def crop(maps: Tensor, size: tuple[int, int], start: int = 0) -> Tensor:
    """Some rows and columns of larger maps.

    Args:
        maps: B x C x h x w.
        size: How many rows and columns.
        start: The first one of both.
    """
    height, width = size
    if not exporting():
        return maps[..., start : start + height, start : start + width]
    # A slice would end where the map ends, and that it never does, the exporter cannot prove.
    rows, columns = (torch.arange(start, start + side, device=maps.device) for side in size)
    return maps.index_select(-2, rows).index_select(-1, columns)


def pad_to_whole(images: Tensor, multiple: int) -> Tensor:
    """Grows images on the right and below until H and W are multiples of a number, with 0.

    Args:
        images: B x C x H x W.
        multiple: As of the patches of a transformer.
    """
    # As -side % multiple, but in numbers that are never below 0: exporters follow them for sizes not known yet.
    right, below = ((multiple - 1) * side % multiple for side in (images.shape[-1], images.shape[-2]))
    return F.pad(images, (0, right, 0, below)) if exporting() or right or below else images


def bicubic(maps: Tensor, size: tuple[int, int], antialias: bool) -> Tensor:
    """Maps of another size, as ``F.interpolate(mode="bicubic")`` makes them.

    Args:
        maps: B x C x h x w; h and w are known to an exporter.
        size: Height and width of the result.
        antialias: Whether a smaller map takes the mean of what it leaves out.
    """
    if antialias or not exporting():
        return F.interpolate(maps, size, mode="bicubic", antialias=antialias)
    # An exporter takes this step apart, and then compares sizes of which it can prove nothing.
    rows, columns = (_cubic_shares(*sides, maps) for sides in zip(size, maps.shape[-2:], strict=True))
    flat = maps.flatten(0, 1)  # BC x h x w
    flat = torch.bmm(rows.expand(len(flat), -1, -1), flat)
    return torch.bmm(flat, columns.T.expand(len(flat), -1, -1)).unflatten(0, maps.shape[:2])


def _cubic_shares(size: int, source: int, like: Tensor) -> Tensor:
    """What each of ``source`` pixels gives to each of ``size``, one row per result (Keys 1981, with a = -0.75)."""
    a = -0.75
    places = (torch.arange(size, device=like.device, dtype=like.dtype) + 0.5) * source / size - 0.5
    before = places.floor()
    sources = torch.arange(source, device=like.device, dtype=like.dtype)
    shares = torch.zeros(size, source, device=like.device, dtype=like.dtype)
    for step in (-1, 0, 1, 2):
        distance = (places - before - step).abs()
        near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
        far = a * (((distance - 5) * distance + 8) * distance - 4)
        weight = near if step in (0, 1) else far
        neighbor = (before + step).clamp(0, source - 1)  # beyond the border, its last pixel again
        shares = shares + weight[:, None] * (neighbor[:, None] == sources)
    return shares


def smaller(one: int, other: int) -> int:
    """The smaller of two sizes, without asking which of them it is."""
    return torch.sym_min(one, other)  # type: ignore[return-value]


def larger(one: int, other: int) -> int:
    """The larger of two sizes, without asking which of them it is."""
    return torch.sym_max(one, other)  # type: ignore[return-value]


class RoundingUpMaxPool2d(nn.MaxPool2d):
    """Max-pooling that loses no row and no column at the end: its maps are rounded up, as Caffe does.

    >>> RoundingUpMaxPool2d(2, stride=2)(torch.ones(1, 1, 5, 6)).shape
    torch.Size([1, 1, 3, 3])
    """

    kernel_size: int
    stride: int
    padding: int

    def __init__(self, kernel_size: int, stride: int, padding: int = 0) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode=True)
        if padding + stride > kernel_size:
            raise ValueError(
                f"windows of {kernel_size} with a stride of {stride} and a padding of {padding} may lie beyond the map"
            )

    def forward(self, features: Tensor) -> Tensor:
        """B x C x h x w, to a ``stride``-th of it."""
        if not exporting():
            return super().forward(features)
        # As many rows and columns as a last window may lack, of what is never the largest value.
        features = F.pad(features, (0, self.stride - 1, 0, self.stride - 1), value=-torch.inf)
        return F.max_pool2d(features, self.kernel_size, self.stride, self.padding)
