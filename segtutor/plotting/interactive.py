"""A precision-recall curve that can be moved: sliders for score and IoU, alive without a kernel and without a network.

Everything that can be shown is computed here, with ``segtutor.metrics``, for every position of the sliders. The script
in ``interactive.js`` only looks it up, so a number on the page cannot differ from the one in Python. Picture, outlines
and script travel in one piece of HTML. R detections, G objects, T IoU thresholds.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from segtutor.metrics.curves import (
    average_precision,
    match_detections,
    precision_at_levels,
    precision_envelope,
    precision_recall_curve,
)
from segtutor.metrics.masks import as_masks, pairwise_iou
from segtutor.plotting.overlays import as_picture
from segtutor.plotting.waking import waking_page

METHODS = ("5point", "11point", "101point", "area")
IOU_THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(14))
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 300, 240, 42, 36  # of the curve's drawing and its margins, in SVG units
_NAME = 9  # of a letter or number in the picture: so far apart, in its pixels, two of them can be told apart
_METHOD_NAMES = {"area": "area under the envelope"}


@dataclass(frozen=True, eq=False)
class MovableCurve:
    """What a notebook shows as the movable figure.

    Attributes:
        states: Per IoU threshold what ``curve_states`` gives.
        scores: R scores, falling.
        html: The whole figure, to be put into any page.
    """

    states: list[dict[str, Any]]
    scores: list[float]
    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Movable precision-recall curve of {len(self.scores)} detections at {len(self.states)} IoU thresholds"


def movable_precision_recall(
    image: Any,
    objects: Any,
    detections: Any,
    scores: Any,
    iou_thresholds: Sequence[float] = IOU_THRESHOLDS,
    start: tuple[float, float] = (0.5, 0.5),
) -> MovableCurve:
    """A figure with two sliders: which detections pass, which objects they hit, and what that does to the curve.

    Args:
        image: 3 x H x W or H x W x 3, uint8 or float in 0...1.
        objects: Masks G x H x W of the objects of one class.
        detections: Masks R x H x W of the detections of that class, in any order.
        scores: R scores in 0...1.
        iou_thresholds: Positions of the IoU slider, rising.
        start: Score and IoU at which the sliders stand at first; the IoU is one of ``iou_thresholds``.

    Returns:
        An object that JupyterLab, Colab and a static page show as the figure; GitHub, which runs no scripts, shows a
            sentence.

    Raises:
        ValueError: If the sizes or the numbers of masks and scores do not fit, a score is outside 0...1, there is no
            object, or ``start`` is not on the sliders.
    """
    picture = as_picture(image)
    truth, found = as_masks(objects, "objects"), as_masks(detections, "detections")
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != (len(found),) or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"there must be one score in 0...1 for each of the {len(found)} detections, but they are "
                         f"{values.tolist()}")  # fmt: skip
    for name, masks in (("objects", truth), ("detections", found)):
        if masks.shape[1:] != picture.shape[:2]:
            raise ValueError(f"{name} must be as large as the image, {picture.shape[:2]}, not {masks.shape[1:]}")
    thresholds = [float(threshold) for threshold in iou_thresholds]
    if start[1] not in thresholds or not 0 <= start[0] <= 1:
        raise ValueError(f"start must be a score in 0...1 and one of the IoU thresholds {thresholds}, not {start}")
    order = np.argsort(-values, kind="stable")
    values, found = values[order], found[order]
    overlaps = pairwise_iou(found, truth)
    states = curve_states(values, overlaps, thresholds)
    data = {"scores": values.tolist(), "methods": METHODS, "states": states}
    page = _page(picture, truth, found, values, overlaps, data, (start[0], thresholds.index(start[1])))
    return MovableCurve(states, values.tolist(), page)


def curve_states(scores: Any, overlaps: np.ndarray, iou_thresholds: Sequence[float]) -> list[dict[str, Any]]:
    """All that the figure can show, one dict per IoU threshold, ready for JSON.

    Args:
        scores: R scores, falling.
        overlaps: R x G, IoU of each detection with each object.
        iou_thresholds: T.

    Returns:
        Each with "iou"; "matched", the object that each detection hits or -1; "precision", "recall" and "envelope",
        R + 1 points of the curve, the first at recall 0; "levels", for each method with points, which point of the
        envelope counts at each level (R + 1: not reached); and "passing": for 0...R passing detections the number of
        hits, precision and recall as texts, and the AP of these detections alone by each of ``METHODS``, as texts.

    Raises:
        ValueError: If there is no object, or for what ``match_detections`` refuses.

    >>> curve_states([0.9, 0.8], np.array([[0.6], [0.7]]), [0.5])[0]["matched"]
    [0, -1]
    """
    num_objects = overlaps.shape[1]
    if num_objects == 0:
        raise ValueError("there must be at least one object, since recall is a share of the objects")
    states = []
    for threshold in iou_thresholds:
        is_match = match_detections(scores, overlaps, threshold)
        precision, recall, _ = precision_recall_curve(scores, is_match, num_objects)
        envelope = precision_envelope(precision)
        # The envelope falls, so a value tells its place: the first point that has it. Behind the last one stands 0.
        heights = np.append(envelope, 0.0)
        levels = {
            method: [int(np.argmax(heights == height)) + 1 for height in precision_at_levels(precision, recall, count)]
            for method, count in (("5point", 5), ("11point", 11), ("101point", 101))
        }
        first = envelope[:1] if len(envelope) else np.zeros(1)
        states.append({
            "iou": f"{threshold:.2f}",
            "matched": _matched_objects(is_match, overlaps),
            "precision": _rounded(np.concatenate([precision[:1], precision])),
            "recall": _rounded(np.concatenate([[0.0], recall])),
            "envelope": _rounded(np.concatenate([first, envelope])),
            "levels": levels,
            "passing": [_passing(precision[:n], recall[:n], int(is_match[:n].sum())) for n in range(len(recall) + 1)],
        })  # fmt: skip
    return states


def _matched_objects(is_match: np.ndarray, overlaps: np.ndarray) -> list[int]:
    """The object that each hit takes: the best free one, the last of equal ones, in the order of the detections."""
    free = np.ones(overlaps.shape[1], dtype=bool)
    matched = []
    for hit, overlap in zip(is_match, overlaps, strict=True):
        candidates = np.where(free, overlap, -1.0)
        best = len(candidates) - 1 - int(np.argmax(candidates[::-1]))
        matched.append(best if hit else -1)
        free[best] &= not hit
    return matched


def _passing(precision: np.ndarray, recall: np.ndarray, hits: int) -> list[Any]:
    """Hits, precision, recall and the APs when only these detections pass the score threshold."""
    now = [f"{precision[-1]:.3f}", f"{recall[-1]:.3f}"] if len(precision) else ["undefined (0 of 0)", "0.000"]
    return [hits, *now, [f"{average_precision(precision, recall, method):.3f}" for method in METHODS]]


def _rounded(values: np.ndarray) -> list[float]:
    return np.round(values, 4).tolist()


def _page(
    picture: np.ndarray,
    objects: np.ndarray,
    detections: np.ndarray,
    scores: np.ndarray,
    overlaps: np.ndarray,
    data: dict[str, Any],
    start: tuple[float, int],
) -> str:
    """The figure as one piece of HTML; the script finds every figure of the page that does not live yet."""
    rows = "".join(
        f"<tr><td>{rank}</td><td>{score:.2f}</td><td>{_best_overlap(overlap)}</td><td></td></tr>"
        for rank, (score, overlap) in enumerate(zip(scores, overlaps, strict=True), start=1)
    )
    methods = "".join(
        f"<tr><td>{_METHOD_NAMES.get(method, method.replace('point', ' points'))}</td><td></td><td></td></tr>"
        for method in METHODS
    )
    options = "".join(
        f'<option value="{method}"{" selected" if method == "area" else ""}>'
        f"{_METHOD_NAMES.get(method, method.replace('point', ' points'))}</option>"
        for method in METHODS
    )
    packed = json.dumps(data, separators=(",", ":"))  # holds no apostrophe: names of fields and numbers only
    last = len(data["states"]) - 1
    # JupyterLab would take the arrow keys for itself and fold headings; this attribute leaves them to the sliders.
    controls = '<div class="controls" data-lm-suppress-shortcuts="true">'
    figure = f"""<style>{_beside("css")}</style>
{controls}
<label>Score at least <input class="score" type="range" min="0" max="1" step="0.01" value="{start[0]}">
<output></output></label>
<label>IoU at least <input class="iou" type="range" min="0" max="{last}" step="1" value="{start[1]}">
<output></output></label>
<label>Draw AP as <select>{options}</select></label>
</div>
<p class="says" aria-live="polite"></p>
<div class="parts" data-curve='{packed}'>
{_picture_svg(picture, objects, detections)}
{_curve_svg()}
<table class="ap"><caption>AP at this IoU</caption><thead><tr><th>method</th><th>all<br>detections</th>
<th>passing<br>only</th></tr></thead><tbody>{methods}</tbody></table>
<table class="list"><caption>Detections by falling score</caption><thead><tr><th></th><th>score</th><th>best IoU</th>
<th>counts as</th></tr></thead><tbody>{rows}</tbody></table>
</div>"""
    return waking_page("segtutor-curve", figure, _beside("js"))


def _beside(kind: str) -> str:
    """Text of the script or the style that stands beside this file."""
    return Path(__file__).with_suffix(f".{kind}").read_text(encoding="utf-8")


def _best_overlap(overlap: np.ndarray) -> str:
    """The largest IoU of a detection and the object that it belongs to, as text."""
    best = int(overlap.argmax())
    return f"{overlap[best]:.2f} with {_letter(best)}" if overlap[best] else "none"


def _letter(number: int) -> str:
    """A, B, ... Z, A1, B1, ...: the name of an object in the picture."""
    return chr(ord("A") + number % 26) + (str(number // 26) if number >= 26 else "")


def _picture_svg(picture: np.ndarray, objects: np.ndarray, detections: np.ndarray) -> str:
    height, width = picture.shape[:2]
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=80)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    taken: list[tuple[float, float]] = []
    parts = [_outline(mask, _letter(number), "object", "top", taken) for number, mask in enumerate(objects)]
    parts += [_outline(mask, str(rank), "detection", "bottom", taken) for rank, mask in enumerate(detections, start=1)]
    return (
        f'<svg class="view" viewBox="0 0 {width} {height}" role="img" aria-label="The picture with {len(objects)} '
        f'objects, lettered, and {len(detections)} detections, numbered; the list names their state">'
        f'<image width="{width}" height="{height}" href="data:image/jpeg;base64,{encoded}"/>{"".join(parts)}</svg>'
    )


def _free_place(
    x: float, y: float, inward: int, size: tuple[int, ...], taken: list[tuple[float, float]]
) -> tuple[float, float]:
    """The nearest place in the picture where a name hides no other; first into its own mask."""
    for step in range(len(taken) + 1):
        for right, down in ((0, inward), (1, 0), (-1, 0), (0, -inward)):
            spot = x + _NAME * step * right, y + _NAME * step * down
            inside = 8 <= spot[0] <= size[1] - 8 and 8 <= spot[1] <= size[0] - 2
            if inside and all(max(abs(spot[0] - one), abs(spot[1] - other)) >= _NAME for one, other in taken):
                return spot
    return x, y


def _outline(mask: np.ndarray, name: str, kind: str, side: str, taken: list[tuple[float, float]]) -> str:
    """The outline of a mask as an SVG path in half pixels, with its name above or below, on no other name."""
    if not mask.any():
        return f'<g class="{kind}"></g>'
    lines = Figure().add_subplot().contour(np.pad(mask, 1), levels=[0.5]).allsegs[0]
    path = []
    for line in lines:
        points = np.rint(2 * np.asarray(line) - 1).astype(np.int64)
        steps = np.diff(points, axis=0)
        # Points on a straight line carry nothing: keep those where the direction, and so the step, changes.
        turns = np.append(True, (steps[1:] != steps[:-1]).any(axis=1))
        corners = np.concatenate([points[:-1][turns], points[-1:]])
        moves = np.diff(corners, axis=0)
        path.append(f"M{corners[0][0]} {corners[0][1]}l" + " ".join(f"{x} {y}" for x, y in moves) + "z")
    ys, xs = np.nonzero(mask)
    x = min(max(float(xs.mean()), 8), mask.shape[1] - 8)
    y = max(float(ys.min()) - 1, 8) if side == "top" else min(float(ys.max()) + 9, mask.shape[0] - 2)
    x, y = _free_place(x, y, 1 if side == "top" else -1, mask.shape, taken)
    taken.append((x, y))
    return (
        f'<g class="{kind}"><path transform="scale(.5)" d="{"".join(path)}"/>'
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{name}</text></g>'
    )


def _curve_svg() -> str:
    """Axes of the curve; the script fills in what moves."""
    right, top = _WIDTH - 10, 10
    bottom = _HEIGHT - _BOTTOM
    ticks = []
    for step in range(6):
        value = step / 5
        x, y = _LEFT + value * (right - _LEFT), bottom - value * (bottom - top)
        ticks.append(
            f'<path d="M{x:.1f} {top}V{bottom}M{_LEFT} {y:.1f}H{right}" stroke="currentColor" stroke-opacity=".18"/>'
            f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{value:.1f}</text>'
            f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{value:.1f}</text>'
        )
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" data-frame="{_LEFT} {right} {top} {bottom}" role="img" '
        'aria-label="Precision against recall; the sentence above and the table tell its values">'
        f'{"".join(ticks)}<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 5}" text-anchor="middle">recall</text>'
        f'<text transform="translate(12 {(top + bottom) / 2})rotate(-90)" text-anchor="middle">precision</text>'
        '<path class="shade" fill="#e69f00" fill-opacity=".4"/>'
        '<path class="envelope" fill="none" stroke="#d55e00" stroke-width="1.5" stroke-dasharray="5 3"/>'
        '<path class="points" fill="none" stroke="#2b8fd0" stroke-width="1.5"/><g class="dots" fill="#2b8fd0"></g>'
        '<circle class="now" r="6" fill="none" stroke="currentColor" stroke-width="2.5"/></svg>'
    )
