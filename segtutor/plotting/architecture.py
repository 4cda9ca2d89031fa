"""The figure of a network, drawn from the network: its maps as slabs with the shapes that one image really gave.

What is drawn, and where, is a `Layout` of boxes and arrows on a grid; the sizes come from `trace_shapes`. Layouts of
the course's networks are in ``layouts.py``.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, Polygon
from matplotlib.path import Path

from segtutor.plotting.tracing import find_map

# Okabe and Ito's colors: told apart with every kind of color vision.
BLUE, ORANGE, GREEN, RED, PURPLE, YELLOW = "#56B4E9", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#F0E442"
GRAY = "#BBBBBB"
_LARGEST = 0.9  # height of the largest map
_SLANT = (0.24, 0.16)  # how far the back of a slab lies right of and above its front, for the same map
_LINE, _FONT = 0.15, 9.0  # height of a line of text, and its size in points, where one unit is one inch


@dataclass(frozen=True)
class Box:
    """A map of the figure.

    Attributes:
        name: What arrows call it.
        source: Name of the map, as `trace_shapes` gives it.
        label: Written above.
        column: Place from left to right, 0 the first; fractions are allowed.
        row: Place from top to bottom.
        color: Of the slab.
    """

    name: str
    source: str
    label: str
    column: float
    row: float = 0.0
    color: str = BLUE


@dataclass(frozen=True)
class Arrow:
    """From box to box: straight within a row or a column, else with a bend halfway between the two columns.

    Attributes:
        start: Name of the box where it begins.
        end: Name of the box where it ends.
        text: The operation, written beside it.
        crops: Whether "crop" is written there too, where the two maps differ in size.
    """

    start: str
    end: str
    text: str = ""
    crops: bool = False


@dataclass(frozen=True)
class Layout:
    """Boxes, arrows, and the pitch of the grid in inches."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    column_width: float = 1.0
    row_height: float = 1.4


class _Slab(NamedTuple):
    """Where a box lies: its front, and the slanted depth behind it. ``y`` points up."""

    left: float
    bottom: float
    width: float
    height: float
    depth: float
    shape: tuple[int, ...]

    @property
    def right(self) -> float:
        return self.left + self.width + _SLANT[0] * self.depth

    @property
    def top(self) -> float:
        return self.bottom + self.height + _SLANT[1] * self.depth

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def level(self) -> float:
        return (self.bottom + self.top) / 2


def show_architecture(
    shapes: Mapping[str, tuple[int, ...]], layout: Layout, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draws a network. Every slab is one map C x h x w: the more channels the wider, the more pixels the higher.

    Heights and depths follow the square root of h and w, widths the logarithm of C, so that a picture of 500 pixels and
    a map of 16 fit into one figure. The numbers below each slab are exact.

    Args:
        shapes: Of the maps, from `trace_shapes`.
        layout: From `fcn_layout`, `pspnet_layout` or your own.
        title: Text above.
        ax: Where to draw; a new figure of the layout's size if None.

    Returns:
        The axes.

    Raises:
        ValueError: If the network made no map of a box's source, an arrow's end is no box, or a map is not C x h x w.
    """
    slabs = {box.name: _slab(box, shapes, layout) for box in layout.boxes}
    for arrow in layout.arrows:
        for end in (arrow.start, arrow.end):
            if end not in slabs:
                close = difflib.get_close_matches(end, slabs, n=3) or list(slabs)
                raise ValueError(f"the arrow {arrow.start!r} to {arrow.end!r} has no box {end!r}; boxes are {close}")
    lines = {box.name: box.label.count("\n") + 1 for box in layout.boxes}
    lowest = min(slab.bottom for slab in slabs.values()) - 2.6 * _LINE
    highest = max(slab.top + lines[name] * _LINE for name, slab in slabs.items()) + _LINE
    leftmost = min(slab.left for slab in slabs.values()) - 0.3
    rightmost = max(slab.right for slab in slabs.values()) + 0.3
    if ax is None:
        _, ax = plt.subplots(figsize=(rightmost - leftmost, highest - lowest), layout="constrained")
    ax.set(xlim=(leftmost, rightmost), ylim=(lowest, highest), aspect="equal")
    ax.set_axis_off()
    scale = inches_per_unit(ax)
    for arrow in layout.arrows:
        _draw_arrow(ax, arrow, slabs, lines, scale)
    for box in layout.boxes:
        _draw_slab(ax, slabs[box.name], box, scale)
    if title is not None:
        ax.set_title(title)
    return ax


def shape_text(shape: Iterable[int]) -> str:
    """C x h x w in two lines, without the batch.

    >>> shape_text((1, 21, 34, 34)).split()
    ['21', '×', '34', '×', '34']
    """
    channels, height, width = tuple(shape)[-3:]
    return f"{channels} ×\n{height} × {width}"


def _slab(box: Box, shapes: Mapping[str, tuple[int, ...]], layout: Layout) -> _Slab:
    shape = find_map(box.source, shapes)
    if len(shape) not in (3, 4):
        raise ValueError(f"box {box.name!r} must show a map B x C x h x w, but {box.source!r} is {shape}")
    largest = max(max(shapes[other.source][-2:]) for other in layout.boxes if other.source in shapes)
    channels, height, width = shape[-3:]
    side, depth = _LARGEST * math.sqrt(height / largest), _LARGEST * math.sqrt(width / largest)
    thickness = 0.03 + 0.045 * math.log2(channels + 1)
    x, y = box.column * layout.column_width, -box.row * layout.row_height
    full_height = side + _SLANT[1] * depth
    full_width = thickness + _SLANT[0] * depth
    return _Slab(x - full_width / 2, y - full_height / 2, thickness, side, depth, shape)


def inches_per_unit(ax: Axes) -> float:
    """How large the drawing is, so that text shrinks with it."""
    figure: Any = ax.get_figure(root=True)
    place = ax.get_position()
    width, height = figure.get_size_inches()
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    # Axes that fill their figure will be enlarged to it by the constrained layout.
    alone = len(figure.axes) == 1
    across = width if alone else place.width * width
    down = height if alone else place.height * height
    return min(across / abs(right - left), down / abs(top - bottom))


def _draw_slab(ax: Axes, slab: _Slab, box: Box, scale: float) -> None:
    left, bottom, right, top = slab.left, slab.bottom, slab.left + slab.width, slab.bottom + slab.height
    back = (_SLANT[0] * slab.depth, _SLANT[1] * slab.depth)
    faces = {
        0.0: [(left, bottom), (right, bottom), (right, top), (left, top)],
        0.45: [(left, top), (right, top), (right + back[0], top + back[1]), (left + back[0], top + back[1])],
        -0.3: [(right, bottom), (right + back[0], bottom + back[1]), (right + back[0], top + back[1]), (right, top)],
    }
    for light, corners in faces.items():
        color = tuple(part + light * ((1 - part) if light > 0 else part) for part in to_rgb(box.color))
        ax.add_patch(Polygon(corners, facecolor=color, edgecolor="black", linewidth=0.6 * scale, joinstyle="round"))
    style: dict[str, Any] = {"ha": "center", "fontsize": _FONT * scale, "linespacing": 1.1}
    ax.text(slab.middle, slab.top + 0.03, box.label, va="bottom", fontweight="bold", **style)
    ax.text(slab.middle, slab.bottom - 0.05, shape_text(slab.shape), va="top", **style)


def _draw_arrow(ax: Axes, arrow: Arrow, slabs: Mapping[str, _Slab], lines: Mapping[str, int], scale: float) -> None:
    start, end = slabs[arrow.start], slabs[arrow.end]
    text = arrow.text
    if arrow.crops and start.shape[-2:] != end.shape[-2:]:
        text = f"{text}\ncrop" if text else "crop"
    gap = 0.05
    place: dict[str, Any] = {"ha": "center", "va": "bottom"}
    if math.isclose(start.middle, end.middle, abs_tol=0.01):
        down = start.level > end.level
        upper, lower = (arrow.start, arrow.end) if down else (arrow.end, arrow.start)
        # Between the shape that is written under the upper box and the label over the lower one.
        heights = (
            slabs[upper].bottom - 2.4 * _LINE - gap,
            slabs[lower].top + lines[lower] * _LINE + gap,
        )
        first, last = heights if down else heights[::-1]
        points = [(start.middle, first), (end.middle, last)]
        spot, place = (start.middle + 0.07, (first + last) / 2), {"ha": "left", "va": "center"}
    else:
        to_right = start.middle < end.middle
        first = start.right + gap if to_right else start.left - gap
        last = end.left - gap if to_right else end.right + gap
        points = [(first, start.level), (last, end.level)]
        spot = ((first + last) / 2, start.level + 0.04)
        if not math.isclose(start.level, end.level, abs_tol=0.01):
            middle = (start.middle + end.middle) / 2  # the same for all slabs of a column, however wide
            points[1:1] = [(middle, start.level), (middle, end.level)]
            # Beside the box: farther on, arrows of other rows may cross.
            spot, place["ha"] = (first, start.level + 0.04), "left" if to_right else "right"
    style: dict[str, Any] = {"color": "black", "linewidth": scale, "joinstyle": "miter", "shrinkA": 0, "shrinkB": 0}
    line = FancyArrowPatch(path=Path(points), arrowstyle="-|>", mutation_scale=9 * scale, **style)
    line.set_snap(True)  # or lines that lie on each other look thicker than one
    ax.add_patch(line)
    if text:
        ax.text(*spot, text, fontsize=_FONT * scale, color="black", linespacing=1.0, **place)
