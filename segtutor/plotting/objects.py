"""Objects over a picture that may be drawn larger than the one a network saw, found and true ones in the same color."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from segtutor.metrics.masks import as_masks, pairwise_iou
from segtutor.plotting.detection import show_boxes
from segtutor.plotting.overlays import INSTANCE_COLORS, as_picture

NO_MATCH = "#202020"
"""Color of an object that no other one matches."""
_ALPHA = 0.5


def matched_colors(found: Any, truth: Any, least_iou: float = 0.5) -> tuple[list[str], list[str]]:
    """A color per object; a found and a true one that match share it, all others are black.

    Args:
        found: Masks R x H x W, best first.
        truth: Masks G x H x W.
        least_iou: What a match needs; each true object is matched once, by the best detection that meets it.

    Returns:
        R and G colors.
    """
    overlaps = pairwise_iou(as_masks(found, "found"), as_masks(truth, "truth"))
    colors = [f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in INSTANCE_COLORS]
    ours, theirs = [NO_MATCH] * overlaps.shape[0], [NO_MATCH] * overlaps.shape[1]
    for row, overlap in enumerate(overlaps):
        free = np.array([color == NO_MATCH for color in theirs])
        column = int(np.where(free, overlap, -1.0).argmax()) if free.any() else -1
        if column >= 0 and overlap[column] >= least_iou:
            ours[row] = theirs[column] = colors[column % len(colors)]
    return ours, theirs


def show_objects(
    picture: Any,
    things: Mapping[str, Any],
    names: Sequence[str],
    *,
    colors: Sequence[str],
    view: tuple[float, float, float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Masks, boxes and captions over a picture.

    Args:
        picture: 3 x H' x W' or H' x W' x 3; the masks' picture, or the same drawn larger.
        things: Masks R x H x W, boxes R x 4 and labels R, and perhaps scores R, as a network returns them.
        names: Of the labels.
        colors: R colors.
        view: x0, y0, x1, y1 of the part that is shown; all of it if None.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes; their unit is a pixel of the masks.
    """
    masks = as_masks(things["masks"], "things")
    size = masks.shape[1:]
    ax = show_boxes(
        picture, things["boxes"], scores=things.get("scores"), labels=things["labels"], names=names,
        colors=list(colors), size=(size[0], size[1]), view=view, ax=ax,
    )  # fmt: skip
    columns, rows = np.arange(size[1]) + 0.5, np.arange(size[0]) + 0.5
    for mask, color in zip(masks, colors, strict=True):
        if mask.any() and not mask.all():
            ax.contourf(columns, rows, mask.astype(float), levels=[0.5, 1.5], colors=[color], alpha=_ALPHA, zorder=1.5)
            ax.contour(columns, rows, mask.astype(float), levels=[0.5], colors=[color], linewidths=1.4, zorder=1.6)
    return ax


def pale(picture: Any, shades: int = 10) -> np.ndarray:
    """A light gray copy of a picture to draw on, H x W x 3 uint8, in few shades and without grain: its file is small.

    Raises:
        ValueError: If it is no picture.
    """
    gray = as_picture(picture).astype(np.float64).mean(axis=2)
    around = np.pad(gray, 1, mode="edge")
    rows, columns = gray.shape
    gray = np.mean([around[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0)  # less grain
    light = 255 - 0.45 * (255 - gray)
    step = 256 / (2 * shades)
    return np.repeat((np.round(light / step) * step).clip(max=255).astype(np.uint8)[..., None], 3, axis=2)
