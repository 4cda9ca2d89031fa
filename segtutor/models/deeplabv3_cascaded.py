"""DeepLabV3, cascaded: copies of the last stage, one after the other, at rates that double instead of strides.

Chen, Papandreou, Schroff, Adam: Rethinking Atrous Convolution for Semantic Image Segmentation, 2017 ("v3"), §3.2.

    images --> ResNet (block1 ... block4, dilated) --> block5 --> block6 --> block7 --> 1x1 --> upsample --> logits
    rates at output stride 16:              2            4          8         16          times the multi-grid

Shapes: B images, C channels, K classes, H W input, h w feature map at the output stride OS.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from segtutor.models.backbones import (
    FirstBlockRate,
    ResNetBackbone,
    TinyResNet,
    replace_stride_by_dilation,
    resnet50_backbone,
    resnet101_backbone,
    stage_rates,
)
from segtutor.models.differences import Difference
from segtutor.models.semantic import SemanticNetwork

MULTI_GRID = (1, 2, 1)  # the best one with block7 (v3 §4.2); the ASPP's network prefers another


def cascade_rates(output_stride: int, last_block: int) -> tuple[int, ...]:
    """Rates of block5, block6, ... before the multi-grid: each takes the place of a stride of 2 (v3 §3.2).

    >>> cascade_rates(output_stride=16, last_block=7)
    (4, 8, 16)
    """
    if last_block not in (4, 5, 6, 7):
        raise ValueError(f"last_block must be 4, 5, 6 or 7, but {last_block} came")
    return tuple(32 // output_stride * 2 ** (block - 4) for block in range(5, last_block + 1))


class DeepLabV3Cascaded(SemanticNetwork):
    """Backbone, further blocks, upsampling: see `SemanticNetwork`. ``classifier`` holds the blocks and the 1 x 1."""


def _cascaded_resnet(
    backbone: ResNetBackbone,
    num_classes: int,
    output_stride: int,
    last_block: int,
    multi_grid: Sequence[int],
    align_corners: bool,
) -> DeepLabV3Cascaded:
    channels = backbone.channels["out"]
    blocks = []
    for rate in cascade_rates(output_stride, last_block):
        # The map is as wide as the block's output, so the shortcut needs no convolution, not even in the first unit.
        units = [Bottleneck(channels, channels // 4) for _ in backbone.layer4]
        block = nn.Sequential(*units)
        replace_stride_by_dilation(block, stage_rates(len(block), rate, rate, multi_grid=multi_grid))
        blocks.append(block)
    return DeepLabV3Cascaded(
        backbone,
        nn.Sequential(*blocks, nn.Conv2d(channels, num_classes, 1)),
        output_stride=output_stride,
        align_corners=align_corners,
    )


def deeplabv3_cascaded_resnet50(
    num_classes: int = 21,
    *,
    output_stride: int = 16,
    last_block: int = 7,
    multi_grid: Sequence[int] = MULTI_GRID,
    first_block_rate: FirstBlockRate = "previous",
    align_corners: bool = True,
) -> DeepLabV3Cascaded:
    """The cascaded DeepLabV3 on ResNet-50.

    Args:
        num_classes: K.
        output_stride: 8 or 16; all rates double at 8.
        last_block: 7 adds block5 to block7 behind the ResNet's block4; 4 adds none.
        multi_grid: Unit rates of the three 3 x 3 convolutions in block4 and in each block after it.
        first_block_rate: Rate in the first unit of layer3 at output stride 8, "previous" or "same".
        align_corners: How logits are upsampled; True is exact here, see `SemanticNetwork`.
    """
    backbone = resnet50_backbone(output_stride=output_stride, multi_grid=multi_grid, first_block_rate=first_block_rate)
    return _cascaded_resnet(backbone, num_classes, output_stride, last_block, multi_grid, align_corners)


def deeplabv3_cascaded_resnet101(
    num_classes: int = 21,
    *,
    output_stride: int = 16,
    last_block: int = 7,
    multi_grid: Sequence[int] = MULTI_GRID,
    first_block_rate: FirstBlockRate = "previous",
    align_corners: bool = True,
) -> DeepLabV3Cascaded:
    """The cascaded DeepLabV3 on ResNet-101; arguments as `deeplabv3_cascaded_resnet50`."""
    backbone = resnet101_backbone(output_stride=output_stride, multi_grid=multi_grid, first_block_rate=first_block_rate)
    return _cascaded_resnet(backbone, num_classes, output_stride, last_block, multi_grid, align_corners)


def deeplabv3_cascaded_tiny(
    num_classes: int = 21,
    *,
    output_stride: int = 8,
    last_block: int = 6,
    multi_grid: Sequence[int] = (),
    first_block_rate: FirstBlockRate = "previous",
    align_corners: bool = True,
) -> DeepLabV3Cascaded:
    """The cascaded network on the course's small backbone: trains on a processor in minutes.

    differs: the last stage, here layer3, counts as block4 and has two units, of two 3 x 3 each. The default ends at
    block6: on a map of 16 x 20 pixels, rate 16 would read padding.

    Args:
        num_classes: K.
        output_stride: 4 or 8.
        last_block: 4 to 7; how many copies of the last stage follow it.
        multi_grid: Unit rates of the two units of the last stage and of its copies.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
        align_corners: How logits are upsampled; True is exact here, see `SemanticNetwork`.
    """
    if output_stride not in (4, 8):
        raise ValueError(f"output_stride must be 4 or 8, but {output_stride} came")
    backbone = TinyResNet(output_stride, first_block_rate, multi_grid)
    channels = backbone.channels["out"]
    blocks = []
    # Of this backbone's strides, one (at 8) or two (at 4) became rates, as of the large ones' at 16 and 8.
    for rate in cascade_rates(2 * output_stride, last_block):
        block = nn.Sequential(*[BasicBlock(channels, channels) for _ in backbone.layer3])
        replace_stride_by_dilation(block, stage_rates(len(block), rate, rate, multi_grid=multi_grid))
        blocks.append(block)
    return DeepLabV3Cascaded(
        backbone,
        nn.Sequential(*blocks, nn.Conv2d(channels, num_classes, 1)),
        output_stride=output_stride,
        align_corners=align_corners,
    )


# Paper: arXiv 1706.05587, §3.2, its best cascaded network. There is no public code of it.
# Ours: deeplabv3_cascaded_resnet101.
DIFFERENCES = (
    Difference("last block", "block7", "-", "-", "block7"),
    Difference("multi-grid of block4 to block7", "1, 2, 1", "-", "-", "1, 2, 1"),
    Difference("rates of block4 to block7", "2, 4, 8, 16", "-", "-", "2, 4, 8, 16"),
    Difference("output stride in training", "16", "-", "-", "16"),
    Difference("first shortcut of block5 to block7", "not told", "-", "-", "identity"),
    Difference("weights of block5 to block7 begin", "not told", "-", "-", "random"),
    Difference("between block7 and classes", "not told", "-", "-", "nothing"),
    Difference("upsampling", "bilinear", "-", "-", "bilinear, aligned corners"),
)
