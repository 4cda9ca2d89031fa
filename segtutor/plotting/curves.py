"""Precision-recall curves as the metrics read them: the points, their envelope, and the part that AP measures."""

from __future__ import annotations

import re
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from segtutor.metrics.arrays import to_numpy
from segtutor.metrics.curves import average_precision, precision_at_levels, precision_envelope

_CURVE, _ENVELOPE, _AREA = "#0072B2", "#D55E00", "#E69F00"  # apart for every kind of color vision
_MOST_BARS = 25
"""More levels than this are dots: as bars they would be narrower than the pixels of a page, and flicker."""


def show_precision_recall(
    precision: Any,
    recall: Any,
    method: str = "area",
    num_positives: int | None = None,
    axes: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draws a precision-recall curve, its envelope, and shades what ``average_precision`` measures of it.

    Args:
        precision: Precision of each point, as from ``precision_recall_curve``.
        recall: Recall of each point, never falling.
        method: As in ``average_precision``: "area" shades the area under the envelope, "11point" and its like draw a
            bar (a dot beyond 25 levels) at each recall level, "step" and "trapezoid" shade the area under the curve
            itself.
        num_positives: As in ``average_precision``.
        axes: Where to draw; a new figure if None.
        title: Text above; None gives the method and its AP.

    Returns:
        The axes.

    Raises:
        ValueError: What ``average_precision`` refuses.
    """
    value = average_precision(precision, recall, method, num_positives)
    precision, recall = to_numpy(precision).astype(np.float64), to_numpy(recall).astype(np.float64)
    if axes is None:
        _, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    if recall.size and not np.isnan(recall).any():
        envelope = precision_envelope(precision)
        _shade(axes, precision, recall, envelope, method, num_positives)
        axes.plot(np.append(0, recall), np.append(envelope[0], envelope), color=_ENVELOPE, drawstyle="steps-pre",
                  linestyle="--", label="envelope")  # fmt: skip
        axes.plot(recall, precision, color=_CURVE, marker="o", markersize=3.5, linewidth=1, label="curve")
        axes.legend(loc="best", frameon=False)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.05), xlabel="recall", ylabel="precision")
    axes.set_title(f"AP ({method}) = {value:.4f}" if title is None else title)
    return axes


def _shade(
    axes: Axes, precision: np.ndarray, recall: np.ndarray, envelope: np.ndarray, method: str, num_positives: int | None
) -> None:
    style: dict[str, Any] = {"color": _AREA, "alpha": 0.35, "linewidth": 0, "label": "AP"}
    levels = re.fullmatch(r"(\d+)point", method)
    if levels:
        count = int(levels[1])
        heights = precision_at_levels(precision, recall, count, num_positives)
        style["label"] = f"AP: mean of {count} levels"
        places = np.linspace(0, 1, count)
        if count <= _MOST_BARS:
            axes.bar(places, heights, width=0.4 / (count - 1), **{**style, "alpha": 0.7})
        else:
            axes.fill_between(places, heights, step="mid", **{**style, "label": None})
            axes.plot(places, heights, ".", color=_AREA, markersize=4, label=style["label"], zorder=3)
    elif method == "trapezoid":
        axes.fill_between(np.append(0, recall), np.append(1, precision), **style)
    else:
        heights = envelope if method == "area" else precision
        axes.fill_between(np.append(0, recall), np.append(heights[0], heights), step="pre", **style)
