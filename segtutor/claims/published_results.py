"""The published results of the networks of the course: how each was measured, where it stands, and a figure of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from segtutor import resources
from segtutor.datasets.files import check_choice
from segtutor.plotting.style import FULL_WIDTH
from segtutor.tables import render

KINDS = ("paper", "ablation", "code base")
COLUMNS = ("network", "on", "result, %", "trained on besides", "at test time", "source, how known, what else differs")
CORRECTION_COLUMNS = ("network", "said", "exactly", "what was imprecise", "source")

# Shape: what was done at test time. Color: what the network had learned from. Okabe-Ito, dark enough on white.
_MARKERS = {"single scale": "o", "multi-scale": "^", "CRF": "s"}
_MARKER_WORDS = {"single scale": "single scale", "multi-scale": "several scales", "CRF": "with a CRF"}
_COLORS = {"ImageNet": "#000000", "more labels": "#0072B2", "JFT-300M": "#D55E00"}
_COLOR_WORDS = {"ImageNet": "ImageNet only", "more labels": "more public data", "JFT-300M": "JFT-300M, private"}
_SPLIT_WORDS = {
    "test": "test set (labels withheld)",
    "test-dev": "test-dev (labels withheld)",
    "val": "val set",
    "minival": "minival (the same pictures as val2017)",
    "val2017": "val2017",
}


@dataclass(frozen=True)
class PublishedResult:
    """One number that somebody published, with what it takes to compare it with another one.

    Attributes:
        network: Family, a lesson's: "FCN", "PSPNet", "Mask R-CNN", "DeepLab v2", "DeepLab v3" or "DeepLab v3+".
        model: Which of the family, "FCN-8s".
        backbone: The classification network inside.
        year: When the network's paper appeared.
        source: The paper or the code base that gives the number, written out.
        short_source: The same in a word or two.
        place: Where it stands there.
        kind: "paper" (a result that the paper compares with others), "ablation" or "code base" (another training).
        dataset: Its name, with the number of classes where that varies.
        split: "test", "test-dev", "val", "minival" or "val2017".
        metric: "mean IoU", "mask AP" or "box AP".
        value: In percent, 0 to 100.
        training_data: What it learned from besides the data set itself. SBD's labels of VOC's own pictures are not
            counted, nor are the fine labels of Cityscapes.
        protocol: Class of test-time protocol: "single scale", "multi-scale" or "CRF".
        test_time: The protocol in words.
        trust: How this course knows the number.
        seed: What the tutorial that this course grew from says, where it gives this number.
        correction: What is imprecise about that.
        note: What else differs.
    """

    network: str
    model: str
    backbone: str
    year: int
    source: str
    short_source: str
    place: str
    kind: str
    dataset: str
    split: str
    metric: str
    value: float
    training_data: tuple[str, ...]
    protocol: str
    test_time: str
    trust: str
    seed: str | None = None
    correction: str | None = None
    note: str | None = None

    @property
    def extra_data(self) -> str:
        """Class of training data: "ImageNet" alone, "more labels" that are public, or "JFT-300M", which is not."""
        if "JFT-300M" in self.training_data:
            return "JFT-300M"
        return "ImageNet" if self.training_data == ("ImageNet",) else "more labels"


@cache
def _all() -> tuple[PublishedResult, ...]:
    content = json.loads(resources.data("published_results.json").read_text(encoding="utf-8"))
    sources, trust = content["sources"], content["trust"]
    return tuple(
        PublishedResult(
            **item
            | {
                "source": sources[item["source"]]["title"],
                "short_source": sources[item["source"]]["short"],
                "trust": trust[item["trust"]],
                "training_data": tuple(item["training_data"]),
            }
        )
        for item in content["results"]
    )


def published(
    network: str | None = None, dataset: str | None = None, *, kind: str | None = None
) -> list[PublishedResult]:
    """Published results, in the order of the lessons.

    Args:
        network: Only this family; see ``PublishedResult.network``.
        dataset: Only this data set, such as "PASCAL VOC 2012", "Cityscapes" or "COCO".
        kind: "paper", "ablation" or "code base"; all if None.

    Raises:
        ValueError: If there is no such network, data set or kind.

    Example:
        >>> [(result.value, result.split) for result in published("PSPNet", "PASCAL VOC 2012", kind="paper")]
        [(82.6, 'test'), (85.4, 'test')]
    """
    results = _all()
    if network is not None:
        check_choice("network", network, dict.fromkeys(result.network for result in results))
    if dataset is not None:
        check_choice("dataset", dataset, dict.fromkeys(result.dataset for result in results))
    if kind is not None:
        check_choice("kind", kind, KINDS)
    return [
        result
        for result in results
        if network in (None, result.network) and dataset in (None, result.dataset) and kind in (None, result.kind)
    ]


def published_table(network: str | None = None, format: str = "html", *, kind: str | None = "paper") -> str:
    """A table with a row for each published number.

    Args:
        network: Only this family; all if None.
        format: "html" or "markdown".
        kind: "paper" for what the papers compare, "ablation", "code base", or None for all of them.
    """
    check_choice("format", format, ("html", "markdown"))
    return render(COLUMNS, [_row(result) for result in published(network, kind=kind)], format)


def published_corrections(format: str = "html") -> str:
    """Every result of the tutorial that this course grew from, beside the exact statement.

    Args:
        format: "html" or "markdown".
    """
    check_choice("format", format, ("html", "markdown"))
    rows = [
        (result.model, result.seed, _exactly(result), result.correction or "", f"{result.source}; {result.place}")
        for result in _all()
        if result.seed
    ]
    return render(CORRECTION_COLUMNS, rows, format)


def show_published(dataset: str = "PASCAL VOC 2012", ax: Axes | None = None, *, kind: str = "paper") -> Axes:
    """Draws the results on one data set as dots, a row per model, the splits in bands of their own.

    The shape of a dot says what was done at test time, its color what the network had learned from; the values stand
    at the right. Numbers are comparable only within a band, and only between dots of one shape and one color.

    Args:
        dataset: As in ``published``.
        ax: Where to draw; a new figure if None.
        kind: "paper" or "code base". An ablation's numbers differ by what their notes say, which no dot can show:
            read them in ``published_table(kind="ablation")``.

    Raises:
        ValueError: If there is no such data set or kind, or no such result on it.
    """
    check_choice("kind", kind, ("paper", "code base"))
    results = [result for result in published(dataset=dataset, kind=kind) if result.metric != "box AP"]
    if not results:
        there = dict.fromkeys(result.kind for result in published(dataset=dataset))
        raise ValueError(f"{dataset} has no result of kind {kind!r}; it has {', '.join(there)}")
    rows = _rows(results)
    if ax is None:
        _, ax = plt.subplots(figsize=(FULL_WIDTH, 1.5 + 0.25 * len(rows)), layout="constrained")
    for height, (label, dots) in enumerate(rows):
        if label is None:  # the head of a band
            ax.axhspan(height - 0.45, height + 0.45, color="#E8E8E8", linewidth=0, zorder=0)
            ax.text(0.01, height, _SPLIT_WORDS[dots[0].split], transform=ax.get_yaxis_transform(), va="center",
                    fontsize=10, fontweight="bold")  # fmt: skip
            continue
        for dot in dots:
            ax.plot(dot.value, height, _MARKERS[dot.protocol], color=_COLORS[dot.extra_data], markersize=8,
                    markeredgecolor="white", markeredgewidth=0.8)  # fmt: skip
        ax.text(1.01, height, "  ".join(str(value) for value in sorted(dot.value for dot in dots)),
                transform=ax.get_yaxis_transform(), va="center", fontsize=9)  # fmt: skip
    places = [(height, label) for height, (label, _) in enumerate(rows) if label is not None]
    ax.set_yticks([height for height, _ in places], [label for _, label in places], fontsize=9)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(f"{results[0].metric}, %", fontsize=10)
    ax.set_title(dataset, fontsize=11)
    ax.margins(x=0.08)
    ax.grid(axis="x", alpha=0.3)
    ax.tick_params(left=False)
    ax.spines[["top", "right", "left"]].set_visible(False)
    _legend(ax, results)
    return ax


def _row(result: PublishedResult) -> tuple[str, ...]:
    source = f"{result.short_source}; {result.place} ({result.trust})"
    return (
        f"{result.model}, {result.backbone} ({result.year})",
        f"{result.dataset}, {result.split}",
        str(result.value) if result.metric == "mean IoU" else f"{result.value} {result.metric}",
        ", ".join(result.training_data),
        f"{result.protocol}: {result.test_time}",
        f"{source}: {result.note}" if result.note else source,
    )


def _exactly(result: PublishedResult) -> str:
    return (
        f"{result.value} {result.metric} on {result.dataset} {result.split}: {result.backbone}, "
        f"trained also on {', '.join(result.training_data)}; {result.test_time}"
    )


def _rows(results: Sequence[PublishedResult]) -> list[tuple[str | None, list[PublishedResult]]]:
    """Rows of the figure from the top: label and dots; the head of a band has no label and all dots of its split."""
    rows: list[tuple[str | None, list[PublishedResult]]] = []
    for split in _SPLIT_WORDS:
        band = [result for result in results if result.split == split]
        if not band:
            continue
        models: dict[str | None, list[PublishedResult]] = {}
        for result in band:
            origin = str(result.year) if result.kind == "paper" else result.short_source
            models.setdefault(f"{result.model}, {result.backbone} ({origin})", []).append(result)
        rows += [(None, band), *models.items()]
    return rows


def _legend(ax: Axes, results: Sequence[PublishedResult]) -> None:
    """What the shapes and the colors of these results mean, under the axes; a column for each."""
    shapes = [
        Line2D([], [], linestyle="", marker=marker, color="#777777", markersize=9, label=_MARKER_WORDS[name])
        for name, marker in _MARKERS.items()
        if any(result.protocol == name for result in results)
    ]
    colors = [
        Line2D([], [], linestyle="", marker="D", color=color, markersize=8, label=_COLOR_WORDS[name])
        for name, color in _COLORS.items()
        if any(result.extra_data == name for result in results)
    ]
    # the legend fills its columns from the top: the shorter list is filled up, so that each keeps its own column
    length = max(len(shapes), len(colors))
    blank = Line2D([], [], linestyle="", label=" ")
    handles = [entry for part in (shapes, colors) for entry in part + [blank] * (length - len(part))]
    ax.legend(handles=handles, ncols=2, loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=4, frameon=False,
              fontsize=9)  # fmt: skip
