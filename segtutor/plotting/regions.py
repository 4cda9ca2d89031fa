"""A box that a slider drags over a feature map, pooled by RoIPool and by RoIAlign side by side, without a kernel.

Everything is computed and drawn here, step by step, as SVG. A map of h w positions, n x n bins.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from segtutor.metrics.arrays import to_numpy
from segtutor.plotting.roi_sampling import roi_pool_bins, roi_sample_points
from segtutor.plotting.steps import stepped_page

_CELL, _OUT, _GAP, _TOP = 30, 46, 36, 26  # in SVG units: a position, a number, the room between, a line of text
_STYLE = """\
.segtutor-regions svg text {font: 13px system-ui,sans-serif; fill: #000}
.segtutor-regions svg .title {fill: currentColor}
.segtutor-regions .grid {stroke: #777; stroke-width: .5}
.segtutor-regions .bins {fill: #0072B2; fill-opacity: .25; stroke: #0072B2; stroke-width: 1.5}
.segtutor-regions .box {fill: none; stroke: #D55E00; stroke-width: 2.5}
.segtutor-regions .points {stroke: #F0E442; stroke-width: 5; stroke-linecap: round}
.segtutor-regions .edge {stroke: #000; stroke-width: 6.5; stroke-linecap: round}
.segtutor-regions .number {fill: #F3F3F3; stroke: #000; stroke-width: .8}
.segtutor-regions .changed {fill: #F5B84B}
"""


@dataclass(frozen=True, eq=False)
class MovableRegion:
    """What a notebook shows as the figure with the slider.

    Attributes:
        pooled: n x n, for each step that of RoIPool.
        aligned: n x n, for each step that of RoIAlign.
        html: The whole figure, to be put into any page.
    """

    pooled: list[np.ndarray]
    aligned: list[np.ndarray]
    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Movable region of {len(self.pooled)} places"


def movable_region(values: Any, box: Sequence[float], shifts: Sequence[float], stride: float, bins: int = 3) -> Any:
    """A figure with a slider that moves a box to the right and shows what both ways of pooling read and give.

    Args:
        values: h x w, one channel of a map.
        box: x0, y0, x1, y1 in pixels of the picture, where the slider begins.
        shifts: Pixels to the right, one per step.
        stride: Pixels per position of the map.
        bins: n, along each side.

    Raises:
        ValueError: If the map is not h x w, there is no step, or the box leaves the map on its way.
    """
    features = to_numpy(values).astype(np.float64)
    if features.ndim != 2 or not len(shifts):
        raise ValueError(f"a map h x w and at least one shift are needed, but {features.shape} and {shifts!r} came")
    boxes = [np.asarray(box, dtype=np.float64) + np.array([shift, 0, shift, 0]) for shift in shifts]
    limits = stride * np.array(features.shape[::-1])
    if min(one[:2].min() for one in boxes) < 0 or any((one[2:] > limits).any() for one in boxes):
        raise ValueError(f"the box must stay on the map of {limits.tolist()} pixels, but {list(box)} moves off it")
    pooled, aligned, frames = [], [], []
    for shift, one in zip(shifts, boxes, strict=True):
        pooled.append(region_maxima(features, one, stride, bins))
        aligned.append(region_means(features, one, stride, bins))
        before = max(len(pooled) - 2, 0)
        moved = [~np.isclose(now[-1], now[before]) for now in (pooled, aligned)]
        says = f"The box has moved {shift:g} pixels, {shift / stride:.2f} of a position. " + (
            f"At this step {_count(moved[0])} of RoIPool's and {_count(moved[1])} of RoIAlign's {bins * bins} "
            "numbers changed (orange)."
            if len(pooled) > 1
            else "Move the slider: what changes is marked."
        )
        frames.append(f"{_frame(features, one, stride, (pooled[-1], aligned[-1]), moved)}<p>{says}</p>")
    names = [f"{shift:g} pixels" for shift in shifts]
    page = stepped_page(frames, "Moved to the right by", names, kind="regions", style=_STYLE)
    return MovableRegion(pooled, aligned, page)


def region_maxima(features: np.ndarray, box: Sequence[float] | np.ndarray, stride: float, bins: int) -> np.ndarray:
    """RoIPool of one channel: the largest value of each rounded bin, 0 of an empty one.

    >>> region_maxima(np.arange(16.0).reshape(4, 4), (4, 4, 11, 11), stride=4, bins=1)
    array([[15.]])
    """
    size = (features.shape[0], features.shape[1])
    parts = roi_pool_bins(list(box), stride, size, bins).reshape(-1, 4)
    found = [features[y0:y1, x0:x1].max(initial=-np.inf) for x0, y0, x1, y1 in parts]
    return np.where(np.isfinite(found), found, 0.0).reshape(bins, bins)


def region_means(features: np.ndarray, box: Sequence[float] | np.ndarray, stride: float, bins: int) -> np.ndarray:
    """RoIAlign of one channel: the mean of 2 x 2 interpolated points of each bin; for boxes on the map.

    >>> region_means(np.arange(25.0).reshape(5, 5), (1, 1, 3, 3), stride=1, bins=2)  # the ramp 5 i + j
    array([[ 6.,  7.],
           [11., 12.]])
    """
    points = roi_sample_points(list(box), stride, bins)
    h, w = features.shape
    x, y = points[..., 0].clip(0, w - 1), points[..., 1].clip(0, h - 1)
    j, i = np.minimum(x.astype(int), max(w - 2, 0)), np.minimum(y.astype(int), max(h - 2, 0))
    right, below = np.minimum(j + 1, w - 1), np.minimum(i + 1, h - 1)
    u, v = x - j, y - i
    upper = (1 - u) * features[i, j] + u * features[i, right]
    lower = (1 - u) * features[below, j] + u * features[below, right]
    sampled = (1 - v) * upper + v * lower
    return sampled.reshape(bins, 2, bins, 2).mean(axis=(1, 3))


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "\u2212")


def _count(changed: np.ndarray) -> str:
    return str(int(changed.sum())) if changed.any() else "none"


def _frame(
    features: np.ndarray,
    box: np.ndarray,
    stride: float,
    results: tuple[np.ndarray, np.ndarray],
    changed: Sequence[np.ndarray],
) -> str:
    """Map and result of RoIPool, map and result of RoIAlign."""
    (h, w), bins = features.shape, len(results[0])
    height, panel = h * _CELL + _TOP, w * _CELL + _GAP + bins * _OUT
    parts = []
    for number, title in enumerate(("RoIPool", "RoIAlign")):
        left = number * (panel + 1.5 * _GAP)
        reads = _bins(box, stride, (h, w), bins) if number == 0 else _points(box, stride, bins)
        x0, y0, x1, y1 = box * _CELL / stride
        lines = "".join(f"M{x * _CELL} 0v{h * _CELL}" for x in range(w + 1))
        lines += "".join(f"M0 {y * _CELL}h{w * _CELL}" for y in range(h + 1))
        parts.append(
            f'<g transform="translate({left:g} {_TOP})"><text class="title" x="0" y="-8">{title}</text>'
            f'<image width="{w * _CELL}" height="{h * _CELL}" preserveAspectRatio="none" '
            f'style="image-rendering: pixelated" href="data:image/png;base64,{_png(features)}"/>'
            f'<path class="grid" d="{lines}"/>{reads}'
            f'<rect class="box" x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}"/></g>'
        )
        across = left + w * _CELL + _GAP
        down = _TOP + (h * _CELL - bins * _OUT) / 2
        parts.append(f'<text class="title" x="{across - _GAP / 2:g}" y="{down + bins * _OUT / 2 + 5:g}" '
                     'text-anchor="middle">→</text>')  # fmt: skip
        for (row, column), value in np.ndenumerate(results[number]):
            x, y = across + column * _OUT, down + row * _OUT
            kind = "number changed" if changed[number][row, column] else "number"
            parts.append(
                f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{_OUT}" height="{_OUT}"/>'
                f'<text x="{x + _OUT / 2:g}" y="{y + _OUT / 2 + 5:g}" text-anchor="middle">{_signed(value)}</text>'
            )
    width = 2 * panel + 1.5 * _GAP
    return (
        f'<svg viewBox="-2 0 {width + 4:g} {height + 3}" width="{width + 4:g}" role="img" aria-label="A map with the '
        f"box, its bins and the {bins} by {bins} numbers, for RoIPool on the left and RoIAlign on the right; the "
        f'sentence below says what changed">{"".join(parts)}</svg>'
    )


def _bins(box: np.ndarray, stride: float, size: tuple[int, int], bins: int) -> str:
    """The bins of RoIPool, each a little smaller, so that shared positions are seen."""
    parts = roi_pool_bins(box.tolist(), stride, size, bins).reshape(-1, 4) * _CELL
    return "".join(
        f'<rect class="bins" x="{x0 + 3}" y="{y0 + 3}" width="{x1 - x0 - 6}" height="{y1 - y0 - 6}"/>'
        for x0, y0, x1, y1 in parts.tolist()
        if x1 > x0 and y1 > y0
    )


def _points(box: np.ndarray, stride: float, bins: int) -> str:
    """The bins of RoIAlign as lines, and its points."""
    x0, y0, x1, y1 = box * _CELL / stride
    inner = "".join(f"M{x:.1f} {y0:.1f}V{y1:.1f}" for x in np.linspace(x0, x1, bins + 1)[1:-1])
    inner += "".join(f"M{x0:.1f} {y:.1f}H{x1:.1f}" for y in np.linspace(y0, y1, bins + 1)[1:-1])
    points = (roi_sample_points(box.tolist(), stride, bins).reshape(-1, 2) + 0.5) * _CELL
    dots = "".join(f"M{x:.1f} {y:.1f}h.01" for x, y in points)
    return f'<path class="bins" d="{inner}"/><path class="edge" d="{dots}"/><path class="points" d="{dots}"/>'


def _png(features: np.ndarray) -> str:
    """The map in gray, a pixel per position, light enough that black and blue are seen on it."""
    spread = float(np.ptp(features)) or 1.0
    gray = 70 + 185 * (features - features.min()) / spread
    encoded = io.BytesIO()
    Image.fromarray(np.round(gray).astype(np.uint8)).save(encoded, "PNG", optimize=True)
    return base64.b64encode(encoded.getvalue()).decode("ascii")
