"""Figures of claims beside dots of seeds: a table as a heat map, the gap against the steps, the leaderboard."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from segtutor.claims.cards import Card
from segtutor.claims.claim import Values, uncertainty
from segtutor.claims.networks import network
from segtutor.claims.showing import card
from segtutor.plotting.style import COLORS, FULL_WIDTH

FAMILY_COLORS = {
    "FCN": COLORS["black"],
    "backbone": COLORS["green"],
    "PSPNet": COLORS["orange"],
    "DeepLab v2": COLORS["light blue"],
    "DeepLab v3": COLORS["blue"],
    "DeepLab v3+": COLORS["red"],
    "transformer": COLORS["purple"],
    "mask classification": COLORS["purple"],
    "U-Net": COLORS["black"],
}
"""Of the table of networks; the two kinds that came last share one, since EoMT is of both, and FCN and U-Net, too."""
_MARKERS = "osD^vPX"
_AROUND = (
    (8, 0, "left"), (-8, 0, "right"), (0, 10, "center"), (0, -11, "center"),
    *[(x, y, side) for far, height in ((8, 10), (14, 20), (24, 30))
      for x, side in ((far, "left"), (-far, "right")) for y in (height, -height)],
)  # fmt: skip
"""Where a point's name may stand, in points from it: the nearest places first."""


def show_table(
    shown: Card | str, low: float, high: float, keys: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """A claim's table as a heat map: a row per variant, a column per measure, each mean in its cell.

    Args:
        shown: A card, or the name of a claim with measures of one kind, as "deeplab.distance".
        low: Shown value at the dark end of the colors.
        high: Shown value at the light end.
        keys: Which measures; None takes all that every variant has.
        ax: Where to draw; a new figure if None.
    """
    shown = card(shown) if isinstance(shown, str) else shown
    claim, results = shown.claim, shown.results
    measures = [claim.measure(key) for key in keys] if keys is not None else claim.measures
    means = np.array([
        [results.mean_and_spread(variant, measure.key)[0] * measure.scale for measure in measures]
        for variant in claim.variants
    ])  # fmt: skip
    if keys is None:
        whole = ~np.isnan(means).any(axis=0)
        measures, means = [measure for measure, kept in zip(measures, whole, strict=True) if kept], means[:, whole]
    if ax is None:
        _, ax = plt.subplots(figsize=(FULL_WIDTH, 1.2 + 0.34 * len(means)), layout="constrained")
    ax.imshow(means, cmap="cividis", vmin=low, vmax=high, aspect="auto")
    for (row, column), mean in np.ndenumerate(means):
        color = "black" if mean > (low + high) / 2 else "white"
        ax.text(column, row, measures[column].show(mean / measures[column].scale), color=color,
                ha="center", va="center")  # fmt: skip
    titles = [textwrap.fill(measure.title.removesuffix(", %"), 14) for measure in measures]
    ax.set_xticks(range(means.shape[1]), titles)
    ax.set_yticks(range(means.shape[0]), list(claim.variants))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def show_gaps(shown: Card | str, base: str | Mapping[str, str], variants: Sequence[str] | None = None) -> Figure:
    """How far networks are above or below others as training goes on, and the losses of their training.

    Left, the mean gap in mean IoU with its uncertainty (95 %, Student's t over the seeds); right, the mean losses.

    Args:
        shown: A card, or the name of a claim whose runs are scored at several lengths, as "deeplab.steps".
        base: The variant that the others are compared with; or, for each variant to be drawn, its own, whose loss is
            dashed in the variant's color.
        variants: Which others; None takes all. Only where there is one base for all.

    Raises:
        ValueError: If the claim's runs are not scored at several lengths, or there is no such variant.
    """
    shown = card(shown) if isinstance(shown, str) else shown
    runs = shown.results.runs
    if isinstance(base, str):
        others = [variant for variant in runs if variant != base] if variants is None else list(variants)
        pairs = dict.fromkeys(others, base)
    else:
        pairs = dict(base)
    bases = list(dict.fromkeys(pairs.values()))
    unknown = [variant for variant in (*bases, *pairs) if variant not in runs]
    if unknown or any("losses" not in run for variant in (*bases, *pairs) for run in runs[variant]):
        raise ValueError(
            f"the runs of {shown.claim.name} must be scored at several lengths and have "
            f"{', '.join(unknown) or ', '.join(bases)}; it has {', '.join(runs)}, and deeplab.steps is such a claim"
        )
    figure, (left, right) = plt.subplots(1, 2, figsize=(FULL_WIDTH, 3.4), layout="constrained", width_ratios=(1.5, 1))
    of_all = len(bases) == 1
    left.axhline(0, color=COLORS["black"], label=bases[0] if of_all else None)
    if of_all:
        _draw_losses(right, runs[bases[0]], {"color": COLORS["black"], "marker": _MARKERS[0]})
    colors = [list(FAMILY_COLORS.values())[(number + 1) % len(FAMILY_COLORS)] for number in range(1, len(pairs) + 1)]
    for number, (variant, against) in enumerate(pairs.items()):
        style = {"color": colors[number], "marker": _MARKERS[1:][number]}
        gaps = 100 * np.array([
            [one - other for (_, one), (_, other) in zip(run["curve"], other["curve"], strict=False)]
            for run, other in zip(runs[variant], runs[against], strict=True)
        ])  # fmt: skip
        doubts = [uncertainty(list(column)) for column in gaps.T]
        own = [step for step, _ in runs[variant][0]["curve"]][: gaps.shape[1]]
        places = np.array(own) * 1.04**number  # side by side, so that no bar hides another
        label = variant if of_all else f"{variant}, against {against}"
        left.errorbar(
            places, gaps.mean(axis=0), doubts, capsize=4, label=label, color=style["color"], marker=style["marker"]
        )
        _draw_losses(right, runs[variant], style)
        if not of_all:  # as far as the variant was trained, too
            _draw_losses(right, runs[against], {**style, "linestyle": "--"}, until=own[-1])
    left.set(ylabel="gap in mean IoU, points")
    right.set(ylabel="training loss")
    steps = sorted({float(step) for line in right.lines for step in line.get_xdata()})
    for axis in (left, right):
        axis.set(xscale="log", xlabel="steps")
        axis.set_xticks(steps, [f"{step:,.0f}" for step in steps])
        axis.minorticks_off()
        axis.spines[["top", "right"]].set_visible(False)
    columns = 3 if of_all else 1
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=columns, frameon=False)
    return figure


def _draw_losses(ax: Axes, runs: Sequence[Values], style: Mapping[str, Any], until: float = float("inf")) -> None:
    """The mean loss over the seeds at each length of the training."""
    steps = [step for step, _ in runs[0]["losses"] if step <= until]
    losses = np.array([[loss for _, loss in run["losses"][: len(steps)]] for run in runs])
    ax.plot(steps, losses.mean(axis=0), **style)


def show_leaderboard(shown: Card | str = "results.leaderboard", lowest: float = 38.0, ax: Axes | None = None) -> Axes:
    """Mean IoU against operations, a point per network with the range of its seeds, its name beside it.

    Args:
        shown: A card, or the name of a claim whose variants are rows of the table of networks.
        lowest: Where the axis begins, in percent; a network below it stands at the edge, with an arrow and its number.
        ax: Where to draw; a new figure if None.
    """
    shown = card(shown) if isinstance(shown, str) else shown
    results = shown.results
    if ax is None:
        _, ax = plt.subplots(figsize=(FULL_WIDTH, 5.2), layout="constrained")
    names, places = [], []
    for variant in shown.claim.variants:
        mean, spread = (100 * value for value in results.mean_and_spread(variant, "mean_iou"))
        operations, color = results.mean_and_spread(variant, "gflops")[0], FAMILY_COLORS[network(variant).family]
        if mean < lowest:
            ax.plot(operations, lowest + 0.5, "v", color=color, markersize=9)
            name = f"{variant}: {mean:.1f} %, below"
            places.append((operations, lowest + 0.5, 0.0))
        else:
            ax.errorbar(operations, mean, spread, fmt="o", color=color, markersize=7, capsize=3)
            name = variant
            places.append((operations, mean, spread))
        names.append((name, color))
    ax.set(xscale="log", xlabel="operations per picture, billions", ylabel="mean IoU, %")
    low, high = min(x for x, _, _ in places), max(x for x, _, _ in places)
    ax.set_xlim(low / 1.7, high * 1.6)
    ax.set_ylim(lowest, max(y for _, y, _ in places) + 3)
    ticks = [tick for tick in (0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5) if low / 1.7 <= tick <= high * 1.6]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    _name_points(ax, places, names)
    return ax


def _name_points(ax: Axes, places: Sequence[tuple[float, float, float]], names: Sequence[tuple[str, str]]) -> None:
    """Writes each name beside its point, where it covers no point, no bar and no other name, or as few as can be.

    Args:
        ax: With its limits set.
        places: Of each point x, y and half the length of its bar.
        names: Of each point its name and color.
    """
    figure: Any = ax.figure
    figure.canvas.draw()  # so that places in pixels are known
    renderer, scale = figure.canvas.get_renderer(), figure.dpi / 72
    bars = [ax.transData.transform([(x, y - half), (x, y + half)]) for x, y, half in places]
    taken: list[Any] = [Bbox(bar).padded(5 * scale) for bar in bars]

    def write(
        name: str, color: str, place: tuple[float, float], offset: tuple[int, int, str]
    ) -> tuple[int, Annotation]:
        """The name there, and how many things it covers."""
        text = ax.annotate(name, place, offset[:2], textcoords="offset points", ha=offset[2], va="center", color=color,
                           fontsize=9)  # fmt: skip
        box = text.get_window_extent(renderer)
        inside = ax.bbox.contains(box.x0, box.y0) and ax.bbox.contains(box.x1, box.y1)
        return sum(box.overlaps(other) for other in taken) + 9 * (not inside), text

    for (name, color), (x, y, _) in zip(names, places, strict=True):
        tried = [write(name, color, (x, y), offset) for offset in _AROUND]
        best = min(range(len(tried)), key=lambda index: tried[index][0])  # of equal ones the first, the nearest
        for index, (_, text) in enumerate(tried):
            if index != best:
                text.remove()
        taken.append(tried[best][1].get_window_extent(renderer).padded(scale))
        if max(map(abs, _AROUND[best][:2])) > 12:
            ax.annotate("", (x, y), _AROUND[best][:2], textcoords="offset points",
                        arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.7, "shrinkB": 4})  # fmt: skip
