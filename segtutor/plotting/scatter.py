"""A transposed convolution as scattering: a slider adds one input pixel after the other, alive without a kernel.

Every step is drawn here, as SVG. h w the input, k l the kernel, s the stride.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from segtutor.metrics.arrays import to_numpy
from segtutor.plotting.steps import stepped_page

_CELL, _GAP, _HEADER = 34, 62, 24  # in SVG units: side of a cell, room between two grids, room for a title
_STYLE = """\
.segtutor-scatter rect {stroke: #000; stroke-width: .8}
.segtutor-scatter svg text {font: 13px system-ui,sans-serif; fill: #000}
.segtutor-scatter svg .title,.segtutor-scatter svg .sign {fill: currentColor}
.segtutor-scatter svg .sign {font-size: 20px}
"""
_PLAIN, _NOW, _KERNEL, _WRITTEN = "#F3F3F3", "#F5B84B", "#F5D08A", "#9AD0F3"


@dataclass(frozen=True, eq=False)
class MovableScatter:
    """What a notebook shows as the figure with the slider.

    Attributes:
        outputs: The output after each input pixel; the last is the transposed convolution.
        html: The whole figure, to be put into any page.
    """

    outputs: list[np.ndarray]
    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Movable scatter of {len(self.outputs)} input pixels into {self.outputs[-1].shape}"


def movable_scatter(values: Any, kernel: Any, stride: int = 2) -> MovableScatter:
    """A figure with a slider: each input pixel adds its value times the kernel to a window of the output.

    Args:
        values: h x w numbers.
        kernel: k x l numbers.
        stride: s, how far the window moves from one input pixel to the next.

    Returns:
        An object that JupyterLab, Colab and a static page show as the figure; its output is
        (s (h - 1) + k) x (s (w - 1) + l).

    Raises:
        ValueError: If an array is no matrix, or the stride is below 1.
    """
    inputs, weights = (_matrix(array, name) for array, name in ((values, "values"), (kernel, "kernel")))
    if isinstance(stride, bool) or not isinstance(stride, int) or stride < 1:
        raise ValueError(f"stride must be a whole number of at least 1, but {stride!r} came")
    sides = [stride * (side - 1) + k for side, k in zip(inputs.shape, weights.shape, strict=True)]
    output, written = np.zeros(sides), np.zeros(sides, dtype=bool)
    outputs, frames = [], []
    for place, value in np.ndenumerate(inputs):
        top, left = (stride * index for index in place)
        window = slice(top, top + weights.shape[0]), slice(left, left + weights.shape[1])
        output[window] += value * weights
        written[window] = True
        outputs.append(output.copy())
        says = (
            f"Step {len(outputs)} of {inputs.size}: the input pixel in row {place[0]}, column {place[1]} holds "
            f"{value:.3g}. {value:.3g} times the kernel is added to the output from row {top}, column {left} on."
        )
        frames.append(f"{_frame(inputs, weights, output, place, window, written)}<p>{says}</p>")
    return MovableScatter(outputs, stepped_page(frames, "Input pixels that have written", kind="scatter", style=_STYLE))


def _matrix(array: Any, name: str) -> np.ndarray:
    matrix = to_numpy(array).astype(np.float64)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"{name} must be a matrix of numbers, but its shape is {matrix.shape}")
    return matrix


def _frame(
    inputs: np.ndarray,
    kernel: np.ndarray,
    output: np.ndarray,
    place: tuple[int, ...],
    window: tuple[slice, slice],
    written: np.ndarray,
) -> str:
    """Input, kernel and output side by side; the current pixel and the window that it writes are marked."""
    at_pixel = np.zeros(inputs.shape, dtype=bool)
    at_pixel[place] = True
    in_window = np.zeros(output.shape, dtype=bool)
    in_window[window] = True
    panels = (
        ("input", inputs, np.where(at_pixel, _NOW, _PLAIN)),
        ("kernel", kernel, np.full(kernel.shape, _KERNEL)),
        ("output", output, np.where(in_window, _NOW, np.where(written, _WRITTEN, _PLAIN))),
    )
    height = max(array.shape[0] for _, array, _ in panels) * _CELL + _HEADER
    parts, x = [], 0
    for index, (title, array, colors) in enumerate(panels):
        y = _HEADER + (height - _HEADER - array.shape[0] * _CELL) // 2
        parts.append(f'<text class="title" x="{x}" y="{y - 7}">{title}</text>')
        for (row, column), number in np.ndenumerate(array):
            left, top = x + column * _CELL, y + row * _CELL
            half = _CELL // 2
            parts.append(
                f'<rect x="{left}" y="{top}" width="{_CELL}" height="{_CELL}" fill="{colors[row, column]}"/>'
                f'<text x="{left + half}" y="{top + half + 5}" text-anchor="middle">{number:.3g}</text>'
            )
        x += array.shape[1] * _CELL
        if index < 2:
            middle = _HEADER + (height - _HEADER) // 2 + 6
            parts.append(
                f'<text class="sign" x="{x + _GAP / 2:.0f}" y="{middle}" text-anchor="middle">{"×→"[index]}</text>'
            )
            x += _GAP
    return (
        f'<svg viewBox="-2 0 {x + 4} {height + 2}" width="{x + 4}" role="img" aria-label="Input, kernel and output '
        f'after this step; the sentence below says what was added">{"".join(parts)}</svg>'
    )
