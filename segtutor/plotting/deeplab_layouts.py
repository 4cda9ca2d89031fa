"""Where the boxes of the DeepLab networks stand in their figures: branches on rows of their own, over each other.

Orange maps have one channel per class. A branch's operation is written over its map, because all branches begin at one
arrow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from segtutor.plotting.architecture import GREEN, ORANGE, Arrow, Box, Layout
from segtutor.plotting.layouts import LEVEL_COLORS, stage_rates, trunk
from segtutor.plotting.tracing import find_module

_POINTWISE = "#0072B2"  # the branch without a rate


def deeplabv2_layout(model: nn.Module) -> Layout:
    """DeepLab v2: branches with a rate each, their scores added; below it the same picture at smaller scales.

    Args:
        model: With a ``backbone`` that returns "out" and a ``classifier`` of branches.

    Raises:
        ValueError: If one of these modules is missing.
    """
    branches: Any = find_module("classifier", model)
    find_module("classifier.0", model)
    scales = _required("scales", model, "deeplabv2_layout")
    middle = (len(branches) - 1) / 2
    boxes, arrows = trunk(model, middle, rates=True)
    deepest, column = boxes[-1].name, boxes[-1].column + 1.4
    for index, branch in enumerate(branches):
        if isinstance(branch, nn.Sequential):  # fc6, fc7 and the scores; the last convolution makes the scores
            numbers = [number for number, layer in branch.named_children() if isinstance(layer, nn.Conv2d)]
            sources = [f"classifier.{index}.{number}" for number in numbers]
            labels = [f"fc6, {stage_rates(branch[0]) or 'rate 1'}", "fc7", "score"]
        else:
            sources, labels = [f"classifier.{index}"], [f"3×3, {stage_rates(branch) or 'rate 1'}"]
        before = deepest
        for step, (source, label) in enumerate(zip(sources, labels, strict=True)):
            last = step == len(sources) - 1
            color = ORANGE if last else LEVEL_COLORS[index % len(LEVEL_COLORS)]
            boxes.append(Box(source, source, label, column + 1.15 * step, index, color))
            arrows.append(Arrow(before, source, "1×1" if step else ""))
            before = source
        arrows.append(Arrow(before, "sum"))
    end = boxes[-1].column + 1.4
    boxes.append(Box("sum", "classifier", "sum", end, middle, ORANGE))
    if len(scales) > 1:
        # Not a module's map, but as large as the first sum: to its size the others are enlarged.
        _add_chain([("maximum", "classifier", "maximum", "")], boxes, arrows, pitch=1.65)
    for call, scale in enumerate(scales[1:], start=2):
        row = len(branches) + 0.15 + 1.35 * (call - 2)
        image, total = f"image {scale:g}", f"sum {scale:g}"
        boxes[-1:-1] = [
            Box(image, f"backbone#{call}:input", f"image × {scale:g}", 0, row, boxes[0].color),
            Box(total, f"classifier#{call}", "sum", end, row, ORANGE),
        ]
        arrows += [Arrow(image, total, "the same network"), Arrow(total, "maximum", "enlarge")]
    _add_chain([("logits", "output[out]", "logits", "enlarge")], boxes, arrows)
    return Layout(tuple(boxes), tuple(arrows), column_width=0.86, row_height=1.05)


def deeplabv3_layout(model: nn.Module) -> Layout:
    """DeepLabV3: the branches of the ASPP side by side, a 1 x 1 across them; below that, the classes.

    Args:
        model: With a ``backbone`` and a ``classifier`` that begins with an ASPP; in the paper's variant the classes
            follow it, in torchvision's a 3 x 3 comes between.

    Raises:
        ValueError: If one of these modules is missing.
    """
    head: Any = find_module("classifier", model)
    branches: Any = find_module("classifier.0.convs", model)
    middle = (len(branches) - 1) / 2
    boxes, arrows = trunk(model, middle, rates=True)
    _add_aspp("classifier.0", branches, boxes, arrows)
    chain = [("score", "classifier", "score", "1×1"), ("logits", "output[out]", "logits", "enlarge")]
    if head[1].kernel_size[0] == 3:
        chain.insert(0, ("mixed", f"classifier.{len(head) - 2}", "mixed", "3×3"))
    for number, (name, source, label, operation) in enumerate(chain, start=1):  # downwards: a page is no wider
        row = middle + 1.1 * number + (0.25 if name == "logits" else 0)
        color = ORANGE if name in ("score", "logits") else boxes[-1].color
        arrows.append(Arrow(boxes[-1].name, name, operation))
        boxes.append(Box(name, source, label, boxes[-1].column, row, color))
    return Layout(tuple(boxes), tuple(arrows), column_width=0.82, row_height=1.15)


def deeplabv3_cascaded_layout(model: nn.Module) -> Layout:
    """The cascaded DeepLabV3: one row, in which copies of the last stage follow each other at rates that grow.

    Args:
        model: With a ``backbone`` and a ``classifier`` of blocks, the last of which scores the classes.

    Raises:
        ValueError: If one of these modules is missing.
    """
    head: Any = find_module("classifier", model)
    boxes, arrows = trunk(model, rates=True)
    blocks = [
        (f"block{number}", f"classifier.{number - 5}", f"block{number}\n{stage_rates(block)}".replace(" ", "\n", 1), "")
        for number, block in enumerate(list(head)[:-1], start=5)
    ]
    _add_chain(blocks, boxes, arrows, color=LEVEL_COLORS[-1])
    _add_chain([("score", "classifier", "score", "1×1")], boxes, arrows, pitch=1.1)
    _add_chain([("logits", "output[out]", "logits", "enlarge")], boxes, arrows, pitch=1.3)
    return Layout(tuple(boxes), tuple(arrows), column_width=0.735)


def deeplabv3plus_layout(model: nn.Module) -> Layout:
    """DeepLabV3+: the encoder of DeepLabV3, which rises from its finer map; below it the decoder, which begins there.

    Args:
        model: With a ``backbone`` that returns "low", an ``aspp``, ``reduce`` and the decoder as ``classifier``.

    Raises:
        ValueError: If one of these modules is missing.
    """
    branches: Any = find_module("aspp.convs", model)
    head: Any = find_module("classifier", model)
    find_module("reduce", model)
    middle = (len(branches) - 1) / 2
    boxes, arrows = trunk(model, middle, rates=True)
    names = [box.name for box in boxes]
    inside = "entry 2" in names  # Xception: the finer map comes from inside a block, before the stride has reached it
    turn = names.index("entry 2" if inside else "layer1")
    above = len(boxes) - 1 - turn
    row = max(len(branches) + 0.1, middle + 1.1 * above)
    for number, box in enumerate(boxes):
        rise = max(0, number - turn) / above
        boxes[number] = replace(box, column=min(number, turn), row=row + (middle - row) * rise)
    fine = boxes[turn]
    _add_aspp("aspp", branches, boxes, arrows)
    # Below the concatenation, not behind it: the decoder's row goes on there.
    boxes[-1] = encoded = replace(boxes[-1], column=boxes[-2].column, row=middle + 1.4)
    if inside:
        fine = Box("low", "backbone[low]", "inside\nentry 2", turn + 1.35, row)
        boxes.append(fine)
        arrows.append(Arrow(names[turn], "low", "before\nits stride"))
    boxes += [
        Box("reduced", "reduce", "reduced", fine.column + (0.95 if inside else 1.1), row),
        Box("joined again", "classifier:input", "side\nby side", encoded.column, row),
    ]
    arrows += [
        Arrow(fine.name, "reduced", "1×1"),
        Arrow("reduced", "joined again"),
        Arrow(encoded.name, "joined again", "enlarge"),
    ]
    first = [index for index, layer in enumerate(head) if isinstance(layer, nn.Conv2d) and layer.kernel_size[0] == 3]
    ends = [index - 1 for index in [*first[1:], len(head) - 1]]  # norms and ReLUs belong to the convolution before
    refined = [(f"refined {end}", f"classifier.{end}", "refined", "3×3") for end in ends]
    chain = [*refined, ("score", "classifier", "score", "1×1"), ("logits", "output[out]", "logits", "enlarge")]
    _add_chain(chain[:-1], boxes, arrows, pitch=1.0)
    _add_chain(chain[-1:], boxes, arrows, pitch=1.15)
    return Layout(tuple(boxes), tuple(arrows), column_width=0.81, row_height=1.16)


def _add_aspp(name: str, branches: Any, boxes: list[Box], arrows: list[Arrow]) -> None:
    """The branches behind the last box, then all side by side, then the ASPP's result; adds to both lists."""
    start, middle = boxes[-1], boxes[-1].row
    join = start.column + 3.5
    rates = 0
    for row, branch in enumerate(branches):
        source = f"{name}.convs.{row}"
        before, column = start.name, start.column + 1.25
        kernel = next(layer.kernel_size[0] for layer in branch.modules() if isinstance(layer, nn.Conv2d))
        step = ""
        if isinstance(branch[0], nn.AdaptiveAvgPool2d):
            label, color, step = "", GREEN, "1×1,\ncopied"
            boxes.append(Box("mean", f"{source}.0", "mean", column, row, color))
            arrows.append(Arrow(before, "mean"))
            before, column = "mean", column + 1.35
        elif kernel == 1:
            label, color = "1×1", _POINTWISE
        else:
            label, color = f"{kernel}×{kernel},\n{stage_rates(branch) or 'rate 1'}", LEVEL_COLORS[rates % 3]
            rates += 1
        boxes.append(Box(source, source, label, column, row, color))
        arrows += [Arrow(before, source, step), Arrow(source, "joined")]
    boxes += [
        Box("joined", f"{name}.project:input", "side\nby side", join, middle),
        Box("ASPP", name, "ASPP", join + 1.0, middle),
    ]
    arrows.append(Arrow("joined", "ASPP", "1×1"))


def _add_chain(
    steps: list[tuple[str, str, str, str]],
    boxes: list[Box],
    arrows: list[Arrow],
    pitch: float = 1.15,
    color: str | None = None,
) -> None:
    """Box after box behind the last one, each step a name, source, label and the operation; adds to both lists."""
    for name, source, label, operation in steps:
        before = boxes[-1]
        per_class = ORANGE if name in ("score", "logits") else before.color
        boxes.append(Box(name, source, label, before.column + pitch, before.row, color or per_class))
        arrows.append(Arrow(before.name, name, operation))


def _required(attribute: str, model: nn.Module, layout: str) -> Any:
    if not hasattr(model, attribute):
        raise ValueError(
            f"{layout} draws networks with {attribute!r}, but {type(model).__name__} has none; take its own layout"
        )
    return getattr(model, attribute)
