"""Lesson 5 again: other mistakes, written after the cases had been repaired, to measure them honestly."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import torch

from tests.exercises.blind import Wrong
from tests.exercises.blind.answers05 import (
    CELL,
    CHAIN,
    CROWD,
    DECODE,
    ENCODE,
    GRID,
    LEVELS,
    LOSS,
    PAIRS,
    PASTE,
    ROI,
    SMALL_ROI,
    SOFT,
    assign_levels,
    box_iou,
    cell_anchors,
    decode_boxes,
    encode_boxes,
    grid_anchors,
    mask_loss,
    match_anchors,
    nms,
    paste_mask,
    roi_align,
    row_of_boxes,
)


def areas_of_ratio(sizes: Any, ratios: Any) -> Any:
    """Width from the ratio, height so that the perimeter stays."""
    rows = []
    for ratio in ratios:
        for size in sizes:
            w = 2 * size / (1 + ratio)
            rows.append([-w / 2, -w * ratio / 2, w / 2, w * ratio / 2])
    return rows


def cell_by_torchvision(sizes: Any, ratios: Any) -> Any:
    roots = torch.as_tensor(ratios, dtype=torch.float32).sqrt()
    ws, hs = (
        (1 / roots[:, None] * torch.as_tensor(sizes)).flatten(),
        (roots[:, None] * torch.as_tensor(sizes)).flatten(),
    )
    return (torch.stack([-ws, -hs, ws, hs], dim=1) / 2).round()


def ratio_for_even(sizes: Any, ratios: Any) -> Any:
    return [
        [-row[2], -row[3], row[2], row[3]]
        for row in np.asarray(cell_anchors(sizes, [abs(math.log2(r)) + 1 for r in ratios]))
    ]


def columns_of_meshgrid(cell: Any, map_size: Any, stride: Any) -> Any:
    x, y = np.meshgrid(np.arange(map_size[0]) * stride, np.arange(map_size[1]) * stride, indexing="ij")
    shifts = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    return (shifts + np.asarray(cell)).reshape(-1, 4)


def centers_on_the_stride(cell: Any, map_size: Any, stride: Any) -> Any:
    return np.asarray(grid_anchors(cell, map_size, stride)) + (stride - 1) / 2


def diagonal_positions(cell: Any, map_size: Any, stride: Any) -> Any:
    count = map_size[0] * map_size[1]
    return np.concatenate(
        [np.asarray(cell) + stride * np.array([n % map_size[1], n % map_size[0]] * 2) for n in range(count)]
    )


def sides_from_first(first: Any, second: Any) -> Any:
    """Limits with the first's edges only."""
    a, b = np.asarray(first)[:, None], np.asarray(second)[None]
    w = np.clip(np.minimum(a[..., 2], b[..., 2]) - b[..., 0], 0, None)
    h = np.clip(np.minimum(a[..., 3], b[..., 3]) - b[..., 1], 0, None)
    shared = w * h
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0)


def iou_of_sides(first: Any, second: Any) -> Any:
    """Product of the one-dimensional IoUs."""
    a, b = np.asarray(first)[:, None], np.asarray(second)[None]
    shared = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    hull = np.maximum(a[..., 2:], b[..., 2:]) - np.minimum(a[..., :2], b[..., :2])
    return (shared / np.where(hull > 0, hull, 1)).prod(-1)


def iou_with_tolerance(first: Any, second: Any) -> Any:
    found = np.asarray(box_iou(first, second))
    return np.where(found < 0.01, 0, found)


def greedy_match(iou: Any, positive: float, negative: float) -> Any:
    """The second rule takes each anchor away from the first rule's object."""
    answer = np.asarray(match_anchors(iou, positive, negative)).copy()
    iou = np.asarray(iou)
    for g in range(len(iou)):
        if iou[g].max() > 0 and not (answer == g).any():
            answer[iou[g].argmax()] = g
    return answer


def match_by_mutual_best(iou: Any, positive: float, negative: float) -> Any:
    """Forced only if the object is the anchor's best, too."""
    iou = np.asarray(iou)
    if not len(iou):
        return np.full(iou.shape[1], -1)
    best = iou.max(axis=0)
    answer = np.where(best >= positive, iou.argmax(axis=0), np.where(best < negative, -1, -2))
    for g, row in enumerate(iou):
        forced = (row == row.max()) & (row > 0) & (iou.argmax(axis=0) == g)
        answer[forced] = g
    return answer


def match_ignored_below(iou: Any, positive: float, negative: float) -> Any:
    answer = np.asarray(match_anchors(iou, positive, negative)).copy()
    best = np.asarray(iou).max(axis=0, initial=0)
    answer[(answer == -1) & (best > 0)] = -2
    return answer


def encode_log_then_difference(boxes: Any, references: Any, weights: Any) -> Any:
    answer = np.asarray(encode_boxes(boxes, references, (1, 1, 1, 1)))
    size = np.asarray(boxes)[:, 2:] - np.asarray(boxes)[:, :2]
    answer[:, 2:] = np.log(size)
    return answer * weights


def encode_log_shift(boxes: Any, references: Any, weights: Any) -> Any:
    answer = np.asarray(encode_boxes(boxes, references, (1, 1, 1, 1)))
    answer[:, :2] = np.sign(answer[:, :2]) * np.log1p(abs(answer[:, :2]))
    return answer * weights


def encode_squared_weights(boxes: Any, references: Any, weights: Any) -> Any:
    return np.asarray(encode_boxes(boxes, references, weights)) * weights


def decode_clamped_shift_sum(offsets: Any, references: Any, weights: Any) -> Any:
    """The limit on the sum of both."""
    offsets = np.asarray(offsets, float).copy()
    total = offsets[:, 2:] / np.asarray(weights)[2:]
    factor = np.minimum(1, math.log(62.5) / np.maximum(total.max(axis=1, keepdims=True), 1e-9)) if len(offsets) else 1
    offsets[:, 2:] *= factor
    return decode_boxes(offsets, references, weights)


def decode_sigmoid(offsets: Any, references: Any, weights: Any) -> Any:
    offsets = np.asarray(offsets, float).copy()
    offsets[:, :2] = np.tanh(offsets[:, :2])
    return decode_boxes(offsets, references, weights)


def decode_from_second_corner(offsets: Any, references: Any, weights: Any) -> Any:
    answer = np.asarray(decode_boxes(offsets, references, weights))
    return answer + np.tile((np.asarray(references)[:, 2:] - np.asarray(references)[:, :2]) / 2, 2)


def nms_sorted_by_area(boxes: Any, scores: Any, labels: Any, threshold: float) -> Any:
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return nms(boxes, areas + 1e-3 * np.asarray(scores), labels, threshold)


def nms_averages(boxes: Any, scores: Any, labels: Any, threshold: float) -> Any:
    """Two rounds: survivors of the second round at half of the threshold."""
    kept = np.asarray(nms(boxes, scores, labels, threshold), int)
    again = np.asarray(nms(boxes[kept], scores[kept], labels[kept], threshold / 2), int)
    return kept[again]


def nms_adjacent(boxes: Any, scores: Any, labels: Any, threshold: float) -> Any:
    """Compares with the next one in the order only."""
    order = np.argsort(-np.asarray(scores))
    kept = list(order[:1])
    for one, other in itertools.pairwise(order):
        if labels[one] != labels[other] or box_iou(boxes[[one]], boxes[[other]])[0, 0] <= threshold:
            kept.append(other)
    return kept


def levels_int_first(boxes: Any) -> Any:
    boxes = np.asarray(boxes)
    return assign_levels(np.hstack([0 * boxes[:, :2], 32 * ((boxes[:, 2:] - boxes[:, :2]) // 32 + 1e-3)]))


def levels_shifted(boxes: Any) -> Any:
    side = np.sqrt((np.asarray(boxes)[:, 2:] - np.asarray(boxes)[:, :2]).prod(1))
    return np.clip(np.floor(np.log2(side / 224)), 2, 5) + 4


def levels_of_thresholds(boxes: Any) -> Any:
    side = np.sqrt((np.asarray(boxes)[:, 2:] - np.asarray(boxes)[:, :2]).prod(1))
    return np.digitize(side, [32, 96, 448]) + 2


def roi_two_by_one(values: Any, box: Any, size: int) -> Any:
    x1, y1, x2, y2 = box
    middle = (x2 - x1) / size / 4
    left = np.asarray(roi_align(values, (x1, y1, x2, y2), size))
    return (left + np.asarray(roi_align(values, (x1 + middle, y1, min(x2 + middle, values.shape[1]), y2), size))) / 2


def roi_cubic_weights(values: Any, box: Any, size: int) -> Any:
    def smooth(at: float) -> float:
        return at * at * (3 - 2 * at)

    x1, y1, x2, y2 = map(float, box)
    values = np.asarray(values)
    h, w = values.shape
    out = np.zeros((size, size))
    for r in range(size):
        for c in range(size):
            for a in (0.25, 0.75):
                for b in (0.25, 0.75):
                    y = min(max(y1 + (r + a) * (y2 - y1) / size - 0.5, 0), h - 1)
                    x = min(max(x1 + (c + b) * (x2 - x1) / size - 0.5, 0), w - 1)
                    i, j = int(y), int(x)
                    v, u = smooth(y - i), smooth(x - j)
                    k, m = min(i + 1, h - 1), min(j + 1, w - 1)
                    out[r, c] += (
                        (1 - v) * ((1 - u) * values[i, j] + u * values[i, m])
                        + v * ((1 - u) * values[k, j] + u * values[k, m])
                    ) / 4
    return out


def roi_interpolated_crop(values: Any, box: Any, size: int) -> Any:
    x1, y1, x2, y2 = (round(float(one)) for one in box)
    crop = torch.as_tensor(np.asarray(values)[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)])[None, None]
    return torch.nn.functional.interpolate(crop, (size, size), mode="bilinear", align_corners=False)[0, 0]


def paste_interpolate(mask: Any, box: Any, height: int, width: int, threshold: float) -> Any:
    x1, y1, x2, y2 = (round(float(one)) for one in box)
    w, h = max(x2 - x1, 1), max(y2 - y1, 1)
    large = torch.nn.functional.interpolate(
        torch.as_tensor(np.asarray(mask, float))[None, None], (h, w), mode="bilinear", align_corners=False
    )[0, 0].numpy()
    out = np.zeros((height, width), bool)
    top, left = max(y1, 0), max(x1, 0)
    part = large[top - y1 : height - y1, left - x1 : width - x1] >= threshold
    out[top : top + part.shape[0], left : left + part.shape[1]] = part
    return out


def paste_flipped(mask: Any, box: Any, height: int, width: int, threshold: float) -> Any:
    return paste_mask(np.asarray(mask)[::-1], box, height, width, threshold)


def paste_relative_threshold(mask: Any, box: Any, height: int, width: int, threshold: float) -> Any:
    return paste_mask(np.asarray(mask) / max(np.max(mask), 1e-9), box, height, width, threshold)


def loss_hinge(logits: Any, targets: Any, labels: Any) -> Any:
    if not len(labels):
        return 0.0
    chosen = np.asarray(logits)[np.arange(len(labels)), labels]
    return float(np.maximum(0, 1 - chosen * (2 * np.asarray(targets) - 1)).mean())


def loss_mean_of_means(logits: Any, targets: Any, labels: Any) -> Any:
    """Object and background pixels count alike."""
    if not len(labels):
        return 0.0
    chosen, targets = np.asarray(logits)[np.arange(len(labels)), labels], np.asarray(targets)
    pixels = np.logaddexp(0, chosen) - chosen * targets
    parts = [pixels[targets == value].mean() for value in (0, 1) if (targets == value).any()]
    return float(np.mean(parts))


def loss_dice(logits: Any, targets: Any, labels: Any) -> Any:
    if not len(labels):
        return 0.0
    chosen = 1 / (1 + np.exp(-np.asarray(logits)[np.arange(len(labels)), labels]))
    return float(1 - 2 * (chosen * targets).sum() / (chosen.sum() + np.sum(targets)))


WRONG = {
    "5.1": [
        Wrong("the perimeter stays", areas_of_ratio, CELL, "area"),
        Wrong("torchvision's rounding", cell_by_torchvision, CELL, "rounded"),
        Wrong("logarithm of the ratio", ratio_for_even, CELL, "area"),
    ],
    "5.2": [
        Wrong("meshgrid the wrong way", columns_of_meshgrid, GRID, "axes"),
        Wrong("middle of whole pixels", centers_on_the_stride, GRID, "middle"),
        Wrong("rows counted on", diagonal_positions, (GRID[0], (2, 4), 16), "columns"),
    ],
    "5.3": [
        Wrong("left edge of the second", sides_from_first, PAIRS, "general"),
        Wrong("product of the sides' IoUs", iou_of_sides, PAIRS, "union"),
        Wrong(
            "small IoUs are 0",
            iou_with_tolerance,
            (np.array([[0.0, 0, 10, 10]]), np.array([[9.5, 9.5, 19, 19]])),
            "rounded",
        ),
    ],
    "5.4": [
        Wrong(
            "only objects without an anchor",
            greedy_match,
            (np.array([[0.5, 0.4], [0.6, 0.1], [0.55, 0.0]]), 0.7, 0.3),
            "owner",
        ),
        Wrong("mutual best only", match_by_mutual_best, (np.array([[0.9, 0.6], [0.1, 0.5]]), 0.7, 0.3), "force"),
        Wrong("background only at 0", match_ignored_below, (np.array([[0.9, 0.1]]), 0.7, 0.3), "equal"),
    ],
    "5.5": [
        Wrong("logarithm of the size", encode_log_then_difference, ENCODE, "log"),
        Wrong("logarithm of the shift", encode_log_shift, ENCODE, "divisor"),
        Wrong("weights twice", encode_squared_weights, ENCODE, "weights"),
    ],
    "5.6": [
        Wrong("both sides scaled to the limit", decode_clamped_shift_sum, DECODE, "limit"),
        Wrong("tanh of the shift", decode_sigmoid, DECODE, "limit shift"),
        Wrong("from the second corner", decode_from_second_corner, DECODE, "center"),
    ],
    "5.7": [
        Wrong(
            "largest first",
            nms_sorted_by_area,
            (np.array([[0.0, 0, 9, 9], [50, 0, 59, 12]]), np.array([0.9, 0.8]), np.array([1, 1]), 0.5),
            "worst",
        ),
        Wrong("two rounds", nms_averages, (*CHAIN, 0.6), "given"),
        Wrong("next one only", nms_adjacent, (*CROWD, 0.3), "all kept"),
    ],
    "5.8": [
        Wrong("whole multiples of 32", levels_int_first, LEVELS, "divided"),
        Wrong("limited before 4 is added", levels_shifted, LEVELS, "limits"),
        Wrong("sizes of COCO", levels_of_thresholds, LEVELS, "canonical"),
    ],
    "5.9": [
        Wrong("points beside each other", roi_two_by_one, ROI, "points"),
        Wrong("smooth weights", roi_cubic_weights, ROI, "weights"),
        Wrong("crop and resize", roi_interpolated_crop, SMALL_ROI, "rounded"),
    ],
    "5.10": [
        Wrong("resize and slice", paste_interpolate, PASTE, "rounded"),
        Wrong("upside down", paste_flipped, PASTE, "axes"),
        Wrong("relative threshold", paste_relative_threshold, (0.5 * SOFT, *PASTE[1:]), "given"),
    ],
    "5.11": [
        Wrong("hinge", loss_hinge, LOSS, "formula"),
        Wrong("object and background alike", loss_mean_of_means, LOSS, "mean"),
        Wrong("Dice loss", loss_dice, LOSS, "formula"),
    ],
}
RIGHT: dict[str, list[Any]] = {key: [] for key in WRONG}
__all__ = ["RIGHT", "WRONG", "mask_loss", "row_of_boxes"]
