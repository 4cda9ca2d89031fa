"""The leaderboard as a figure: a row per network, named where its dots are, from the best to the worst."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from segtutor.claims.cards import Card
from segtutor.claims.networks import network
from segtutor.claims.showing import card
from segtutor.plotting.style import COLORS, FULL_WIDTH

_FAMILY_COLORS = ("black", "green", "orange", "light blue", "blue", "red", "purple", "yellow")
_NEIGHBOR = 8.0
"""Points of mean IoU: what lies farther below the next better network would stretch the axis, and stands at its edge."""


def ranking(shown: Card | str = "results.leaderboard") -> list[tuple[str, float, float, float]]:
    """Name, mean IoU and half its range over the seeds in percent, and billions of operations; the best first."""
    results = (card(shown) if isinstance(shown, str) else shown).results
    rows = []
    for name in results.runs:
        mean, spread = results.mean_and_spread(name, "mean_iou")
        rows.append((name, 100 * mean, 100 * spread, results.mean_and_spread(name, "gflops")[0]))
    return sorted(rows, key=lambda row: -row[1])


def unbeaten(rows: list[tuple[str, float, float, float]]) -> set[str]:
    """Names of the networks than which no other is both better and cheaper.

    >>> sorted(unbeaten([("a", 60, 0, 2), ("b", 50, 0, 1), ("c", 49, 0, 1.5)]))
    ['a', 'b']
    """
    return {
        name
        for name, mean, _, cost in rows
        if not any(other > mean and cheaper <= cost for _, other, _, cheaper in rows)
    }


def show_ranking(shown: Card | str = "results.leaderboard") -> Figure:
    """Draws mean IoU, every seed a dot, and the operations of all networks of a leaderboard.

    A network far below all others would stretch the axis: it stands at the left edge, with an arrow. The names of those
    than which no other is both better and cheaper are bold.

    Args:
        shown: A card, or the name of a claim, whose variants are rows of ``segtutor.claims.networks``.
    """
    shown = card(shown) if isinstance(shown, str) else shown
    rows = ranking(shown)
    families = list(dict.fromkeys(network(name).family for name in shown.results.runs))
    colors = {family: COLORS[_FAMILY_COLORS[k % len(_FAMILY_COLORS)]] for k, family in enumerate(families)}
    figure, (quality, price) = plt.subplots(
        1, 2, figsize=(FULL_WIDTH, 1.3 + 0.27 * len(rows)), width_ratios=(2.2, 1), sharey=True, layout="constrained"
    )
    lowest = _lowest_shown(rows)
    for height, (name, mean, _, cost) in enumerate(rows):
        color = colors[network(name).family]
        values = [100 * float(run["mean_iou"]) for run in shown.results.runs[name]]
        if mean < lowest:
            quality.plot(lowest - 1, height, "<", color=color, markersize=8)
            quality.text(lowest - 0.6, height, f"{mean:.1f}", va="center", fontsize=9)
        else:
            quality.plot(values, [height] * len(values), "o", color=color, alpha=0.6, markeredgewidth=0)
            quality.text(max(values) + 0.3, height, f"{mean:.1f}", va="center", fontsize=9)
        price.barh(height, cost, color=color, height=0.6)
        price.text(cost, height, f" {cost:.2f}", va="center", fontsize=9)
    _finish(quality, price, rows)
    handles = [Patch(facecolor=color, label=family) for family, color in colors.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure


def _lowest_shown(rows: list[tuple[str, float, float, float]]) -> float:
    """The worst mean IoU of the unbroken field: below it is a gap of more than ``_NEIGHBOR`` points."""
    means = np.array([mean for _, mean, _, _ in rows])
    gaps = np.flatnonzero(-np.diff(means) > _NEIGHBOR)
    return float(means[gaps[0]] if len(gaps) else means[-1])


def _finish(quality: Axes, price: Axes, rows: list[tuple[str, float, float, float]]) -> None:
    best = unbeaten(rows)
    labels = quality.set_yticks(range(len(rows)), [name for name, *_ in rows]) and quality.get_yticklabels()
    for label in labels:
        label.set_fontweight("bold" if label.get_text() in best else "normal")
    quality.set(ylim=(len(rows) - 0.4, -0.6), xlabel="mean IoU, %")
    price.set(xlabel="operations, billions")
    for axis in (quality, price):
        axis.grid(axis="x", alpha=0.3)
        axis.margins(x=0.12)
        axis.tick_params(left=False)
        axis.spines[["top", "right", "left"]].set_visible(False)
