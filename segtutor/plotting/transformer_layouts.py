"""Where the boxes of SegFormer stand in its figure: the stages in a row, below them what the decoder makes of each."""

from __future__ import annotations

import itertools
from typing import Any

from torch import nn

from segtutor.plotting.architecture import GRAY, ORANGE, Arrow, Box, Layout
from segtutor.plotting.layouts import LEVEL_COLORS
from segtutor.plotting.tracing import find_module


def segformer_layout(model: nn.Module) -> Layout:
    """Stages above; of each a linear layer below it, the deepest nearest; all side by side, mixed, scored.

    Args:
        model: With a ``backbone`` of ``stages`` and a ``classifier`` with ``projections``, ``fuse`` and ``predict``.

    Raises:
        ValueError: If one of these modules is missing.
    """
    stages: Any = find_module("backbone.stages", model)
    for name in ("projections", "fuse", "predict"):
        find_module(f"classifier.{name}", model)
    count = len(stages)
    boxes, arrows = [Box("image", "input", "image", 0, 0, GRAY)], []
    middle, join = (1 + count) / 2, count + 1.35
    for number in range(1, count + 1):
        stage, level = f"stage {number}", f"level {number}"
        color = LEVEL_COLORS[(number - 1) % len(LEVEL_COLORS)]
        boxes += [
            Box(stage, f"backbone[stage{number}]", stage, number),
            Box(level, f"classifier.projections.{number - 1}", "", number, count + 1 - number, color),
        ]
        before = "image" if number == 1 else f"stage {number - 1}"
        arrows += [Arrow(before, stage), Arrow(stage, level, "linear")]
        arrows.append(Arrow(level, "joined", "enlarge" if number > 1 else ""))
    head = [
        Box("joined", "classifier.fuse:input", "side by side", join, middle),
        Box("mixed", "classifier.fuse", "mixed", join + 1.3, middle),
        Box("score", "classifier.predict", "score", join + 2.3, middle, ORANGE),
        Box("logits", "output[out]", "logits", join + 3.45, middle, ORANGE),
    ]
    for (one, other), step in zip(itertools.pairwise(head), ("1×1", "1×1", "enlarge"), strict=True):
        arrows.append(Arrow(one.name, other.name, step))
    return Layout((*boxes, *head), tuple(arrows), column_width=0.88, row_height=1.15)
