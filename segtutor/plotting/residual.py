"""A ResNet as two drawings: its stages as slabs with strides, and the block that they are made of (He et al. 2016)."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import nn

from segtutor.plotting.architecture import BLUE, GRAY, ORANGE, Arrow, Box, Layout
from segtutor.plotting.layouts import stage_rates
from segtutor.plotting.tracing import find_module

_SHORTCUT = "#B34A00"
_STEM = 4
"""The stem's convolution and its pooling halve the picture once each."""


def resnet_layout(resnet: Any) -> Layout:
    """The stages of a ResNet in a row, each with its output stride and, where it is dilated, its rates.

    Args:
        resnet: torchvision's, or a backbone made from it: with ``maxpool`` and ``layer1`` to ``layer4``.

    Raises:
        ValueError: If one of these modules is missing.
    """
    find_module("maxpool", resnet)
    boxes = [
        Box("image", "input", "picture\n", 0, color=GRAY),
        Box("stem", "maxpool", f"stem\nstride {_STEM}", 1.1),
    ]
    arrows = [Arrow("image", "stem")]
    stride = _STEM
    for number in range(1, 5):
        stage: Any = find_module(f"layer{number}", resnet)
        stride *= max(layer.stride[0] for layer in stage.modules() if isinstance(layer, nn.Conv2d))
        rates = stage_rates(stage)
        label = f"stage {number}\n{len(stage)} blocks\nstride {stride}" + (f", {rates}" if rates else "")
        boxes.append(Box(f"stage {number}", f"layer{number}", label, 0.9 + 1.35 * number))
        arrows.append(Arrow(boxes[-2].name, f"stage {number}"))
    return Layout(tuple(boxes), tuple(arrows), column_width=1.25)


def show_residual_block(channels: int = 256, narrow: int = 64, *, ax: Axes | None = None) -> Axes:
    """Draws a bottleneck block: three convolutions on the main path, the shortcut around them, and their sum.

    Args:
        channels: That enter and leave.
        narrow: In the middle.
        ax: Where to draw; a new figure if None.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(9, 2.2), layout="constrained")
    layers = (
        ("x", f"{channels} channels", GRAY, 0.0),
        ("1×1 convolution", f"{channels} → {narrow}", BLUE, 2.3),
        ("3×3 convolution", f"{narrow} → {narrow}", BLUE, 4.7),
        ("1×1 convolution", f"{narrow} → {channels}", BLUE, 7.1),
        ("+", "", ORANGE, 9.0),
        ("ReLU", f"{channels} channels", GRAY, 10.5),
    )
    half_widths = []
    for title, says, color, x in layers:
        half = 0.3 if title == "+" else 0.62 if not title.endswith("convolution") else 0.88
        half_widths.append(half)
        style = f"round,pad=0,rounding_size={half if title == '+' else 0.12}"
        ax.add_patch(
            FancyBboxPatch((x - half, -0.3), 2 * half, 0.6, boxstyle=style, facecolor=color, edgecolor="black")
        )
        ax.text(x, 0, title, ha="center", va="center_baseline", fontsize=10)
        ax.text(x, -0.42, says, ha="center", va="top", fontsize=9)
    for (index, (*_, x)), following in zip(enumerate(layers), layers[1:], strict=False):
        ends = (x + half_widths[index] + 0.04, 0), (following[3] - half_widths[index + 1] - 0.04, 0)
        ax.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=12, color="black", shrinkA=0, shrinkB=0))
    ax.plot([1.15, 1.15, 9.0], [0, 0.95, 0.95], color=_SHORTCUT, linewidth=2.2, solid_joinstyle="round")
    down: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 14, "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch((9.0, 0.97), (9.0, 0.33), color=_SHORTCUT, **down))
    ax.text(5.1, 1.02, "shortcut", ha="center", va="bottom", fontsize=10, color=_SHORTCUT)
    ax.set(xlim=(-0.8, 11.3), ylim=(-0.85, 1.4), aspect="equal")
    ax.set_axis_off()
    return ax
