"""Where the boxes of Mask R-CNN stand in its figure: body and pyramid upwards, the heads from left to right."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from torch import nn

from segtutor.plotting.architecture import BLUE, GRAY, GREEN, ORANGE, PURPLE, RED, Arrow, Box, Layout
from segtutor.plotting.tracing import find_module, trace_shapes

_RPN_COLUMN, _REGION_COLUMN, _PITCH = 4.3, 5.35, 1.2


def detector_shapes(model: nn.Module, images: Any) -> dict[str, tuple[int, ...]]:
    """Shapes of one evaluation, as from `trace_shapes`; the vectors of the box branch count as maps of 1 x 1.

    Args:
        model: A Mask R-CNN, not on the meta device: how many regions there are depends on the scores.
        images: A list of 3 x H x W, or a size (H, W), for one black image of that size.

    Returns:
        Shape by name. Regions are counted along the batch.
    """
    shapes = trace_shapes(model, images)
    return {
        name: (*shape, 1, 1) if name.startswith("roi_heads.") and len(shape) == 2 else shape
        for name, shape in shapes.items()
    }


def mask_rcnn_layout(model: Any) -> Layout:
    """Mask R-CNN: body, pyramid, RPN, then the box branch and the mask branch for one region each.

    The RPN is the same on all levels; its maps are shown for the finest. Draw it with `detector_shapes`.

    Args:
        model: A Mask R-CNN of the course, with or without pyramid and mask branch.

    Raises:
        ValueError: If one of its modules is missing.
    """
    backbone: Any = find_module("backbone", model)
    heads: Any = find_module("roi_heads", model)
    boxes, arrows, levels = _pyramid(backbone) if hasattr(backbone, "fpn") else _single_level(backbone)
    bottom = max(box.row for box in boxes)
    boxes += [
        Box("RPN", "rpn.head.conv", f"RPN on {levels[0]}", _RPN_COLUMN, 0, GREEN),
        Box("objectness", "rpn.head.cls_logits", "object?", _REGION_COLUMN, -0.5, ORANGE),
        Box("moves", "rpn.head.bbox_pred", "moves", _REGION_COLUMN, 0.5, ORANGE),
    ]
    arrows += [Arrow(level, "RPN") for level in levels]
    arrows += [Arrow("RPN", "objectness"), Arrow("RPN", "moves")]
    pooling = f"RoI{model.settings.roi_pooling.capitalize()}"
    _add_box_branch(heads.box_head, pooling, (bottom + 0.5) / 2 + 0.1, boxes, arrows)
    arrows.append(Arrow("moves", "regions", "NMS:\nproposals"))
    regions = ["regions"]
    if heads.mask_head is not None:
        _add_mask_branch(heads.mask_head, pooling, bottom + 0.35, boxes, arrows)
        arrows.append(Arrow("regions", "mask regions", "in evaluation:\nrefined boxes"))
        regions.append("mask regions")
    pooled = levels[: backbone.pooled_levels]  # the last level of a pyramid has anchors only
    arrows += [Arrow(level, region) for level in pooled for region in regions]
    return Layout(tuple(boxes), tuple(arrows), column_width=0.9, row_height=1.3)


def _body(backbone: Any, bottom: int) -> tuple[list[Box], list[Arrow], list[str]]:
    """The image and the body's maps, upwards; and the names of those."""
    strides = backbone.body.strides
    names = [f"C{stride.bit_length() - 1}" for stride in strides]
    boxes = [Box("image", "backbone:input", "image", 0, bottom, GRAY)]
    boxes += [Box(name, f"backbone.body[{index}]", name, 1.1, bottom - index) for index, name in enumerate(names)]
    arrows = [Arrow(before.name, box.name) for before, box in pairwise(boxes)]
    return boxes, arrows, names


def _pyramid(backbone: Any) -> tuple[list[Box], list[Arrow], list[str]]:
    """Body, sums and levels; and the levels' names, finest first."""
    count = len(backbone.body.strides)
    boxes, arrows, maps = _body(backbone, count)
    levels = [f"P{stride.bit_length() - 1}" for stride in backbone.strides]
    for index, (name, level) in enumerate(zip(maps, levels[:-1], strict=True)):
        row, total = count - index, f"sum {name}"
        top = index == count - 1
        boxes += [
            Box(total, f"backbone.fpn.layer_blocks.{index}:input", "" if top else "sum", 2.1, row, PURPLE),
            Box(level, f"backbone[{level}]", level, 3.1, row, PURPLE),
        ]
        arrows += [Arrow(name, total, "1×1"), Arrow(total, level, "3×3")]
        if not top:
            arrows.append(Arrow(f"sum {maps[index + 1]}", total, "×2"))
    boxes.append(Box(levels[-1], f"backbone[{levels[-1]}]", levels[-1], 3.1, 0, PURPLE))
    arrows.append(Arrow(levels[-2], levels[-1], "every\n2nd"))
    return boxes, arrows, levels


def _single_level(backbone: Any) -> tuple[list[Box], list[Arrow], list[str]]:
    """Body and its deepest map, made narrower; and that one's name."""
    count = len(backbone.body.strides)
    boxes, arrows, maps = _body(backbone, count)
    source = f"backbone[{maps[-1]}]"
    boxes.append(Box("reduced", source, "reduced", 3.1, 1, PURPLE))
    arrows.append(Arrow(maps[-1], "reduced", "1×1, 3×3"))
    return boxes, arrows, ["reduced"]


def _add_box_branch(head: Any, pooling: str, row: float, boxes: list[Box], arrows: list[Arrow]) -> None:
    """Regions, the head's layers, classes and offsets; adds to both lists."""
    if isinstance(head, nn.Sequential):  # convolutions, then one fully connected layer
        last = max(index for index, layer in enumerate(head) if isinstance(layer, nn.Sequential))
        steps = [(f"roi_heads.box_head.{last}", "convolved", f"{last + 1} × 3×3"), ("roi_heads.box_head", "fc", "")]
    else:
        steps = [("roi_heads.box_head.fc6", "fc6", ""), ("roi_heads.box_head.fc7", "fc7", "")]
    column = _REGION_COLUMN
    boxes.append(Box("regions", "roi_heads.box_head:input", pooling, column, row, BLUE))
    for source, label, operation in steps:
        column += _PITCH
        arrows.append(Arrow(boxes[-1].name, label, operation))
        boxes.append(Box(label, source, label, column, row, BLUE))
    before, column = boxes[-1].name, column + _PITCH
    boxes += [
        Box("classes", "roi_heads.box_predictor.cls_score", "classes", column, row - 0.4, ORANGE),
        Box("offsets", "roi_heads.box_predictor.bbox_pred", "boxes", column, row + 0.4, ORANGE),
    ]
    arrows += [Arrow(before, "classes"), Arrow(before, "offsets")]


def _add_mask_branch(head: Any, pooling: str, row: float, boxes: list[Box], arrows: list[Arrow]) -> None:
    """Larger regions, convolutions, twice the size, one mask per class; adds to both lists."""
    steps = [
        ("mask features", "roi_heads.mask_head", "convolved", f"{len(head)} × 3×3", RED),
        ("enlarged", "roi_heads.mask_predictor.conv5_mask", "enlarged", "×2", RED),
        ("masks", "roi_heads.mask_predictor", "masks", "1×1", ORANGE),
    ]
    column = _REGION_COLUMN
    boxes.append(Box("mask regions", "roi_heads.mask_head:input", pooling, column, row, RED))
    for name, source, label, operation, color in steps:
        column += _PITCH
        arrows.append(Arrow(boxes[-1].name, name, operation))
        boxes.append(Box(name, source, label, column, row, color))
