"""Whether confidence can be trusted, drawn: the reliability diagram, and what leaving pixels unanswered gains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from segtutor.metrics.calibration import Calibration, area_under_risk
from segtutor.plotting.style import COLORS

_LINES = [COLORS[name] for name in ("blue", "red", "green", "purple", "orange")]
_STYLES = ("-", "--", ":", "-.", (0, (1, 1)))


def show_reliability(calibration: Calibration, axes: Axes | None = None, title: str | None = None) -> Axes:
    """Draws how often a network is right in each bin of its confidence, and how many pixels each bin holds.

    Args:
        calibration: What was counted.
        axes: Where to draw; a new figure if None.
        title: Text above; None gives ECE, and mean confidence less accuracy.

    Returns:
        The axes.

    Raises:
        ValueError: If no pixel was counted.
    """
    if not calibration.pixels:
        raise ValueError("no pixel was counted: update the calibration with labels and probabilities first")
    if axes is None:
        _, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    confidence, accuracy = calibration.reliability()
    edges = np.linspace(0, 1, calibration.bins + 1)
    middles, there = (edges[1:] + edges[:-1]) / 2, calibration.counts > 0
    width = 0.9 / calibration.bins
    shares = calibration.counts / calibration.pixels
    axes.bar(middles, shares, width=width, color="#C8C8C8", label="pixels")
    axes.plot([0, 1], [0, 1], color="#5A5A5A", linewidth=1, linestyle="--", label="calibrated")
    axes.vlines(confidence[there], accuracy[there], confidence[there], color=COLORS["orange"], linewidth=3, label="gap")
    axes.plot(confidence[there], accuracy[there], color=COLORS["blue"], marker="o", markersize=4, label="is right")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
    axes.legend(loc="upper left", frameon=False)
    beyond = calibration.overconfidence()
    word = "overconfident" if beyond > 0 else "too modest"
    text = f"ECE {100 * calibration.ece():.1f} %, {word} by {100 * abs(beyond):.1f} %"
    axes.set_title(text if title is None else title)
    return axes


def show_risk(curves: Mapping[str, tuple[Any, Any]], axes: Axes | None = None) -> Axes:
    """Draws the share of wrong pixels against the share of pixels that is answered, the surest first.

    Args:
        curves: By a name, coverage and risk as from ``risk_coverage``.
        axes: Where to draw; a new figure if None.

    Returns:
        The axes; the legend has the area under each curve.

    Raises:
        ValueError: If there is no curve, or more than there are colors for.
    """
    if not 1 <= len(curves) <= len(_LINES):
        raise ValueError(f"{len(curves)} curves came, but 1 to {len(_LINES)} can be told apart")
    if axes is None:
        _, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    for (name, (coverage, risk)), color, style in zip(curves.items(), _LINES, _STYLES, strict=False):
        area = area_under_risk(np.asarray(coverage), np.asarray(risk))
        axes.plot(coverage, risk, color=color, linestyle=style, label=f"{name}: mean {100 * area:.1f} %")
    axes.set(xlim=(0, 1), xlabel="share of the pixels that is answered", ylabel="share of these that is wrong")
    axes.set_ylim(bottom=0)
    axes.legend(loc="best", frameon=False)
    return axes
