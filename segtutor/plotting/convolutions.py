"""Convolutions one can count out: transposed, dilated, and the pyramid's means, with every number computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch.nn import functional as F

from segtutor.metrics.arrays import to_numpy
from segtutor.plotting.architecture import inches_per_unit
from segtutor.plotting.overlays import as_picture

_TITLE = 10  # points
_CELL = 0.4  # side of a cell in inches, at which the text has its full size
_VALUE, _ZERO, _KERNEL, _WINDOW = "#9AD0F3", "#F3F3F3", "#F5D08A", "#D55E00"


class TransposedConvolution(NamedTuple):
    """Steps of a transposed convolution, done as an ordinary one.

    Attributes:
        stuffed: The input with stride - 1 zeros between its values.
        padded: That, with kernel - 1 - padding zeros around it.
        turned_kernel: The kernel, turned by 180 degrees.
        output: ``padded`` convolved with ``turned_kernel``: stride (n - 1) + kernel - 2 padding values along a side.
    """

    stuffed: np.ndarray
    padded: np.ndarray
    turned_kernel: np.ndarray
    output: np.ndarray


def transposed_convolution(values: Any, kernel: Any, stride: int = 2, padding: int = 0) -> TransposedConvolution:
    """A transposed convolution step by step.

    Args:
        values: n x m.
        kernel: k x l.
        stride: How much it enlarges.
        padding: Rows and columns that are cut from each side of the output; at most the kernel's side - 1.

    Raises:
        ValueError: If an argument has another form.

    >>> transposed_convolution([[1, 2]], [[1, 1, 1]], stride=2).output
    array([[1., 1., 3., 2., 2.]])
    """
    inputs, weights = (_matrix(array, name) for array, name in ((values, "values"), (kernel, "kernel")))
    if stride < 1 or not 0 <= padding < min(weights.shape):
        raise ValueError(
            f"stride must be at least 1 and padding in 0...{min(weights.shape) - 1} for a kernel of {weights.shape}, "
            f"but {stride} and {padding} came"
        )
    stuffed = np.zeros([stride * (side - 1) + 1 for side in inputs.shape])
    stuffed[::stride, ::stride] = inputs
    padded = np.pad(stuffed, [(side - 1 - padding,) * 2 for side in weights.shape])
    turned = weights[::-1, ::-1].copy()
    windows = np.lib.stride_tricks.sliding_window_view(padded, turned.shape)
    return TransposedConvolution(stuffed, padded, turned, (windows * turned).sum(axis=(2, 3)))


def show_transposed_convolution(
    values: Any,
    kernel: Any,
    stride: int = 2,
    padding: int = 0,
    *,
    highlight: tuple[int, int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draws the steps of a transposed convolution with their numbers: input, zeros, turned kernel, output.

    Args:
        values: n x m.
        kernel: k x l.
        stride: How much it enlarges.
        padding: As in `transposed_convolution`.
        highlight: Row and column of the output value whose window is framed; None frames nothing.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes.

    Raises:
        ValueError: If an argument has another form, or the framed value is outside the output.
    """
    steps = transposed_convolution(values, kernel, stride, padding)
    inputs = _matrix(values, "values")
    if highlight is not None and not all(
        0 <= at < side for at, side in zip(highlight, steps.output.shape, strict=True)
    ):
        raise ValueError(f"highlight must lie in the output of {steps.output.shape}, but {highlight} came")
    at_input = np.zeros(steps.stuffed.shape, dtype=bool)
    at_input[::stride, ::stride] = True
    at_input = np.pad(at_input, [(side - 1 - padding,) * 2 for side in steps.turned_kernel.shape])
    panels = [
        ("input", inputs, np.full(inputs.shape, _VALUE)),
        ("with zeros between and around", steps.padded, np.where(at_input, _VALUE, _ZERO)),
        ("kernel, turned by 180°", steps.turned_kernel, np.full(steps.turned_kernel.shape, _KERNEL)),
        ("output", steps.output, np.full(steps.output.shape, _VALUE)),
    ]
    joints = ("→", "∗", "=")
    height = max(array.shape[0] for _, array, _ in panels)
    gap = 1.6
    width = sum(array.shape[1] for _, array, _ in panels) + gap * len(joints)
    ax = _canvas(ax, width, height, margin=0.5, header=1.3)
    x, font = 0.0, _font(ax)
    for index, (title, array, colors) in enumerate(panels):
        y = (height - array.shape[0]) / 2
        _grid(ax, x, y, colors, array)
        rows, columns = array.shape
        ax.text(x + columns / 2, y - 0.25, _wrap(title, columns), ha="center", va="bottom", fontsize=font)
        ax.text(x + columns / 2, y + rows + 0.2, f"{rows} × {columns}", ha="center", va="top", fontsize=font)
        if highlight is not None and index in (1, 3):
            frame = steps.turned_kernel.shape if index == 1 else (1, 1)
            place = (x + highlight[1], y + highlight[0])
            ax.add_patch(Rectangle(place, frame[1], frame[0], fill=False, edgecolor=_WINDOW, linewidth=3, zorder=3))
        x += columns
        if index < len(joints):
            ax.text(x + gap / 2, height / 2, joints[index], ha="center", va="center", fontsize=1.8 * font)
            x += gap
    return ax


def dilated_positions(kernel: int, rate: int) -> list[tuple[int, int]]:
    """Row and column, from the center, of the pixels that a dilated kernel reads.

    >>> dilated_positions(3, 2)[:3]
    [(-2, -2), (-2, 0), (-2, 2)]
    """
    if kernel < 1 or kernel % 2 == 0 or rate < 1:
        raise ValueError(f"kernel must be odd and rate at least 1, but {kernel} and {rate} came")
    steps = [rate * (index - kernel // 2) for index in range(kernel)]
    return [(row, column) for row in steps for column in steps]


def show_dilation(rates: Sequence[int] = (1, 2, 4), kernel: int = 3, *, ax: Axes | None = None) -> Axes:
    """Draws which pixels a kernel touches at several rates: as many weights, a wider field.

    Args:
        rates: One drawing each.
        kernel: Odd side of the kernel.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes.

    Raises:
        ValueError: If there is no rate, or kernel or rate are malformed.
    """
    if not rates:
        raise ValueError("rates must hold at least one rate, as (1, 2, 4), but it is empty")
    side = (kernel - 1) * max(rates) + 1
    gap = 1.5
    ax = _canvas(ax, len(rates) * (side + gap) - gap, side, margin=0.3, header=1.6)
    for index, rate in enumerate(rates):
        x, center = index * (side + gap), side // 2
        field = (kernel - 1) * rate + 1
        colors = np.full((side, side), _ZERO)
        colors[center - field // 2 : center + field // 2 + 1, center - field // 2 : center + field // 2 + 1] = "#DCEEFB"
        for row, column in dilated_positions(kernel, rate):
            colors[center + row, center + column] = "#0072B2"
        _grid(ax, x, 0, colors)
        title = f"rate {rate}: sees {field} × {field}\nwith {kernel * kernel} weights"
        ax.text(x + side / 2, -0.3, title, ha="center", va="bottom", fontsize=_TITLE)
    return ax


def show_pyramid(
    values: Any, bins: Sequence[int] = (1, 2, 3, 6), *, cmap: str = "viridis", ax: Axes | None = None
) -> Axes:
    """Draws a map and its means over a few bins, as pyramid pooling takes them (PSPNet §3.2).

    Args:
        values: A map H x W, or a picture H x W x 3 or 3 x H x W, uint8 or 0...1.
        bins: Along each side, level by level.
        cmap: Colors of a map.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes.

    Raises:
        ValueError: If the map has another form, or there is no level.
    """
    if not bins or min(bins) < 1:
        raise ValueError(f"bins must be whole numbers of at least 1, as (1, 2, 3, 6), but {tuple(bins)} came")
    array = to_numpy(values)
    full = _matrix(array, "values") if array.ndim == 2 else as_picture(array) / 255
    channels = torch.from_numpy(np.ascontiguousarray(full.reshape(*full.shape[:2], -1).transpose(2, 0, 1)))
    height, width = full.shape[:2]
    high, wide = 4.0, 4.0 * width / height
    gap = 0.5
    total, margins = (len(bins) + 1) * (wide + gap) - gap, (0.15, 0.6)
    ax = _canvas(ax, total, high, *margins, unit=0.5)
    style: dict[str, Any] = {"cmap": cmap, "vmin": float(full.min()), "vmax": float(full.max())}
    for index, count in enumerate((None, *bins)):
        panel, title = full, f"{height} × {width}"
        if count is not None:
            pooled = F.adaptive_avg_pool2d(channels[None], count)[0].numpy().transpose(1, 2, 0)
            panel, title = (pooled[..., 0] if full.ndim == 2 else pooled), f"{count} × {count}"
        x = index * (wide + gap)
        ax.imshow(panel, extent=(x, x + wide, high, 0), interpolation="nearest", **style)
        for step in range(1, count or 1):
            share = step / (count or 1)
            ax.plot([x + wide * share] * 2, [0, high], color="white", linewidth=1.0)
            ax.plot([x, x + wide], [high * share] * 2, color="white", linewidth=1.0)
        ax.add_patch(Rectangle((x, 0), wide, high, fill=False, edgecolor="black", linewidth=0.8))
        ax.text(x + wide / 2, -0.12, title, ha="center", va="bottom", fontsize=_TITLE)
        _limits(ax, total, high, *margins)  # imshow has moved them
    return ax


def _matrix(array: Any, name: str) -> np.ndarray:
    matrix = to_numpy(array).astype(np.float64)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"{name} must be a matrix of numbers, but its shape is {matrix.shape}")
    return matrix


def _canvas(ax: Axes | None, width: float, height: float, margin: float, header: float, unit: float = _CELL) -> Axes:
    """Axes without a frame, y downwards; a new figure has ``unit`` inches for one unit."""
    if ax is None:
        size = (unit * (width + 2 * margin), unit * (height + header + margin + 0.6))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    ax.set_axis_off()
    _limits(ax, width, height, margin, header)
    return ax


def _limits(ax: Axes, width: float, height: float, margin: float, header: float) -> None:
    ax.set(xlim=(-margin, width + margin), ylim=(height + margin + 0.6, -header), aspect="equal")


def _font(ax: Axes) -> float:
    """Size of text in points, smaller where the cells are."""
    return 10 * min(1.0, inches_per_unit(ax) / _CELL)


def _grid(ax: Axes, x: float, y: float, colors: np.ndarray, numbers: np.ndarray | None = None) -> None:
    for (row, column), color in np.ndenumerate(colors):
        ax.add_patch(Rectangle((x + column, y + row), 1, 1, facecolor=str(color), edgecolor="black", linewidth=0.7))
        if numbers is not None:
            text = f"{numbers[row, column]:.3g}"
            size = _font(ax) * (1.0 if len(text) < 4 else 0.75)
            ax.text(x + column + 0.5, y + row + 0.5, text, ha="center", va="center", fontsize=size)


def _wrap(title: str, columns: int) -> str:
    """Two lines over a narrow grid."""
    words = title.split()
    if len(title) <= 3 * columns or len(words) < 2:
        return title
    half = (len(words) + 1) // 2
    return " ".join(words[:half]) + "\n" + " ".join(words[half:])
