"""A conditional random field of a few pixels in a row, small enough to write down: its links, and all its labelings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc, Rectangle

from segtutor.plotting.style import COLORS


def labelings(unary: Any, weights: Any) -> list[tuple[tuple[int, ...], float, float]]:
    """All labelings of a small field, each with its unary and its pairwise energy; the cheapest first.

    Args:
        unary: N x K costs of the labels.
        weights: N x N, symmetric: what a pair pays if its labels differ.

    Raises:
        ValueError: If the shapes do not fit.

    >>> labelings([[0, 2], [1, 0]], [[0, 3], [3, 0]])[0]
    ((0, 0), 1.0, 0.0)
    """
    costs, pays = np.asarray(unary, dtype=float), np.asarray(weights, dtype=float)
    if costs.ndim != 2 or pays.shape != (len(costs),) * 2:
        raise ValueError(f"unary must be N x K and weights N x N, but they are {costs.shape} and {pays.shape}")
    pixels = range(len(costs))
    found = []
    for labels in itertools.product(range(costs.shape[1]), repeat=len(costs)):
        alone = sum(costs[i, labels[i]] for i in pixels)
        together = sum(pays[i, j] for i in pixels for j in pixels if i < j and labels[i] != labels[j])
        found.append((labels, float(alone), float(together)))
    return sorted(found, key=lambda one: one[1] + one[2])


def show_random_field(colors: Sequence[str], costs: Any, weights: Any, names: Sequence[str], ax: Axes) -> None:
    """Draws pixels in a row, below each what its labels cost, and over them an arc for each pair with its weight.

    Args:
        colors: N, of the pixels.
        costs: N x K.
        weights: N x N.
        names: K, of the labels.
        ax: Where to draw.
    """
    values, pays, step = np.asarray(costs, dtype=float), np.asarray(weights, dtype=float), 2.4
    for i, color in enumerate(colors):
        ax.add_patch(Rectangle((step * i, 0), 1, 1, facecolor=color, edgecolor="black"))
        for k, name in enumerate(names):
            ax.text(step * i + 0.5, 1.35 + 0.5 * k, f"{name}: {values[i, k]:.2f}", ha="center", va="center")
        ax.text(step * i + 0.5, 0.5, str(i + 1), ha="center", va="center", color="white", weight="bold", fontsize=12)
    for i, j in itertools.combinations(range(len(colors)), 2):
        width, middle = step * (j - i), step * (i + j) / 2 + 0.5
        height = 0.8 + 1.1 * (j - i - 1)
        line = 1 + 2.5 * pays[i, j] / pays.max()
        ax.add_patch(Arc((middle, 0), width, 2 * height, theta1=180, theta2=360, color=COLORS["red"], linewidth=line))
        ax.text(middle, -height - 0.08, f"{pays[i, j]:g}", ha="center", va="bottom", color=COLORS["red"], fontsize=11)
    ax.set(xlim=(-0.8, step * len(colors) - 0.6), ylim=(1.5 + 0.5 * len(names), -2.4), aspect="equal")
    ax.set_axis_off()


def show_labelings(unary: Any, weights: Any, names: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draws the energy of every labeling as a bar of two parts, what the pixels pay alone and what the pairs pay.

    Args:
        unary: N x K.
        weights: N x N.
        names: K, of the labels; shown as they are.
        ax: Where to draw; a new figure if None.

    Raises:
        ValueError: As ``labelings``.
    """
    found = labelings(unary, weights)
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 0.8 + 0.32 * len(found)))
    for row, (_, alone, together) in enumerate(found):
        ax.barh(row, alone, color=COLORS["light blue"], label="pixels" if row == 0 else None)
        ax.barh(row, together, left=alone, color=COLORS["red"], label="pairs" if row == 0 else None)
        ax.text(alone + together + 0.05, row, f"{alone + together:.2f}", va="center")
    ax.set_yticks(range(len(found)), ["  ".join(names[label] for label in labels) for labels, _, _ in found])
    ax.set(ylim=(len(found) - 0.4, -0.6), xlabel="energy")
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)
    ax.legend(frameon=False, loc="upper right", ncols=2, bbox_to_anchor=(1, 1.14))
    return ax
