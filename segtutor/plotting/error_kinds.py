"""A map of in which way each wrong pixel is wrong: at a boundary, in the extent of a region, as a whole region."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from segtutor.analysis.errors import KINDS, error_types
from segtutor.metrics.arrays import integer_map

# Right, boundary, extent, segment, void: they differ in lightness, too.
_COLORS = np.array([(238, 238, 238), (86, 180, 233), (230, 159, 0), (136, 34, 85), (150, 150, 150)], dtype=np.uint8)
_RIGHT, _VOID = 0, 4


def show_error_kinds(
    target: Any,
    prediction: Any,
    invented: bool = False,
    width: int | None = None,
    ignore_index: int | None = 255,
    axes: Axes | None = None,
) -> Axes:
    """Draws the ways in which pixels are wrong, with the share of each among them in the legend.

    Args:
        target: Label map H x W.
        prediction: Label map of the same shape.
        invented: Ask what the pixels are to the class that they were wrongly given to, and not to their own.
        width: See ``analysis.error_types``.
        ignore_index: Void.
        axes: Where to draw; a new figure if None.

    Returns:
        The axes.

    Raises:
        ValueError: For what ``error_types`` refuses.
    """
    truth = integer_map(target, "target")
    kinds = error_types(truth, prediction, width, ignore_index)[int(invented)].astype(np.int64)
    picture = np.where(kinds < 0, _RIGHT, kinds + 1)
    if ignore_index is not None:
        picture[truth == ignore_index] = _VOID
    if axes is None:
        _, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    axes.imshow(_COLORS[picture], interpolation="nearest")
    axes.set_axis_off()
    wrong = int((kinds >= 0).sum())
    words = ["right", *(f"{kind} {(kinds == i).sum() / wrong:.0%}" if wrong else kind for i, kind in enumerate(KINDS))]
    handles = [
        Patch(facecolor=tuple(color / 255), edgecolor="black", linewidth=0.5, label=word)
        for color, word in zip(_COLORS, [*words, "void"], strict=True)
    ]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=3, frameon=False,
                columnspacing=1.0, handlelength=1.2)  # fmt: skip
    valid = truth.size if ignore_index is None else int((truth != ignore_index).sum())
    asked = "invented" if invented else "missed"
    axes.set_title(f"{wrong / max(1, valid):.1%} of the pixels are wrong; as {asked} pixels")
    return axes
