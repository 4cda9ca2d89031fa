"""Where the boxes of the course's networks stand in their figures, read from the modules that each network has."""

from __future__ import annotations

from typing import Any

from torch import nn

from segtutor.plotting.architecture import BLUE, GRAY, GREEN, ORANGE, PURPLE, RED, YELLOW, Arrow, Box, Layout
from segtutor.plotting.tracing import find_module

LEVEL_COLORS = (RED, PURPLE, YELLOW, GREEN)


def fcn_layout(model: nn.Module) -> Layout:
    """FCN-32s, 16s and 8s: the classifier above, below it the scores that are enlarged and added, skip by skip.

    Args:
        model: With a ``backbone`` that returns "pool3", "pool4", "pool5", a ``classifier``, ``score`` and ``upscore``.

    Raises:
        ValueError: If one of these modules is missing.
    """
    classifier: Any = find_module("classifier", model)
    score: Any = find_module("score", model)
    upscore: Any = find_module("upscore", model)
    boxes, arrows = trunk(model)
    convolutions = [name for name, layer in classifier.named_children() if isinstance(layer, nn.Conv2d)]
    for name, label in zip(convolutions, ("fc6", "fc7", "score"), strict=True):
        color = ORANGE if label == "score" else BLUE
        boxes.append(Box(label, f"classifier.{name}", label, len(boxes), color=color))
        kernel = classifier.get_submodule(name).kernel_size[0]
        arrows.append(Arrow(boxes[-2].name, label, f"{kernel}×{kernel}"))
    columns = {box.name: box.column for box in boxes}
    last, column, row = "score", boxes[-1].column, 0
    skips = list(score.keys())
    for skip, following in zip(skips, [*skips, "image"][1:], strict=True):
        row += 1
        enlarged, scored, total = f"up {skip}", f"score {skip}", f"sum {skip}"
        middle = (columns[skip] + column) / 2
        boxes += [
            Box(enlarged, f"upscore.{skip}", "enlarged", column, row, ORANGE),
            Box(scored, f"score.{skip}", f"score of\n{skip}", columns[skip], row, ORANGE),
            Box(total, f"upscore.{following}:input", "sum", middle, row, ORANGE),
        ]
        arrows += [
            Arrow(last, enlarged, f"×{upscore[skip].stride[0]}"),
            Arrow(skip, scored, "1×1"),
            Arrow(enlarged, total, crops=True),
            Arrow(scored, total, crops=True),
        ]
        last, column = total, middle
    row += 1
    boxes += [
        Box("enlarged", "upscore.image", "enlarged", column, row, ORANGE),
        Box("logits", "output[out]", "logits", column - 2, row, ORANGE),
    ]
    arrows += [Arrow(last, "enlarged", f"×{upscore['image'].stride[0]}"), Arrow("enlarged", "logits", crops=True)]
    return Layout(tuple(boxes), tuple(arrows), column_width=0.95, row_height=1.55)


def pspnet_layout(model: nn.Module, auxiliary: bool = False, *, head_only: bool = False) -> Layout:
    """PSPNet: the deepest map, its means over a few bins on rows of their own, and all of them side by side again.

    Args:
        model: With a ``backbone`` that returns "out" and a ``classifier`` that begins with pyramid pooling.
        auxiliary: Whether the auxiliary head is shown. Trace such a network in training mode, with two images.
        head_only: Begin with the backbone's last map; a page is not wide enough for more at its full size.

    Raises:
        ValueError: If one of these modules is missing, or the auxiliary head is asked for without the backbone.
    """
    if head_only and auxiliary:
        raise ValueError("the auxiliary head begins inside the backbone: leave head_only or auxiliary out")
    levels: Any = find_module("classifier.0.levels", model)
    above = (len(levels) + 1) // 2  # rows over that of the map itself
    boxes, arrows = trunk(model, row=above)
    if head_only:
        boxes, arrows = [Box("map", "backbone[out]", "last map of\nthe backbone", 0, above)], []
    deepest, column = boxes[-1].name, boxes[-1].column
    join = column + (4.65 if len(levels) else 1.2)
    head = [
        Box("joined", "classifier.0", "side by side", join, above),
        Box("mixed", "classifier.1", "mixed", join + 1.2, above),
        Box("score", "classifier", "score", join + 2.2, above, ORANGE),
        Box("logits", "output[out]", "logits", join + 3.5, above, ORANGE),
    ]
    for index, level in enumerate(levels):
        row = index if index < above else index + 1
        color = LEVEL_COLORS[index % len(LEVEL_COLORS)]
        pooled, reduced, count = f"pooled {index}", f"level {index}", level[0].output_size
        boxes += [
            Box(pooled, f"classifier.0.levels.{index}.0", f"{count}×{count} bins", column + 1.4, row, color),
            Box(reduced, f"classifier.0.levels.{index}", "", column + 2.75, row, color),
        ]
        arrows += [Arrow(deepest, pooled), Arrow(pooled, reduced, "1×1"), Arrow(reduced, "joined", "enlarge")]
    before = deepest
    for box, step in zip(head, ("", "3×3", "1×1", "enlarge"), strict=True):
        arrows.append(Arrow(before, box.name, step))
        before = box.name
    if auxiliary:
        find_module("aux_classifier", model)
        tapped = boxes[[box.name for box in boxes].index(deepest) - 1]  # the last stage but one
        boxes += [
            Box("aux score", "aux_classifier", "auxiliary\nscore", tapped.column, above + 1.9, ORANGE),
            Box("aux logits", "output[aux]", "auxiliary\nlogits", tapped.column - 1.5, above + 1.9, ORANGE),
        ]
        arrows += [Arrow(tapped.name, "aux score", "3×3, 1×1"), Arrow("aux score", "aux logits", "enlarge")]
    return Layout((*boxes, *head), tuple(arrows), column_width=0.86, row_height=1.05)


def trunk(model: nn.Module, row: float = 0.0, rates: bool = False) -> tuple[list[Box], list[Arrow]]:
    """The image and the backbone's maps in a row.

    Args:
        model: With a ``backbone``.
        row: Where they stand.
        rates: Whether the rates of dilated stages are written over them.
    """
    backbone: Any = find_module("backbone", model)
    boxes = [Box("image", "input", "image", 0, row, GRAY)]
    arrows = []
    for column, (source, label) in enumerate(_stages(backbone), start=1):
        module, _, entry = source.partition("[")
        used = stage_rates(model.get_submodule(module)) if rates and entry in ("", "0]") else ""
        boxes.append(Box(label, source, f"{label}\n{used}" if used else label, column, row))
        arrows.append(Arrow(boxes[-2].name, label))
    return boxes, arrows


def stage_rates(stage: nn.Module) -> str:
    """The rates of a stage's 3 x 3 convolutions, as "rate 2, 4, 8"; nothing if all are 1.

    >>> stage_rates(nn.Sequential(nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3, dilation=2), nn.Conv2d(8, 8, 3, dilation=2)))
    'rate 1, 2'
    """
    convolutions = (layer for layer in stage.modules() if isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1)
    rates = [layer.dilation[0] for layer in convolutions]
    changes = [rate for rate, before in zip(rates, [None, *rates], strict=False) if rate != before]
    return "" if set(changes) <= {1} else f"rate {', '.join(map(str, changes))}"


def _stages(backbone: Any) -> list[tuple[str, str]]:
    """Names of the backbone's maps and their labels, in the order in which the backbone makes them."""
    children = dict(backbone.named_children())
    taps = getattr(backbone, "taps", {})
    if any(isinstance(name, str) for name in taps.values()):  # VGG16: numbered layers, and names for the pools
        return [(f"backbone[{name}]", name) for name in taps.values()]
    if taps:  # MobileNet: names, and the layers that they mean
        return [(f"backbone[{name}]", name) for name in sorted(taps, key=taps.__getitem__)]
    if "entry" in children:  # Xception: every block returns its map and one from inside it
        parts = [("entry", block) for block in range(len(backbone.entry))]
        parts += [("middle", len(backbone.middle) - 1), ("exit", len(backbone.exit) - 1)]
        maps = [(f"backbone.{flow}.{block}[0]", f"{flow} {block + 1}") for flow, block in parts]
        return [("backbone.stem", "stem"), *maps]
    if "pool" in children:  # the small FCN: two stages without a name, then pool3 to pool5
        maps = [("backbone.stem", "stem"), ("backbone.layer1", "layer1")]
        return maps + [(f"backbone[{name}]", name) for name in backbone.channels]
    pools = [name for name, layer in children.items() if isinstance(layer, nn.MaxPool2d)]
    if len(pools) > 1:  # VGG16 without names, as DeepLab v2 has it
        return [(f"backbone.{name}", f"pool{number}") for number, name in enumerate(pools, start=1)]
    stem = "maxpool" if "maxpool" in children else "stem"
    return [(f"backbone.{stem}", "stem")] + [
        (f"backbone.{name}", name) for name in children if name.startswith("layer")
    ]
