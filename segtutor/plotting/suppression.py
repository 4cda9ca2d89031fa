"""Which boxes non-maximum suppression leaves, under a slider for its threshold, alive without a kernel."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from segtutor.metrics.arrays import to_numpy
from segtutor.plotting.overlays import as_picture
from segtutor.plotting.steps import MovableFigure, stepped_page

_JPEG_QUALITY = 88
_PIXELS = 3.6
"""Of the page, for a pixel of the picture that the boxes speak of."""
_TAG = (12.0, 5.6)
"""Width and height of a score's ground, in pixels of that picture."""
_STYLE = """\
.segtutor-suppression svg {background-size: 100% 100%; max-width: 40rem}
.segtutor-suppression rect {fill: none; vector-effect: non-scaling-stroke}
.segtutor-suppression .gone {stroke: #fff; stroke-width: 1.2; stroke-dasharray: 3 3; stroke-opacity: .8}
.segtutor-suppression .under {stroke: #000; stroke-width: 5}
.segtutor-suppression .kept {stroke: #F0E442; stroke-width: 3}
.segtutor-suppression text {font: 4.4px system-ui,sans-serif; fill: #000}
.segtutor-suppression .tag {fill: #F0E442}
"""


def suppress(boxes: Any, scores: Any, threshold: float) -> list[int]:
    """Greedy non-maximum suppression (Faster R-CNN §3.3): indices of the boxes that stay, best first.

    Args:
        boxes: R x 4.
        scores: R.
        threshold: A box goes if its IoU with a better one that stays is larger than this.

    >>> suppress([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], [0.8, 0.9, 0.5], 0.5)
    [1, 2]
    """
    corners, values = np.asarray(to_numpy(boxes), dtype=np.float64), np.asarray(to_numpy(scores), dtype=np.float64)
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    left, kept = list(np.argsort(-values, kind="stable")), []
    while left:
        best, *rest = left
        kept.append(int(best))
        low, high = np.maximum(corners[rest, :2], corners[best, :2]), np.minimum(corners[rest, 2:], corners[best, 2:])
        inside = (high - low).clip(min=0).prod(axis=1)
        iou = inside / (areas[rest] + areas[best] - inside)
        left = [index for index, overlap in zip(rest, iou, strict=True) if overlap <= threshold]
    return kept


def movable_suppression(
    picture: Any,
    boxes: Any,
    scores: Any,
    thresholds: Sequence[float],
    *,
    size: tuple[int, int],
    view: tuple[float, float, float, float] | None = None,
    says: Sequence[str] = (),
) -> MovableFigure:
    """A picture with the candidates of one class; a slider sets the IoU above which the worse of two boxes goes.

    Args:
        picture: 3 x H' x W' or H' x W' x 3; may be larger than the one that the boxes speak of.
        boxes: R x 4, in pixels of a picture of ``size``.
        scores: R.
        thresholds: One per step.
        size: Height and width that the boxes speak of.
        view: x0, y0, x1, y1 of the part that is shown; all of it if None.
        says: A sentence for each step, behind the one that counts the boxes.

    Raises:
        ValueError: If there is no threshold, or not one sentence for each.
    """
    if not thresholds or (says and len(says) != len(thresholds)):
        raise ValueError(f"a sentence per threshold is needed, but {len(says)} and {len(thresholds)} came")
    x0, y0, x1, y1 = view or (0.0, 0.0, float(size[1]), float(size[0]))
    pixels = as_picture(picture)
    scale = pixels.shape[0] / size[0]
    cut = pixels[round(y0 * scale) : round(y1 * scale), round(x0 * scale) : round(x1 * scale)]
    encoded = io.BytesIO()
    Image.fromarray(cut).save(encoded, "JPEG", quality=_JPEG_QUALITY)
    ground = base64.b64encode(encoded.getvalue()).decode("ascii")
    corners, values = to_numpy(boxes), to_numpy(scores)
    frames = []
    for number, threshold in enumerate(thresholds):
        kept = suppress(corners, values, threshold)
        gone = [index for index in range(len(corners)) if index not in kept]
        drawn = "".join(_rectangle(corners[index], "gone") for index in gone)
        for index in reversed(kept):  # the best on top
            drawn += _rectangle(corners[index], "under") + _rectangle(corners[index], "kept")
        taken: list[tuple[float, float]] = []
        for index in kept:
            drawn += _tag(corners[index], float(values[index]), y0, taken)
        count = f"{len(kept)} of {len(corners)} boxes stay (yellow)."
        words = f"{count} {says[number]}" if says else count
        frames.append(
            f'<svg viewBox="{x0:g} {y0:g} {x1 - x0:g} {y1 - y0:g}" width="{_PIXELS * (x1 - x0):g}" role="img" '
            f'aria-label="The candidates over the picture; {count}">{drawn}</svg><p>{words}</p>'
        )
    style = _STYLE + f".segtutor-suppression svg {{background-image: url(data:image/jpeg;base64,{ground})}}\n"
    names = [f"{threshold:g}" for threshold in thresholds]
    label = "A box goes if its IoU with a better one is above"
    return MovableFigure(len(frames), stepped_page(frames, label, names, kind="suppression", style=style))


def _rectangle(box: np.ndarray, kind: str) -> str:
    x0, y0, x1, y1 = box.tolist()
    return f'<rect class="{kind}" x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}"/>'


def _tag(box: np.ndarray, score: float, top: float, taken: list[tuple[float, float]]) -> str:
    """The score on a small ground over the box, or the next free place below that; the place is added to ``taken``."""
    width, height = _TAG
    x, y = float(box[0]), max(float(box[1]) - height, top + 0.5)
    while any(abs(x - other) < width and abs(y - line) < height for other, line in taken):
        y += height
    taken.append((x, y))
    return (
        f'<rect class="tag" x="{x:.1f}" y="{y:.1f}" width="{width:g}" height="{height:g}"/>'
        f'<text x="{x + 1:.1f}" y="{y + 4.3:.1f}">{score:.2f}</text>'
    )
