"""A mask as scissors: what it keeps of a picture, and where its outline leaves the true one."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.plotting.overlays import _axes, _numpy, as_picture

PAPER = (222, 229, 238)
"""A pale blue: a white shirt that is kept can be told from one that is lost."""
TRUTH_COLOR = "#D55E00"
BOX_COLOR = "#0072B2"


def show_cutout(
    image: Any,
    mask: Any,
    ax: Any = None,
    *,
    truth: Any = None,
    box: tuple[float, float, float, float] | None = None,
    faint: float = 0.12,
) -> Any:
    """What a mask keeps of a picture; the rest fades to a pale blue.

    Args:
        image: 3 x H x W or H x W x 3, uint8 or float in 0...1.
        mask: H x W, true where the picture is kept.
        ax: Where to draw; a new figure if None.
        truth: H x W, the mask that should have come out; its outline is drawn in red.
        box: x0, y0, x1, y1 in continuous coordinates, drawn in blue: what a user gave.
        faint: How much of the picture is left outside the mask, 0...1.

    Returns:
        The matplotlib Axes.

    Raises:
        ValueError: If a mask is not bool or not of the picture's size, or ``faint`` is outside 0...1.
    """
    picture = as_picture(image)
    kept = _mask(mask, "mask", picture)
    if not 0 <= faint <= 1:
        raise ValueError(f"faint must be from 0 (blank) to 1 (the picture), but it is {faint!r}")
    outline = None if truth is None else _mask(truth, "truth", picture)
    axes = _axes(ax)
    faded = np.round(faint * picture + (1 - faint) * np.array(PAPER)).astype(np.uint8)
    axes.imshow(np.where(kept[..., None], picture, faded))
    if outline is not None and outline.any() and not outline.all():
        axes.contour(outline, levels=[0.5], colors=TRUTH_COLOR, linewidths=1.4)
    if box is not None:
        from matplotlib.patches import Rectangle

        x0, y0, x1, y1 = (float(value) for value in box)
        # Continuous coordinates: pixel 0 reaches from 0 to 1, while imshow centers it on 0.
        axes.add_patch(
            Rectangle((x0 - 0.5, y0 - 0.5), x1 - x0, y1 - y0, fill=False, edgecolor=BOX_COLOR, linewidth=1.6)
        )
    return axes


def _mask(values: Any, name: str, picture: np.ndarray) -> np.ndarray:
    mask = _numpy(values)
    if mask.dtype != np.bool_ or mask.shape != picture.shape[:2]:
        raise ValueError(
            f"{name} must be bool and {picture.shape[0]} x {picture.shape[1]} as the picture, but it is {mask.dtype} "
            f"{mask.shape}; compare probabilities with a threshold first, as probability > 0.5"
        )
    return mask
