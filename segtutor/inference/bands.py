"""The mean over the views of a picture, a band of rows at a time: with windows, memory does not grow with the height.

    view --> windows, from the top --> rows that no further window covers --> the picture's size --> mean --> band

K maps of a large picture are the largest thing there is: 33 classes of 12 megapixels take 1.6 GB. With windows, nothing
larger is ever held than one row of windows of each view.

Shapes: K classes, H W the picture, h w one view of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

BAND = 64  # rows of the result that are computed at once

Network = Callable[[Tensor], Tensor]  # 1 x 3 x h x w to probabilities 1 x K x h x w


def mean_bands(
    network: Network,
    picture: Tensor,
    window: tuple[int, int] | None,
    overlap: float,
    scales: Sequence[float],
    flip: bool,
) -> Iterator[Tensor]:
    """The mean over all views, from the top: K x rows x W each time; one band where nothing is cut or resized.

    Args:
        network: Gives probabilities of any view.
        picture: 1 x 3 x H x W, normalized.
        window: Height and width, or None.
        overlap: Share of a window in common with the next.
        scales: Of the views, relative to the picture.
        flip: Whether each view is also shown mirrored.
    """
    height, width = picture.shape[-2:]
    views = [(scale, mirrored) for scale in scales for mirrored in ((False, True) if flip else (False,))]
    if window is None and all(scale == 1 for scale in scales):
        mean: Tensor | None = None
        for scale, mirrored in views:
            probabilities = network(_view(picture, scale, mirrored))
            probabilities = probabilities.flip(-1) if mirrored else probabilities
            mean = probabilities if mean is None else mean.add_(probabilities)
            del probabilities
        assert mean is not None
        yield (mean if len(views) == 1 else mean.div_(len(views)))[0]
        return
    # Without windows, each view is seen at once; only what is brought to the picture's size comes in bands.
    sides = window or (10**9, 10**9)
    sources = [
        _RowsOfView(finished_rows(network, _view(picture, *one), sides, overlap), one, (height, width)) for one in views
    ]
    for top in range(0, height, BAND):
        parts = (source.rows(top, min(height, top + BAND)) for source in sources)
        total = next(parts).clone()
        for part in parts:
            total += part
        yield (total / len(views))[0]


def _view(picture: Tensor, scale: float, mirrored: bool) -> Tensor:
    size = (max(1, round(picture.shape[-2] * scale)), max(1, round(picture.shape[-1] * scale)))
    view = resize(picture, size)
    return view.flip(-1) if mirrored else view


def finished_rows(network: Network, view: Tensor, window: tuple[int, int], overlap: float) -> Iterator[Tensor]:
    """Probabilities 1 x K x rows x w of a view 1 x 3 x h x w, from the top: the mean over the windows on each pixel."""
    height, width = view.shape[-2:]
    tops, lefts = (window_starts(length, side, overlap) for length, side in zip((height, width), window, strict=True))
    rows, columns = min(window[0], height), min(window[1], width)
    counts = view.new_zeros(1, 1, rows, width)
    total: Tensor | None = None  # of the rows from the top of the present windows
    for number, top in enumerate(tops):
        for left in lefts:
            part = (..., slice(left, left + columns))
            probabilities = network(view[..., top : top + rows, left : left + columns])
            if total is None:
                total = probabilities.new_zeros(1, probabilities.shape[1], rows, width)
            total[part] += probabilities
            counts[part] += 1
        assert total is not None
        done = (tops[number + 1] if number + 1 < len(tops) else height) - top
        yield total[:, :, :done] / counts[:, :, :done]
        for sums in (total, counts):
            sums[:, :, : rows - done] = sums[:, :, done:].clone()
            sums[:, :, rows - done :] = 0


def window_starts(length: int, window: int, overlap: float) -> list[int]:
    """First pixels of the windows along one side. The last is shifted back so as to end with the picture.

    >>> window_starts(length=10, window=4, overlap=0.25)
    [0, 3, 6]
    >>> window_starts(length=9, window=4, overlap=0.25)
    [0, 3, 5]
    >>> window_starts(length=3, window=4, overlap=0.25)
    [0]
    """
    stride = max(1, round(window * (1 - overlap)))
    last = max(0, length - window)
    return [*range(0, last, stride), last]


class _RowsOfView:
    """Rows of the result from one view, asked for from the top; keeps no more of the view than they need."""

    def __init__(self, source: Iterator[Tensor], view: tuple[float, bool], size: tuple[int, int]) -> None:
        self.source, self.size = source, size
        self.scale, self.mirrored = view
        self.first, self.kept = 0, torch.empty(0)  # kept: 1 x K x some rows from the first on x w
        self.shares: Tensor | None = None  # of each row of the view in each of the result: H x h

    def rows(self, top: int, bottom: int) -> Tensor:
        """1 x K x (bottom - top) x W."""
        start, end = top, bottom
        height, view_height = self.size[0], max(1, round(self.size[0] * self.scale))
        if view_height != height:
            if self.shares is None:
                every = torch.eye(view_height)[None, None]
                self.shares = resize(every, (height, view_height))[0, 0]
            used = self.shares[top:bottom].any(dim=0).nonzero()
            start, end = int(used[0]), int(used[-1]) + 1
        self._fetch(start, end)
        part = self.kept[:, :, start - self.first : end - self.first]
        if self.mirrored:
            part = part.flip(-1)
        if self.shares is not None:
            part = self.shares[top:bottom, start:end].to(part) @ part
        if part.shape[-1] != self.size[1]:
            shrinks = self.size[1] < part.shape[-1]
            part = F.interpolate(part, (bottom - top, self.size[1]), mode="bilinear", antialias=shrinks)
        return part

    def _fetch(self, start: int, end: int) -> None:
        """Sees to it that the rows from ``start`` to before ``end`` are kept, and none above."""
        if self.kept.numel():
            self.kept, self.first = self.kept[:, :, max(0, start - self.first) :], max(start, self.first)
        pieces, there = [self.kept] if self.kept.numel() else [], self.kept.shape[2] if self.kept.numel() else 0
        while self.first + there < end:
            pieces.append(next(self.source))
            there += pieces[-1].shape[2]
        self.kept = torch.cat(pieces, dim=2) if len(pieces) > 1 else pieces[0]


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, without artifacts where it shrinks; itself if nothing changes."""
    if images.shape[-2:] == size:
        return images
    shrinks = size[0] < images.shape[-2]
    return F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=shrinks)
