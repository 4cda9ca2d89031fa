"""Where a region of a feature map is read: RoIAlign between its positions, RoIPool at rounded ones.

Position (row, column) of a map has its center at (x, y) = (column, row). It stands for the pixels of the image around
``stride * (column + 0.5)``, so that a pixel coordinate x lies at ``x / stride - 0.5`` in the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from segtutor.metrics.arrays import to_numpy

_BOX, _BINS = "#D55E00", "#0072B2"


def roi_sample_points(box: Sequence[float], stride: float, bins: int = 7, ratio: int = 2) -> np.ndarray:
    """The points that RoIAlign interpolates (Mask R-CNN §3, figure 3), with the half-pixel correction.

    Points outside the map are moved to its border; those more than one position outside count as 0.

    Args:
        box: x0, y0, x1, y1 in pixels of the image.
        stride: Pixels per position of the map.
        bins: Along each side of the region.
        ratio: Points along each side of a bin.

    Returns:
        (bins ratio) x (bins ratio) x 2, float64: x and y in positions of the map, row by row.

    Raises:
        ValueError: If the box is empty or a number is not positive.

    >>> roi_sample_points((0, 0, 8, 8), stride=4, bins=1)[0]
    array([[0., 0.],
           [1., 0.]])
    """
    x0, y0, x1, y1 = _corners(box, stride, bins)
    if ratio < 1:
        raise ValueError(f"ratio must be a whole number of at least 1, as 2 in the paper, but {ratio!r} came")
    places = (np.arange(bins * ratio) + 0.5) / (bins * ratio)
    x, y = x0 + (x1 - x0) * places, y0 + (y1 - y0) * places
    return np.stack(np.meshgrid(x, y), axis=-1)


def roi_pool_bins(box: Sequence[float], stride: float, size: tuple[int, int], bins: int = 7) -> np.ndarray:
    """The positions over which RoIPool takes its maxima (Fast R-CNN §2.1): the region and its bins are rounded.

    Args:
        box: x0, y0, x1, y1 in pixels of the image.
        stride: Pixels per position of the map.
        size: h and w of the map.
        bins: Along each side of the region.

    Returns:
        bins x bins x 4, int64: x0, y0, x1, y1 of each bin, the ends excluded. Bins share positions where the division
        is not whole; outside the map they are empty.

    Raises:
        ValueError: If the box is empty or a number is not positive.

    >>> roi_pool_bins((20, 20, 50, 50), stride=16, size=(8, 8), bins=2).tolist()
    [[[1, 1, 3, 3], [2, 1, 4, 3]], [[1, 2, 3, 4], [2, 2, 4, 4]]]
    """
    _corners(box, stride, bins)
    # Single precision and rounding away from zero, as the kernel of torchvision does.
    corners = np.asarray(box, dtype=np.float32) * np.float32(1 / stride)
    first_x, first_y, last_x, last_y = (np.sign(corners) * np.floor(np.abs(corners) + 0.5)).astype(np.int64)
    edges = []
    for first, last, limit in ((first_x, last_x, size[1]), (first_y, last_y, size[0])):
        step = np.float32(max(last - first + 1, 1)) / np.float32(bins)
        start = first + np.floor(np.arange(bins, dtype=np.float32) * step).astype(np.int64)
        end = first + np.ceil(np.arange(1, bins + 1, dtype=np.float32) * step).astype(np.int64)
        edges.append((start.clip(0, limit), end.clip(0, limit)))
    (x0, x1), (y0, y1) = edges
    grid = [np.broadcast_to(side, (bins, bins)) for side in (x0, y0[:, None], x1, y1[:, None])]
    return np.stack(grid, axis=-1)


def show_roi_samples(
    values: Any,
    box: Sequence[float],
    stride: float,
    *,
    bins: int = 7,
    ratio: int = 2,
    pooling: Literal["align", "pool"] = "align",
    ax: Axes | None = None,
) -> Axes:
    """Draws one channel of a feature map, a box where it truly lies, and where the map is read.

    With "align" the bins divide the box, with the sample points in them. With "pool" the bins are those whole positions
    that are left of the box after rounding; each is drawn a little smaller, and shared positions are
    darker.

    Args:
        values: h x w, one channel.
        box: x0, y0, x1, y1 in pixels of the image.
        stride: Pixels per position of the map.
        bins: Along each side of the region.
        ratio: Points along each side of a bin; of no meaning for "pool".
        pooling: "align" or "pool".
        ax: Where to draw; a new figure if None.

    Returns:
        The axes; position (row, column) has its center at (column, row).

    Raises:
        ValueError: If the map is not h x w, the box is empty, or a number or the pooling is not allowed.
    """
    features = to_numpy(values)
    if features.ndim != 2 or not features.size:
        raise ValueError(f"values must be one channel h x w, but its shape is {features.shape}; take features[0, 0]")
    if pooling not in ("align", "pool"):
        raise ValueError(f"pooling must be 'align' or 'pool', but {pooling!r} came")
    x0, y0, x1, y1 = _corners(box, stride, bins)
    h, w = features.shape
    if ax is None:
        width = min(8.0, max(4.0, 0.4 * w))
        _, ax = plt.subplots(figsize=(width, min(8.0, width * h / w) + 0.4), layout="constrained")
    ax.imshow(features, cmap="gray", interpolation="nearest")
    ax.hlines(np.arange(h + 1) - 0.5, -0.5, w - 0.5, color="0.5", linewidth=0.5)
    ax.vlines(np.arange(w + 1) - 0.5, -0.5, h - 0.5, color="0.5", linewidth=0.5)
    if pooling == "align":
        ax.vlines(np.linspace(x0, x1, bins + 1)[1:-1], y0, y1, color=_BINS, linewidth=1.2)
        ax.hlines(np.linspace(y0, y1, bins + 1)[1:-1], x0, x1, color=_BINS, linewidth=1.2)
        points = roi_sample_points(box, stride, bins, ratio).reshape(-1, 2)
        ax.scatter(
            points[:, 0],
            points[:, 1],
            s=16,
            color="#F0E442",
            edgecolor="black",
            linewidth=0.5,
            zorder=3,
            label="sample points",
        )
    else:
        _draw_rounded_bins(ax, roi_pool_bins(box, stride, (h, w), bins).reshape(-1, 4))
    outline: dict[str, Any] = {"fill": False, "edgecolor": _BOX, "linewidth": 2.0, "zorder": 4}
    ax.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, label="box", **outline))
    ax.set(xlim=(min(-0.5, x0) - 0.1, max(w - 0.5, x1) + 0.1), ylim=(max(h - 0.5, y1) + 0.1, min(-0.5, y0) - 0.1))
    ax.set_axis_off()
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, frameon=False)
    return ax


def _draw_rounded_bins(ax: Axes, rounded: np.ndarray) -> None:
    """Outlines of the bins, each a fifth of a position smaller; the empty ones are left out."""
    drawn = [(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in rounded.tolist() if x1 > x0 and y1 > y0]
    for number, (x, y, width, height) in enumerate(drawn):
        label = "bins, rounded to positions" if number == 0 else None
        corner, size = (x - 0.4, y - 0.4), (width - 0.2, height - 0.2)
        style: dict[str, Any] = {"facecolor": (*to_rgb(_BINS), 0.2), "edgecolor": _BINS, "linewidth": 1.5, "zorder": 3}
        ax.add_patch(Rectangle(corner, *size, label=label, **style))


def _corners(box: Sequence[float], stride: float, bins: int) -> tuple[float, float, float, float]:
    """The box in positions of the map."""
    pixels = np.asarray(to_numpy(box), dtype=np.float64)
    if pixels.shape != (4,) or not np.isfinite(pixels).all() or (pixels[2:] <= pixels[:2]).any():
        raise ValueError(f"box must be x0, y0, x1, y1 in pixels with x0 < x1 and y0 < y1, but {pixels.tolist()} came")
    if stride <= 0 or bins < 1:
        raise ValueError(f"stride must be positive and bins at least 1, but {stride!r} and {bins!r} came")
    x0, y0, x1, y1 = (pixels / stride - 0.5).tolist()
    return x0, y0, x1, y1
