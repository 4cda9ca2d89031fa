"""What a detector works with, drawn over the picture: its anchors, and boxes with captions.

In both figures the coordinates of the axes are those of boxes: pixel 0 reaches from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import is_color_like, to_rgb
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from segtutor.metrics.arrays import to_numpy
from segtutor.plotting.architecture import inches_per_unit
from segtutor.plotting.overlays import INSTANCE_COLORS, as_picture

_COLORS = tuple((red / 255, green / 255, blue / 255) for red, green, blue in INSTANCE_COLORS)
_LINES = ("-", "--", ":", "-.")
_FONT, _PAD, _GAP = 9.0, 1.5, 1.5  # points: of the text, of the ground around it, between the ground and the box


def show_anchors(
    model: Any, image: Any, level: str = "P3", position: tuple[int, int] | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draws the centers of all anchors of a level, and the anchors of one position: a color per ratio.

    The anchors are those of one real pass through the network. Those of the padding are drawn, too.

    Args:
        model: A Mask R-CNN of the course, not on the meta device.
        image: 3 x H x W or H x W x 3, uint8 or float in 0...1.
        level: As the network calls it: "P2", "P3", ...; "C4" without a pyramid.
        position: Row and column of the level's map; the middle if None.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes; their unit is a pixel of the picture as the network resizes it.

    Raises:
        ValueError: If the network has no anchors, or there is no such level or position.
    """
    if not hasattr(model, "trace") or not hasattr(model, "settings"):
        raise ValueError(f"show_anchors needs a Mask R-CNN of the course, but {type(model).__name__} has no anchors")
    picture = as_picture(image)
    stages = model.trace([torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))])
    names = list(stages.features)
    if level not in names:
        raise ValueError(f"level must be one of {', '.join(names)}, but {level!r} came")
    index = names.index(level)
    h, w = stages.features[level].shape[-2:]
    row, column = (h // 2, w // 2) if position is None else position
    if row not in range(h) or column not in range(w):
        raise ValueError(
            f"position must be a row in 0...{h - 1} and a column in 0...{w - 1} of {level}, but {position} came"
        )
    anchors = stages.anchors[index].cpu().numpy().reshape(h, w, -1, 4)
    centers = (anchors[:, :, 0, :2] + anchors[:, :, 0, 2:]) / 2

    H, W = stages.image_sizes[0]
    boxes = anchors[row, column]
    low, high = boxes.min(axis=0), boxes.max(axis=0)
    across = min(low[0], 0) - 1, max(high[2], W, centers[..., 0].max()) + 1
    down = max(high[3], H, centers[..., 1].max()) + 1, min(low[1], 0) - 1
    ax = _canvas(ax, picture, (H, W), across, down, legend=True)
    apart = centers[0, 1, 0] - centers[0, 0, 0] if w > 1 else W
    points = 72 * inches_per_unit(ax) * float(apart)
    # An outline of white, or black dots are lost in dark pictures.
    dots: dict[str, Any] = {
        "s": min(3.0, 0.35 * points) ** 2,
        "color": "black",
        "edgecolor": "white",
        "linewidth": 0.08 * min(points, 6),
    }
    ax.scatter(centers[..., 0].ravel(), centers[..., 1].ravel(), label="centers", **dots)
    settings = model.settings
    kinds = [(ratio, size) for ratio in settings.anchor_ratios for size in settings.anchor_sizes[index]]
    for (x0, y0, x1, y1), (ratio, size) in zip(boxes.tolist(), kinds, strict=True):
        style: dict[str, Any] = {
            "edgecolor": _COLORS[settings.anchor_ratios.index(ratio) % len(_COLORS)],
            "linestyle": _LINES[settings.anchor_sizes[index].index(size) % len(_LINES)],
            "linewidth": 2.0,
        }
        label = f"{size:g} px, {_ratio_text(ratio)}"
        ax.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, label=label, **style))
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "frameon": False}
    ax.legend(title=f"{level}: side,\nheight : width", **place)
    return ax


def show_boxes(
    image: Any,
    boxes: Any,
    *,
    scores: Any = None,
    labels: Any = None,
    names: Sequence[str] | Mapping[int, str] | None = None,
    colors: Any = None,
    size: tuple[int, int] | None = None,
    view: tuple[float, float, float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draws boxes over a picture, each with a short caption beside it.

    Color means the label; without labels the score, dark blue for 0 to yellow for 1; without both nothing.

    Args:
        image: 3 x H x W or H x W x 3, uint8 or float in 0...1.
        boxes: R x 4, x0 y0 x1 y1.
        scores: R numbers, 0...1.
        labels: R whole numbers.
        names: Of the labels; without, captions have the numbers.
        colors: One color for all, or R colors, instead of those by label or score.
        size: Height and width of the picture that the boxes speak of, if ``image`` is the same drawn larger.
        view: x0, y0, x1, y1 of the part that is shown; all of it if None.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes; their unit is a pixel.

    Raises:
        ValueError: If boxes are not R x 4, the numbers of boxes, scores, labels and colors differ, or a label has no
            name.
    """
    picture = as_picture(image)
    corners = to_numpy(boxes)
    if not len(corners):
        corners = corners.reshape(-1, 4)
    if corners.ndim != 2 or corners.shape[1] != 4:
        raise ValueError(f"boxes must be R x 4 (x0 y0 x1 y1), but their shape is {corners.shape}")
    kinds = None if labels is None else [int(label) for label in to_numpy(labels)]
    values = None if scores is None else [float(score) for score in to_numpy(scores)]
    for name, given in (("scores", values), ("labels", kinds)):
        if given is not None and len(given) != len(corners):
            raise ValueError(f"give one of the {name} for each box: there are {len(given)} and {len(corners)} boxes")
    if kinds is not None and names is not None:
        known = set(names) if isinstance(names, Mapping) else set(range(len(names)))
        if unknown := sorted(set(kinds) - known):
            raise ValueError(f"names must hold one for each label, but there is none for {unknown}")
    H, W = picture.shape[:2] if size is None else size
    left, top, right, bottom = (0.0, 0.0, float(W), float(H)) if view is None else view
    ax = _canvas(ax, picture, (H, W), (left, right), (bottom, top))
    taken: list[np.ndarray] = []
    for index, color in enumerate(_box_colors(len(corners), kinds, values, colors)):
        x0, y0, x1, y1 = corners[index].tolist()
        ax.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=color, linewidth=1.8))
        words = []
        if kinds is not None:
            words.append(str(kinds[index]) if names is None else str(names[kinds[index]]))
        if values is not None:
            words.append(f"{values[index]:.2f}")
        if words:
            _caption(ax, " ".join(words), (x0, y0, x1, y1), (left, top, right, bottom), color, taken)
    return ax


def _ratio_text(ratio: float) -> str:
    """0.5 as "1:2", as precisely as small whole numbers can say it."""
    fraction = Fraction(ratio).limit_denominator(20)
    return f"{fraction.numerator}:{fraction.denominator}"


def _canvas(
    ax: Axes | None,
    picture: np.ndarray,
    size: tuple[int, int],
    across: tuple[float, float],
    down: tuple[float, float],
    legend: bool = False,
) -> Axes:
    """Axes with the picture stretched to H x W, and limits around it; a new figure has their aspect."""
    if ax is None:
        aspect = abs(down[1] - down[0]) / abs(across[1] - across[0])
        width = min(6.0, 6.0 / aspect)
        _, ax = plt.subplots(figsize=(width + (1.6 if legend else 0.0), width * aspect), layout="constrained")
    ax.imshow(picture, extent=(0, size[1], size[0], 0))
    ax.set(xlim=across, ylim=down, aspect="equal")
    ax.set_axis_off()
    return ax


def _box_colors(count: int, labels: Sequence[int] | None, scores: Sequence[float] | None, colors: Any) -> Iterable[Any]:
    if colors is not None:
        one = is_color_like(colors)  # three numbers are a color, three names are three colors
        if not one and len(colors) != count:
            raise ValueError(f"give one color, or one for each box: there are {len(colors)} and {count} boxes")
        return [colors] * count if one else list(colors)
    if labels is not None:
        return [_COLORS[label % len(_COLORS)] for label in labels]
    if scores is not None:
        return [plt.get_cmap("cividis")(min(1.0, max(0.0, score))) for score in scores]
    return [_COLORS[0]] * count


def _caption(
    ax: Axes, text: str, box: tuple[float, ...], view: tuple[float, ...], color: Any, taken: list[np.ndarray]
) -> None:
    """Writes over the box, else under or in it: the first place inside the picture that no caption has yet.

    Args:
        ax: Where the picture is.
        text: In one line.
        box: x0, y0, x1, y1.
        view: x0, y0, x1, y1 of the part of the picture that is shown.
        color: Of the ground.
        taken: Places of earlier captions, x0 y0 x1 y1; this one is added.
    """
    unit = 1 / (72 * inches_per_unit(ax))  # pixels of the picture for a point
    outline = TextPath((0, 0), text, size=_FONT).get_extents()
    # The screen's letters are up to a twentieth wider than their outlines.
    width, height = (1.05 * outline.x1 + 2 * _PAD) * unit, (1.2 * _FONT + 2 * _PAD) * unit
    x0, y0, _, y1 = box
    gap = _GAP * unit
    left = max(view[0], min(x0, view[2] - width))
    tops = [y0 - gap - height, y1 + gap, y0 + gap, y1 - gap - height, y0 + gap + height, (y0 + y1 - height) / 2]
    low, high = view[1], view[3] - height
    inside = [top for top in tops if low <= top <= high] or [max(low, min(y0, high))]
    places = [np.array([left, top, left + width, top + height]) for top in inside]
    free = [place for place in places if not any(_overlap(place, other) for other in taken)]
    place = (free or places)[0]
    taken.append(place)
    ax.add_patch(Rectangle((left, place[1]), width, height, facecolor=color, edgecolor="none", alpha=0.9, zorder=2.5))
    red, green, blue = to_rgb(color)
    dark = math.sqrt(0.3 * red**2 + 0.6 * green**2 + 0.1 * blue**2) < 0.5
    middle = place[1] + height / 2
    ax.text(
        left + _PAD * unit,
        middle,
        text,
        fontsize=_FONT,
        va="center_baseline",
        color="white" if dark else "black",
        zorder=2.6,
    )


def _overlap(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one[:2] < other[2:]).all() and (other[:2] < one[2:]).all())
