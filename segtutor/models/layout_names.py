"""Names that no pattern alone can translate: from a source's layer, found by its pattern, to ours.

Each function takes the match of a rule of ``layouts`` and returns our key.
"""

from __future__ import annotations

import re


def flat_inverted_residual(match: re.Match[str]) -> str:
    """Our name of a layer of MobileNetV2's blocks, where the source numbers them without groups."""
    block, layer, array = match.groups()
    ours = {"0": "0.0", "1": "0.1", "3": "1.0", "4": "1.1", "6": "2", "7": "3"}
    if block == "1":  # the only block without an expansion
        ours = {"0": "0.0", "1": "0.1", "3": "1", "4": "2"}
    return f"backbone.{block}.conv.{ours[layer]}.{array}"


def _u2net_blocks() -> list[str]:
    """Our names of the blocks of convolutions of U²-Net, in the order in which they run."""
    names = []
    stages = [*((f"encoder.{stage}", levels) for stage, levels in enumerate((7, 6, 5, 4, 4, 4)))]
    stages += [(f"decoder.{stage}", levels) for stage, levels in enumerate((4, 4, 5, 6, 7))]
    for stage, levels in stages:
        names += [f"{stage}.inlet", *(f"{stage}.encoder.{level}" for level in range(levels))]
        names += [f"{stage}.decoder.{level}" for level in range(levels - 1)]
    return names


_U2NET_BLOCKS = _u2net_blocks()


def u2net_by_number(match: re.Match[str]) -> str:
    """Our name of a convolution of U²-Net that is only numbered."""
    number, array = int(match.group(1)), match.group(2)
    if number >= len(_U2NET_BLOCKS):
        raise ValueError(f"U²-Net has {len(_U2NET_BLOCKS)} convolutions in blocks, but the file has a number {number}")
    return f"{_U2NET_BLOCKS[number]}.0.{array}"


def u2net_by_name(match: re.Match[str]) -> str:
    """Our name of a block of U²-Net in the authors' code: stages and levels from 1, a "d" for those on the way up."""
    stage, up, level, level_up, kind, array = match.groups()
    side = f"decoder.{5 - int(stage)}" if up else f"encoder.{int(stage) - 1}"
    levels = (7, 6, 5, 4, 4, 4)[int(stage) - 1]
    if level == "in":
        block = "inlet"
    elif level_up:
        block = f"decoder.{levels - 1 - int(level)}"
    else:
        block = f"encoder.{int(level) - 1}"
    return f"{side}.{block}.{('conv', 'bn').index(kind)}.{array}"


def u2net_side(match: re.Match[str]) -> str:
    """Our name of a side's convolution, which the authors count from 1."""
    return f"sides.{int(match.group(1)) - 1}.{match.group(2)}"


LITE_LAYERS = {"expand_conv": "expand.0", "depthwise_conv": "depthwise.0", "project_conv": "project.0"}
LITE_LAYERS |= {"bn0": "expand.1", "bn1": "depthwise.1", "bn2": "project.1"}


def lite_block(match: re.Match[str]) -> str:
    """Our name of a layer of an EfficientNet's block."""
    block, layer, array = match.groups()
    return f"blocks.{block}.{LITE_LAYERS[layer]}.{array}"
