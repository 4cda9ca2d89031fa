"""What a second step does to a label map: which pixels it repairs, and which it breaks."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from segtutor.metrics.arrays import integer_map, same_shape

STILL_RIGHT, STILL_WRONG, REPAIRED, BROKEN, VOID = range(5)
CHANGE_COLORS = np.array(
    [(250, 250, 250), (185, 185, 185), (0, 114, 178), (230, 159, 0), (255, 255, 255)], dtype=np.uint8
)
_NAMES = {REPAIRED: "repaired", BROKEN: "broken", STILL_WRONG: "wrong before and after"}


def change_map(target: Any, before: Any, after: Any, ignore_index: int = 255) -> np.ndarray:
    """What happened to each pixel: STILL_RIGHT, STILL_WRONG, REPAIRED, BROKEN or VOID, H x W uint8.

    Args:
        target: True label map H x W.
        before: Label map of the first step.
        after: Label map of the second.
        ignore_index: Void in the target.

    Raises:
        ValueError: If the shapes differ or the labels are no integers.

    >>> change_map([[1, 1, 1, 1, 255]], [[1, 0, 0, 1, 0]], [[1, 0, 1, 2, 0]]).tolist()
    [[0, 1, 2, 3, 4]]
    """
    target, before, after = (
        integer_map(array, name) for array, name in ((target, "target"), (before, "before"), (after, "after"))
    )
    same_shape(target, before, "target", "before")
    same_shape(target, after, "target", "after")
    outcomes = np.array([STILL_WRONG, REPAIRED, BROKEN, STILL_RIGHT], dtype=np.uint8)
    changes: np.ndarray = outcomes[2 * (before == target) + (after == target)]
    changes[target == ignore_index] = VOID
    return changes


def show_changes(target: Any, before: Any, after: Any, ax: Axes, ignore_index: int = 255) -> Axes:
    """Draws ``change_map``; the title says which share of the labeled pixels is right, before and after.

    Args:
        target: True label map H x W.
        before: Label map of the first step.
        after: Label map of the second.
        ax: Where to draw.
        ignore_index: Void in the target.
    """
    changes = change_map(target, before, after, ignore_index)
    counts = np.bincount(changes.ravel(), minlength=5)
    labeled = int(counts[:VOID].sum())
    ax.imshow(CHANGE_COLORS[changes])
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color("0.8")
    first, second = ((counts[STILL_RIGHT] + counts[one]) / labeled for one in (BROKEN, REPAIRED))
    ax.set_title(f"right: {first:.1%} → {second:.1%}")
    return ax


def change_patches() -> list[Patch]:
    """The legend of ``show_changes``, as handles."""
    return [
        Patch(facecolor=tuple(CHANGE_COLORS[kind] / 255), edgecolor="0.4", linewidth=0.5, label=name)
        for kind, name in _NAMES.items()
    ]
