"""Edge cases of a metric as strips: a few pixels of truth and prediction, and what two conventions make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from segtutor.plotting.style import FULL_WIDTH

# Class 0 is gray as an unnamed background; the others are told apart with every kind of color vision.
_COLORS = ("#D9D9D9", "#0072B2", "#E69F00", "#009E73")
_WHITE_ON = ("#0072B2", "#009E73")
_CELL = 0.19  # inches of the page
_TITLE, _GAP = 1.5, 1.0  # heights of a title and of the space below a case, in cells


@dataclass(frozen=True)
class StripCase:
    """One edge case.

    Attributes:
        title: A few words.
        rows: Name and pixels of each strip, from above: class numbers 0...3, the ignore index for void, None for a gap
            between two pictures. All strips of a case are equally long.
        values: Convention and what it gives, the course's own first; a float or a text.
    """

    title: str
    rows: Mapping[str, Sequence[int | None]]
    values: Mapping[str, float | str]


def show_strips(cases: Sequence[StripCase], ignore_index: int = 255, axes: Axes | None = None) -> Axes:
    """Draw cases below each other: the strips on the left, the conventions and their values on the right.

    Args:
        cases: From above.
        ignore_index: Which number is void; it is drawn white and hatched.
        axes: Where to draw; a new figure as high as the cases need if None.

    Returns:
        The axes; one unit is the width of a pixel.

    Raises:
        ValueError: If there is no case, the strips of a case differ in length, or a number is no class and not void.
    """
    if not cases:
        raise ValueError("show_strips needs at least one case, but there is none")
    longest = max(len(row) for case in cases for row in case.rows.values())
    heights = [_TITLE + max(len(case.rows), len(case.values)) + _GAP for case in cases]
    if axes is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(figsize=(FULL_WIDTH, _CELL * sum(heights)))
    top = 0.0
    for case, height in zip(cases, heights, strict=True):
        _draw(axes, case, top, longest, ignore_index)
        top += height
    axes.set(xlim=(-5.2, FULL_WIDTH / _CELL - 5.2), ylim=(top - _GAP, -0.3))
    axes.set_aspect("equal")
    axes.set_axis_off()
    return axes


def _draw(axes: Any, case: StripCase, top: float, longest: int, ignore_index: int) -> None:
    """One case, its title at height ``top``."""
    if len({len(row) for row in case.rows.values()}) > 1:
        lengths = {name: len(row) for name, row in case.rows.items()}
        raise ValueError(f"the strips of {case.title!r} must be equally long, but they have {lengths} pixels")
    axes.text(0, top + 0.6, case.title, weight="bold", va="center", fontsize=10)
    for k, (name, row) in enumerate(case.rows.items()):
        y = top + _TITLE + k
        axes.text(-0.4, y + 0.5, name, ha="right", va="center", fontsize=9)
        for x, number in enumerate(row):
            if number is not None:
                _draw_pixel(axes, x, y, number, ignore_index)
    for k, (convention, value) in enumerate(case.values.items()):
        y = top + _TITLE + k + 0.5
        style = {"va": "center", "fontsize": 9.5, "weight": "bold" if k == 0 else "normal"}
        words = value if isinstance(value, str) else "NaN" if np.isnan(value) else f"{value:.3f}"
        axes.text(longest + 3.6, y, words, ha="right", **style)
        axes.text(longest + 4.2, y, convention, **style)


def _draw_pixel(axes: Any, x: float, y: float, number: int, ignore_index: int) -> None:
    if number == ignore_index:
        axes.add_patch(Rectangle((x, y), 1, 1, facecolor="white", edgecolor="0.4", hatch="//////", linewidth=0.8))
        return
    if not 0 <= number < len(_COLORS):
        raise ValueError(f"a pixel is a class 0...{len(_COLORS) - 1} or void ({ignore_index}), but there is {number!r}")
    color = _COLORS[int(number)]
    axes.add_patch(Rectangle((x, y), 1, 1, facecolor=color, edgecolor="white", linewidth=1))
    ink = "white" if color in _WHITE_ON else "black"
    axes.text(x + 0.5, y + 0.52, str(np.int64(number)), ha="center", va="center", fontsize=9, color=ink)
