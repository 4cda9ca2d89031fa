"""What an atrous convolution reads: along a line with every number, and on a picture for several rates at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from segtutor.plotting.overlays import as_picture
from segtutor.plotting.style import COLORS

_READ, _PLAIN, _WEIGHT, _RESULT = "#9AD0F3", "#F3F3F3", "#F5D08A", "#A6DCC9"
_TAP_COLORS = ("#F0E442", "#E69F00", "#D55E00", "#CC79A7")  # light enough for dark pictures
_NAMES = ("input", "kernel", "output")
_ROW = 1.7  # from one row of cells to the next, in cells


def atrous_line(signal: Any, kernel: Any, rate: int) -> np.ndarray:
    """The atrous convolution of a line, ``y[i] = sum_k w[k] x[i + rate * k]`` with k from the kernel's middle.

    Args:
        signal: n numbers; beyond its ends zeros are read.
        kernel: An odd number of weights.
        rate: At least 1.

    Returns:
        n numbers.

    Raises:
        ValueError: If the kernel has no middle or the rate is below 1.

    >>> atrous_line([1, 2, 4, 8, 16], [1, 1, 1], rate=2).tolist()
    [5.0, 10.0, 21.0, 10.0, 20.0]
    """
    values, weights = np.asarray(signal, dtype=float), np.asarray(kernel, dtype=float)
    if values.ndim != 1 or weights.ndim != 1 or len(weights) % 2 == 0 or rate < 1:
        raise ValueError(
            f"signal and kernel must be lines, the kernel odd and the rate at least 1, but their shapes are "
            f"{values.shape} and {weights.shape}, and the rate is {rate!r}"
        )
    reach = rate * (len(weights) // 2)
    padded = np.pad(values, reach)
    return np.sum([weight * padded[k * rate : k * rate + len(values)] for k, weight in enumerate(weights)], axis=0)


def show_atrous_line(signal: Any, kernel: Any, rate: int, position: int, *, ax: Axes | None = None) -> Axes:
    """Draws input, kernel and output of an atrous convolution as cells, with what one output reads in color.

    Args:
        signal: n whole numbers.
        kernel: An odd number of whole weights.
        rate: At least 1; between the weights stand rate - 1 zeros.
        position: Of the output whose inputs are marked; all of them must lie on the line.
        ax: Where to draw; a new figure if None.

    Raises:
        ValueError: If an argument has another form, or the output at ``position`` reads beyond the line.
    """
    values, weights = np.asarray(signal), np.asarray(kernel)
    output = atrous_line(values, weights, rate)
    half = rate * (len(weights) // 2)
    if not half <= position < len(values) - half:
        raise ValueError(
            f"the output at {position} reads from {position - half} to {position + half}, but the line goes from 0 to "
            f"{len(values) - 1}"
        )
    read = [position + rate * (k - len(weights) // 2) for k in range(len(weights))]
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 3))
    for place, (value, result) in enumerate(zip(values, output, strict=True)):
        _cell(ax, place, 0, value, _READ if place in read else _PLAIN)
        _cell(ax, place, 2, result, _RESULT if place == position else _PLAIN)
    for place in range(position - half, position + half + 1):
        weight = weights[read.index(place)] if place in read else 0
        _cell(ax, place, 1, weight, _WEIGHT if place in read else _PLAIN)
        if place in read:
            for row, target in ((0, place), (1, position)):
                start, end = row * _ROW + 1, (row + 1) * _ROW
                ax.plot([place + 0.5, target + 0.5], [start, end], color="#777777", linewidth=1.2, zorder=0)
    for row, name in enumerate(_NAMES):
        ax.text(-0.4, row * _ROW + 0.5, name, ha="right", va="center")
    ax.set(xlim=(-2.2, len(values) + 0.2), ylim=(2 * _ROW + 1.2, -0.2), aspect="equal")
    ax.set_axis_off()
    return ax


def show_taps(
    image: Any, place: tuple[float, float], rates: Sequence[int], stride: int, *, ax: Axes | None = None
) -> Axes:
    """Draws over a picture the nine places that 3 x 3 kernels of several rates read from a map of a stride.

    Args:
        image: 3 x H x W or H x W x 3.
        place: Row and column in the picture of the kernels' middle.
        rates: Up to four; each gets a color and a square around its nine places.
        stride: Of the map; a rate of r on it is stride * r pixels of the picture.
        ax: Where to draw; a new figure if None.

    Raises:
        ValueError: If there are no rates or more than four.
    """
    if not 1 <= len(rates) <= len(_TAP_COLORS):
        raise ValueError(f"show_taps draws one to {len(_TAP_COLORS)} rates, but {len(rates)} came")
    picture = as_picture(image)
    if ax is None:
        _, ax = plt.subplots(figsize=(5, 5))
    ax.imshow(picture)
    row, column = place
    for rate, color in zip(rates, _TAP_COLORS, strict=False):
        step = stride * rate
        steps = np.array([-step, 0, step])
        rows, columns = (one.ravel() for one in np.meshgrid(row + steps, column + steps, indexing="ij"))
        ax.add_patch(
            Rectangle((column - step, row - step), 2 * step, 2 * step, fill=False, edgecolor=color, linewidth=1.2)
        )
        ax.plot(columns, rows, "o", color=color, markersize=7, markeredgecolor="black", label=f"rate {rate}")
    ax.plot(column, row, "o", color="white", markersize=8, markeredgecolor=COLORS["black"])
    ax.set(xlim=(-0.5, picture.shape[1] - 0.5), ylim=(picture.shape[0] - 0.5, -0.5))
    ax.set_axis_off()
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def _cell(ax: Axes, place: int, row: int, value: float, color: str) -> None:
    ax.add_patch(Rectangle((place, row * _ROW), 1, 1, facecolor=color, edgecolor="white", linewidth=2))
    text = f"{value:g}".replace("-", "\u2212")
    ax.text(place + 0.5, row * _ROW + 0.53, text, ha="center", va="center", fontsize=11)
