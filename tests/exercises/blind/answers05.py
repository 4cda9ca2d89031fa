"""Lesson 5, from the statements alone: each function is right with `slip=""` and wrong in one way with a slip."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import torch

from tests.exercises.blind import Wrong


def slips(answer: Callable[..., Any], shown_by: tuple[Any, ...], **abouts: str) -> list[Wrong]:
    """Wrong answers which the same input shows: the slip's name and what it is about."""
    return [Wrong(slip, partial(answer, slip=slip), shown_by, about) for slip, about in abouts.items()]


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(0, 2, shape)


def some_boxes(count: int, seed: int = 0, side: float = 40.0) -> Any:
    generator = np.random.default_rng(seed)
    corners = generator.uniform(0, side, (count, 2))
    return np.concatenate([corners, corners + generator.uniform(2, side, (count, 2))], axis=1)


# 5.1


def cell_anchors(sizes: Any, ratios: Any, slip: str = "") -> Any:
    rows = []
    pairs = [(size, ratio) for ratio in ratios for size in sizes]
    if slip == "sizes_first":
        pairs = [(size, ratio) for size in sizes for ratio in ratios]
    if slip == "zipped":
        pairs = list(zip(sizes, ratios, strict=False))
    if slip == "first_ratio":
        pairs = [(size, ratios[0]) for size in sizes]
    if slip == "without_doubles":
        pairs = list(dict.fromkeys(pairs))
    if slip == "sorted":
        pairs = [(size, ratio) for ratio in sorted(ratios) for size in sorted(sizes)]
    for size, ratio in pairs:
        w, h = size / math.sqrt(ratio), size * math.sqrt(ratio)
        if slip == "width_over_height":
            w, h = h, w
        if slip == "root_forgotten":
            w, h = size / ratio, size * ratio
        if slip == "only_height":
            w, h = size, size * ratio
        if slip == "only_width":
            w, h = size / ratio, size
        if slip == "size_is_area":
            w, h = math.sqrt(size / ratio), math.sqrt(size * ratio)
        if slip == "longer_side":
            w, h = (size, size * ratio) if ratio <= 1 else (size / ratio, size)
        row = [-w / 2, -h / 2, w / 2, h / 2]
        if slip == "rounded":
            row = [round(value) for value in row]
        if slip == "two_decimals":
            row = [round(value, 2) for value in row]
        if slip == "truncated":
            row = [int(value) for value in row]
        if slip == "from_the_corner":
            row = [0, 0, w, h]
        if slip == "not_halved":
            row = [-w, -h, w, h]
        if slip == "rows_first":
            row = [-h / 2, -w / 2, h / 2, w / 2]
        if slip == "inclusive":
            row = [-(w - 1) / 2, -(h - 1) / 2, (w - 1) / 2, (h - 1) / 2]
        if slip == "halved_down":
            row = [-(w // 2), -(h // 2), w // 2, h // 2]
        if slip == "corners_in_pairs":
            row = [-w / 2, w / 2, -h / 2, h / 2]
        rows.append(row)
    if slip == "three_dimensions":
        return np.array(rows).reshape(len(ratios), len(sizes), 4)
    return rows


def cell_anchors_numpy(sizes: Any, ratios: Any) -> Any:
    roots = np.sqrt(np.asarray(ratios, dtype=float))
    h, w = np.outer(roots, sizes).ravel(), np.outer(1 / roots, sizes).ravel()
    return np.stack([-w, -h, w, h], axis=1) / 2


def cell_anchors_torch(sizes: Any, ratios: Any) -> Any:
    roots = torch.as_tensor(ratios, dtype=torch.float64).sqrt()
    sides = torch.as_tensor(sizes, dtype=torch.float64)
    h, w = (roots[:, None] * sides).flatten(), (sides / roots[:, None]).flatten()
    return torch.stack([-w, -h, w, h], dim=1) / 2


CELL = ((12.0, 24.0, 51.0), (2.0, 0.5, 1.0))
WRONG = {
    "5.1": slips(
        cell_anchors,
        CELL,
        sizes_first="order",
        zipped="every size with every ratio",
        first_ratio="every size with every ratio",
        sorted="order",
        width_over_height="ratio is height over width",
        root_forgotten="square root",
        only_height="area stays",
        only_width="area stays",
        size_is_area="size is the root of the area",
        longer_side="area stays",
        rounded="do not round",
        two_decimals="do not round",
        truncated="do not round",
        from_the_corner="centered",
        not_halved="half",
        rows_first="x before y",
        inclusive="continuous coordinates",
        halved_down="do not round",
        corners_in_pairs="x1 y1 x2 y2",
        three_dimensions="shape",
    )
    + slips(cell_anchors, ((8.0, 8.0), (1.0, 2.0)), without_doubles="every size with every ratio"),
}
RIGHT = {
    "5.1": [
        ("loops", cell_anchors),
        ("numpy", cell_anchors_numpy),
        ("torch", cell_anchors_torch),
        ("float32", lambda sizes, ratios: cell_anchors_numpy(sizes, ratios).astype(np.float32)),
        ("objects", lambda sizes, ratios: cell_anchors_numpy(sizes, ratios).astype(object)),
    ]
}

# 5.2


def grid_anchors(cell: Any, map_size: Any, stride: Any, slip: str = "") -> Any:
    cell = np.asarray(cell, dtype=float)
    h, w = map_size
    if slip == "width_first":
        w, h = map_size
    if slip == "square":
        w = h
    if slip == "one_more":
        h, w = h + 1, w + 1
    if slip == "whole_cell":
        cell = cell.astype(int)
    if slip == "first_anchor":
        cell = cell[:1]
    rows = []
    for i in range(h):
        for j in range(w):
            x, y = j * stride, i * stride
            if slip == "half_a_stride":
                x, y = x + stride / 2, y + stride / 2
            if slip == "half_a_pixel":
                x, y = x + 0.5, y + 0.5
            if slip == "no_stride":
                x, y = j, i
            if slip == "bytes":
                x, y = x % 256, y % 256
            if slip == "x_and_y_swapped":
                x, y = y, x
            if slip == "counted_from_one":
                x, y = x + stride, y + stride
            shift = np.array([x, y, x, y])
            if slip == "only_the_first_corner":
                shift = np.array([x, y, 0, 0])
            if slip == "pairs":
                shift = np.array([x, x, y, y])
            boxes = cell + shift
            if slip == "cell_scaled":
                boxes = cell * stride + shift
            if slip == "clipped_at_zero":
                boxes = boxes.clip(0)
            if slip == "clipped_to_the_map":
                boxes = boxes.clip(0, [w * stride, h * stride, w * stride, h * stride])
            if slip == "minus":
                boxes = cell - shift
            rows.append(boxes)
    grid = np.stack(rows).reshape(h, w, -1, 4)
    if slip == "columns_first":
        grid = grid.transpose(1, 0, 2, 3)
    if slip == "anchor_by_anchor":
        grid = grid.transpose(2, 0, 1, 3)
    if slip == "from_below":
        grid = grid[::-1]
    if slip == "four_dimensions":
        return grid
    if slip == "inside_only":
        flat = grid.reshape(-1, 4)
        return flat[(flat[:, :2] >= 0).all(axis=1)]
    return grid.reshape(-1, 4)


def grid_anchors_meshgrid(cell: Any, map_size: Any, stride: Any) -> Any:
    y, x = np.mgrid[: map_size[0], : map_size[1]] * stride
    shifts = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    return (shifts + np.asarray(cell)).reshape(-1, 4)


def grid_anchors_lists(cell: Any, map_size: Any, stride: Any) -> Any:
    places = [(j * stride, i * stride) for i in range(map_size[0]) for j in range(map_size[1])]
    return [[a + x, b + y, c + x, d + y] for x, y in places for a, b, c, d in np.asarray(cell).tolist()]


def grid_anchors_torch(cell: Any, map_size: Any, stride: Any) -> Any:
    y, x = torch.meshgrid(torch.arange(map_size[0]) * stride, torch.arange(map_size[1]) * stride, indexing="ij")
    shifts = torch.stack([x, y, x, y], dim=-1).flatten(0, 1)
    return (shifts[:, None] + torch.as_tensor(np.asarray(cell))).flatten(0, 1)


GRID = (np.array([[-6.5, -3.25, 6.5, 3.25], [-4.0, -8.0, 4.0, 8.0]]), (2, 3), 16)
WRONG["5.2"] = slips(
    grid_anchors,
    GRID,
    width_first="map_size is (h, w)",
    square="map_size is (h, w)",
    one_more="number of positions",
    whole_cell="do not round",
    first_anchor="all anchors of the cell",
    half_a_stride="half a stride",
    half_a_pixel="half a pixel",
    no_stride="stride",
    x_and_y_swapped="x from the column",
    counted_from_one="first position at 0",
    only_the_first_corner="both corners",
    pairs="x y x y",
    cell_scaled="cell is in pixels",
    clipped_at_zero="do not clip",
    clipped_to_the_map="do not clip",
    minus="add",
    columns_first="order row by row",
    anchor_by_anchor="anchors of a position together",
    from_below="order row by row",
    four_dimensions="shape",
    inside_only="do not clip",
) + slips(grid_anchors, (GRID[0], (2, 30), 16), bytes="large coordinates")
RIGHT["5.2"] = [
    ("loops", grid_anchors),
    ("meshgrid", grid_anchors_meshgrid),
    ("lists", grid_anchors_lists),
    ("torch", grid_anchors_torch),
    ("float32", lambda *given: grid_anchors_meshgrid(*given).astype(np.float32)),
]

# 5.3


def one_iou(first: Any, second: Any, slip: str = "") -> float:
    ax1, ay1, ax2, ay2 = (float(value) for value in first)
    bx1, by1, bx2, by2 = (float(value) for value in second)
    if slip == "sizes":
        ax2, ay2, bx2, by2 = ax1 + ax2, ay1 + ay2, bx1 + bx2, by1 + by2
    if slip == "whole_coordinates":
        ax1, ay1, ax2, ay2, bx1, by1, bx2, by2 = map(int, (ax1, ay1, ax2, ay2, bx1, by1, bx2, by2))
    plus = 1.0 if slip == "inclusive" else 0.0
    across, down = min(ax2, bx2) - max(ax1, bx1) + plus, min(ay2, by2) - max(ay1, by1) + plus
    shared = max(0.0, across) * max(0.0, down)
    if slip == "negative_sides":
        shared = across * down
    if slip == "product_limited":
        shared = max(0.0, across * down)
    if slip == "absolute_sides":
        shared = abs(across) * abs(down)
    if slip == "only_across":
        shared = max(0.0, across)
    area, other = (ax2 - ax1 + plus) * (ay2 - ay1 + plus), (bx2 - bx1 + plus) * (by2 - by1 + plus)
    union = area + other - shared
    if slip == "shared_twice":
        union = area + other
    if slip == "of_the_first":
        union = area
    if slip == "of_the_smaller":
        union = min(area, other)
    if slip == "of_the_larger":
        union = max(area, other)
    if slip == "hull":
        union = (max(ax2, bx2) - min(ax1, bx1)) * (max(ay2, by2) - min(ay1, by1))
    if slip == "dice":
        return 2 * shared / (area + other) if area + other else 0.0
    if slip == "intersection":
        return shared
    if slip == "one_added":
        return shared / (union + 1)
    if slip == "small_added":
        return shared / (union + 1e-6)
    if slip == "empty_is_nan":
        return shared / union if union else math.nan
    if slip == "empty_is_one":
        return shared / union if union else 1.0
    if slip == "equal_is_one" and (ax1, ay1, ax2, ay2) == (bx1, by1, bx2, by2):
        return 1.0
    if slip == "generalized":
        hull = (max(ax2, bx2) - min(ax1, bx1)) * (max(ay2, by2) - min(ay1, by1))
        return shared / union - (hull - union) / hull if union else 0.0
    if slip == "small_is_none" and union < 1e-3:
        return 0.0
    return shared / union if union else 0.0


def box_iou(first: Any, second: Any, slip: str = "") -> Any:
    result = np.array([[one_iou(a, b, slip) for b in second] for a in first]).reshape(len(first), len(second))
    if slip == "transposed":
        return result.T
    if slip == "in_pairs":
        return np.diag(result)
    if slip == "percent":
        return 100 * result
    if slip == "two_decimals":
        return result.round(2)
    if slip == "one_number":
        return result.max()
    return result


def box_iou_broadcast(first: Any, second: Any) -> Any:
    a, b = np.asarray(first, dtype=float)[:, None], np.asarray(second, dtype=float)[None]
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    shared = sides.prod(axis=-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def box_iou_torch(first: Any, second: Any) -> Any:
    from torchvision.ops import box_iou as peer

    boxes = [torch.as_tensor(np.asarray(boxes), dtype=torch.float64).reshape(-1, 4) for boxes in (first, second)]
    return torch.nan_to_num(peer(*boxes))


PAIRS = (
    np.array([[0.5, 0, 10.5, 10], [5, 5, 15, 25], [100, 100, 110, 120]]),
    np.array([[0.5, 0, 10.5, 10], [5, 5, 15, 25], [60, 0, 64, 4.5], [100, 100, 110, 120]]),
)
EMPTY = (np.array([[0.0, 0, 4, 4], [1, 1, 1, 1], [2, 2, 6, 2]]), np.array([[1.0, 1, 1, 1], [2, 2, 6, 2]]))
TINY = (np.array([[0, 0, 0.02, 0.02]]), np.array([[0, 0, 0.02, 0.02], [0.01, 0, 0.03, 0.02]]))
WRONG["5.3"] = (
    slips(
        box_iou,
        PAIRS,
        sizes="corners, not sizes",
        whole_coordinates="continuous coordinates",
        inclusive="continuous coordinates",
        negative_sides="sides limited at 0",
        product_limited="sides limited at 0",
        absolute_sides="sides limited at 0",
        only_across="both directions",
        shared_twice="union counts the shared part once",
        of_the_first="union",
        of_the_smaller="union",
        of_the_larger="union",
        hull="union",
        dice="dice",
        intersection="divide by the union",
        one_added="nothing added to the union",
        generalized="generalized IoU",
        transposed="rows are the first",
        in_pairs="all pairs",
        percent="from 0 to 1",
        two_decimals="do not round",
        one_number="matrix",
    )
    + slips(box_iou, EMPTY, empty_is_nan="no area", empty_is_one="no area", equal_is_one="no area")
    + slips(box_iou, TINY, small_added="nothing added to the union", small_is_none="small boxes")
)
RIGHT["5.3"] = [
    ("loops", box_iou),
    ("broadcast", box_iou_broadcast),
    ("torchvision", box_iou_torch),
    ("lists", lambda a, b: box_iou_broadcast(a, b).tolist()),
    ("fractions", lambda a, b: [[Fraction(one_iou(x, y)) for y in b] for x in a]),
]

# 5.4


def match_anchors(iou: Any, positive: float, negative: float, slip: str = "") -> Any:
    iou = np.asarray(iou, dtype=float)
    objects, anchors = iou.shape
    if objects == 0:
        if slip == "no_objects_ignored":
            return np.full(anchors, -2)
        if slip == "no_objects_none":
            return np.array([], dtype=int)
        if slip == "no_objects_first":
            return np.zeros(anchors, dtype=int)
        return np.full(anchors, -1)
    if slip == "fixed_thresholds":
        positive, negative = 0.7, 0.3
    best, number = iou.max(axis=0), iou.argmax(axis=0)
    if slip == "last_of_equals":
        number = objects - 1 - iou[::-1].argmax(axis=0)
    if slip == "from_one":
        number = number + 1
    result = np.full(anchors, -1 if slip == "between_is_background" else -2)
    result[best < negative] = -1
    if slip == "negative_included":
        result[best <= negative] = -1
    if slip == "any_below":
        result[iou.min(axis=0) < negative] = -1
    if slip == "all_above":
        result[iou.min(axis=0) >= negative] = -2
    if slip == "mean_below":
        result = np.where(iou.mean(axis=0) < negative, -1, -2)
    chosen = best > positive if slip == "positive_excluded" else best >= positive
    result[chosen] = number[chosen]
    if slip == "ones":
        result[chosen] = 1
    if slip != "no_second_rule":
        for g in range(objects):
            largest = iou[g].max()
            if largest == 0 and slip != "zero_counts":
                continue
            if slip == "below_negative_not_added" and largest < negative:
                continue
            equal = iou[g] == largest
            if slip == "nearly_equal":
                equal = iou[g] >= largest - 0.01
            if slip == "first_best_only":
                equal = np.arange(anchors) == iou[g].argmax()
            if slip == "only_ignored":
                equal &= result == -2
            if slip == "only_background":
                equal &= result == -1
            result[equal] = number[equal]
            if slip == "row_number":
                result[equal] = g
            if slip == "row_number_if_not_positive":
                result[equal & ~chosen] = g
            if slip == "last_object_only" and g < objects - 1:
                result[equal & ~chosen] = np.where(best < negative, -1, -2)[equal & ~chosen]
    if slip == "second_rule_ten_percent":
        result[(result >= 0) & (best < 0.1)] = -1
    if slip == "swapped_codes":
        return np.select([result == -1, result == -2], [-2, -1], result)
    if slip == "ignored_is_255":
        return np.where(result == -2, 255, result)
    if slip == "zero_background":
        return np.where(result < 0, result + 1, result + 1)
    if slip == "bytes":
        return result.astype(np.int8)
    if slip == "boolean":
        return result >= 0
    if slip == "one_each":
        seen: set[int] = set()
        for r in np.argsort(-best, kind="stable"):
            if result[r] >= 0 and int(result[r]) in seen:
                result[r] = -2
            seen.add(int(result[r]))
    return result


def match_anchors_lists(iou: Any, positive: float, negative: float) -> Any:
    rows = np.asarray(iou).tolist()
    if not rows:
        return [-1] * np.asarray(iou).shape[1]
    forced = {r for row in rows for r, value in enumerate(row) if value == max(row) and value > 0}
    answer = []
    for r, column in enumerate(zip(*rows, strict=True)):
        largest = max(column)
        if largest >= positive or r in forced:
            answer.append(column.index(largest))
        else:
            answer.append(-1 if largest < negative else -2)
    return answer


def match_anchors_torch(iou: Any, positive: float, negative: float) -> Any:
    iou = torch.as_tensor(np.asarray(iou), dtype=torch.float64)
    if not len(iou):
        return torch.full((iou.shape[1],), -1)
    best = iou.amax(dim=0)
    number = torch.as_tensor(np.argmax(iou.numpy(), axis=0))
    answer = torch.where(best >= positive, number, torch.where(best < negative, -1, -2))
    forced = ((iou == iou.amax(dim=1, keepdim=True)) & (iou > 0)).any(dim=0)
    return torch.where(forced, number, answer)


IOU = np.array(
    [
        [0.80, 0.70, 0.50, 0.30, 0.10, 0.00, 0.60, 0.75, 0.05, 0.00],
        [0.20, 0.10, 0.50, 0.05, 0.20, 0.00, 0.65, 0.75, 0.00, 0.00],
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.20, 0.195, 0.00, 0.20, 0.10],
        [0.00, 0.00, 0.00, 0.00, 0.04, 0.00, 0.00, 0.00, 0.00, 0.04],
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
    ]
)
SECOND = np.array([[0.9, 0.6, 0.0, 0.1, 0.35], [0.0, 0.5, 0.0, 0.1, 0.2], [0.0, 0.0, 0.0, 0.05, 0.35]])
MANY = np.pad(np.array([[0.9]]), ((130, 0), (0, 2)))
WRONG["5.4"] = (
    slips(
        match_anchors,
        (IOU, 0.7, 0.3),
        last_of_equals="first of equals",
        from_one="numbers begin at 0",
        between_is_background="in between is ignored",
        negative_included="below negative",
        any_below="largest IoU",
        mean_below="largest IoU",
        positive_excluded="at least positive",
        ones="number of the object",
        no_second_rule="no object left out",
        zero_counts="unless it is 0",
        below_negative_not_added="however small",
        nearly_equal="equal, not nearly",
        first_best_only="all of equals",
        only_ignored="however small",
        row_number="own best object",
        swapped_codes="-1 and -2",
        ignored_is_255="-1 and -2",
        zero_background="-1 and -2",
        boolean="number of the object",
        one_each="several anchors for an object",
        last_object_only="every object",
    )
    + slips(
        match_anchors,
        (SECOND, 0.7, 0.3),
        row_number_if_not_positive="own best object",
        only_background="no object left out",
    )
    + slips(match_anchors, (SECOND[:1], 0.5, 0.05), fixed_thresholds="thresholds as given")
    + slips(match_anchors, (np.array([[0.05, 0.0]]), 0.7, 0.3), second_rule_ten_percent="however small")
    + slips(
        match_anchors,
        (np.zeros((0, 3)), 0.7, 0.3),
        no_objects_ignored="no objects",
        no_objects_none="no objects",
        no_objects_first="no objects",
    )
    + slips(match_anchors, (MANY, 0.7, 0.3), bytes="more than 127 objects")
)
RIGHT["5.4"] = [
    ("numpy", match_anchors),
    ("lists", match_anchors_lists),
    ("torch", match_anchors_torch),
    ("floats", lambda *given: match_anchors(*given).astype(float)),
]

# 5.5


def encode_boxes(boxes: Any, references: Any, weights: Any, slip: str = "") -> Any:
    if slip == "roles":
        boxes, references = references, boxes
    rows = []
    for box, reference in zip(np.asarray(boxes, float), np.asarray(references, float), strict=True):
        plus = 1.0 if slip == "inclusive" else 0.0
        w, h = box[2] - box[0] + plus, box[3] - box[1] + plus
        wa, ha = reference[2] - reference[0] + plus, reference[3] - reference[1] + plus
        x, y, xa, ya = box[0] + w / 2, box[1] + h / 2, reference[0] + wa / 2, reference[1] + ha / 2
        if slip == "corners":
            x, y, xa, ya = box[0], box[1], reference[0], reference[1]
        if slip == "whole_centers":
            x, y, xa, ya = x // 1, y // 1, xa // 1, ya // 1
        if slip == "center_not_halved":
            x, y, xa, ya = box[0] + box[2], box[1] + box[3], reference[0] + reference[2], reference[1] + reference[3]
        row = [(x - xa) / wa, (y - ya) / ha, math.log(w / wa), math.log(h / ha)]
        if slip == "own_size":
            row[:2] = (x - xa) / w, (y - ya) / h
        if slip == "pixels":
            row[:2] = x - xa, y - ya
        if slip == "minus":
            row[:2] = (xa - x) / wa, (ya - y) / ha
        if slip == "log2":
            row[2:] = math.log2(w / wa), math.log2(h / ha)
        if slip == "log10":
            row[2:] = math.log10(w / wa), math.log10(h / ha)
        if slip == "no_logarithm":
            row[2:] = w / wa, h / ha
        if slip == "difference":
            row[2:] = (w - wa) / wa, (h - ha) / ha
        if slip == "log_of_one_more":
            row[2:] = math.log(w / wa + 1), math.log(h / ha + 1)
        if slip == "upside_down":
            row[2:] = math.log(wa / w), math.log(ha / h)
        if slip == "only_width":
            row[1], row[3] = (y - ya) / wa, math.log(h / wa)
        if slip == "height_by_width":
            row[3] = math.log(h / wa)
        if slip == "shift_down_by_width":
            row[1] = (y - ya) / wa
        if slip == "limited":
            row[2:] = [min(value, math.log(1000 / 16)) for value in row[2:]]
        if slip == "limited_below":
            row[2:] = [max(value, -math.log(1000 / 16)) for value in row[2:]]
        if slip == "shift_limited":
            row[:2] = [max(-1.0, min(1.0, value)) for value in row[:2]]
        factors = list(weights)
        if slip == "no_weights":
            factors = [1, 1, 1, 1]
        if slip == "first_weight":
            factors = [weights[0]] * 4
        if slip == "two_weights":
            factors = [weights[0], weights[0], weights[2], weights[2]]
        if slip == "weights_mixed":
            factors = [weights[0], weights[2], weights[1], weights[3]]
        if slip == "shifts_only":
            factors = [weights[0], weights[1], 1, 1]
        if slip == "divided":
            factors = [1 / weight for weight in weights]
        if slip == "whole_weights":
            factors = [int(weight) for weight in weights]
        if slip == "reversed_weights":
            factors = factors[::-1]
        row = [value * factor for value, factor in zip(row, factors, strict=True)]
        if slip == "weight_in_the_log":
            row[2:] = math.log(w / wa * weights[2]), math.log(h / ha * weights[3])
        if slip == "order":
            row = [row[0], row[2], row[1], row[3]]
        if slip == "sizes_first":
            row = [row[2], row[3], row[0], row[1]]
        if slip == "y_first":
            row = [row[1], row[0], row[3], row[2]]
        rows.append(row)
    return np.array(rows).reshape(-1, 4)


def encode_numpy(boxes: Any, references: Any, weights: Any) -> Any:
    boxes, references = np.asarray(boxes, float).reshape(-1, 4), np.asarray(references, float).reshape(-1, 4)
    size, base = boxes[:, 2:] - boxes[:, :2], references[:, 2:] - references[:, :2]
    shift = ((boxes[:, :2] + boxes[:, 2:]) - (references[:, :2] + references[:, 2:])) / 2 / base
    return np.hstack([shift, np.log(size) - np.log(base)]) * weights


def encode_torch(boxes: Any, references: Any, weights: Any) -> Any:
    return torch.as_tensor(encode_numpy(boxes, references, weights))


def encode_lists(boxes: Any, references: Any, weights: Any) -> Any:
    return [row.tolist() for row in encode_boxes(boxes, references, weights)]


ENCODE = (some_boxes(5, 1), some_boxes(5, 2), (10.0, 8.5, 5.0, 2.5))
FAR = (np.array([[0.0, 0, 200, 3], [40, 60, 41, 960]]), np.array([[0.0, 0, 2, 300], [0, 0, 100, 10]]), (1, 1, 1, 1))
WRONG["5.5"] = slips(
    encode_boxes,
    ENCODE,
    roles="reference and box",
    inclusive="continuous coordinates",
    corners="centers",
    whole_centers="do not round",
    center_not_halved="centers",
    own_size="reference's size",
    pixels="reference's size",
    minus="box minus reference",
    log2="natural logarithm",
    log10="natural logarithm",
    no_logarithm="logarithm",
    difference="logarithm",
    log_of_one_more="logarithm",
    upside_down="box over reference",
    only_width="height by height",
    height_by_width="height by height",
    shift_down_by_width="height by height",
    no_weights="weights",
    first_weight="each its weight",
    two_weights="each its weight",
    weights_mixed="each its weight",
    shifts_only="weights",
    divided="multiply by the weights",
    whole_weights="weights",
    reversed_weights="each its weight",
    weight_in_the_log="weights outside the logarithm",
    order="order dx dy dw dh",
    sizes_first="order dx dy dw dh",
    y_first="order dx dy dw dh",
) + slips(encode_boxes, FAR, limited="no limit", limited_below="no limit", shift_limited="no limit")
RIGHT["5.5"] = [("loops", encode_boxes), ("numpy", encode_numpy), ("torch", encode_torch), ("lists", encode_lists)]

# 5.6

LIMIT = math.log(1000 / 16)


def decode_boxes(offsets: Any, references: Any, weights: Any, slip: str = "") -> Any:
    rows = []
    for offset, reference in zip(np.asarray(offsets, float), np.asarray(references, float), strict=True):
        wa, ha = reference[2] - reference[0], reference[3] - reference[1]
        if slip == "inclusive":
            wa, ha = wa + 1, ha + 1
        xa, ya = reference[0] + wa / 2, reference[1] + ha / 2
        if slip == "corners":
            xa, ya = reference[0], reference[1]
        factors = list(weights)
        if slip == "first_weight":
            factors = [weights[0]] * 4
        if slip == "two_weights":
            factors = [weights[0], weights[0], weights[2], weights[2]]
        if slip == "shifts_only":
            factors = [weights[0], weights[1], 1, 1]
        if slip == "no_weights":
            factors = [1, 1, 1, 1]
        if slip == "multiplied":
            factors = [1 / weight for weight in weights]
        if slip == "whole_weights":
            factors = [int(weight) for weight in weights]
        dx, dy, dw, dh = offset / factors
        if slip == "limited_before":
            dw, dh = min(offset[2], LIMIT) / factors[2], min(offset[3], LIMIT) / factors[3]
        elif slip == "width_only":
            dw = min(dw, LIMIT)
        elif slip == "height_only":
            dh = min(dh, LIMIT)
        elif slip == "limited_both_ways":
            dw, dh = np.clip([dw, dh], -LIMIT, LIMIT)
        elif slip == "all_limited":
            dx, dy, dw, dh = (min(value, LIMIT) for value in (dx, dy, dw, dh))
        elif slip == "log10_limit":
            dw, dh = min(dw, math.log10(1000 / 16)), min(dh, math.log10(1000 / 16))
        elif slip == "limit_is_the_factor":
            dw, dh = min(dw, 62.5), min(dh, 62.5)
        elif slip == "limit_62":
            dw, dh = min(dw, math.log(62)), min(dh, math.log(62))
        elif slip == "both_if_one":
            dw, dh = (min(dw, LIMIT), min(dh, LIMIT)) if dw > LIMIT and dh > LIMIT else (dw, dh)
        elif slip == "larger_of_both":
            dw = dh = min(max(dw, dh), LIMIT) if max(dw, dh) > LIMIT else 0.0
        elif slip != "no_limit":
            dw, dh = min(dw, LIMIT), min(dh, LIMIT)
        if slip == "unlimited_is_zero":
            dw, dh = (offset[2:] / factors[2:] < LIMIT) * [dw, dh]
        w, h = wa * math.exp(dw), ha * math.exp(dh)
        if slip == "no_exponential":
            w, h = wa * dw, ha * dh
        if slip == "one_more":
            w, h = wa * (1 + dw), ha * (1 + dh)
        if slip == "power_of_two":
            w, h = wa * 2**dw, ha * 2**dh
        if slip == "thousand_pixels":
            w, h = min(wa * math.exp(offset[2] / factors[2]), 1000), min(ha * math.exp(offset[3] / factors[3]), 1000)
        x, y = xa + dx * wa, ya + dy * ha
        if slip == "own_size":
            x, y = xa + dx * w, ya + dy * h
        if slip == "pixels":
            x, y = xa + dx, ya + dy
        if slip == "minus":
            x, y = xa - dx * wa, ya - dy * ha
        if slip == "shift_by_width":
            y = ya + dy * wa
        row = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
        if slip == "centers":
            row = [x, y, w, h]
        if slip == "corner_and_size":
            row = [x - w / 2, y - h / 2, w, h]
        if slip == "center_as_corner":
            row = [x, y, x + w, y + h]
        if slip == "not_halved":
            row = [x - w, y - h, x + w, y + h]
        if slip == "last_pixel":
            row = [x - w / 2, y - h / 2, x + w / 2 - 1, y + h / 2 - 1]
        if slip == "clipped_at_zero":
            row = [max(0, value) for value in row]
        if slip == "rounded":
            row = [round(value) for value in row]
        rows.append(row)
    return np.array(rows).reshape(-1, 4)


def decode_numpy(offsets: Any, references: Any, weights: Any) -> Any:
    offsets, references = np.asarray(offsets, float).reshape(-1, 4), np.asarray(references, float).reshape(-1, 4)
    offsets = offsets / np.asarray(weights, float)
    base = references[:, 2:] - references[:, :2]
    centers = (references[:, 2:] + references[:, :2]) / 2 + offsets[:, :2] * base
    halves = np.minimum(np.exp(np.minimum(offsets[:, 2:], 50)), 1000 / 16) * base / 2
    return np.hstack([centers - halves, centers + halves])


def decode_torch(offsets: Any, references: Any, weights: Any) -> Any:
    offsets, references = (torch.as_tensor(np.asarray(x, float)).reshape(-1, 4) for x in (offsets, references))
    offsets = offsets / torch.tensor(tuple(map(float, weights)), dtype=torch.float64)
    x1, y1, x2, y2 = references.unbind(1)
    dx, dy, dw, dh = offsets.unbind(1)
    w, h = (x2 - x1) * dw.clamp(max=LIMIT).exp(), (y2 - y1) * dh.clamp(max=LIMIT).exp()
    x, y = (x1 + x2) / 2 + dx * (x2 - x1), (y1 + y2) / 2 + dy * (y2 - y1)
    return torch.stack((x - w / 2, y - h / 2, x + w / 2, y + h / 2), dim=1)


def decode_lists(offsets: Any, references: Any, weights: Any) -> Any:
    return [row.tolist() for row in decode_boxes(offsets, references, weights)]


DECODE = (
    np.array([[5.0, -3, 2, 1], [-20, 12, -4, -2], [60, 50, 5, 30], [1, 2, 40, 1], [2, 1, 8, 30.0], [0, 0, -40, -30]]),
    some_boxes(6, 3),
    (10.0, 8.5, 5.0, 2.5),
)
WRONG["5.6"] = slips(
    decode_boxes,
    DECODE,
    inclusive="continuous coordinates",
    corners="centers",
    first_weight="each its weight",
    two_weights="each its weight",
    shifts_only="weights",
    no_weights="weights",
    multiplied="divide by the weights",
    whole_weights="weights",
    limited_before="limit after the division",
    width_only="limit both",
    height_only="limit both",
    limited_both_ways="small sizes not limited",
    all_limited="shifts not limited",
    log10_limit="limit",
    limit_is_the_factor="limit",
    limit_62="limit",
    both_if_one="limit both",
    larger_of_both="limit both",
    unlimited_is_zero="limit",
    no_limit="limit",
    no_exponential="exp",
    one_more="exp",
    power_of_two="exp",
    thousand_pixels="limit",
    own_size="reference's size",
    pixels="reference's size",
    minus="plus",
    shift_by_width="height by height",
    centers="corners",
    corner_and_size="corners",
    center_as_corner="corners",
    not_halved="half",
    last_pixel="continuous coordinates",
    clipped_at_zero="do not clip",
    rounded="do not round",
)
RIGHT["5.6"] = [("loops", decode_boxes), ("numpy", decode_numpy), ("torch", decode_torch), ("lists", decode_lists)]

# 5.7


def nms(boxes: Any, scores: Any, labels: Any, threshold: float, slip: str = "") -> Any:
    boxes, scores, labels = np.asarray(boxes, float), np.asarray(scores), np.asarray(labels)
    if slip == "threshold_or_half":
        threshold = threshold or 0.5
    if slip == "fixed_threshold":
        threshold = 0.5
    order = [int(number) for number in np.argsort(-scores)]
    if slip == "worst_first":
        order = order[::-1]
    if slip == "as_they_come":
        order = list(range(len(scores)))
    if slip == "hundred_candidates":
        order = order[:100]
    if slip == "positive_scores":
        order = [number for number in order if scores[number] > 0]
    if slip == "certain_only":
        order = [number for number in order if scores[number] >= 0.05]
    if slip == "background_left_out":
        order = [number for number in order if labels[number] != 0]
    if slip == "whole_boxes":
        boxes = boxes.round()

    def overlap(one: int, other: int) -> float:
        kind = {"inclusive": "inclusive", "of_the_smaller": "of_the_smaller"}.get(slip, "")
        a, b = boxes[one], boxes[other]
        if slip == "fixed_offset":
            a, b = a + 1000.0 * labels[one], b + 1000.0 * labels[other]
        return one_iou(a, b, kind)

    def rival(one: int, other: int) -> bool:
        agnostic = slip in ("all_classes", "fixed_offset")
        value = overlap(one, other)
        close = value >= threshold if slip == "threshold_included" else value > threshold
        if slip == "other_classes":
            return close and bool(labels[one] != labels[other])
        return close and (agnostic or bool(labels[one] == labels[other]))

    kept: list[int] = []
    if slip == "removed_removes":
        kept = [one for place, one in enumerate(order) if not any(rival(better, one) for better in order[:place])]
    elif slip == "last_survivor":
        for one in order:
            if not kept or not rival(kept[-1], one):
                kept.append(one)
    elif slip == "while_iterating":
        left = list(order)
        while left:
            best = left.pop(0)
            kept.append(best)
            for one in left:
                if rival(best, one):
                    left.remove(one)
    elif slip == "one_removed":
        left = list(order)
        while left:
            best = left.pop(0)
            kept.append(best)
            for one in list(left):
                if rival(best, one):
                    left.remove(one)
                    break
    elif slip == "best_of_each_class":
        kept = [one for place, one in enumerate(order) if labels[one] not in labels[order[:place]]]
    elif slip == "nothing_removed":
        kept = order
    elif slip == "first_only":
        kept = [one for one in order if one == order[0] or not rival(order[0], one)]
    else:
        for one in order:
            if not any(rival(better, one) for better in kept):
                kept.append(one)
    if slip == "in_the_order_of_the_boxes":
        kept = sorted(kept)
    if slip == "class_by_class":
        kept = sorted(kept, key=lambda number: labels[number])
    if slip == "hundred_survivors":
        kept = kept[:100]
    if slip == "places_in_the_order":
        kept = [order.index(one) for one in kept]
    if slip == "boxes":
        return boxes[kept]
    if slip == "flags":
        return np.isin(np.arange(len(scores)), kept)
    if slip == "scores":
        return scores[kept]
    return kept


def nms_torchvision(boxes: Any, scores: Any, labels: Any, threshold: float) -> Any:
    from torchvision.ops import nms as peer

    boxes = torch.as_tensor(np.asarray(boxes, float)).reshape(-1, 4)
    scores, labels = torch.as_tensor(np.asarray(scores, float)), torch.as_tensor(np.asarray(labels))
    kept = [torch.zeros(0, dtype=torch.int64)]
    for label in labels.unique():
        numbers_ = torch.where(labels == label)[0]
        kept.append(numbers_[peer(boxes[numbers_], scores[numbers_], threshold)])
    every = torch.cat(kept)
    return every[scores[every].argsort(descending=True)]


def nms_numpy(boxes: Any, scores: Any, labels: Any, threshold: float) -> Any:
    if len(boxes) == 0:
        return np.zeros(0, dtype=int)
    close = (box_iou_broadcast(boxes, boxes) > threshold) & (np.equal.outer(labels, labels))
    left, kept = np.ones(len(boxes), bool), []
    while left.any():
        best = max(np.flatnonzero(left), key=lambda number: scores[number])
        kept.append(best)
        left &= ~close[best]
        left[best] = False
    return np.array(kept)


def row_of_boxes(count: int, step: float, width: float = 10.0) -> Any:
    starts = np.arange(count) * step
    return np.stack([starts, np.zeros(count), starts + width, np.full(count, 10.0)], axis=1)


CROWD = (
    np.concatenate(
        [row_of_boxes(8, 3.0), row_of_boxes(4, 2.5), [[0, 0, 10, 10], [300, 0, 310, 10], [300, 0, 303, 10]]]
    ),
    np.array([0.5, 0.62, 0.91, 0.3, 0.75, 0.04, 0.2, 0.6, 0.55, 0.45, 0.35, 0.85, 0.95, 0.65, 0.25]),
    np.array([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 0, 3, 3]),
)
CHAIN = (row_of_boxes(5, 3.0), np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.ones(5, int))
SAME = (np.tile([0.0, 0, 10, 10], (6, 1)), np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]), np.ones(6, int))
APART = (np.array([[0.0, 0, 10, 10], [1000, 1000, 1010, 1010]]), np.array([0.9, 0.8]), np.array([2, 1]))
ROW = (row_of_boxes(130, 30.0), np.linspace(0.9, 0.1, 130), np.ones(130, int))
WRONG["5.7"] = (
    slips(
        nms,
        (*CROWD, 0.5),
        worst_first="highest score first",
        as_they_come="highest score first",
        background_left_out="every class",
        all_classes="within the class",
        other_classes="within the class",
        best_of_each_class="only overlapping ones",
        nothing_removed="remove",
        in_the_order_of_the_boxes="best score first",
        class_by_class="best score first",
        places_in_the_order="positions in boxes",
        boxes="positions in boxes",
        flags="positions in boxes",
        scores="positions in boxes",
        of_the_smaller="IoU",
        first_only="every survivor",
    )
    + slips(nms, (*CROWD, 0.3), last_survivor="every survivor")
    + slips(nms, (*CHAIN, 0.7), fixed_threshold="threshold as given")
    + slips(
        nms, (row_of_boxes(2, 30.0), np.array([0.9, 0.04]), np.ones(2, int), 0.5), certain_only="no limit of the score"
    )
    + slips(nms, (*CHAIN, 0.5), removed_removes="a removed box removes no other")
    + slips(nms, (*SAME, 0.5), while_iterating="removal while iterating", one_removed="all of them")
    + slips(nms, (*CHAIN, 0.0), threshold_or_half="threshold 0")
    + slips(
        nms, (row_of_boxes(2, 5.0), np.array([0.9, 0.8]), np.ones(2, int), 1 / 3), threshold_included="greater than"
    )
    + slips(
        nms, (row_of_boxes(2, 4.9), np.array([0.9, 0.8]), np.ones(2, int), 0.35), inclusive="continuous coordinates"
    )
    + slips(nms, (row_of_boxes(2, 4.6), np.array([0.9, 0.8]), np.ones(2, int), 0.35), whole_boxes="do not round")
    + slips(nms, (*APART, 0.5), fixed_offset="offset of the classes")
    + slips(nms, (*ROW, 0.5), hundred_candidates="all boxes", hundred_survivors="all boxes")
    + slips(nms, (CHAIN[0], CHAIN[1] - 0.75, CHAIN[2], 0.5), positive_scores="no limit of the score")
)
RIGHT["5.7"] = [("loops", nms), ("torchvision", nms_torchvision), ("numpy", nms_numpy)]

# 5.8


def assign_levels(boxes: Any, slip: str = "") -> Any:
    answer = []
    for x1, y1, x2, y2 in np.asarray(boxes, float):
        w, h = x2 - x1, y2 - y1
        if slip == "inclusive":
            w, h = w + 1, h + 1
        if slip == "corner_as_size":
            w, h = x2, y2
        side = math.sqrt(w * h)
        side = {"area": w * h, "width": w, "height": h, "longer": max(w, h), "mean": (w + h) / 2}.get(slip, side)
        if slip == "shorter":
            side = min(w, h)
        if slip == "diagonal":
            side = math.hypot(w, h)
        base = {"of_112": 112, "of_256": 256, "of_800": 800}.get(slip, 224)
        ratio = side // base or 1e-3 if slip == "divided_down" else side / base
        k = 4 + math.log2(ratio)
        if slip == "natural":
            k = 4 + math.log(ratio)
        if slip == "decimal":
            k = 4 + math.log10(ratio)
        if slip == "five":
            k += 1
        if slip == "three":
            k -= 1
        if slip == "minus":
            k = 4 - math.log2(ratio)
        if slip == "no_four":
            k -= 4
        k = {"rounded": round(k), "up": math.ceil(k), "not_rounded": k}.get(slip, math.floor(k))
        low, high = {
            "no_limit": (-99, 99),
            "to_six": (2, 6),
            "from_three": (3, 5),
            "from_one": (1, 5),
            "from_zero": (0, 5),
            "to_four": (2, 4),
            "only_below": (2, 99),
            "only_above": (-99, 5),
        }.get(slip, (2, 5))
        k = max(low, min(high, k))
        if slip == "counted_from_zero":
            k -= 2
        if slip == "stride":
            k = 2**k
        answer.append(k)
    if slip == "one_for_all":
        return [answer[0]] * len(answer)
    return answer


def levels_numpy(boxes: Any) -> Any:
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.digitize(np.sqrt(area), [112, 224, 448]) + 2


def levels_torch(boxes: Any) -> Any:
    boxes = torch.as_tensor(np.asarray(boxes, float)).reshape(-1, 4)
    side = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).sqrt()
    return (4 + torch.log2(side / 224)).floor().clamp(2, 5).long()


def boxes_of(*sizes: tuple[float, float]) -> Any:
    return np.array([[30.0, 20.0, 30.0 + w, 20.0 + h] for w, h in sizes])


LEVELS = (
    boxes_of(
        (224, 224),
        (223, 223),
        (100, 400),
        (60, 500),
        (448, 448),
        (447, 447),
        (900, 2000),
        (10, 10),
        (112, 112),
        (100, 300),
        (300, 100),
    )
    + 0.0,
)
WRONG["5.8"] = slips(
    assign_levels,
    LEVELS,
    inclusive="continuous coordinates",
    corner_as_size="size of the box",
    area="root of the area",
    width="root of the area",
    height="root of the area",
    longer="root of the area",
    mean="root of the area",
    shorter="root of the area",
    diagonal="root of the area",
    of_112="224",
    of_256="224",
    of_800="224",
    divided_down="divide exactly",
    natural="logarithm of base 2",
    decimal="logarithm of base 2",
    five="plus 4",
    three="plus 4",
    minus="plus 4",
    no_four="plus 4",
    rounded="round down",
    up="round down",
    not_rounded="round down",
    no_limit="limited to 2 ... 5",
    to_six="limited to 2 ... 5",
    from_three="limited to 2 ... 5",
    to_four="limited to 2 ... 5",
    only_below="limited to 2 ... 5",
    only_above="limited to 2 ... 5",
    from_one="limited to 2 ... 5",
    from_zero="limited to 2 ... 5",
    counted_from_zero="levels begin at 2",
    stride="level, not stride",
    one_for_all="each box",
)
RIGHT["5.8"] = [("loops", assign_levels), ("numpy", levels_numpy), ("torch", levels_torch)]

# 5.9


def sample(values: Any, y: float, x: float, slip: str = "") -> float:
    """Bilinear between the centers of the squares; `y`, `x` are counted from the first center."""
    h, w = values.shape
    if slip == "zeros_outside":
        values, y, x, h, w = np.pad(values, 1), y + 1, x + 1, h + 2, w + 2
    if slip == "limits_swapped":
        y, x = min(max(y, 0), w - 1), min(max(x, 0), h - 1)
    if slip == "nearest":
        return float(values[min(max(round(y), 0), h - 1), min(max(round(x), 0), w - 1)])
    if slip == "down":
        return float(values[min(max(int(y), 0), h - 1), min(max(int(x), 0), w - 1)])
    if slip == "straight_on":
        top, left = min(max(math.floor(y), 0), h - 2), min(max(math.floor(x), 0), w - 2)
    else:
        y, x = min(max(y, 0), h - 1), min(max(x, 0), w - 1)
        top, left = int(y), int(x)
    below, right = min(top + 1, h - 1), min(left + 1, w - 1)
    v, u = y - top, x - left
    if slip == "weights_swapped":
        v, u = 1 - v, 1 - u
    if slip == "no_rows":
        v = 0.0
    if slip == "shares_mixed":
        v, u = u, v
    upper = (1 - u) * values[top, left] + u * values[top, right]
    lower = (1 - u) * values[below, left] + u * values[below, right]
    return float((1 - v) * upper + v * lower)


def roi_align(values: Any, box: Any, size: int, slip: str = "") -> Any:
    values = np.asarray(values, float)
    x1, y1, x2, y2 = (float(value) for value in box)
    if slip == "box_rounded":
        x1, y1, x2, y2 = round(x1), round(y1), round(x2), round(y2)
    if slip == "box_outward":
        x1, y1, x2, y2 = math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2)
    if slip == "rows_first":
        y1, x1, y2, x2 = box
    if slip == "box_limited":
        x2, y2 = min(x2, values.shape[1] - 1), min(y2, values.shape[0] - 1)
    if slip == "size_seven":
        size = 7
    bin_h, bin_w = (y2 - y1) / size, (x2 - x1) / size
    if slip == "at_least_one":
        bin_h, bin_w = max(bin_h, 1.0), max(bin_w, 1.0)
    if slip == "square_bins":
        bin_h = bin_w
    if slip == "box_as_sizes":
        bin_h, bin_w = y2 / size, x2 / size
    if slip == "inclusive":
        bin_h, bin_w = (y2 - y1 + 1) / size, (x2 - x1 + 1) / size
    shift = {"no_half": 0.0, "half_added": -0.5, "one": 1.0}.get(slip, 0.5)
    points = {
        "one_point": (0.5,),
        "start_and_middle": (0.0, 0.5),
        "ends": (0.0, 1.0),
        "thirds": (1 / 3, 2 / 3),
        "sixteen_points": (1 / 8, 3 / 8, 5 / 8, 7 / 8),
        "upper_left_point": (0.25,),
    }.get(slip, (0.25, 0.75))
    result = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            pairs = [(down, across) for down in points for across in points]
            if slip == "diagonal_points":
                pairs = [(down, down) for down in points]
            found = [
                sample(values, y1 + (row + down) * bin_h - shift, x1 + (column + across) * bin_w - shift, slip)
                for down, across in pairs
            ]
            result[row, column] = {"largest": max(found), "sum": sum(found), "first": found[0]}.get(
                slip, sum(found) / len(found)
            )
    if slip == "transposed":
        return result.T
    if slip == "rounded":
        return result.round(1)
    if slip == "flat":
        return result.ravel()
    return result


def roi_align_torchvision(values: Any, box: Any, size: int) -> Any:
    from torchvision.ops import roi_align as peer

    given = torch.as_tensor(np.asarray(values, float))[None, None]
    return peer(given, [torch.as_tensor(np.asarray(box, float))[None]], size, 1.0, 2, aligned=True)[0, 0]


def roi_align_matrices(values: Any, box: Any, size: int) -> Any:
    values = np.asarray(values, float)

    def weights_of(low: float, high: float, count: int) -> Any:
        places = low + (np.arange(2 * size) + 0.5) * (high - low) / (2 * size) - 0.5
        hats = np.maximum(0, 1 - abs(places.clip(0, count - 1)[:, None] - np.arange(count)))
        return hats.reshape(size, 2, count).mean(axis=1)

    x1, y1, x2, y2 = box
    return weights_of(y1, y2, values.shape[0]) @ values @ weights_of(x1, x2, values.shape[1]).T


def roi_align_lists(values: Any, box: Any, size: int) -> Any:
    return roi_align(values, box, size).tolist()


ROI = (numbers(9, 13, seed=1), (0.7, 1.2, 12.9, 8.8), 4)
SMALL_ROI = (numbers(9, 13, seed=1), (3.2, 2.1, 5.4, 3.6), 4)
WRONG["5.9"] = (
    slips(
        roi_align,
        ROI,
        limits_swapped="H and W",
        nearest="bilinear",
        down="bilinear",
        weights_swapped="weights of the interpolation",
        no_rows="bilinear",
        shares_mixed="weights of the interpolation",
        box_rounded="no rounding",
        box_outward="no rounding",
        box_limited="do not limit the box",
        size_seven="size as given",
        square_bins="height and width of a bin",
        box_as_sizes="corners, not sizes",
        inclusive="continuous coordinates",
        no_half="half a position",
        half_added="half a position",
        one="half a position",
        one_point="2 x 2 points",
        start_and_middle="points at 1/4 and 3/4",
        ends="points at 1/4 and 3/4",
        thirds="points at 1/4 and 3/4",
        sixteen_points="2 x 2 points",
        upper_left_point="2 x 2 points",
        diagonal_points="2 x 2 points",
        largest="mean",
        sum="mean",
        first="mean",
        transposed="rows and columns",
        rounded="no rounding",
        flat="shape",
    )
    + slips(
        roi_align,
        (numbers(4, 5, seed=2), (0.0, 0.0, 5.0, 4.0), 5),
        zeros_outside="border's value",
        straight_on="border's value",
    )
    + slips(roi_align, SMALL_ROI, at_least_one="bins smaller than a position", rows_first="x before y")
)
RIGHT["5.9"] = [
    ("loops", roi_align),
    ("torchvision", roi_align_torchvision),
    ("matrices", roi_align_matrices),
    ("lists", roi_align_lists),
]

# 5.10


def paste_mask(mask: Any, box: Any, height: int, width: int, threshold: float, slip: str = "") -> Any:
    mask = np.asarray(mask, float)
    m = len(mask)
    x1, y1, x2, y2 = (float(value) for value in box)
    if slip == "box_rounded":
        x1, y1, x2, y2 = map(round, (x1, y1, x2, y2))
    if slip == "box_truncated":
        x1, y1, x2, y2 = map(int, (x1, y1, x2, y2))
    if slip == "box_cut":
        x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if slip == "rows_first":
        y1, x1, y2, x2 = box
    if slip == "widened":
        mask, bw, bh = np.pad(mask, 1), (x2 - x1) / m, (y2 - y1) / m
        m, x1, y1, x2, y2 = m + 2, x1 - bw, y1 - bh, x2 + bw, y2 + bh
    if slip == "half_threshold":
        threshold = 0.5
    if slip == "threshold_or_half":
        threshold = threshold or 0.5
    if slip == "size_28":
        m = 28
    if slip == "swapped":
        height, width = width, height
    pixel = {"pixel_corner": 0.0, "pixel_end": 1.0}.get(slip, 0.5)
    entry = 0.0 if slip == "entry_corner" else 0.5
    result = np.zeros((height, width), bool)
    for i in range(height):
        for j in range(width):
            y, x = i + pixel, j + pixel
            row, column = (y - y1) / (y2 - y1) * m - entry, (x - x1) / (x2 - x1) * m - entry
            if slip == "aligned_corners":
                row, column = (y - y1) / (y2 - y1) * (m - 1), (x - x1) / (x2 - x1) * (m - 1)
            if slip == "width_for_both":
                row = (y - y1) / (x2 - x1) * m - entry
            if slip == "outer_centers_only" and not (0 <= row <= m - 1 and 0 <= column <= m - 1):
                continue
            if slip == "size_28":
                row, column = min(row, len(mask) - 1), min(column, len(mask) - 1)
            kind = slip if slip in ("nearest", "down", "straight_on", "zeros_outside", "weights_swapped") else ""
            value = sample(mask, row, column, kind)
            inside = x1 < x < x2 and y1 < y < y2
            if slip == "nowhere_asked":
                inside = True
            if slip == "only_across":
                inside = x1 < x < x2
            if slip == "upper_left_inside":
                inside = x1 <= j < x2 and y1 <= i < y2
            if slip == "whole_pixel_inside":
                inside = x1 <= j and j + 1 <= x2 and y1 <= i and i + 1 <= y2
            if slip == "any_part_inside":
                inside = x1 < j + 1 and j < x2 and y1 < i + 1 and i < y2
            if slip == "greater":
                belongs = value > threshold
            elif slip == "below":
                belongs = value < threshold
            elif slip == "nonzero":
                belongs = value > 0 and value >= threshold
            elif slip == "or_inside":
                belongs, inside = value >= threshold or inside, True
            else:
                belongs = value >= threshold
            result[i, j] = belongs and inside
    if slip == "threshold_first":
        return paste_mask((mask >= threshold).astype(float), box, height, width, 0.5)
    if slip == "box_only":
        return result[max(0, int(y1)) : int(y2), max(0, int(x1)) : int(x2)]
    if slip == "soft":
        return result * 0.5
    if slip == "transposed":
        return result.T
    return result


def paste_numpy(mask: Any, box: Any, height: int, width: int, threshold: float) -> Any:
    mask, (x1, y1, x2, y2) = np.asarray(mask, float), (float(value) for value in box)
    y, x = np.arange(height) + 0.5, np.arange(width) + 0.5
    m = len(mask)
    row, column = ((y - y1) / (y2 - y1) * m - 0.5).clip(0, m - 1), ((x - x1) / (x2 - x1) * m - 0.5).clip(0, m - 1)
    top, left = row.astype(int), column.astype(int)
    below, right = np.minimum(top + 1, m - 1), np.minimum(left + 1, m - 1)
    v, u = (row - top)[:, None], column - left
    upper = mask[np.ix_(top, left)] * (1 - u) + mask[np.ix_(top, right)] * u
    lower = mask[np.ix_(below, left)] * (1 - u) + mask[np.ix_(below, right)] * u
    inside = ((y > y1) & (y < y2))[:, None] & ((x > x1) & (x < x2))
    return ((upper * (1 - v) + lower * v) >= threshold) & inside


def paste_grid_sample(mask: Any, box: Any, height: int, width: int, threshold: float) -> Any:
    given = torch.as_tensor(np.asarray(mask, float))[None, None]
    x1, y1, x2, y2 = (float(value) for value in box)
    y = (torch.arange(height, dtype=torch.float64) + 0.5 - y1) / (y2 - y1) * 2 - 1
    x = (torch.arange(width, dtype=torch.float64) + 0.5 - x1) / (x2 - x1) * 2 - 1
    grid = torch.stack([x[None].expand(height, -1), y[:, None].expand(-1, width)], dim=-1)[None]
    values = torch.nn.functional.grid_sample(given, grid, padding_mode="border", align_corners=False)[0, 0]
    inside = ((y.abs() < 1)[:, None]) & (x.abs() < 1)[None]
    return (values >= threshold) & inside


def paste_whole_numbers(*given: Any) -> Any:
    return paste_mask(*given).astype(int).tolist()


SOFT = np.random.default_rng(5).uniform(0, 1, (7, 7))
PASTE = (SOFT, (3.3, -2.4, 15.8, 9.7), 12, 20, 0.45)
WRONG["5.10"] = (
    slips(
        paste_mask,
        PASTE,
        box_rounded="no rounding of the box",
        box_truncated="no rounding of the box",
        box_cut="the box may reach beyond the picture",
        rows_first="x before y",
        widened="widened box",
        size_28="size of the mask",
        swapped="height and width",
        pixel_corner="center of each pixel",
        pixel_end="center of each pixel",
        entry_corner="center of an entry",
        aligned_corners="center of an entry",
        width_for_both="height of the box",
        outer_centers_only="beyond the outermost centers",
        nearest="bilinear",
        down="bilinear",
        straight_on="beyond the outermost centers",
        zeros_outside="beyond the outermost centers",
        weights_swapped="weights of the interpolation",
        nowhere_asked="center inside the box",
        only_across="center inside the box",
        upper_left_inside="center inside the box",
        whole_pixel_inside="center inside the box",
        below="at least threshold",
        or_inside="and, not or",
        threshold_first="interpolate before the threshold",
        box_only="whole picture",
        soft="boolean",
        transposed="height and width",
    )
    + slips(paste_mask, (np.ones((7, 7)), (3.6, 2.6, 15.4, 9.4), 12, 20, 0.45), any_part_inside="center inside the box")
    + slips(paste_mask, (SOFT, (3.3, -2.4, 15.8, 9.7), 12, 20, 0.2), half_threshold="threshold as given")
    + slips(paste_mask, (np.eye(7), (3.3, 0, 15.8, 9.7), 12, 20, 0.0), threshold_or_half="threshold 0")
    + slips(paste_mask, (np.eye(7), (3.3, 0, 15.8, 9.7), 12, 20, 0.0), nonzero="threshold 0")
    + slips(paste_mask, (np.full((2, 2), 0.5), (0, 0, 4, 4), 6, 6, 0.5), greater="at least threshold")
)
RIGHT["5.10"] = [
    ("loops", paste_mask),
    ("numpy", paste_numpy),
    ("grid_sample", paste_grid_sample),
    ("whole numbers", paste_whole_numbers),
]

# 5.11


def mask_loss(logits: Any, targets: Any, labels: Any, slip: str = "") -> Any:
    logits, targets, labels = np.asarray(logits, float), np.asarray(targets, float), np.asarray(labels, int)
    count = len(logits)
    if count == 0:
        return {"none_is_nan": math.nan, "none_is_one": 1.0}.get(slip, 0.0)
    chosen = logits[np.arange(count), labels]
    if slip == "label_minus_one":
        chosen = logits[np.arange(count), labels - 1]
    if slip == "first_label":
        chosen = logits[:, labels[0]]
    if slip == "channel_one":
        chosen = logits[:, 1]
    if slip == "best_channel":
        chosen = logits.max(axis=1)
    if slip == "every_pair":
        chosen, targets = logits[:, labels].reshape(-1, *targets.shape[1:]), np.concatenate([targets] * count)
    if slip == "mean_channel":
        chosen = logits.mean(axis=1)
    if slip == "limited_logits":
        chosen = chosen.clip(-50, 50)
    pixels = np.logaddexp(0, chosen) - chosen * targets
    with np.errstate(all="ignore"):
        sigmoid = 1 / (1 + np.exp(-chosen))
        if slip == "softmax":
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            sigmoid = (powers / powers.sum(axis=1, keepdims=True))[np.arange(count), labels]
            pixels = -targets * np.log(sigmoid) - (1 - targets) * np.log(1 - sigmoid)
        if slip == "softmax_entropy":
            shifted = logits - logits.max(axis=1, keepdims=True)
            pixels = -(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))[np.arange(count), labels] * targets
        if slip == "literal":
            pixels = -targets * np.log(sigmoid) - (1 - targets) * np.log(1 - sigmoid)
        if slip == "small_added":
            pixels = -targets * np.log(sigmoid + 1e-12) - (1 - targets) * np.log(1 - sigmoid + 1e-12)
        if slip == "limited_to_hundred":
            pixels = -targets * np.maximum(np.log(sigmoid), -100) - (1 - targets) * np.maximum(
                np.log(1 - sigmoid), -100
            )
        if slip == "exp_overflows":
            pixels = np.log(1 + np.exp(chosen)) - chosen * targets
    if slip == "only_ones":
        pixels = np.logaddexp(0, -chosen) * targets
    if slip == "no_sigmoid":
        pixels = np.logaddexp(0, chosen) - targets
    if slip == "squares":
        pixels = (sigmoid - targets) ** 2
    if slip == "base_two":
        pixels = pixels / math.log(2)
    if slip == "inverted":
        pixels = np.logaddexp(0, chosen) - chosen * (1 - targets)
    if slip == "sigmoid_twice":
        pixels = np.logaddexp(0, sigmoid) - sigmoid * targets
    if slip == "all_channels":
        every = np.logaddexp(0, logits) - logits * targets[:, None]
        return float(every.mean())
    if slip == "all_channels_others_zero":
        wanted = np.zeros_like(logits)
        wanted[np.arange(count), labels] = targets
        return float((np.logaddexp(0, logits) - logits * wanted).mean())
    if slip == "sum":
        return float(pixels.sum())
    if slip == "over_regions":
        return float(pixels.sum() / count)
    if slip == "over_pixels":
        return float(pixels.sum() / pixels[0].size)
    if slip == "over_side":
        return float(pixels.sum() / (count * pixels.shape[-1]))
    if slip == "over_channels":
        return float(pixels.mean() / logits.shape[1])
    if slip == "over_ones":
        return float(pixels.sum() / max(targets.sum(), 1))
    if slip == "per_region":
        return pixels.mean(axis=(1, 2))
    if slip == "last_region":
        return float(pixels[-1].mean())
    if slip == "negative":
        return -float(pixels.mean())
    if slip == "rounded":
        return round(float(pixels.mean()), 2)
    return float(pixels.mean())


def mask_loss_torch(logits: Any, targets: Any, labels: Any) -> Any:
    logits, targets = (torch.as_tensor(np.asarray(x, float)) for x in (logits, targets))
    if len(logits) == 0:
        return torch.tensor(0.0)
    chosen = logits[torch.arange(len(logits)), torch.as_tensor(np.asarray(labels)).long()]
    return torch.nn.functional.binary_cross_entropy_with_logits(chosen, targets)


def mask_loss_loops(logits: Any, targets: Any, labels: Any) -> Any:
    terms = []
    for of_region, target, label in zip(logits, targets, labels, strict=True):
        for x, t in zip(np.ravel(of_region[label]).tolist(), np.ravel(target).tolist(), strict=True):
            terms.append(max(x, 0) - x * t + math.log1p(math.exp(-abs(x))))
    return math.fsum(terms) / len(terms) if terms else 0


LOSS = (numbers(3, 4, 5, 5, seed=6), (numbers(3, 5, 5, seed=7) > 0.5).astype(float), np.array([3, 1, 2]))
LARGE = (LOSS[0] * 400, LOSS[1], LOSS[2])
NONE = (np.zeros((0, 4, 5, 5)), np.zeros((0, 5, 5)), np.zeros(0, int))
WRONG["5.11"] = (
    slips(
        mask_loss,
        LOSS,
        label_minus_one="channel of the class",
        first_label="each region its own class",
        channel_one="channel of the class",
        best_channel="channel of the class",
        every_pair="each region its own class",
        mean_channel="channel of the class",
        softmax="sigmoid, not softmax",
        softmax_entropy="sigmoid, not softmax",
        only_ones="term of the zeros",
        no_sigmoid="formula",
        squares="cross entropy",
        base_two="natural logarithm",
        inverted="formula",
        sigmoid_twice="sigmoid once",
        all_channels="only the channel of the class",
        all_channels_others_zero="only the channel of the class",
        sum="mean",
        over_regions="mean",
        over_pixels="mean",
        over_side="mean",
        over_channels="mean",
        over_ones="mean",
        per_region="mean",
        last_region="mean",
        negative="sign",
        rounded="do not round",
    )
    + slips(
        mask_loss,
        LARGE,
        limited_logits="large logits",
        literal="large logits",
        small_added="large logits",
        limited_to_hundred="large logits",
        exp_overflows="large logits",
    )
    + slips(mask_loss, NONE, none_is_nan="no region", none_is_one="no region")
)
RIGHT["5.11"] = [
    ("numpy", mask_loss),
    ("torch", mask_loss_torch),
    ("loops", mask_loss_loops),
    ("one number in an array", lambda *given: np.array(mask_loss(*given))),
]
