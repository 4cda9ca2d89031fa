"""Which pixels a stack of dilated convolutions reads, and along how many paths: gridding made visible."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch.nn import functional as F

from segtutor.plotting.style import COLORS


def paths_to_pixels(rates: Sequence[int], side: int) -> np.ndarray:
    """Ways from the position in the middle, through 3 x 3 convolutions without a stride, to each pixel below it.

    Args:
        rates: Of the layers.
        side: Odd height and width of the map.

    Returns:
        side x side whole numbers.

    Raises:
        ValueError: If there is no rate, or the map is even or smaller than the field.

    >>> paths_to_pixels((1,), side=5)[2]
    array([0, 1, 1, 1, 0])
    """
    field = 1 + 2 * sum(rates)
    if not rates or min(rates) < 1 or side % 2 == 0 or side < field:
        raise ValueError(
            f"rates must be whole numbers of at least 1, and side an odd number of at least their field, here {field}, "
            f"but {tuple(rates)} and {side} came"
        )
    paths = torch.zeros(1, 1, side, side, dtype=torch.float64)
    paths[..., side // 2, side // 2] = 1
    for rate in rates:
        paths = F.conv2d(paths, paths.new_ones(1, 1, 3, 3), padding=rate, dilation=rate)
    counted: np.ndarray = paths[0, 0].round().long().numpy()
    return counted


def show_reach(rates: Sequence[int], side: int | None = None, *, ax: Axes | None = None) -> Axes:
    """Draws the pixels that a stack of 3 x 3 convolutions reads: the darker, the more paths; white ones are never read.

    Args:
        rates: Of the layers, without strides.
        side: Odd height and width of the map that is drawn; the field and a margin if None.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes; its title says how large the field is and which share of it is read.

    Raises:
        ValueError: If rates or side are malformed.
    """
    field = 1 + 2 * sum(rates)
    paths = paths_to_pixels(rates, field + 4 if side is None else side)
    side = len(paths)
    if ax is None:
        _, ax = plt.subplots(figsize=(4, 4.4), layout="constrained")
    shade = np.ma.masked_equal(np.sqrt(paths / paths.max()), 0)  # or only the middle would show
    ax.imshow(shade, cmap="Blues", vmin=-0.35, vmax=1)
    ax.set_xticks(np.arange(side + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(side + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="#BBBBBB", linewidth=0.5)
    ax.tick_params(which="both", length=0, labelleft=False, labelbottom=False)
    ax.set_frame_on(False)
    corner = side // 2 - field // 2 - 0.5
    ax.add_patch(Rectangle((corner, corner), field, field, fill=False, color=COLORS["red"], linewidth=2.5))
    share = (paths > 0).sum() / field**2
    ax.set_title(f"rates {', '.join(map(str, rates))}: field {field} × {field},\n{share:.0%} of its pixels are read")
    return ax
