"""What one token takes from all others, drawn over the picture that the tokens come from.

Shapes: H W the picture, h w the map of the tokens, N = h w.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from segtutor.plotting.overlays import as_picture

_HEAT, _ASKING = "#D55E00", "#0072B2"


def show_attention(
    weights: Any,
    size: tuple[int, int],
    place: tuple[float, float],
    picture: Any,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Colors a pale picture where the weights are high; the color's strength follows them, the highest is full.

    Args:
        weights: N, none below zero: what one token takes from each token of a map.
        size: (h, w) of that map.
        place: (y, x) in pixels of the picture, the middle of what asks; a blue frame stands there.
        picture: H x W x 3 or 3 x H x W, uint8 or 0...1.
        title: Text above.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes.

    Raises:
        ValueError: If there is not one weight for each place of the map, or one is below zero.
    """
    values = np.asarray(weights, dtype=np.float64).ravel()
    if values.size != size[0] * size[1] or not (values >= 0).all() or not values.any():
        raise ValueError(
            f"weights must be {size[0]} x {size[1]} numbers of at least 0, not all 0, but {values.size} came, the "
            f"smallest {values.min() if values.size else None}; take one row after the softmax"
        )
    below = as_picture(picture)
    height, width = below.shape[:2]
    if ax is None:
        _, ax = plt.subplots(figsize=(4, 4 * height / width + 0.4), layout="constrained")
    gray = below.astype(np.float64).mean(axis=2)
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    ax.imshow(128 + gray / 2, cmap="gray", vmin=0, vmax=255, extent=extent)
    heat = np.empty((*size, 4))
    heat[..., :3], heat[..., 3] = to_rgb(_HEAT), values.reshape(size) / values.max()
    ax.imshow(heat, extent=extent, interpolation="nearest")
    side = max(height / size[0], 0.03 * height)
    for color, line in (("white", 4.0), (_ASKING, 2.2)):
        ax.add_patch(
            Rectangle((place[1] - side / 2, place[0] - side / 2), side, side, fill=False, edgecolor=color, lw=line)
        )
    ax.set(xlim=extent[:2], ylim=extent[2:])
    ax.set_axis_off()
    if title is not None:
        ax.set_title(title)
    return ax
