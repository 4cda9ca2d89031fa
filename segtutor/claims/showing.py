"""What a lesson shows of a claim: its card, a figure with every seed, the short version run while the reader waits."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segtutor.claims.cards import Card
from segtutor.claims.catalog import find
from segtutor.claims.claim import Claim
from segtutor.claims.results import Results, recorded, reproduce
from segtutor.plotting.style import FULL_WIDTH

_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
_MARKERS = "osD^vPX"


def card(name: str) -> Card:
    """The card of a claim, with the results that come with the course.

    >>> card("fcn.any_size").claim.title
    'Pictures of any size'
    """
    claim = find(name)
    return Card(claim, recorded(claim))


def run_short(name: str, seeds: Sequence[int] | None = None, progress: bool = True) -> Card:
    """The card of the short version, run now: a minute or less, from the course's pretrained backbone."""
    claim = find(name)
    return Card(claim, reproduce(claim, seeds, short=True, progress=progress))


def show(shown: Card | str, keys: Sequence[str] | None = None) -> Figure:
    """Draws every seed of every variant as a dot and the mean as a bar, one panel per measure.

    Args:
        shown: A card, or the name of a claim.
        keys: Which measures; None takes the first two.

    Raises:
        ValueError: If the claim or a measure does not exist.
    """
    shown = card(shown) if isinstance(shown, str) else shown
    claim, results = shown.claim, shown.results
    measures = [claim.measure(key) for key in keys] if keys is not None else list(claim.measures[:2])
    width, height = min(3.0 + 3.0 * len(measures), FULL_WIDTH), 1.0 + 0.36 * len(claim.variants)
    figure, axes = plt.subplots(
        1, len(measures), figsize=(width, height), layout="constrained", squeeze=False, sharey=True
    )
    for axis, measure in zip(axes[0], measures, strict=True):
        for row, variant in enumerate(claim.variants):
            values = [float(run[measure.key]) * measure.scale for run in results.runs[variant]]
            axis.plot([np.mean(values)] * 2, [row - 0.3, row + 0.3], color="black", linewidth=2)
            axis.plot(values, [row] * len(values), "o", color=_COLORS[0], markersize=7, alpha=0.7, markeredgewidth=0)
        axis.set_title(_in_lines(measure.title), fontsize=10)
        axis.set_yticks(range(len(claim.variants)), list(claim.variants))
        axis.grid(axis="x", alpha=0.3)
        axis.margins(x=0.1)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(left=False)
    axes[0, 0].set_ylim(len(claim.variants) - 0.5, -0.5)  # the first variant on top
    return figure


def _in_lines(title: str) -> str:
    r"""As few lines of at most 26 characters as do, of nearly one length; a size, and a number's unit, stay in one.

    >>> _in_lines("mean IoU by windows of 64 x 80, %")
    'mean IoU by windows\nof 64\xa0×\xa080,\xa0%'
    """
    title = re.sub(r"(?<=\d) x (?=\d)", "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}", title)
    title = re.sub(r", (%|ms)$", ",\N{NO-BREAK SPACE}\\1", title)
    lines = len(textwrap.wrap(title, 26))
    width = next(width for width in range(8, 27) if width == 26 or len(textwrap.wrap(title, width)) <= lines)
    return textwrap.fill(title, width)


def show_curves(shown: Card | str, ax: Axes | None = None) -> Axes:
    """Mean IoU during training: the mean over the seeds as a line, the seeds as a band.

    Raises:
        ValueError: If the claim's runs keep no curve.
    """
    shown = card(shown) if isinstance(shown, str) else shown
    curves = _curves(shown.claim, shown.results)
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for (variant, (steps, values)), color, marker in zip(curves.items(), _COLORS, _MARKERS, strict=False):
        ax.plot(steps, values.mean(axis=0), color=color, marker=marker, label=variant)
        ax.fill_between(steps, values.min(axis=0), values.max(axis=0), color=color, alpha=0.2, linewidth=0)
    ax.set(xlabel="step", ylabel="mean IoU, %")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _curves(claim: Claim, results: Results) -> dict[str, tuple[Any, Any]]:
    """Variant -> steps and percentages, seeds x steps; only those that have a curve."""
    found = {}
    for variant, runs in results.runs.items():
        if all("curve" in run for run in runs):
            points = np.asarray([run["curve"] for run in runs])  # seeds x points x (step, mean IoU)
            found[variant] = points[0, :, 0], 100 * points[:, :, 1]
    if not found:
        raise ValueError(f"the runs of {claim.name} keep no curve; pspnet.auxiliary has one")
    return found
